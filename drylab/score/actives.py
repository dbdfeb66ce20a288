"""Actives and nothing else: a ranking by likeness to them, and a probe that a screen can use.

    likeness  log(mean_q exp(SHARP s_q)) / SHARP over the actives q: between their mean and their maximum
    s_q       mean Tanimoto of three count fingerprints, plus SHARE times the cosine of whitened z, where it is positive
    probe     w = w0 + a S^-1 (mean of the actives' z - mean of the model's training molecules), S their covariance: a
              shrunk linear discriminant (Friedman 1989, https://doi.org/10.1080/01621459.1989.10478752), with a such that
              the actives lie 1 above those molecules on average

How it was chosen: MUV and DUD, five actives (the published query lists), panel-1, 1,800 decoys a target, on every second
target. With panel-2, which has seen none of the actives, BEDROC20 and EF1%: MUV's 17 targets, a quarter of the decoys,
0.230 / 11.7, where the maximum of ECFP4 has 0.185 / 10.6; DUD's 21 targets whole, 0.728 / 42.0 and 0.714 / 41.8.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drylab.score.learning import Features, whitened
from drylab.score.model import DomainWeights
from drylab.score.ridge import Prior
from drylab.score.similarity import similarity

Array = NDArray[np.float64]
FINGERPRINTS = ("ecfp6", "pairs", "torsions")
SHARP, SHARE = 10.0, 0.25
BLOCK = 20_000  # molecules at a time


def likeness(found: Features, actives: Features, domain: DomainWeights) -> Array:
    """(n,) how alike each of n molecules is to the actives, from 0 to 1 + SHARE."""
    out = np.zeros(len(found))
    for start in range(0, len(found), BLOCK):
        rows = np.arange(start, min(start + BLOCK, len(found)))
        out[rows] = summed(_pairs(found.take(rows), actives, domain))
    return out


def summed(pairs: Array) -> Array:
    """(n,) of (n, q) similarities: the soft maximum."""
    top = pairs.max(axis=1)
    soft: Array = top + np.log(np.exp(SHARP * (pairs - top[:, None])).mean(axis=1)) / SHARP
    return soft


def left_out(actives: Features, domain: DomainWeights) -> Array:
    """(q,) the likeness of each active to the others; q >= 2."""
    pairs = _pairs(actives, actives, domain)
    return np.array([summed(np.delete(row, at)[None])[0] for at, row in enumerate(pairs)])


def _pairs(x: Features, actives: Features, domain: DomainWeights) -> Array:
    prints = np.mean([similarity(x.prints[name], actives.prints[name]) for name in FINGERPRINTS], axis=0)
    a, b = directions(x, domain), directions(actives, domain)
    both: Array = prints + SHARE * np.maximum(a @ b.T, 0.0)
    return both


def directions(found: Features, domain: DomainWeights) -> Array:
    """(n, d) whitened z of length 1; 0 for what was not embedded, which would otherwise be alike to all else that was not."""
    white = whitened(found.z, domain) * found.ok[:, None]
    return white / np.maximum(np.linalg.norm(white, axis=1, keepdims=True), 1e-9)


def discriminant(z: Array, domain: DomainWeights, prior: Prior | None = None) -> Prior:
    """(w (d,), b) from the z (q, d) of the actives. Without a prior a value of 0 is a training molecule, 1 an active."""
    w0, b0 = (np.zeros(z.shape[1]), 0.0) if prior is None else prior
    middle = whitened(z, domain).mean(axis=0)
    step = domain.whiten @ middle / max(float(middle @ middle), 1e-9)
    return w0 + step, b0 - float(domain.mean @ step)
