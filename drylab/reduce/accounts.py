"""Where every row went, how the scores are spread, and where the marked molecules stand: sums over all rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from drylab.errors import AccountingError
from drylab.kernels.sift import BINS
from drylab.types import Rejected

REJECTED_KEPT = 100_000  # rows written out one by one; counts stay exact past it


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
        rows = self.rows or other.rows
        if self.rows and other.rows:
            rows = tuple(sorted((*self.rows, *other.rows), key=lambda row: (row.row, row.source))[:REJECTED_KEPT])
        return Tally(
            self.read + other.read,
            self.scored + other.scored,
            added(self.rejected, other.rejected),
            added(self.filtered, other.filtered),
            rows,
            added(self.declined, other.declined),
        )

    def check(self, expected: int) -> None:
        """read = rejected + filtered + scored = what the library holds. Raises AccountingError."""
        out = sum(self.rejected.values()) + sum(self.filtered.values()) + self.scored
        if self.read != out or self.read != expected:
            raise AccountingError(
                f"rows do not add up: read {self.read}, rejected + filtered + scored {out}, library {expected}; "
                "this is a fault in drylab, please report it"
            )


def added(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    """The sum of two counts by name."""
    return {name: one.get(name, 0) + other.get(name, 0) for name in sorted({*one, *other})}


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts of scores: (BINS + 2,) int64, in the bins of ``drylab.kernels.sift``."""

    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(BINS + 2, np.int64))

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

    def merge(self, other: Ranks) -> Ranks:
        """Sums, and found in either."""
        return Ranks(self.scores, self.keys, self.better + other.better, self.found | other.found)
