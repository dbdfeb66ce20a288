"""A Gaussian process over a sum of kernels that come as matrices: fit, predict, and leave-one-out in closed form.

    y ~ Normal(m, sum_k a_k K_k + c + s N)    N the diagonal of relative noise, c a constant for what the mean may be off by

The scales a_k and the noise s maximise the marginal likelihood under weak priors (Rasmussen and Williams 2006,
https://gaussianprocess.org/gpml, equations 5.8 and 5.9; leaving one out, 5.12), by L-BFGS on their logarithms with the
gradient in closed form. With more than SUBSET rows they are chosen on as many, drawn once; the fit itself uses all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs
from scipy.optimize import minimize

from drylab.errors import InputError
from drylab.score.censored import Relation, fill

Array = NDArray[np.float64]
SUBSET = 800
STEPS = 40
CONSTANT = 1.0  # variance of the mean, in variances of y
# Priors of the logarithms, in variances of y: a fifth of it is noise, the rest is shared by the kernels, within factors of e**sd.
NOISE_SHARE, NOISE_SD, SCALE_SD = 0.2, 1.0, 2.0
JITTER = 1e-8


@dataclass(frozen=True, slots=True)
class Posterior:
    """What was fitted to n rows.

    alpha (n,)         duals: mean = middle + (sum_k a_k K_k + c) alpha
    scales (k,)        a_k, in the unit of y squared         constant  c        noise  s        middle  m
    lower (n, n)       Cholesky factor of the covariance of y, for the variance
    loo_mean, loo_variance (n,)   of a new measurement of each row, by the others      y (n,)  with what stood for bounds
    """

    alpha: Array
    scales: Array
    constant: float
    noise: float
    middle: float
    lower: Array
    loo_mean: Array
    loo_variance: Array
    y: Array

    def predict(self, cross: Sequence[Array], own: Sequence[Array] | None = None) -> tuple[Array, Array]:
        """Mean and variance (m,) of new measurements: cross, one (m, n) a kernel; own, its (m,) diagonals, 1 if not given."""
        k = _sum(cross, self.scales, self.constant)
        diagonals = [np.ones(len(k))] * len(self.scales) if own is None else own
        prior = sum((a * np.asarray(d) for a, d in zip(self.scales, diagonals, strict=True)), np.zeros(len(k)))
        known = solve_triangular(self.lower, k.T, lower=True, check_finite=False)
        left = prior + self.constant - np.einsum("nm,nm->m", known, known)
        return self.middle + k @ self.alpha, np.maximum(left, 0.0) + self.noise


def fit(kernels: Sequence[Array], y: Array, noise: Array | None = None, relation: Relation | None = None) -> Posterior:
    """kernels, one (n, n) each, positive definite with a diagonal near 1; y (n,); noise (n,) relative variances, 1 if not given.

    relation as in censored.py. n >= 2. Deterministic on one machine. Raises InputError for shapes that do not fit.
    """
    y = np.asarray(y, np.float64)
    n = len(y)
    if not kernels or any(np.shape(k) != (n, n) for k in kernels) or n < 2:
        raise InputError(
            f"gaussian: {[np.shape(k) for k in kernels]} kernels, {n} values; expected (n, n) each, n >= 2"
        )
    relative = np.ones(n) if noise is None else np.asarray(noise, np.float64)
    theta = hyperparameters(kernels, y, relative)

    def loo(target: Array) -> tuple[Array, Array]:
        found = solve(kernels, target, relative, theta)
        return found.loo_mean, found.loo_variance

    filled = fill(y, relation, loo)
    if filled is not y:
        theta = hyperparameters(kernels, filled, relative)
        filled = fill(y, relation, loo)
    return solve(kernels, filled, relative, theta)


def restored(kernels: Sequence[Array], stored: Posterior, relative: Array) -> Posterior:
    """A posterior whose factor was not kept, with it. Raises InputError if its duals are not those of these kernels."""
    lower = _factor(kernels, stored.scales, stored.constant, stored.noise * relative)
    alpha, own = _solved(lower, stored.y - stored.middle)
    if not np.allclose(alpha, stored.alpha, rtol=1e-3, atol=1e-3 * float(np.abs(alpha).max(initial=0.0))):
        raise InputError("gaussian: the duals are not those of these molecules and values; fit again")
    return replace(stored, lower=lower, loo_mean=stored.y - alpha / own, loo_variance=1.0 / own)


def hyperparameters(kernels: Sequence[Array], y: Array, relative: Array) -> Array:
    """(k + 1,) logarithms of scales and noise, in variances of y, that are likeliest."""
    if len(y) > SUBSET:
        rows = np.sort(np.random.default_rng(0).permutation(len(y))[:SUBSET])
        kernels, y, relative = [k[np.ix_(rows, rows)] for k in kernels], y[rows], relative[rows]
    r = (y - y.mean()) / _spread(y)
    centre = np.log([(1 - NOISE_SHARE) / len(kernels)] * len(kernels) + [NOISE_SHARE])
    width = np.array([SCALE_SD] * len(kernels) + [NOISE_SD])

    def loss(theta: Array) -> tuple[float, Array]:
        value, slope = _evidence(theta, kernels, r, relative)
        off = (theta - centre) / width
        return value + 0.5 * float(off @ off), slope + off / width

    bounds = [(-9.0, 4.0)] * len(kernels) + [(-6.0, 2.0)]
    found = minimize(loss, centre, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": STEPS, "ftol": 1e-6})
    return np.asarray(found.x, np.float64)


def _evidence(theta: Array, kernels: Sequence[Array], r: Array, relative: Array) -> tuple[float, Array]:
    """Negative log marginal likelihood of r, less a constant, and its gradient by the logarithms."""
    scales, noise = np.exp(theta[:-1]), float(np.exp(theta[-1]))
    lower = _factor(kernels, scales, CONSTANT, noise * relative)
    inverse, _ = dpotri(lower, lower=1, overwrite_c=0)
    inverse += np.tril(inverse, -1).T
    alpha = inverse @ r
    value = 0.5 * float(r @ alpha) + float(np.log(np.diag(lower)).sum())
    slope = [
        0.5 * a * (float(np.vdot(inverse, k)) - float(alpha @ k @ alpha)) for a, k in zip(scales, kernels, strict=True)
    ]
    slope.append(0.5 * noise * float(relative @ (np.diag(inverse) - alpha**2)))
    return value, np.array(slope)


def solve(kernels: Sequence[Array], y: Array, relative: Array, theta: Array) -> Posterior:
    """The posterior of all rows with given hyperparameters (logarithms, in variances of y)."""
    middle, variance = float(y.mean()), _spread(y) ** 2
    scales, noise = np.exp(theta[:-1]) * variance, float(np.exp(theta[-1])) * variance
    lower = _factor(kernels, scales, CONSTANT * variance, noise * relative)
    alpha, own = _solved(lower, y - middle)
    return Posterior(
        alpha=alpha,
        scales=scales,
        constant=CONSTANT * variance,
        noise=noise,
        middle=middle,
        lower=lower,
        loo_mean=y - alpha / own,
        loo_variance=1.0 / own,
        y=y,
    )


def _spread(y: Array) -> float:
    return max(float(np.std(y)), 1e-3)


def _sum(kernels: Sequence[Array], scales: Array, constant: float) -> Array:
    total = np.full(np.shape(kernels[0]), constant)
    room = np.empty_like(total)
    for scale, kernel in zip(scales, kernels, strict=True):
        total += np.multiply(kernel, scale, out=room)
    return total


def _factor(kernels: Sequence[Array], scales: Array, constant: float, noise: Array) -> Array:
    """Cholesky factor of the covariance, by LAPACK; in its order of columns, so that nothing is copied."""
    total = _sum(kernels, scales, constant)
    total[np.diag_indices_from(total)] += noise + JITTER * (constant + float(scales.sum()))
    lower, trouble = dpotrf(total.T, lower=1, overwrite_a=1, clean=1)
    if trouble:
        raise InputError("gaussian: the kernels are not positive definite; give similarities with ones on the diagonal")
    return np.asarray(lower)


def _solved(lower: Array, right: Array) -> tuple[Array, Array]:
    """(n,) what the inverse of the covariance makes of ``right``, and the inverse's diagonal."""
    alpha, _ = dpotrs(lower, right, lower=1)
    inverse, _ = dpotri(lower, lower=1, overwrite_c=0)
    return np.asarray(alpha), np.diag(inverse).copy()
