"""What baselines see of molecules: ECFP4 bits, weight and lipophilicity, by drylab's own kernels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drylab.featurize import descriptors, fingerprints
from drylab.featurize.curation import flat_parent

Array = NDArray[np.float64]
BITS = 2048
NEEDS_PARENT = re.compile(r"\.|[+-]\d*\]|\[\d")  # salts, charges, isotopes


@dataclass(frozen=True, slots=True)
class Molecules:
    """n molecules as written.

    words  (n, BITS / 64) uint64: ECFP4 (Rogers 2010, 10.1021/ci100050t)
    props  (n, 2) float64: molecular weight in g/mol, Crippen logP; of a text that is no molecule the column's mean
    """

    words: NDArray[np.uint64]
    props: Array

    def __len__(self) -> int:
        return len(self.words)

    def take(self, rows: NDArray[np.integer]) -> Molecules:
        """Some of the molecules, in that order."""
        return Molecules(self.words[rows], self.props[rows])

    def bits(self) -> NDArray[np.uint8]:
        """(n, BITS) uint8 of 0 and 1."""
        return np.unpackbits(self.words.view(np.uint8), axis=1, bitorder="little")


def look(smiles: Sequence[str]) -> Molecules:
    """Of n SMILES; a text that is no molecule has no bits."""
    table = descriptors(list(smiles))
    columns = [np.array(table.column(name).to_numpy(zero_copy_only=False), np.float64) for name in ("MolWt", "MolLogP")]
    props = np.stack(columns, axis=1)
    known = np.isfinite(props)
    middle = np.where(known, props, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return Molecules(np.ascontiguousarray(fingerprints(list(smiles), 2, BITS).words), np.where(known, props, middle))


def shared(a: Molecules, b: Molecules) -> tuple[Array, Array, Array]:
    """(n, m) bits in common, and how many bits each has, (n,) and (m,)."""
    x, y = a.bits().astype(np.float32), b.bits().astype(np.float32)  # whole numbers: exact
    common = (x @ y.T).astype(np.float64)
    return common, x.sum(axis=1).astype(np.float64), y.sum(axis=1).astype(np.float64)


def tanimoto(a: Molecules, b: Molecules) -> Array:
    """(n, m) Tanimoto similarity of bits; two molecules without any have 0."""
    common, n, m = shared(a, b)
    return common / np.maximum(n[:, None] + m - common, 1.0)


def flat(smiles: Sequence[str]) -> list[str]:
    """SMILES with the z of their flat parents, a tenth of the work: RDKit sees salts, charges and isotopes alone.

    What else a flat parent lacks is stereo, and the encoder is blind to that.
    """
    return [flat_parent(text) or text if NEEDS_PARENT.search(text) else text for text in smiles]
