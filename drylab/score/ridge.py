"""Linear probes in closed form: ridge regression shrunk to a prior probe, its strength chosen by leaving one out.

    w = w0 + (Z' C Z + L I)^-1 Z' C (y - Z w0 - b)        Z centred by the weights C, b the weighted mean of what is left

Leave-one-out residuals follow from the same decomposition (PRESS; Allen 1974, https://doi.org/10.1080/00401706.1974.10489157):
e_i / (1 - h_i), so that all strengths cost one singular value decomposition. An infinite strength is the prior with a new b.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drylab.errors import InputError
from drylab.score.censored import Relation, fill

Array = NDArray[np.float64]
Prior = tuple[Array, float]
STRENGTHS: tuple[float, ...] = (*np.geomspace(1e-3, 1e3, 19), np.inf)


@dataclass(frozen=True, slots=True)
class Ridge:
    """A fitted probe, value = z @ w + b.

    w (d,)   b   strength: L as a share of the mean singular value squared; inf is the prior itself
    loo (n,) what is said of each row by a fit without it     noise  variance of y around those
    centre (d,)   axes (d, r), spread (r,): for the predictive variance
    """

    w: Array
    b: float
    strength: float
    loo: Array
    noise: float
    centre: Array
    axes: Array
    spread: Array

    def mean(self, z: Array) -> Array:
        """(m,) values of z (m, d)."""
        return z @ self.w + self.b

    def variance(self, z: Array) -> Array:
        """(m,) variance of a new measurement of each: of the noise, of b, and of w along z."""
        along = (z - self.centre) @ self.axes
        return self.noise * (1.0 + 1.0 / len(self.loo) + (along**2) @ self.spread)


def probe_of(w: Array, b: float) -> Ridge:
    """A probe that was not fitted here: of its fit nothing is known."""
    nothing = np.zeros(0)
    return Ridge(w, b, 0.0, nothing, 0.0, nothing, nothing, nothing)


def fit(
    z: Array,
    y: Array,
    weight: Array | None = None,
    prior: Prior | None = None,
    relation: Relation | None = None,
    strengths: Sequence[float] = STRENGTHS,
) -> Ridge:
    """z (n, d), y (n,), weight (n,) 1 / variance of each up to a factor, relation as in censored.py. n >= 2.

    prior (w0 (d,), b0); without one it is zero. Deterministic. Raises InputError for shapes that do not fit.
    """
    z, y = np.asarray(z, np.float64), np.asarray(y, np.float64)
    if z.ndim != 2 or y.shape != (len(z),) or len(y) < 2:
        raise InputError(f"ridge: z {z.shape}, y {y.shape}; expected (n, d) and (n,) with n >= 2")
    weight = np.ones(len(y)) if weight is None else np.asarray(weight, np.float64) / np.mean(weight)
    parts = _decompose(z, weight)
    w0, b0 = (np.zeros(z.shape[1]), 0.0) if prior is None else prior
    base = z @ w0 + b0

    def solve(target: Array) -> Ridge:
        return _best(parts, target - base, weight, base, (w0, b0), strengths)

    def loo(target: Array) -> tuple[Array, Array]:
        found = solve(target)
        return found.loo, np.full(len(target), found.noise)

    return solve(fill(y, relation, loo))


def _decompose(z: Array, weight: Array) -> tuple[Array, Array, Array, Array]:
    """Centre (d,), and the singular value decomposition U (n, r), S (r,), V (d, r) of the weighted, centred z."""
    centre = weight @ z / weight.sum()
    u, s, vt = np.linalg.svd((z - centre) * np.sqrt(weight)[:, None], full_matrices=False)
    kept = s > 1e-9 * max(float(s.max(initial=0.0)), 1e-300)
    return centre, u[:, kept], s[kept], vt[kept].T


def _best(
    parts: tuple[Array, Array, Array, Array],
    rest: Array,
    weight: Array,
    base: Array,
    prior: Prior,
    strengths: Sequence[float],
) -> Ridge:
    """The strength with the least squared leave-one-out error; ``rest`` (n,) is what the prior's ``base`` leaves."""
    centre, u, s, v = parts
    root, total = np.sqrt(weight), weight.sum()
    middle = float(weight @ rest / total)
    along = u.T @ (root * (rest - middle))
    mean_square = float((s**2).mean()) if len(s) else 1.0
    best: tuple[float, float, Array, Array] | None = None
    for strength in strengths:
        shrink = np.zeros(len(s)) if np.isinf(strength) else s**2 / (s**2 + strength * mean_square)
        hat = (u**2) @ shrink + weight / total
        error = (rest - middle - (u @ (shrink * along)) / root) / np.maximum(1.0 - hat, 1e-6)
        press = float(weight @ error**2)
        if best is None or press < best[0]:
            best = (press, float(strength), error, shrink)
    assert best is not None, "there is at least one strength"
    press, strength, error, shrink = best
    step = v @ (shrink * along / np.maximum(s, 1e-300))
    return Ridge(
        w=prior[0] + step,
        b=prior[1] + middle - float(centre @ step),
        strength=strength,
        loo=base + rest - error,
        noise=max(press / total, 1e-12),
        centre=centre,
        axes=v,
        # Directions that no row varies in are left to the noise: of them this fit knows nothing.
        spread=np.where(shrink > 0, shrink / np.maximum(s, 1e-300) ** 2, 0.0),
    )
