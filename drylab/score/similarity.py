"""Named fingerprints as sparse counts, and the similarity of two sets of molecules by each of them.

    ecfp4, ecfp6   Morgan, radius 2 and 3, drylab's kernels (Rogers 2010, https://doi.org/10.1021/ci100050t)
    fcfp4          the same with pharmacophore classes for atoms, RDKit
    pairs          atom pairs (Carhart 1985, https://doi.org/10.1021/ci00046a002), RDKit
    torsions       topological torsions (Nilakantan 1987, https://doi.org/10.1021/ci00054a008), RDKit

All tell stereoisomers apart, and none is folded to speak of: codes are kept modulo 2**31 - 1, so that two of a molecule's
few hundred meet once in ten thousand molecules. What a molecule is standardised to is the caller's choice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drylab.errors import InputError
from drylab.featurize import fingerprints, reference
from drylab.kernels.tanimoto import tanimoto

SIZE = 2**31 - 1
RADII = {"ecfp4": 2, "ecfp6": 3}  # of those that drylab's kernels make
NAMES = ("ecfp4", "ecfp6", "fcfp4", "pairs", "torsions")


@dataclass(frozen=True, slots=True)
class Sparse:
    """Count fingerprints of n molecules.

    ptr (n+1,) int64     bit (c,) uint32, rising within a molecule     count (c,) uint16, at most 65,535
    """

    ptr: NDArray[np.int64]
    bit: NDArray[np.uint32]
    count: NDArray[np.uint16]

    def __post_init__(self) -> None:
        if self.ptr[0] != 0 or self.ptr[-1] != len(self.bit) or len(self.bit) != len(self.count):
            raise ValueError(f"Sparse: ptr ends at {self.ptr[-1]}, {len(self.bit)} bits, {len(self.count)} counts")

    def __len__(self) -> int:
        return len(self.ptr) - 1

    def take(self, rows: NDArray[np.integer]) -> Sparse:
        """Some of the molecules, in that order."""
        counts = np.diff(self.ptr)[rows]
        ptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        at = np.repeat(self.ptr[:-1][rows] - ptr[:-1], counts) + np.arange(ptr[-1])
        return Sparse(ptr, self.bit[at], self.count[at])


def named(smiles: Sequence[str], names: Sequence[str] = NAMES) -> dict[str, Sparse]:
    """Fingerprints of n SMILES, by name; of a text that is no molecule, one without bits. Raises InputError."""
    for name in names:
        if name not in NAMES:
            raise InputError(f"fingerprint {name!r} is not known; choose from {', '.join(NAMES)}")
    found = {}
    for name in names:
        if name in RADII:
            counts = fingerprints(smiles, RADII[name], SIZE, count=True, chirality=True)
            found[name] = Sparse(counts.ptr, counts.bit, _small(counts.count))
    rest = [name for name in names if name not in RADII]
    mols = reference.parse(smiles) if rest else []
    return found | {name: sparse(reference.named_fingerprints(mols, name, SIZE)) for name in rest}


def sparse(rows: Sequence[Mapping[int, int]]) -> Sparse:
    """From a dictionary (bit -> count) a molecule."""
    ptr = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    bit = np.array([bit for row in rows for bit in sorted(row)], np.uint32)
    count = np.array([row[bit] for row in rows for bit in sorted(row)], np.int64)
    return Sparse(ptr, bit, _small(count))


def _small(count: NDArray[np.integer]) -> NDArray[np.uint16]:
    return np.minimum(count, 65_535).astype(np.uint16)


def similarity(x: Sparse, y: Sparse, binary: bool = False) -> NDArray[np.float64]:
    """(n, m) Tanimoto similarity of counts (min-max), or of which bits are set."""
    return tanimoto((x.ptr, x.bit, x.count), (y.ptr, y.bit, y.count), binary)
