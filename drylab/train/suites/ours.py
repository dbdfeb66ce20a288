"""What drylab ships, as a suite runs it: the product's own fit and predict, and each of its branches alone."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drylab.score import gaussian
from drylab.score.learning import Features, learn, matrices, predict
from drylab.score.model import DomainWeights, Model
from drylab.train.suites.table import Budget

Array = NDArray[np.float64]
OURS, PROBE = "drylab", "drylab: probe alone (the fold)"
PRINTS, GNN = "drylab: fingerprints alone", "drylab: GNN alone"
ALL = (OURS, PROBE, PRINTS, GNN)
CHOOSING = 500
BRANCHES = {PRINTS: ("alike", "sharp"), GNN: ("near", "line")}


def guesses(train: Features, y: Array, test: Features, domain: DomainWeights) -> dict[str, Array]:
    """(m,) values for the test molecules by all four."""
    learned = learn(train, y, domain)
    found = {OURS: predict(learned, test, domain)[0], PROBE: learned.probe.mean(test.z)}
    for name, kernels in BRANCHES.items():
        posterior = _fitted(matrices(train, train, domain, kernels), y)
        found[name] = posterior.predict(matrices(test, train, domain, kernels))[0]
    return found


def _fitted(kernels: list[Array], y: Array) -> gaussian.Posterior:
    """As the product fits; the hyperparameters by at most CHOOSING rows, which costs an eighth of its thousand."""
    rows = np.sort(np.random.default_rng(0).permutation(len(y))[:CHOOSING])
    theta = gaussian.hyperparameters([k[np.ix_(rows, rows)] for k in kernels], y[rows], np.ones(len(rows)))
    return gaussian.solve(kernels, y, np.ones(len(y)), theta)


_KEPT: dict[Hashable, Any] = {}


def once(suite: str, data: Path, model: Model, budget: Budget, make: Callable[[], Any]) -> Any:
    """What ``make`` gives, made once in this process for a suite, folder, model and budget: the ablation asks again."""
    key = (suite, str(data), model.sha256, budget)
    if key not in _KEPT:
        _KEPT[key] = make()
    return _KEPT[key]
