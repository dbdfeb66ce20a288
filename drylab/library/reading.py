"""Rows of a library as they are read: batches of SMILES for a screen, Arrow tables for everything else.

Memory holds a few row groups, whatever the library's size: one in the caller's hands, two that were read ahead of it by
a thread, and one being read. 50-character SMILES come at over ten million rows a second of one core (bench/bench_library.py).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from functools import partial
from itertools import groupby

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from drylab.errors import LibraryError
from drylab.library import layout, places
from drylab.library.ahead import ahead
from drylab.library.store import Library, file_sha256
from drylab.types import Shard, SmilesBatch

DEPTH = 2  # pieces read ahead
SCAN_GROUPS = 8  # row groups in a piece of a scan: fewer cost calls, more cost memory
BATCH = ("id", "key", "smiles")


def read_shard(shard: Shard, batch_size: int) -> Iterator[SmilesBatch]:
    """The rows of a shard in order, in batches of at most ``batch_size``; what comes next is read meanwhile.

    Raises LibraryError on a file that is missing, damaged, or not the one that was built.
    """
    groups = max(1, batch_size * shard.groups // max(1, shard.rows))
    with closing(_ahead([shard], BATCH, groups)) as tables:
        for table in tables:
            whole = _smiles_batch(table)
            for start in range(0, len(whole), batch_size):
                yield whole.slice(start, min(start + batch_size, len(whole)))


def read_keys(shard: Shard) -> Iterator[NDArray[np.uint64]]:
    """The keys of a shard, (n, 2) uint64 at a time. Raises LibraryError as ``read_shard`` does."""
    with closing(_ahead([shard], ("key",), SCAN_GROUPS)) as tables:
        for table in tables:
            yield layout.number_keys(table.column("key"))


def scan(
    library: Library | Sequence[Shard], columns: Sequence[str] = tuple(layout.ROWS.names), checked: bool = True
) -> Iterator[pa.Table]:
    """The rows of a library, or of some of its shards, in order, as tables of a few row groups, never across two shards.

    columns  of layout.ROWS; the fewer, the faster     checked  compare the SHA-256 of each file before its first row
    Raises LibraryError on a file that is missing, damaged, or not the one that was built.
    """
    shards = library.shards(groups=SCAN_GROUPS) if isinstance(library, Library) else library
    if not checked:
        shards = [replace(shard, sha256="") for shard in shards]
    return _ahead(shards, columns, SCAN_GROUPS)


def _ahead(shards: Sequence[Shard], columns: Sequence[str], groups: int) -> Generator[pa.Table, None, None]:
    if sum(shard.groups for shard in shards) <= groups:  # a single piece, with nothing to read ahead of
        return _tables(shards, columns, groups)
    return ahead([partial(_tables, shards, columns, groups)], threads=1, depth=DEPTH)


def _tables(shards: Sequence[Shard], columns: Sequence[str], groups: int) -> Generator[pa.Table, None, None]:
    """Tables of at most so many row groups; a file of several shards is opened once."""
    for path, group in groupby(shards, key=lambda shard: shard.path):
        parts = list(group)
        for shard in parts:
            _check_bytes(shard)
        with _opened(path, parts[0].group) as file:
            for shard in parts:
                _check_rows(file, shard)
                last = shard.group + shard.groups
                for at in range(shard.group, last, groups):
                    with _told(path, at):
                        table = file.read_row_groups(
                            list(range(at, min(at + groups, last))), columns=list(columns), use_threads=False
                        )
                    yield table


@contextmanager
def _told(path: str, group: int) -> Iterator[None]:
    """What goes wrong inside, as a LibraryError of one line."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise LibraryError(
            f"{places.shown(path)}: row group {group} cannot be read ({places.said(error, path)}); build the library again"
        ) from error


@contextmanager
def _opened(path: str, group: int) -> Iterator[pq.ParquetFile]:
    with ExitStack() as stack:
        with _told(path, group):
            source = stack.enter_context(places.open_file(path))
            # A store answers a request in tens of milliseconds: all columns of a row group are asked for at once.
            file = stack.enter_context(pq.ParquetFile(source, pre_buffer=places.is_address(path)))
        if not file.schema_arrow.equals(layout.ROWS):
            raise LibraryError(
                f"{places.shown(path)}: columns are {places.said(str(file.schema_arrow))}, expected "
                f"{places.said(str(layout.ROWS))}; build the library again"
            )
        yield file


def _check_bytes(shard: Shard) -> None:
    if not shard.sha256:
        return
    with _told(shard.path, shard.group):
        found = file_sha256(shard.path)
    if found != shard.sha256:
        raise LibraryError(
            f"{places.shown(shard.path)}: is not the file that was built (SHA-256 {found[:12]}..., the manifest says "
            f"{shard.sha256[:12]}...); build the library again"
        )


def _check_rows(file: pq.ParquetFile, shard: Shard) -> None:
    groups = range(shard.group, shard.group + shard.groups)
    there = file.metadata.num_row_groups
    if groups[-1] >= there:
        raise LibraryError(
            f"{places.shown(shard.path)}: row group {groups[-1]} cannot be read (the file has {there}); build the library again"
        )
    rows = sum(file.metadata.row_group(group).num_rows for group in groups)
    if rows != shard.rows:
        what = f"row group {groups[0]}" + (f" to {groups[-1]}" if shard.groups > 1 else "")
        raise LibraryError(
            f"{places.shown(shard.path)}: {what} holds {rows} rows, the manifest says {shard.rows}; build the library again"
        )


def _smiles_batch(table: pa.Table) -> SmilesBatch:
    ids, smiles = (_whole(table.column(name)) for name in ("id", "smiles"))
    _, offsets, data = smiles.buffers()
    first = smiles.offset
    ends = np.frombuffer(offsets, np.int32)[first : first + len(smiles) + 1] if len(smiles) else np.zeros(1, np.int32)
    flat = np.frombuffer(data, np.uint8)[ends[0] : ends[-1]] if data is not None else np.zeros(0, np.uint8)
    return SmilesBatch(layout.number_keys(table.column("key")), ids, flat, ends - ends[0])


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
