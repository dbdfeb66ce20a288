"""Text with a row a line: .smi, .cxsmiles, .csv, .tsv. What a file looks like is found out once; then its bytes are cut and read.

The number of a row is the line it starts on, from 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from drylab.errors import InputError
from drylab.kernels.fields import TRAILING, WHOLE, Cut, cells, cut, words
from drylab.kernels.gather import gathered
from drylab.library.headers import Found, find_columns, is_header, numbered, smiles_column, usual
from drylab.library.places import shown
from drylab.library.rows import Block, Columns, Rows, Source
from drylab.library.streams import LONGEST_RECORD, UTF8_BOM, Seen, head, no_rows, pieces
from drylab.library.texts import idents, optional, plain

DELIMITERS = (",", "\t", ";", "|")
LOOKED_AT = 21  # lines: a header and twenty
MOST_CELLS = 1 << 22


@dataclass(frozen=True, slots=True)
class Delimited:
    """A file of cells. skip: bytes before the first row; first: its line; quoted: whether quotes count."""

    skip: int
    first: int
    delimiter: str
    quoted: bool
    found: Found

    def __str__(self) -> str:
        ids = f"ids in column {self.found.id + 1}" if self.found.id >= 0 else "no ids"
        between = {"\t": "tabs"}.get(self.delimiter, repr(self.delimiter))
        return f"cells between {between}, SMILES in column {self.found.smiles + 1}, {ids}, rows from line {self.first}"


@dataclass(frozen=True, slots=True)
class Words:
    """A .smi file: a SMILES, blanks or a TAB, an id, and after a TAB what is not read."""

    skip: int
    first: int

    def __str__(self) -> str:
        return f"a SMILES, then an id, rows from line {self.first}"


@dataclass(frozen=True, slots=True)
class Sample:
    """The start of a file, without a BOM. whole: nothing follows it."""

    path: str
    data: bytes
    whole: bool
    skip: int

    def cut(self, delimiter: str, quoted: bool, limit: int) -> Cut:
        return cut(self.data, ord(delimiter), quoted, False, self.whole, limit)

    def rows(self, delimiter: str, quoted: bool, limit: int = LOOKED_AT) -> list[list[str]]:
        """Cells of its first records, trimmed; fewer where a quote is wrong."""
        found = self.cut(delimiter, quoted, limit)
        text = self.data[: found.end]
        width = text.count(delimiter.encode()) + 1  # at most
        if limit > 1 and width * found.records > MOST_CELLS:
            return self.rows(delimiter, quoted, 1)
        begin, end, marks, _ = cells(text, np.arange(width), found.records, ord(delimiter), quoted)
        rows = []
        for i in range(found.records):
            there = int((begin[:, i] >= 0).sum())
            flat, offsets = gathered(text, begin[:there, i].copy(), end[:there, i].copy(), marks[:there, i].copy())
            rows.append([plain(flat[offsets[k] : offsets[k + 1]].tobytes()) for k in range(there)])
        return rows


def sample_of(path: str, compression: str, delimiter: str, quoted: bool) -> Sample:
    """The first lines of a file. Raises InputError where it has none, or its first record has no end."""
    size = 1 << 16
    while True:
        data, whole = head(path, compression, size)
        skip = len(UTF8_BOM) if data.startswith(UTF8_BOM) else 0
        sample = Sample(path, data[skip:], whole, skip)
        found = sample.cut(delimiter, quoted, 1)
        if found.records:
            return sample
        if found.fault == WHOLE and whole:
            raise no_rows(path)
        if whole or found.fault == TRAILING or len(data) > LONGEST_RECORD or len(data) < size:
            what = "a quote that is not closed there" if found.fault else "line ends: the first row has more than 64 MB"
            raise InputError(
                f"{shown(path)}:{1 + found.line}: not {'CSV' if quoted else 'lines of text'}; look for {what}"
            )
        size *= 4


def open_words(path: str, compression: str, columns: Columns) -> Words:
    """A .smi file. A first line that starts with a name for SMILES (none of which is one) is a header, as vendors write it."""
    if columns.more:
        raise InputError(f"{shown(path)}:1: no column {columns.more[0]!r} for the values; the columns are not named")
    if columns != Columns():
        raise InputError(f"{shown(path)}: a .smi file has no named columns (a SMILES, then an id); leave the names out")
    return _words(sample_of(path, compression, "\t", False))


def _words(sample: Sample) -> Words:
    first = sample.cut("\t", False, 1)
    start = sample.data[: first.end].split(None, 1)
    if start and usual([start[0][:100].decode("ascii", "replace")]) is not None:
        return Words(sample.skip + first.end, 1 + first.lines)
    return Words(sample.skip, 1)


def open_cxsmiles(path: str, compression: str, columns: Columns) -> Words | Delimited:
    """Columns with a TAB between them where a header, or a number, names them; otherwise read as .smi."""
    sample = sample_of(path, compression, "\t", False)
    rows = sample.rows("\t", False)
    if is_header(rows[0], columns):
        return _with_header(sample, "\t", False, find_columns(path, rows[0], columns))
    if columns.smiles.isdecimal():
        return Delimited(sample.skip, 1, "\t", False, numbered(path, rows, columns))
    return (
        _words(sample)
        if columns == Columns()
        else _with_header(sample, "\t", False, find_columns(path, rows[0], columns))
    )


def open_delimited(path: str, compression: str, columns: Columns, expected: str) -> Delimited:
    """A file of cells: its delimiter, and by a header, numbers or what they hold, its columns. Raises InputError."""
    sample = sample_of(path, compression, expected, True)
    tables = {d: sample.rows(d, True) for d in dict.fromkeys([expected, *DELIMITERS])}
    tables = {d: rows for d, rows in tables.items() if rows}
    for delimiter, rows in tables.items():
        if is_header(rows[0], columns):
            return _with_header(sample, delimiter, True, find_columns(path, rows[0], columns))
    if columns.smiles.isdecimal():
        return _by_number(sample, tables, columns)
    hint = ""
    for delimiter, rows in tables.items() if not columns.smiles else ():
        at = smiles_column(rows)
        if at is not None and smiles_column([row[at : at + 1] for row in rows[:1]]) == 0:
            return Delimited(sample.skip, 1, delimiter, True, numbered(path, rows, columns))
        at = smiles_column(rows[1:])
        if at is not None and not hint:
            name = rows[0][at] if at < len(rows[0]) else str(at + 1)
            hint = f"; column {name!r} looks like it (--smiles {name!r})"
    return _with_header(sample, expected, True, find_columns(path, tables[expected][0], columns, hint))


def _by_number(sample: Sample, tables: dict[str, list[list[str]]], columns: Columns) -> Delimited:
    at = int(columns.smiles) - 1
    likely = [d for d, rows in tables.items() if smiles_column([row[at : at + 1] for row in rows]) == 0]
    delimiter = likely[0] if likely else max(tables, key=lambda d: len(tables[d][0]))
    return Delimited(sample.skip, 1, delimiter, True, numbered(sample.path, tables[delimiter], columns))


def _with_header(sample: Sample, delimiter: str, quoted: bool, found: Found) -> Delimited:
    first = sample.cut(delimiter, quoted, 1)
    return Delimited(sample.skip + first.end, 1 + first.lines, delimiter, quoted, found)


def blocks(source: Source, block_bytes: int, limit: int | None, seen: Seen | None) -> Iterator[Block]:
    """Pieces of the text that end where a row ends."""
    layout = source.layout
    if isinstance(layout, Words):
        rule = partial(_cut, delimiter=0, quoted=False, words=True)
    else:
        rule = partial(_cut, delimiter=ord(layout.delimiter), quoted=layout.quoted, words=False)
    return pieces(source, (layout.skip, layout.first), rule, block_bytes, limit, seen)


def _cut(data: bytes, final: bool, limit: int, *, delimiter: int, quoted: bool, words: bool) -> Cut:
    return cut(data, delimiter, quoted, words, final, limit)


def read(source: Source, block: Block) -> Rows:
    """The rows of a block."""
    layout = source.layout
    found = Found(0, 1) if isinstance(layout, Words) else layout.found
    wanted = sorted({found.smiles, found.id, *(column for _, column in found.more)} - {-1})
    if isinstance(layout, Words):
        spans = words(block.data, block.rows)
    else:
        spans = cells(block.data, np.array(wanted), block.rows, ord(layout.delimiter), layout.quoted)
    begin, end, marks, lines = spans
    numbers = lines + block.first

    def texts(column: int) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
        at = wanted.index(column)
        return gathered(block.data, begin[at], end[at], marks[at])

    none = np.zeros(0, np.uint8), np.zeros(block.rows + 1, np.int32)
    ids, troubles = idents(*(texts(found.id) if found.id >= 0 else none), numbers, source.path)
    more = {name: optional(*texts(column), begin[wanted.index(column)] >= 0) for name, column in found.more}
    return Rows(numbers, ids, *texts(found.smiles), troubles, more)
