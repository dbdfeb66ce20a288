"""How well values left out one by one were foretold, with intervals, and beside them what knows nothing of the values.

The controls are those that a figure has to beat before it means anything: a random probe, a probe fitted to shuffled
values, the mean over the panel's targets (molecules that bind everything), the number of heavy atoms, and the nearest
neighbour. Intervals are of 95 %, from 1,000 redraws of the molecules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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


def rankdata(x: Array) -> Array:
    """(n,) ranks from 1, ties their mean: scipy's, whose import costs more than a fit of a thousand molecules."""
    _, place, count = np.unique(x, return_inverse=True, return_counts=True)
    last = np.cumsum(count).astype(np.float64)
    ranks: Array = (last - (count - 1) / 2)[place]
    return ranks


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
    """Figures of (n,) foretold values: {"rmse": {"value", "low", "high", "n"}, "spearman": ...}; of classes "auroc" instead of rmse."""
    truth, score = evidence.truth[evidence.exact], foretold[evidence.exact]
    n = len(truth)
    if n < 3:
        return {}
    drawn = np.random.default_rng(SEED).multinomial(n, np.full(n, 1.0 / n), DRAWS).astype(np.float64)
    found = {"spearman": (spearman(truth, score), _correlations(drawn, rankdata(truth), rankdata(score)))}
    if evidence.classes:
        found["auroc"] = (auroc(truth, score), _areas(drawn, truth, score))
    else:
        found["rmse"] = (rmse(truth, score), np.sqrt(drawn @ (truth - score) ** 2 / n))
    figures = {}
    for name in sorted(found):
        value, spread = found[name]
        low, high = np.percentile(spread, [2.5, 97.5]).tolist()
        figures[name] = {"value": value, "low": low, "high": high, "n": float(n)}
    return figures


def _correlations(drawn: Array, x: Array, y: Array) -> Array:
    """(draws,) correlation of ranks x and y (n,) where molecule i was drawn ``drawn[:, i]`` times; ranks are those of all."""
    n = len(x)
    a, b = x - x.mean(), y - y.mean()
    ma, mb = drawn @ a / n, drawn @ b / n
    spread = np.sqrt(np.maximum((drawn @ a**2 / n - ma**2) * (drawn @ b**2 / n - mb**2), 1e-300))
    found: Array = (drawn @ (a * b) / n - ma * mb) / spread
    return np.where(spread > 1e-12, found, 0.0)


def _areas(drawn: Array, truth: Array, score: Array) -> Array:
    """(draws,) areas under the ROC curve of the same draws, from the cumulative weight of negatives by rising score."""
    order = np.argsort(score, kind="stable")
    positive = drawn[:, order] * (truth[order] > 0.5)
    negative = drawn[:, order] * (truth[order] <= 0.5)
    below = np.cumsum(negative, axis=1) - 0.5 * negative
    total = positive.sum(axis=1) * negative.sum(axis=1)
    found: Array = np.einsum("dn,dn->d", positive, below)
    return np.where(total > 0, found / np.maximum(total, 1.0), 0.5)


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
    ranks = np.argsort(np.argsort(white @ probes, axis=0), axis=0)  # no two are equal
    ideal = rankdata(truth) - (len(truth) + 1) / 2
    by_chance = np.abs(ideal @ (ranks - ranks.mean(axis=0))) / max(
        np.linalg.norm(ideal) * np.linalg.norm(ranks[:, 0] - ranks[:, 0].mean()), 1e-12
    )
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
