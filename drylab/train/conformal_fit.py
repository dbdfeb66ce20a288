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
PULL = 4.0  # how hard Platt's numbers are drawn to the mean's: as hard as a few labels
KNOTS = 33
MANY = 1000  # labels above which an isotonic curve is tried
FEWEST = 30  # labels, and FEWEST_CLASS of each class, below which nothing is fitted
FEWEST_CLASS = 5
REACH = 30.0  # logits beyond this are certainty


@dataclass(frozen=True, slots=True)
class Calibration:
    """blend (b + 1,): slopes of the b branches and an intercept; curve: knots (2, KNOTS) or None; method: what was chosen."""

    blend: Array
    curve: Array | None
    method: str

    def logits(self, said: Array) -> Array:
        """(n,) from the logits of the branches (n, b)."""
        out = said @ self.blend[:-1] + self.blend[-1]
        return out if self.curve is None else np.interp(out, *self.curve)


def mean(branches: int) -> Array:
    """(b + 1,) the blend that all others are drawn to: every branch counts alike."""
    return np.append(np.full(branches, 1.0 / branches), 0.0)


def calibrate(both: Array, truth: Array, group: NDArray[np.int64]) -> Calibration:
    """For a class: logits of the branches (n, b), truth (n,) 0/1, group (n,) scaffold groups that are left out in turn."""
    positives = int(truth.sum())
    if len(truth) < FEWEST or min(positives, len(truth) - positives) < FEWEST_CLASS:
        return Calibration(mean(both.shape[1]), None, "mean")
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
            return Calibration(blend, isotonic(both @ blend[:-1] + blend[-1], truth), f"{method}, isotonic")
    return Calibration(blend, None, method)


def _left_out(method: str, both: Array, truth: Array, group: NDArray[np.int64]) -> Array:
    """(n,) logits of each group by a fit on the others."""
    said = np.empty(len(truth))
    for number in range(MEMBERS):
        at = group == number
        blend = fit(method, both[~at], truth[~at])
        said[at] = both[at] @ blend[:-1] + blend[-1]
    return said


def fit(method: str, both: Array, truth: Array) -> Array:
    """(b + 1,) the blend of one method. Its cross-entropy on ``truth`` is never above that of the plain mean."""
    if method == "mean" or len(truth) == 0:
        return mean(both.shape[1])
    even = mean(both.shape[1])
    free = [(0.0, None)] * both.shape[1] + [(None, None)] if method == "Platt" else [(0.0, None)]
    start = even if method == "Platt" else np.array([1.0])

    def loss(x: Array) -> float:
        blend = x if method == "Platt" else x[0] * even
        pull = 0.5 * PULL * float(((x - start) ** 2).sum())
        return cross_entropy(truth, both @ blend[:-1] + blend[-1]) + pull / len(truth)

    found = minimize(loss, start, method="L-BFGS-B", bounds=free).x
    best = found if loss(found) <= loss(start) else start
    return np.asarray(best if method == "Platt" else best[0] * even)


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
    """(b + 1,) for values: slopes and intercept by least squares, drawn towards the mean, slopes not below 0."""
    even = mean(both.shape[1])
    if len(truth) < FEWEST:
        return even

    def loss(x: Array) -> float:
        error = both @ x[:-1] + x[-1] - truth
        return float((error**2).mean() / truth.var() + PULL * ((x - even) ** 2).sum() / len(truth))

    found = minimize(loss, even, method="L-BFGS-B", bounds=[(0.0, None)] * both.shape[1] + [(None, None)]).x
    return np.asarray(found)


def thresholds(probability: Array, truth: Array, scaffold: NDArray[np.int64], level: float = LEVEL) -> Array:
    """(2,) least P(no) and P(yes) for a place in the set, each from the molecules of that class alone.

    Molecules of one scaffold are no independent witnesses (Dunn 2022, 10.1080/01621459.2022.2060112), and no single one,
    either: n of them count as sqrt(n). The least score s at which (1 + witnesses at or below s) / (1 + witnesses) exceeds
    1 - level; with a scaffold a molecule that is the usual threshold. Too few witnesses to say anything: 0, so that the
    class is never ruled out.
    """
    yes = truth > 0.5
    return np.array([_least(1.0 - probability, ~yes, scaffold, level), _least(probability, yes, scaffold, level)])


def _least(scores: Array, of: NDArray[np.bool_], scaffold: NDArray[np.int64], level: float) -> float:
    order, below, total = _ranked(scores[of], scaffold[of])
    needed = (1.0 - level) * (total + 1) - 1 + 1e-9
    return float(scores[of][order][np.argmax(below > needed)]) if needed >= 0 else 0.0


def _ranked(scores: Array, scaffold: NDArray[np.int64]) -> tuple[NDArray[np.int64], Array, float]:
    """Rising order of the scores, witnesses at or below each in that order, and how many witnesses there are."""
    _, number, count = np.unique(scaffold, return_inverse=True, return_counts=True)
    order = np.argsort(scores, kind="stable")
    weight = 1.0 / np.sqrt(count[number])
    return order, np.cumsum(weight[order]), float(np.sqrt(count).sum())


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
