"""Which kernels a pairwise model is the sum of, as eleven numbers, and how they are chosen from the training pairs alone.

    k = K (shared + T + exact E)  +  each (own + own_target T)  +  all (target T + bias E)

K is the similarity of molecules, raised to a power; T that of targets: (1 - site) A + site exp(-width |s - s'|^2 / 2), s the ATP
site and A = (1 - domain) SW^power + domain SWd^power, the alignments of whole sequences and of kinase domains; E tells whether
two are the same target. So a molecule's own mean (own), a target's (bias), what targets do alike
with alike molecules (K T), what one target does (exact) and what one molecule does at like targets (own_target) each have a
weight. Values are fitted on a scale between their own, in units of their standard deviation, and normal scores.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from drylab.train.concordance import concordance_few, within
from drylab.train.metrics import concordance
from drylab.train.pairs import Array, Pairs, Single, Solution, Term, solve
from drylab.train.scores import Scale, scale_of

Holdout = Callable[[Pairs, int], NDArray[np.bool_]]  # training pairs, seed -> (p,) which are held out
TRIES = 16
SPREAD = 0.6  # of the logarithm of a weight
HOLDOUTS = 2  # that recipes are compared on
SAMPLE = 500  # molecules that recipes are compared on
KEPT = 4  # recipes whose predictions are averaged


@dataclass(frozen=True, slots=True)
class Recipe:
    """The eleven weights and powers of the formula at the top of this file, the noise's variance, the share of normal scores."""

    power: float = 1.0
    domain: float = 0.5
    site: float = 0.4
    width: float = 2.0
    molecule_power: float = 1.5
    shared: float = 0.6
    exact: float = 0.0
    own: float = 0.5
    own_target: float = 0.5
    target: float = 0.1
    bias: float = 0.2
    noise: float = 0.3
    scores: float = 0.5


@dataclass(frozen=True, slots=True)
class Sides:
    """What is known of the rows and columns: tanimoto (n, n), and (t, t) likenesses of targets, all float64.

    alignment  of whole sequences      domains  of kinase domains alone      sites  of ATP sites, all 0 for what has none
    """

    tanimoto: Array
    alignment: Array
    domains: Array
    sites: Array

    def of_molecules(self, rows: NDArray[np.int64]) -> Sides:
        """The same for some molecules."""
        return replace(self, tanimoto=self.tanimoto[np.ix_(rows, rows)])


def terms(sides: Sides, recipe: Recipe) -> list[Term]:
    """The sum of products of a recipe."""
    like = target_kernel(sides, recipe)
    same = np.eye(len(like))
    molecules = np.ascontiguousarray(sides.tanimoto**recipe.molecule_power, np.float32)
    return [
        Term(molecules, _single(recipe.shared + like + recipe.exact * same)),
        Term("each", _single(recipe.own + recipe.own_target * like)),
        Term("all", _single(recipe.target * like + recipe.bias * same)),
    ]


def target_kernel(sides: Sides, recipe: Recipe) -> Array:
    """(t, t) T, positive semi-definite, 1 on the diagonal."""
    whole, part = sides.alignment**recipe.power, sides.domains**recipe.power
    aligned = semidefinite((1.0 - recipe.domain) * whole + recipe.domain * part)
    if recipe.site == 0.0:
        return aligned
    has = np.diag(sides.sites) > 0.5
    near = np.exp(-recipe.width * (1.0 - sides.sites)) * np.outer(has, has)
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
                power=float(rng.choice([0.5, 1.0, 1.5])),
                domain=float(rng.choice([0.0, 0.5, 1.0])),
                site=float(rng.choice([0.0, 0.2, 0.4, 0.6])) if with_sites else 0.0,
                width=float(rng.choice([1.0, 2.0, 4.0])),
                molecule_power=float(rng.choice([1.0, 1.5, 2.0, 3.0])),
                exact=float(rng.choice([0.0, 0.1, 0.4])),
                scores=float(rng.choice([0.3, 0.5, 0.7])),
                **weights,
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class Chosen:
    """A recipe, its loss, and its error on what was held out: a standard deviation, on the scale that it was fitted on."""

    loss: float
    recipe: Recipe
    error: float


def choose(sides: Sides, pairs: Pairs, holdout: Holdout, seed: int, start: Recipe, tries: int = TRIES) -> list[Chosen]:
    """Best first, on pairs held out of ``pairs`` as the test is to be, and on some molecules.

    The loss is a recipe's mean place among all by three measures (``_losses``): error alone would hide how targets are ordered,
    since a molecule's own level makes most of it.
    """
    rng = np.random.default_rng(seed)
    n = pairs.shape[0]
    rows = np.sort(rng.permutation(n)[:SAMPLE])
    small, part = sides.of_molecules(rows), pairs.of_molecules(rows)
    outs = [holdout(part, seed + number) for number in range(HOLDOUTS)]
    recipes = draws(seed, tries, start, bool((np.diag(sides.sites) > 0.5).mean() > 0.5))
    found = np.array([np.mean([_losses(small, r, part, out) for out in outs], axis=0) for r in recipes])
    places = found[:, :3].argsort(axis=0).argsort(axis=0).mean(axis=1)
    best = places.argsort(kind="stable")
    return [Chosen(float(places[i]), recipes[i], float(np.sqrt(found[i, 3]))) for i in best]


def _losses(sides: Sides, recipe: Recipe, pairs: Pairs, out: NDArray[np.bool_]) -> tuple[float, float, float, float]:
    """Mean squared error; share of all pairs of pairs in the wrong order; the same of a molecule's targets.

    And the mean squared error on the scale of the fit.
    """
    known, held = pairs.take(~out), pairs.take(out)
    scale = scale_of(known.value, recipe.scores)
    said = _solved(sides, known, recipe, scale).values[held.mol, held.target]
    missed = float(np.mean((said - scale.to(held.value)) ** 2))
    guess = scale.back(said, np.sqrt(missed))
    right = within(held.mol, held.value, guess, concordance_few, 2)
    wrong = 1.0 - float(right.mean() if len(right) else 0.5)
    return float(np.mean((guess - held.value) ** 2)), 1.0 - concordance(held.value, guess), wrong, missed


def fit(sides: Sides, pairs: Pairs, chosen: Sequence[Chosen]) -> Array:
    """(n, t) the mean of what the recipes say of every cell, in the values' own unit."""
    found, start = np.zeros(pairs.shape), None
    for one in chosen:
        scale = scale_of(pairs.value, one.recipe.scores)
        solution = _solved(sides, pairs, one.recipe, scale, start)
        found += scale.back(solution.values, one.error) / len(chosen)
        start = solution.dual
    return found


def _solved(sides: Sides, pairs: Pairs, recipe: Recipe, scale: Scale, start: Single | None = None) -> Solution:
    return solve(terms(sides, recipe), replace(pairs, value=scale.to(pairs.value)), recipe.noise, start)
