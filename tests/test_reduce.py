"""Laws of the reducers: merge is associative and commutative, and splitting a library changes nothing."""

import random
from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drylab.errors import AccountingError
from drylab.kernels.topk import topk_reference
from drylab.reduce import BINS, LOW, WIDTH, Histogram, Ranks, Tally, TopK
from drylab.types import Rejected

# Few distinct scores and keys: ties are the hard case.
Row = tuple[float, int, int]
ROWS = st.lists(st.tuples(st.sampled_from([5.0, 6.0, 6.5, 7.25]), st.integers(0, 3), st.integers(0, 3)), max_size=40)


def top(k: int, rows: list[tuple[int, Row]]) -> TopK:
    scores = np.array([row[0] for _, row in rows])
    keys = np.array([row[1:] for _, row in rows], np.uint64).reshape(len(rows), 2)
    numbers = np.array([number for number, _ in rows], np.int64)
    names = np.array([f"m{number}" for number, _ in rows], object)
    return TopK.empty(k).merge(TopK(k, scores, keys, numbers, names, names))


@given(ROWS, st.integers(0, 10), st.integers(1, 7), st.randoms())
def test_topk_of_parts_in_any_order_is_topk_of_all(rows: list[Row], k: int, size: int, shuffler: random.Random) -> None:
    numbered = list(enumerate(rows))
    whole = top(k, numbered)
    shuffler.shuffle(numbered)
    parts = [top(k, numbered[i : i + size]) for i in range(0, len(numbered), size)]
    merged = reduce(TopK.merge, parts, TopK.empty(k))
    keys = np.array([row[1:] for row in rows], np.uint64).reshape(len(rows), 2)
    best = topk_reference(np.array([row[0] for row in rows]), keys, np.arange(len(rows)), k)
    assert merged.rows.tolist() == whole.rows.tolist() == best.tolist()
    assert merged.ids.tolist() == [f"m{i}" for i in best]


@given(ROWS, ROWS, ROWS)
def test_topk_merge_is_associative_and_commutative(a: list[Row], b: list[Row], c: list[Row]) -> None:
    x, y, z = top(5, list(enumerate(a))), top(5, list(enumerate(b, 100))), top(5, list(enumerate(c, 200)))
    assert x.merge(y).merge(z).rows.tolist() == x.merge(y.merge(z)).rows.tolist()
    assert x.merge(y).rows.tolist() == y.merge(x).rows.tolist()


def test_threshold_opens_until_k_rows_are_there() -> None:
    assert top(3, [(0, (5.0, 0, 0))]).threshold() == -np.inf
    assert top(1, [(0, (5.0, 0, 0)), (1, (6.0, 0, 0))]).threshold() == 6.0
    assert TopK.empty(0).threshold() == -np.inf


@given(st.lists(st.integers(0, 5), min_size=6, max_size=6))
def test_tally_adds_and_checks(counts: list[int]) -> None:
    a, b, c, d, e, f = counts
    one = Tally(a + b + c, c, {"x": a}, {"rule": b})
    two = Tally(d + e + f, f, {"y": d}, {"rule": e})
    both = one.merge(two)
    assert both == two.merge(one)
    both.check(sum(counts))
    assert both.filtered == {"rule": b + e}
    with pytest.raises(AccountingError, match="rows do not add up"):
        both.check(sum(counts) + 1)


def test_tally_that_loses_a_row_is_refused() -> None:
    with pytest.raises(AccountingError, match="read 3, rejected \\+ filtered \\+ scored 2, library 3"):
        Tally(3, 2).check(3)


def test_rejected_rows_come_out_in_library_order() -> None:
    rows = [Rejected("library", n, f"m{n}", "x", "parse", "bad") for n in (5, 1, 3)]
    one, two = Tally(rows=(rows[0],)), Tally(rows=(rows[1], rows[2]))
    assert [row.row for row in one.merge(two).rows] == [1, 3, 5]


@given(st.lists(st.floats(-30, 30), max_size=50), st.integers(0, 50))
def test_histogram_counts_every_score_once(scores: list[float], cut: int) -> None:
    values = np.array(scores)
    whole = Histogram().add(values)
    assert whole.counts.sum() == len(values)
    parts = Histogram().add(values[:cut]).merge(Histogram().add(values[cut:]))
    assert parts.counts.tolist() == whole.counts.tolist()
    assert whole.counts[0] == (values < LOW).sum()
    assert whole.counts[-1] == (np.floor((values - LOW) / WIDTH) >= BINS).sum()


@given(ROWS, ROWS, st.integers(0, 40))
def test_ranks_are_places_in_the_sorted_library(rows: list[Row], marks: list[Row], cut: int) -> None:
    def columns(of: list[Row]) -> tuple[np.ndarray, np.ndarray]:
        return np.array([r[0] for r in of], float), np.array([r[1:] for r in of], np.uint64).reshape(len(of), 2)

    scores, keys = columns(rows)
    empty = Ranks.empty(*columns(marks))
    parts = [empty.saw(keys[part]).add(scores[part], keys[part]) for part in (slice(0, cut), slice(cut, None))]
    done = parts[0].merge(parts[1])
    assert done.better.tolist() == [sum((-s, a, b) < (-ms, ma, mb) for s, a, b in rows) for ms, ma, mb in marks]
    assert done.found.tolist() == [any((a, b) == (ma, mb) for _, a, b in rows) for _, ma, mb in marks]
