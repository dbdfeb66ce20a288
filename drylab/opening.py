"""From what a screen is given to a library that is open: a library folder, vendor files, or SMILES in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from drylab.build import BuildOptions, build_library, write_library
from drylab.config import Target
from drylab.errors import ConfigError, InputError
from drylab.execute import Executor
from drylab.library import places
from drylab.library.rows import Columns
from drylab.library.sources import expand
from drylab.library.store import Library, is_library, open_library
from drylab.progress import Progress

IN_MEMORY = "SMILES in memory"
HERE = ("screen", "library")


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
