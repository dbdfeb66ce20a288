"""Values between their own unit and normal scores, so that a crowded middle counts as much as a few extremes.

A squared error fits extremes first. With their ranks' normal quantiles in place of values, all are fitted alike, and more of
them come out in the right order; part of the way gives most of that at little cost in error. (Blom 1958 for the scores; Snelson
2003, "Warped Gaussian processes", for fitting in a unit made for it and averaging over what is not known on the way back.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

Array = NDArray[np.float64]
GRID = 400  # points at which the way back is computed; straight lines in between
NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(9)
WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


@dataclass(frozen=True, slots=True)
class Scale:
    """The k distinct known values, ascending, and what each becomes: (1 - share) standardised + share normal score.

    Equal values have one score, that of the middle of their ranks. mean, unit  of the known values
    """

    values: Array
    scores: Array
    share: float
    mean: float
    unit: float

    def to(self, values: Array) -> Array:
        """Values as scores; those beyond all known become the last score where share > 0."""
        if self.share == 0.0:
            return (values - self.mean) / self.unit
        return np.interp(values, self.values, self.scores)

    def back(self, scores: Array, error: float) -> Array:
        """The value expected of a score that is off by ``error`` (a standard deviation, in scores): rising with the score."""
        if self.share == 0.0:
            return scores * self.unit + self.mean
        grid = np.linspace(scores.min(), scores.max(), GRID)
        expected = WEIGHTS @ np.interp(grid + error * NODES[:, None], self.scores, self.values)
        return np.interp(scores, grid, expected)


def scale_of(values: Array, share: float) -> Scale:
    """The scale of known values (n,), of which two at least differ."""
    distinct, count = np.unique(values, return_counts=True)
    middle = (np.cumsum(count) - count / 2) / len(values)
    mean, unit = float(values.mean()), float(values.std())
    scores = (1.0 - share) * (distinct - mean) / unit + share * norm.ppf(middle)
    return Scale(distinct, scores, share, mean, unit)
