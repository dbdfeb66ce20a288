"""The encoder as it screens: graphs in, vectors out, from a model file, without torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drylab.kernels import message
from drylab.score.features import ATOM_SIZES, atom_classes, bond_classes
from drylab.score.model import EncoderWeights
from drylab.types import Embedding, MolGraphs

_TABLE_PTR = np.concatenate([[0], np.cumsum(ATOM_SIZES)[:-1]]).astype(np.int32)


@dataclass(frozen=True, slots=True)
class GineEncoder:
    """MolGraphs -> Embedding, float64, the same bits for a molecule in any batch."""

    weights: EncoderWeights

    def __call__(self, graphs: MolGraphs) -> Embedding:
        return Embedding(message.encode(*_graph_arrays(graphs), *_weight_arrays(self.weights)))

    def atom_contributions(self, graphs: MolGraphs, probe: NDArray[np.float64]) -> NDArray[np.float64]:
        """(a,) what each atom adds to z @ probe; sums to it, less the constant ``c @ probe``, exactly by linearity."""
        return message.atom_contributions(*_graph_arrays(graphs), *_weight_arrays(self.weights), probe)


def _graph_arrays(graphs: MolGraphs) -> tuple[NDArray[np.generic], ...]:
    return (
        atom_classes(graphs),
        graphs.begin,
        graphs.end,
        bond_classes(graphs),
        graphs.atom_ptr,
        graphs.bond_ptr,
    )


def _weight_arrays(w: EncoderWeights) -> tuple[NDArray[np.generic], ...]:
    return (w.tables, _TABLE_PTR, w.edges, w.w1, w.b1, w.w2, w.b2, w.r_mean, w.r_sum, w.c)
