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
Verified: 197,186 molecules of all files of shared/data (stereocentres: 98,588 of them), no difference; 0.06 % declined.

Edges: n = 0 gives empty columns. A molecule without carbon has FractionCSP3 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from drylab.kernels.adjacency import MAX_ATOMS, MAX_BONDS
from drylab.kernels.crippen import MATCHES, QUEUE, crippen_sums, hydrogen_atoms, too_many_matches
from drylab.kernels.elements import weigh
from drylab.kernels.lipinski import rotatable_bonds
from drylab.kernels.looks import first_look, second_look
from drylab.kernels.rings import MAX_RING_SLOTS, MAX_RINGS, RING_BYTES, RING_SHORTS, RING_WORDS, rings
from drylab.kernels.roles import hear
from drylab.kernels.stereo import WORDS
from drylab.kernels.stereocentres import UNCOUNTED, stereocentres
from drylab.kernels.surroundings import AROMATIC, DONE, surroundings
from drylab.kernels.twin import per_molecule
from drylab.types import PARSED, MolGraphs

RINGS, NOT_PARSED, STEREO = 6, 7, 8
REASONS = (
    "",
    "odd bond",
    "too many neighbours",
    "bridging hydrogen",
    "no mass",
    "too many matches",
    "rings",
    "not parsed",
    "stereocentres",
)


class Descriptor(NamedTuple):
    """One column: RDKit's name, unit, dtype."""

    name: str
    unit: str
    dtype: str


DESCRIPTORS = (
    Descriptor("MolWt", "Da", "float64"),
    Descriptor("ExactMolWt", "Da", "float64"),
    Descriptor("FractionCSP3", "", "float64"),
    Descriptor("TPSA", "square angstrom", "float64"),
    Descriptor("MolLogP", "", "float64"),
    Descriptor("MolMR", "", "float64"),
    Descriptor("HeavyAtomCount", "", "int32"),
    Descriptor("FormalCharge", "", "int32"),
    Descriptor("NumHDonors", "", "int32"),
    Descriptor("NumHAcceptors", "", "int32"),
    Descriptor("NumRotatableBonds", "", "int32"),
    Descriptor("RingCount", "", "int32"),
    Descriptor("NumAromaticRings", "", "int32"),
    Descriptor("NumAtomStereoCenters", "", "int32"),
    Descriptor("NumUnspecifiedAtomStereoCenters", "", "int32"),
)
NAMES = tuple(d.name for d in DESCRIPTORS)
REALS = sum(d.dtype == "float64" for d in DESCRIPTORS)  # the float columns stand first
COUNTS = len(DESCRIPTORS) - REALS
MOL_WT, EXACT_MOL_WT, FRACTION_CSP3, TPSA, MOL_LOGP, MOL_MR = range(REALS)
HEAVY_ATOMS, FORMAL_CHARGE, DONORS, ACCEPTORS, ROTATABLE, RING_COUNT, AROMATIC_RINGS, CENTRES, UNMARKED = range(COUNTS)
# What has to be worked out for a set of columns: bits of a mask.
SURROUNDINGS, LISTED_RINGS, TYPED_ATOMS, STEREOCENTRES = 1, 2, 4, 8
WORK: Mapping[str, int] = {
    **dict.fromkeys(NAMES, SURROUNDINGS),
    **dict.fromkeys(("MolWt", "ExactMolWt", "HeavyAtomCount", "FormalCharge"), 0),
    **dict.fromkeys(("RingCount", "NumAromaticRings"), LISTED_RINGS),
    **dict.fromkeys(("MolLogP", "MolMR"), SURROUNDINGS | TYPED_ATOMS),
    **dict.fromkeys(("NumAtomStereoCenters", "NumUnspecifiedAtomStereoCenters"), LISTED_RINGS | STEREOCENTRES),
}


# Length and dtype of the scratch arrays of ``describe``: kind, types, hydrogen types, list of atoms; words, roles, what is seen;
# rotors, queue; and rings.py's ring_ptr, ring_atoms, ring_bonds, bytes, shorts, words; adjacency.py's start,
# neighbour, via; and stereo.py's drawn and words.
SCRATCH = (
    (MAX_ATOMS, np.uint8), (MAX_ATOMS, np.uint8), (MAX_ATOMS, np.uint8), (MAX_ATOMS, np.uint8),
    (MAX_ATOMS, np.int64), (MAX_ATOMS, np.int64), (MAX_ATOMS, np.int64), (MAX_BONDS, np.uint16), (QUEUE, np.uint8),
    (MAX_RINGS + 1, np.uint16), (MAX_RING_SLOTS, np.uint8), (MAX_RING_SLOTS, np.uint16),
    (RING_BYTES, np.uint8), (RING_SHORTS, np.uint16), (RING_WORDS, np.int64),
    (MAX_ATOMS + 1, np.uint16), (2 * MAX_BONDS, np.uint8), (2 * MAX_BONDS, np.uint16), (MAX_BONDS, np.uint8), (WORDS, np.int64),
)  # fmt: skip


@per_molecule
def ring_counts(order, ring_ptr, ring_bonds, k):
    """(aromatic rings, rings of three) of k rings."""
    aromatic, threes = 0, 0
    for r in range(k):
        first, past = int(ring_ptr[r]), int(ring_ptr[r + 1])
        threes += past - first == 3
        j = first
        while j < past and order[int(ring_bonds[j])] == AROMATIC:
            j += 1
        aromatic += j == past
    return aromatic, threes


@per_molecule
def describe(
    element, charge, hydrogens, degree, aromatic, atom_ring, isotope, begin, end, order, bond_ring, chirality,
    direction, n, m, work, at, reals, counts, scratch,
):  # fmt: skip
    """Write the columns of one molecule into reals[:, at] and counts[:, at]; DONE, or why it is declined.

    work: bits of the constants above. scratch: the arrays of SCRATCH.
    """
    kind, types, hydrogen_types, listed, word, said, seen, rotors, queue = scratch[:9]
    ring_ptr, ring_atoms, ring_bonds, bytes_, shorts, words = scratch[9:15]
    weight, mass, heavy, total, code = weigh(element, charge, hydrogens, isotope, n)
    if code != DONE:
        return code
    reals[MOL_WT, at] = weight
    reals[EXACT_MOL_WT, at] = mass
    counts[HEAVY_ATOMS, at] = heavy
    counts[FORMAL_CHARGE, at] = total
    triangles = 1  # perhaps
    if work & LISTED_RINGS:
        k = rings(begin, end, bond_ring, n, m, ring_ptr, ring_atoms, ring_bonds, bytes_, shorts, words)
        if k < 0:
            return RINGS
        aromatic_rings, triangles = ring_counts(order, ring_ptr, ring_bonds, k)
        counts[RING_COUNT, at] = k
        counts[AROMATIC_RINGS, at] = aromatic_rings
        if work & STEREOCENTRES:
            start, neighbour, via, drawn, hashes = scratch[15:]
            # The arrays of the first and second look are free until then.
            centres, unmarked = stereocentres(
                n, m, element, isotope, charge, hydrogens, bond_ring, begin, end, order, chirality, direction, ring_ptr, ring_bonds, k,
                start, neighbour, via, kind, hashes, types, hydrogen_types, listed, drawn,
            )  # fmt: skip
            if centres == UNCOUNTED:
                return STEREO
            counts[CENTRES, at] = centres
            counts[UNMARKED, at] = unmarked
    if work & SURROUNDINGS == 0:
        return DONE
    code = surroundings(element, aromatic, degree, begin, end, order, bond_ring, n, m, kind, word)
    if code != DONE:
        return code
    if work & TYPED_ATOMS and too_many_matches(degree, n):
        return MATCHES
    k, carbons, saturated = first_look(
        element, charge, hydrogens, degree, n, kind, word, said, types, hydrogen_types, listed
    )
    for i in range(n):
        seen[i] = 0
    turning = hear(begin, end, order, bond_ring, m, said, seen, rotors)
    donors, acceptors, area = second_look(
        charge,
        hydrogens,
        degree,
        atom_ring,
        begin,
        end,
        m,
        triangles,
        kind,
        word,
        seen,
        types,
        hydrogen_types,
        listed,
        k,
    )
    reals[FRACTION_CSP3, at] = saturated / carbons if carbons > 0 else 0.0
    reals[TPSA, at] = area
    counts[DONORS, at] = donors
    counts[ACCEPTORS, at] = acceptors
    counts[ROTATABLE, at] = rotatable_bonds(begin, end, kind, said, seen, rotors, turning)
    if work & TYPED_ATOMS:
        if heavy < n:
            hydrogen_atoms(hydrogens, degree, begin, end, n, m, kind, types, hydrogen_types)
        reals[MOL_LOGP, at], reals[MOL_MR, at] = crippen_sums(hydrogens, n, types, hydrogen_types, queue)
    return DONE


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


def work_for(names: Sequence[str]) -> int:
    """Bits of what has to be worked out for these columns. Raises KeyError for a name that is not in DESCRIPTORS."""
    work = 0
    for name in names:
        work |= WORK[name]
    return work


def descriptors(
    graphs: MolGraphs, wanted: Sequence[str] = NAMES
) -> tuple[dict[str, NDArray[np.float64] | NDArray[np.int32]], NDArray[np.uint8]]:
    """The wanted columns of n molecules, (n,) each in its dtype of DESCRIPTORS, and (n,) uint8 why one is declined (REASONS).

    Values of a declined molecule are 0.
    """
    g, n = graphs, len(graphs)
    reals, counts, declined = np.zeros((REALS, n)), np.zeros((COUNTS, n), np.int32), np.zeros(n, np.uint8)
    _descriptors(
        g.atom_ptr, g.bond_ptr, g.status, g.element, g.charge, g.hydrogens, g.degree, g.aromatic, g.atom_ring, g.isotope,
        g.begin, g.end, g.order, g.bond_ring, g.chirality, g.direction, work_for(wanted), reals, counts, declined,
        tuple(np.empty(length, dtype) for length, dtype in SCRATCH),
    )  # fmt: skip
    columns = dict(zip(NAMES, (*reals, *counts), strict=True))
    return {name: columns[name] for name in wanted}, declined
