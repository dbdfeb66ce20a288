"""The selection against its definition, ties and all."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drylab.kernels.topk import THREADS, in_order, kth_best_on_cpu, kth_best_on_gpu, topk, topk_reference
from tests.kernels.twins import twins

Twin = Callable[[np.ndarray, int], float]


def columns(scores: list[float], keys: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n = len(scores)
    return np.array(scores, float), np.array(keys, np.uint64).reshape(n, 2), np.arange(n)[::-1].astype(np.int64)


# Few values, so that scores and keys tie often.
ROWS = st.lists(
    st.tuples(st.sampled_from([-1.0, 0.0, 0.5, 0.5000001]), st.tuples(st.integers(0, 2), st.integers(0, 2**64 - 1)))
)


@given(ROWS, st.integers(0, 12))
def test_topk_is_the_definition(rows: list[tuple[float, tuple[int, int]]], k: int) -> None:
    inputs = columns([score for score, _ in rows], [key for _, key in rows])
    np.testing.assert_array_equal(topk(*inputs, k), topk_reference(*inputs, k))


@pytest.mark.parametrize("n", [0, 1, 99, 100, 101, 5000])
def test_topk_at_the_edges_of_k(n: int) -> None:
    rng = np.random.default_rng(n)
    inputs = (rng.integers(0, 50, n).astype(float), rng.integers(0, 5, (n, 2)).astype(np.uint64), np.arange(n))
    np.testing.assert_array_equal(topk(*inputs, 100), topk_reference(*inputs, 100))


@pytest.mark.twins
@twins(kth_best_on_cpu, kth_best_on_gpu)
@pytest.mark.parametrize("n", [1, 2, THREADS, THREADS + 1, 2 * THREADS + 3])
def test_the_kth_best_is_the_kth_of_all_sorted(n: int, twin: Twin) -> None:
    """Scores of every size and sign, some that differ in the last bit only, and many ties."""
    rng = np.random.default_rng(n)
    special = np.array([0.0, -0.0, 5e-324, -5e-324, 1.0, np.nextafter(1.0, 2.0), -1.0, 1.7e308, -1.7e308])
    scores = np.where(rng.random(n) < 0.5, rng.choice(special, n), rng.standard_normal(n).round(1))
    falling = np.sort(scores)[::-1]
    assert [twin(scores, k) for k in ((n + 1) // 2, n)] == [falling[(n - 1) // 2], falling[n - 1]]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=20))
def test_integers_in_the_order_of_the_scores(scores: list[float]) -> None:
    column = np.array(scores)
    np.testing.assert_array_equal(in_order(column)[:, None] < in_order(column), column[:, None] < column)
