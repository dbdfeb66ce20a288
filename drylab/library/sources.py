"""Vendor files -> chunks of (row number, id, SMILES), streamed. A format is one function in ``FORMATS``."""

from __future__ import annotations

import csv
import glob
import gzip
import io
import itertools
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from drylab.errors import InputError

SMILES_NAMES = ("smiles", "canonical_smiles", "structure", "drug", "mol")
ID_NAMES = (
    "id",
    "name",
    "vendor_id",
    "catalog_id",
    "chembl_id",
    "molecule_chembl_id",
    "zinc_id",
    "compound_id",
    "drug_id",
)
CHUNK = 4096

Row = tuple[int, str, str]
Numbered = TypeVar("Numbered", bound=tuple[Any, ...])


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns hold the SMILES and the ids; "" means: find one by the usual names."""

    smiles: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Chunk:
    """At most CHUNK rows of one source file; ``rows`` are (line or row number from 1, id, SMILES)."""

    source: str
    rows: tuple[Row, ...]


def expand(patterns: Sequence[str]) -> list[str]:
    """Files that paths and globs name, sorted within a glob. Raises InputError where there is none, or no reader."""
    files: list[str] = []
    if not patterns:
        raise InputError("no source files are given; give at least one file or glob")
    for pattern in patterns:
        if "://" in pattern:
            raise InputError(f"{pattern}: is an address, and only files are read yet; copy it here, or mount it")
        magic = glob.has_magic(pattern) and not os.path.exists(pattern)
        found = sorted(glob.glob(pattern, recursive=True)) if magic else [pattern]
        if not found:
            raise InputError(f"{pattern}: no file matches; check the path")
        files.extend(found)
    for name in files:
        if os.path.isdir(name):
            raise InputError(f"{name}: is a folder; give files or a glob such as {name}/*.smi")
        if not os.path.isfile(name):
            raise InputError(f"{name}: no such file; check the path")
        _reader(name)
    return files


def chunks(files: Iterable[str], columns: Columns) -> Iterator[Chunk]:
    """Every row of every file, in order, CHUNK at a time. Raises InputError naming file and row where a file breaks."""
    for name in files:
        rows = guarded(name, _reader(name)(name, columns))
        empty = True
        while part := tuple(itertools.islice(rows, CHUNK)):
            empty = False
            yield Chunk(name, part)
        if empty:
            raise InputError(f"{name}: holds no rows; leave it out, or check that it was written to its end")


def guarded(name: str, rows: Iterator[Numbered]) -> Iterator[Numbered]:
    """The same rows, each of which starts with its number; a file that breaks is an InputError naming file and row."""
    last = 0
    try:
        for row in rows:
            last = row[0]
            yield row
    except csv.Error as error:
        raise InputError(f"{name}:{last + 1}: not CSV ({error}); look for a quote that is not closed there") from error
    except PermissionError as error:
        raise InputError(f"{name}: cannot be read ({error.strerror}); change its permissions, or copy it") from error
    except (EOFError, OSError, zlib.error, pa.ArrowException) as error:
        raise InputError(
            f"{name}: cannot be read past row {last} ({squeezed(error)}); the file is damaged, fetch it again"
        ) from error


def squeezed(error: BaseException | str) -> str:
    """Text from elsewhere (another package's error, a header), which may run over several lines, cut to 300 characters."""
    return " ".join(str(error).split())[:300]


def _reader(name: str) -> Callable[[str, Columns], Iterator[Row]]:
    stem = name[:-3] if name.endswith(".gz") else name
    suffix = Path(stem).suffix.lower()
    if suffix not in FORMATS or (suffix == ".parquet" and stem != name):
        raise InputError(
            f"{name}: no reader for this kind of file; readable are {', '.join(FORMATS)} and, but for .parquet, .gz of these"
        )
    return FORMATS[suffix]


def open_text(name: str) -> io.TextIOBase:
    # Bytes that are not UTF-8 are kept visible as \xNN: an id survives, and RDKit refuses a SMILES that has one.
    opener = gzip.open if name.endswith(".gz") else open
    return opener(name, "rt", encoding="utf-8-sig", errors="backslashreplace", newline="")


def _smi(name: str, columns: Columns) -> Iterator[Row]:
    """A SMILES, blanks or a tab, an id, and after a tab what is not read. The row number stands in for a missing id.

    A blank line is no row.

    A first line that starts with a name for SMILES (none of which is one) is a header, as some vendors write it.
    """
    if columns != Columns():
        raise InputError(f"{name}: a .smi file has no named columns (a SMILES, then an id); leave the names out")
    stem = Path(name).name.split(".")[0]
    with open_text(name) as file:
        for number, line in enumerate(file, 1):
            parts = line.strip().split(None, 1)
            if parts and not (number == 1 and parts[0].lower() in SMILES_NAMES):
                extension, ident = _extension(parts[1] if len(parts) > 1 else "")
                yield number, ident.split("\t")[0].strip() or f"{stem}:{number}", parts[0] + extension


def _extension(rest: str) -> tuple[str, str]:
    """A ChemAxon extension "|...|" belongs to the SMILES, and RDKit reads it; what follows it is the id."""
    end = rest.find("|", 1) if rest.startswith("|") else -1
    return (" " + rest[: end + 1], rest[end + 1 :].strip()) if end > 0 else ("", rest)


def cells_of(file: io.TextIOBase, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(line that the row starts on, its cells), the header first; a blank line is no row.

    A quote that is not closed is an error: it eats rows.
    """
    reader = csv.reader(file, delimiter=delimiter, strict=True)
    line = 1
    for cells in reader:
        if cells:
            yield line, cells
        line = reader.line_num + 1


def _delimited(delimiter: str) -> Callable[[str, Columns], Iterator[Row]]:
    def read(name: str, columns: Columns) -> Iterator[Row]:
        stem = Path(name).name.split(".")[0]
        with open_text(name) as file:
            lines = cells_of(file, delimiter)
            _, header = next(lines, (0, None))
            if header is None:
                return
            at_smiles, at_id = find_columns(name, header, columns)
            for number, cells in lines:
                smiles = cells[at_smiles].strip() if at_smiles < len(cells) else ""
                ident = cells[at_id].strip() if at_id is not None and at_id < len(cells) else ""
                yield number, ident or f"{stem}:{number}", smiles

    return read


def _parquet(name: str, columns: Columns) -> Iterator[Row]:
    stem = Path(name).name.split(".")[0]
    with pq.ParquetFile(name) as file:
        header = file.schema_arrow.names
        at_smiles, at_id = find_columns(name, header, columns)
        wanted = [header[at_smiles]] + ([header[at_id]] if at_id not in (None, at_smiles) else [])
        number = 0
        for batch in file.iter_batches(CHUNK, columns=wanted):
            smiles = _texts(name, batch, 0)
            ids = _texts(name, batch, len(wanted) - 1) if at_id is not None else [None] * len(smiles)
            for text, ident in zip(smiles, ids, strict=True):
                number += 1
                yield number, ident or f"{stem}:{number}", (text or "").strip()


def _texts(name: str, batch: pa.RecordBatch, at: int) -> list[str | None]:
    field = batch.schema.field(at)
    try:
        return batch.column(at).cast(pa.string()).to_pylist()
    except pa.ArrowNotImplementedError as error:
        raise InputError(f"{name}: column {field.name!r} is of type {field.type}, expected text") from error


def find_columns(name: str, header: Sequence[str], columns: Columns) -> tuple[int, int | None]:
    """Positions of the SMILES and id columns. Raises InputError that lists the columns there are."""
    lower = {text.strip().lower(): i for i, text in reversed(list(enumerate(header)))}
    exact = {text.strip(): i for i, text in reversed(list(enumerate(header)))}

    shown = squeezed(", ".join(header))

    def find(given: str, usual: Sequence[str], what: str) -> int | None:
        if given:
            if given not in exact:
                raise InputError(f"{name}:1: no column {given!r} for the {what}; the columns are {shown}")
            return exact[given]
        return next((lower[text] for text in usual if text in lower), None)

    at_smiles = find(columns.smiles, SMILES_NAMES, "SMILES")
    if at_smiles is None:
        raise InputError(
            f"{name}:1: no column is named like SMILES ({', '.join(SMILES_NAMES)}); the columns are {shown}: "
            "say which one holds the SMILES"
        )
    return at_smiles, find(columns.id, ID_NAMES, "ids")


FORMATS: dict[str, Callable[[str, Columns], Iterator[Row]]] = {
    ".smi": _smi,
    ".csv": _delimited(","),
    ".tsv": _delimited("\t"),
    ".parquet": _parquet,
}
