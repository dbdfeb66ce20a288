"""Measurements that are only a bound ("> 10 uM"): what stands for them while a model is fitted.

A bound is neither a value nor nothing. In turns, a model is fitted to all values, and each bound is replaced by what is
expected of a value on its side of the bound where the model, fitted without that row, says mean and variance. That is
the EM algorithm of the Tobit model (Tobin 1958, https://doi.org/10.2307/1907382; Dempster 1977,
https://doi.org/10.1111/j.2517-6161.1977.tb01600.x) with leave-one-out predictions, so that a row does not argue for itself.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from drylab.errors import InputError

Array = NDArray[np.float64]
Relation = NDArray[np.integer]
RELATIONS = {"=": 0, ">": 1, ">=": 1, ">>": 1, "<": -1, "<=": -1, "<<": -1, "~": 0, "": 0}
ROUNDS = 8
SETTLED = 0.01  # of the spread of y: the rounds end when no bound moves by more


def signs(relations: list[str]) -> NDArray[np.int8]:
    """(n,) int8 of texts: 0 a value, 1 the truth is above it, -1 below. Raises InputError for any other text."""
    for row, said in enumerate(relations):
        if said.strip() not in RELATIONS:
            raise InputError(f"relation {row}: {said!r} is not one of {' '.join(filter(None, RELATIONS))}; correct it")
    return np.array([RELATIONS[said.strip()] for said in relations], np.int8)


def expected(mean: Array, sd: Array, bound: Array, relation: Relation) -> Array:
    """(n,) the mean of Normal(mean, sd) above (relation 1) or below (-1) the bound; the bound itself where relation is 0."""
    from scipy.special import log_ndtr

    side = relation.astype(np.float64)
    far = side * (bound - mean) / sd  # how many sd the bound lies on its own side of the mean
    hazard = np.exp(-0.5 * far**2 - 0.5 * np.log(2 * np.pi) - log_ndtr(-far))
    return np.where(relation == 0, bound, mean + side * sd * hazard)


def fill(y: Array, relation: Relation | None, loo: Callable[[Array], tuple[Array, Array]]) -> Array:
    """(n,) y with what stands for each bound; ``loo`` fits given values and gives leave-one-out mean and variance."""
    if relation is None or not np.any(relation):
        return y
    now, spread = y, max(float(np.std(y)), 1e-6)
    for _ in range(ROUNDS):
        mean, variance = loo(now)
        then = expected(mean, np.sqrt(variance), y, relation)
        # A model sure of the wrong side would push a bound ever further: nothing is further than three spreads.
        then = np.clip(then, y - 3 * spread, y + 3 * spread)
        moved, now = float(np.abs(then - now).max()), then
        if moved < SETTLED * spread:
            break
    return now
