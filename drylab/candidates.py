"""What a worker keeps of the rows it has seen: those that can still be among the best, as numbers; their text comes last."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from drylab.kernels.topk import kth_best_on_cpu

ROOM = 1024  # candidates of a question past its k, before those that cannot enter are looked for


@dataclass(frozen=True, slots=True)
class Rows:
    """Candidates: question who (p,) int64, row at (p,) int64 within the shard, scores and errs (p,) float64."""

    who: NDArray[np.int64]
    at: NDArray[np.int64]
    scores: NDArray[np.float64]
    errs: NDArray[np.float64]

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.int64] | slice) -> Rows:
        """Some of them."""
        return Rows(*(getattr(self, column.name)[chosen] for column in fields(self)))


@dataclass(slots=True)
class Floors:
    """The k-th greatest ``score - err`` of each question over all shards that this process has folded in one fold.

    A row whose score + err is below cannot be among the k best of the library, whatever the other workers find: so a shard
    after the first gives few candidates. It belongs to one fold of one library. A shard that is folded again, as Dask does
    when an answer is lost, teaches nothing new.
    """

    k: NDArray[np.int64]
    floor: NDArray[np.float64] = field(init=False)
    best: list[NDArray[np.float64]] = field(init=False)
    seen: set[Hashable] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.floor = np.where(self.k > 0, -np.inf, np.inf)
        self.best = [np.zeros(0)] * len(self.k)

    def learn(self, shard: Hashable, rows: Rows, ends: NDArray[np.int64]) -> None:
        """Candidates of a shard, in the order of their questions: those of question j are ends[j]:ends[j+1]."""
        if shard in self.seen:
            return
        self.seen.add(shard)
        lower = rows.scores - rows.errs
        for j in np.flatnonzero(np.diff(ends)):
            k = int(self.k[j])
            best = np.concatenate([self.best[j], lower[ends[j] : ends[j + 1]]])
            if len(best) >= k:
                self.floor[j] = kth_best_on_cpu(best, k)
                best = best[np.argpartition(best, len(best) - k)[len(best) - k :]]
            self.best[j] = best


class Candidates:
    """Candidates of a shard, added a batch at a time; ``floor`` rises, and ``dropped`` says how high a lost row may reach."""

    def __init__(self, k: NDArray[np.int64], floor: NDArray[np.float64]) -> None:
        self.k, self.floor = k, floor.copy()
        self.dropped = np.full(len(k), -np.inf)
        self._parts: list[Rows] = []
        self._count = np.zeros(len(k), np.int64)
        self._full = k + np.maximum(k, ROOM)

    def add(self, rows: Rows) -> None:
        """More of them; where a question has many, those that cannot enter go."""
        if not len(rows.who):
            return
        self._parts.append(rows)
        self._count += np.bincount(rows.who, minlength=len(self.k))
        if (self._count > self._full).any():
            kept, ends = self.rest()
            self._parts, self._count = [kept], np.diff(ends)
            self._full = np.maximum(
                self._full, 2 * self._count
            )  # rows that cannot be told apart are not asked again at once

    def rest(self) -> tuple[Rows, NDArray[np.int64]]:
        """What is left, in the order of the questions, and where each question's begin and end (q+1,)."""
        parts = self._parts or [Rows(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), np.zeros(0))]
        rows = Rows(*(np.concatenate([getattr(part, column.name) for part in parts]) for column in fields(Rows)))
        if len(self.k) > 1:
            rows = rows.take(np.argsort(rows.who, kind="stable"))
        ends = np.searchsorted(rows.who, np.arange(len(self.k) + 1))
        lower = rows.scores - rows.errs
        for j in np.flatnonzero(np.diff(ends) > self.k):
            kth = kth_best_on_cpu(lower[ends[j] : ends[j + 1]], int(self.k[j]))
            self.floor[j] = max(self.floor[j], kth)
        upper = rows.scores + rows.errs
        enters = upper >= self.floor[rows.who]
        np.maximum.at(self.dropped, rows.who[~enters], upper[~enters])
        rows = rows.take(enters)
        return rows, np.searchsorted(rows.who, np.arange(len(self.k) + 1))
