"""The verb: fold a library with a model for one target or many, and finish the best of each into hits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drylab import record
from drylab.asking import Asked, ask_together
from drylab.cascading import staged
from drylab.certifying import certified
from drylab.config import Target, target_from
from drylab.errors import ConfigError, LibraryError
from drylab.execute import Executor, by_name, serial
from drylab.featurize import descriptors
from drylab.featurize.reference import RDKIT_NAMES
from drylab.finish import finish
from drylab.library import places, pruning
from drylab.library.layout import SORTED_BY
from drylab.library.store import Library, write_rejected
from drylab.measuring import measured
from drylab.opening import Opened, Source, located, opened
from drylab.progress import SILENT, Progress
from drylab.reduce import REJECTED_KEPT
from drylab.report import write
from drylab.report.folder import check_apart, check_free, new_folder
from drylab.types import Hits

RUN_MARKS = ("run.json",)
GROUPS, SHARES = 8, 8  # row groups of a task at most (half a second of a core), and tasks a worker at least
CLUSTER = 64  # workers that a cluster is taken to have, where it does not say
Asking = Target | Mapping[str, Any] | str | Path


@dataclass(frozen=True, slots=True)
class How:
    """How a screen is run. None of it changes an answer but ``since``: only versions of the library after that one.

    widen  the fold's error bounds, times what the model says
    """

    executor: Executor
    batch_size: int | None
    progress: Progress
    since: int | None = None
    widen: float = 1.0


def screen(
    target: Asking,
    library: Source = None,
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
    return screen_many([target], library, executor=executor, batch_size=batch_size, since=since, progress=progress)[0]


def screen_many(
    targets: Sequence[Asking],
    library: Source = None,
    *,
    executor: Executor | str | None = None,
    batch_size: int | None = None,
    since: int | None = None,
    progress: Progress = SILENT,
) -> list[Hits]:
    """Rank a library for many targets at once: molecules are read, parsed and encoded once, and probed for each.

    Each answer is that of ``screen`` with that target alone. The targets share one model, and one library: the one given,
    or the one that all of them name. The other arguments are those of ``screen``, which says what is raised.
    """
    checked = _targets(targets)
    chosen = executor if isinstance(executor, Executor) else by_name(executor or "serial")
    how = How(chosen, batch_size, progress, since)
    with opened(checked, library, how.since, how.executor, how.progress) as source:
        return list(_screened(checked, source, how))


def screen_to(
    target: Asking,
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
    checked, folder = _targets([target]), Path(out)
    check_free(folder, force, RUN_MARKS)
    how = How(executor or serial(), batch_size, progress, since)
    found = _apart([folder], checked, library)
    with new_folder(folder, force, RUN_MARKS) as part:
        kept = part / "library", folder / "library"
        with opened(checked, found, how.since, how.executor, how.progress, kept) as source:
            hits = next(_screened(checked, source, how))
        written = write_run(hits, part)
    return hits, {name: folder / path.relative_to(part) for name, path in written.items()}


def screen_many_to(
    targets: Sequence[Asking],
    out: str | Path,
    library: str | Path | None = None,
    *,
    executor: Executor | None = None,
    batch_size: int | None = None,
    since: int | None = None,
    force: bool = False,
    progress: Progress = SILENT,
    done: Callable[[Hits, dict[str, Path]], None] = lambda hits, files: None,
) -> dict[str, dict[str, Path]]:
    """Screen for many targets at once, and write a run folder for each: ``out``/NAME, its files as of ``screen_to``.

    done  is told of each target's hits and files as they are written; the hits are not held after that
    Gives the files by target. Raises what ``screen_many`` does, and OutputError for a folder. Vendor files are built
    into a library that is not kept.
    """
    checked = _targets(targets)
    folders = [Path(out) / target.name for target in checked]
    for folder in folders:
        check_free(folder, force, RUN_MARKS)
    found, how = _apart(folders, checked, library), How(executor or serial(), batch_size, progress, since)
    files = {}
    with opened(checked, found, how.since, how.executor, how.progress) as source:
        for target, folder, hits in zip(checked, folders, _screened(checked, source, how), strict=True):
            with new_folder(folder, force, RUN_MARKS) as part:
                written = write_run(hits, part)
            files[target.name] = {name: folder / path.relative_to(part) for name, path in written.items()}
            done(hits, files[target.name])
    return files


def _apart(folders: Sequence[Path], targets: Sequence[Target], library: str | Path | None) -> Source:
    """The library, once it is sure that nothing which is read lies in a folder that is replaced."""
    found = located(targets, library)
    read = [found.path] if isinstance(found, Library) else found
    files = [file for target in targets for file in target.files().values()]
    for folder in folders:
        check_apart(folder, [*files, *(place for place in read if not places.is_address(place))])
    return found if isinstance(found, Library) else library


def write_run(hits: Hits, folder: Path) -> dict[str, Path]:
    """All files of a run into a folder: paths by name."""
    written = write(hits, folder)
    if hits.rejected:
        written["rejected.parquet"] = write_rejected(folder / "rejected.parquet", hits.rejected)
    return written


def _targets(targets: Sequence[Asking]) -> list[Target]:
    """The targets, checked, each with a name of its own."""
    checked = [target_from(target) for target in targets]
    if not checked:
        raise ConfigError("no target is given; give one target file or more")
    places_of: dict[str, str] = {}
    for target in checked:
        place = target.where(("name",))
        if target.name.lower() in places_of:
            raise ConfigError(
                f"{place}: is named {target.name!r}, as is {places_of[target.name.lower()]}; targets that are screened "
                "together need names of their own: change one"
            )
        places_of[target.name.lower()] = place
    return checked


def _screened(targets: Sequence[Target], source: Opened, how: How) -> Iterator[Hits]:
    """The hits of each target, one after the other: those of many together would be held in memory for nothing."""
    library, started, clock = source.library, datetime.now(UTC), time.perf_counter()
    rows, counted = _rows_since(library, how.since), not places.is_address(library.path)
    with measured(how.executor) as meter:
        asked, files = ask_together(targets, how.batch_size), [record.files_read(target) for target in targets]
        plans = _plans(asked, library, how)
        asked, cascades = staged(asked, plans, meter.executor, how.progress, how.widen)
        found = certified(asked, plans, meter.executor, how.progress, how.widen)
        used = meter.spent(sum(shard.rows for shard in plans[0].read), counted)
    screened = time.perf_counter() - clock
    for j, (target, answer) in enumerate(zip(targets, found, strict=True)):
        answer.tally.check(rows)
        clock = time.perf_counter()
        how.progress.stage("describing hits" + (f" for {target.name}" if len(targets) > 1 else ""), len(answer.top))
        with measured(how.executor) as meter:
            done = finish(asked.questions[j], target, answer.top, meter.executor, how.progress.rows)
            both = used.then(meter.spent(0, counted))
        seconds = {"screen": screened, "finish": time.perf_counter() - clock}
        performed = record.Performed(how.executor, files[j], how.since, plans[j].account(), started, seconds, both)
        run = record.run_record(target, asked.questions[j], library, answer, performed)
        rejected = (*source.rejected, *answer.tally.rows)[:REJECTED_KEPT]
        run = {**run, "library": {**run["library"], **source.named}}
        if (cascade := cascades[j]) is not None:
            run |= cascade.entries(asked.questions[j], answer.tally, run)
        yield Hits(table=done.table, run=run, pictures=done.pictures, rejected=rejected)


def _plans(asked: Asked, library: Library, how: How) -> list[pruning.Plan]:
    """What is read for each question: the same shards for all, of as many row groups as leave work for every worker."""
    whole = sum(len(entry["groups"]) for entry in library.entries(how.since or 0))
    groups = max(1, min(GROUPS, whole // (SHARES * (how.executor.workers or CLUSTER))))
    ranges = [q.rules.ranges for q in asked.questions]
    return pruning.plans(library, ranges, how.since or 0, groups, _marks(asked))


def _marks(asked: Asked) -> dict[str, NDArray[np.float64]]:
    """Where the known actives stand in a library, by what it is sorted by; NaN for one that RDKit cannot read."""
    smiles = list(dict.fromkeys(text for q in asked.questions for text in q.known.smiles))
    if not smiles or not all(q.rules.ranges for q in asked.questions):
        return {}  # where a question has no ranges, all is read
    table = descriptors(smiles)
    return {name: table.column(RDKIT_NAMES[name]).to_numpy() for name in SORTED_BY}


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
