"""QED, the drug-likeness of Bickerton (2012, 10.1038/nchem.1243), to the last bit of RDKit's, from what is known already.

RDKit's QED computes its eight properties itself; five of them are columns of ours, and the 116 structural alerts, half of
its time, are programs. Acceptors and aromatic rings are counted in QED's own ways, which are no column: RDKit counts them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from drylab.featurize import reference, stored
from drylab.featurize.alerts import Alerts, patterns
from drylab.kernels.substructure import ASK, YES
from drylab.types import MolGraphs

PARTS = ("MolWt", "MolLogP", "NumHDonors", "TPSA", "NumRotatableBonds")
STRUCTURAL_ALERTS = reference.QED_ALERTS


def qed(
    graphs: MolGraphs,
    mol_of: Callable[[int], reference.Mol],
    columns: Mapping[str, NDArray[np.float64] | NDArray[np.int32]],
) -> NDArray[np.float64]:
    """(n,) QED of parsed molecules; ``columns`` holds PARTS, (n,) each, as ``table.describe`` gives them."""
    alerts = _alerts(graphs, mol_of)
    parts = {name: columns[name].tolist() for name in PARTS}
    hydrogens = np.searchsorted(graphs.atom_ptr, np.flatnonzero(graphs.element == 1), side="right") - 1
    apart = set(hydrogens.tolist())  # QED takes hydrogens that are atoms away first
    values = []
    for row in range(len(graphs)):
        known = None if row in apart else (*(parts[name][row] for name in PARTS), alerts[row])
        values.append(reference.qed(mol_of(row), known))
    return np.array(values, dtype=np.float64)


def _alerts(graphs: MolGraphs, mol_of: Callable[[int], reference.Mol]) -> list[int]:
    """How many of the structural alerts each molecule has."""
    kept = stored.read("qed")
    compiled = Alerts(kept.names, kept.programs) if kept else patterns(STRUCTURAL_ALERTS)
    codes = compiled.match(graphs)
    counts = (codes == YES).sum(axis=1)
    for row, entry in np.argwhere(codes == ASK).tolist():
        counts[row] += mol_of(row).HasSubstructMatch(reference.pattern(STRUCTURAL_ALERTS[entry]))
    return [int(count) for count in counts]
