"""The encoder kernel against PyTorch Geometric with batches already made: python bench/bench_message.py

Equality first (float64, every molecule), then CPU seconds of one core. Ours runs in float64; PyG in float64, which is the
same work, and in float32, which is what its users run. Molecules are drylab's own demonstration library.
"""

from __future__ import annotations

from itertools import islice

import numpy as np
import torch
from timing import paired, report

from drylab.featurize import reference
from drylab.library.embedded import products
from drylab.score.encoder import graph_tensors, unfold
from drylab.score.engine import GineEncoder
from drylab.score.model import load_model

N, BATCH = 2048, 64


def main() -> None:
    torch.set_num_threads(1)
    model = load_model()
    smiles = [text for _, text in islice(products(), N)]
    graphs = [reference.graphs(reference.parse(smiles[i : i + BATCH])) for i in range(0, N, BATCH)]
    tensors = [graph_tensors(part) for part in graphs]
    encoder, network = GineEncoder(model.encoder), unfold(model.encoder)

    def ours() -> np.ndarray:
        return np.concatenate([encoder(part).z for part in graphs])

    def pyg() -> np.ndarray:
        with torch.no_grad():
            return np.concatenate([network(part).numpy() for part in tensors])

    worst = float(np.abs(ours() - pyg()).max() / np.abs(pyg()).max())
    assert worst < 1e-10, f"not the same network: relative difference {worst:.1e}"
    print(f"{model.name}: {N} molecules, batches of {BATCH}, largest relative difference in float64 {worst:.1e}")
    report("message", "ours float64, PyG float64", N, paired(ours, pyg))
    network = network.float()
    report("message", "ours float64, PyG float32", N, paired(ours, pyg))
    # What stands before it in a screen, for the share of the time each takes.
    parse = paired(ours, lambda: reference.graphs(reference.parse(smiles)))
    report("message", "ours float64, RDKit SMILES to graph", N, parse)


if __name__ == "__main__":
    main()
