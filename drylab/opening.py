"""From what a screen is given to a library that is open: a library folder, vendor files, or SMILES in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from drylab.build import BuildOptions, build_library, write_library
from drylab.config import Target
from drylab.errors import ConfigError, InputError
from drylab.execute import Executor
from drylab.library import places
from drylab.library.rows import Columns
from drylab.library.sources import expand
from drylab.library.store import Library, is_library, open_library, read_rejected
from drylab.progress import Progress
from drylab.reduce import REJECTED_KEPT
from drylab.types import Rejected

IN_MEMORY = "SMILES in memory"
HERE = ("screen", "library")
Build = Callable[[Path, Executor, Progress], Library]
Source = str | Path | Library | Sequence[str] | Mapping[Any, str] | None


@dataclass(frozen=True, slots=True)
class Opened:
    """A library to screen.

    named     what its record says of it, where that is not the folder's own: path and name
    rejected  rows that could not be used when it was built for this screen
    """

    library: Library
    named: Mapping[str, str]
    rejected: tuple[Rejected, ...] = ()


@contextmanager
def opened(
    targets: Sequence[Target],
    library: Source,
    since: int | None,
    executor: Executor,
    progress: Progress,
    keep: tuple[Path, Path] | None = None,
) -> Iterator[Opened]:
    """The library that targets are screened against, built first where it is vendor files or SMILES.

    keep  where a built one is written, and where it will be in the end; None: into a folder that goes afterwards
    Raises what ``located`` does, and ConfigError for ``since`` (a version of a library) where there is no library yet.
    """
    found = _found_or_built(targets, library)
    if isinstance(found, Library):
        yield Opened(found, {})
        return
    where, build = found
    if since is not None:
        raise ConfigError(f"{where}: is not a library, so it has no version {since}; leave out since, or build one")
    with TemporaryDirectory(prefix="drylab-") as folder:
        progress.stage("building the library", None)
        part, path = (keep[0], str(keep[1])) if keep else (Path(folder) / "library", where)
        made = build(part, executor, progress)
        yield Opened(made, {"path": path, "name": Path(path).name}, tuple(read_rejected(made, REJECTED_KEPT)))


def _found_or_built(targets: Sequence[Target], library: Source) -> Library | tuple[str, Build]:
    """The library, or where its molecules come from and how it is built of them."""
    if isinstance(library, Library):
        return library
    if library is None or isinstance(library, str | Path):
        found = located(targets, library)
        if isinstance(found, Library):
            return found
        return library_path(targets[0], library), partial(build_files, targets[0], found)
    return IN_MEMORY, partial(build_rows, in_memory(library))


def located(targets: Sequence[Target], library: str | Path | None) -> Library | list[str]:
    """The library that all targets mean, or its vendor files. Raises what ``locate`` does, and ConfigError if it is not one."""
    first = targets[0]
    where = library_path(first, library)
    for other in targets[1:]:
        if library_path(other, library) != where or columns_of(other) != columns_of(first):
            raise ConfigError(
                f"{other.where(('screen',))}: means the library {library_path(other, library)}, and {first.name} means "
                f"{where}; targets that are screened together share one, with the same columns: give it with the call"
            )
    return locate(first, library)


def library_path(target: Target, library: str | Path | None) -> str:
    """The library given with the call, or else the target file's. Raises ConfigError where there is neither."""
    if library is not None:
        return str(library)
    if target.screen.library is None:
        raise ConfigError(
            f"{target.where(('screen',))}: no library is named; add screen.library to the target file, or give one with the call"
        )
    return target.resolve(target.screen.library)


def locate(target: Target, library: str | Path | None) -> Library | list[str]:
    """The library, open, or the vendor files it is to be made from.

    Raises LibraryError or InputError where there is none, with the line of the target file if that names it, and
    ConfigError for columns of a library that is built already.
    """
    where = library_path(target, library)
    found = _found(where) if library is not None else target.at(HERE, lambda: _found(where))
    columns = target.screen.columns
    if isinstance(found, Library) and (columns.smiles or columns.id):
        raise ConfigError(
            f"{target.where(('screen', 'columns'))}: {where} is a library, whose columns are known; remove columns"
        )
    return found


def _found(where: str) -> Library | list[str]:
    # A folder that is no library is refused by the one who knows what to do then.
    return open_library(where) if is_library(where) or places.info(where).kind == "folder" else expand([where])


def columns_of(target: Target) -> Columns:
    """The columns that the target file names for its vendor files."""
    return Columns(target.screen.columns.smiles or "", target.screen.columns.id or "")


def build_files(target: Target, files: Sequence[str], out: Path, executor: Executor, progress: Progress) -> Library:
    """A library in the folder ``out``, from vendor files."""
    options = BuildOptions(columns=columns_of(target))
    return build_library(files, out, options=options, executor=executor, progress=progress)


def build_rows(rows: Sequence[tuple[str, str]], out: Path, executor: Executor, progress: Progress) -> Library:
    """The same from (id, SMILES) in memory: those that cannot be used are among the rejected rows, unless it is all."""
    options = BuildOptions(max_rejected=1.0)
    return write_library(out, IN_MEMORY, rows, options, executor, progress)


def in_memory(smiles: Any) -> tuple[tuple[str, str], ...]:
    """(id, SMILES) of a list, an array, a column, or of a Series or dict, whose index or keys are the ids.

    Raises InputError naming the first that is not text, and for a table.
    """
    if hasattr(smiles, "columns") or hasattr(smiles, "column_names"):
        raise InputError("a table was given, expected one column of SMILES; give frame['smiles'], or a file")
    if hasattr(smiles, "to_pylist"):
        smiles = smiles.to_pylist()
    named = isinstance(smiles, Mapping) or hasattr(smiles, "items")
    rows = tuple(smiles.items() if named else ((f"molecule {i}", text) for i, text in enumerate(smiles, 1)))
    for ident, text in rows:
        if not isinstance(text, str):
            raise InputError(f"{ident} is {text!r}, expected a SMILES as text; drop or correct it")
    return tuple((str(ident), str(text)) for ident, text in rows)
