"""The best rows: those that may be among the k best while a fold runs, and the k best when it is over."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drylab.kernels.topk import kth_best_on_cpu, topk


@dataclass(frozen=True, slots=True)
class TopK:
    """The k best rows, best first, under the total order (score, key, row), by reference scores.

    scores (m,) float64, keys (m, 2) uint64, rows (m,) int64 library rows, ids and smiles (m,) str objects; m <= k
    """

    k: int
    scores: NDArray[np.float64]
    keys: NDArray[np.uint64]
    rows: NDArray[np.int64]
    ids: NDArray[np.object_]
    smiles: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.scores)


@dataclass(frozen=True, slots=True)
class Contenders:
    """The rows that may be among the k best, in any order.

    scores, errs (m,) float64: a row's reference score lies in [score - err, score + err]; with err 0 it is the score
    keys (m, 2) uint64, rows (m,) int64 library rows, ids and smiles (m,) str objects
    dropped  the greatest that the reference score of a row that is not kept can be; -inf where none was dropped

    A row goes when k others are above it for sure: where score + err is below the k-th greatest score - err, and, among
    rows whose err is 0, by the total order (score, key, row). What is left does not depend on the order of merging.
    """

    k: int
    scores: NDArray[np.float64]
    errs: NDArray[np.float64]
    keys: NDArray[np.uint64]
    rows: NDArray[np.int64]
    ids: NDArray[np.object_]
    smiles: NDArray[np.object_]
    dropped: float = -np.inf

    @staticmethod
    def empty(k: int, dropped: float = -np.inf) -> Contenders:
        """Nothing seen yet, or nothing that can enter."""
        floats, none = np.zeros(0), np.zeros(0, object)
        return Contenders(k, floats, floats, np.zeros((0, 2), np.uint64), np.zeros(0, np.int64), none, none, dropped)

    def merge(self, other: Contenders) -> Contenders:
        """Those of both that may still be among the k best."""
        if not len(self) or not len(other):
            return replace(self if len(self) else other, dropped=max(self.dropped, other.dropped))
        both: dict[str, Any] = {name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in _COLUMNS}
        return replace(self, **both, dropped=max(self.dropped, other.dropped)).pruned()

    def pruned(self) -> Contenders:
        """Without the rows that k others are above."""
        kept = _kept(self.k, self.scores, self.errs, self.keys, self.rows)
        if len(kept) == len(self):
            return self
        gone = np.ones(len(self), bool)
        gone[kept] = False
        dropped = max(self.dropped, float((self.scores[gone] + self.errs[gone]).max()))
        return replace(self.take(kept), dropped=dropped)

    def take(self, at: NDArray[np.int64]) -> Contenders:
        """The rows at these positions."""
        return replace(self, **{name: getattr(self, name)[at] for name in _COLUMNS})

    def open(self) -> NDArray[np.int64]:
        """Positions of the rows whose reference score is not known."""
        return np.flatnonzero(self.errs > 0)

    def overgrown(self) -> bool:
        """Whether so many rows cannot be told apart that their reference scores are worth the time: memory is bounded."""
        return len(self) > 4 * self.k + ROOM and bool((self.errs > 0).any())

    def settled(self, scores: NDArray[np.float64]) -> Contenders:
        """With the reference scores of the rows that are ``open``."""
        exact = self.scores.copy()
        exact[self.open()] = scores
        return replace(self, scores=exact, errs=np.zeros(len(self))).pruned()

    def best(self) -> TopK:
        """The k best, once all is settled."""
        assert not len(self.open()), "a row without its reference score has no place"
        order = topk(self.scores, self.keys, self.rows, self.k)
        best = self.take(order)
        return TopK(self.k, best.scores, best.keys, best.rows, best.ids, best.smiles)

    def __len__(self) -> int:
        return len(self.scores)


_COLUMNS = ("scores", "errs", "keys", "rows", "ids", "smiles")
ROOM = 4096  # contenders, past four times k


def _kept(
    k: int,
    scores: NDArray[np.float64],
    errs: NDArray[np.float64],
    keys: NDArray[np.uint64],
    rows: NDArray[np.int64],
) -> NDArray[np.int64]:
    """(m,) positions, rising, of the rows that k others are not above for sure."""
    if len(scores) <= k or k == 0:
        return np.arange(len(scores) if k else 0)
    left = np.flatnonzero(scores + errs >= kth_best_on_cpu(scores - errs, k))
    exact = left[errs[left] == 0]
    if len(exact) <= k:
        return left
    best = exact[topk(scores[exact], keys[exact], rows[exact], k)]
    return np.sort(np.concatenate([left[errs[left] > 0], best]))
