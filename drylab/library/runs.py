"""Runs: rows on their way into a library, each run a file sorted by (order, key, source, row) that holds each key once.

PATH             Arrow IPC file of schema RUN in record batches of BATCH_ROWS rows, lz4: 90 bytes a row of drug-like molecules
                 instead of 157, for 0.2 us a row when it is written; zstd would take 65 and 0.5 us
PATH.duplicates  Arrow IPC file of schema DUPLICATE: the rows whose key the run has already; absent where there are none

A cut is (order, high word of the key) and stands before all rows that are not less, so the rows of one key are never
parted. Cuts are compared as 64-bit unsigned integers, one word after the other. Marks, some of each run's cuts with the
rows before them, are what is known of a run without reading it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drylab.library import layout
from drylab.library.writing import regroup, whole_file

Cut = tuple[int, int]

BATCH_ROWS = 4096  # what is read at least where two parts meet
MARK_ROWS = 1024  # between two marks, less in a small run
LEAST_MARKS = 64
DUPLICATE = pa.schema([("key", pa.binary(16)), ("id", pa.string()), ("source", pa.int32()), ("row", pa.int64())])


@dataclass(frozen=True, slots=True)
class Run:
    """A run that was written.

    path        its file
    rows        in it, each with another key
    bytes       of their ids and SMILES
    duplicates  source number -> rows in the duplicates file
    marks       (4, m) uint64, rising: order, high word of the key, rows and bytes before; the last column is the last row's
                cut with all rows and bytes before it
    """

    path: str
    rows: int
    bytes: int
    duplicates: Mapping[int, int]
    marks: NDArray[np.uint64] = field(repr=False, compare=False)

    @property
    def aside(self) -> str:
        """The file of its duplicates."""
        return f"{self.path}.duplicates"


@dataclass(frozen=True, slots=True)
class Piece:
    """Record batches [first, stop) of a run."""

    path: str
    first: int
    stop: int


def to_json(run: Run) -> dict[str, Any]:
    """What ``from_json`` makes the same run of."""
    return {
        "name": os.path.basename(run.path),
        "rows": run.rows,
        "bytes": run.bytes,
        "duplicates": {str(source): count for source, count in run.duplicates.items()},
        "marks": run.marks.tolist(),
    }


def from_json(data: Mapping[str, Any], folder: str) -> Run:
    """A run as ``to_json`` wrote it, whose file lies in a folder now."""
    duplicates = {int(source): count for source, count in data["duplicates"].items()}
    marks = np.array(data["marks"], np.uint64).reshape(4, -1)
    return Run(os.path.join(folder, data["name"]), data["rows"], data["bytes"], duplicates, marks)


def ranked(columns: Mapping[str, Any]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """How n rows are sorted, and which are the first of their key.

    columns  order, key, source and row: an Arrow array of n each (or a table that has them in one chunk)
    Returns (n,) int64 the rows in the order of (order, key, source, row), and (n,) bool of the sorted rows.
    """
    keys = layout.number_keys(columns["key"])
    order = columns["order"].to_numpy()
    index = np.argsort(order)
    order = order[index]
    same = np.zeros(len(order), np.bool_)  # as the row before, in the words so far
    np.equal(order[1:], order[:-1], out=same[1:])
    for word in (keys[:, 0], keys[:, 1]):
        same = _untied(index, same, word)
    first = ~same
    for word in (columns["source"].to_numpy(), columns["row"].to_numpy()):
        same = _untied(index, same, word)
    return index, first


def _untied(index: NDArray[np.int64], same: NDArray[np.bool_], word: NDArray[Any]) -> NDArray[np.bool_]:
    """Sort by one word more, in place, the rows that are tied: most are not, which is what makes this fast."""
    tied = same.copy()
    tied[:-1] |= same[1:]
    at = np.flatnonzero(tied)
    if not len(at):
        return same
    some = index[at]
    group = np.cumsum(~same[at])
    some = some[np.lexsort((word[some], group))]
    index[at] = some
    values = word[some]
    same = same.copy()
    same[at[1:]] &= values[1:] == values[:-1]
    return same


def per_source(sources: Any) -> dict[int, int]:
    """Source number -> how many rows it has in a column of source numbers."""
    numbers, counts = np.unique(sources.to_numpy(), return_counts=True)
    return dict(zip(numbers.tolist(), counts.tolist(), strict=True))


def write_run(table: pa.Table, path: str) -> Run:
    """Write rows (a table of schema RUN, in any order) as a run; of rows with one key the least (source, row) stays.

    Both files get their names when they are whole, the run's last. Raises OSError.
    """
    whole = table.combine_chunks()
    index, first = ranked({name: one_chunk(whole.column(name)) for name in ("order", "key", "source", "row")})
    others = whole.select(DUPLICATE.names).take(pa.array(index[~first]))
    if others.num_rows:
        with duplicates_writer(f"{path}.duplicates") as writer:
            writer.write_table(others, BATCH_ROWS)
    duplicates = per_source(others.column("source"))
    return write_sorted([whole.take(pa.array(index[first]))], path, len(index), duplicates)


def write_sorted(tables: Iterable[pa.Table], path: str, about: int, duplicates: Mapping[int, int]) -> Run:
    """Write rows that are sorted, each key once, as a run; ``about`` is how many they will be. Raises OSError."""
    step = min(MARK_ROWS, 1 << max(0, (about // LEAST_MARKS).bit_length() - 1))  # divides BATCH_ROWS
    marks: list[NDArray[np.uint64]] = []
    rows = size = 0
    with whole_file(path) as file, _ipc(file, layout.RUN) as writer:
        for table in regroup(tables, BATCH_ROWS):
            writer.write_table(table)
            cuts, ends = _cuts_of(table), _text_ends(table)
            at = np.arange(0, table.num_rows, step)
            marks.append(np.vstack([cuts[:, at], (at + rows).astype(np.uint64), ends[at] + np.uint64(size)]))
            rows, size = rows + table.num_rows, size + int(ends[-1])
            last = np.append(cuts[:, -1], np.array([rows, size], np.uint64))[:, None]
    marks = [*marks, last] if rows else [np.zeros((4, 0), np.uint64)]
    return Run(path, rows, size, dict(duplicates), np.hstack(marks))


@contextlib.contextmanager
def duplicates_writer(path: str) -> Iterator[Any]:
    """Something with ``write_table`` for tables of schema DUPLICATE; the file is there when the block ends well."""
    with whole_file(path) as file, _ipc(file, DUPLICATE) as writer:
        yield writer


def read_duplicates(path: str) -> Iterator[pa.Table]:
    """The tables of a file of duplicates, of at most BATCH_ROWS rows each. Raises OSError."""
    with pa.OSFile(path) as file, _reader(file) as reader:
        for i in range(reader.num_record_batches):
            yield pa.Table.from_batches([reader.get_batch(i)])


def pieces(run: Run, cuts: Sequence[Cut]) -> list[Piece]:
    """For each of the len(cuts) + 1 parts between rising cuts, the batches of a run that may hold rows of it."""
    rows = np.append(run.marks[2], np.uint64(run.rows)).astype(np.int64)
    after = [below(run.marks[0], run.marks[1], cut) for cut in cuts]  # the first mark that is not before the cut
    starts = [0, *(int(rows[mark - 1]) if mark else 0 for mark in after)]
    stops = [*(int(rows[mark]) for mark in after), run.rows]
    return [
        Piece(run.path, start // BATCH_ROWS, max(start // BATCH_ROWS, -(-stop // BATCH_ROWS)))
        for start, stop in zip(starts, stops, strict=True)
    ]


def read_piece(piece: Piece, low: Cut | None, high: Cut | None) -> list[pa.RecordBatch]:
    """The rows of [low, high) in a piece, in order; None is open. Nothing of the other rows stays in memory."""
    found = []
    with pa.OSFile(piece.path) as file, _reader(file) as reader:
        for i in range(piece.first, piece.stop):
            batch = reader.get_batch(i)
            order, high_word = _cuts_of(batch)
            start = 0 if low is None else below(order, high_word, low)
            stop = batch.num_rows if high is None else below(order, high_word, high)
            if start == 0 and stop == batch.num_rows:
                found.append(batch)
            elif start < stop:
                found.append(batch.take(pa.array(np.arange(start, stop))))  # a slice would keep the batch
    return found


def below(order: NDArray[np.uint64], high_word: NDArray[np.uint64], cut: Cut) -> int:
    """How many of n rising pairs stand before a cut."""
    left, right = (int(np.searchsorted(order, np.uint64(cut[0]), side)) for side in ("left", "right"))
    return left + int(np.searchsorted(high_word[left:right], np.uint64(cut[1]), "left"))


def one_chunk(column: Any) -> Any:
    """A column of a table as one array."""
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks or [pa.array([], column.type)])


def _ipc(file: Any, schema: pa.Schema) -> Any:
    return pa.ipc.new_file(file, schema, options=pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False))


def _reader(file: Any) -> Any:
    return pa.ipc.open_file(file, options=pa.ipc.IpcReadOptions(use_threads=False))


def _cuts_of(rows: Any) -> NDArray[np.uint64]:
    return np.vstack([rows.column("order").to_numpy(), layout.number_keys(rows.column("key"))[:, 0]])


def _text_ends(table: pa.Table) -> NDArray[np.uint64]:
    """(n + 1,) uint64: bytes of ids and SMILES before each row, and in all."""
    sizes = [pc.binary_length(table.column(name)).to_numpy() for name in ("id", "smiles")]
    return np.append(np.uint64(0), np.cumsum(sizes[0].astype(np.uint64) + sizes[1].astype(np.uint64)))
