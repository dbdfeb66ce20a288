"""From vendor files to a library: read, standardise, keep each molecule once, write sorted shards, account for every row."""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drylab.assembling import assemble
from drylab.errors import AccountingError, DeviceError, InputError, LibraryError, OutputError
from drylab.execute import Executor, dask, processes, serial
from drylab.intake import Job, Reading, read_sources
from drylab.library import layout, places
from drylab.library.rows import Columns
from drylab.library.sources import expand, memory_blocks, memory_source, open_source
from drylab.library.staging import Staging, discard, scratch_of, staged
from drylab.library.standardize import recipe as recipe_of
from drylab.library.store import Library, is_library, open_library
from drylab.progress import SILENT, Progress
from drylab.publishing import publish
from drylab.report.folder import check_apart, check_free
from drylab.resuming import beside, finished, sweep, what

MARKS = (layout.DUPLICATES_FILE,)
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EACCES, errno.EPERM)
# Bytes that processes take at most, measured by bench/bench_library.py: the parent, and each worker.
PARENT_BYTES, WORKER_BYTES = 350 << 20, 550 << 20


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """How a library is made.

    recipe        "standard", "none" or "tautomer"; None: "standard", or that of the library which is added to
    columns       which columns hold the SMILES and the ids
    max_rejected  the share of rejected rows above which a build fails
    limit         only the first so many rows of the sources
    memory        bytes that all processes of this machine may take together: fewer workers if need be
    scratch       a folder for what lies on the disk meanwhile, some 150 bytes a row; default: beside the library
    """

    recipe: str | None = None
    columns: Columns = field(default_factory=Columns)
    max_rejected: float = 0.05
    limit: int | None = None
    memory: int | None = None
    scratch: str = ""

    def __post_init__(self) -> None:
        share, whole = self.max_rejected, (self.limit, self.memory)
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
            raise InputError(f"max_rejected is {share!r}, expected a share from 0 to 1: 0.05 is 5 %")
        for name, value in zip(("limit", "memory"), whole, strict=True):
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                unit = "rows" if name == "limit" else "bytes: 4 * 10**9 is 4 GB"
                raise InputError(f"{name} is {value!r}, expected None or a whole number of {unit}")
        if not isinstance(self.columns, Columns):
            raise InputError(f"columns is {self.columns!r:.80}, expected drylab.Columns(smiles=..., id=...)")


def build_library(
    sources: str | Path | Sequence[str | Path],
    out: str | Path,
    *,
    options: BuildOptions | None = None,
    executor: Executor | None = None,
    force: bool = False,
    resume: bool = False,
    add: bool = False,
    progress: Progress = SILENT,
) -> Library:
    """Build a library from vendor files, paths or addresses (.smi, .cxsmiles, .csv, .tsv, .sdf, .parquet; .gz, .bz2, .zst).

    Rows of the same molecule (after the recipe) are kept once; the others stand in duplicates.parquet. Rows that cannot
    be used stand in rejected.parquet. A build that was stopped leaves nothing but a scratch folder, and goes on from
    there with ``resume``; ``add`` brings what is new in the sources into a library as a new version, and leaves its
    files as they are. Raises InputError for a missing, empty or damaged file, a column that is not there, or more
    rejected rows than ``options.max_rejected``; OutputError for an output folder that cannot be used; LibraryError where
    there is no library to add to.
    """
    options, executor = options or BuildOptions(), executor or serial()
    given = [str(source) for source in ([sources] if isinstance(sources, str | Path) else sources)]
    sweep(str(out), options.scratch)
    base = open_library(str(out)) if add else None
    opened = tuple(open_source(path, n, options.columns) for n, path in enumerate(expand(given)))
    job = Job(opened, recipe_for(options, base), options.limit, within(executor, options.memory), progress, base)
    if resume and finished(str(out), job, options.scratch):
        return open_library(str(out))
    _build(job, str(out), options, _Start(resume, force))
    return open_library(str(out))


def write_library(
    folder: Path,
    name: str,
    rows: Iterable[tuple[str, str]],
    options: BuildOptions,
    executor: Executor,
    progress: Progress = SILENT,
) -> Library:
    """The same from (id, SMILES) in memory, which come from a source called ``name``."""
    source = memory_source(name, 0)
    job = Job((source,), recipe_for(options, None), None, executor, progress, given=memory_blocks(source, rows))
    sweep(str(folder), options.scratch)
    _build(job, str(folder), options, _Start(anew=True))
    return open_library(str(folder))


def build_totals(library: Library) -> dict[str, Any]:
    """read = kept + duplicates + rejected over all sources of a library, with reasons."""
    rejected: Counter[str] = Counter()
    for entry in library.sources():
        rejected.update(entry["rejected"])
    totals = {key: sum(entry[key] for entry in library.sources()) for key in ("read", "kept", "duplicates")}
    return {**totals, "rejected": dict(rejected)}


def within(executor: Executor, memory: int | None) -> Executor:
    """The executor, or one of fewer workers, so that all processes of this machine together take ``memory`` bytes at most.

    Raises InputError for less than one worker needs. A cluster that is there already looks after its own memory.
    """
    if memory is None or executor.workers is None:
        return executor
    workers = (memory - PARENT_BYTES) // WORKER_BYTES
    if workers < 1:
        least = -(-(PARENT_BYTES + WORKER_BYTES) // 10**8) / 10
        raise InputError(f"{memory / 1e9:g} GB of memory are too little to build a library; give {least:g} GB or more")
    smaller = {"processes": processes, "dask": dask}
    if executor.workers <= workers or executor.kind not in smaller:
        return executor
    return smaller[executor.kind](workers)


@dataclass(frozen=True, slots=True)
class _Start:
    """Whether a build goes on from an unfinished one, may replace what is there, and throws an unfinished one away."""

    resume: bool = False
    force: bool = False
    anew: bool = False


def recipe_for(options: BuildOptions, base: Library | None) -> Mapping[str, str]:
    """The recipe asked for; the base's own where something is added, since one library has one recipe."""
    recipe = recipe_of(options.recipe or (base.recipe["name"] if base else "standard"))
    if base is not None and recipe != base.recipe:
        raise LibraryError(
            f"{base.shown}: was built with recipe {_said(base.recipe)}, and what is added would be made with {_said(recipe)}, "
            "so that one molecule could have two keys; build a library of its own, or all of it again"
        )
    return recipe


def _said(recipe: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(recipe.items()))


def _build(job: Job, out: str, options: BuildOptions, start: _Start) -> None:
    if not places.is_address(out):
        _check_places(Path(out), job, options.scratch)
    if job.base is None:
        _check_free(out, start.force)
    folder, shown = scratch_of(out, options.scratch), places.shown(out)
    with (
        _told(shown),
        beside(out, options.scratch),
        staged(folder, shown, what(job, options.columns), start.resume, start.force or start.anew) as staging,
    ):
        try:
            reading = read_sources(job, staging)
            _check(job, reading, options.max_rejected)
            assemble(job, staging, reading)
            if job.base is None:
                _check_free(out, start.force)  # once more: another build may have been faster
            publish(job, staging, out)
        except BaseException as error:
            if not _goes_on(error, job, staging):
                discard(folder)
            elif isinstance(error, InputError) and not isinstance(error, _TooManyRejected):
                raise InputError(f"{error}; or, if it was the store that failed, go on with --resume") from error
            raise


def _check_places(out: Path, job: Job, scratch: str) -> None:
    check_apart(out, [source.path for source in job.sources if source.size and not places.is_address(source.path)])
    if scratch and Path(os.path.realpath(scratch)).is_relative_to(os.path.realpath(out)):
        raise OutputError(f"{scratch}: lies in the library's folder {out}; choose another --scratch")


def _goes_on(error: BaseException, job: Job, staging: Staging) -> bool:
    """Whether a build that ended with an error is worth going on with: something is done, and the sources are good."""
    if isinstance(error, _TooManyRejected):
        return not error.all and job.given is None
    if isinstance(error, AccountingError) or (isinstance(error, InputError) and not _of_a_store(error, job)):
        return False
    return job.given is None and any(staging.blocks.glob("*.json"))


def _of_a_store(error: InputError, job: Job) -> bool:
    """Whether a store, and not a file, may be to blame."""
    away = any(places.is_address(source.path) for source in job.sources)
    return away and isinstance(error.__cause__, OSError)


def _check_free(out: str, force: bool) -> None:
    if not places.is_address(out):
        check_free(Path(out), force, MARKS)
    elif is_library(out):
        shown = places.shown(out)
        if not force:
            raise OutputError(
                f"{shown}: a library is there already; choose another address, or replace it with --force"
            )
        if not any(places.info(places.join(out, mark)).kind == "file" for mark in MARKS):
            raise OutputError(
                f"{shown}: was not written by drylab (no {' or '.join(MARKS)}), so --force does not replace it; remove it yourself"
            )


@contextmanager
def _told(out: str) -> Iterator[None]:
    """What a disk, a store or a worker refuses, in a line that says how to go on; what was done so far stays."""
    try:
        yield
    except DeviceError as error:
        raise DeviceError(f"{error}; go on with --resume") from error
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise OutputError(
            f"{out}: cannot be written ({os.strerror(error.errno)}{f': {error.filename}' if error.filename else ''}); "
            "free space, or give a roomier --scratch, and go on with --resume"
        ) from error


class _TooManyRejected(InputError):
    """``all`` says whether hardly any row is good: then it is not worth going on from."""

    def __init__(self, text: str, all: bool) -> None:
        super().__init__(text)
        self.all = all


def _check(job: Job, reading: Reading, max_rejected: float) -> None:
    accounts = [reading.done[at] for at in sorted(reading.done)]
    read = sum(account.rows for account in accounts)
    reasons: Counter[str] = Counter()
    for account in accounts:
        reasons.update(account.rejected)
    name = ", ".join(places.shown(source.path) for source in job.sources)
    if read == 0:
        raise InputError(f"{name}: no rows, so there is no library to make; give files that hold molecules")
    bad = next((account.first for account in accounts if account.first), None)
    if bad is None or not (reasons.total() > max_rejected * read or reasons.total() == read):
        return
    why = ", ".join(f"{reason}: {n}" for reason, n in reasons.most_common())
    what = f"{bad.source}:{bad.row}: {reasons.total()} of {read} rows are rejected ({why})"
    hint = "the first is this one; check that the SMILES column is the right one, correct the rows"
    if reasons.total() < read:
        what += f", more than {max_rejected:.0%}"
        hint += ", or allow more with `drylab library build --max-rejected`"
    hopeless = reasons.total() > read / 2
    raise _TooManyRejected(f"{what}; {hint}{'' if hopeless else ' and --resume'}", hopeless)
