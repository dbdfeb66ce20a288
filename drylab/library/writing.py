"""Files of a library: sorted rows as a shard, and streams of rows as one table file; each appears whole or not at all.

Shards are Parquet with zstd at level 1: on real molecules level 3 is 1.5 times slower for 2 % less. Small integers, tpsa and
fsp3 repeat and get dictionaries; a dictionary of ids, keys, SMILES, mw or logP is larger than the values. The same rows
and metadata give the same bytes under the same pyarrow.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from drylab.library import layout

LEVEL = 1
DICTIONARY = [name for name, kind in layout.PROPERTIES.items() if kind == pa.int16()] + ["tpsa", "fsp3"]
STREAM_ROWS = 1 << 16  # of a row group of duplicates or rejected rows
STREAM_BYTES = 1 << 26  # their texts may be long
# Of this process: the workers of a build that was killed may still write, while another one does their work again.
PART = f"{secrets.token_hex(4)}.part"


@contextlib.contextmanager
def whole_file(path: str, sync: bool = False) -> Iterator[IO[bytes]]:
    """A file to write that gets its name when the block ends well; otherwise nothing is left. Raises OSError.

    A process that is killed leaves a file that ends with ``.part``, under a name that no other process uses.
    sync  let it reach the disk before it gets its name
    """
    part = f"{path}.{PART}"
    try:
        with open(part, "wb") as file:
            yield file
            if sync:
                file.flush()
                os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException as error:
        if isinstance(error, OSError) and error.filename is None:
            error.filename = path  # a full disk does not say which file
        with contextlib.suppress(OSError):
            os.unlink(part)
        raise


def regroup(tables: Iterable[pa.Table], rows: int, most_bytes: int | None = None) -> Iterator[pa.Table]:
    """The same rows in tables of ``rows`` rows (fewer in the last, and where a table would pass ``most_bytes``), one chunk each.

    One of the tables that come in is held at a time, beside the rows of one that goes out.
    """
    waiting: list[pa.Table] = []
    count = size = 0
    for table in tables:
        for start in range(0, table.num_rows, rows):
            piece = table.slice(start, rows)
            bytes_of_piece = piece.nbytes
            if waiting and most_bytes is not None and size + bytes_of_piece > most_bytes:
                yield _joined(waiting)
                waiting, count, size = [], 0, 0
            room = rows - count
            waiting.append(piece.slice(0, room))
            count, size = count + waiting[-1].num_rows, size + bytes_of_piece
            if count == rows:
                yield _joined(waiting)
                rest = piece.slice(room)
                waiting = [rest] if rest.num_rows else []
                count, size = rest.num_rows, rest.nbytes
    if waiting:
        yield _joined(waiting)


def _joined(tables: list[pa.Table]) -> pa.Table:
    return pa.concat_tables(tables).combine_chunks()


def write_shard(path: str, tables: Iterable[pa.Table], metadata: Mapping[str, str]) -> dict[str, Any]:
    """Write rows (tables of schema ROWS, sorted, one row at least) as a shard: its entry of the manifest.

    {"file": name in the library, "rows", "groups": rows of each row group, "bytes", "sha256", "ranges": {property: [min, max]}}.
    Row groups have layout.GROUP_ROWS rows and statistics of the properties. Raises OSError.
    """
    groups: list[int] = []
    ranges: dict[str, list[Any]] = {}
    with whole_file(path, sync=True) as file:
        with pq.ParquetWriter(
            file,
            layout.ROWS.with_metadata(dict(metadata)),
            compression="zstd",
            compression_level=LEVEL,
            use_dictionary=DICTIONARY,
            write_page_checksum=True,
            write_statistics=list(layout.PROPERTIES),
        ) as writer:
            for group in regroup(tables, layout.GROUP_ROWS):
                writer.write_table(group.replace_schema_metadata(dict(metadata)), row_group_size=layout.GROUP_ROWS)
                groups.append(group.num_rows)
                _widen(ranges, group)
        file.flush()
        size, digest = os.path.getsize(file.name), _sha256(file.name)
    return {
        "file": f"{layout.SHARDS}/{os.path.basename(path)}",
        "rows": sum(groups),
        "groups": groups,
        "bytes": size,
        "sha256": digest,
        "ranges": ranges,
    }


def _widen(ranges: dict[str, list[Any]], group: pa.Table) -> None:
    for name in layout.PROPERTIES:
        values = group.column(name).to_numpy()
        low, high = np.min(values).item(), np.max(values).item()
        before = ranges.get(name, [low, high])
        ranges[name] = [min(before[0], low), max(before[1], high)]


def write_table_stream(
    path: str, tables: Iterable[pa.Table], schema: pa.Schema, metadata: Mapping[str, str]
) -> dict[str, Any]:
    """Write tables of a schema as one Parquet file, also when there is no row: {"file": its name, "rows", "sha256"}.

    Row groups have STREAM_ROWS rows and at most about STREAM_BYTES bytes. Raises OSError.
    """
    rows = 0
    with whole_file(path, sync=True) as file:
        with pq.ParquetWriter(
            file,
            schema.with_metadata(dict(metadata)),
            compression="zstd",
            compression_level=LEVEL,
            write_page_checksum=True,
        ) as writer:
            for group in regroup(tables, STREAM_ROWS, STREAM_BYTES):
                writer.write_table(group.replace_schema_metadata(dict(metadata)), row_group_size=STREAM_ROWS)
                rows += group.num_rows
        file.flush()
        digest = _sha256(file.name)
    return {"file": os.path.basename(path), "rows": rows, "sha256": digest}


def read_table_stream(path: str) -> Iterator[pa.Table]:
    """What ``write_table_stream`` wrote, a row group at a time. Raises OSError."""
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            yield file.read_row_group(group)


def _sha256(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
