"""The properties of one molecule: which columns there are, and the function that works them out on both twins.

Definitions, sources, what is declined and how fast it is: descriptors.py, whose launchers call ``describe``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

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


def work_for(names: Sequence[str]) -> int:
    """Bits of what has to be worked out for these columns. Raises KeyError for a name that is not in DESCRIPTORS."""
    work = 0
    for name in names:
        work |= WORK[name]
    return work
