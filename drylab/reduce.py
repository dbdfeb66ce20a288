"""What a fold keeps: commutative monoids. Each has an empty value, ``add`` for a batch and ``merge`` for two answers.

merge is associative and commutative, and add(state, batch) == merge(state, add(empty, batch)): so neither the order of
the shards, nor the number of workers, nor the batch size can change an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from drylab.errors import AccountingError
from drylab.kernels.topk import count_better, topk
from drylab.types import Rejected

REJECTED_KEPT = 100_000  # rows written out one by one; counts stay exact past it


@dataclass(frozen=True, slots=True)
class TopK:
    """The k best rows seen, best first, under the total order (score, key, row).

    scores (m,) float64, keys (m, 2) uint64, rows (m,) int64 library rows, ids and smiles (m,) str objects; m <= k
    """

    k: int
    scores: NDArray[np.float64]
    keys: NDArray[np.uint64]
    rows: NDArray[np.int64]
    ids: NDArray[np.object_]
    smiles: NDArray[np.object_]

    @staticmethod
    def empty(k: int) -> TopK:
        """Nothing seen yet."""
        none = np.zeros(0, object)
        return TopK(k, np.zeros(0), np.zeros((0, 2), np.uint64), np.zeros(0, np.int64), none, none)

    def threshold(self) -> float:
        """A row that scores below this cannot enter: -inf until k rows are there."""
        return float(self.scores[-1]) if 0 < self.k == len(self.scores) else -np.inf

    def merge(self, other: TopK) -> TopK:
        """The k best of both."""
        scores = np.concatenate([self.scores, other.scores])
        keys, rows = np.concatenate([self.keys, other.keys]), np.concatenate([self.rows, other.rows])
        best = topk(scores, keys, rows, self.k)
        ids, smiles = np.concatenate([self.ids, other.ids]), np.concatenate([self.smiles, other.smiles])
        return TopK(self.k, scores[best], keys[best], rows[best], ids[best], smiles[best])

    def __len__(self) -> int:
        return len(self.scores)


@dataclass(frozen=True, slots=True)
class Tally:
    """Where every row went. ``rejected`` and ``filtered`` count by reason; ``rows`` are the first rejected rows.

    ``declined`` counts, by reason, the rows that the parsing kernel left to RDKit, whatever became of them.
    """

    read: int = 0
    scored: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)
    filtered: Mapping[str, int] = field(default_factory=dict)
    rows: tuple[Rejected, ...] = ()
    declined: Mapping[str, int] = field(default_factory=dict)

    def merge(self, other: Tally) -> Tally:
        """Sums."""
        rows = tuple(sorted((*self.rows, *other.rows), key=lambda row: (row.row, row.source))[:REJECTED_KEPT])
        return Tally(
            self.read + other.read,
            self.scored + other.scored,
            _added(self.rejected, other.rejected),
            _added(self.filtered, other.filtered),
            rows,
            _added(self.declined, other.declined),
        )

    def check(self, expected: int) -> None:
        """read = rejected + filtered + scored = what the library holds. Raises AccountingError."""
        out = sum(self.rejected.values()) + sum(self.filtered.values()) + self.scored
        if self.read != out or self.read != expected:
            raise AccountingError(
                f"rows do not add up: read {self.read}, rejected + filtered + scored {out}, library {expected}; "
                "this is a fault in drylab, please report it"
            )


def _added(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in sorted({*one, *other})}


LOW, WIDTH, BINS = 0.0, 0.1, 140  # pActivity 0 to 14: all that chemistry reaches, in tenths


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts of scores: (BINS + 2,) int64, below LOW first, above LOW + BINS * WIDTH last."""

    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(BINS + 2, np.int64))

    def add(self, scores: NDArray[np.float64]) -> Histogram:
        """With a batch of finite scores counted in."""
        bins = np.clip(np.floor((scores - LOW) / WIDTH), -1, BINS).astype(np.int64) + 1
        return Histogram(self.counts + np.bincount(bins, minlength=BINS + 2))

    def merge(self, other: Histogram) -> Histogram:
        """Sums."""
        return Histogram(self.counts + other.counts)


@dataclass(frozen=True, slots=True)
class Ranks:
    """Exact ranks of m marked molecules among all that is scored, whether or not the library holds them.

    scores (m,) float64, keys (m, 2) uint64: the marks; better (m,) int64: scored rows before each; found (m,) bool
    """

    scores: NDArray[np.float64]
    keys: NDArray[np.uint64]
    better: NDArray[np.int64]
    found: NDArray[np.bool_]

    @staticmethod
    def empty(scores: NDArray[np.float64], keys: NDArray[np.uint64]) -> Ranks:
        """No row seen yet."""
        return Ranks(scores, keys, np.zeros(len(scores), np.int64), np.zeros(len(scores), bool))

    def saw(self, keys: NDArray[np.uint64]) -> Ranks:
        """With the keys of a batch as read (n, 2), before any filter."""
        if not len(self.keys):
            return self
        near = keys[np.isin(keys[:, 0], self.keys[:, 0])]
        hit = (near[None, :, :] == self.keys[:, None, :]).all(axis=2).any(axis=1)
        return Ranks(self.scores, self.keys, self.better, self.found | hit)

    def add(self, scores: NDArray[np.float64], keys: NDArray[np.uint64]) -> Ranks:
        """With a batch of scored rows."""
        if not len(self.keys):
            return self
        return Ranks(
            self.scores, self.keys, self.better + count_better(scores, keys, self.scores, self.keys), self.found
        )

    def merge(self, other: Ranks) -> Ranks:
        """Sums, and found in either."""
        return Ranks(self.scores, self.keys, self.better + other.better, self.found | other.found)


@dataclass(frozen=True, slots=True)
class Screened:
    """The answer of a shard, and of a library."""

    top: TopK
    tally: Tally
    histogram: Histogram
    ranks: Ranks

    @staticmethod
    def empty(k: int, ranks: Ranks) -> Screened:
        """Nothing seen yet; ``ranks`` are those of the marked molecules, with no row seen."""
        return Screened(TopK.empty(k), Tally(), Histogram(), ranks)

    def merge(self, other: Screened) -> Screened:
        """Each part merged."""
        return Screened(
            self.top.merge(other.top),
            self.tally.merge(other.tally),
            self.histogram.merge(other.histogram),
            self.ranks.merge(other.ranks),
        )
