"""Held-out figures, each a plain function of truth and prediction, and bootstrap intervals for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score

Array = NDArray[np.float64]
Metric = Callable[[Array, Array], float]
DRAWS = 1000


def spearman(truth: Array, predicted: Array) -> float:
    """Rank correlation with mean ranks for ties; NaN where either side is constant."""
    a, b = rankdata(truth), rankdata(predicted)
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / norm if norm > 0 else float("nan")


def rmse(truth: Array, predicted: Array) -> float:
    """Root mean squared error, in the unit of the values."""
    return float(np.sqrt(np.mean((truth - predicted) ** 2)))


def auroc(truth: Array, predicted: Array) -> float:
    """Probability that a positive ranks above a negative, ties half (Mann and Whitney); NaN for one class alone."""
    positive = truth > 0.5
    n1, n0 = int(positive.sum()), int((~positive).sum())
    if n1 == 0 or n0 == 0:
        return float("nan")
    return float((rankdata(predicted)[positive].sum() - n1 * (n1 + 1) / 2) / (n1 * n0))


def auprc(truth: Array, predicted: Array) -> float:
    """Average precision; a random ranking scores the prevalence."""
    return float(average_precision_score(truth > 0.5, predicted)) if (truth > 0.5).any() else float("nan")


def ece(truth: Array, probability: Array, bins: int = 15) -> float:
    """Expected calibration error: mean gap of frequency and probability over equal-width bins (Guo 2017)."""
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
