"""Which kernels a pairwise model is the sum of, as ten numbers, and how they are chosen from the training pairs alone.

    k = K (shared + T + exact E)  +  each (own + own_target T)  +  all (target T + bias E)

K is the similarity of molecules, raised to a power; T that of targets: (1 - site) SW^power + site exp(-width |s - s'|^2 / 2), s
the ATP site; E tells whether two are the same target. So a molecule's own mean (own), a target's (bias), what targets do alike
with alike molecules (K T), what one target does (exact) and what one molecule does at like targets (own_target) each have a
weight. Values are in units of their standard deviation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from drylab.train.concordance import concordance_few, within
from drylab.train.pairs import Array, Pairs, Single, Solution, Term, solve

Holdout = Callable[[Pairs, int], NDArray[np.bool_]]  # training pairs, seed -> (p,) which are held out
TRIES = 12
SPREAD = 0.6  # of the logarithm of a weight
HOLDOUTS = 2  # that recipes are compared on
SAMPLE = 500  # molecules that recipes are compared on
KEPT = 3  # recipes whose predictions are averaged


@dataclass(frozen=True, slots=True)
class Recipe:
    """The ten weights and powers of the formula at the top of this file, and the noise's variance."""

    power: float = 0.5
    site: float = 0.5
    width: float = 2.0
    molecule_power: float = 1.5
    shared: float = 0.6
    exact: float = 0.0
    own: float = 0.5
    own_target: float = 0.5
    target: float = 0.1
    bias: float = 0.2
    noise: float = 0.3


@dataclass(frozen=True, slots=True)
class Sides:
    """What is known of the rows and columns: tanimoto (n, n), alignment (t, t) and sites (t, t) likenesses, float64."""

    tanimoto: Array
    alignment: Array
    sites: Array

    def of_molecules(self, rows: NDArray[np.int64]) -> Sides:
        """The same for some molecules."""
        return replace(self, tanimoto=self.tanimoto[np.ix_(rows, rows)])


def terms(sides: Sides, recipe: Recipe) -> list[Term]:
    """The sum of products of a recipe."""
    like = target_kernel(sides.alignment, sides.sites, recipe)
    same = np.eye(len(like))
    molecules = np.ascontiguousarray(sides.tanimoto**recipe.molecule_power, np.float32)
    return [
        Term(molecules, _single(recipe.shared + like + recipe.exact * same)),
        Term("each", _single(recipe.own + recipe.own_target * like)),
        Term("all", _single(recipe.target * like + recipe.bias * same)),
    ]


def target_kernel(alignment: Array, sites: Array, recipe: Recipe) -> Array:
    """(t, t) T, positive semi-definite, 1 on the diagonal."""
    aligned = semidefinite(alignment**recipe.power)
    if recipe.site == 0.0:
        return aligned
    has = np.diag(sites) > 0.5
    near = np.exp(-recipe.width * (1.0 - sites)) * np.outer(has, has)
    near[np.diag_indices(len(near))] = 1.0  # without a site a target is like itself alone
    return (1.0 - recipe.site) * aligned + recipe.site * near


def semidefinite(kernel: Array) -> Array:
    """The nearest kernel without negative eigenvalues, scaled back to 1 on the diagonal."""
    values, vectors = np.linalg.eigh((kernel + kernel.T) / 2)
    found = (vectors * np.maximum(values, 0.0)) @ vectors.T
    own = np.sqrt(np.diag(found))
    out: Array = found / np.outer(own, own)
    return out


def _single(kernel: Array) -> Single:
    return np.ascontiguousarray(kernel, np.float32)


def draws(seed: int, tries: int, start: Recipe, with_sites: bool) -> list[Recipe]:
    """The start, and ``tries - 1`` recipes drawn around it: weights log-normal, powers from a few values."""
    rng = np.random.default_rng(seed)
    start = start if with_sites else replace(start, site=0.0)
    found = [start]
    for _ in range(tries - 1):
        factor = np.exp(rng.normal(0.0, SPREAD, 6))
        names = ("shared", "own", "own_target", "target", "bias", "noise")
        weights = {name: float(getattr(start, name) * f) for name, f in zip(names, factor, strict=True)}
        found.append(
            Recipe(
                power=float(rng.choice([0.35, 0.5, 0.75, 1.0])),
                site=float(rng.choice([0.3, 0.5, 0.7])) if with_sites else 0.0,
                width=float(rng.choice([1.0, 2.0, 4.0])),
                molecule_power=float(rng.choice([1.0, 1.5, 2.0, 3.0])),
                exact=float(rng.choice([0.0, 0.1, 0.4])),
                **weights,
            )
        )
    return found


def choose(
    sides: Sides, pairs: Pairs, holdout: Holdout, seed: int, start: Recipe, tries: int = TRIES
) -> list[tuple[float, Recipe]]:
    """(loss, recipe), best first, on pairs held out of ``pairs`` as the test is to be, and on some molecules."""
    rng = np.random.default_rng(seed)
    n = pairs.shape[0]
    rows = np.sort(rng.permutation(n)[:SAMPLE])
    small, part = sides.of_molecules(rows), pairs.of_molecules(rows)
    part = replace(part, value=part.value / pairs.value.std())
    outs = [holdout(part, seed + number) for number in range(HOLDOUTS)]
    found = []
    for recipe in draws(seed, tries, start, bool((np.diag(sides.sites) > 0.5).mean() > 0.5)):
        errors = [_error(terms(small, recipe), part, out, recipe.noise) for out in outs]
        found.append((float(np.mean(errors)), recipe))
    return sorted(found, key=lambda pair: pair[0])


def _error(kernels: Sequence[Term], pairs: Pairs, out: NDArray[np.bool_], noise: float) -> float:
    """Mean squared error in units of the variance, and the share of a molecule's pairs of targets in the wrong order.

    A molecule's own level makes most of the error; how it orders targets is what their kernel is for.
    """
    held = pairs.take(out)
    guess = solve(kernels, pairs.take(~out), noise).values[held.mol, held.target]
    squares = float(np.mean((guess - held.value) ** 2) / held.value.var())
    wrong = 1.0 - within(held.mol, held.value, guess, concordance_few, 2)
    return squares + float(wrong.mean() if len(wrong) else 0.5)


def fit(sides: Sides, pairs: Pairs, recipes: Sequence[Recipe]) -> list[Solution]:
    """One solution a recipe; values back in their own unit."""
    unit = float(pairs.value.std())
    scaled = replace(pairs, value=pairs.value / unit)
    found: list[Solution] = []
    for recipe in recipes:
        start = found[-1].dual if found else None
        solution = solve(terms(sides, recipe), scaled, recipe.noise, start)
        found.append(replace(solution, values=solution.values * unit))
    return found
