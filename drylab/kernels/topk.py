"""The k best rows of a batch under the total order (score falling, key rising, row rising); exact under ties.

A threshold first, then a sort of what is left: the k-th best score is found by selection in O(n), rows below it go, and
only the survivors (k and the ties of the last) are sorted. Scores are float64 and finite; keys (n, 2) uint64, high word
first; rows (n,) int64. The result is (min(k, n),) int64 positions, best first. Edges: n = 0 or k = 0 gives none.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def topk(scores: NDArray[np.float64], keys: NDArray[np.uint64], rows: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """Positions of the k best, best first."""
    n = len(scores)
    if n == 0 or k == 0:
        return np.zeros(0, np.int64)
    if n > k:
        threshold = np.partition(scores, n - k)[n - k]
        kept = np.flatnonzero(scores >= threshold)
    else:
        kept = np.arange(n)
    order = np.lexsort((rows[kept], keys[kept, 1], keys[kept, 0], -scores[kept]))
    return kept[order[:k]].astype(np.int64)


def topk_reference(
    scores: NDArray[np.float64], keys: NDArray[np.uint64], rows: NDArray[np.int64], k: int
) -> NDArray[np.int64]:
    """The same by sorting Python tuples: the definition."""
    order = sorted(range(len(scores)), key=lambda i: (-scores[i], int(keys[i, 0]), int(keys[i, 1]), int(rows[i])))
    return np.array(order[:k], dtype=np.int64)


def count_better(
    scores: NDArray[np.float64], keys: NDArray[np.uint64], marks: NDArray[np.float64], mark_keys: NDArray[np.uint64]
) -> NDArray[np.int64]:
    """(m,) int64: for each of m marks (score and key), how many rows stand before it in the order (score, key)."""
    by_score = np.sort(scores)
    better = len(scores) - np.searchsorted(by_score, marks, side="right")
    for i in np.flatnonzero(np.isin(marks, scores)):
        tied = keys[scores == marks[i]]
        smaller = (tied[:, 0] < mark_keys[i, 0]) | ((tied[:, 0] == mark_keys[i, 0]) & (tied[:, 1] < mark_keys[i, 1]))
        better[i] += int(smaller.sum())
    return better.astype(np.int64)
