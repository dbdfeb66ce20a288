"""Five heads on a frozen z for every endpoint: linear, each without a fifth of the training scaffolds.

The mean of five linear heads is one linear probe, which the fold can use; how far they differ is the uncertainty of the
small change of data that each of them saw. Small sets also read ten descriptors, which the fold does not have.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drylab.train.probes import cross_entropy, sigmoid

Array = NDArray[np.float64]
MEMBERS = 5
STRENGTHS = (3.0, 30.0, 300.0, 3000.0)  # of the ridge, in molecules
NEWTON = 8
SMALL = 2000  # labels below which a head also reads descriptors
ROUNDS = 3  # of filling in what a censored value says: the bound, or the prediction where that keeps to it


@dataclass(frozen=True, slots=True)
class Task:
    """Labels of one endpoint in one fold.

    mol (n,) int64 rows of the molecules   value (n,) float64: 0/1 or a number
    relation (n,) int8: 0 measured, -1 the truth is at most ``value``, +1 at least      group (n,) int64: 0 to MEMBERS - 1
    """

    mol: NDArray[np.int64]
    value: Array
    relation: NDArray[np.int8]
    group: NDArray[np.int64]

    def take(self, rows: NDArray[np.bool_]) -> Task:
        """Some of the labels."""
        return Task(self.mol[rows], self.value[rows], self.relation[rows], self.group[rows])

    def measured(self) -> Task:
        """Without bounds: a bound has no error."""
        return self.take(self.relation == 0)


def groups_of(scaffolds: Sequence[str], parents: Sequence[str]) -> NDArray[np.int64]:
    """(n,) which member leaves a molecule out: one for all molecules of a scaffold; an acyclic one is its own."""
    texts = [scaffold or parent for scaffold, parent in zip(scaffolds, parents, strict=True)]
    digests = (hashlib.sha256(f"drylab-heads:{text}".encode()).digest() for text in texts)
    return np.array([int.from_bytes(digest[:4], "big") % MEMBERS for digest in digests], np.int64)


def heads(x: Array, train: Task, tune: Task, classes: bool) -> tuple[Array, Array]:
    """Weights (MEMBERS, d) and bias (MEMBERS,) on x (all molecules, d): logits of a class, or values.

    The strength is the one that predicts ``tune`` best from all of ``train``.
    """
    centre, width = x[train.mol].mean(axis=0), x[train.mol].std(axis=0) + 1e-9
    scaled = (x - centre) / width
    losses = [_loss(scaled, fitted(scaled, train, classes, s), tune.measured(), classes) for s in STRENGTHS]
    strength = STRENGTHS[int(np.argmin(losses))]
    found = [fitted(scaled, _without(train, member), classes, strength) for member in range(MEMBERS)]
    weights = np.stack([w / width for w, _ in found])
    return weights, np.array([b for _, b in found]) - weights @ centre


def _without(train: Task, member: int) -> Task:
    """All but the member's group, unless that would leave one class alone, or next to nothing."""
    rest = train.take(train.group != member)
    return rest if len(rest.mol) >= 10 and len(np.unique(rest.value)) > 1 else train


def _loss(x: Array, head: tuple[Array, float], tune: Task, classes: bool) -> float:
    if len(tune.mol) == 0:
        return 0.0
    said = x[tune.mol] @ head[0] + head[1]
    return cross_entropy(tune.value, said) if classes else float(np.mean((said - tune.value) ** 2))


def fitted(x: Array, task: Task, classes: bool, strength: float) -> tuple[Array, float]:
    """One head, weights (d,) and bias: logistic or least squares with a ridge on all but the bias."""
    rows = x[task.mol]
    if classes:
        return logistic(rows, task.value, strength)
    wanted = task.value
    w, b = ridge(rows, wanted, strength)
    for _ in range(ROUNDS if (task.relation != 0).any() else 0):
        said = rows @ w + b
        wanted = np.where(task.relation < 0, np.minimum(said, task.value), wanted)
        wanted = np.where(task.relation > 0, np.maximum(said, task.value), wanted)
        w, b = ridge(rows, wanted, strength)
    return w, b


def ridge(x: Array, y: Array, strength: float) -> tuple[Array, float]:
    """Least squares with ``strength`` * |w|^2, the bias free."""
    centre, middle = x.mean(axis=0), float(y.mean())
    xc = x - centre
    w = np.linalg.solve(xc.T @ xc + strength * np.eye(x.shape[1]), xc.T @ (y - middle))
    return w, middle - float(centre @ w)


def logistic(x: Array, y: Array, strength: float) -> tuple[Array, float]:
    """Logistic regression with ``strength`` / 8 * |w|^2 (a molecule weighs at most a quarter), by damped Newton steps."""
    design = np.column_stack([x, np.ones(len(x))])
    penalty = np.append(np.full(x.shape[1], 0.25 * strength), 1e-6)
    share = float(np.clip(y.mean(), 1e-3, 1 - 1e-3))
    now = np.append(np.zeros(x.shape[1]), np.log(share / (1 - share)))
    loss = _objective(design, y, penalty, now)
    for _ in range(NEWTON):
        p = sigmoid(design @ now)
        hessian = (design * (p * (1 - p))[:, None]).T @ design + np.diag(penalty + 1e-9)
        step = np.linalg.solve(hessian, design.T @ (y - p) - penalty * now)
        size = 1.0
        while (found := _objective(design, y, penalty, now + size * step)) > loss and size > 1e-3:
            size *= 0.5
        if found > loss:
            break
        now, loss = now + size * step, found
    return now[:-1], float(now[-1])


def _objective(design: Array, y: Array, penalty: Array, w: Array) -> float:
    return cross_entropy(y, design @ w) * len(y) + 0.5 * float(penalty @ (w * w))
