"""Vendor files -> chunks of (row number, id, SMILES), streamed. A format is one function in ``FORMATS``."""

from __future__ import annotations

import csv
import glob
import gzip
import io
import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

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
    for pattern in patterns:
        found = sorted(glob.glob(pattern, recursive=True)) if glob.has_magic(pattern) else [pattern]
        if not found:
            raise InputError(f"{pattern}: no file matches; check the path")
        files.extend(found)
    for name in files:
        _reader(name)
        if not os.path.isfile(name):
            raise InputError(
                f"{name}: no such file; check the path"
                if not os.path.exists(name)
                else f"{name}: is a folder; give files or a glob such as {name}/*.smi"
            )
    return files


def chunks(files: Iterable[str], columns: Columns) -> Iterator[Chunk]:
    """Every row of every file, in order, CHUNK at a time. Raises InputError naming file and row where a file breaks."""
    for name in files:
        rows = _reader(name)(name, columns)
        last = 0
        try:
            while part := tuple(itertools.islice(rows, CHUNK)):
                last = part[-1][0]
                yield Chunk(name, part)
        except (EOFError, gzip.BadGzipFile, OSError, csv.Error, pa.ArrowInvalid) as error:
            raise InputError(
                f"{name}: cannot be read past row {last} ({error}); the file is damaged, fetch it again"
            ) from error


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
    """A SMILES, blanks or a tab, an id; no header. The row number stands in for a missing id."""
    stem = Path(name).name.split(".")[0]
    with open_text(name) as file:
        for number, line in enumerate(file, 1):
            parts = line.strip().split(None, 1)
            smiles = parts[0] if parts else ""
            yield number, parts[1].strip() if len(parts) > 1 else f"{stem}:{number}", smiles


def _delimited(delimiter: str) -> Callable[[str, Columns], Iterator[Row]]:
    def read(name: str, columns: Columns) -> Iterator[Row]:
        stem = Path(name).name.split(".")[0]
        with open_text(name) as file:
            reader = csv.reader(file, delimiter=delimiter)
            header = next(reader, None)
            if header is None:
                return
            at_smiles, at_id = find_columns(name, header, columns)
            for cells in reader:
                number = reader.line_num
                smiles = cells[at_smiles].strip() if at_smiles < len(cells) else ""
                ident = cells[at_id].strip() if at_id is not None and at_id < len(cells) else ""
                yield number, ident or f"{stem}:{number}", smiles

    return read


def _parquet(name: str, columns: Columns) -> Iterator[Row]:
    stem = Path(name).name.split(".")[0]
    with pq.ParquetFile(name) as file:
        header = file.schema_arrow.names
        at_smiles, at_id = find_columns(name, header, columns)
        wanted = [header[at_smiles]] + ([header[at_id]] if at_id is not None else [])
        number = 0
        for batch in file.iter_batches(CHUNK, columns=wanted):
            smiles = batch.column(0).cast(pa.string()).to_pylist()
            ids = batch.column(1).cast(pa.string()).to_pylist() if at_id is not None else [None] * len(smiles)
            for text, ident in zip(smiles, ids, strict=True):
                number += 1
                yield number, ident or f"{stem}:{number}", (text or "").strip()


def find_columns(name: str, header: Sequence[str], columns: Columns) -> tuple[int, int | None]:
    """Positions of the SMILES and id columns. Raises InputError that lists the columns there are."""
    lower = {text.strip().lower(): i for i, text in reversed(list(enumerate(header)))}
    exact = {text.strip(): i for i, text in reversed(list(enumerate(header)))}

    def find(given: str, usual: Sequence[str], what: str) -> int | None:
        if given:
            if given not in exact:
                raise InputError(f"{name}:1: no column {given!r} for the {what}; the columns are {', '.join(header)}")
            return exact[given]
        return next((lower[text] for text in usual if text in lower), None)

    at_smiles = find(columns.smiles, SMILES_NAMES, "SMILES")
    if at_smiles is None:
        raise InputError(
            f"{name}:1: no column is named like SMILES ({', '.join(SMILES_NAMES)}); the columns are {', '.join(header)}: "
            "say which one holds the SMILES"
        )
    return at_smiles, find(columns.id, ID_NAMES, "ids")


FORMATS: dict[str, Callable[[str, Columns], Iterator[Row]]] = {
    ".smi": _smi,
    ".csv": _delimited(","),
    ".tsv": _delimited("\t"),
    ".parquet": _parquet,
}
