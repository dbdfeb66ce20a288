"""How well values left out one by one were foretold, with intervals, and beside them what knows nothing of the values.

The controls are those that a figure has to beat before it means anything: a random probe, a probe fitted to shuffled
values, the mean over the panel's targets (molecules that bind everything), the number of heavy atoms, and the nearest
neighbour. Intervals are of 95 %, from 1,000 redraws of the molecules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from drylab.score import ridge

Array = NDArray[np.float64]
DRAWS, SEED = 1000, 0
SHUFFLES, RANDOM = 5, 200


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was left out one by one: truth (n,), exact (n,) bool, False for a bound; white z (n, d), panel (n,) the mean
    over the panel, atoms (n,) heavy atoms, similarity (n, n); classes: truth is 0 and 1."""

    truth: Array
    exact: NDArray[np.bool_]
    white: Array
    panel: Array
    atoms: Array
    similarity: Array
    classes: bool


def spearman(x: Array, y: Array) -> float:
    """Rank correlation, 0 where one side is constant (Spearman 1904, https://doi.org/10.2307/1412159)."""
    a, b = rankdata(x), rankdata(y)
    if a.std() == 0 or b.std() == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def rmse(x: Array, y: Array) -> float:
    """Root of the mean squared difference."""
    return float(np.sqrt(np.mean((x - y) ** 2)))


def auroc(truth: Array, score: Array) -> float:
    """Area under the ROC curve of truth 0 and 1; 0.5 where there is one class only (Hanley 1982, 10.1148/radiology.143.1.7063747)."""
    positive = truth > 0.5
    n, m = int(positive.sum()), int((~positive).sum())
    if not n or not m:
        return 0.5
    return float((rankdata(score)[positive].sum() - n * (n + 1) / 2) / (n * m))


def judged(evidence: Evidence, foretold: Array) -> dict[str, dict[str, float]]:
    """Figures of (n,) foretold values: {"rmse": {"value", "low", "high", "n"}, "spearman": ...}; classes: "auroc" too."""
    truth, score = evidence.truth[evidence.exact], foretold[evidence.exact]
    if len(truth) < 3:
        return {}
    metrics: dict[str, Callable[[Array, Array], float]] = {"rmse": rmse, "spearman": spearman}
    if evidence.classes:
        metrics = {"auroc": auroc, "spearman": spearman}
    rng = np.random.default_rng(SEED)
    draws = [rng.integers(0, len(truth), len(truth)) for _ in range(DRAWS)]
    found = {}
    for name, metric in metrics.items():
        spread = [metric(truth[rows], score[rows]) for rows in draws]
        low, high = np.percentile(spread, [2.5, 97.5])
        found[name] = {"value": metric(truth, score), "low": float(low), "high": float(high), "n": float(len(truth))}
    return found


def controls(evidence: Evidence) -> dict[str, float]:
    """Rank correlations of what knows nothing of the values, or little: name -> Spearman's rho.

    "random probe" is what 95 of 100 random probes stay below in absolute value; "shuffled values" is the largest of a few.
    """
    truth, rows = evidence.truth[evidence.exact], np.flatnonzero(evidence.exact)
    if len(rows) < 3:
        return {}
    rng = np.random.default_rng(SEED)
    white = evidence.white[rows]
    probes = rng.normal(size=(white.shape[1], RANDOM))
    by_chance = [abs(spearman(truth, white @ probe)) for probe in probes.T]
    shuffled = []
    for _ in range(SHUFFLES):
        mixed = rng.permutation(truth)
        shuffled.append(spearman(mixed, ridge.fit(white, mixed).loo))
    near = evidence.similarity[np.ix_(rows, rows)].copy()
    np.fill_diagonal(near, -1.0)
    return {
        "random probe": float(np.percentile(by_chance, 95)),
        "shuffled values": float(max(shuffled)),
        "mean over the panel": spearman(truth, evidence.panel[rows]),
        "heavy atoms": spearman(truth, evidence.atoms[rows]),
        "nearest neighbour": spearman(truth, truth[near.argmax(axis=1)]),
    }


def in_words(figures: Mapping[str, Mapping[str, float]]) -> str:
    """The figures as one line."""
    names = {"rmse": "RMSE", "spearman": "Spearman", "auroc": "AUROC"}
    return ", ".join(f"{names[key]} {f['value']:.2f} ({f['low']:.2f} to {f['high']:.2f})" for key, f in figures.items())
