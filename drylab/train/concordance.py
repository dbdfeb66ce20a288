"""Concordance within groups of pairs: how each molecule orders targets, and each target molecules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def concordance_few(truth: Array, said: Array) -> float:
    """The CI of a few pairs, by comparing all with all: faster than sorting where there are tens."""
    order, guess = np.sign(truth[:, None] - truth), np.sign(said[:, None] - said)
    untied = np.abs(order).sum()
    return float("nan") if untied == 0 else float(0.5 + 0.5 * (order * guess).sum() / untied)


def within(key: NDArray[np.int64], truth: Array, said: Array, metric: Callable[..., Any], least: int) -> Array:
    """(g,) the metric of every group of at least ``least`` pairs for which it is defined; a constant guess is chance."""
    order = np.argsort(key, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(key[order])) + 1)
    parts = [part for part in parts if len(part) >= least and np.ptp(truth[part]) > 0]
    return np.array([np.nan_to_num(metric(truth[part], said[part])) for part in parts])
