"""From what ``scan`` read to a whole graph as written: ring closures, rings, hydrogens, valence, parity.

Every function works on one molecule of n atoms and m bonds, on slices of the flat arrays. Chain bond i joins atom i + 1
to its parent begin[i] < i + 1 (see ``scan``), so the chain bonds are a spanning tree and a ring is a walk up two branches.
"""

from __future__ import annotations

import numpy as np

from drylab.kernels.adjacency import MAX_BONDS
from drylab.kernels.alphabet import AROMATIC, BARRED, EITHER, MANY, ODD, ORGANIC, SLOT, UNUSUAL, UP, VALENCE
from drylab.kernels.scan import (
    AROMATICS,
    BRACKET_MARK,
    CLOSURE,
    HYDROGEN,
    MANY_BONDS,
    METAL,
    OK,
    STEREO,
    VALENCES,
)
from drylab.kernels.twin import inlined, per_molecule

OTHER_AT = 14
STEALS, CARBON, OTHER = (
    1 << 12,
    1 << 13,
    1 << OTHER_AT,
)  # a double bond out of the ring leads to N, O, S; C; anything else


@per_molecule
def sort_closures(closure, count):
    """Rows of ``closure`` by ring number, stable: the order in which RDKit makes their bonds."""
    for i in range(1, count):
        j = i
        while j > 0 and closure[j - 1, 0] > closure[j, 0]:
            for column in range(7):
                kept = closure[j, column]
                closure[j, column] = closure[j - 1, column]
                closure[j - 1, column] = kept
            j -= 1


@inlined
def close_rings(closure, count, aromatic, begin, end, order, direction, bonded, n):
    """Append the closure bonds after the n - 1 chain bonds: a reason code.

    RDKit's bond runs from the closing to the opening atom, except where the opening digit names the bond's type.
    """
    if n - 1 + count > MAX_BONDS:
        return MANY_BONDS
    for i in range(count):
        u, v = np.int64(closure[i, 1]), np.int64(closure[i, 2])
        at_open, at_close = np.int64(closure[i, 3]), np.int64(closure[i, 4])
        if u == v or np.int64(begin[v - 1]) == u:
            return CLOSURE
        for j in range(i):
            if np.int64(closure[j, 1]) == u and np.int64(closure[j, 2]) == v:
                return CLOSURE
        if at_open and at_close and (at_open != at_close or at_open >= UP):
            return CLOSURE
        code = at_open | at_close
        both = np.int64(aromatic[u]) & np.int64(aromatic[v])
        if code == AROMATIC and not both:
            return AROMATICS
        b = n - 1 + i
        order[b] = code if 0 < code < UP else AROMATIC if both else 1
        if code >= UP:
            # Seen from the closing atom, a mark written at the opening one points the other way.
            direction[b] = code - AROMATIC if at_close else 7 - code
        more = 256 + (16 if order[b] == AROMATIC else np.int64(order[b]))
        bonded[u] += more
        bonded[v] += more
        if 0 < at_open < UP:
            begin[b], end[b] = u, v
        else:
            begin[b], end[b] = v, u
    return OK


@inlined
def settle_bonds(element, begin, end, order, bond_ring, bonded, doubles, n_doubles, m):
    """How many bonds are aromatic. An aromatic bond outside rings becomes single, and in bonded (see ``scan``) the atoms of
    a double bond outside rings are told by a flag what is at its other end."""
    n_aromatic, bridges = 0, 0
    for b in range(m):
        aromatic = 1 if order[b] == AROMATIC else 0
        n_aromatic += aromatic
        bridges += aromatic & (bond_ring[b] ^ 1)
    if bridges:
        n_aromatic -= bridges
        for b in range(m):
            if order[b] == AROMATIC and bond_ring[b] == 0:
                order[b] = 1
                bonded[begin[b]] -= 15
                bonded[end[b]] -= 15
    for at in range(n_doubles):
        b = np.int64(doubles[at])
        if not np.int64(bond_ring[b]):
            u, v = np.int64(begin[b]), np.int64(end[b])
            x, y = np.int64(element[u]), np.int64(element[v])
            bonded[u] |= CARBON if y == 6 else STEALS if y == 7 or y == 8 or y == 16 else OTHER
            bonded[v] |= CARBON if x == 6 else STEALS if x == 7 or x == 8 or x == 16 else OTHER
    return n_aromatic


@per_molecule
def bracket_atom(z, q, h, total, low, degree, ring, mass):
    """A reason not to trust a bracket atom, or OK."""
    if z == 1:
        return OK if mass and degree == 1 and q == 0 and h == 0 and total == 1 else HYDROGEN
    if q < -2 or q > 2:
        return VALENCES if degree else OK if h == 0 else VALENCES
    allowed = np.int64(VALENCE[z, q + 2])
    if low:
        return OK if ring and total >= 32 and degree <= 3 and h + degree <= 3 and allowed >= 0 else AROMATICS
    if allowed < 0:
        return METAL if degree or h else OK
    if total + h > allowed or (z == 15 and total + h == 5 and degree + h == 3):
        return VALENCES
    return OK


@inlined
def settle_atoms(element, charge, hydrogens, degree, aromatic, atom_ring, isotope, bonded, electrons, free, n):
    """degree and hydrogens, and the checks that RDKit's sanitisation would make: a reason code.

    Also, for ``benzenoid``: electrons (n,) uint8, what an atom is to its rings as in ORGANIC, and free, 3 if it has to have a
    double bond in its ring, else 0.
    """
    worst = OK
    for i in range(n):
        z, h, low, bonds = np.int64(element[i]), np.int64(hydrogens[i]), np.int64(aromatic[i]), np.int64(bonded[i])
        d = bonds >> 8 & 15
        degree[i] = d
        if h < BRACKET_MARK:
            known = np.int64(ORGANIC[np.int64(SLOT[z]) + low, min(bonds & STEALS - 1, MANY)])
            if known == UNUSUAL or low > np.int64(atom_ring[i]):
                worst = AROMATICS if low else VALENCES
            hydrogens[i] = known & 7
            e = known >> 3
            either = 1 if e & 3 == EITHER else 0
            e -= either * (EITHER - 1 + (1 if bonds & STEALS else 0))  # without branches, which nothing foretells
            e = ODD if either & (bonds >> OTHER_AT) else e
        else:
            h &= 15
            hydrogens[i] = h
            q = np.int64(charge[i])
            reason = bracket_atom(z, q, h, bonds & 255, low, d, np.int64(atom_ring[i]), np.int64(isotope[i]))
            worst = max(worst, reason)
            e = BARRED if d + h > 3 else ODD
            if low and q == 0 and d + h == 3 and bonds & 15 < 2:
                e = 1 if z == 6 else 2 if z == 7 else ODD
        electrons[i] = e
        free[i] = 3 * ((1 if e == 1 else 0) & (1 if bonds < STEALS else 0))
    return worst


@per_molecule
def saturated(i, begin, end, order, m):
    """1 if atom i has single bonds only."""
    for b in range(m):
        if np.int64(order[b]) != 1 and (np.int64(begin[b]) == i or np.int64(end[b]) == i):
            return 0
    return 1


@per_molecule
def settle_parity(chirality, hydrogens, degree, begin, end, order, closure, count, n, m):
    """Turn '@' and '@@' from the order of writing to the order of the atom's bonds: a reason code.

    Written order: preceding atom, hydrogen, ring digits as they stand, branches and the next atom. Order of bonds:
    preceding atom, branches and next atom, closures by number; a hydrogen stands second in it, and so does the lone pair
    of a saturated atom of three neighbours with one ring digit, since RDKit counts it so.
    """
    for i in range(n):
        if not np.int64(chirality[i]):
            continue
        h, d = np.int64(hydrogens[i]), np.int64(degree[i])
        if h > 1 or d < 3 or d + h > 4:
            return STEREO
        digits, swaps = 0, 0
        for j in range(count):
            if np.int64(closure[j, 1]) == i or np.int64(closure[j, 2]) == i:
                digits += 1
                place = np.int64(closure[j, 5]) if np.int64(closure[j, 1]) == i else np.int64(closure[j, 6])
                for k in range(j):
                    if np.int64(closure[k, 1]) == i:
                        swaps += 1 if np.int64(closure[k, 5]) > place else 0
                    elif np.int64(closure[k, 2]) == i:
                        swaps += 1 if np.int64(closure[k, 6]) > place else 0
        preceding = 1 if i else 0
        swaps += digits * (d - digits - preceding)
        if h and not preceding:
            swaps += 1
        if h == 0 and d == 3 and digits == 1 and saturated(i, begin, end, order, m):
            swaps += 1
        if swaps & 1:
            chirality[i] = 3 - np.int64(chirality[i])
    return OK
