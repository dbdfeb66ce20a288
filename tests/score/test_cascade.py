"""The statistics of a cascade: exact against SciPy, covered in simulation, and refused where nothing can be certified."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from drylab.errors import ConfigError
from drylab.score import cascade
from drylab.score.cascade import Claim, binomial_cdf, clopper_pearson, likely_counts, measure, plan, spared, threshold

COUNTS = st.integers(1, 100_000)
SHARES = st.floats(1e-6, 1 - 1e-6)
ROUNDING = 1e-9


@given(COUNTS, st.floats(0, 1), SHARES)
def test_the_binomial_tail_is_scipys(n: int, where: float, p: float) -> None:
    j = round(where * n)
    assert binomial_cdf(j, n, p) == pytest.approx(binom.cdf(j, n, p), rel=1e-7, abs=ROUNDING)


def test_the_binomial_tail_at_its_ends() -> None:
    assert [binomial_cdf(j, 5, 0.3) for j in (-1, 5, 9)] == [0.0, 1.0, 1.0]
    assert [binomial_cdf(2, 5, p) for p in (0.0, 1.0)] == [1.0, 0.0]
    assert binomial_cdf(0, 0, 0.5) == 1.0
    assert binomial_cdf(0, 300, 0.01) == pytest.approx(0.99**300, rel=1e-12)


@given(st.integers(1, 20_000), st.floats(0, 1), st.sampled_from([0.5, 0.9, 0.95, 0.999]))
@settings(deadline=None)
def test_the_interval_is_scipys(n: int, where: float, confidence: float) -> None:
    found = round(where * n)
    want = binomtest(found, n).proportion_ci(confidence, method="exact")
    assert clopper_pearson(found, n, confidence) == pytest.approx((want.low, want.high), abs=ROUNDING)


def test_the_interval_at_its_ends() -> None:
    assert clopper_pearson(0, 0, 0.95) == (0.0, 1.0)
    assert clopper_pearson(300, 300, 0.95)[1] == 1.0
    assert clopper_pearson(0, 300, 0.95)[0] == 0.0
    # The rule of three in its exact, two-sided form: 1 - 0.025 ** (1 / n).
    assert clopper_pearson(0, 300, 0.95)[1] == pytest.approx(1 - 0.025 ** (1 / 300), abs=ROUNDING)


@given(st.integers(1, 10**7), SHARES, st.sampled_from([0.1, 0.01, 0.005]))
@settings(deadline=None)
def test_likely_counts_leave_out_what_they_may_and_no_more(n: int, p: float, error: float) -> None:
    low, high = likely_counts(n, p, error)
    assert binom.cdf(low - 1, n, p) <= error / 2 + ROUNDING
    assert binom.sf(high, n, p) <= error / 2 + ROUNDING
    assert binom.cdf(low, n, p) > error / 2 - ROUNDING
    assert high == 0 or binom.sf(high - 1, n, p) > error / 2 - ROUNDING


def test_300_positives_certify_99_per_cent_and_298_do_not() -> None:
    # 0.99 ** m <= 0.05 from m = 299 on; a tenth of the error is spent elsewhere, so a few more are needed.
    assert spared(299, 0.99, 0.05) == 0
    with pytest.raises(AssertionError, match="fewer positives"):
        spared(298, 0.99, 0.05)
    assert cascade.needed_positives(0.99, 0.95) == 309
    assert spared(473, 0.99, 0.05) == 1  # two misses in 473: P(Bin(473, 0.01) <= 1) = 0.0499
    assert spared(472, 0.99, 0.05) == 0


@given(st.integers(500, 5000), st.floats(0.6, 0.99), st.floats(0.01, 0.2))
def test_more_may_be_spared_of_more_positives_and_at_a_lower_recall(m: int, recall: float, error: float) -> None:
    assert spared(m, recall, error) <= spared(m + 1, recall, error)
    stricter = (1 + recall) / 2
    if stricter**m <= error:
        assert spared(m, recall, error) >= spared(m, stricter, error)
    assert spared(m, recall, error) <= spared(m, recall, 1.5 * error)


def asked(k: int, recall: float = 0.9, confidence: float = 0.9, sample: float = 0.2) -> Claim:
    return plan(k, recall, confidence, sample, "t.yaml:3")


@pytest.mark.parametrize(("k", "recall", "confidence"), [(10_000, 0.99, 0.95), (1_000, 0.9, 0.95), (500, 0.8, 0.99)])
def test_auto_takes_the_smallest_sample(k: int, recall: float, confidence: float) -> None:
    chosen = plan(k, recall, confidence, None, "t.yaml:3")
    assert chosen.positives()[0] == cascade.needed_positives(recall, confidence)
    with pytest.raises(ConfigError, match=r"^t\.yaml:3: a sample of "):
        plan(k, recall, confidence, chosen.sample * 0.99, "t.yaml:3")


def test_auto_takes_no_less_than_two_per_cent() -> None:
    assert plan(1_000_000, 0.99, 0.95, None, "t.yaml:3").sample == 0.02
    assert plan(1_000_000, 0.99, 0.95, 0.001, "t.yaml:3").sample == 0.001


@pytest.mark.parametrize(
    ("k", "recall", "sample", "what"),
    [
        (
            1_000,
            0.99,
            None,
            "no sample of at most half the library holds enough of the 1,000 best in each half, and 309",
        ),
        (10_000, 0.99, 0.01, "a sample of 0.01 holds at least 31 of the 10,000 best in each half, and 309 are needed"),
        (1, 0.5, None, "no sample of at most half"),
        (1_000, 0.9999, 0.5, "lower recall, or use mode: exact"),
    ],
)
def test_what_cannot_be_certified_is_refused_with_numbers_that_would_do(
    k: int, recall: float, sample: float | None, what: str
) -> None:
    with pytest.raises(ConfigError, match=re.escape(what)) as caught:
        plan(k, recall, 0.95, sample, "t.yaml:3")
    enough = int(re.search(r"top_k to at least ([\d,]+)", str(caught.value))[1].replace(",", ""))  # type: ignore[index]
    plan(enough, recall, 0.95, sample, "t.yaml:3")
    with pytest.raises(ConfigError, match="top_k to at least"):
        plan(enough - 1, recall, 0.95, sample, "t.yaml:3")
    proposed = re.search(r"the sample to at least ([\d.e-]+)", str(caught.value))
    if proposed:
        plan(k, recall, 0.95, float(proposed[1]), "t.yaml:3")


def test_a_library_with_hardly_more_than_k_rows_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"holds 10 rows that may become hits, where \d+ are needed"):
        threshold([1.0] * 10, asked(2_000))
    with pytest.raises(ConfigError, match="or use mode: exact"):
        measure([True] * 10, asked(2_000))


def test_the_threshold_lets_through_all_but_the_spared_in_the_worst_case() -> None:
    question = asked(2_000)
    low, high = question.positives()
    assert threshold([5.0] * high, question) == 5.0
    # One bad row among the surest positives is spared; bad rows past the likely positives do not count.
    scores = [1.0, *[5.0] * (high - 1), *[0.0] * 50]
    assert spared(low, 0.9, 0.09) >= 1
    assert threshold(scores, question) == 5.0
    assert threshold([1.0] * high, question) == 1.0


@given(st.integers(0, 2**32 - 1), st.floats(0.6, 0.9))
@settings(deadline=None, max_examples=30)
def test_a_higher_recall_or_confidence_never_raises_the_threshold(seed: int, recall: float) -> None:
    first = np.random.default_rng(seed).normal(size=3_000).tolist()
    base = threshold(first, asked(4_000, recall))
    assert threshold(first, asked(4_000, (1 + recall) / 2)) <= base
    assert threshold(first, asked(4_000, recall, 0.95)) <= base


K, ROWS, DRAWS = 1_500, 20_000, 300


@pytest.mark.parametrize("noise", ["even", "heavy", "ties"])
def test_recall_and_interval_are_covered_as_often_as_promised(noise: str) -> None:
    """300 samples of one library: recall falls short at most as often as allowed, and the interval holds."""
    rng = np.random.default_rng(7)
    full = rng.normal(size=ROWS)
    first = {
        "even": full + rng.normal(size=ROWS),
        "heavy": full + rng.standard_cauchy(size=ROWS),
        "ties": np.round(full + rng.normal(size=ROWS)),
    }[noise]
    best = np.zeros(ROWS, bool)
    best[np.argsort(-full)[:K]] = True
    question = asked(K)
    short = missed = 0
    for _ in range(DRAWS):
        coin = rng.random(ROWS)
        order = np.argsort(-full, kind="stable")
        calibration = order[coin[order] < question.half]
        test = order[(coin[order] >= question.half) & (coin[order] < question.sample)]
        at = threshold(first[calibration].tolist(), question)
        recall = float((first[best] >= at).mean())
        measured = measure((first[test] >= at).tolist(), question)
        short += recall < question.recall
        missed += not measured.low <= recall <= measured.high
    # Three standard deviations of a fair count over what is allowed.
    allowed = DRAWS * 0.1 + 3 * np.sqrt(DRAWS * 0.1 * 0.9)
    assert short <= allowed
    assert missed <= allowed
    # A threshold that simply passed everything would cover as well: this one is of use.
    assert float((first >= at).mean()) < 0.9


def test_what_was_measured_is_plain_where_everything_passes() -> None:
    question = asked(2_000)
    low, high = question.positives()
    found = measure([True] * high, question)
    assert (found.positives, found.found, found.high) == (200, 200, 1.0)
    assert found.low == clopper_pearson(low, low, 1 - 0.9 * (1 - 0.9))[0]
    assert measure([False] * high, question).low == 0.0


@given(st.lists(st.booleans(), min_size=400, max_size=400))
@settings(deadline=None, max_examples=30)
def test_runs_are_enough_to_look_at(tail: list[bool]) -> None:
    """The limits over the range are those of looking at every number of positives in it."""
    question = asked(2_000)
    low, high = question.positives()
    passed = [*[True] * (low - 5), *tail][:high]
    passed += [True] * (high - len(passed))
    found = measure(passed, question)
    each = [clopper_pearson(sum(passed[:m]), m, 1 - 0.9 * (1 - 0.9)) for m in range(low, high + 1)]
    assert found.low == min(one[0] for one in each)
    assert found.high == max(one[1] for one in each)
