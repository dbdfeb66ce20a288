"""SMILES -> vectors z for fitting, judging and toxicity: the encoder in float32, about as fast as the fold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drylab.featurize import graphs
from drylab.score.fold_cpu import CpuEncoder
from drylab.score.model import Model
from drylab.types import PARSED

BLOCK = 20_000  # molecules parsed at a time: a few megabytes of graphs


@dataclass(frozen=True, slots=True)
class Embedded:
    """Vectors of n molecules.

    z   (n, d) float64, computed in float32: some 1e-6 of a typical |z| from the reference; 0 where not ``ok``
    ok  (n,) bool: False where the text is no molecule, or one of more than 255 atoms
    """

    z: NDArray[np.float64]
    ok: NDArray[np.bool_]

    def __post_init__(self) -> None:
        if self.z.ndim != 2 or self.ok.shape != (len(self.z),):
            raise ValueError(f"Embedded: z {self.z.shape}, ok {self.ok.shape}; expected (n, d) and (n,)")


def embed(model: Model, smiles: Sequence[str]) -> Embedded:
    """z of n SMILES by the model's encoder; rows keep their places, and equal inputs give equal bits.

    The molecule is embedded as written: give parents (``curation.flat_parent``), or a salt counts as a part of it.
    Stereo marks are not seen by the encoder. A molecule alone and among others differs by rounding (float32).
    """
    width = len(model.encoder.c)
    # The encoder hands out what linear probes say of z; unit vectors as probes make that z itself.
    encoder = CpuEncoder(model.encoder, np.eye(width), np.zeros(width))
    z, ok = np.zeros((len(smiles), width)), np.zeros(len(smiles), bool)
    for rows in _blocks(len(smiles)):
        parsed = graphs(smiles[rows])
        z[rows], ok[rows] = encoder(parsed), parsed.status == PARSED
    return Embedded(z, ok)


def _blocks(n: int) -> Iterator[slice]:
    return (slice(start, min(start + BLOCK, n)) for start in range(0, n, BLOCK))
