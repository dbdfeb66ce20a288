"""How well a first stage stands in for the full model: what must be passed on to keep the full model's best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drylab.train.metrics import interval, spearman

Array = NDArray[np.float64]
DRAWS = 100
TOPS = (0.001, 0.01, 0.05)  # shares of a library that count as its best
RECALLS = (0.99, 0.999)


def shares_passed(full: Array, first: Array) -> Array:
    """(tops, recalls): the share of a library (n,) that must pass to keep so much of its best by ``full``.

    The threshold is a score of ``first``; what scores as high as the threshold passes.
    """
    order, rising, n = np.argsort(-full, kind="stable"), np.sort(first), len(full)
    shares = np.empty((len(TOPS), len(RECALLS)))
    for i, top in enumerate(TOPS):
        best = np.sort(first[order[: max(1, round(top * n))]])
        for j, recall in enumerate(RECALLS):
            # Whole molecules: of 100, a recall of 0.999 spares none.
            threshold = best[int((1.0 - recall) * len(best) + 1e-9)]
            shares[i, j] = (n - np.searchsorted(rising, threshold)) / n
    return shares


@dataclass(frozen=True, slots=True)
class Fidelity:
    """One probe on one library of n molecules: rank correlation, and shares_passed with their 95 % bootstrap limits."""

    probe: str
    library: str
    molecules: int
    spearman: float
    passed: list[list[float]]
    low: list[list[float]]
    high: list[list[float]]


def judge(probe: str, library: str, full: Array, first: Array, seed: int = 1) -> Fidelity:
    """The figures of one probe on one library, molecules drawn anew for the limits."""
    rng = np.random.default_rng(seed)
    n = len(full)
    drawn = np.array([shares_passed(full[i], first[i]) for i in (rng.integers(0, n, n) for _ in range(DRAWS))])
    limits = np.array([[interval(drawn[:, i, j]) for j in range(len(RECALLS))] for i in range(len(TOPS))])
    passed = shares_passed(full, first).tolist()
    return Fidelity(probe, library, n, spearman(full, first), passed, limits[..., 0].tolist(), limits[..., 1].tolist())


def typical(found: Sequence[Fidelity]) -> list[list[float]]:
    """Median shares passed on over probes and libraries."""
    return [[float(x) for x in row] for row in np.median([one.passed for one in found], axis=0)]
