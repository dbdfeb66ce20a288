"""Property columns of a batch of graphs, from the kernel, and from RDKit where the kernel declines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from drylab.device import to_host
from drylab.featurize import reference
from drylab.kernels.descriptors import DESCRIPTORS, NAMES, descriptors
from drylab.types import PARSED, MolGraphs

DTYPES = {column.name: np.dtype(column.dtype) for column in DESCRIPTORS}


def describe(
    graphs: MolGraphs, mol_of: Callable[[int], reference.Mol], wanted: Sequence[str] = NAMES
) -> Mapping[str, NDArray[np.float64] | NDArray[np.int32]]:
    """Columns by RDKit's names, (n,) each; mol_of(row) gives RDKit's molecule. Rows that are not PARSED hold 0."""
    found, declined = descriptors(graphs, wanted)
    columns = {name: to_host(column) for name, column in found.items()}
    for row in np.flatnonzero((to_host(declined) > 0) & (to_host(graphs.status) == PARSED)).tolist():
        fill(columns, row, mol_of(row))
    return columns


def fill(columns: Mapping[str, NDArray[np.float64] | NDArray[np.int32]], row: int, mol: reference.Mol) -> None:
    """RDKit's values of one molecule into a row."""
    for name, column in columns.items():
        column[row] = reference.DESCRIPTORS[name](mol)
