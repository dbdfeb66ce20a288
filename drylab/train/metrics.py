"""Held-out figures, each a plain function of truth and prediction, and bootstrap intervals for them.

Every metric takes truth and prediction as (..., n) and gives (...): one molecule a column, any number of tables at once, so
that a bootstrap is one call. Where a figure is not defined (one class alone, a constant) it is NaN. Equal predictions are
in random order: a rank metric is the mean over all orders of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau, rankdata

Array = NDArray[np.float64]
Metric = Callable[[Array, Array], Any]  # (..., n), (..., n) -> (...) float64
DRAWS = 1000
ALPHA = 20.0  # of BEDROC: 80 % of the score is earned in the first 8 % of the list


def spearman(truth: Array, predicted: Array) -> Any:
    """Rank correlation with mean ranks for ties."""
    a, b = _centred_ranks(truth), _centred_ranks(predicted)
    norm = np.sqrt((a * a).sum(axis=-1) * (b * b).sum(axis=-1))
    return _ratio((a * b).sum(axis=-1), norm)


def _centred_ranks(values: Array) -> Array:
    ranks: Array = rankdata(values, axis=-1)
    return ranks - ranks.mean(axis=-1, keepdims=True)


def rmse(truth: Array, predicted: Array) -> Any:
    """Root mean squared error, in the unit of the values."""
    return np.sqrt(mse(truth, predicted))


def mse(truth: Array, predicted: Array) -> Any:
    """Mean squared error."""
    return np.mean((truth - predicted) ** 2, axis=-1)


def mae(truth: Array, predicted: Array) -> Any:
    """Mean absolute error, in the unit of the values."""
    return np.mean(np.abs(truth - predicted), axis=-1)


def concordance(truth: Array, predicted: Array) -> float:
    """CI: share of the pairs of unequal truth that are predicted in their order, ties half (Gönen 2005); (n,) only.

    By Kendall's tau-b, O(n log n): tau-b is (concordant - discordant) / sqrt(pairs untied in truth x untied in prediction).
    """
    untied, n = _untied(truth), len(truth)
    if untied == 0 or n < 2:
        return float("nan")
    other = _untied(predicted)
    if other == 0:
        return 0.5
    surplus = float(kendalltau(truth, predicted, variant="b").statistic) * np.sqrt(untied) * np.sqrt(other)
    return float(0.5 + 0.5 * surplus / untied)


def _untied(values: Array) -> float:
    counts = np.unique(values, return_counts=True)[1].astype(np.float64)
    return float(len(values) * (len(values) - 1) / 2 - (counts * (counts - 1) / 2).sum())


def auroc(truth: Array, predicted: Array) -> Any:
    """Probability that a positive ranks above a negative, ties half (Mann and Whitney)."""
    positive = truth > 0.5
    n1 = positive.sum(axis=-1)
    n0 = truth.shape[-1] - n1
    ranks = (rankdata(predicted, axis=-1) * positive).sum(axis=-1)
    return _ratio(ranks - n1 * (n1 + 1) / 2, n1 * n0)


def auprc(truth: Array, predicted: Array) -> Any:
    """Average precision, as scikit-learn's; a random ranking scores the prevalence."""
    hit, last, _ = _ranked(truth, predicted)
    found = np.take_along_axis(hit.cumsum(axis=-1), last, axis=-1)  # by the end of the group of equal predictions
    return _ratio((hit * found / (last + 1)).sum(axis=-1), hit.sum(axis=-1))


def dauprc(truth: Array, predicted: Array) -> Any:
    """AUPRC less the prevalence: 0 for a random ranking (Stanley 2021, FS-Mol, equation 1)."""
    return auprc(truth, predicted) - (truth > 0.5).mean(axis=-1)


def enrichment(truth: Array, predicted: Array, fraction: float = 0.01) -> Any:
    """EF: hits among the first ceil(fraction n) over those expected by chance."""
    hit, last, first = _ranked(truth, predicted)
    n = hit.shape[-1]
    k = int(np.ceil(fraction * n))
    # A group of equal predictions that the cut divides gives its share of the places above the cut.
    share = np.clip((k - first) / (last + 1 - first), 0.0, 1.0)
    return _ratio((hit * share).sum(axis=-1) * n / k, hit.sum(axis=-1))


def ef1(truth: Array, predicted: Array) -> Any:
    """EF at 1 %."""
    return enrichment(truth, predicted, 0.01)


def ef01(truth: Array, predicted: Array) -> Any:
    """EF at 0.1 %."""
    return enrichment(truth, predicted, 0.001)


def bedroc(truth: Array, predicted: Array, alpha: float = ALPHA) -> Any:
    """Boltzmann-enhanced discrimination of ROC, 0 to 1 (Truchon 2007, https://doi.org/10.1021/ci600426e, equation 36)."""
    hit, last, first = _ranked(truth, predicted)
    n = hit.shape[-1]
    summed = np.concatenate([[0.0], np.exp(-alpha * np.arange(1, n + 1) / n).cumsum()])
    weight = (summed[last + 1] - summed[first]) / (last + 1 - first)
    share = hit.mean(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        rie = (hit * weight).sum(axis=-1) / (share * (1 - np.exp(-alpha)) / np.expm1(alpha / n))
        low = (1 - np.exp(alpha * share)) / (share * (1 - np.exp(alpha)))
        high = (1 - np.exp(-alpha * share)) / (share * (1 - np.exp(-alpha)))
        return np.where((share > 0) & (share < 1), (rie - low) / (high - low), np.nan)[()]


def _ranked(truth: Array, predicted: Array) -> tuple[Array, NDArray[np.intp], NDArray[np.intp]]:
    """Best first: (..., n) 1.0 for a hit, and the last and the first place of the group of equal predictions it is in."""
    order = np.argsort(-predicted, axis=-1, kind="stable")
    hit = np.take_along_axis(truth > 0.5, order, axis=-1).astype(np.float64)
    score = np.take_along_axis(predicted, order, axis=-1)
    n = score.shape[-1]
    places = np.broadcast_to(np.arange(n), score.shape)
    changes = np.ones((*score.shape[:-1], n + 1), bool)
    changes[..., 1:-1] = score[..., 1:] != score[..., :-1]
    first = np.maximum.accumulate(np.where(changes[..., :-1], places, 0), axis=-1)
    last = np.minimum.accumulate(np.where(changes[..., 1:], places, n - 1)[..., ::-1], axis=-1)[..., ::-1]
    return hit, last, first


def _ratio(part: Any, whole: Any) -> Any:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(whole > 0, part / whole, np.nan)[()]


def ece(truth: Array, probability: Array, bins: int = 15) -> float:
    """Expected calibration error: mean gap of frequency and probability over equal-width bins (Guo 2017); (n,) only."""
    which = np.minimum((probability * bins).astype(int), bins - 1)
    counts = np.bincount(which, minlength=bins)
    gap = np.abs(np.bincount(which, truth - probability, minlength=bins))
    return float(gap.sum() / max(counts.sum(), 1))


def bootstrap(metric: Metric, truth: Array, predicted: Array, draws: int = DRAWS, seed: int = 1) -> Array:
    """(draws,) the metric on molecules drawn with replacement; draws where it is undefined are left out."""
    rng = np.random.default_rng(seed)
    values = np.array([metric(truth[i], predicted[i]) for i in rng.integers(0, len(truth), (draws, len(truth)))])
    return values[np.isfinite(values)]


def interval(values: Array) -> tuple[float, float]:
    """95 % percentile interval, NaN for nothing."""
    if len(values) == 0:
        return float("nan"), float("nan")
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def mean_interval(draws: Sequence[Array], repeats: int = DRAWS, seed: int = 1) -> tuple[float, float]:
    """95 % interval of the mean over tasks: tasks drawn with replacement, then one bootstrap value of each."""
    rng = np.random.default_rng(seed)
    usable = [values for values in draws if len(values)]
    means = [
        np.mean([usable[t][rng.integers(len(usable[t]))] for t in rng.integers(0, len(usable), len(usable))])
        for _ in range(repeats)
    ]
    return interval(np.array(means))


REGRESSION: Mapping[str, Metric] = {"spearman": spearman, "rmse": rmse}
CLASSES: Mapping[str, Metric] = {"auroc": auroc, "auprc": auprc}
