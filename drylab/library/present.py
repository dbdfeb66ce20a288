"""Which molecules a library has already: their keys, looked up in its shards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from drylab.errors import LibraryError
from drylab.library import layout, places


def present(keys: NDArray[np.uint64], files: Iterable[str], mw: tuple[float, float]) -> NDArray[np.bool_]:
    """(n,) bool: which of (n, 2) uint64 keys a shard has, in a row group whose weights overlap a range, both ends included.

    files  paths or addresses of shards; only their keys are read, one row group at a time
    Raises LibraryError for a shard that cannot be read.
    """
    found = np.zeros(len(keys), np.bool_)
    if not len(keys):
        return found
    index = np.lexsort((keys[:, 1], keys[:, 0]))
    high, low = keys[index, 0], keys[index, 1]
    for file in files:
        for there in _keys(file, mw):
            found[index[_positions(high, low, there)]] = True
    return found


def _positions(high: NDArray[np.uint64], low: NDArray[np.uint64], there: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Where in sorted keys the keys of (m, 2) ``there`` stand, those that do."""
    at = np.searchsorted(high, there[:, 0], "left")
    hits = []
    while len(at):  # as often as keys share a high word: once, but for chance
        near = at < len(high)
        at, there = at[near], there[near]
        near = high[at] == there[:, 0]
        at, there = at[near], there[near]
        hits.append(at[low[at] == there[:, 1]])
        at = at + 1
    return np.concatenate([np.zeros(0, np.int64), *hits])


def _keys(file: str, mw: tuple[float, float]) -> Iterator[NDArray[np.uint64]]:
    column = layout.ROWS.get_field_index("mw")
    try:
        with places.open_file(file) as source, pq.ParquetFile(source) as shard:
            for group in range(shard.num_row_groups):
                known = shard.metadata.row_group(group).column(column).statistics
                if known is not None and known.has_min_max and (known.max < mw[0] or known.min > mw[1]):
                    continue
                table = shard.read_row_group(group, columns=["key"], use_threads=False)
                yield layout.number_keys(table.column("key"))
    except (OSError, pa.ArrowException) as error:
        said = " ".join(str(error).split())[:300]
        raise LibraryError(f"{file}: cannot be read ({said}); check it with `drylab library verify`") from error
