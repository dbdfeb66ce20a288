"""Figures against scipy and scikit-learn, and the intervals."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn")

from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from drylab.train.metrics import auroc, bootstrap, ece, interval, mean_interval, rmse, spearman


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 6)), min_size=2, max_size=40))
def test_auroc_is_scikit_learns_ties_included(pairs: list[tuple[int, int]]) -> None:
    truth, score = np.array(pairs, dtype=np.float64).T
    if len(set(truth)) == 1:
        assert np.isnan(auroc(truth, score))
    else:
        assert auroc(truth, score) == pytest.approx(roc_auc_score(truth, score))


def test_spearman_is_scipys_and_nan_for_a_constant() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 9, 50).astype(float), rng.normal(size=50)
    assert spearman(a, b) == pytest.approx(spearmanr(a, b).statistic)
    assert np.isnan(spearman(a, np.zeros(50)))


def test_rmse_and_ece_by_hand() -> None:
    assert rmse(np.array([1.0, 2.0]), np.array([2.0, 4.0])) == pytest.approx(np.sqrt(2.5))
    truth = np.array([1.0, 0.0, 1.0, 1.0])
    assert ece(truth, np.full(4, 0.75)) == 0.0
    assert ece(truth, np.full(4, 0.25)) == pytest.approx(0.5)
    assert ece(truth, np.ones(4)) == pytest.approx(0.25)


def test_interval_holds_the_truth_and_narrows_with_data() -> None:
    rng = np.random.default_rng(1)
    widths = []
    for n in (50, 2000):
        x = rng.normal(size=n)
        low, high = interval(bootstrap(spearman, x, x + rng.normal(size=n), draws=200))
        assert low < 0.69 < high
        widths.append(high - low)
    assert widths[1] < widths[0] / 3


def test_mean_interval_varies_over_tasks() -> None:
    low, high = mean_interval([np.full(5, 0.2), np.full(5, 0.8), np.empty(0)])
    assert (low, high) == pytest.approx((0.2, 0.8))
    assert np.isnan(interval(np.empty(0))[0])
