"""Which written stereo marks can count at all: tetrahedral centres by valence, double bonds by rings. No ranks here.

RDKit 2026.03 drops a tag at three places, all before it looks at substituents: `cleanupChirality` (Chirality.cpp: the atom
is not sp3), `isAtomPotentialChiralCenter` (same file: hydrogens, three-coordinate atoms), both resting on
`setHybridization` and `setConjugation` (ConjugHybrid.cpp). `centre` says for one tagged atom whether it passes all three.
Where RDKit's answer hangs on ring sets that need not be unique, or on valences that drug-like molecules do not have,
it says UNSURE, and the molecule is left to RDKit.
"""

from __future__ import annotations

from drylab.kernels.twin import inlined, per_molecule

ILLEGAL, LEGAL, UNSURE = 0, 1, 2
_SMALL_RING = 7  # a double bond in a ring of up to seven has no E and Z for RDKit


@per_molecule
def valence2(i, order, start, via):
    """Twice the sum of the bond orders of atom i; 1000 is added for each aromatic bond."""
    total = 0
    for at in range(int(start[i]), int(start[i + 1])):
        o = int(order[int(via[at])])
        total += 1003 if o == 4 else 2 * o
    return total


@per_molecule
def centre(i, n, element, isotope, charge, hydrogens, order, bond_ring, start, neighbour, via, seen, queue):
    """LEGAL, ILLEGAL or UNSURE: may atom i be a tetrahedral centre, whatever its neighbours are?"""
    degree = int(start[i + 1]) - int(start[i])
    total = degree + int(hydrogens[i])
    z = int(element[i])
    if total < 3:
        return ILLEGAL
    if total > 4:
        return UNSURE
    if degree < 3 and z != 15 and z != 33:
        return ILLEGAL
    if total == 4:
        return UNSURE if degree == 3 and lone_hydrogen(i, element, isotope, start, neighbour) != 0 else LEGAL
    twice, q = valence2(i, order, start, via), int(charge[i])
    if z == 7 and q == 0 and twice == 6:
        return amine(i, n, element, charge, order, bond_ring, start, neighbour, via, seen, queue)
    if z == 6 and q == 0 and twice > 6:
        return ILLEGAL  # sp2
    if z == 7 and ((q == 1 and twice == 8) or twice > 1000):
        return ILLEGAL  # sp2
    if z == 15 or z == 33:
        return LEGAL if q == 0 and twice == 2 * degree else UNSURE
    if z == 16 or z == 34:
        if (q == 0 and twice == 8) or (q == 1 and twice == 6):
            return LEGAL
        if q == 0 and twice == 12:
            return ILLEGAL  # sulfur trioxide and its kin are flat
    return UNSURE


@inlined
def lone_hydrogen(i, element, isotope, start, neighbour):
    """1 if a neighbour of atom i is a hydrogen atom of the graph, without isotope."""
    for at in range(int(start[i]), int(start[i + 1])):
        j = int(neighbour[at])
        if int(element[j]) == 1 and int(isotope[j]) == 0:
            return 1
    return 0


@per_molecule
def amine(i, n, element, charge, order, bond_ring, start, neighbour, via, seen, queue):
    """A neutral nitrogen with three single bonds: a centre in a three-ring or at a bridgehead, unless it is conjugated."""
    first, ring_bonds, unsure = int(start[i]), 0, 0
    for at in range(first, first + 3):
        j = int(neighbour[at])
        ring_bonds += int(bond_ring[int(via[at])])
        # A neighbour with a double, triple or aromatic bond conjugates the nitrogen, unless it is of the third row.
        for slot in range(int(start[j]), int(start[j + 1])):
            if int(order[int(via[slot])]) > 1:
                z, q = int(element[j]), int(charge[j])
                if (z == 6 and q == 0) or (z == 7 and (q == 0 or q == 1)):
                    return ILLEGAL
                if z != 15 and z != 16 and z != 33 and z != 34:
                    unsure = 1
    if ring_bonds < 2:
        return ILLEGAL
    if unsure != 0:
        return UNSURE
    for at in range(first, first + 3):
        j = int(neighbour[at])
        for slot in range(int(start[j]), int(start[j + 1])):
            k = int(neighbour[slot])
            if k != i and (
                k == int(neighbour[first]) or k == int(neighbour[first + 1]) or k == int(neighbour[first + 2])
            ):
                return LEGAL
    if ring_bonds < 3:
        return ILLEGAL
    return bridgehead(i, n, bond_ring, start, neighbour, via, seen, queue)


@per_molecule
def bridgehead(i, n, bond_ring, start, neighbour, via, seen, queue):
    """Does atom i, with three ring bonds, have two smallest rings that share two bonds or more? UNSURE unless its ring
    system is bicyclic: then three paths lead to the other branching atom, and the rings share the shortest."""
    for j in range(n):
        seen[j] = 0
    seen[i] = 1
    queue[0] = i
    head, tail, ends = 0, 1, 0
    while head < tail:
        j = int(queue[head])
        head += 1
        for at in range(int(start[j]), int(start[j + 1])):
            if int(bond_ring[int(via[at])]) == 0:
                continue
            ends += 1
            k = int(neighbour[at])
            if int(seen[k]) == 0:
                seen[k] = 1
                queue[tail] = k
                tail += 1
    if ends != 2 * (tail + 1):
        return UNSURE
    shortest = n
    for at in range(int(start[i]), int(start[i + 1])):
        came, here, steps = i, int(neighbour[at]), 1
        while True:
            onward, branches = -1, 0
            for slot in range(int(start[here]), int(start[here + 1])):
                k = int(neighbour[slot])
                if int(bond_ring[int(via[slot])]) != 0 and k != came:
                    onward = k
                    branches += 1
            if branches != 1:
                break
            came, here = here, onward
            steps += 1
        shortest = min(shortest, steps)
    return LEGAL if shortest > 1 else ILLEGAL


@per_molecule
def keeps_hydrogens(i, element, charge, hydrogens, order, start, via):
    """1 if atom i has the same hydrogens when its tag goes: RDKit then counts them anew from the valence."""
    if int(hydrogens[i]) != 1 or int(charge[i]) != 0:
        return 1
    z, twice = int(element[i]), valence2(i, order, start, via) + 2
    if twice > 1000:  # aromatic atoms are left alone
        return 1
    if z == 6:
        return 1 if twice <= 8 else 0
    if z == 7:
        return 1 if twice <= 6 else 0
    if z == 14:
        return 1 if twice == 8 else 0
    if z == 15:
        return 1 if twice == 6 or twice == 10 else 0
    if z == 16:
        return 1 if twice == 4 or twice == 8 or twice == 12 else 0
    return 0


@per_molecule
def short_ring(b, n, begin, end, bond_ring, start, neighbour, via, distance, queue):
    """1 if bond b is in a ring of at most seven: breadth first from one end to the other, around the bond."""
    if int(bond_ring[b]) == 0:
        return 0
    for i in range(n):
        distance[i] = 0
    u, v = int(begin[b]), int(end[b])
    distance[u] = 1
    queue[0] = u
    head, tail = 0, 1
    while head < tail:
        i = int(queue[head])
        head += 1
        if int(distance[i]) == _SMALL_RING:
            return 0
        for at in range(int(start[i]), int(start[i + 1])):
            bond, j = int(via[at]), int(neighbour[at])
            if bond == b or int(bond_ring[bond]) == 0 or int(distance[j]) != 0:
                continue
            if j == v:
                return 1
            distance[j] = int(distance[i]) + 1
            queue[tail] = j
            tail += 1
    return 0
