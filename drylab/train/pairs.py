"""Kernel ridge over (molecule, target) pairs: the sum of products of a molecule kernel and a target kernel.

    k((m, t), (m', t')) = sum_i  M_i[m, m'] T_i[t, t']             f = mean + K a,    (K + s I) a = y - mean

The measured pairs are some cells of a table of n molecules by t targets; ``a`` is a table with zeros elsewhere, so K a is
sum_i M_i A T_i, a few matrix products, and the pairs' own kernel matrix (10^5 by 10^5) is never made. (Pahikkala 2015,
10.1093/bib/bbu010; Airola 2018, 10.1109/TNNLS.2017.2727545, the vec trick.) Conjugate gradients do the rest, in float32:
errors are a few hundredths of what is explained, and are checked against a dense solve in the tests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Single = NDArray[np.float32]
# Of the residual's length, of that of the values. Figures of DAVIS and KIBA are the same with a tenth of it.
TOLERANCE = 0.02
STEPS = 300


@dataclass(frozen=True, slots=True)
class Term:
    """One product of kernels: targets (t, t) float32, and of the molecules an (n, n) float32 or a plain rule.

    "each": 1 for a molecule with itself, else 0 (what targets say of one molecule stays with it)     "all": 1 for any two
    """

    molecules: Single | Literal["each", "all"]
    targets: Single

    def times(self, table: Single) -> Single:
        """(n, t) M A T."""
        if isinstance(self.molecules, str):
            if self.molecules == "each":
                return table @ self.targets
            return np.broadcast_to(table.sum(axis=0, dtype=np.float32) @ self.targets, table.shape)
        return np.asarray((self.molecules @ table) @ self.targets, np.float32)

    def diagonal(self, n: int) -> Single:
        """(n, t) the kernel of each cell with itself."""
        own = np.ones(n, np.float32) if isinstance(self.molecules, str) else np.diag(self.molecules)
        found: Single = np.outer(own, np.diag(self.targets)).astype(np.float32)
        return found


@dataclass(frozen=True, slots=True)
class Pairs:
    """p measured cells: mol (p,) int64, target (p,) int64, value (p,) float64; of a table of n molecules by t targets."""

    mol: NDArray[np.int64]
    target: NDArray[np.int64]
    value: Array
    shape: tuple[int, int]

    def __len__(self) -> int:
        return len(self.value)

    def take(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> Pairs:
        """Some of the cells."""
        return Pairs(self.mol[which], self.target[which], self.value[which], self.shape)

    def of_molecules(self, rows: NDArray[np.int64]) -> Pairs:
        """The cells of some molecules, as a table of these alone."""
        place = np.full(self.shape[0], -1)
        place[rows] = np.arange(len(rows))
        kept = self.take(place[self.mol] >= 0)
        return Pairs(place[kept.mol], kept.target, kept.value, (len(rows), self.shape[1]))


@dataclass(frozen=True, slots=True)
class Solution:
    """values (n, t) float64: what is predicted for every cell; dual (n, t) float32; steps and residual of the solver."""

    values: Array
    dual: Single
    steps: int
    residual: float


def solve(
    terms: Sequence[Term], pairs: Pairs, noise: float, start: Single | None = None, tolerance: float = TOLERANCE
) -> Solution:
    """Fit the measured cells, predict all. ``noise`` is the variance that is not explained, in squared units of values.

    start  (n, t) dual of a like problem, which saves steps
    """
    mean = float(pairs.value.mean())
    here = np.zeros(pairs.shape, np.float32)
    here[pairs.mol, pairs.target] = 1.0
    right = np.zeros(pairs.shape, np.float32)
    right[pairs.mol, pairs.target] = pairs.value - mean

    def apply(table: Single) -> Single:
        return here * kernel_times(terms, table) + np.float32(noise) * table

    dual, steps, residual = conjugate_gradients(
        apply, right, _levels(terms, here, noise), None if start is None else start * here, tolerance
    )
    return Solution(kernel_times(terms, dual).astype(np.float64) + mean, dual, steps, residual)


def _levels(terms: Sequence[Term], here: Single, noise: float) -> Callable[[Single], Single]:
    """About the inverse of K + noise: of each molecule's cells as if all had one covariance with one another.

    A molecule's own level is the largest thing that K knows; with it out of the way half the steps are enough. One number
    and a constant a molecule, (own + level 11')^-1 by Sherman and Morrison.
    """
    own = sum((term.diagonal(len(here)).mean(axis=1) for term in terms), np.zeros(len(here), np.float32))
    share = [1.0 if isinstance(term.molecules, str) else np.diag(term.molecules) for term in terms]
    level = sum(
        (float(term.targets.mean()) * part for term, part in zip(terms, share, strict=True)), np.zeros(len(here))
    )
    rest = np.maximum(own - level, 0.0) + max(noise, 1e-12)
    spread = (level / (rest + level * here.sum(axis=1)))[:, None].astype(np.float32)
    weight = here / rest[:, None].astype(np.float32)
    return lambda table: weight * (table - spread * table.sum(axis=1, keepdims=True))


def kernel_times(terms: Sequence[Term], table: Single) -> Single:
    """(n, t) sum of M A T over the terms; terms of one molecule kernel share the large product."""
    out = np.zeros_like(table)
    for number, term in enumerate(terms):
        if isinstance(term.molecules, str):
            out += term.times(table)
            continue
        same = [other.targets for other in terms if other.molecules is term.molecules]
        if all(other.molecules is not term.molecules for other in terms[:number]):
            out += (term.molecules @ table) @ sum(same[1:], same[0])
    return out


def conjugate_gradients(
    apply: Callable[[Single], Single],
    right: Single,
    precondition: Callable[[Single], Single],
    start: Single | None = None,
    tolerance: float = TOLERANCE,
) -> tuple[Single, int, float]:
    """x with apply(x) = right for a symmetric positive ``apply``, steps taken, and the residual left (relative).

    precondition  about the inverse of apply, symmetric; 0 where x is to stay 0 (Hestenes 1952, 10.6028/jres.049.044)
    """
    x = np.zeros_like(right) if start is None else start.copy()
    rest = right - apply(x) if start is not None else right.copy()
    size = max(_dot(right, right), 1e-30)
    step = precondition(rest)
    direction, rho = step.copy(), _dot(rest, step)
    for number in range(STEPS):
        if _dot(rest, rest) <= tolerance**2 * size or rho == 0.0:
            return x, number, float(np.sqrt(_dot(rest, rest) / size))
        image = apply(direction)
        along = np.float32(rho / _dot(direction, image))
        x += along * direction
        rest -= along * image
        step = precondition(rest)
        rho, before = _dot(rest, step), rho
        direction = step + np.float32(rho / before) * direction
    return x, STEPS, float(np.sqrt(_dot(rest, rest) / size))


def _dot(a: Single, b: Single) -> float:
    return float(np.vdot(a, b))
