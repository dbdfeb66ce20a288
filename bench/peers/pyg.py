"""PyTorch Geometric as its users screen: from_smiles, a DataLoader, a GINE network as wide and deep as ours, topk.

Molecules are lists of str; every figure is CPU seconds of this process, which is held to one thread. All batch sizes are
timed, so that the best can be taken, whichever it is on this machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from processes import timed
from torch import Tensor, nn
from torch_geometric.loader import DataLoader
from torch_geometric.nn import GINEConv, global_add_pool, global_mean_pool
from torch_geometric.utils import from_smiles
from torch_geometric.utils.smiles import e_map, x_map

from drylab.featurize import graphs
from drylab.score import panel
from drylab.score.encoder import graph_tensors, unfold
from drylab.score.model import load_model

BATCHES = (32, 64, 128, 256, 512)


class Gine(nn.Module):
    """The shape of panel-1 on from_smiles's own features: an embedding for each column, added up, as OGB does."""

    def __init__(self, width: int, layers: int) -> None:
        super().__init__()
        self.atoms = nn.ModuleList(nn.Embedding(len(values), width) for values in x_map.values())
        self.bonds = nn.ModuleList(
            nn.ModuleList(nn.Embedding(len(values), width) for values in e_map.values()) for _ in range(layers)
        )
        self.layers = nn.ModuleList(
            GINEConv(nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU()))
            for _ in range(layers)
        )
        self.mean, self.sum, self.probe = nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, 1)

    def forward(self, data: Any) -> Tensor:
        """(n,) one score a molecule."""
        h = _embedded(self.atoms, data.x)
        for bonds, layer in zip(self.bonds, self.layers, strict=True):
            h = h + layer(h, data.edge_index, _embedded(bonds, data.edge_attr))
        z = self.mean(global_mean_pool(h, data.batch)) + self.sum(global_add_pool(h, data.batch))
        return self.probe(z)[:, 0]


def _embedded(tables: Iterable[nn.Module], columns: Tensor) -> Tensor:
    return reduce(torch.add, (table(column) for table, column in zip(tables, columns.T, strict=True)))


def screen(texts: Sequence[str], k: int, width: int, layers: int) -> dict[str, Any]:
    """Seconds of each stage from SMILES to the k best, and of all of it with the best batch size, which best_batch says."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = Gine(width, layers).eval()
    _scores(network, [from_smiles(text) for text in texts[:256]], 64)
    data, parse = timed(lambda: [from_smiles(text) for text in texts])
    collate = {size: timed(lambda size=size: list(DataLoader(data, size)))[1] for size in BATCHES}
    rest = {size: timed(lambda size=size: _scores(network, data, size).topk(k))[1] for size in BATCHES}
    best = min(BATCHES, key=lambda size: rest[size].cpu)
    return {
        "from_smiles": parse.cpu,
        "collate": collate[best].cpu,
        "forward": rest[best].cpu - collate[best].cpu,
        "cpu": parse.cpu + rest[best].cpu,
        "wall": parse.wall + rest[best].wall,
        "best_batch": best,
    }


def _scores(network: Gine, data: Sequence[Any], size: int) -> Tensor:
    with torch.no_grad():
        return torch.cat([network(batch) for batch in DataLoader(data, size)])


def same_network(texts: Sequence[str]) -> dict[str, Any]:
    """Seconds of the very network that drylab screens with, in float32, with batches already made; the best batch size."""
    torch.set_num_threads(1)
    network = unfold(load_model().encoder).float()
    taken = {}
    with torch.no_grad():
        for size in BATCHES:
            tensors = [graph_tensors(graphs(pa.array(texts[i : i + size]))) for i in range(0, len(texts), size)]
            network(tensors[0])
            taken[size] = timed(lambda tensors=tensors: [network(part) for part in tensors])[1]
    best = min(BATCHES, key=lambda size: taken[size].cpu)
    return {"cpu": taken[best].cpu, "wall": taken[best].wall, "best_batch": best}


def reference_values(texts: Sequence[str], rows: Sequence[int], size: int = 256) -> NDArray[np.float64]:
    """(n, t) what that network says in float64, in the probes' own units."""
    model = load_model()
    network = unfold(model.encoder)
    with torch.no_grad():
        parts = (graph_tensors(graphs(pa.array(texts[i : i + size]))) for i in range(0, len(texts), size))
        z = np.concatenate([network(part).numpy() for part in parts])
    return panel.values(model.probes, z)[:, rows]
