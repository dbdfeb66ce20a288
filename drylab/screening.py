"""The verb: fold a library with a model for a target, and finish the k best into hits."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drylab import record
from drylab.build import BuildOptions, build_library, source_chunks, write_library
from drylab.config import Target, target_from
from drylab.errors import ConfigError, ModelError
from drylab.execute import Executor, by_name, fold, serial
from drylab.featurize import featurize
from drylab.finish import finish
from drylab.library.sources import Columns
from drylab.library.store import Library, is_library, open_library, read_shard, write_rejected
from drylab.question import Question, ask
from drylab.reduce import Histogram, Ranks, Screened, Tally, TopK
from drylab.report import write
from drylab.report.folder import check_free, new_folder
from drylab.score import panel
from drylab.score.engine import GineEncoder
from drylab.types import Hits, Rejected, Shard, SmilesBatch

RUN_MARKS = ("run.json",)


@dataclass(frozen=True, slots=True)
class Progress:
    """Told as work goes on: ``stage(name, rows)`` as a stage starts (None: not known), ``rows(n)`` as n more are done."""

    stage: Callable[[str, int | None], None]
    rows: Callable[[int], None]


SILENT = Progress(stage=lambda name, total: None, rows=lambda n: None)


@dataclass(frozen=True, slots=True)
class ScreenShard:
    """The task of a worker: a shard in, a small answer out."""

    question: Question

    def __call__(self, shard: Shard) -> Screened:
        q = self.question
        state = Screened(TopK.empty(q.top_k), Tally(), Histogram(), Ranks.empty(q.known_scores, q.known.keys))
        first = shard.first
        for batch in read_shard(shard, q.batch_size):
            state = add_batch(state, q, batch, first)
            first += len(batch)
        return state


def add_batch(state: Screened, q: Question, batch: SmilesBatch, first: int) -> Screened:
    """The fold's step: the answer so far and a batch whose first row is library row ``first`` -> the answer."""
    featurized = featurize(batch, q.rules)
    values = panel.values(q.model.probes, GineEncoder(q.model.encoder)(featurized.graphs).z)
    passing, broken = _limited(q, values)
    scores, rows = values[passing, q.probe], featurized.rows[passing]
    if not np.isfinite(scores).all():
        raise ModelError(
            f"{q.model.path}: a score in library rows {first} to {first + len(batch)} is not finite; the weights are damaged"
        )
    rejected = tuple(
        Rejected(
            "library", first + i, batch.ids[i].as_py(), batch.slice(i, i + 1).strings()[0][:200], *reason.split(": ", 1)
        )
        for i, reason in featurized.rejected
    )
    tally = Tally(
        read=len(batch),
        scored=len(scores),
        rejected=Counter(reason for _, reason in featurized.rejected),
        filtered=Counter(featurized.filtered) + broken,
        rows=rejected,
    )
    return Screened(
        state.top.merge(_best(q.top_k, state.top.threshold(), batch, rows, scores, first)),
        state.tally.merge(tally),
        state.histogram.add(scores),
        state.ranks.saw(batch.keys).add(scores, batch.keys[rows]),
    )


def _limited(q: Question, values: NDArray[np.float64]) -> tuple[NDArray[np.bool_], Counter[str]]:
    """(m,) bool that pass all limits, and how many each limit took out (the first that does counts)."""
    passing = np.ones(len(values), bool)
    taken: Counter[str] = Counter()
    for limit in q.limits:
        broken = passing & limit.broken(values)
        taken[limit.name] += int(broken.sum())
        passing &= ~broken
    return passing, +taken


def _best(
    k: int, threshold: float, batch: SmilesBatch, rows: NDArray[np.int64], scores: NDArray[np.float64], first: int
) -> TopK:
    """The rows of a batch that can enter; text is made for these alone."""
    near = np.flatnonzero(scores >= threshold)
    chosen = rows[near]
    ids = np.array([batch.ids[int(i)].as_py() for i in chosen], dtype=object)
    smiles = np.array([batch.slice(int(i), int(i) + 1).strings()[0] for i in chosen], dtype=object)
    return TopK(k, scores[near], batch.keys[chosen], first + chosen, ids, smiles)


def screen(
    target: Target | Mapping[str, Any] | str | Path,
    library: str | Path | Library | Sequence[str] | None = None,
    *,
    executor: Executor | str = "serial",
    batch_size: int | None = None,
    progress: Progress = SILENT,
) -> Hits:
    """Rank a library for a target: the whole way from SMILES to explained hits, nothing left on disk.

    target    a target.yaml, the same as a dict, or just the name of a panel target, e.g. "EGFR"
    library   a library folder, molecule files (.smi, .csv, .tsv, .parquet or a glob), or a list of SMILES; default: what
              target.yaml names
    executor  "serial", "processes", "dask", or one made by ``drylab.execute``; the hits are the same with each

    Raises DrylabError (ConfigError, LibraryError, ModelError, InputError) with one line that says what to do.
    """
    checked = target_from(target)
    chosen = by_name(executor) if isinstance(executor, str) else executor
    if isinstance(library, Library):
        return _screen(checked, library, chosen, batch_size, progress)
    listed = None if library is None or isinstance(library, str | Path) else list(library)
    where = "SMILES in memory" if listed is not None else library_path(checked, library)  # type: ignore[arg-type]
    if listed is None and is_library(where):
        return _screen(checked, open_library(where), chosen, batch_size, progress)
    with TemporaryDirectory(prefix="drylab-") as folder:
        opened = _build(checked, where if listed is None else listed, Path(folder) / "library", chosen, progress)
        return _moved(_screen(checked, opened, chosen, batch_size, progress), where)


def _screen(target: Target, library: Library, executor: Executor, batch_size: int | None, progress: Progress) -> Hits:
    started, clock = datetime.now(UTC), time.perf_counter()
    question = ask(target, batch_size)
    progress.stage("screening", library.rows)
    shards = library.shards()
    answer = fold(executor, ScreenShard(question), shards, Screened.merge, lambda i, _: progress.rows(shards[i].rows))
    assert answer is not None, "a library that opens has a shard"
    answer.tally.check(library.rows)
    screened = time.perf_counter()
    progress.stage("describing hits", len(answer.top))
    done = finish(question, target, answer.top, executor, progress.rows)
    seconds = {"screen": screened - clock, "finish": time.perf_counter() - screened}
    return Hits(
        table=done.table,
        run=record.run_record(target, question, library, answer, record.How(executor, started, seconds)),
        pictures=done.pictures,
        rejected=answer.tally.rows,
    )


def library_path(target: Target, library: str | Path | None) -> str:
    """The library given with the call, or else the target file's. Raises ConfigError where there is neither."""
    if library is not None:
        return str(library)
    if target.screen.library is None:
        raise ConfigError(
            f"{target.where(('screen',))}: no library is named; add screen.library to the target file, or give one with the call"
        )
    return target.resolve(target.screen.library)


def screen_to(
    target: Target | Mapping[str, Any] | str | Path,
    out: str | Path,
    library: str | Path | None = None,
    *,
    executor: Executor | None = None,
    batch_size: int | None = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> tuple[Hits, dict[str, Path]]:
    """Screen and write a run folder: report.html, hits.csv, hits.parquet, hits.sdf, run.json, rejected.parquet.

    A library given as vendor files (.smi, .csv, .tsv, .parquet or a glob) is built first, into the run folder. The
    folder appears whole at the end, or not at all. Raises what ``screen`` does, and OutputError for the folder.
    """
    checked, folder = target_from(target), Path(out)
    check_free(folder, force, RUN_MARKS)
    where, chosen = library_path(checked, library), executor or serial()
    with new_folder(folder, force, RUN_MARKS) as partial:
        if is_library(where):
            hits = _screen(checked, open_library(where), chosen, batch_size, progress)
        else:
            opened = _build(checked, where, partial / "library", chosen, progress)
            hits = _moved(_screen(checked, opened, chosen, batch_size, progress), str(folder / "library"))
        written = write(hits, partial)
        if hits.rejected:
            written["rejected.parquet"] = write_rejected(partial / "rejected.parquet", hits.rejected)
    return hits, {name: folder / path.relative_to(partial) for name, path in written.items()}


def _moved(hits: Hits, path: str) -> Hits:
    """Recorded by the place the library came from or goes to, not by the one it was screened in."""
    return replace(hits, run={**hits.run, "library": {**hits.run["library"], "path": path, "name": Path(path).name}})


def _build(target: Target, source: str | list[str], out: Path, executor: Executor, progress: Progress) -> Library:
    progress.stage("building the library", None)
    if isinstance(source, list):
        rows = source_chunks("SMILES in memory", ((f"molecule {i}", text) for i, text in enumerate(source, 1)))
        write_library(out, "the list of SMILES", rows, BuildOptions(), executor, progress.rows)
        return open_library(out)
    if Path(source).is_dir():
        open_library(source)  # says that the folder is not a library, and what to do
    columns = Columns(target.screen.columns.smiles or "", target.screen.columns.id or "")
    return build_library(source, out, options=BuildOptions(columns=columns), executor=executor, progress=progress.rows)
