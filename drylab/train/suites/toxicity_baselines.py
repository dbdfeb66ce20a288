"""Baselines of the toxicity suite, all on the molecules that the panel was fitted on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from drylab.score.counts import DESCRIPTORS
from drylab.score.similarity import Sparse, similarity
from drylab.train.heads import Task, logistic, ridge
from drylab.train.probes import sigmoid
from drylab.train.suites.table import Budget

Array = NDArray[np.float64]
BITS = 2048
SIMPLE = ("MW", "MW + logP", "1-NN", "5-NN", "RF-ECFP4")
_PROPERTIES = {"MW": ("MolWt",), "MW + logP": ("MolWt", "MolLogP")}


def simple(method: str, descriptors: Array, prints: Sparse, fitting: Task, test: Task, budget: Budget) -> Array:
    """(m,) probabilities of a class, or values, for the molecules of ``test``.

    descriptors (n, 10) of all molecules       prints  ECFP4 counts of all molecules
    """
    classes = bool(np.isin(fitting.value, (0.0, 1.0)).all())
    if method in _PROPERTIES:
        columns = [DESCRIPTORS.index(name) for name in _PROPERTIES[method]]
        return _by_properties(descriptors[:, columns], fitting, test, classes)
    if method == "RF-ECFP4":
        return _forest(descriptors, prints, fitting, test, classes, budget)
    return neighbours(prints, fitting, test, int(method.partition("-")[0]))


def _by_properties(x: Array, fitting: Task, test: Task, classes: bool) -> Array:
    centre, width = x[fitting.mol].mean(axis=0), x[fitting.mol].std(axis=0) + 1e-9
    scaled = (x - centre) / width
    w, b = (logistic if classes else ridge)(scaled[fitting.mol], fitting.value, 1.0)
    said = scaled[test.mol] @ w + b
    return sigmoid(said) if classes else said


def neighbours(prints: Sparse, fitting: Task, test: Task, k: int) -> Array:
    """(m,) similarity-weighted mean value of the k nearest by Tanimoto on counts."""
    alike = similarity(prints.take(test.mol), prints.take(fitting.mol))
    nearest = np.argsort(-alike, axis=1, kind="stable")[:, :k]
    weight = np.take_along_axis(alike, nearest, axis=1) + 1e-6
    return np.asarray((weight * fitting.value[nearest]).sum(axis=1) / weight.sum(axis=1))


def _forest(descriptors: Array, prints: Sparse, fitting: Task, test: Task, classes: bool, budget: Budget) -> Array:
    maker = RandomForestClassifier if classes else RandomForestRegressor
    forest = maker(n_estimators=budget.trees, max_features="sqrt", random_state=budget.seed, n_jobs=1)
    forest.fit(_columns(descriptors, prints, fitting.mol), fitting.value)
    x = _columns(descriptors, prints, test.mol)
    if not classes:
        return np.asarray(forest.predict(x), np.float64)
    return np.asarray(forest.predict_proba(x)[:, list(forest.classes_).index(1.0)], np.float64)


def _columns(descriptors: Array, prints: Sparse, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """(r, BITS + 10): folded bits and descriptors."""
    chosen = prints.take(rows)
    bits = np.zeros((len(rows), BITS), np.float32)
    bits[np.repeat(np.arange(len(rows)), np.diff(chosen.ptr)), chosen.bit % BITS] = 1.0
    return np.hstack([bits, descriptors[rows].astype(np.float32)])
