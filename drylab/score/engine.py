"""The encoder as it screens: graphs in, vectors out, from a model file, without torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drylab.kernels import message
from drylab.score.features import ATOM_SIZES, atom_classes, bond_classes
from drylab.score import panel
from drylab.score.model import EncoderWeights, Model
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


@dataclass(frozen=True, slots=True)
class Fold:
    """What a fold scores with: the values of some probes, in reduced precision, and how far from the reference they may be.

    rows (t,) int64 rows of the model's bank     bounds (t,) float64: |value - reference value| is at most this, in the probe's unit
    precision "float64" (the reference itself, bounds 0) or "float32"     device "cpu" or "cuda"
    """

    model: Model
    rows: NDArray[np.int64]
    bounds: NDArray[np.float64]
    precision: str
    device: str

    def values(self, graphs: MolGraphs) -> NDArray[np.float64]:
        """(n, t) float64 of every molecule, in each probe's own unit."""
        z = GineEncoder(self.model.encoder)(graphs).z
        values = panel.values(self.model.probes, z)[:, self.rows]
        return values if self.precision == "float64" else values.astype(np.float32).astype(np.float64)


_FOLDS: dict[tuple[str, tuple[int, ...], str, float], Fold] = {}


def fold_engine(model: Model, rows: Sequence[int], precision: str = "auto", widen: float = 1.0) -> Fold:
    """The engine for these probes; the same one again for the same question, with what it has learnt of the library."""
    key = (model.sha256, tuple(int(row) for row in rows), precision, widen)
    if key not in _FOLDS:
        exact = precision == "float64"
        bounds = np.full(len(rows), 0.0 if exact else 2e-5 * widen)
        _FOLDS[key] = Fold(model, np.array(rows, np.int64), bounds, "float64" if exact else "float32", "cpu")
    return _FOLDS[key]
