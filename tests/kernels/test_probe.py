"""Probe values against NumPy, and their independence of the batch."""

import numpy as np
import pytest

from drylab.kernels.probe import probe_values, probe_values_reference


@pytest.mark.parametrize("n", [0, 1, 7, 8, 129])
@pytest.mark.parametrize("t", [1, 5, 64])
def test_values_equal_the_reference(n: int, t: int) -> None:
    rng = np.random.default_rng(n * 100 + t)
    z, weights, bias = rng.normal(size=(n, 33)), rng.normal(size=(t, 33)), rng.normal(size=t)
    logistic = rng.random(t) < 0.5
    got = probe_values(z, weights, bias, logistic)
    np.testing.assert_allclose(got, probe_values_reference(z, weights, bias, logistic), rtol=1e-12, atol=1e-12)


def test_bits_do_not_depend_on_the_batch() -> None:
    rng = np.random.default_rng(0)
    z, weights, bias = rng.normal(size=(257, 128)), rng.normal(size=(60, 128)), rng.normal(size=60)
    logistic = np.arange(60) % 2 == 0
    whole = probe_values(z, weights, bias, logistic)
    parts = [probe_values(z[i : i + 7], weights, bias, logistic) for i in range(0, 257, 7)]
    assert np.concatenate(parts).tobytes() == whole.tobytes()


def test_logistic_is_finite_far_out() -> None:
    z = np.array([[-800.0], [800.0]])
    values = probe_values(z, np.ones((1, 1)), np.zeros(1), np.array([True]))
    assert values.tolist() == [[0.0], [1.0]]
