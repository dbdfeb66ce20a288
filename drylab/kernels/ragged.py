"""Ragged columns: some rows of them; and on a GPU, from rows with gaps between them to rows one behind the other.

A kernel with one thread a molecule does not know where its row starts before all others have counted theirs. So each
writes where there is room for the longest row, counts, and ``compacted`` moves every row to its place with one warp.
"""

from __future__ import annotations

from typing import Any

from numba import cuda

from drylab.device import array_module

WARP = 32
ROWS = 4  # of a block


@cuda.jit
def compact_kernel(offsets, ptr, source, target):
    """One warp a row: source[offsets[i]:] to target[ptr[i]:ptr[i+1]]."""
    lane, i = cuda.threadIdx.x, cuda.blockIdx.x * cuda.blockDim.y + cuda.threadIdx.y
    if i >= len(ptr) - 1:
        return
    start, first, count = int(offsets[i]), int(ptr[i]), int(ptr[i + 1]) - int(ptr[i])
    for j in range(lane, count, WARP):
        target[first + j] = source[start + j]


def compacted(offsets: Any, ptr: Any, source: Any) -> Any:
    """The rows of ``source`` without gaps: row i starts at offsets[i] there, at ptr[i] here. Integer offsets, (n+1,) both."""
    target = array_module(source).empty(int(ptr[-1]), source.dtype)
    if len(target):
        compact_kernel[(len(ptr) + ROWS - 2) // ROWS, (WARP, ROWS)](offsets, ptr, source, target)
    return target


def picked(ptr: Any, rows: Any) -> tuple[Any, Any]:
    """The offsets of some rows of a ragged column, (k + 1,) of the type of ``ptr``, and the places of their values, int64."""
    xp = array_module(ptr)
    new = xp.zeros(len(rows) + 1, ptr.dtype)
    new[1:] = xp.cumsum(ptr[1:][rows] - ptr[:-1][rows])
    at = xp.arange(int(new[-1]))
    return new, at + (ptr[:-1][rows] - new[:-1])[xp.searchsorted(new[1:], at, side="right")]
