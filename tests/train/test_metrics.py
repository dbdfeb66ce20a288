"""Figures against scipy and scikit-learn, and the intervals."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn")

from hypothesis import given
from hypothesis import strategies as st
from rdkit.ML.Scoring import Scoring
from scipy.stats import spearmanr
from sklearn.metrics import average_precision_score, roc_auc_score

from drylab.train.metrics import (
    auprc,
    auroc,
    bedroc,
    bootstrap,
    concordance,
    dauprc,
    ece,
    ef01,
    ef1,
    enrichment,
    interval,
    mae,
    mean_interval,
    mse,
    rmse,
    spearman,
)


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


# --- ranking metrics against scikit-learn and RDKit ---

scores = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 6)), min_size=2, max_size=40)
METRICS = (auroc, auprc, dauprc, ef1, ef01, bedroc)


@given(scores)
def test_auprc_is_scikit_learns_ties_included(pairs: list[tuple[int, int]]) -> None:
    truth, score = np.array(pairs, dtype=np.float64).T
    if truth.any():
        assert auprc(truth, score) == pytest.approx(average_precision_score(truth, score))
        assert dauprc(truth, score) == pytest.approx(auprc(truth, score) - truth.mean())
    else:
        assert np.isnan(auprc(truth, score))


@given(st.lists(st.integers(0, 1), min_size=3, max_size=300).filter(lambda hits: 0 < sum(hits) < len(hits)))
def test_early_recognition_is_rdkits(hits: list[int]) -> None:
    truth, score = np.array(hits, np.float64), -np.arange(len(hits), dtype=np.float64)
    rows = [[0.0, hit] for hit in hits]
    assert bedroc(truth, score) == pytest.approx(Scoring.CalcBEDROC(rows, 1, 20.0), abs=1e-12)
    assert bedroc(truth, score, 80.5) == pytest.approx(Scoring.CalcBEDROC(rows, 1, 80.5), abs=1e-12)
    for fraction, ours in ((0.01, ef1), (0.001, ef01)):
        assert ours(truth, score) == pytest.approx(Scoring.CalcEnrichment(rows, 1, [fraction])[0])


@given(scores)
def test_ties_are_the_mean_over_their_orders(pairs: list[tuple[int, int]]) -> None:
    truth, score = np.array(pairs, dtype=np.float64).T
    if 0 < truth.sum() < len(truth):
        rng = np.random.default_rng(0)
        broken = score + rng.uniform(0, 0.5, (4000, len(score)))  # never across a gap of 1
        every = np.broadcast_to(truth, broken.shape)
        for metric in (bedroc, lambda t, p: enrichment(t, p, 0.3)):
            assert metric(truth, score) == pytest.approx(metric(every, broken).mean(), abs=0.12)


@given(scores)
def test_rank_metrics_do_not_see_a_monotone_transform(pairs: list[tuple[int, int]]) -> None:
    truth, score = np.array(pairs, dtype=np.float64).T
    for metric in (*METRICS, spearman):
        np.testing.assert_allclose(metric(truth, np.exp(score / 3) - 4), metric(truth, score), rtol=1e-12)


@given(st.integers(1, 50), st.integers(1, 3000))
def test_a_perfect_ranking_has_the_best_there_is(actives: int, decoys: int) -> None:
    truth = np.repeat([1.0, 0.0], [actives, decoys])
    n, score = actives + decoys, -np.arange(actives + decoys, dtype=np.float64)
    k = int(np.ceil(0.01 * n))
    assert ef1(truth, score) == pytest.approx(min(actives, k) / actives * n / k)
    assert bedroc(truth, score) == pytest.approx(1.0)
    assert bedroc(truth, -score) == pytest.approx(0.0, abs=1e-9)
    assert auprc(truth, score) == pytest.approx(1.0)


@given(scores)
def test_bedroc_stays_between_0_and_1(pairs: list[tuple[int, int]]) -> None:
    truth, score = np.array(pairs, dtype=np.float64).T
    value = bedroc(truth, score)
    assert np.isnan(value) if truth.min() == truth.max() else -1e-9 <= value <= 1 + 1e-9


def test_many_tables_at_once_are_each_alone() -> None:
    rng = np.random.default_rng(3)
    truth, score = (rng.random((5, 30)) < 0.4).astype(float), rng.integers(0, 8, (5, 30)).astype(float)
    truth[4] = 0.0
    for metric in (*METRICS, spearman, rmse, mse, mae):
        np.testing.assert_allclose(metric(truth, score), [metric(*row) for row in zip(truth, score, strict=True)])


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=25))
def test_concordance_counts_pairs(pairs: list[tuple[int, int]]) -> None:
    truth, score = np.array(pairs, dtype=np.float64).T
    wanted = [
        np.sign(score[i] - score[j]) * 0.5 + 0.5
        for i in range(len(truth))
        for j in range(len(truth))
        if truth[i] > truth[j]
    ]
    if wanted:
        assert concordance(truth, score) == pytest.approx(np.mean(wanted))
    else:
        assert np.isnan(concordance(truth, score))


def test_mean_errors_by_hand() -> None:
    truth, predicted = np.array([1.0, 2.0]), np.array([2.0, 4.0])
    assert (mse(truth, predicted), mae(truth, predicted)) == pytest.approx((2.5, 1.5))
