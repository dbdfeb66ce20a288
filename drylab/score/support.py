"""What a panel target's measured molecules add to its probe: a Gaussian process, for the few molecules that are looked at.

A probe on z is what a fold can afford; beside measured molecules a similarity says more. MODEL-support.safetensors lies beside the
model and has, for t targets and m molecules that were measured on any of them, e pairs of both:

    ecfp4.ptr (m+1,)   ecfp4 (c,) uint16       counts of flat parents, folded to BITS, as packed.py packs them
    z (m, d/2) uint8   z.low, z.step (d,)      likewise
    ptr (t+1,)         row (e,) which molecule          alpha (e,) its dual
    middle (t,)   constant (t,)   scale (t,)   noise (t,)      mean and variances
    mix (1,)   share of z in the similarity          looser (1,)   how much of the likeliest noise there is, times

    mean = middle + sum_i alpha_i (constant + scale k(x, x_i))
    k    = (1 - mix) tanimoto + mix exp(-|u - u_i|^2 / 2d)     tanimoto of counts (min-max); u: z in deviations of the target's molecules

z knows the molecules that the encoder was trained on, so that no fit to them can tell how much it is worth on others: mix is chosen for
all targets together, on scaffolds that the encoder never saw. No measured value is in the file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cholesky, solve_triangular

from drylab.errors import ModelError
from drylab.featurize import fingerprints
from drylab.score import packed
from drylab.score.first import encoder_sha256
from drylab.score.model import SUPPORT, Model, beside, check_tensors, read_file
from drylab.score.similarity import Sparse, similarity

Array = NDArray[np.float64]
SCHEMA = "drylab.support/2"
RADIUS, BITS = 2, 2048
AXES = {
    **{"ptr": "s", "row": "e", "alpha": "e", "ecfp4.ptr": "n", "ecfp4": "c"},
    **{"z": "mh", "z.low": "d", "z.step": "d", "middle": "t", "constant": "t", "scale": "t", "noise": "t"},
    **{"mix": "1", "looser": "1"},
}
JITTER = 1e-8
# A factor of thousands of molecules takes seconds. By the nearest 64 a deviation is 3 to 15 % larger (six targets, 1,021 to 4,611 molecules).
MANY, NEAREST = 1000, 64


@dataclass(frozen=True, slots=True)
class Looked:
    """What is compared of n molecules: z (n, d) and count fingerprints."""

    z: Array
    prints: Sparse

    def take(self, rows: NDArray[np.integer]) -> Looked:
        """Some of the molecules, in that order."""
        return Looked(self.z[rows], self.prints.take(rows))


@dataclass(frozen=True, slots=True)
class Support:
    """A checked file. ``names``: the t targets; ``molecules``: the m molecules; ``tensors`` as above, float64.

    figures  target -> what it was worth on TEST scaffolds: n, spearman, rmse
    """

    path: str
    sha256: str
    names: tuple[str, ...]
    molecules: Looked
    tensors: Mapping[str, Array]
    figures: Mapping[str, Mapping[str, float]]

    @property
    def mix(self) -> float:
        """The share of z in the similarity."""
        return float(self.tensors["mix"][0])

    @property
    def looser(self) -> float:
        """What the likeliest noise was multiplied by."""
        return float(self.tensors["looser"][0])

    def of(self, target: int) -> tuple[Looked, Array]:
        """The molecules measured on a target, and their duals."""
        start, stop = self.tensors["ptr"][target : target + 2].astype(np.int64)
        rows = self.tensors["row"][start:stop].astype(np.int64)
        return self.molecules.take(rows), self.tensors["alpha"][start:stop]


@dataclass(frozen=True, slots=True)
class Process:
    """Of one target: its m molecules, duals alpha (m,), Cholesky factor (m, m) of their covariances (None: more than MANY),
    deviations of z (d,), and middle, constant, scale, noise, mix."""

    own: Looked
    alpha: Array
    factor: Array | None
    spread: Array
    numbers: tuple[float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Refined:
    """Of n molecules on one target: mean and variance (n,) of a new measurement, similarity (n,) of the nearest measured one."""

    mean: Array
    variance: Array
    similarity: Array


def look(z: Array, smiles: Sequence[str]) -> Looked:
    """n flat parents and their z; of a text that is no molecule, a fingerprint without bits."""
    counts = fingerprints(list(smiles), RADIUS, BITS, count=True)
    return Looked(z, Sparse(counts.ptr, counts.bit, np.minimum(counts.count, packed.MOST).astype(np.uint16)))


def kernel(x: Looked, y: Looked, mix: float, spread: Array) -> Array:
    """(n, m) similarity; ``spread`` (d,) deviations of z over the molecules that are fitted."""
    u, v = x.z / spread, y.z / spread
    squared = (u**2).sum(axis=1)[:, None] + (v**2).sum(axis=1)[None] - 2.0 * u @ v.T
    bell: Array = np.exp(-0.5 * np.maximum(squared, 0.0) / u.shape[1])
    return (1.0 - mix) * similarity(x.prints, y.prints) + mix * bell


def spread_of(z: Array) -> Array:
    """(d,) deviations, none of them 0."""
    found: Array = z.std(axis=0) + 1e-6
    return found


def process_of(support: Support, name: str) -> Process:
    """The process of one of the support's targets, ready to be asked. Raises ModelError where it is none."""
    t, target = support.tensors, support.names.index(name)
    own, alpha = support.of(target)
    middle, constant, scale, noise = (float(t[part][target]) for part in ("middle", "constant", "scale", "noise"))
    process = Process(own, alpha, None, spread_of(own.z), (middle, constant, scale, noise, support.mix))
    if len(alpha) > MANY:
        return process
    try:
        factor = cholesky(_within(process, own), lower=True, overwrite_a=True, check_finite=False)
    except LinAlgError as error:
        raise ModelError(f"{support.path}: the process of {name} is none ({error}); make the support again") from error
    return replace(process, factor=factor)


def ask(process: Process, x: Looked) -> Refined:
    """n molecules, by the process of a target."""
    middle, constant, scale, noise, mix = process.numbers
    cross = scale * kernel(x, process.own, mix, process.spread) + constant
    mean = middle + cross @ process.alpha
    nearest = similarity(x.prints, process.own.prints).max(axis=1, initial=0.0)
    known = _by_nearest(process, cross) if process.factor is None else _by_all(process.factor, cross)
    return Refined(mean, np.maximum(scale + constant - known, 0.0) + noise, nearest)


def _within(process: Process, some: Looked) -> Array:
    """Covariances of measurements of some of a target's molecules."""
    _, constant, scale, noise, mix = process.numbers
    found = scale * kernel(some, some, mix, process.spread) + constant
    found[np.diag_indices_from(found)] += noise + JITTER * (scale + constant)
    return found


def _by_all(factor: Array, cross: Array) -> Array:
    """(n,) how much of the variance all measurements take away."""
    half = solve_triangular(factor, cross.T, lower=True, check_finite=False)
    return np.asarray(np.einsum("mn,mn->n", half, half))


def _by_nearest(process: Process, cross: Array) -> Array:
    """(n,) how much of the variance the NEAREST measurements take away: hardly less than all do, and never more."""
    known = np.empty(len(cross))
    for i, row in enumerate(cross):
        near = np.sort(np.argsort(-row, kind="stable")[:NEAREST])
        known[i] = row[near] @ np.linalg.solve(_within(process, process.own.take(near)), row[near])
    return known


def refine(support: Support, name: str, x: Looked) -> Refined:
    """n molecules, for one of the support's targets."""
    return ask(process_of(support, name), x)


def support_path(model: Model) -> Path:
    """Where a model's support lies."""
    return beside(model, SUPPORT)


def load_support(model: Model, path: Path | None = None) -> Support | None:
    """The support of a model, None where it has none. Raises ModelError for a file that is damaged or another encoder's."""
    path = path or support_path(model)
    if not path.is_file():
        return None
    header, tensors = read_file(path, SCHEMA)
    missing = [name for name in AXES if name not in tensors]
    if missing:
        raise ModelError(f"{path}: tensors missing: {', '.join(missing)}; make the support again")
    said, own = header.get("encoder_sha256"), encoder_sha256(model.encoder)
    if said != own:
        raise ModelError(
            f"{path}: belongs to an encoder with SHA-256 {str(said)[:12]}, and that of {model.name} has {own[:12]}; "
            "make it again with python -m drylab.train.support"
        )
    names = tuple(map(str, header.get("targets") or ()))
    m = max(len(tensors["ecfp4.ptr"]) - 1, 0)
    d = len(model.encoder.c)
    known = {"t": len(names), "s": len(names) + 1, "d": d, "h": (d + 1) // 2, "m": m, "n": m + 1, "1": 1}
    check_tensors(path, tensors, AXES, known)
    grid = packed.Grid(tensors["z.low"].astype(np.float32), tensors["z.step"].astype(np.float32))
    molecules = Looked(grid.unpack(tensors["z"]), _checked(path, tensors, len(names)))
    return Support(
        str(path), hashlib.sha256(path.read_bytes()).hexdigest(), names, molecules, tensors, header.get("figures", {})
    )


def _checked(path: Path, tensors: Mapping[str, Array], targets: int) -> Sparse:
    """The fingerprints, with every index that a kernel follows inside its array."""
    ptr, (bit, count) = tensors["ecfp4.ptr"].astype(np.int64), packed.unpack_prints(tensors["ecfp4"])
    m, e = len(ptr) - 1, len(tensors["row"])
    starts = np.zeros(len(bit) + 1, bool)
    sound = _offsets(ptr, len(bit)) and _offsets(tensors["ptr"], e) and len(tensors["ptr"]) == targets + 1
    if sound:
        starts[ptr] = True
        rising = starts[1:-1] | (np.diff(bit.astype(np.int64)) > 0)
        inside = (tensors["row"] >= 0).all() and (tensors["row"] < m).all()
        sound = bool(rising.all() and inside and (bit < BITS).all() and (count >= 1).all())
    if not sound:
        raise ModelError(f"{path}: offsets or fingerprints are not in order; make the support again")
    return Sparse(ptr, bit, count)


def _offsets(ptr: NDArray[Any], end: int) -> bool:
    return bool(len(ptr) > 0 and ptr[0] == 0 and ptr[-1] == end and (np.diff(ptr) >= 0).all())


TYPES = {"ecfp4": np.uint16, "ecfp4.ptr": np.int32, "ptr": np.int32, "row": np.int32, "z": np.uint8}


def stored(name: str, values: NDArray[Any]) -> NDArray[Any]:
    """A tensor as it is written."""
    return np.ascontiguousarray(values, dtype=TYPES.get(name, np.float32))
