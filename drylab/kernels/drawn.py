"""Directions on single bonds: where double bonds read them, and where they are lost. No ranks here.

RDKit 2026.03, Code/GraphMol/Chirality.cpp: `assignBondStereoCodes` reads a double bond that has directions at both ends,
two or three neighbours at each and no ring of less than eight atoms; at its end `legacyStereoPerception` clears the
directions that nothing reads. Code/GraphMol/Kekulize.cpp loses a direction on an aromatic bond that it makes double.
"""

from __future__ import annotations

from drylab.kernels.centres import short_ring
from drylab.kernels.labels import DRAWN, NOT_DRAWN
from drylab.kernels.twin import inlined, per_molecule


@per_molecule
def drawn_single(b, element, charge, hydrogens, begin, end, order, start, via):
    """1 if the aromatic bond b is surely single in the Kekule form that RDKit passes through: one end has its double bond
    elsewhere, or none at all. Where the form has a double bond, RDKit loses the direction."""
    if int(order[b]) != 4:
        return 0
    for x in (int(begin[b]), int(end[b])):
        z, first, stop = int(element[x]), int(start[x]), int(start[x + 1])
        total = stop - first + int(hydrogens[x])
        if int(charge[x]) == 0 and ((z == 7 and total == 3) or (z in (8, 16) and total == 2)):
            return 1
        for at in range(first, stop):
            if int(order[int(via[at])]) == 2:
                return 1
    return 0


@inlined
def find_drawn(n, m, begin, end, order, bond_ring, start, neighbour, via, direction, drawn, distance, queue, words):
    """Fills drawn. Lists, from word 2n on, the drawn double bonds with two substituents at an end, which have to differ.

    Returns how many are listed, or -1 if directions contradict each other somewhere."""
    listed, conflict = 0, 0
    for b in range(m):
        drawn[b] = NOT_DRAWN
    for b in range(m):
        if int(order[b]) != 2:
            continue
        u, v = int(begin[b]), int(end[b])
        if int(start[u + 1]) - int(start[u]) < 2 or int(start[v + 1]) - int(start[v]) < 2:
            continue
        at_u = drawing(u, b, begin, start, via, direction)
        if at_u == 0:
            continue
        at_v = drawing(v, b, begin, start, via, direction)
        if at_v == 0 or short_ring(b, n, begin, end, bond_ring, start, neighbour, via, distance, queue) != 0:
            continue
        drawn[b] = DRAWN
        if at_u == 3 or at_v == 3:
            conflict = 1
        elif at_u == 2 or at_v == 2:
            words[2 * n + listed] = b
            listed += 1
    return -1 if conflict != 0 else listed


@inlined
def drawing(x, b, begin, start, via, direction):
    """At the end x of double bond b: 0 no direction or a wrong number of neighbours, 1 one substituent, 2 two,
    3 two that are drawn on the same side."""
    first, stop = int(start[x]), int(start[x + 1])
    if stop - first < 2 or stop - first > 3:
        return 0
    seen, count, last = 0, 0, 0
    for at in range(first, stop):
        bond = int(via[at])
        if bond == b:
            continue
        d = int(direction[bond])
        if d != 0:
            if int(begin[bond]) != x:
                d = 3 - d
            if d == last:
                return 3
            last = d
            seen = 1
        count += 1
    return count if seen != 0 else 0


@inlined
def clean_directions(m, begin, end, order, start, via, direction, drawn):
    """Clears directions beside a double bond without E or Z, unless a double bond at their other end has one."""
    for b in range(m):
        if int(direction[b]) == 0:
            continue
        u, v = int(begin[b]), int(end[b])
        at_u = double_bonds_at(u, order, start, via, drawn)
        at_v = double_bonds_at(v, order, start, via, drawn)
        if (at_u & 1 != 0 and at_v & 2 == 0) or (at_v & 1 != 0 and at_u & 2 == 0):
            direction[b] = 0


@inlined
def double_bonds_at(x, order, start, via, drawn):
    """Of the double bonds of atom x: 1 if one has neither E nor Z, plus 2 if one has."""
    kinds = 0
    for at in range(int(start[x]), int(start[x + 1])):
        bond = int(via[at])
        if int(order[bond]) == 2:
            kinds |= 1 if int(drawn[bond]) == NOT_DRAWN else 2
    return kinds
