"""What every molecule says of itself: the targets that an encoder learns from structures alone.

An encoder trained on labels keeps what those labels need. A chemist's own series needs what tells its members apart, and
that is what fingerprints hold: so z also has to give back the leading directions of the count ECFP4 (weighted by
rarity, Salton 1988, 10.1016/0306-4573(88)90021-0) and RDKit's descriptors. Both are exact and cost nothing to label.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils.extmath import randomized_svd

from drylab.featurize import descriptors, fingerprints

BITS, RADIUS = 2048, 2
DIRECTIONS = 200
FITTED_ON = 40_000  # molecules that the directions are taken from
CHUNK = 20_000
RAREST = 6.0  # largest weight of a rare bit
FAR = 5.0  # standard deviations at which a descriptor is clipped


def pretext(smiles: Sequence[str], directions: int = DIRECTIONS, seed: int = 0) -> NDArray[np.float16]:
    """(n, directions + descriptors) float16, each column of mean 0 and deviation 1, of SMILES that all are molecules."""
    bits = _weighted(smiles)
    chosen = np.random.default_rng(seed).choice(len(smiles), min(FITTED_ON, len(smiles)), replace=False)
    _, _, axes = randomized_svd(bits[chosen], min(directions, len(chosen), BITS), random_state=seed)
    return np.concatenate([_standard(bits @ axes.T), _standard(_described(smiles))], axis=1).astype(np.float16)


def importance(columns: int, directions: int = DIRECTIONS) -> NDArray[np.float32]:
    """(columns,) weights of mean 1: a direction counts for less the later it comes, a descriptor for one."""
    weight = np.ones(columns)
    weight[:directions] = 1.0 / np.sqrt(1.0 + np.arange(min(directions, columns)) / 20.0)
    return (weight / weight.mean()).astype(np.float32)


def _weighted(smiles: Sequence[str]) -> sparse.csr_matrix:
    """(n, BITS) log counts times the log of how rare a bit is."""
    parts = [
        sparse.csr_matrix(np.log1p(fingerprints(smiles[i : i + CHUNK], RADIUS, BITS, count=True).to_numpy()))
        for i in range(0, len(smiles), CHUNK)
    ]
    bits = sparse.vstack(parts).tocsr().astype(np.float32)
    seen = np.asarray((bits > 0).sum(axis=0)).ravel()
    return bits.multiply(np.minimum(np.log(len(smiles) / (1.0 + seen)), RAREST).astype(np.float32)).tocsr()


def _described(smiles: Sequence[str]) -> NDArray[np.float64]:
    table = descriptors(smiles)
    return np.stack([table[name].to_numpy().astype(np.float64) for name in table.column_names], axis=1)


def _standard(columns: NDArray[np.floating]) -> NDArray[np.float32]:
    usable = np.nan_to_num(np.asarray(columns, np.float64))
    return np.clip((usable - usable.mean(axis=0)) / (usable.std(axis=0) + 1e-6), -FAR, FAR).astype(np.float32)
