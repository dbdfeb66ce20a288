"""Sources that are tables of columns: Parquet files, and molecules that are in memory. The number of a row is its place, from 1."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from drylab.errors import InputError
from drylab.kernels.gather import gathered
from drylab.library import places
from drylab.library.headers import find_columns
from drylab.library.places import said, shown
from drylab.library.rows import Block, Columns, Rows, Source
from drylab.library.streams import FAILURES, STEP, Seen, broken, chunks, no_rows, opened
from drylab.library.texts import idents, optional

MEMORY_ROWS = 8192
BATCH_ROWS = 1 << 16
BUFFER = 1 << 20  # bytes of a column that are read at a time, instead of all that a row group has
_TEXTS = (pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary_view(), pa.null())


@dataclass(frozen=True, slots=True)
class Table:
    """Names of the columns; id "" where there is none."""

    smiles: str
    id: str
    more: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"SMILES in column {self.smiles!r}, {f'ids in column {self.id!r}' if self.id else 'no ids'}"

    def wanted(self) -> list[str]:
        return list(dict.fromkeys([self.smiles, *([self.id] if self.id else []), *self.more]))


@contextmanager
def _parquet(path: str) -> Iterator[pq.ParquetFile]:
    with opened(path, places.open_file) as raw:
        try:
            file = pq.ParquetFile(raw, buffer_size=BUFFER)
        except FAILURES as error:
            raise InputError(
                f"{shown(path)}: is damaged, or not Parquet ({said(error, path)}); fetch it again, or give it its true suffix"
            ) from error
        with file:
            yield file


def open_parquet(path: str, compression: str, columns: Columns) -> Table:
    """Find the columns of a Parquet file. Raises InputError for what is no such file, or holds no text there."""
    with _parquet(path) as file:
        schema = file.schema_arrow
    found = find_columns(path, schema.names, columns)
    more = tuple(schema.names[column] for _, column in found.more)
    table = Table(schema.names[found.smiles], schema.names[found.id] if found.id >= 0 else "", more)
    for name in table.wanted():
        if schema.names.count(name) > 1:
            raise InputError(
                f"{shown(path)}: {schema.names.count(name)} columns are called {name!r}; rename all but one"
            )
        kind = schema.field(name).type
        if pa.types.is_nested(kind) or (name == table.smiles and not _is_text(kind)):
            raise InputError(f"{shown(path)}: column {name!r} is of type {kind}, expected text")
    return table


def _is_text(kind: pa.DataType) -> bool:
    return _is_text(kind.value_type) if pa.types.is_dictionary(kind) else kind in _TEXTS


def parquet_blocks(source: Source, block_bytes: int, limit: int | None, seen: Seen | None) -> Iterator[Block]:
    """Rows of about ``block_bytes``, at most BATCH_ROWS, of the wanted columns. ``seen`` gets the file after its last row."""
    rows, number, left = 0, 0, (1 << 62 if limit is None else limit)
    with _parquet(source.path) as file:
        total = file.metadata.num_rows
        reading = file.iter_batches(
            _batch_rows(file.metadata, source.layout, block_bytes), columns=source.layout.wanted()
        )
        while left:
            try:
                batch = next(reading, None)
            except FAILURES as error:
                raise broken(source.path, rows, error) from error
            if batch is None:
                break
            table = pa.Table.from_batches([batch.slice(0, min(left, len(batch)))])
            if len(table):
                consumed = source.size * (rows + len(table)) // total
                yield Block(source.number, number, rows + 1, len(table), table, consumed)
                rows, number, left = rows + len(table), number + 1, left - len(table)
    if not rows and limit != 0:
        raise no_rows(source.path)
    if seen is not None and rows == total:
        for _ in chunks(source.path, "", STEP, seen):
            pass


def _batch_rows(metadata: Any, table: Table, block_bytes: int) -> int:
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    wanted = set(table.wanted())
    size = sum(
        group.column(j).total_uncompressed_size
        for group in groups
        for j in range(group.num_columns)
        if group.column(j).path_in_schema in wanted
    )
    return max(1, min(BATCH_ROWS, block_bytes * metadata.num_rows // max(1, size)))


def memory_source(name: str, number: int) -> Source:
    """Molecules that are in memory, as a source called ``name``."""
    return Source(name, number, "memory", "", Table("smiles", "id"), 0)


def memory_blocks(source: Source, rows: Iterable[tuple[str, str]]) -> Iterator[Block]:
    """(id, SMILES) pairs, MEMORY_ROWS at a time; no block where there is none."""
    waiting, first = iter(rows), 1
    while part := list(islice(waiting, MEMORY_ROWS)):
        columns = {
            name: pa.array([row[i].encode("utf-8", "backslashreplace") for row in part], pa.binary())
            for i, name in enumerate(("id", "smiles"))
        }
        yield Block(source.number, first // MEMORY_ROWS, first, len(part), pa.table(columns))
        first += len(part)


def read(source: Source, block: Block) -> Rows:
    """The rows of a block."""
    layout, columns = source.layout, {}
    for name in source.layout.wanted():
        columns[name] = _cells(source.path, name, block.data.column(name))
    data, offsets, _ = columns[layout.smiles]
    numbers = np.arange(block.first, block.first + block.rows, dtype=np.int64)
    none = np.zeros(0, np.uint8), np.zeros(block.rows + 1, np.int32)
    ids, troubles = idents(*(columns[layout.id][:2] if layout.id else none), numbers, source.path)
    return Rows(numbers, ids, data, offsets, troubles, {name: optional(*columns[name]) for name in layout.more})


def _cells(
    path: str, name: str, column: pa.ChunkedArray
) -> tuple[NDArray[np.uint8], NDArray[np.int32], NDArray[np.bool_]]:
    """Text of a column, trimmed: bytes, (n+1,) offsets, and (n,) whether there is a value."""
    whole = column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)
    try:
        if not _is_text(whole.type):
            whole = whole.cast(pa.string())
        whole = whole.cast(pa.binary())
    except pa.ArrowException as error:
        raise InputError(
            f"{shown(path)}: column {name!r} is of type {column.type}, expected text ({said(error, path)})"
        ) from error
    _, ends, text = whole.buffers()
    offsets = np.frombuffer(ends, np.int32, len(whole) + 1, 4 * whole.offset).astype(np.int64)
    begin, end = offsets[:-1], offsets[1:].copy()
    there = whole.is_valid().to_numpy(zero_copy_only=False)
    end[~there] = begin[~there]
    data = np.frombuffer(text or b"", np.uint8)
    return *gathered(data, begin, end, np.zeros(len(whole), np.uint8)), there
