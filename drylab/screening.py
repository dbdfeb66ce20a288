"""The verb: fold a library with a model for a target, and finish the k best into hits."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drylab import record
from drylab.config import Target, target_from
from drylab.errors import ModelError
from drylab.execute import Executor, by_name, fold, serial
from drylab.featurize import featurize
from drylab.finish import finish
from drylab.library.store import Library, read_rejected, read_shard, write_rejected
from drylab.opening import IN_MEMORY, build_files, build_rows, in_memory, library_path, locate
from drylab.question import Question, ask
from drylab.reduce import REJECTED_KEPT, Histogram, Ranks, Screened, Tally, TopK
from drylab.report import write
from drylab.report.folder import check_apart, check_free, new_folder
from drylab.score import panel
from drylab.score.engine import GineEncoder
from drylab.types import Hits, Rejected, Shard, SmilesBatch

RUN_MARKS = ("run.json",)
Build = Callable[[Path, Executor, Callable[[int], None]], Library]


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
    if not np.isfinite(values).all():
        raise ModelError(
            f"{q.model.path}: a prediction for library rows {first} to {first + len(batch)} is not finite; "
            "the weights are damaged"
        )
    passing, broken = _limited(q, values)
    scores, rows = values[passing, q.probe], featurized.rows[passing]
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
        declined=featurized.declined,
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
    library: str | Path | Library | Sequence[str] | Mapping[Any, str] | None = None,
    *,
    executor: Executor | str | None = None,
    batch_size: int | None = None,
    progress: Progress = SILENT,
) -> Hits:
    """Rank a library for a target: the whole way from SMILES to explained hits, nothing left on disk.

    target    a target.yaml, the same as a dict, or just the name of a panel target, e.g. "EGFR"
    library   a library folder, molecule files (.smi, .csv, .tsv, .parquet or a glob), a list or array of SMILES, or a
              pandas Series or dict of them, whose index or keys are the ids; default: what target.yaml names
    executor  "serial" (the default), "processes", "dask", or one made by ``drylab.execute``; the hits are the same

    Raises DrylabError (ConfigError, LibraryError, ModelError, InputError) with one line that says what to do.
    """
    checked = target_from(target)
    chosen = executor if isinstance(executor, Executor) else by_name(executor or "serial")
    how = How(chosen, batch_size, progress)
    if isinstance(library, Library):
        return _screen(checked, library, how)
    if library is None or isinstance(library, str | Path):
        found = locate(checked, library)
        if isinstance(found, Library):
            return _screen(checked, found, how)
        where, build = library_path(checked, library), partial(build_files, checked, found)
    else:
        where, build = IN_MEMORY, partial(build_rows, in_memory(library))
    with TemporaryDirectory(prefix="drylab-") as folder:
        return _build_and_screen(checked, build, Path(folder) / "library", where, how)


@dataclass(frozen=True, slots=True)
class How:
    """How a screen is run: none of it changes an answer."""

    executor: Executor
    batch_size: int | None
    progress: Progress


def _screen(target: Target, library: Library, how: How) -> Hits:
    started, clock = datetime.now(UTC), time.perf_counter()
    question, files = ask(target, how.batch_size), record.files_read(target)
    how.progress.stage("screening", library.rows)
    shards = library.shards()
    answer = fold(
        how.executor, ScreenShard(question), shards, Screened.merge, lambda i, _: how.progress.rows(shards[i].rows)
    )
    assert answer is not None, "a library that opens has a shard"
    answer.tally.check(library.rows)
    screened = time.perf_counter()
    how.progress.stage("describing hits", len(answer.top))
    done = finish(question, target, answer.top, how.executor, how.progress.rows)
    seconds = {"screen": screened - clock, "finish": time.perf_counter() - screened}
    return Hits(
        table=done.table,
        run=record.run_record(
            target, question, library, answer, record.Performed(how.executor, files, started, seconds)
        ),
        pictures=done.pictures,
        rejected=answer.tally.rows,
    )


def _build_and_screen(target: Target, build: Build, out: Path, path: str, how: How) -> Hits:
    """Hits recorded with ``path``, the place that the library came from or goes to, and with the rows it rejected."""
    how.progress.stage("building the library", None)
    library = build(out, how.executor, how.progress.rows)
    hits = _screen(target, library, how)
    rejected = (*read_rejected(library), *hits.rejected)[:REJECTED_KEPT]
    named = {**hits.run["library"], "path": path, "name": Path(path).name}
    return replace(hits, run={**hits.run, "library": named}, rejected=rejected)


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
    found, how = locate(checked, library), How(executor or serial(), batch_size, progress)
    check_apart(folder, [*checked.files().values(), *([found.path] if isinstance(found, Library) else found)])
    with new_folder(folder, force, RUN_MARKS) as part:
        if isinstance(found, Library):
            hits = _screen(checked, found, how)
        else:
            build = partial(build_files, checked, found)
            hits = _build_and_screen(checked, build, part / "library", str(folder / "library"), how)
        written = write_run(hits, part)
    return hits, {name: folder / path.relative_to(part) for name, path in written.items()}


def write_run(hits: Hits, folder: Path) -> dict[str, Path]:
    """All files of a run into a folder: paths by name."""
    written = write(hits, folder)
    if hits.rejected:
        written["rejected.parquet"] = write_rejected(folder / "rejected.parquet", hits.rejected)
    return written
