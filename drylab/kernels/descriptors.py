"""Property columns of molecular graphs, every one RDKit's value: integers equal, floats equal to the bit.

    DESCRIPTORS lists the columns by RDKit's names (``rdkit.Chem.Descriptors``), with unit and dtype.
    descriptors(arrays of MolGraphs, wanted) -> ({name: (n,) array}, declined (n,) uint8)

Definitions: the sources below and RDKit 2026.3.5, compiled by hand from SMARTS to counts (surroundings.py, roles.py).
    MolWt, ExactMolWt, FormalCharge, HeavyAtomCount, FractionCSP3: sums in atom order (elements.py)
    NumHDonors, NumHAcceptors: Code/GraphMol/Descriptors/Lipinski.cpp, patterns 2.0.1 and 2.0.2
    NumRotatableBonds: the same file, the strict pattern 3.2.0
    RingCount, NumAromaticRings: rings.py; a ring is aromatic if all its bonds are
    TPSA: tpsa.py. MolLogP, MolMR: crippen.py
    NumAtomStereoCenters, NumUnspecifiedAtomStereoCenters: stereocentres.py
How: two passes over the bonds and two over the atoms, no neighbour lists. The first bond pass counts what each atom is
bound to (one int64 a atom), the second what its neighbours are bound to; nitrogen, oxygen, sulphur and halogenated
aromatic carbon, whose answers need the second, are listed in the first atom pass.

Declined, per molecule, a code; its values are then 0 and RDKit has to be asked: NOT_PARSED (status is not PARSED),
ODD_BOND, CROWDED, BRIDGE (surroundings.py), MASS (an isotope without a mass in elements.py, or numbers past the tables),
MATCHES (crippen.py), RINGS (rings.py), STEREO (stereocentres.py). Only what the wanted columns need is looked at.
Times, one core of a shared EPYC, 38 heavy atoms a molecule (zinc_b): weights 0.1 us, rings 0.5, surroundings 0.1, first look
0.35, roles 0.1, second look 0.2, rotors 0.1, Crippen sums 0.15, stereocentres 1.5. The limit is branch misses, about two an
atom in the first look, then the calls that hand over many arrays. Tried and left out: a table of all atoms seen so far in
place of the first look (300 to 600 entries serve a library; gained under a tenth), arrays without reference counts
(nothing). Kept: hydrogens queued before they are summed, rotors listed in the pass that hears the roles, stereocentres
proved equal by symmetry before anything is ranked (2.7 to 1.0 us at 26 atoms).
Verified: 295,834 molecules of all files of shared/data (stereocentres as they are now: 98,588), no difference; 0.06 % declined.

Edges: n = 0 gives empty columns. A molecule without carbon has FractionCSP3 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drylab.device import on_device
from drylab.kernels.descriptors_gpu import descriptors_on_gpu
from drylab.kernels.properties import (
    COUNTS,
    DESCRIPTORS,
    NAMES,
    NOT_PARSED,
    REALS,
    REASONS,
    SCRATCH,
    describe,
    work_for,
)
from drylab.kernels.surroundings import DONE
from drylab.kernels.twin import per_molecule
from drylab.types import PARSED, MolGraphs

__all__ = ["DESCRIPTORS", "NAMES", "NOT_PARSED", "REASONS", "descriptors"]


@per_molecule
def _descriptors(
    atom_ptr, bond_ptr, status, element, charge, hydrogens, degree, aromatic, atom_ring, isotope, begin, end, order, bond_ring,
    chirality, direction, work, reals, counts, declined, scratch,
):  # fmt: skip
    """One molecule after the other, on the CPU."""
    for i in range(len(status)):
        if status[i] != PARSED:
            declined[i] = NOT_PARSED
            continue
        a0, a1, b0, b1 = atom_ptr[i], atom_ptr[i + 1], bond_ptr[i], bond_ptr[i + 1]
        code = describe(
            element[a0:a1], charge[a0:a1], hydrogens[a0:a1], degree[a0:a1], aromatic[a0:a1], atom_ring[a0:a1],
            isotope[a0:a1], begin[b0:b1], end[b0:b1], order[b0:b1], bond_ring[b0:b1],
            chirality[a0:a1], direction[b0:b1], a1 - a0, b1 - b0, work, i, reals, counts, scratch,
        )  # fmt: skip
        declined[i] = code
        if code != DONE:
            for k in range(REALS):
                reals[k, i] = 0.0
            for k in range(COUNTS):
                counts[k, i] = 0


def descriptors(graphs: MolGraphs, wanted: Sequence[str] = NAMES) -> tuple[dict[str, Any], Any]:
    """The wanted columns of n molecules, (n,) each in its dtype of DESCRIPTORS, and (n,) uint8 why one is declined (REASONS).

    On the device of the graphs. Values of a declined molecule are 0. Raises KeyError for a name that is not in DESCRIPTORS.
    """
    return descriptors_on_gpu(graphs, wanted) if on_device(graphs.status) else descriptors_on_cpu(graphs, wanted)


def descriptors_on_cpu(
    graphs: MolGraphs, wanted: Sequence[str]
) -> tuple[dict[str, NDArray[np.float64] | NDArray[np.int32]], NDArray[np.uint8]]:
    """The CPU twin; one core."""
    g, n = graphs, len(graphs)
    reals, counts, declined = np.zeros((REALS, n)), np.zeros((COUNTS, n), np.int32), np.zeros(n, np.uint8)
    _descriptors(
        g.atom_ptr, g.bond_ptr, g.status, g.element, g.charge, g.hydrogens, g.degree, g.aromatic, g.atom_ring, g.isotope,
        g.begin, g.end, g.order, g.bond_ring, g.chirality, g.direction, work_for(wanted), reals, counts, declined,
        tuple(np.empty(length, dtype) for length, dtype in SCRATCH),
    )  # fmt: skip
    columns = dict(zip(NAMES, (*reals, *counts), strict=True))
    return {name: columns[name] for name in wanted}, declined
