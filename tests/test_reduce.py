"""Laws of the reducers: merge is associative and commutative, and splitting a library changes nothing."""

import random
from dataclasses import replace
from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drylab.errors import AccountingError
from drylab.kernels.sift import BINS
from drylab.kernels.topk import topk_reference
from drylab.reduce import Audit, Certificate, Contenders, Histogram, Ranks, Tally
from drylab.reduce.audit import audited
from drylab.reduce.best import ROOM
from drylab.types import Rejected

# Few distinct scores and keys, and reference scores within the error of them: ties and overlaps are the hard case.
Row = tuple[float, float, float, int, int]  # score, err, reference score, key
SCORES = st.sampled_from([5.0, 6.0, 6.5, 7.25])


@st.composite
def one_row(draw: st.DrawFn) -> Row:
    score, err = draw(SCORES), draw(st.sampled_from([0.0, 0.25, 1.0]))
    return (
        score,
        err,
        score + draw(st.sampled_from([-1.0, -0.5, 0.0, 1.0])) * err,
        *draw(st.tuples(*[st.integers(0, 3)] * 2)),
    )


ROWS = st.lists(one_row(), max_size=40)


def contenders(k: int, rows: list[tuple[int, Row]]) -> Contenders:
    scores, errs = (np.array([row[at] for _, row in rows], float) for at in (0, 1))
    keys = np.array([row[3:] for _, row in rows], np.uint64).reshape(len(rows), 2)
    numbers = np.array([number for number, _ in rows], np.int64)
    names = np.array([f"m{number}" for number, _ in rows], object)
    return Contenders(k, scores, errs, keys, numbers, names, names).pruned()


def content(c: Contenders) -> tuple[list[tuple[int, float, float, str]], float]:
    return sorted(zip(c.rows.tolist(), c.scores.tolist(), c.errs.tolist(), c.ids, strict=True)), c.dropped


@given(ROWS, st.integers(0, 10), st.integers(1, 7), st.randoms())
def test_the_k_best_of_parts_in_any_order_are_those_of_all_reference_scores(
    rows: list[Row], k: int, size: int, shuffler: random.Random
) -> None:
    """Whatever the errors within the bounds: what goes is never among the k best by reference scores."""
    numbered = list(enumerate(rows))
    whole = contenders(k, numbered)
    shuffler.shuffle(numbered)
    parts = [contenders(k, numbered[i : i + size]) for i in range(0, len(numbered), size)]
    merged = reduce(Contenders.merge, parts, Contenders.empty(k))
    assert content(merged) == content(whole)
    truth = np.array([row[2] for row in rows], float)
    keys = np.array([row[3:] for row in rows], np.uint64).reshape(len(rows), 2)
    best = merged.settled(truth[merged.rows[merged.open()]]).best()
    want = topk_reference(truth, keys, np.arange(len(rows)), k)
    assert best.rows.tolist() == want.tolist()
    assert best.scores.tolist() == truth[want].tolist()
    assert best.ids.tolist() == best.smiles.tolist() == [f"m{i}" for i in want]
    gone = sorted({*range(len(rows))} - {*merged.rows.tolist()})
    assert merged.dropped == max((rows[i][0] + rows[i][1] for i in gone), default=-np.inf)


@given(ROWS, ROWS, ROWS)
def test_merging_contenders_is_associative_and_commutative(a: list[Row], b: list[Row], c: list[Row]) -> None:
    x, y, z = (contenders(5, list(enumerate(rows, start))) for rows, start in ((a, 0), (b, 100), (c, 200)))
    assert content(x.merge(y).merge(z)) == content(x.merge(y.merge(z)))
    assert content(x.merge(y)) == content(y.merge(x))


@given(ROWS, ROWS, st.integers(1, 10))
def test_settling_in_between_changes_no_answer(a: list[Row], b: list[Row], k: int) -> None:
    rows = [*a, *b]
    truth = np.array([row[2] for row in rows], float)

    def settled(c: Contenders) -> Contenders:
        return c.settled(truth[c.rows[c.open()]])

    x, y = contenders(k, list(enumerate(a))), contenders(k, list(enumerate(b, len(a))))
    assert settled(settled(x).merge(y)).best().rows.tolist() == settled(x.merge(y)).best().rows.tolist()
    assert not len(settled(x).open())


def test_contenders_outgrow_their_room_only_by_rows_that_cannot_be_told_apart() -> None:
    alike = contenders(1, [(i, (5.0, 0.25, 5.0, i, 0)) for i in range(ROOM + 5)])
    assert alike.overgrown()
    settled = alike.settled(np.full(ROOM + 5, 5.0))
    assert settled.rows.tolist() == [0]
    assert settled.dropped == 5.0
    assert not contenders(1, [(i, (5.0, 0.0, 5.0, i, 0)) for i in range(ROOM + 5)]).overgrown()


def test_rows_without_a_reference_score_have_no_place() -> None:
    with pytest.raises(AssertionError, match="without its reference score"):
        contenders(1, [(0, (5.0, 0.25, 5.0, 0, 0))]).best()


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=20), st.integers(0, 20))
def test_audits_add(errors: list[tuple[float, float]], cut: int) -> None:
    values, bounds = np.array(errors).reshape(-1, 2), np.array([0.5, 0.25])
    whole = Audit.of(values, bounds, {"audit": len(values)}, len(values))
    one, two = (Audit.of(part, bounds, {"audit": len(part)}, len(part)) for part in (values[:cut], values[cut:]))
    both = two.merge(one)
    assert (both.errors.tolist(), both.rescored, both.audited, both.outside) == (
        whole.errors.tolist(), whole.rescored, whole.audited, whole.outside
    )  # fmt: skip
    assert whole.outside == sum(a > 0.5 or b > 0.25 for a, b in errors)
    assert Audit.of(np.array([[np.nan, 0.1]]), bounds, {}).errors.tolist() == [0.0, 0.1]


def test_one_molecule_in_a_thousand_is_audited() -> None:
    keys = np.random.default_rng(0).integers(0, 2**64, (200_000, 2), np.uint64)
    assert 130 < audited(keys).sum() < 270
    assert audited(keys).tolist() == np.concatenate([audited(keys[:777]), audited(keys[777:])]).tolist()


@pytest.mark.parametrize(("n", "below"), [(1, 0.95), (59, 0.0495), (1000, 0.002991)])
def test_the_share_of_failures_that_an_audit_rules_out(n: int, below: float) -> None:
    """Figures of the rule of three: none of 59 seen is 95 % sure of less than 5 %."""
    certificate = Certificate("float32", "cpu", {"x": 1.0}, {"x": 0.5}, 1, {}, n, 0, 0, None, True)
    share = certificate.failure_rate_below()
    assert share == pytest.approx(below, rel=1e-3)
    assert (1 - share) ** n == pytest.approx(0.05)
    assert replace(certificate, audited=0).failure_rate_below() is None


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


def test_marked_molecules_are_found_in_any_part() -> None:
    keys = np.array([[1, 2], [3, 4], [5, 6]], np.uint64)
    ranks = Ranks.empty(np.array([7.0, -np.inf]), keys[[0, 2]])
    done = ranks.saw(keys[:1]).merge(ranks.saw(keys[1:2]))
    assert done.found.tolist() == [True, False]
    assert ranks.saw(np.array([[1, 3], [5, 6]], np.uint64)).found.tolist() == [False, True]
    assert Ranks.empty(np.zeros(0), keys[:0]).saw(keys).found.tolist() == []


@given(st.lists(st.integers(0, 9), min_size=2, max_size=2))
def test_histograms_and_ranks_add(counts: list[int]) -> None:
    one, two = (Histogram(np.full(BINS + 2, count)) for count in counts)
    assert one.merge(two).counts.tolist() == [sum(counts)] * (BINS + 2)
    ranks = Ranks.empty(np.array([7.0]), np.zeros((1, 2), np.uint64))
    one_rank, other = (replace(ranks, better=np.array([count])) for count in counts)
    assert one_rank.merge(other).better.tolist() == [sum(counts)]
