"""Figures of predicted pairs: MSE and CI over all, CI and rank correlation within targets and within drugs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drylab.train.concordance import concordance_few, within
from drylab.train.metrics import concordance, interval, spearman
from drylab.train.pairs import Pairs
from drylab.train.suites.table import Budget, Figure

Array = NDArray[np.float64]
LEAST = 10  # pairs of a target that its own figures need
CI_DRAWS = 40  # each sorts all pairs of a fold; the standard deviation is known to a tenth


@dataclass(frozen=True, slots=True)
class Guess:
    """Predictions of the held-out pairs of one fold by every method: truth (p,), methods -> (p,)."""

    held: Pairs
    said: Mapping[str, Array]


def figures(guesses: Sequence[Guess], method: str, budget: Budget) -> dict[str, Figure]:
    """Every figure of one method over all folds."""
    mol = np.concatenate([guess.held.mol + number * 100_000 for number, guess in enumerate(guesses)])
    target = np.concatenate([guess.held.target for guess in guesses])
    truth = np.concatenate([guess.held.value for guess in guesses])
    said = np.concatenate([guess.said[method] for guess in guesses])
    rng = np.random.default_rng(budget.seed)
    squares = (truth - said) ** 2
    groups = target if len(guesses) > 1 else np.arange(len(target))
    ci, spread = _folds_ci(guesses, method, rng)
    per = {
        "CI per target": within(target, truth, said, concordance, LEAST),
        "Spearman per target": within(target, truth, said, spearman, LEAST),
        # A drug's order of the targets of one fold: those of two folds were predicted by two fits.
        "CI per drug": within(mol, truth, said, concordance_few, 2),
    }
    return {
        "MSE": _figure(float(squares.mean()), _ratio_draws(groups, squares, rng, budget.draws), len(truth)),
        "CI": Figure(ci, ci - 1.96 * spread, ci + 1.96 * spread, len(truth)),
        **{name: _mean_figure(v, rng, budget.draws) for name, v in per.items()},
    }


def _folds_ci(guesses: Sequence[Guess], method: str, rng: np.random.Generator) -> tuple[float, float]:
    """Mean over folds of the exact CI, and its standard deviation over redraws."""
    values, samples = [], []
    for guess in guesses:
        truth, said = guess.held.value, guess.said[method]
        values.append(concordance(truth, said))
        picks = [_redrawn(guess, rng, whole_targets=len(guesses) > 1) for _ in range(CI_DRAWS)]
        samples.append([concordance(truth[pick], said[pick]) for pick in picks])
    return float(np.mean(values)), float(np.mean(samples, axis=0).std(ddof=1))


def _redrawn(guess: Guess, rng: np.random.Generator, whole_targets: bool) -> NDArray[np.int64]:
    """Rows of a bootstrap draw: of targets with all their pairs, or of pairs."""
    n = len(guess.held)
    if not whole_targets:
        return rng.integers(0, n, n)
    rows = [np.flatnonzero(guess.held.target == target) for target in np.unique(guess.held.target)]
    return np.concatenate([rows[i] for i in rng.integers(0, len(rows), len(rows))])


def _mean_figure(values: Array, rng: np.random.Generator, draws: int) -> Figure:
    """Their mean, with the interval of redraws of them; NaN for none."""
    if len(values) == 0:
        return Figure(float("nan"))
    samples = values[rng.integers(0, len(values), (draws, len(values)))].mean(axis=1)
    return _figure(float(values.mean()), samples, len(values))


def _ratio_draws(groups: NDArray[np.int64], squares: Array, rng: np.random.Generator, draws: int) -> Array:
    """Redraws of the mean of ``squares`` with whole groups drawn."""
    _, number = np.unique(groups, return_inverse=True)
    total, count = np.bincount(number, squares), np.bincount(number)
    picks = (rng.integers(0, len(count), len(count)) for _ in range(draws))
    return np.array([total[pick].sum() / count[pick].sum() for pick in picks])


def _figure(value: float, samples: Array, n: int) -> Figure:
    return Figure(value, *interval(samples[np.isfinite(samples)]), n)
