"""The sieve of a fold against its definition, and that what it calls settled is settled."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drylab.kernels.sift import (
    BINS,
    HISTOGRAM,
    LIMITS,
    LOW,
    RANKS,
    WIDTH,
    Questions,
    bin_of,
    no_counts,
    sift,
    sift_reference,
    unsure,
)

# Values on a coarse grid, so that scores meet limits, marks, bin edges and floors often.
GRID = st.integers(0, 12).map(lambda i: i / 20)


@st.composite
def batches(draw: st.DrawFn):  # type: ignore[no-untyped-def]
    n, c, g = draw(st.integers(0, 12)), draw(st.integers(1, 3)), draw(st.integers(1, 2))
    values = np.array(draw(st.lists(GRID, min_size=n * c, max_size=n * c))).reshape(n, c)
    passes = np.array(draw(st.lists(st.booleans(), min_size=n * g, max_size=n * g)), bool).reshape(n, g)
    keys = np.array(draw(st.lists(st.integers(0, 2), min_size=2 * n, max_size=2 * n)), np.uint64).reshape(n, 2)
    return values, passes, keys, draw(questions(c, g))


@st.composite
def questions(draw: st.DrawFn, c: int, g: int) -> Questions:
    q = draw(st.integers(1, 3))
    column = st.integers(0, c - 1)
    limits = [draw(st.lists(st.tuples(column, st.integers(-1, c - 1), GRID, GRID), max_size=2)) for _ in range(q)]
    marks = [
        sorted(draw(st.lists(st.tuples(st.one_of(GRID, st.just(-np.inf)), *[st.integers(0, 2)] * 2), max_size=3)),
               key=lambda m: (-m[0], *m[1:]))
        for _ in range(q)
    ]  # fmt: skip
    flat, flat_marks = [x for some in limits for x in some], [x for some in marks for x in some]
    return Questions(
        group=np.array([draw(st.integers(0, g - 1)) for _ in range(q)], np.uint32),
        column=np.array([draw(column) for _ in range(q)], np.uint32),
        limit=np.cumsum([0, *map(len, limits)]).astype(np.int32),
        left=np.array([x[0] for x in flat], np.int32),
        right=np.array([x[1] for x in flat], np.int32),
        low=np.array([min(x[2:]) - 0.3 * (x[1] >= 0) for x in flat], np.float64),
        high=np.array([max(x[2:]) for x in flat], np.float64),
        mark=np.cumsum([0, *map(len, marks)]).astype(np.int32),
        mark_score=np.array([m[0] for m in flat_marks], np.float64),
        mark_key=np.array([m[1:] for m in flat_marks], np.uint64).reshape(-1, 2),
    )


@given(batches(), st.data())
def test_sift_is_the_definition(batch, data: st.DataObject) -> None:  # type: ignore[no-untyped-def]
    values, passes, keys, asked = batch
    level = np.array(data.draw(st.lists(st.integers(0, 1), min_size=len(values), max_size=len(values))), np.uint8)
    slack = np.array([[0.05] * values.shape[1], [0.0] * values.shape[1]])
    floor = np.array([data.draw(st.one_of(GRID, st.just(-np.inf))) for _ in asked.group])
    counts = no_counts(asked)
    who, row = sift(values, level, slack, passes, keys, asked, floor, counts)
    want, candidates = sift_reference(values, level, slack, passes, keys, asked, floor)
    for name in want._fields:
        assert getattr(counts, name).tolist() == getattr(want, name).tolist(), name
    assert sorted(zip(who.tolist(), row.tolist(), strict=True)) == sorted(candidates)


@given(batches(), st.sampled_from([0.0, 0.01, 0.04]))
def test_what_is_settled_comes_out_alike_for_every_value_within_the_slack(batch, off: float) -> None:  # type: ignore[no-untyped-def]
    """Each row at the corners of its box of possible values: the counts of a row that is not unsure never change."""
    values, passes, keys, asked = batch
    values = values[:4] + 0.023
    slack = np.full(values.shape[1], off)
    why = unsure(values, slack, passes, asked, True)
    level, floor = np.zeros(1, np.uint8), np.full(len(asked.group), -np.inf)
    for i in np.flatnonzero(why == 0):
        outcomes = set()
        for signs in product((-1, 0, 1), repeat=values.shape[1]):
            moved = values[i : i + 1] + off * np.array(signs)
            counts, _ = sift_reference(moved, level, slack[None], passes[i : i + 1], keys[i : i + 1], asked, floor)
            outcomes.add(b"".join(part.tobytes() for part in counts[:3]))
        assert len(outcomes) == 1


def one(**more: object) -> Questions:
    """A single question of one column."""
    none, floats = np.zeros(0, np.int32), np.zeros(0)
    zero, empty = np.zeros(1, np.uint32), np.zeros(2, np.int32)
    plain = Questions(zero, zero, empty, none, none, floats, floats, empty, floats, np.zeros((0, 2), np.uint64))
    return plain._replace(**more)


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (one(limit=np.array([0, 1], np.int32), left=np.zeros(1, np.int32), right=np.full(1, -1, np.int32),
             low=np.array([5.05]), high=np.array([np.inf])), LIMITS),
        (one(mark=np.array([0, 1], np.int32), mark_score=np.array([5.05]), mark_key=np.zeros((1, 2), np.uint64)), RANKS),
        (one(), 0),
    ],
)  # fmt: skip
def test_rows_near_what_decides_are_unsure(asked: Questions, why: int) -> None:
    values = np.array([[5.0], [5.049], [5.05], [5.051], [5.06], [5.0999], [5.1001]])
    passes = np.ones((7, 1), bool)
    assert unsure(values, np.array([0.002]), passes, asked, False).tolist() == [0, why, why, why, 0, 0, 0]
    near_edge = unsure(values, np.array([0.002]), passes, asked, True) & HISTOGRAM
    first = 0 if why == LIMITS else HISTOGRAM  # what a limit takes out for sure is in no bin
    assert near_edge.tolist() == [first, 0, 0, 0, 0, HISTOGRAM, HISTOGRAM]
    assert not unsure(values, np.array([0.0]), passes, one(), True).any()


@given(st.lists(st.floats(-30, 30), min_size=1, max_size=50))
def test_bins_cover_every_score_in_order(scores: list[float]) -> None:
    bins = [bin_of(score) for score in sorted(scores)]
    assert bins == sorted(bins)
    assert [b == 0 for b in bins] == [score < LOW for score in sorted(scores)]
    assert [b == BINS + 1 for b in bins] == [np.floor((score - LOW) / WIDTH) >= BINS for score in sorted(scores)]


def test_what_is_not_a_number_writes_into_the_table() -> None:
    assert [bin_of(score) for score in (np.nan, -np.inf, np.inf)] == [0, 0, BINS + 1]


def test_more_candidates_than_the_room_there_was_at_first() -> None:
    n = 3000
    values, passes = np.linspace(1, 9, n)[:, None], np.ones((n, 1), bool)
    keys, level = np.zeros((n, 2), np.uint64), np.zeros(n, np.uint8)
    asked = one()
    who, row = sift(values, level, np.zeros((1, 1)), passes, keys, asked, np.array([2.0]), no_counts(asked))
    assert row.tolist() == np.flatnonzero(values[:, 0] >= 2.0).tolist()
    assert not who.any()
