"""Products of rows with a fixed matrix: equal to the formula, and a row's bits are its own."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drylab.kernels import message
from drylab.kernels.dense import ROWS, ROWS64, WIDE64, dense, dense_reference, pack, padded, padded_rows


def product(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, relu: bool) -> np.ndarray:
    panels, ends = pack(weight, bias)
    rows = np.zeros((padded_rows(len(x)), x.shape[1]), np.float32)
    rows[: len(x)] = x
    out = np.full((len(rows), padded(weight.shape[1])), np.nan, np.float32)
    dense(rows, panels, ends, out, len(x), relu)
    return out[: len(x)]


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize(
    ("n", "k", "width"), [(0, 3, 3), (1, 1, 1), (7, 24, 40), (8, 64, 64), (193, 128, 128), (9, 200, 33)]
)
def test_equals_the_formula(n: int, k: int, width: int, relu: bool) -> None:
    rng = np.random.default_rng(n)
    x, w = rng.normal(size=(n, k)).astype(np.float32), rng.normal(size=(k, width)).astype(np.float32)
    bias = rng.normal(size=width).astype(np.float32)
    got = product(x, w, bias, relu)
    # k roundings of partial sums, each at most half a unit of the largest of them.
    room = (k + 1) * 2.0**-24 * (np.abs(x) @ np.abs(w) + np.abs(bias))
    assert (np.abs(got[:, :width] - dense_reference(x, w, bias, relu)) <= room).all()
    assert (got[:, width:] == 0).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 3 * ROWS), st.integers(0, 2**32))
def test_a_row_has_the_same_bits_in_any_place(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, w = rng.normal(size=(n, 50)).astype(np.float32), rng.normal(size=(50, 70)).astype(np.float32)
    whole, alone = product(x, w, w[0], True), [product(row[None], w, w[0], True)[0] for row in x]
    assert whole.tobytes() == np.array(alone).tobytes()


def test_each_step_is_rounded_once() -> None:
    """(1 + e)(1 + e) - 1 is 2e + e*e by a fused step, and 2e if the product is rounded first: the same on every processor."""
    e = 2.0**-12
    x, w = np.full((1, 1), 1 + e, np.float32), np.full((1, 1), 1 + e, np.float32)
    assert product(x, w, np.array([-1.0]), False)[0, 0] == np.float32(2 * e + e * e)


def test_sums_run_in_the_order_of_k() -> None:
    x, w = np.array([[1.0, 1.0, 1.0]], np.float32), np.array([[2.0**24], [1.0], [-(2.0**24)]], np.float32)
    assert product(x, w, np.zeros(1), False)[0, 0] == 0.0
    assert product(x, w[[0, 2, 1]], np.zeros(1), False)[0, 0] == 1.0


def test_rows_behind_the_last_block_are_left_alone() -> None:
    panels, ends = pack(np.ones((2, 2)), np.zeros(2))
    out = np.full((2 * ROWS, 32), 7, np.float32)
    dense(np.ones((2 * ROWS, 2), np.float32), panels, ends, out, 1, False)
    assert (out[0, :2] == 2).all()
    assert (out[ROWS:] == 7).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 3 * ROWS64), st.integers(1, 40), st.integers(0, 2**32))
def test_float64_blocks_round_each_product_and_each_sum(n: int, k: int, seed: int) -> None:
    """The bits of the plain loops: what they define, the reference of the encoder takes from here."""
    rng = np.random.default_rng(seed)
    x, weight, bias = rng.normal(size=(n, k)), rng.normal(size=(k, 2 * WIDE64 + 3)), rng.normal(size=2 * WIDE64 + 3)
    rows = np.zeros((n + ROWS64, k))
    rows[:n] = x
    out = np.zeros((n + ROWS64, 2 * WIDE64 + 3))
    message._dense_relu(rows, weight, bias, out, n)
    want = np.tile(bias, (n, 1))
    for step in range(k):
        want += x[:, step : step + 1] * weight[step]
    assert out[:n].tobytes() == np.maximum(want, 0.0).tobytes()
