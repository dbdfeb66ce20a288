"""A trained encoder cut down to fewer channels and layers: where a student starts, far ahead of random weights.

The channels that carry most are kept. Each dense layer is then fitted, by least squares, to what the teacher computes
there, given what the cut network has come to so far (layer-wise reconstruction, He 2017,
https://arxiv.org/abs/1707.06168, section 3.1), and the read-out to the teacher's z. No gradient is taken.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drylab.kernels.message import SUM_SCALE
from drylab.score.encoder import GraphTensors
from drylab.score.model import EncoderWeights
from drylab.train.batches import Molecules

LAYERS_FROM, READOUT_FROM = 3_000, 60_000  # molecules that the layers and the read-out are fitted on
BATCH = 1_000
RIDGE = 1e-4  # of a column's own square sum


@dataclass(frozen=True, slots=True)
class Layer:
    """One GINE layer, float32 tensors: bond table (BOND_CLASSES, h), w1 (h, u), b1 (u,), w2 (u, h), b2 (h,)."""

    edges: Tensor
    w1: Tensor
    b1: Tensor
    w2: Tensor
    b2: Tensor

    def messages(self, h: Tensor, batch: GraphTensors) -> Tensor:
        """(a, h): what each atom hears, itself included."""
        source, sink = batch.edges
        return h + torch.zeros_like(h).index_add(0, sink, torch.relu(h[source] + self.edges[batch.classes]))

    def after(self, h: Tensor, batch: GraphTensors) -> Tensor:
        """(a, h): the states after the layer."""
        inner = torch.relu(self.messages(h, batch) @ self.w1 + self.b1)
        return h + torch.relu(inner @ self.w2 + self.b2)


def layers_of(weights: EncoderWeights) -> list[Layer]:
    """The layers as tensors."""
    parts = zip(weights.edges, weights.w1, weights.b1, weights.w2, weights.b2, strict=True)
    return [Layer(*(_tensor(part) for part in layer)) for layer in parts]


def first_states(weights: EncoderWeights, batch: GraphTensors) -> Tensor:
    """(a, h): the states before any layer."""
    tables = _tensor(weights.tables)
    return tables[batch.rows].sum(dim=1)


def prune(
    teacher: EncoderWeights, width: int, layers: int, molecules: Molecules, z: NDArray[np.float32], seed: int
) -> EncoderWeights:
    """The teacher with ``width`` of its channels and its first ``layers`` layers; z (n, d) is what it says of the molecules."""
    rng = np.random.default_rng(seed)
    n = len(molecules)
    with torch.no_grad():
        cut = _cut(teacher, width, layers, molecules.batch(rng.choice(n, min(n, LAYERS_FROM), replace=False)))
        return _with_readout(cut, molecules, z, rng.choice(n, min(n, READOUT_FROM), replace=False))


def _cut(teacher: EncoderWeights, width: int, layers: int, batch: GraphTensors) -> EncoderWeights:
    whole = layers_of(teacher)[:layers]
    kept = _channels(whole, first_states(teacher, batch), batch, width)
    full = first_states(teacher, batch)
    h = full[:, kept]
    done = []
    for layer in whole:
        inner = layer.messages(full, batch) @ layer.w1 + layer.b1
        outer = torch.relu(inner) @ layer.w2 + layer.b2
        chosen = _greatest(torch.relu(inner).std(dim=0) * layer.w2[:, kept].norm(dim=1), width)
        edges = layer.edges[:, kept]
        start = Layer(edges, layer.w1, layer.b1, layer.w2, layer.b2)
        w1, b1 = _fitted(start.messages(h, batch), inner[:, chosen])
        w2, b2 = _fitted(torch.relu(start.messages(h, batch) @ w1 + b1), outer[:, kept])
        done.append(Layer(edges, w1, b1, w2, b2))
        h, full = done[-1].after(h, batch), full + torch.relu(outer)
    stacked = {name: np.stack([_array(getattr(layer, name)) for layer in done]) for name in Layer.__slots__}
    d = len(teacher.c)
    return EncoderWeights(
        tables=teacher.tables[:, kept.numpy()],
        **stacked,
        r_mean=np.zeros((width, d)),
        r_sum=np.zeros((width, d)),
        c=np.zeros(d),
    )


def _channels(layers: list[Layer], h: Tensor, batch: GraphTensors, width: int) -> Tensor:
    """The channels of the states whose spread weighs most in the layers that read them, rising."""
    weight = torch.zeros(h.shape[1])
    for layer in layers:
        weight += h.std(dim=0) * layer.w1.norm(dim=1)
        h = layer.after(h, batch)
    return _greatest(weight, width)


def _greatest(weight: Tensor, count: int) -> Tensor:
    return torch.sort(torch.argsort(weight, descending=True, stable=True)[:count]).values


def _fitted(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Weights and bias with x @ w + b near y (a, u), by a ridge."""
    design = torch.cat([x, torch.ones(len(x), 1)], dim=1).double()
    w = _solved(design.T @ design, design.T @ y.double()).float()
    return w[:-1], w[-1]


def _solved(gram: Tensor, right: Tensor) -> Tensor:
    strength = RIDGE * torch.diag(gram).clone() + 1e-6
    strength[-1] = 0.0  # the bias is free
    return torch.linalg.solve(gram + torch.diag(strength), right)


def _with_readout(
    cut: EncoderWeights, molecules: Molecules, z: NDArray[np.float32], index: NDArray[np.int64]
) -> EncoderWeights:
    """The same network with the read-out that comes nearest to z."""
    layers, width = layers_of(cut), cut.tables.shape[1]
    gram, right = torch.zeros(2 * width + 1, 2 * width + 1).double(), torch.zeros(2 * width + 1, z.shape[1]).double()
    for start in range(0, len(index), BATCH):
        some = index[start : start + BATCH]
        batch = molecules.batch(some)
        h = first_states(cut, batch)
        for layer in layers:
            h = layer.after(h, batch)
        total = torch.zeros(len(some), width).index_add(0, batch.molecule, h)
        parts = [total / batch.sizes[:, None], total / SUM_SCALE, torch.ones(len(some), 1)]
        design = torch.cat(parts, dim=1).double()
        gram += design.T @ design
        right += design.T @ torch.from_numpy(z[some]).double()
    w = _array(_solved(gram, right))
    return replace(cut, r_mean=w[:width], r_sum=w[width : 2 * width], c=w[-1])


def _tensor(values: NDArray[np.floating]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))


def _array(values: Tensor) -> NDArray[np.float64]:
    return values.double().numpy()
