"""The Gaussian process: its gradient, leaving one out, and what bounds do to it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drylab.errors import InputError
from drylab.score import gaussian
from drylab.score.censored import expected, signs


def bells(x: np.ndarray, other: np.ndarray, width: float) -> np.ndarray:
    return np.exp(-0.5 * ((x[:, None, :] - other[None]) ** 2).sum(axis=2) / width**2)


def made(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    return x, np.sin(2 * x[:, 0]) + 0.5 * x[:, 1] + 0.1 * rng.normal(size=n) + 6.0


def kernels(x: np.ndarray, other: np.ndarray | None = None) -> list[np.ndarray]:
    return [bells(x, x if other is None else other, width) for width in (0.5, 2.0)]


@settings(max_examples=20)
@given(st.integers(3, 15), st.integers(0, 999))
def test_gradient_is_the_slope(n: int, seed: int) -> None:
    x, y = made(n, seed)
    rng = np.random.default_rng(seed)
    theta, relative = rng.normal(size=3), rng.uniform(0.5, 2, n)
    _, slope = gaussian._evidence(theta, kernels(x), y - y.mean(), relative)
    step = 1e-5
    for i in range(3):
        ends = [
            gaussian._evidence(theta + s * step * np.eye(3)[i], kernels(x), y - y.mean(), relative)[0] for s in (1, -1)
        ]
        assert slope[i] == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-4, abs=1e-5)


def test_leaving_one_out_is_leaving_one_out() -> None:
    x, y = made(12, 0)
    k = kernels(x)
    theta, relative = np.log([0.5, 0.4, 0.1]), np.ones(12)
    whole = gaussian.solve(k, y, relative, theta)
    for i in range(12):
        rest = np.arange(12) != i
        covariance = whole.scales[0] * k[0] + whole.scales[1] * k[1] + whole.constant + whole.noise * np.eye(12)
        left = np.linalg.solve(covariance[np.ix_(rest, rest)], covariance[rest, i])
        assert whole.loo_mean[i] == pytest.approx(y.mean() + left @ (y[rest] - y.mean()), rel=1e-6)
        assert whole.loo_variance[i] == pytest.approx(covariance[i, i] - left @ covariance[rest, i], rel=1e-6)


def test_predicts_and_says_how_well() -> None:
    x, y = made(80, 1)
    new, truth = made(300, 2)
    found = gaussian.fit(kernels(x), y)
    mean, variance = found.predict(kernels(new, x))
    assert np.sqrt(np.mean((mean - truth) ** 2)) < 0.5 * truth.std()
    assert 0.85 < np.mean(np.abs(mean - truth) < 1.96 * np.sqrt(variance)) <= 1.0
    far = found.predict(kernels(new + 100.0, x))
    assert (far[1] > variance.max()).all()
    np.testing.assert_allclose(far[0], found.middle, atol=1.0)


def test_many_rows_choose_their_scales_on_some(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = made(120, 3)
    whole = gaussian.fit(kernels(x), y)
    monkeypatch.setattr(gaussian, "SUBSET", 60)
    some = gaussian.fit(kernels(x), y)
    assert len(some.alpha) == 120
    assert some.noise != whole.noise
    assert np.sqrt(np.mean((some.loo_mean - whole.loo_mean) ** 2)) < 0.2


def test_bounds_are_neither_values_nor_nothing() -> None:
    x, y = made(150, 4)
    new, truth = made(400, 5)
    cut = np.quantile(y, 0.6)
    relation = np.where(y < cut, -1, 0)
    said = np.maximum(y, cut)

    def error(found: gaussian.Posterior) -> float:
        return float(np.sqrt(np.mean((found.predict(kernels(new, x[: len(found.y)]))[0] - truth) ** 2)))

    as_values = error(gaussian.fit(kernels(x), said))
    as_bounds = error(gaussian.fit(kernels(x), said, relation=relation))
    assert as_bounds < 0.9 * as_values


@given(st.floats(-5, 5), st.floats(0.1, 3), st.floats(-40, 40))
def test_expected_is_on_its_side(mean: float, sd: float, bound: float) -> None:
    m, s, c = np.array([mean]), np.array([sd]), np.array([bound])
    above, below = expected(m, s, c, np.array([1])), expected(m, s, c, np.array([-1]))
    assert above >= max(bound, mean) - 1e-6 * (1 + abs(bound))
    assert below <= min(bound, mean) + 1e-6 * (1 + abs(bound))
    np.testing.assert_allclose(above - mean, mean - expected(m, s, 2 * m - c, np.array([-1])), atol=1e-9)


def test_expected_against_draws() -> None:
    draws = np.random.default_rng(0).normal(6.0, 1.5, 400_000)
    got = expected(np.array([6.0]), np.array([1.5]), np.array([7.0]), np.array([1]))
    assert got[0] == pytest.approx(draws[draws > 7.0].mean(), abs=0.01)


def test_relations_in_words() -> None:
    assert signs([">", "<", "=", "", "<=", ">> "]).tolist() == [1, -1, 0, 0, -1, 1]
    with pytest.raises(InputError, match="relation 1: 'about' is not one of"):
        signs(["=", "about"])


def test_refuses_what_does_not_fit() -> None:
    with pytest.raises(InputError, match="expected \\(n, n\\) each"):
        gaussian.fit([np.eye(3)], np.zeros(2))
