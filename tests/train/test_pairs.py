"""The pairwise solver against a dense one, and its laws."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drylab.train.pairs import TOLERANCE, Pairs, Term, conjugate_gradients, kernel_times, solve


def kernel(rng: np.random.Generator, n: int) -> np.ndarray:
    x = rng.normal(size=(n, n + 2))
    k = x @ x.T
    own = np.sqrt(np.diag(k))
    return np.ascontiguousarray(k / np.outer(own, own), np.float32)


def problem(seed: int, n: int, t: int, share: float) -> tuple[list[Term], Pairs]:
    rng = np.random.default_rng(seed)
    molecules = kernel(rng, n)
    terms = [
        Term(molecules, kernel(rng, t)),
        Term(molecules, np.ones((t, t), np.float32)),
        Term("each", kernel(rng, t)),
        Term("all", kernel(rng, t)),
    ]
    cells = np.flatnonzero(rng.random(n * t) < share)
    if len(cells) < 2:
        cells = np.arange(2)
    return terms, Pairs(cells // t, cells % t, rng.normal(size=len(cells)), (n, t))


def dense(terms: Sequence[Term], n: int) -> np.ndarray:
    """The kernel of all cells, product by product: (n t, n t)."""
    rules = {"each": np.eye(n), "all": np.ones((n, n))}
    sides = [rules[t.molecules] if isinstance(t.molecules, str) else t.molecules for t in terms]
    return sum(np.kron(side, term.targets) for side, term in zip(sides, terms, strict=True))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 9), st.integers(1, 7))
def test_products_of_matrices_are_the_product_with_the_whole_kernel(seed: int, n: int, t: int) -> None:
    terms, _ = problem(seed, n, t, 0.5)
    table = np.random.default_rng(seed).normal(size=(n, t)).astype(np.float32)
    whole = (dense(terms, n) @ table.ravel().astype(np.float64)).reshape(n, t)
    assert np.allclose(kernel_times(terms, table), whole, rtol=1e-4, atol=1e-4)
    diagonal = sum(term.diagonal(n) for term in terms)
    assert np.allclose(diagonal.ravel(), np.diag(dense(terms, n)), rtol=1e-5)


@pytest.mark.parametrize("share", [0.3, 1.0], ids=["some cells", "all cells"])
@pytest.mark.parametrize("noise", [0.2, 2.0])
def test_the_solution_is_that_of_a_dense_solve(share: float, noise: float) -> None:
    n, t = 25, 12
    terms, pairs = problem(3, n, t, share)
    cells = pairs.mol * t + pairs.target
    whole = dense(terms, n).astype(np.float64)
    mean = pairs.value.mean()
    weights = np.linalg.solve(whole[np.ix_(cells, cells)] + noise * np.eye(len(cells)), pairs.value - mean)
    expected = (whole[:, cells] @ weights + mean).reshape(n, t)
    found, quick = solve(terms, pairs, noise, tolerance=1e-5), solve(terms, pairs, noise)
    assert found.residual <= 1e-5
    assert np.abs(found.values - expected).max() < 1e-3
    assert quick.residual <= TOLERANCE
    assert np.abs(quick.values - expected).max() < 0.1 * expected.std()
    assert not found.dual[(np.bincount(cells, minlength=n * t) == 0).reshape(n, t)].any()


def test_a_good_start_saves_steps_and_changes_nothing() -> None:
    terms, pairs = problem(4, 30, 10, 0.6)
    first = solve(terms, pairs, 0.3)
    again = solve(terms, pairs, 0.3, first.dual)
    assert again.steps < first.steps / 2
    assert np.abs(first.values - again.values).max() < 0.03


def test_the_order_of_the_pairs_does_not_matter() -> None:
    terms, pairs = problem(5, 20, 8, 0.5)
    order = np.random.default_rng(0).permutation(len(pairs))
    shuffled = solve(terms, pairs.take(order), 0.5)
    assert np.allclose(solve(terms, pairs, 0.5).values, shuffled.values, atol=0.02)


def test_more_noise_shrinks_to_the_mean() -> None:
    terms, pairs = problem(6, 20, 8, 0.5)
    spread = [solve(terms, pairs, noise).values.std() for noise in (0.1, 10.0, 1e6)]
    assert spread[0] > spread[1] > spread[2]
    assert spread[2] < 1e-3


def test_some_molecules_are_a_smaller_table_with_their_cells_alone() -> None:
    _, pairs = problem(7, 12, 6, 0.5)
    rows = np.array([2, 5, 11])
    small = pairs.of_molecules(rows)
    assert small.shape == (3, 6)
    told = {(int(rows[m]), int(t), float(v)) for m, t, v in zip(small.mol, small.target, small.value, strict=True)}
    kept = np.isin(pairs.mol, rows)
    assert told == set(
        zip(pairs.mol[kept].tolist(), pairs.target[kept].tolist(), pairs.value[kept].tolist(), strict=True)
    )


def test_conjugate_gradients_solve_nothing_in_no_step() -> None:
    zero = np.zeros(5, np.float32)
    found, steps, residual = conjugate_gradients(lambda x: 2 * x, zero, lambda x: x)
    assert (steps, residual) == (0, 0.0)
    assert not found.any()
