"""How many electrons a ring atom gives to an aromatic ring in RDKit's default model (Code/GraphMol/Aromaticity.cpp).

Written from isAtomCandForArom and getAtomDonorTypeArom there, and held against RDKit 2026.3.5. What counts of an atom, besides
element, charge and hydrogens, is its bonds of order two and three, and whether the Kekule structure gives it one more; all in the
word `state` of kekule.py. Radicals and hydrogens that count only when written out are UNKNOWN.
"""

from __future__ import annotations

import numpy as np

from drylab.kernels.kekule import (
    AROMATIC,
    CYCLIC,
    EXOCYCLIC,
    EXTRA,
    EXTRA_MASK,
    LOW,
    MULTIPLE,
    MULTIPLE_MASK,
    SE,
    STEALING,
    TAKER,
    TE,
)
from drylab.kernels.twin import per_molecule

BARRED, UNKNOWN = 3, 4  # electrons, besides 0, 1, 2: no ring of the atom can be aromatic; not known

# By atomic number, from RDKit 2026.3.5's periodic table: electrons in the outer shell, and, to
# iodine, default valence (0 also for none).
_PERIODS = ((1, 2), (1, 2, 3, 4, 5, 6, 7, 8), (1, 2, 3, 4, 5, 6, 7, 8))
_FOURTH = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 2, 3, 4, 5, 6, 7, 8)
_SIXTH = (1, 2, 3, 4, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 4, 5, 6, 7, 8, 9, 10, 11, 2, 3, 4, 5, 6, 7, 8)
_SEVENTH = (1, 2, 3, 4, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) + (2,) * 15
OUTER = np.array((0, *sum(_PERIODS, ()), *_FOURTH, *_FOURTH, *_SIXTH, *_SEVENTH), np.uint8)  # (119,)
_LIGHT = (0, 1, 0, 1, 2, 3, 4, 3, 2, 1, 0, 1, 2, 3, 4, 3, 2, 1, 0, 1, 2)
VALENCE = np.array((*_LIGHT, *(0,) * 10, 3, 4, 3, 2, 1, 0, 1, 2, *(0,) * 10, 3, 2, 3, 2, 1), np.uint8)  # (54,)
KNOWN = np.zeros(119, np.uint8)  # (119,): 1 for the elements whose ring atoms are understood
KNOWN[[5, 6, 7, 8, 14, 15, 16, 34, 52]] = 1


@per_molecule
def read_bonds(element, begin, end, order, bond_ring, n, m, state, low):
    """Fill state with what the bonds say of the atoms, and low with the aromatic bonds; their number, -1 if unreadable."""
    for i in range(n):
        state[i] = 0
    n_low = 0
    for b in range(m):
        kind = np.int64(order[b])
        if kind == 1:
            continue
        u, v = np.int64(begin[b]), np.int64(end[b])
        if kind == AROMATIC:
            low[n_low] = b
            n_low += 1
            state[u] |= LOW
            state[v] |= LOW
        elif kind in (2, 3):
            more = (kind - 1) * EXTRA + MULTIPLE
            if bond_ring[b] != 0:
                state[u] = np.int64(state[u]) + more | CYCLIC
                state[v] = np.int64(state[v]) + more | CYCLIC
            else:
                x, y = np.int64(element[u]), np.int64(element[v])
                gap = np.int64(OUTER[x]) - np.int64(OUTER[y])
                u_stronger = gap > 0 or (gap == 0 and x < y)
                v_stronger = gap < 0 or (gap == 0 and y < x)
                state[u] = np.int64(state[u]) + more | EXOCYCLIC | (STEALING if v_stronger else 0)
                state[v] = np.int64(state[v]) + more | EXOCYCLIC | (STEALING if u_stronger else 0)
        else:
            return -1
    return n_low


@per_molecule
def donated(element, charge, hydrogens, degree, state):
    """Electrons a ring atom gives to the ring: 0, 1, 2; BARRED if none of its rings can be aromatic; UNKNOWN."""
    neighbours = degree + hydrogens
    if neighbours > 3 or (element > 18 and element not in (SE, TE)):
        return BARRED
    if KNOWN[element] == 0:
        return BARRED if element > 0 and VALENCE[element] <= 1 else UNKNOWN
    taker = 1 if state & TAKER else 0
    extra = (state & EXTRA_MASK) + taker
    if state & MULTIPLE_MASK >= 2 * MULTIPLE or (state & MULTIPLE_MASK and taker):
        return BARRED
    if charge > 1 or charge < -1:
        return UNKNOWN
    allowed = np.int64(VALENCE[element - charge])
    if neighbours + extra > allowed:
        return BARRED
    if neighbours + extra < allowed:
        return UNKNOWN  # a radical, or a hydride of unusual valence
    valence = np.int64(VALENCE[element])
    spare = valence - neighbours + max(np.int64(OUTER[element]) - valence - charge, 0)
    if spare < 0:
        return BARRED
    if spare == 0:
        if state & EXOCYCLIC:
            return 0
        return 1 if state & CYCLIC or taker else BARRED
    if spare == 1:
        if state & EXOCYCLIC:
            return 0 if state & STEALING else 1
        if extra:
            return 1
        return 0 if charge == 1 else BARRED
    if extra > 1:
        return 1
    if extra == 1 and hydrogens > 0:
        return UNKNOWN  # depends on whether the hydrogen is written out
    if state & STEALING:
        spare -= 1
    return 1 if spare & 1 else 2


@per_molecule
def huckel(count):
    """True for the electron counts RDKit calls aromatic: 2, 6, 10, 14..."""
    return count & 3 == 2
