"""What a model must beat: nearest neighbours and a random forest on ECFP4, on the same split."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

Array = NDArray[np.float64]
TREES = 100
BLOCK = 500


def neighbours(train: NDArray[np.uint8], value: Array, test: NDArray[np.uint8], k: int) -> Array:
    """Similarity-weighted mean value of the k nearest by Tanimoto; fingerprints packed (n, bytes)."""
    a = np.unpackbits(train, axis=1).astype(np.float32)
    sizes, k = a.sum(axis=1), min(k, len(train))
    out = []
    for start in range(0, len(test), BLOCK):
        b = np.unpackbits(test[start : start + BLOCK], axis=1).astype(np.float32)
        common = b @ a.T
        similarity = common / np.maximum(sizes + b.sum(axis=1)[:, None] - common, 1.0)
        nearest = np.argpartition(-similarity, k - 1, axis=1)[:, :k]
        weight = np.take_along_axis(similarity, nearest, axis=1).astype(np.float64) + 1e-6
        out.append((weight * value[nearest]).sum(axis=1) / weight.sum(axis=1))
    return np.concatenate(out) if out else np.empty(0)


def forest(train: NDArray[np.uint8], value: Array, test: NDArray[np.uint8], classes: bool) -> Array:
    """Random forest of 100 trees: the value, or the probability of class 1."""
    maker = RandomForestClassifier if classes else RandomForestRegressor
    model = maker(n_estimators=TREES, max_features=0.1, n_jobs=2, random_state=1)
    model.fit(np.unpackbits(train, axis=1), value)
    bits = np.unpackbits(test, axis=1)
    if not classes:
        return np.asarray(model.predict(bits), np.float64)
    column = list(model.classes_).index(1.0) if 1.0 in model.classes_ else None
    return np.zeros(len(bits)) if column is None else np.asarray(model.predict_proba(bits)[:, column], np.float64)
