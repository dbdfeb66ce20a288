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
from drylab.errors import ConfigError, LibraryError, ModelError
from drylab.execute import Executor, by_name, fold, serial
from drylab.featurize import descriptors, featurize
from drylab.featurize.reference import RDKIT_NAMES
from drylab.featurize.rules import range_name
from drylab.finish import finish
from drylab.library import places, pruning
from drylab.library.layout import SORTED_BY
from drylab.library.reading import read_keys, read_shard
from drylab.library.store import Library, read_rejected, write_rejected
from drylab.opening import IN_MEMORY, build_files, build_rows, in_memory, library_path, locate
from drylab.progress import SILENT, Progress
from drylab.question import Question, ask
from drylab.reduce import REJECTED_KEPT, Ranks, Screened, Tally, TopK
from drylab.report import write
from drylab.report.folder import check_apart, check_free, new_folder
from drylab.score import panel
from drylab.score.engine import GineEncoder
from drylab.types import Hits, Rejected, Shard, SmilesBatch

RUN_MARKS = ("run.json",)
Build = Callable[[Path, Executor, Progress], Library]


@dataclass(frozen=True, slots=True)
class Look:
    """A shard whose rows are all filtered: known actives are looked for among its keys, and no more is read."""

    shard: Shard


@dataclass(frozen=True, slots=True)
class ScreenShard:
    """The task of a worker: a shard in, a small answer out."""

    question: Question

    def __call__(self, item: Shard | Look) -> Screened:
        q = self.question
        state = empty_answer(q)
        if isinstance(item, Look):
            for keys in read_keys(item.shard):
                state = replace(state, ranks=state.ranks.saw(keys))
            return state
        first = item.first
        for batch in read_shard(item, q.batch_size):
            state = add_batch(state, q, batch, first)
            first += len(batch)
        return state


def empty_answer(q: Question) -> Screened:
    """The answer before any row was read."""
    return Screened.empty(q.top_k, Ranks.empty(q.known_scores, q.known.keys))


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
    since: int | None = None,
    progress: Progress = SILENT,
) -> Hits:
    """Rank a library for a target: the whole way from SMILES to explained hits, nothing left on disk.

    target    a target.yaml, the same as a dict, or just the name of a panel target, e.g. "EGFR"
    library   a library folder or address, molecule files (.smi, .csv, .sdf, .parquet, ... or a glob), a list or array of
              SMILES, or a pandas Series or dict of them, whose index or keys are the ids; default: what target.yaml names
    executor  "serial" (the default), "processes", "dask", or one made by ``drylab.execute``; the hits are the same
    since     only what was added to the library after this version of it

    Raises DrylabError (ConfigError, LibraryError, ModelError, InputError) with one line that says what to do.
    """
    checked = target_from(target)
    chosen = executor if isinstance(executor, Executor) else by_name(executor or "serial")
    how = How(chosen, batch_size, progress, since)
    if isinstance(library, Library):
        return _screen(checked, library, how)
    if library is None or isinstance(library, str | Path):
        found = locate(checked, library)
        if isinstance(found, Library):
            return _screen(checked, found, how)
        where, build = library_path(checked, library), partial(build_files, checked, found)
    else:
        where, build = IN_MEMORY, partial(build_rows, in_memory(library))
    _check_all_new(where, how)
    with TemporaryDirectory(prefix="drylab-") as folder:
        return _build_and_screen(checked, build, Path(folder) / "library", where, how)


@dataclass(frozen=True, slots=True)
class How:
    """How a screen is run. None of it changes an answer but ``since``: only versions of the library after that one."""

    executor: Executor
    batch_size: int | None
    progress: Progress
    since: int | None = None


def _check_all_new(where: str, how: How) -> None:
    if how.since is not None:
        raise ConfigError(f"{where}: is not a library, so it has no version {how.since}; leave out since, or build one")


def _screen(target: Target, library: Library, how: How) -> Hits:
    started, clock = datetime.now(UTC), time.perf_counter()
    rows = _rows_since(library, how.since)
    question, files = ask(target, how.batch_size), record.files_read(target)
    plan = pruning.plan(library, question.rules.ranges, how.since or 0, marks=_marks(question))
    answer = _fold(question, plan, how)
    answer.tally.check(rows)
    screened = time.perf_counter()
    how.progress.stage("describing hits", len(answer.top))
    done = finish(question, target, answer.top, how.executor, how.progress.rows)
    seconds = {"screen": screened - clock, "finish": time.perf_counter() - screened}
    performed = record.Performed(how.executor, files, how.since, plan.account(), started, seconds)
    return Hits(
        table=done.table,
        run=record.run_record(target, question, library, answer, performed),
        pictures=done.pictures,
        rejected=answer.tally.rows,
    )


def _rows_since(library: Library, since: int | None) -> int:
    """Molecules to be screened; raises LibraryError where there are none."""
    if since is None:
        return library.rows
    if isinstance(since, bool) or not isinstance(since, int):
        raise ConfigError(f"since is {since!r}, expected the number of a version of {library.shown}; correct it")
    rows = library.rows_since(since)
    if not rows:
        what = (
            f"has no version after {since}" if since == library.version else f"has no molecules after version {since}"
        )
        raise LibraryError(f"{library.shown}: {what}, so there is nothing new to screen; add to it, or leave out since")
    return rows


def _marks(q: Question) -> dict[str, NDArray[np.float64]]:
    """Where the known actives stand in a library, by what it is sorted by; NaN for one that RDKit cannot read."""
    if not q.known.ids or not q.rules.ranges:
        return {}
    table = descriptors(list(q.known.smiles))
    return {name: table.column(RDKIT_NAMES[name]).to_numpy() for name in SORTED_BY}


def _fold(q: Question, plan: pruning.Plan, how: How) -> Screened:
    """The answer over all that is read, and the account of what is not."""
    items: list[Shard | Look] = [*plan.read, *map(Look, plan.look)]
    how.progress.stage("screening", sum(shard.rows for shard in plan.read))

    def done(number: int, _: Screened) -> None:
        if number < len(plan.read):
            how.progress.rows(plan.read[number].rows)

    filtered = {range_name(*q.rules.ranges[number]): rows for number, rows in plan.skipped.items()}
    unread = replace(empty_answer(q), tally=Tally(read=sum(filtered.values()), filtered=filtered))
    answer = fold(how.executor, ScreenShard(q), items, Screened.merge, done) if items else None
    return unread if answer is None else answer.merge(unread)


def _build_and_screen(target: Target, build: Build, out: Path, path: str, how: How) -> Hits:
    """Hits recorded with ``path``, the place that the library came from or goes to, and with the rows it rejected."""
    how.progress.stage("building the library", None)
    library = build(out, how.executor, how.progress)
    hits = _screen(target, library, how)
    rejected = (*read_rejected(library, REJECTED_KEPT), *hits.rejected)[:REJECTED_KEPT]
    named = {**hits.run["library"], "path": path, "name": Path(path).name}
    return replace(hits, run={**hits.run, "library": named}, rejected=rejected)


def screen_to(
    target: Target | Mapping[str, Any] | str | Path,
    out: str | Path,
    library: str | Path | None = None,
    *,
    executor: Executor | None = None,
    batch_size: int | None = None,
    since: int | None = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> tuple[Hits, dict[str, Path]]:
    """Screen and write a run folder: report.html, hits.csv, hits.parquet, hits.sdf, run.json, rejected.parquet.

    A library given as vendor files is built first, into the run folder, which appears whole at the end, or not at all.
    Raises what ``screen`` does, and OutputError for the folder.
    """
    checked, folder = target_from(target), Path(out)
    check_free(folder, force, RUN_MARKS)
    found, how = locate(checked, library), How(executor or serial(), batch_size, progress, since)
    read = [found.path] if isinstance(found, Library) else found
    if not isinstance(found, Library):
        _check_all_new(library_path(checked, library), how)
    check_apart(folder, [*checked.files().values(), *(place for place in read if not places.is_address(place))])
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
