"""Intervals of means over tasks, by a bootstrap of tasks (outer) and of what is judged within a task (inner).

A task is drawn with replacement; each time that it is drawn it brings one of its own INNER redraws of molecules (or of
repeats: query lists, support sets). All methods share every draw, so that a difference of two is a paired one.
(Davison 1997, Bootstrap Methods and their Application, 10.1017/CBO9780511802843, section 3.8)
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drylab.train.metrics import Metric
from drylab.train.suites.table import DIFFERENCE, Budget, Figure, Row

Array = NDArray[np.float64]
INNER = 200  # redraws of a task's molecules; each outer draw picks one of them for each task
CELLS = 4_000_000  # numbers worked on at a time


@dataclass(frozen=True, slots=True)
class Judged:
    """One task: m methods by k metrics.

    methods, metrics  names      n  molecules or repeats judged
    values  (m, k) float64, NaN where not defined      draws  (m, k, INNER) the same of redrawn molecules
    """

    task: str
    methods: tuple[str, ...]
    metrics: tuple[str, ...]
    values: Array
    draws: Array
    n: int


def judge(task: str, truth: Array, predicted: Mapping[str, Array], metrics: Mapping[str, Metric], seed: int) -> Judged:
    """Metrics of every method's (n,) predictions, and of INNER redraws of the molecules, the same for all methods.

    truth  (n,), or (c, n) for metrics that want to know c things of a molecule
    """
    rng = np.random.default_rng(seed)
    n = truth.shape[-1]
    picks = rng.integers(0, n, (INNER, n))
    shape = (len(predicted), len(metrics))
    values, draws = np.empty(shape), np.empty((*shape, INNER))
    for i, guess in enumerate(predicted.values()):
        for j, metric in enumerate(metrics.values()):
            values[i, j] = metric(truth, guess)
            draws[i, j] = _redrawn(metric, truth, guess, picks)
    return Judged(task, tuple(predicted), tuple(metrics), values, draws, n)


def _redrawn(metric: Metric, truth: Array, guess: Array, picks: NDArray[np.int64]) -> Array:
    step = max(1, CELLS // max(picks.shape[1], 1))
    parts = [
        metric(truth[..., some], guess[some]) for some in (picks[i : i + step] for i in range(0, len(picks), step))
    ]
    return np.concatenate([np.atleast_1d(part) for part in parts])


def repeated(task: str, methods: Sequence[str], metrics: Sequence[str], values: Array, seed: int) -> Judged:
    """A task judged r times: ``values`` (m, k, r), a repeat a draw of queries or of a support set; redraws are of repeats."""
    rng = np.random.default_rng(seed)
    r = values.shape[2]
    picks = rng.integers(0, r, (INNER, r))
    return Judged(task, tuple(methods), tuple(metrics), _mean(values, 2), _mean(values[:, :, picks], 3), r)


@dataclass(frozen=True, slots=True)
class Pooled:
    """The mean over tasks: values (m, k), samples (m, k, draws) of the bootstrap, tasks (m, k) int64 that each is of."""

    methods: tuple[str, ...]
    metrics: tuple[str, ...]
    values: Array
    samples: Array
    tasks: NDArray[np.int64]

    def figure(self, method: str, metric: str) -> Figure:
        """The mean with its interval."""
        i, j = self.methods.index(method), self.metrics.index(metric)
        return _figure(float(self.values[i, j]), self.samples[i, j], int(self.tasks[i, j]))

    def difference(self, method: str, other: str, metric: str) -> Figure:
        """``method`` less ``other``, paired: the same tasks and molecules on both sides of every draw."""
        i, o, j = self.methods.index(method), self.methods.index(other), self.metrics.index(metric)
        value = float(self.values[i, j] - self.values[o, j])
        return _figure(value, self.samples[i, j] - self.samples[o, j], int(min(self.tasks[i, j], self.tasks[o, j])))


def pool(tasks: Sequence[Judged], budget: Budget) -> Pooled:
    """Means over tasks that have the same methods and metrics; one task alone keeps the interval of its molecules."""
    first = tasks[0]
    values, draws = np.stack([task.values for task in tasks]), np.stack([task.draws for task in tasks])
    rng = np.random.default_rng(budget.seed)
    samples = np.empty((*first.values.shape, budget.draws))
    for draw in range(budget.draws):
        which = rng.integers(0, len(tasks), len(tasks))
        samples[:, :, draw] = _mean(draws[which, :, :, rng.integers(0, draws.shape[3], len(tasks))], 0)
    return Pooled(first.methods, first.metrics, _mean(values, 0), samples, np.isfinite(values).sum(axis=0))


def rows(task: str, pooled: Pooled, ours: Sequence[str], against: Sequence[str] = ()) -> list[Row]:
    """A row a method; those of ``ours`` also say by how much they differ from each of ``against``."""
    found = []
    for method in pooled.methods:
        cells = {metric: pooled.figure(method, metric) for metric in pooled.metrics}
        if method in ours:
            pairs = [(metric, other) for other in against if other != method for metric in pooled.metrics]
            cells |= {f"{m}{DIFFERENCE}{other}": pooled.difference(method, other, m) for m, other in pairs}
        found.append(Row(task, method, cells, method in ours))
    return found


def details(tasks: Sequence[Judged], ours: Sequence[str]) -> list[Row]:
    """A row a task and method, with the interval of its molecules, for the JSON."""
    return [
        Row(task.task, method, _cells(task, number), method in ours)
        for task in tasks
        for number, method in enumerate(task.methods)
    ]


def _cells(task: Judged, method: int) -> dict[str, Figure]:
    numbers = enumerate(task.metrics)
    return {m: _figure(float(task.values[method, j]), task.draws[method, j], task.n) for j, m in numbers}


def _figure(value: float, samples: Array, n: int) -> Figure:
    known = samples[np.isfinite(samples)]
    if not np.isfinite(value) or len(known) == 0:
        return Figure(float("nan"), n=n)
    low, high = np.percentile(known, [2.5, 97.5])
    return Figure(value, float(low), float(high), n)


def _mean(values: Array, axis: int) -> Array:
    """The mean of what is known; NaN where nothing is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # "mean of empty slice" is the NaN that is wanted
        found: Array = np.nanmean(values, axis=axis)
    return found
