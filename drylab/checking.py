"""The verb before the verb: what a screen of this target file would do, without doing it."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from drylab.asking import together
from drylab.config import Target, target_from, template
from drylab.errors import OutputError
from drylab.execute import cores, serial
from drylab.finish import finish
from drylab.folding import FoldShard, fold_batches
from drylab.library import places
from drylab.library.pruning import plan
from drylab.library.reading import read_shard
from drylab.library.sources import blocks, open_source
from drylab.library.store import Library
from drylab.opening import columns_of, library_path, locate
from drylab.question import Question, ask
from drylab.rescoring import Rescore, settle
from drylab.score import panel
from drylab.types import Shard

SAMPLE, SHARDS, HITS = 512, 16, 24  # rows scored, from so many shards, and hits described to tell the time


@dataclass(frozen=True, slots=True)
class Check:
    """What a screen would do, as (heading, text) lines; ``rate`` in molecules/s on one core, 0 if not measured."""

    lines: tuple[tuple[str, str], ...]
    rate: float

    def __str__(self) -> str:
        return "\n".join(f"{heading:<12} {text}" for heading, text in self.lines)


def check(target: Target | Mapping[str, Any] | str | Path, library: str | Path | None = None) -> Check:
    """Read a target file as ``screen`` would, score a sample, and say what a screen would do.

    Raises what ``screen`` raises, but for rows of vendor files past the first of each.
    """
    checked = target_from(target)
    where, opened = library_path(checked, library), locate(checked, library)
    question = ask(checked)
    probe = question.model.probes.probes[question.probe]
    tier = panel.tier(probe)
    rate, lines = 0.0, []
    if isinstance(opened, Library):
        shards = plan(opened, question.rules.ranges).read
        rows = sum(shard.rows for shard in shards)
        cost = _cost(shards or opened.shards(), question, checked)
        rate = 1 / cost.row
        seconds = rows * cost.row + min(question.top_k, rows) * cost.hit
        lines.append(
            (
                "library",
                f"{opened.shown}: {opened.rows:,} molecules, recipe {opened.recipe['name']}{_skipped(opened, rows)}",
            )
        )
        lines.append(
            (
                "time",
                f"about {_duration(seconds)} on one core, {_duration(seconds / cores())} on the {cores()} here ({rate:,.0f} molecules/s a core)",
            )
        )
    else:
        for name in opened:
            # A file that is empty or lacks a column says so here.
            next(blocks(open_source(name, 0, columns_of(checked)), 1 << 16))
        size = sum(places.info(name).size for name in opened) / 1e6
        lines.append(("library", f"{where}: {len(opened)} file(s), {size:,.1f} MB, to be built into a library first"))
    return Check(
        (
            (
                "target",
                f"{checked.name}: probe {probe.name} ({', '.join(probe.aliases[:3])}) of model {question.model.name}",
            ),
            ("tier", f"{tier['tier']} ({tier['label']}). {tier['sentence']}"),
            *lines,
            ("filters", "; ".join(_filters(question)) or "none"),
            ("known", _known(question) + _as_written(opened, question)),
            ("keeps", f"the best {question.top_k:,}, of which {checked.screen.report_n:,} are shown in the report"),
        ),
        rate,
    )


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of one core: a row of the library, on average, and a hit."""

    row: float
    hit: float


def _cost(shards: Sequence[Shard], q: Question, target: Target) -> Cost:
    """Measured on rows from all over what is read: its files hold molecules of very different size."""
    chosen = shards[:: max(1, len(shards) // SHARDS)][:SHARDS]
    batches = [next(read_shard(shard, SAMPLE // len(chosen))) for shard in chosen]
    task = FoldShard(together([q]))
    fold_batches(task, batches[:1])  # loads compiled kernels, so that the second run is what a run costs
    start = time.perf_counter()
    contenders = fold_batches(task, batches).screened[0].contenders
    row = (time.perf_counter() - start) / sum(len(batch) for batch in batches)
    column = task.asked.flat.column[0]
    (settled,), _ = settle([contenders], [column], Rescore(q.model, task.asked.rows), task.engine().bounds, "kept")
    few = replace(settled, k=HITS).best()
    start = time.perf_counter()
    finish(q, target, few, serial(), lambda n: None)
    return Cost(row, (time.perf_counter() - start) / max(1, len(few)))


def _skipped(library: Library, rows: int) -> str:
    """The rows that no shard has to be read for: statistics say that a range takes them out."""
    return f"; {library.rows - rows:,} are filtered without being read" if rows < library.rows else ""


def _filters(q: Question) -> list[str]:
    rules = q.rules
    said = [f"{name} in [{low:g}, {high:g}]" for name, low, high in rules.ranges]
    said += [f"must not match {smarts}" for smarts in rules.must_not_have]
    said += [f"must match one of {', '.join(rules.must_have_any)}"] if rules.must_have_any else []
    said += [f"no alert of {', '.join(rules.alerts)}"] if rules.alerts else []
    said += [f"{len(rules.excluded):,} molecules excluded"] if rules.excluded is not None else []
    return said + [f"not {limit.name}" for limit in q.limits]


def _known(q: Question) -> str:
    if not q.known.ids:
        return "no known actives given"
    values = q.known.values[~np.isnan(q.known.values)]
    spread = (
        f", values pX {values.min():.1f} to {values.max():.1f}, median {np.median(values):.1f}" if len(values) else ""
    )
    return f"{len(q.known.ids):,} distinct molecules{spread}; used to show novelty and where they rank, not to fit the score"


def _as_written(opened: Library | list[str], q: Question) -> str:
    """What recipe none means for molecules that are looked for in the library."""
    if (
        not isinstance(opened, Library)
        or opened.recipe["name"] != "none"
        or not (q.known.ids or q.rules.excluded is not None)
    ):
        return ""
    checked = [version.get("written_alike", {}) for version in opened.manifest["versions"]]
    alike, asked = (sum(each.get(name, 0) for each in checked) for name in ("alike", "asked"))
    return (
        f"; the library keeps its vendor's writing (recipe none), so known and excluded molecules are found in it only where "
        f"RDKit writes them alike: {alike:,} of {asked:,} rows that were compared"
    )


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def write_template(file: Path, name: str, target: str, library: str, force: bool = False) -> Path:
    """A commented target file to start from. Raises OutputError if it exists (without ``force``) or cannot be written."""
    if os.path.lexists(file) and not force:
        raise OutputError(f"{file}: exists already; choose another name, or replace it with --force")
    if os.path.lexists(file) and file.suffix not in (".yaml", ".yml"):
        raise OutputError(f"{file}: is no target file (.yaml), so --force does not replace it; choose another name")
    try:
        file.write_text(template(name, target, library), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{file}: cannot be written ({error.strerror}); choose another place") from error
    return file
