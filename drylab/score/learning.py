"""From molecules and values to a model of them: the features, the kernels that compare them, the probe for the fold.

A fitted target has two halves. The probe is a ridge on z: one vector, so that a library is screened at the speed of the
fold. The Gaussian process adds up kernels, of fingerprints and of z, and says mean and deviation of few molecules better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from drylab.featurize.curation import flat_parent
from drylab.score import gaussian, ridge
from drylab.score.censored import Relation
from drylab.score.embedding import embed
from drylab.score.gaussian import Posterior
from drylab.score.model import DomainWeights, Model
from drylab.score.ridge import Prior
from drylab.score.similarity import Sparse, named, similarity

Array = NDArray[np.float64]
FINGERPRINTS = ("ecfp6", "fcfp4", "pairs", "torsions")
# What is added up, each with a scale of its own: the mean similarity of the fingerprints; its square, which counts close ones
# alone; exp(-distance of z as it is), since whitened its noise would weigh as much as what it says; and the product of whitened
# z, for values that add up from parts of a molecule.
KERNELS = ("alike", "sharp", "near", "line")
_NOT_FLAT = frozenset("[/\\.")
SLOPE = "slope"  # with a prior, one more: how far the truth is from the prior may depend on what the prior says


@dataclass(frozen=True, slots=True)
class Features:
    """What is known of n molecules.

    z (n, d) float64, of the flat parent; 0 where not ok     ok (n,) bool: the molecule was embedded
    prints  name -> count fingerprints, of the molecule with its stereo
    """

    z: Array
    ok: NDArray[np.bool_]
    prints: dict[str, Sparse]

    def __len__(self) -> int:
        return len(self.z)

    def take(self, rows: NDArray[np.integer]) -> Features:
        """Some of the molecules, in that order."""
        return Features(self.z[rows], self.ok[rows], {name: fp.take(rows) for name, fp in self.prints.items()})


@dataclass(frozen=True, slots=True)
class Learned:
    """What was learned from n molecules: the process, the probe, the molecules, and the prior that both start from.

    middle  what the prior says of the molecules on average; 0 without one
    """

    posterior: Posterior
    probe: ridge.Ridge
    support: Features
    kernels: tuple[str, ...]
    prior: Prior | None = None
    middle: float = 0.0


@dataclass(frozen=True, slots=True)
class Alike:
    """What actives alone give: a probe, and the actives, which others are compared with (actives.py)."""

    probe: ridge.Ridge
    support: Features


def features(model: Model, smiles: Sequence[str], names: Sequence[str] = FINGERPRINTS) -> Features:
    """Of n SMILES, standardised with stereo; a text that is no molecule keeps its place with nothing known of it."""
    # A text without brackets, slashes and dots has no charge, isotope, stereo or second part: it is flat as it is.
    embedded = embed(model, [flat_parent(text) if _NOT_FLAT.intersection(text) else text for text in smiles])
    return Features(embedded.z, embedded.ok, named(smiles, names))


def learn(
    found: Features,
    y: Array,
    domain: DomainWeights,
    noise: Array | None = None,
    relation: Relation | None = None,
    prior: Prior | None = None,
) -> Learned:
    """Fit both halves to n >= 2 molecules; y (n,), noise (n,) relative variances, relation as in censored.py.

    A prior (w (d,), b) is what is expected before the values are seen. Classes are values 0 and 1.
    """
    base = np.zeros(len(y)) if prior is None else found.z @ prior[0] + prior[1]
    names = KERNELS if prior is None else (*KERNELS, SLOPE)
    middle = float(base.mean())
    own = tilted(matrices(found, found, domain, KERNELS), prior, middle, found.z, found.z)
    posterior = gaussian.fit(own, y - base, noise, relation)
    white = whitened(found.z, domain)
    weight = None if noise is None else 1.0 / noise
    # The process has settled what stands for bounds; the probe is fitted to the same.
    step = ridge.fit(white, posterior.y, weight)
    return Learned(posterior, _unwhitened(step, found.z, weight, domain, prior), found, names, prior, middle)


def predict(learned: Learned, found: Features, domain: DomainWeights) -> tuple[Array, Array]:
    """(m,) mean and variance of a new measurement of each molecule, by the process."""
    support, prior = learned.support, learned.prior
    plain = [name for name in learned.kernels if name != SLOPE]
    cross = tilted(matrices(found, support, domain, plain), prior, learned.middle, found.z, support.z)
    own = [_diagonal(name, found, domain) for name in plain]
    base = np.zeros(len(found)) if prior is None else found.z @ prior[0] + prior[1]
    if prior is not None:
        own.append((base - learned.middle) ** 2)
    mean, variance = learned.posterior.predict(cross, own)
    return base + mean, variance


def _unwhitened(
    step: ridge.Ridge, z: Array, weight: Array | None, domain: DomainWeights, prior: Prior | None
) -> ridge.Ridge:
    """A probe of whitened z, fitted to what a prior leaves, as a probe of z that says it all."""
    w0, b0 = (np.zeros(z.shape[1]), 0.0) if prior is None else prior
    moved = domain.whiten @ step.w
    return replace(
        step,
        w=w0 + moved,
        b=b0 + step.b - float(domain.mean @ moved),
        loo=step.loo + z @ w0 + b0,
        centre=np.average(z, axis=0, weights=weight),
        axes=domain.whiten @ step.axes,
    )


def whitened(z: Array, domain: DomainWeights) -> Array:
    """(n, d) z as the training molecules see it: centred, and of variance 1 in every direction."""
    white: Array = (z - domain.mean) @ domain.whiten
    return white


def matrices(x: Features, y: Features, domain: DomainWeights, names: Sequence[str]) -> list[Array]:
    """One (n, m) kernel a name."""
    found: dict[str, Array] = {}
    if "alike" in names or "sharp" in names:
        alike = np.zeros((len(x), len(y)))
        for name in FINGERPRINTS:
            alike += similarity(x.prints[name], y.prints[name])
        alike /= len(FINGERPRINTS)
        found = {"alike": alike, "sharp": alike**2}
    if "near" in names:
        found["near"] = _near(x.z - domain.mean, y.z - domain.mean, domain)
    if "line" in names:
        found["line"] = whitened(x.z, domain) @ whitened(y.z, domain).T / x.z.shape[1]
    return [found[name] for name in names]


def _near(a: Array, b: Array, domain: DomainWeights) -> Array:
    """(n, m) exp(-distance) of centred z, in units of the root mean squared distance of two training molecules."""
    unit = 2.0 * float((np.linalg.pinv(domain.whiten) ** 2).sum())  # twice the trace of their covariance
    far: Array = a @ (b.T * (-2.0 / unit))
    far += (a**2).sum(axis=1)[:, None] / unit
    far += (b**2).sum(axis=1) / unit
    far[far < 1e-12] = 0.0  # of a molecule with itself, rounding leaves 1e-16, whose root would show
    np.sqrt(far, out=far)
    return np.exp(np.negative(far, out=far), out=far)


def _diagonal(name: str, x: Features, domain: DomainWeights) -> Array:
    if name == "near":
        return np.ones(len(x))
    if name == "line":
        return (whitened(x.z, domain) ** 2).mean(axis=1)
    alike = np.mean([np.diff(x.prints[each].ptr) > 0 for each in FINGERPRINTS], axis=0)
    return np.asarray(alike**2 if name == "sharp" else alike, np.float64)


def tilted(plain: list[Array], prior: Prior | None, middle: float, x: Array, y: Array) -> list[Array]:
    """With a prior, the kernel SLOPE besides: the product of what the prior says, less its middle."""
    if prior is None:
        return plain
    a, b = (z @ prior[0] + prior[1] - middle for z in (x, y))
    return [*plain, np.outer(a, b)]
