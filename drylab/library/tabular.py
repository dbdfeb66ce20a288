"""A file of molecules with all its columns, as text: what a chemist's own measurements and lists come in.

For thousands of rows, held in memory; libraries are read in blocks (sources.py).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pyarrow.parquet as pq

from drylab.errors import InputError
from drylab.library.delimited import Delimited, sample_of
from drylab.library.places import shown
from drylab.library.rows import Columns
from drylab.library.sources import blocks, expand, open_source, read_rows
from drylab.library.texts import plain, stem_of

BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Tabular:
    """n rows of a file, all of them, in its order.

    numbers   line or record number of each      ids, smiles  n texts; a row without an id is "row NUMBER"
    troubles  row (from 0) -> why it cannot be read; its SMILES is not to be used
    columns   every named column of the file: name -> n texts, "" where a cell is empty
    """

    file: str
    numbers: tuple[int, ...]
    ids: tuple[str, ...]
    smiles: tuple[str, ...]
    troubles: Mapping[int, str]
    columns: Mapping[str, tuple[str, ...]]

    def __len__(self) -> int:
        return len(self.numbers)

    def where(self, row: int) -> str:
        """file:line of a row, for messages."""
        return f"{shown(self.file)}:{self.numbers[row]}"


def read_table(file: str, columns: Columns) -> Tabular:
    """Read a file of any kind that a library is built from. Raises InputError where it cannot be read, or holds no rows."""
    if expand([file]) != [file]:
        raise InputError(f"{shown(file)}: is a glob, and the molecules are to be in one file; give its name")
    source = open_source(file, 0, columns)
    names = _names(file, source.layout, source.compression)
    source = open_source(file, 0, replace(columns, more=names))
    numbers, ids, smiles = list[int](), list[str](), list[str]()
    troubles, cells = dict[int, str](), {name: list[str]() for name in names}
    for block in blocks(source, BLOCK_BYTES):
        rows = read_rows(source, block)
        troubles |= {len(numbers) + at: why for at, why in rows.troubles.items()}
        numbers += rows.numbers.tolist()
        ids += rows.ids.to_pylist()
        smiles += [plain(raw) for raw in rows.smiles().to_pylist()]
        for name in names:
            cells[name] += [text or "" for text in rows.more[name].to_pylist()]
    if not numbers:
        raise InputError(f"{shown(file)}: holds no molecules; give a file with at least one")
    stem = stem_of(file)
    called = (
        f"row {number}" if ident == f"{stem}:{number}" else ident for number, ident in zip(numbers, ids, strict=True)
    )
    whole = {name: tuple(column) for name, column in cells.items()}
    return Tabular(file, tuple(numbers), tuple(called), tuple(smiles), troubles, whole)


def _names(file: str, layout: object, compression: str) -> tuple[str, ...]:
    """The columns that have a name of their own, once."""
    if isinstance(layout, Delimited):
        if layout.first == 1:
            return ()
        found = sample_of(file, compression, layout.delimiter, layout.quoted).rows(layout.delimiter, layout.quoted, 1)[
            0
        ]
    elif os.path.splitext(file)[1] == ".parquet" and "://" not in file:
        found = pq.read_schema(file).names
    else:
        return ()
    return tuple(dict.fromkeys(name for name in found if name))
