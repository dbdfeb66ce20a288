"""What a batch of scores means for many questions: who is limited, counted, ranked, and may still be among the best.

A batch is n molecules with values (n, c) float64 of c probes. ``level`` (n,) uint8 says how exact a row of them is, and
``slack`` (levels, c) float64 how far a value of that level may be from the reference value, padded for the rounding of
the sums below; 0 is exact. ``passes`` (n, g) bool says which molecules pass which set of rules. For q questions
(``Questions``) a molecule that passes question j's rules

1. is taken out by the first limit whose difference of values (or value) lies outside [low, high], else it is scored:
2. it counts in the histogram's bin of its score, and among the better ones of each mark that it stands before;
3. it is a candidate if score + slack >= floor[j], else it is dropped.

``unsure`` finds the rows for which 1 and 2 hang on what slack leaves open; their values have to be made exact before
``sift`` decides, which then is right whatever the slack. ``sift`` adds to the counts it is given. One pass over the rows,
5 ns a molecule and question on one core where nothing is limited or marked (bench/bench_engine.py times the whole).
Edges: n = 0 adds nothing; q = 0 does not occur; a mark of -inf (a molecule without a score) stands behind all rows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

LIMITS, RANKS, HISTOGRAM = 1, 2, 4  # why a row is unsure: bits
LOW, WIDTH, BINS = 0.0, 0.1, 140  # the histogram's: pActivity 0 to 14, all that chemistry reaches, in tenths


class Questions(NamedTuple):
    """q questions, flat. Columns are those of values.

    group, column  (q,) uint32: set of rules, and column of the score (without a sign: no look for negative indices)
    limit          (q+1,) int32: question j has limits limit[j]:limit[j+1], in the order they are counted
    left, right    (l,) int32: columns; the value is values[left] - values[right], or values[left] where right is -1
    low, high      (l,) float64: what the value may be
    mark           (q+1,) int32: question j has marks mark[j]:mark[j+1], best first by (score, key)
    mark_score     (m,) float64     mark_key  (m, 2) uint64
    """

    group: NDArray[np.uint32]
    column: NDArray[np.uint32]
    limit: NDArray[np.int32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    mark: NDArray[np.int32]
    mark_score: NDArray[np.float64]
    mark_key: NDArray[np.uint64]


class Counts(NamedTuple):
    """What ``sift`` adds to, and raises.

    taken    (l,) int64: rows that each limit took out
    bins     (q, BINS + 2) int64: scored rows, below LOW first, above the last bin last
    before   (m,) int64: rows whose first mark behind them is this one; summed along a question's marks, its rows before each
    dropped  (q,) float64: the greatest that a reference score of a dropped row can be
    """

    taken: NDArray[np.int64]
    bins: NDArray[np.int64]
    before: NDArray[np.int64]
    dropped: NDArray[np.float64]


def no_counts(questions: Questions) -> Counts:
    """Nothing seen yet."""
    q = len(questions.group)
    return Counts(
        np.zeros(len(questions.left), np.int64),
        np.zeros((q, BINS + 2), np.int64),
        np.zeros(len(questions.mark_score), np.int64),
        np.full(q, -np.inf),
    )


@njit(cache=True, nogil=True, inline="always")
def bin_of(score):
    """0 below LOW (and for what is not a number), 1 to BINS, BINS + 1 above; it never falls as the score rises."""
    at = (score - LOW) / WIDTH
    if not at >= 0:
        return 0
    return BINS + 1 if at >= BINS else int(at) + 1


@njit(cache=True, nogil=True)
def _first_at_most(mark_score, start, stop, score):
    """The first of the falling mark_score[start:stop] that is <= score."""
    while start < stop:
        middle = (start + stop) // 2
        if mark_score[middle] <= score:
            stop = middle
        else:
            start = middle + 1
    return start


@njit(cache=True, nogil=True)
def _first_behind(mark_score, mark_key, start, stop, score, high, low):
    """The first of the marks start:stop that (score, key) stands before."""
    while start < stop:
        middle = (start + stop) // 2
        mark = mark_score[middle]
        before = score > mark
        if score == mark:
            before = high < mark_key[middle, 0] or (high == mark_key[middle, 0] and low < mark_key[middle, 1])
        if before:
            stop = middle
        else:
            start = middle + 1
    return start


@njit(cache=True, nogil=True)
def unsure(values, slack, passes, q, edges):
    """(n,) uint8: why each row, of values that are off by at most ``slack`` (c,), is not settled; 0 for one that is.

    edges: whether the histogram is to be settled
    """
    # Taken out of the tuple once: each look into it inside the loops would count references to ten arrays.
    group, column, limit, left, right, low, high = q.group, q.column, q.limit, q.left, q.right, q.low, q.high
    mark, mark_score = q.mark, q.mark_score
    why = np.zeros(len(values), np.uint8)
    # Of a hundred targets many have nothing that slack could leave open.
    asked = np.flatnonzero(edges | (limit[1:] > limit[:-1]) | (mark[1:] > mark[:-1])).astype(np.uint32)
    for i in range(len(values)):
        for j in asked:
            if not passes[i, group[j]]:
                continue
            limited = False
            for r in range(limit[j], limit[j + 1]):
                value, off = values[i, left[r]], slack[left[r]]
                if right[r] >= 0:
                    value, off = value - values[i, right[r]], off + slack[right[r]]
                if value + off < low[r] or value - off > high[r]:
                    limited = True  # taken out for sure
                elif value - off < low[r] or value + off > high[r]:
                    limited = True
                    why[i] |= LIMITS
                if limited:
                    break
            if limited:
                continue
            score, off = values[i, column[j]], slack[column[j]]
            if mark[j] < mark[j + 1]:
                near = _first_at_most(mark_score, mark[j], mark[j + 1], score + off)
                if near < mark[j + 1] and mark_score[near] >= score - off:
                    why[i] |= RANKS
            if edges and bin_of(score - off) != bin_of(score + off):
                why[i] |= HISTOGRAM
    return why


@njit(cache=True, nogil=True)
def sift(values, level, slack, passes, keys, q, floor, counts):
    """Add a batch to ``counts``; gives (who (p,) int32, row (p,) int32): question and row of each candidate."""
    group, column, limit, left, right, low, high = q.group, q.column, q.limit, q.left, q.right, q.low, q.high
    mark, mark_score, mark_key = q.mark, q.mark_score, q.mark_key
    taken, bins, before, dropped = counts.taken, counts.bins, counts.before, counts.dropped
    most = len(values) * len(group)  # memory that is not written is not taken
    who, row = np.empty(most, np.int32), np.empty(most, np.int32)
    p = 0
    for i in range(len(values)):
        value_of, off_of, pass_of = values[i], slack[level[i]], passes[i]
        for j in range(len(group)):
            if not pass_of[group[j]]:
                continue
            limited = False
            for r in range(limit[j], limit[j + 1]):
                value = value_of[left[r]]
                if right[r] >= 0:
                    value -= value_of[right[r]]
                if value < low[r] or value > high[r]:
                    taken[r] += 1
                    limited = True
                    break
            if limited:
                continue
            score = value_of[column[j]]
            bins[j, bin_of(score)] += 1
            if mark[j] < mark[j + 1]:
                behind = _first_behind(mark_score, mark_key, mark[j], mark[j + 1], score, keys[i, 0], keys[i, 1])
                if behind < mark[j + 1]:
                    before[behind] += 1
            top = score + off_of[column[j]]
            if top < floor[j]:
                dropped[j] = max(dropped[j], top)
                continue
            who[p], row[p] = j, i
            p += 1
    return who[:p].copy(), row[:p].copy()


def sift_reference(values, level, slack, passes, keys, q, floor):
    """The same one molecule and question after the other: (counts, [(question, row) of each candidate])."""
    counts, candidates = no_counts(q), []
    for i, j in np.ndindex(len(values), len(q.group)):
        if not passes[i, q.group[j]]:
            continue
        for r in range(q.limit[j], q.limit[j + 1]):
            value = values[i, q.left[r]] - (values[i, q.right[r]] if q.right[r] >= 0 else 0.0)
            if not q.low[r] <= value <= q.high[r]:
                counts.taken[r] += 1
                break
        else:
            score = values[i, q.column[j]]
            counts.bins[j, np.clip(np.floor((score - LOW) / WIDTH), -1, BINS).astype(int) + 1] += 1
            order = (-score, *keys[i].tolist())
            marks = range(q.mark[j], q.mark[j + 1])
            behind = [m for m in marks if order < (-q.mark_score[m], *q.mark_key[m].tolist())]
            if behind:
                counts.before[behind[0]] += 1
            top = score + slack[level[i], q.column[j]]
            if top >= floor[j]:
                candidates.append((j, i))
            else:
                counts.dropped[j] = max(counts.dropped[j], top)
    return counts, candidates
