"""Graph codes -> the small class indices the encoder looks up: the contract between training and screening.

Changing anything here changes every score, so it changes RECIPE, and a model file of another recipe is refused.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drylab.device import array_module
from drylab.types import MolGraphs

RECIPE = {
    "name": "graph",
    "version": 1,
    "atom": ["element", "charge", "hydrogens", "degree", "aromatic", "ring"],
    "atom_sizes": [119, 7, 5, 7, 2, 2],
    "bond": "order * 2 + ring",
    "bond_classes": 10,
    "stereo": "ignored",
}
ATOM_SIZES: tuple[int, ...] = (119, 7, 5, 7, 2, 2)
BOND_CLASSES = 10
TABLE_PTR = np.concatenate([[0], np.cumsum(ATOM_SIZES)[:-1]]).astype(np.int32)  # where each feature's rows begin


def atom_classes(graphs: MolGraphs) -> NDArray[np.uint8]:
    """(a, 6) uint8: element, charge + 3 clipped to 0..6, hydrogens and degree clipped, aromatic, in a ring."""
    xp = array_module(graphs.element)
    columns = (
        xp.minimum(graphs.element, 118),
        xp.clip(graphs.charge, -3, 3) + 3,
        xp.minimum(graphs.hydrogens, 4),
        xp.minimum(graphs.degree, 6),
        graphs.aromatic,
        graphs.atom_ring,
    )
    stacked: NDArray[np.uint8] = xp.stack([column.astype(np.uint8) for column in columns], axis=1)
    return stacked


def bond_classes(graphs: MolGraphs) -> NDArray[np.uint8]:
    """(b,) uint8: bond order (0..4) times two, plus one in a ring."""
    return (graphs.order * 2 + graphs.bond_ring).astype(np.uint8)


def graph_arrays(graphs: MolGraphs) -> tuple[NDArray[np.generic], ...]:
    """x, begin, end, e, atom_ptr, bond_ptr as kernels/message.py takes them, on the device of the graphs."""
    return (
        atom_classes(graphs),
        graphs.begin,
        graphs.end,
        bond_classes(graphs),
        graphs.atom_ptr,
        graphs.bond_ptr,
    )
