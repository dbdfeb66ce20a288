"""Ridge probes: leaving one out in closed form is leaving one out, and the prior is what strength tends to."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drylab.errors import InputError
from drylab.score.ridge import Ridge, fit


def made(n: int, d: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, d)) * rng.uniform(0.2, 2.0, d)
    return z, z @ rng.normal(size=d) + rng.normal(size=n) + 3.0, rng.uniform(0.5, 2.0, n)


def by_hand(z: np.ndarray, y: np.ndarray, weight: np.ndarray, ridge: float) -> tuple[np.ndarray, float]:
    centre, middle = weight @ z / weight.sum(), float(weight @ y / weight.sum())
    zc = z - centre
    w = np.linalg.solve((zc * weight[:, None]).T @ zc + ridge * np.eye(z.shape[1]), zc.T @ (weight * (y - middle)))
    return w, middle - float(centre @ w)


@given(st.integers(6, 30), st.integers(1, 8), st.integers(0, 999))
def test_is_ridge_regression(n: int, d: int, seed: int) -> None:
    z, y, weight = made(n, d, seed)
    weight /= weight.mean()
    found = fit(z, y, weight, strengths=(0.3,))
    s = np.linalg.svd((z - weight @ z / weight.sum()) * np.sqrt(weight)[:, None], compute_uv=False)
    s = s[s > 1e-9 * s.max()]  # centring takes a direction away where rows are few
    w, b = by_hand(z, y, weight, 0.3 * float((s**2).mean()))
    np.testing.assert_allclose(found.w, w, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(found.b, b, rtol=1e-6, atol=1e-8)


def test_leaving_one_out_is_leaving_one_out() -> None:
    z, y, _ = made(12, 3, 0)
    found = fit(z, y, strengths=(0.3,))
    s = np.linalg.svd(z - z.mean(axis=0), compute_uv=False)
    ridge = 0.3 * float((s**2).mean())
    # The penalty of the closed form stays, and so does the centre's share: one row's own fit, without it.
    for i in range(len(y)):
        rest = np.arange(len(y)) != i
        w, b = by_hand(z[rest], y[rest], np.ones(len(y) - 1), ridge)
        assert found.loo[i] == pytest.approx(z[i] @ w + b)


def test_an_infinite_strength_is_the_prior_moved() -> None:
    z, y, _ = made(20, 4, 1)
    w0 = np.array([1.0, -2.0, 0.5, 0.0])
    found = fit(z, y, prior=(w0, 5.0), strengths=(np.inf,))
    assert found.w.tolist() == w0.tolist()
    assert found.mean(z).mean() == pytest.approx(y.mean())


def test_a_right_prior_is_kept_and_a_wrong_one_left() -> None:
    rng = np.random.default_rng(2)
    z = rng.normal(size=(40, 60))
    truth = rng.normal(size=60)
    y = z @ truth + 0.5 * rng.normal(size=40)
    new = rng.normal(size=(200, 60))

    def error(found: Ridge) -> float:
        return float(np.sqrt(np.mean((found.mean(new) - new @ truth) ** 2)))

    bare, right, wrong = (fit(z, y, prior=prior) for prior in (None, (truth, 0.0), (-truth, 0.0)))
    assert error(right) < 0.5 * error(bare) < error(wrong)


def test_variance_covers() -> None:
    rng = np.random.default_rng(3)
    z, new = rng.normal(size=(60, 10)), rng.normal(size=(2000, 10))
    truth = rng.normal(size=10)
    found = fit(z, z @ truth + rng.normal(size=60))
    off = (new @ truth + rng.normal(size=2000) - found.mean(new)) / np.sqrt(found.variance(new))
    assert 0.85 < np.mean(np.abs(off) < 1.96) <= 1.0
    assert found.variance(10 * new).mean() > found.variance(new).mean()


def test_refuses_what_does_not_fit() -> None:
    with pytest.raises(InputError, match="expected \\(n, d\\) and \\(n,\\) with n >= 2"):
        fit(np.zeros((1, 3)), np.zeros(1))
