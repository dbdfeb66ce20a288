"""The encoder as it trains: the GINE network of PyTorch Geometric, and its folding into the weights that screen.

The formula is that of kernels/message.py; here it carries batch norm, which ``fold`` writes into the dense layers.
Hu 2019 (GINE, https://arxiv.org/abs/1905.12265).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from drylab.kernels.message import SUM_SCALE
from drylab.score.features import ATOM_SIZES, BOND_CLASSES, atom_classes, bond_classes
from drylab.score.model import EncoderWeights
from drylab.types import MolGraphs

with warnings.catch_warnings():
    # PyTorch Geometric still scripts some classes at import, which torch 2.13 deprecates: nothing of ours, no harm.
    warnings.filterwarnings("ignore", message=".*torch.jit", category=DeprecationWarning)
    from torch_geometric.nn import GINEConv

TABLE_START = np.concatenate([[0], np.cumsum(ATOM_SIZES)[:-1]]).astype(np.int64)


@dataclass(frozen=True, slots=True)
class GraphTensors:
    """A batch of n molecules for torch.

    rows (a, 6) int64 rows of the atom table   edges (2, 2b) int64, both directions   classes (2b,) int64
    molecule (a,) int64 which molecule an atom is of   sizes (n,) int64 atoms a molecule
    """

    rows: Tensor
    edges: Tensor
    classes: Tensor
    molecule: Tensor
    sizes: Tensor


def graph_tensors(graphs: MolGraphs) -> GraphTensors:
    """The tensors of a batch of graphs, as the recipe in features.py codes them."""
    return pack(
        atom_classes(graphs),
        np.stack([graphs.begin, graphs.end]),
        bond_classes(graphs),
        graphs.atom_ptr,
        graphs.bond_ptr,
    )


def pack(
    x: NDArray[np.uint8],
    ends: NDArray[np.uint8],
    classes: NDArray[np.uint8],
    atom_ptr: NDArray[np.integer],
    bond_ptr: NDArray[np.integer],
) -> GraphTensors:
    """Class indices x (a, 6), ends (2, b) within the molecule, classes (b,) and offsets -> one batch."""
    sizes = np.diff(atom_ptr).astype(np.int64)
    shift = np.repeat(np.asarray(atom_ptr[:-1], np.int64), np.diff(bond_ptr))
    u, v = ends[0] + shift, ends[1] + shift
    return GraphTensors(
        rows=torch.from_numpy(x + TABLE_START),
        edges=torch.from_numpy(np.stack([np.concatenate([u, v]), np.concatenate([v, u])])),
        classes=torch.from_numpy(np.concatenate([classes, classes]).astype(np.int64)),
        molecule=torch.from_numpy(np.repeat(np.arange(len(sizes)), sizes)),
        sizes=torch.from_numpy(sizes),
    )


class GineNetwork(nn.Module):
    """GINE of ``layers`` layers: GraphTensors of n molecules -> z (n, d)."""

    def __init__(self, width: int = 128, hidden: int = 128, layers: int = 4, d: int = 128) -> None:
        super().__init__()
        # One table with an offset a feature is a sum of one nn.Embedding a feature, in one pass.
        self.atoms = nn.EmbeddingBag(sum(ATOM_SIZES), width, mode="sum")
        self.bonds = nn.ModuleList(nn.Embedding(BOND_CLASSES, width) for _ in range(layers))
        self.layers = nn.ModuleList(GINEConv(_dense(width, hidden), eps=0.0) for _ in range(layers))
        self.mean = nn.Linear(width, d)
        self.sum = nn.Linear(width, d, bias=False)
        nn.init.normal_(self.atoms.weight, std=0.4)
        for table in _tables_of(self):
            nn.init.normal_(table.weight, std=0.4)

    def forward(self, batch: GraphTensors) -> Tensor:
        h = self.atoms(batch.rows)
        for table, layer in zip(self.bonds, self.layers, strict=True):
            h = h + layer(h, batch.edges, table(batch.classes))
        total = h.new_zeros(len(batch.sizes), h.shape[1]).index_add(0, batch.molecule, h)
        z = self.mean(total / batch.sizes.clamp(min=1)[:, None]) + self.sum(total / SUM_SCALE)
        return z * (batch.sizes > 0)[:, None]


def _dense(width: int, hidden: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(width, hidden),
        nn.BatchNorm1d(hidden),
        nn.ReLU(),
        nn.Linear(hidden, width),
        nn.BatchNorm1d(width),
        nn.ReLU(),
    )


def fold(network: GineNetwork) -> EncoderWeights:
    """The weights that screen, float64: batch norm of evaluation mode written into the dense layers."""
    folded = [
        (*_fold_norm(first, norm1), *_fold_norm(second, norm2)) for first, norm1, second, norm2 in _dense_of(network)
    ]
    w1, b1, w2, b2 = (np.stack(parts) for parts in zip(*folded, strict=True))
    return EncoderWeights(
        tables=_array(network.atoms.weight),
        edges=np.stack([_array(table.weight) for table in _tables_of(network)]),
        w1=w1,
        b1=b1,
        w2=w2,
        b2=b2,
        r_mean=_array(network.mean.weight).T.copy(),
        r_sum=_array(network.sum.weight).T.copy(),
        c=_array(network.mean.bias),
    )


def _tables_of(network: GineNetwork) -> list[nn.Embedding]:
    return [cast(nn.Embedding, table) for table in network.bonds]


def _dense_of(network: GineNetwork) -> list[tuple[nn.Linear, nn.BatchNorm1d, nn.Linear, nn.BatchNorm1d]]:
    parts = [cast(nn.Sequential, layer.nn) for layer in network.layers]
    return [cast(Any, (part[0], part[1], part[3], part[4])) for part in parts]


def _fold_norm(dense: nn.Linear, norm: nn.BatchNorm1d) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    scale = _array(norm.weight) / np.sqrt(_array(norm.running_var) + norm.eps)
    weight = _array(dense.weight).T * scale
    return weight, (_array(dense.bias) - _array(norm.running_mean)) * scale + _array(norm.bias)


def _array(tensor: Tensor | None) -> NDArray[np.float64]:
    assert tensor is not None, "the network keeps biases and running statistics"
    return tensor.detach().cpu().numpy().astype(np.float64)


def unfold(weights: EncoderWeights) -> GineNetwork:
    """A float64 network in evaluation mode with these weights and a batch norm that does nothing: the oracle."""
    layers, width, hidden = weights.w1.shape
    network = GineNetwork(width, hidden, layers, len(weights.c)).double().eval()
    with torch.no_grad():
        _set(network.atoms.weight, weights.tables)
        _set(network.mean.weight, weights.r_mean.T)
        _set(network.mean.bias, weights.c)
        _set(network.sum.weight, weights.r_sum.T)
        for i, (table, parts) in enumerate(zip(_tables_of(network), _dense_of(network), strict=True)):
            _set(table.weight, weights.edges[i])
            for dense, norm, w, b in (
                (parts[0], parts[1], weights.w1[i], weights.b1[i]),
                (parts[2], parts[3], weights.w2[i], weights.b2[i]),
            ):
                _set(dense.weight, w.T)
                _set(dense.bias, b)
                assert norm.running_var is not None, "batch norm keeps running statistics"
                norm.running_var.fill_(1.0 - norm.eps)
    return network


def _set(parameter: Tensor, values: NDArray[np.float64]) -> None:
    parameter.copy_(torch.from_numpy(np.ascontiguousarray(values)))
