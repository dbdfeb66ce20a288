"""Calibration: never worse than what it starts from, on what it was fitted on; curves that only rise."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from drylab.train import conformal_fit as fit
from drylab.train.heads import MEMBERS
from drylab.train.probes import cross_entropy, sigmoid

Array = NDArray[np.float64]


def drawn(seed: int, n: int, slope: float, shift: float) -> tuple[Array, Array, NDArray[np.int64]]:
    """Logits of two branches (n, 2), truth by ``slope`` and ``shift`` of them, groups."""
    rng = np.random.default_rng(seed)
    both = rng.normal(0, 2, (n, 2))
    truth = (rng.random(n) < sigmoid(slope * both[:, 0] + shift)).astype(float)
    return both, truth, rng.integers(0, MEMBERS, n)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 300),
    st.floats(-1, 3),
    st.floats(-4, 4),
    st.sampled_from(["temperature", "Platt"]),
)
def test_a_fit_is_never_worse_than_the_plain_mean(seed: int, n: int, slope: float, shift: float, method: str) -> None:
    both, truth, _ = drawn(seed, n, slope, shift)
    blend = fit.fit(method, both, truth)
    before = cross_entropy(truth, both.mean(axis=1))
    assert cross_entropy(truth, both @ blend[:2] + blend[2]) <= before + 1e-9
    assert (blend[:2] >= 0).all(), "a branch never counts against itself"


def test_the_better_branch_gets_the_weight_and_the_shift_is_found() -> None:
    both, truth, group = drawn(3, 800, 1.5, -2.0)
    found = fit.calibrate(both, truth, group)
    assert found.method == "Platt"
    assert found.curve is None
    np.testing.assert_allclose(found.blend, [1.5, 0.0, -2.0], atol=0.35)


def test_few_labels_are_left_as_they_are() -> None:
    both, truth, group = drawn(3, 20, 1.0, 0.0)
    assert fit.calibrate(both, truth, group).blend.tolist() == fit.mean(2).tolist()
    one_class = fit.calibrate(drawn(4, 100, 1.0, 0.0)[0], np.zeros(100), group.repeat(5))
    assert one_class.blend.tolist() == fit.mean(2).tolist()


def test_a_bent_curve_is_found_where_labels_abound() -> None:
    both, _, group = drawn(5, 6000, 1.0, 0.0)
    logit = both.mean(axis=1)
    share = np.where(logit > 0.5, 0.9, np.where(logit > -0.5, 0.15, 0.1))
    truth = (np.random.default_rng(6).random(len(logit)) < share).astype(float)
    found = fit.calibrate(both, truth, group)
    assert found.curve is not None
    assert found.method.endswith("isotonic")
    straight = fit.fit("Platt", both, truth)
    assert cross_entropy(truth, found.logits(both)) < cross_entropy(truth, both @ straight[:2] + straight[2])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(fit.KNOTS, 2000))
def test_an_isotonic_curve_rises_and_is_finite(seed: int, n: int) -> None:
    both, truth, _ = drawn(seed, n, 1.0, 0.0)
    x, y = fit.isotonic(both[:, 0], truth)
    assert len(x) == fit.KNOTS
    assert (np.diff(x) >= 0).all()
    assert (np.diff(y) >= -1e-12).all()
    assert np.isfinite(y).all(), "no share is so certain that its logit is infinite"


def test_least_squares_of_values_follow_the_branch_that_knows() -> None:
    rng = np.random.default_rng(8)
    truth = rng.normal(5, 1, 500)
    both = np.stack([truth + rng.normal(0, 2, 500), truth + rng.normal(0, 0.2, 500)], axis=1)
    blend = fit.least_squares(both, truth)
    assert blend[1] > 5 * blend[0] >= 0
    mean = ((both.mean(axis=1) - truth) ** 2).mean()
    assert ((both @ blend[:2] + blend[2] - truth) ** 2).mean() < mean
