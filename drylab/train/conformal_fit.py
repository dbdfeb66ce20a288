"""Calibration and 90 % sets on molecules of scaffolds that nothing was trained on.

A calibration blends the heads on z with the network and makes a probability of it. From the simplest to the least:
    "mean"         the plain mean of both logits
    "temperature"  that mean times one number (Guo 2017)
    "Platt"        slopes of its own for both, not below 0, and an intercept, drawn towards the mean (Platt 1999)
The one that predicts left-out scaffold groups best is fitted to all. An isotonic curve is put on top of it where there
are more than a thousand labels and it predicts left-out groups better still.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.isotonic import IsotonicRegression

from drylab.score.conformal import LEVEL, spread
from drylab.train.heads import MEMBERS
from drylab.train.probes import cross_entropy, sigmoid

Array = NDArray[np.float64]
METHODS = ("mean", "temperature", "Platt")
MEAN = np.array([0.5, 0.5, 0.0])
PULL = 4.0  # how hard Platt's numbers are drawn to the mean's: as hard as a few labels
KNOTS = 33
MANY = 1000  # labels above which an isotonic curve is tried
FEWEST = 30  # labels, and FEWEST_CLASS of each class, below which nothing is fitted
FEWEST_CLASS = 5
REACH = 30.0  # logits beyond this are certainty


@dataclass(frozen=True, slots=True)
class Calibration:
    """blend (3,): slopes of both branches and an intercept; curve: knots (2, KNOTS) or None; method: what was chosen."""

    blend: Array
    curve: Array | None
    method: str

    def logits(self, both: Array) -> Array:
        """(n,) from the logits of both branches (n, 2)."""
        out = both @ self.blend[:2] + self.blend[2]
        return out if self.curve is None else np.interp(out, *self.curve)


def calibrate(both: Array, truth: Array, group: NDArray[np.int64]) -> Calibration:
    """For a class: logits of both branches (n, 2), truth (n,) 0/1, group (n,) scaffold groups that are left out in turn."""
    positives = int(truth.sum())
    if len(truth) < FEWEST or min(positives, len(truth) - positives) < FEWEST_CLASS:
        return Calibration(MEAN, None, "mean")
    left_out = {name: _left_out(name, both, truth, group) for name in METHODS}
    losses = {name: cross_entropy(truth, said) for name, said in left_out.items()}
    method = min(losses, key=lambda name: losses[name])
    blend = fit(method, both, truth)
    if len(truth) > MANY:
        said, bent = left_out[method], np.empty(len(truth))
        for number in range(MEMBERS):
            bent[group == number] = np.interp(
                said[group == number], *isotonic(said[group != number], truth[group != number])
            )
        if cross_entropy(truth, bent) < losses[method]:
            return Calibration(blend, isotonic(both @ blend[:2] + blend[2], truth), f"{method}, isotonic")
    return Calibration(blend, None, method)


def _left_out(method: str, both: Array, truth: Array, group: NDArray[np.int64]) -> Array:
    """(n,) logits of each group by a fit on the others."""
    said = np.empty(len(truth))
    for number in range(MEMBERS):
        at = group == number
        blend = fit(method, both[~at], truth[~at])
        said[at] = both[at] @ blend[:2] + blend[2]
    return said


def fit(method: str, both: Array, truth: Array) -> Array:
    """(3,) the blend of one method. Its cross-entropy on ``truth`` is never above that of the plain mean."""
    if method == "mean" or len(truth) == 0:
        return MEAN.copy()
    free = [(0.0, None), (0.0, None), (None, None)] if method == "Platt" else [(0.0, None)]
    start = MEAN if method == "Platt" else np.array([1.0])

    def loss(x: Array) -> float:
        blend = x if method == "Platt" else x[0] * MEAN
        pull = 0.5 * PULL * float(((x - start) ** 2).sum())
        return cross_entropy(truth, both @ blend[:2] + blend[2]) + pull / len(truth)

    found = minimize(loss, start, method="L-BFGS-B", bounds=free).x
    best = found if loss(found) <= loss(start) else start
    return np.asarray(best if method == "Platt" else best[0] * MEAN)


def isotonic(logit: Array, truth: Array) -> Array:
    """(2, KNOTS) a rising curve of logits: pool-adjacent-violators in KNOTS - 1 equal crowds, each share smoothed."""
    order = np.argsort(logit, kind="stable")
    crowds = np.array_split(order, KNOTS - 1)
    middle = np.array([logit[crowd].mean() for crowd in crowds])
    share = np.array([(truth[crowd].sum() + 0.5) / (len(crowd) + 1.0) for crowd in crowds])
    risen = IsotonicRegression().fit(middle, share, sample_weight=[len(crowd) for crowd in crowds]).predict(middle)
    bent = np.log(risen) - np.log1p(-risen)
    return np.stack([np.append(middle, REACH + middle[-1]), np.append(bent, bent[-1])])


def scaled(said: Array, truth: Array) -> Array:
    """(2,) slope and intercept that make one branch's logits probabilities: the mean's law holds here, too."""
    if len(truth) < FEWEST or min(truth.sum(), len(truth) - truth.sum()) < FEWEST_CLASS:
        return np.array([1.0, 0.0])
    blend = fit("Platt", np.stack([said, said], axis=1), truth)
    return np.array([blend[0] + blend[1], blend[2]])


def least_squares(both: Array, truth: Array) -> Array:
    """(3,) for values: slopes and intercept by least squares, drawn towards the mean of both, slopes not below 0."""
    if len(truth) < FEWEST:
        return MEAN.copy()

    def loss(x: Array) -> float:
        error = both @ x[:2] + x[2] - truth
        return float((error**2).mean() / truth.var() + PULL * ((x - MEAN) ** 2).sum() / len(truth))

    found = minimize(loss, MEAN, method="L-BFGS-B", bounds=[(0.0, None), (0.0, None), (None, None)]).x
    return np.asarray(found)


def thresholds(probability: Array, truth: Array, scaffold: NDArray[np.int64], level: float = LEVEL) -> Array:
    """(2,) least P(no) and P(yes) for a place in the set, each from the molecules of that class alone.

    Molecules of one scaffold are no independent witnesses: scaffolds are what was drawn by chance, so each counts once,
    shared among its molecules (Dunn 2022, 10.1080/01621459.2022.2060112). The least score s at which (1 + scaffolds at or
    below s) / (1 + scaffolds) exceeds 1 - level; with a scaffold a molecule that is the usual threshold. Too few scaffolds
    to say anything: 0, so that the class is never ruled out.
    """
    yes = truth > 0.5
    return np.array([_least(1.0 - probability, ~yes, scaffold, level), _least(probability, yes, scaffold, level)])


def _least(scores: Array, of: NDArray[np.bool_], scaffold: NDArray[np.int64], level: float) -> float:
    order, below, total = _ranked(scores[of], scaffold[of])
    needed = (1.0 - level) * (total + 1) - 1 + 1e-9
    return float(scores[of][order][np.argmax(below > needed)]) if needed >= 0 else 0.0


def _ranked(scores: Array, scaffold: NDArray[np.int64]) -> tuple[NDArray[np.int64], Array, float]:
    """Rising order of the scores, scaffolds at or below each in that order, and how many scaffolds there are."""
    _, number, count = np.unique(scaffold, return_inverse=True, return_counts=True)
    order = np.argsort(scores, kind="stable")
    return order, np.cumsum(1.0 / count[number][order]), float(len(count))


def floor_and_width(
    value: Array, sd: Array, truth: Array, scaffold: NDArray[np.int64], level: float = LEVEL
) -> tuple[float, float]:
    """What makes value +- width * sqrt(floor^2 + sd^2) hold ``level`` of new scaffolds' values: floor is the median error."""
    error = np.abs(value - truth)
    floor = float(np.median(error)) + 1e-6
    score = error / spread(sd, np.array(floor))
    order, below, total = _ranked(score, scaffold)
    needed = level * (total + 1) - 1e-9
    enough = np.flatnonzero(below >= needed)
    # Too few scaffolds to say: so wide that nobody takes it for knowledge.
    return floor, float(score[order][enough[0]]) if len(enough) else 10.0 * float(score.max()) + 1.0


def probability(logit: Array) -> Array:
    """Logits to probabilities."""
    return sigmoid(logit)
