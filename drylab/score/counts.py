"""What the toxicity panel reads of a molecule beside z: three count fingerprints, folded, and ten descriptors.

column of a code = (code * 2654435761 mod 2**32) >> 12, modulo the fingerprint's size (Knuth's multiplicative hash)
value of a column = log(1 + how many codes fall there)
descriptors, scaled to (x - centre) / scale and cut off at +-5 by the endpoints file
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from drylab.arrow import floats
from drylab.featurize import descriptors
from drylab.score.similarity import Sparse, named

SIZES = {"ecfp4": 2048, "fcfp4": 1024, "torsions": 1024}
COLUMNS = sum(SIZES.values())
DESCRIPTORS = (
    *("MolWt", "MolLogP", "TPSA", "NumHDonors", "NumHAcceptors", "NumRotatableBonds", "NumAromaticRings"),
    *("FractionCSP3", "RingCount", "FormalCharge"),
)
RECIPE = {"name": "counts", "version": 1, "sizes": SIZES, "descriptors": list(DESCRIPTORS), "stereo": "ignored"}
_MIX, _SHIFT = np.uint64(2654435761), np.uint64(12)


@dataclass(frozen=True, slots=True)
class Described:
    """n molecules.

    counts  (n, COLUMNS) sparse float64     descriptors (n, 10) float64, 0 where not ``ok``
    ok      (n,) bool: False where the text is no molecule
    """

    counts: Any
    descriptors: NDArray[np.float64]
    ok: NDArray[np.bool_]

    def take(self, rows: NDArray[np.integer]) -> Described:
        """Some of the molecules, in that order."""
        return Described(self.counts[rows], self.descriptors[rows], self.ok[rows])


def describe(smiles: Sequence[str]) -> Described:
    """Counts and descriptors of n SMILES; give flat parents, which is what the endpoints are trained on."""
    prints = named(smiles, tuple(SIZES))
    table = descriptors(list(smiles))
    values = np.stack([floats(table.column(name)) for name in DESCRIPTORS], axis=1)
    ok = np.asarray(np.isfinite(values).all(axis=1))
    return Described(folded([prints[name] for name in SIZES]), np.where(ok[:, None], values, 0.0), ok)


def folded(prints: Sequence[Sparse]) -> Any:
    """(n, COLUMNS) sparse float64 from the fingerprints, in the order of SIZES."""
    n, start, rows, columns, values = len(prints[0]), 0, [], [], []
    for one, size in zip(prints, SIZES.values(), strict=True):
        mixed = (one.bit.astype(np.uint64) * _MIX & np.uint64(0xFFFFFFFF)) >> _SHIFT
        columns.append((mixed % np.uint64(size)).astype(np.int64) + start)
        rows.append(np.repeat(np.arange(n), np.diff(one.ptr)))
        values.append(one.count.astype(np.float64))
        start += size
    shape = (n, COLUMNS)
    found = csr_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=shape)
    found.sum_duplicates()
    return found.log1p()
