"""The verb before the verb: what a screen of this target file would do, without doing it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from drylab.config import Target, target_from, template
from drylab.errors import OutputError
from drylab.library import places
from drylab.library.pruning import plan
from drylab.library.sources import blocks, open_source
from drylab.library.store import Library
from drylab.opening import columns_of, library_path, locate
from drylab.question import Question, ask
from drylab.score import extended
from drylab.score.cascade import Claim


@dataclass(frozen=True, slots=True)
class Check:
    """What a screen would do, as (heading, text) lines."""

    lines: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return "\n".join(f"{heading:<12} {text}" for heading, text in self.lines)


def check(target: Target | Mapping[str, Any] | str | Path, library: str | Path | None = None) -> Check:
    """Read a target file as ``screen`` would, and say what a screen would do; ``drylab.plan`` says what it takes.

    Raises what ``screen`` raises, but for rows of vendor files past the first of each.
    """
    checked = target_from(target)
    where, opened = library_path(checked, library), locate(checked, library)
    question = ask(checked)
    probe = question.model.probes.probes[question.probe]
    tier = extended.tier(question.model, question.probe)
    lines = []
    if isinstance(opened, Library):
        rows = sum(shard.rows for shard in plan(opened, question.rules.ranges).read)
        recipe = opened.recipe["name"]
        lines.append(("library", f"{opened.shown}: {opened.rows:,} molecules, recipe {recipe}{_skipped(opened, rows)}"))
    else:
        for name in opened:
            # A file that is empty or lacks a column says so here.
            next(blocks(open_source(name, 0, columns_of(checked)), 1 << 16))
        size = sum(places.info(name).size for name in opened) / 1e6
        lines.append(("library", f"{where}: {len(opened)} file(s), {size:,.1f} MB, to be built into a library first"))
    if question.claim is not None:
        lines.append(("cascade", _claimed(question.claim)))
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
            ("time", "`drylab plan` says what it takes"),
        )
    )


def _claimed(claim: Claim) -> str:
    return (
        f"both stages score {100 * claim.sample:.3g} % of the library first, to certify {100 * claim.recall:.4g} % of the best "
        f"{claim.k:,} with {100 * claim.confidence:.4g} % confidence; the time of `drylab plan` is that of mode: exact"
    )


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
