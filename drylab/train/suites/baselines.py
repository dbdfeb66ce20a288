"""What a chemist already has: every model is held to these, on the same rows, in the same table.

A baseline is a function of a Problem that gives (m,) float64 for the test molecules: values, or for classes a score that
rises with the probability of class 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.model_selection import KFold
from sklearn.svm import SVC, SVR

from drylab.train.suites.molecules import Molecules, shared, tanimoto

Array = NDArray[np.float64]
# MoleculeACE's grid (van Tilborg 2022, 10.1021/acs.jcim.2c01073; epsilon 0.1) is C 1..1e4 by gamma 1e-6..0.1; its ends
# never won, and 3 folds of at most CROSS molecules choose here, where it had 50 steps of a Bayesian search in 5 folds.
COSTS, GAMMAS = (1.0, 10.0, 100.0), (0.003, 0.01, 0.03)
CROSS, FOLDS = 1000, 3
EPSILON = 0.1


@dataclass(frozen=True, slots=True)
class Problem:
    """Train on ``y`` (n,) of ``train``, say something of each of ``test``; classes: y is 0 or 1."""

    train: Molecules
    y: Array
    test: Molecules
    classes: bool = False
    seed: int = 1
    trees: int = 100


def random(problem: Problem) -> Array:
    """Values of the training set, in any order."""
    return np.random.default_rng(problem.seed).choice(problem.y, len(problem.test))


def mean(problem: Problem) -> Array:
    """The mean of the training values, for all: what RMSE costs nothing."""
    return np.full(len(problem.test), problem.y.mean())


def weight(problem: Problem) -> Array:
    """A line in molecular weight."""
    return _linear(problem, 1)


def weight_and_logp(problem: Problem) -> Array:
    """A plane in molecular weight and logP."""
    return _linear(problem, 2)


def _linear(problem: Problem, columns: int) -> Array:
    x, new = problem.train.props[:, :columns], problem.test.props[:, :columns]
    middle, spread = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-6)
    design = np.column_stack([(x - middle) / spread, np.ones(len(x))])
    # A trace of ridge: molecules of one weight would leave the slope undefined.
    normal = design.T @ design + 1e-6 * np.eye(columns + 1)
    slope = np.linalg.solve(normal, design.T @ problem.y)
    found: Array = np.column_stack([(new - middle) / spread, np.ones(len(new))]) @ slope
    return found


def nearest_1(problem: Problem) -> Array:
    """The value of the most similar molecule."""
    return nearest(problem, 1)


def nearest_5(problem: Problem) -> Array:
    """The mean of the five most similar, weighted by similarity."""
    return nearest(problem, 5)


def nearest(problem: Problem, k: int) -> Array:
    """Similarity-weighted mean of the k nearest by Tanimoto on ECFP4."""
    similarity = tanimoto(problem.test, problem.train)
    k = min(k, len(problem.train))
    near = np.argpartition(-similarity, k - 1, axis=1)[:, :k]
    share = np.take_along_axis(similarity, near, axis=1) + 1e-6
    found: Array = (share * problem.y[near]).sum(axis=1) / share.sum(axis=1)
    return found


def forest(problem: Problem) -> Array:
    """A random forest on ECFP4 bits, the square root of the features tried at each split."""
    maker = RandomForestClassifier if problem.classes else RandomForestRegressor
    model = maker(n_estimators=problem.trees, max_features="sqrt", n_jobs=1, random_state=problem.seed)
    # scikit-learn's trees want float32 and would convert it once for each of their calls
    model.fit(problem.train.bits().astype(np.float32), problem.y)
    bits = problem.test.bits().astype(np.float32)
    if not problem.classes:
        return np.asarray(model.predict(bits), np.float64)
    return np.asarray(model.predict_proba(bits)[:, list(model.classes_).index(1.0)], np.float64)


def svm(problem: Problem) -> Array:
    """Support vectors with a Gaussian kernel on ECFP4 bits; C and gamma by cross-validation on the training rows."""
    common, n, m = shared(problem.train, problem.train)
    apart = n[:, None] + m - 2 * common  # squared distance of two bit strings
    cost, gamma = _searched(apart, problem)
    common, n, m = shared(problem.test, problem.train)
    return _svm(np.exp(-gamma * apart), problem, cost)(np.exp(-gamma * (n[:, None] + m - 2 * common)))


def _svm(
    kernel: Array, problem: Problem, cost: float, rows: NDArray[np.integer] | None = None
) -> Callable[[Array], Array]:
    y = problem.y if rows is None else problem.y[rows]
    model = SVC(kernel="precomputed", C=cost) if problem.classes else SVR(kernel="precomputed", C=cost, epsilon=EPSILON)
    model.fit(kernel, y)
    say = model.decision_function if problem.classes else model.predict
    return lambda cross: np.asarray(say(cross), np.float64)


def _searched(apart: Array, problem: Problem) -> tuple[float, float]:
    """C and gamma with the least squared error on left-out rows (for classes: of +-1)."""
    rows = np.random.default_rng(problem.seed).permutation(len(problem.y))[:CROSS]
    y = 2 * problem.y - 1 if problem.classes else problem.y
    errors = dict.fromkeys(product(COSTS, GAMMAS), 0.0)
    for inside, outside in KFold(FOLDS).split(rows):
        a, b = rows[inside], rows[outside]
        if problem.classes and len(set(problem.y[a])) < 2:
            continue
        for cost, gamma in errors:
            kernel = np.exp(-gamma * apart[:, a])
            guess = _svm(kernel[a], problem, cost, a)(kernel[b])
            errors[cost, gamma] += float(((guess - y[b]) ** 2).sum())
    return min(errors, key=lambda pair: errors[pair])


BASELINES: dict[str, Callable[[Problem], Array]] = {
    "random": random,
    "mean": mean,
    "MW": weight,
    "MW + logP": weight_and_logp,
    "1-NN": nearest_1,
    "5-NN": nearest_5,
    "RF-ECFP4": forest,
    "SVM-ECFP4": svm,
}
