"""Heads -> probes: refit in closed form around the trained head, calibrate, and say which was better.

A refit is a ridge whose zero is the trained head: w minimises sum_i c_i (y_i - z_i w - b)^2 + s |w - w0|^2. As s grows
it becomes the trained head, so one number, chosen on the validation fold for all tasks of a kind, decides both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from drylab.train.corpus import Prepared
from drylab.train.fit import WEAK
from drylab.train.split import TRAIN, VALID

Array = NDArray[np.float64]
STRENGTHS = (*np.geomspace(0.3, 30_000.0, 11), np.inf)
NEWTON = 6
LIBRARY_SHARE = 0.5  # of all library molecules together in a refit, beside 1 for all measurements of the task


@dataclass(frozen=True, slots=True)
class Heads:
    """value = z @ weights.T + bias, in pActivity, pIC50 or logits: weights (t, d), bias (t,)."""

    weights: Array
    bias: Array

    def value(self, z: Array, task: int) -> Array:
        """What one head says, (n,)."""
        return z @ self.weights[task] + self.bias[task]


@dataclass(frozen=True, slots=True)
class TaskRows:
    """The molecules of one task in one fold: their numbers, values, and whether the truth is at most (-1) or at least (+1) that."""

    mol: NDArray[np.int32]
    value: Array
    relation: NDArray[np.int8]

    def exact(self) -> TaskRows:
        """Only what was measured: a bound has no error."""
        measured = self.relation == 0
        return TaskRows(self.mol[measured], self.value[measured], self.relation[measured])

    def nearest(self, predicted: Array) -> Array:
        """(m,) the value nearest to a prediction that the measurement allows."""
        below = np.where(self.relation < 0, np.minimum(predicted, self.value), self.value)
        return np.where(self.relation > 0, np.maximum(predicted, self.value), below)


def rows_of(prepared: Prepared, task: int, fold: int) -> TaskRows:
    """Labels of one task that fall in one fold."""
    labels = prepared.labels
    at = np.flatnonzero((labels.task == task) & (prepared.fold[labels.mol] == fold))
    return TaskRows(labels.mol[at], labels.value[at].astype(np.float64), labels.relation[at])


def sigmoid(logit: Array) -> Array:
    """1 / (1 + exp(-logit)), without overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * logit))


def cross_entropy(truth: Array, logit: Array) -> float:
    """Mean binary cross-entropy."""
    return float(np.mean(np.logaddexp(0.0, logit) - truth * logit))


def refit(prepared: Prepared, z: Array, heads: Heads) -> tuple[Heads, dict[str, float]]:
    """Heads with every shipped task refitted at the strength that validates best, and that strength by kind (inf: none)."""
    chosen = {}
    for kind in ("affinity", "censored", "regression", "class"):
        tasks = [i for i, task in enumerate(prepared.labels.tasks) if task.kind == kind and task.shipped]
        losses, paths = np.zeros(len(STRENGTHS)), {}
        for task in tasks:
            valid = rows_of(prepared, task, VALID)
            if len(valid.mol) < 10 or len(rows_of(prepared, task, TRAIN).mol) < 10:
                continue
            paths[task] = _path(prepared, z, heads, task)
            found = [_loss(kind, valid, z[valid.mol] @ w + b) for w, b in paths[task]]
            losses += np.sqrt(len(valid.mol)) * np.array(found)
        best = int(np.argmin(losses))
        chosen[kind] = float(STRENGTHS[best])
        for task, path in paths.items():
            heads = _with(heads, task, *path[best])
    return heads, chosen


def _with(heads: Heads, task: int, w: Array, b: float) -> Heads:
    weights, bias = heads.weights.copy(), heads.bias.copy()
    weights[task], bias[task] = w, b
    return replace(heads, weights=weights, bias=bias)


def _loss(kind: str, rows: TaskRows, predicted: Array) -> float:
    if kind == "class":
        return cross_entropy(rows.value, predicted)
    return float(np.mean((predicted - rows.nearest(predicted)) ** 2))


def _path(prepared: Prepared, z: Array, heads: Heads, task: int) -> list[tuple[Array, float]]:
    """The refit of one task at every strength."""
    anchor = (heads.weights[task], float(heads.bias[task]))
    rows = rows_of(prepared, task, TRAIN)
    x = z[rows.mol]
    if prepared.labels.tasks[task].kind == "class":
        return [anchored_logistic(x, rows.value, *anchor, strength) for strength in STRENGTHS]
    wanted = rows.nearest(heads.value(x, task))
    weight = np.ones(len(x))
    if prepared.labels.tasks[task].kind == "affinity":
        # Library molecules hold the refit where nothing was measured: stay, or come down to the ceiling.
        library = z[prepared.corpus.library]
        x = np.concatenate([x, library])
        wanted = np.concatenate([wanted, np.minimum(heads.value(library, task), WEAK)])
        share = LIBRARY_SHARE * len(weight) / max(len(library), 1)
        weight = np.concatenate([weight, np.full(len(library), share)])
    return anchored_ridge(x, wanted, weight, anchor, STRENGTHS)


def anchored_ridge(
    x: Array, wanted: Array, weight: Array, anchor: tuple[Array, float], strengths: Sequence[float]
) -> list[tuple[Array, float]]:
    """Weighted ridge around the anchor, one answer a strength; a strength counts as that many average molecules."""
    w0, b0 = anchor
    total = weight.sum()
    centre, rest = (weight @ x) / total, wanted - x @ w0 - b0
    middle = float(weight @ rest / total)
    xc = x - centre
    values, vectors = np.linalg.eigh((xc * weight[:, None]).T @ xc)
    slope = vectors.T @ (xc.T @ (weight * (rest - middle)))
    out = []
    for strength in strengths:
        if np.isinf(strength):
            out.append((w0, b0))
            continue
        step = vectors @ (slope / (values + strength * values.mean() / total + 1e-12))
        out.append((w0 + step, b0 + middle - float(centre @ step)))
    return out


def anchored_logistic(x: Array, truth: Array, w0: Array, b0: float, strength: float) -> tuple[Array, float]:
    """Logistic regression with a ridge around (w0, b0), by Newton steps; an infinite strength is the anchor."""
    if np.isinf(strength):
        return w0, b0
    design = np.column_stack([x, np.ones(len(x))])
    start = np.append(w0, b0)
    spread = np.append(np.full(len(w0), strength * x.var(axis=0).mean() * 0.25), 1e-6)
    now = start.copy()
    for _ in range(NEWTON):
        p = sigmoid(design @ now)
        gradient = design.T @ (p - truth) + spread * (now - start)
        hessian = (design * np.maximum(p * (1 - p), 1e-4)[:, None]).T @ design + np.diag(spread)
        now = now - np.linalg.solve(hessian, gradient)
    return now[:-1], float(now[-1])


def calibrate(prepared: Prepared, z: Array, heads: Heads) -> tuple[Heads, dict[str, float]]:
    """Temperature of every shipped class on the validation fold, divided into weight and bias; and the temperatures."""
    found = {}
    for number, task in enumerate(prepared.labels.tasks):
        valid = rows_of(prepared, number, VALID)
        if task.kind != "class" or not task.shipped or not 10 <= valid.value.sum() <= len(valid.value) - 10:
            continue
        t = temperature(valid.value, heads.value(z[valid.mol], number))
        heads = _with(heads, number, heads.weights[number] / t, float(heads.bias[number] / t))
        found[task.name] = t
    return heads, found


def temperature(truth: Array, logit: Array) -> float:
    """The T that makes logit / T likeliest (Guo 2017, https://arxiv.org/abs/1706.04599), within 0.2 to 5."""
    answer = minimize_scalar(
        lambda log_t: cross_entropy(truth, logit / np.exp(log_t)), bounds=np.log([0.2, 5.0]), method="bounded"
    )
    return float(np.exp(answer.x))
