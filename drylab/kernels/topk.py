"""The k best rows of a batch under the total order (score falling, key rising, row rising); exact under ties.

A threshold first, then a sort of what is left: the k-th best score is found by selection in O(n), rows below it go, and
only the survivors (k and the ties of the last) are sorted. Scores are float64 and finite; keys (n, 2) uint64, high word
first; rows (n,) int64, not negative. The result is (min(k, n),) int64 positions, best first. Limits: n < 2**31.
Edges: n = 0 or k = 0 gives none.

Selection. On the CPU NumPy's introselect. On a GPU a radix selection: scores become integers of the same order, and six
counts of 11 bits each, high bits first, close in on the k-th; a block counts in shared memory and adds to the whole once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cuda
from numpy.typing import NDArray

from drylab.device import array_module, on_device, to_host

DIGIT_BITS = 11
DIGITS = 1 << DIGIT_BITS
THREADS = 256
BLOCKS = 528  # four to each of an H200's 132 multiprocessors


@cuda.jit
def count_digits(ordered, prefix, shift, counts):
    """counts[d] = how many of ``ordered`` have the bits of ``prefix`` above ``shift`` + DIGIT_BITS and the digit d at shift."""
    local = cuda.shared.array(DIGITS, np.int32)
    for d in range(cuda.threadIdx.x, DIGITS, cuda.blockDim.x):
        local[d] = 0
    cuda.syncthreads()
    above = np.uint64(shift + DIGIT_BITS)
    for i in range(cuda.grid(1), len(ordered), cuda.gridsize(1)):
        value = ordered[i]
        # A shift by 64 is undefined: the first digit has nothing above it.
        if shift + DIGIT_BITS >= 64 or (value >> above) == prefix:
            cuda.atomic.add(local, int((value >> np.uint64(shift)) & np.uint64(DIGITS - 1)), 1)
    cuda.syncthreads()
    for d in range(cuda.threadIdx.x, DIGITS, cuda.blockDim.x):
        if local[d]:
            cuda.atomic.add(counts, d, local[d])


def in_order(scores: Any) -> Any:
    """(n,) uint64 in the order of the finite float64 ``scores``; 0.0 and -0.0 are one."""
    xp = array_module(scores)
    bits = (scores + 0.0).view(xp.uint64)
    sign = xp.uint64(1 << 63)
    return xp.where((bits & sign) > 0, ~bits, bits | sign)


def kth_best_on_cpu(scores: NDArray[np.float64], k: int) -> float:
    """The k-th greatest of n >= k >= 1 float64 scores."""
    at = len(scores) - k
    return float(np.partition(scores, at)[at])


def kth_best_on_gpu(scores: Any, k: int) -> float:
    """The GPU twin of ``kth_best_on_cpu``, by radix selection; also what the CUDA simulator runs."""
    xp, ordered = array_module(scores), in_order(scores)
    prefix, left = 0, k
    blocks = max(1, min(BLOCKS, (len(ordered) + THREADS - 1) // THREADS))
    for shift in range(5 * DIGIT_BITS, -1, -DIGIT_BITS):
        counts = xp.zeros(DIGITS, xp.int32)
        count_digits[blocks, THREADS](ordered, np.uint64(prefix), shift, counts)
        host = to_host(counts)
        at_least = np.cumsum(host[::-1])
        digit = DIGITS - 1 - int(np.searchsorted(at_least, left))
        left -= int(at_least[DIGITS - 1 - digit]) - int(host[digit])
        prefix = prefix << DIGIT_BITS | digit
    found = prefix ^ (1 << 63) if prefix >> 63 else ~prefix & (2**64 - 1)
    return float(np.array([found], np.uint64).view(np.float64)[0])


def topk(scores: Any, keys: Any, rows: Any, k: int) -> Any:
    """Positions of the k best, best first, on the device of the scores."""
    xp, n = array_module(scores), len(scores)
    if n == 0 or k == 0:
        return xp.zeros(0, xp.int64)
    if n > k:
        threshold = kth_best_on_gpu(scores, k) if on_device(scores) else kth_best_on_cpu(scores, k)
        kept = xp.flatnonzero(scores >= threshold)
    else:
        kept = xp.arange(n)
    order = xp.lexsort(xp.stack((rows[kept].astype(xp.uint64), keys[kept, 1], keys[kept, 0], ~in_order(scores[kept]))))
    return kept[order[:k]].astype(xp.int64)


def topk_reference(
    scores: NDArray[np.float64], keys: NDArray[np.uint64], rows: NDArray[np.int64], k: int
) -> NDArray[np.int64]:
    """The same by sorting Python tuples: the definition."""
    order = sorted(range(len(scores)), key=lambda i: (-scores[i], int(keys[i, 0]), int(keys[i, 1]), int(rows[i])))
    return np.array(order[:k], dtype=np.int64)
