"""How many atoms could be tetrahedral stereocentres, and how many of those carry no mark: RDKit's counts.

Definition: RDKit 2026.3.5, CalcNumAtomStereoCenters and CalcNumUnspecifiedAtomStereoCenters, after MolFromSmiles with its
default legacy perception (Code/GraphMol/Chirality.cpp): an atom that ``isAtomPotentialChiralCenter`` allows (``allowed``
here) and whose neighbours all have different ranks, in any pass of labels and ranks. A marked ring atom whose neighbours
tie (ring stereo) does not count.

Input: a molecule as MolGraphs holds it, with the marks RDKit keeps, and its adjacency. How: an atom with two neighbours that
a symmetry swaps is none (``has_twins`` finds the simple cases, CH3 twice or the sides of a piperidine); if stereo.tell_apart sees that all others have different neighbours, they are all centres; otherwise the
ranks of cip.py decide, refined by the labels of labels.py as long as there are new ones.

Declined, UNCOUNTED: what cip.py cannot rank, bonds of order 0, a plain hydrogen atom as a neighbour, nitrogen of
odd valence or in a ring system beside an unusual multiple bond, sulphur in an aromatic ring with a third neighbour.
"""

from __future__ import annotations

from drylab.kernels.adjacency import adjacency
from drylab.kernels.centres import LEGAL, UNSURE, amine, lone_hydrogen, valence2
from drylab.kernels.cip import label, rankable, refine
from drylab.kernels.labels import label_bonds, seeds
from drylab.kernels.stereo import differ, find_drawn, tell_apart
from drylab.kernels.twin import per_molecule

UNCOUNTED = -1
NOT_ALLOWED, ALLOWED, UNKNOWN = 0, 1, 2
MAX_TETRAHEDRAL = 4  # neighbours, hydrogens included
CARBON, NITROGEN, PHOSPHORUS, SULPHUR, ARSENIC, SELENIUM = 6, 7, 15, 16, 33, 34
AROMATIC = 4
AROMATIC_VALENCE = 1000  # what centres.valence2 adds for an aromatic bond


@per_molecule
def near_multiple_bond(i, order, start, neighbour, via):
    """Whether a neighbour of atom i has a bond that is not single."""
    for at in range(int(start[i]), int(start[i + 1])):
        j = int(neighbour[at])
        for slot in range(int(start[j]), int(start[j + 1])):
            if int(order[int(via[slot])]) != 1:
                return True
    return False


@per_molecule
def has_atom(i, start, via, ring_ptr, ring_bonds, r):
    """Whether ring r holds a bond of atom i."""
    for j in range(int(ring_ptr[r]), int(ring_ptr[r + 1])):
        for at in range(int(start[i]), int(start[i + 1])):
            if via[at] == ring_bonds[j]:
                return True
    return False


@per_molecule
def is_bridgehead(i, start, via, ring_ptr, ring_bonds, k):
    """RDKit's ``queryIsAtomBridgehead`` for an atom of three ring bonds: each of its rings shares two bonds with another of them."""
    for r in range(k):
        if not has_atom(i, start, via, ring_ptr, ring_bonds, r):
            continue
        overlaps = False
        for other in range(k):
            if other == r or not has_atom(i, start, via, ring_ptr, ring_bonds, other):
                continue
            shared = 0
            for j in range(int(ring_ptr[r]), int(ring_ptr[r + 1])):
                for at in range(int(ring_ptr[other]), int(ring_ptr[other + 1])):
                    shared += int(ring_bonds[j] == ring_bonds[at])
            overlaps |= shared > 1
        if not overlaps:
            return False
    return True


@per_molecule
def allowed(
    i, n, element, isotope, charge, hydrogens, order, bond_ring, start, neighbour, via, ring_ptr, ring_bonds, k, seen, queue,
):  # fmt: skip
    """Whether atom i may be a centre, whatever its neighbours' ranks: NOT_ALLOWED, ALLOWED or UNKNOWN."""
    first = int(start[i])
    degree = int(start[i + 1]) - first
    z, h = int(element[i]), int(hydrogens[i])
    if degree + h > MAX_TETRAHEDRAL or degree + h < 3:
        return NOT_ALLOWED
    if degree < 3:
        return ALLOWED if z in (PHOSPHORUS, ARSENIC) else NOT_ALLOWED
    if degree == 3 and lone_hydrogen(i, element, isotope, start, neighbour):
        return UNKNOWN
    if degree == 4 or h == 1 or z in (PHOSPHORUS, ARSENIC):
        return ALLOWED
    if z in (SULPHUR, SELENIUM):
        orders = 0
        for at in range(first, first + 3):
            o = int(order[int(via[at])])
            if o == AROMATIC:
                return UNKNOWN
            orders += o
        return ALLOWED if orders == 4 or (orders == 3 and int(charge[i]) == 1) else NOT_ALLOWED
    if z != NITROGEN:
        return NOT_ALLOWED
    twice, q = valence2(i, order, start, via), int(charge[i])
    if twice == 2 * degree and q == 0:
        found = amine(i, n, element, charge, order, bond_ring, start, neighbour, via, seen, queue)
        if found == UNSURE and k >= 0 and not near_multiple_bond(i, order, start, neighbour, via):
            return ALLOWED if is_bridgehead(i, start, via, ring_ptr, ring_bonds, k) else NOT_ALLOWED
        return UNKNOWN if found == UNSURE else ALLOWED if found == LEGAL else NOT_ALLOWED
    # Flat: aromatic, or a cation with a double bond.
    return NOT_ALLOWED if twice > AROMATIC_VALENCE or (q == 1 and twice == 8) else UNKNOWN


@per_molecule
def mirrored(i, p, q, element, isotope, hydrogens, order, start, neighbour, via):
    """Whether the neighbours p and q (slots of atom i) lead into equal unbranched paths, to two ends or around a ring.

    Then a symmetry of the molecule swaps the paths and moves nothing else, so no rank will ever tell p and q apart. Double bonds
    (E, Z) and phosphorus (marks on an atom of two neighbours) end the search: False is no proof of anything.
    """
    a, b = int(neighbour[p]), int(neighbour[q])
    bond_a, bond_b = int(via[p]), int(via[q])
    while True:
        first_a, first_b = int(start[a]), int(start[b])
        degree = int(start[a + 1]) - first_a
        if element[a] != element[b] or isotope[a] != isotope[b] or hydrogens[a] != hydrogens[b]:
            return False
        if order[bond_a] != order[bond_b] or int(start[b + 1]) - first_b != degree:
            return False
        if degree == 1:
            return True
        z = int(element[a])
        if degree > 2 or order[bond_a] == 2 or z in (PHOSPHORUS, ARSENIC):
            return False
        on_a = first_a + int(int(via[first_a]) == bond_a)
        on_b = first_b + int(int(via[first_b]) == bond_b)
        bond_a, bond_b = int(via[on_a]), int(via[on_b])
        if bond_a == bond_b:
            return True
        next_a, next_b = int(neighbour[on_a]), int(neighbour[on_b])
        if next_a == next_b:
            return order[bond_a] == order[bond_b] and order[bond_a] != 2
        if next_a == i or next_b == i:
            return False
        a, b = next_a, next_b


@per_molecule
def has_twins(i, element, isotope, hydrogens, order, start, neighbour, via):
    """Whether two neighbours of atom i are surely the same for any rank."""
    first, stop = int(start[i]), int(start[i + 1])
    for p in range(first, stop):
        a = int(neighbour[p])
        if int(start[a + 1]) - int(start[a]) > 2:
            continue
        for q in range(first, p):
            if element[a] == element[int(neighbour[q])] and mirrored(
                i, p, q, element, isotope, hydrogens, order, start, neighbour, via
            ):
                return True
    return False


@per_molecule
def ranked(
    n,
    m,
    element,
    isotope,
    hydrogens,
    bond_ring,
    begin,
    end,
    order,
    start,
    neighbour,
    via,
    chirality,
    direction,
    is_allowed,
    words,
    rank,
    perm,
    mark,
    drawn,
):
    """Number of allowed atoms whose neighbours differ in RDKit's final ranks, left in rank; UNCOUNTED if they cannot be held."""
    directed = 0
    for b in range(m):
        directed |= int(direction[b] != 0)
    if directed:
        find_drawn(n, m, begin, end, order, bond_ring, start, neighbour, via, direction, drawn, rank, mark, words)
    if rankable(n, m, element, isotope, begin, end, order, start, words) == 0:
        return UNCOUNTED
    for i in range(n):
        rank[i] = 0
        perm[i] = i
        mark[i] = 0
    while True:
        refine(n, element, hydrogens, order, start, neighbour, via, words, rank, perm)
        centres, changed, pending = 0, 0, 0
        for i in range(n):
            if is_allowed[i] == 0:
                continue
            different = differ(i, -1, start, neighbour, rank)
            centres += different
            if different and int(chirality[i]) != 0 and int(mark[i]) == 0:
                mark[i] = label(i, chirality, hydrogens, start, neighbour, rank)
                changed = 1
            pending |= 1 - different
        if directed:
            changed |= label_bonds(m, begin, end, start, neighbour, via, direction, rank, drawn) >> 1
        if pending == 0 or changed == 0:
            return centres
        seeds(n, start, via, directed, drawn, mark, rank, words)


@per_molecule
def stereocentres(
    n,
    m,
    element,
    isotope,
    charge,
    hydrogens,
    bond_ring,
    begin,
    end,
    order,
    chirality,
    direction,
    ring_ptr,
    ring_bonds,
    k,
    start,
    neighbour,
    via,
    is_allowed,
    words,
    rank,
    perm,
    mark,
    drawn,
):
    """(possible centres, those of them without a mark) of one molecule; (UNCOUNTED, UNCOUNTED) if declined.

    The k rings are those of rings.py. Scratch: start, neighbour, via as in adjacency.py; words (stereo.WORDS,) int64; is_allowed, rank, perm, mark (MAX_ATOMS,)
    uint8; drawn (MAX_BONDS,) uint8.
    """
    adjacency(begin, end, n, m, start, neighbour, via)
    has_hydrogens = 0
    for i in range(n):
        has_hydrogens |= int(element[i] == 1)
    listed = 0
    for i in range(n):
        is_allowed[i] = 0
        z, h, degree = int(element[i]), int(hydrogens[i]), int(start[i + 1]) - int(start[i])
        # Most atoms are settled here: a call costs more than the question.
        if degree < 3 and z != PHOSPHORUS and z != ARSENIC:
            continue
        if z == CARBON and degree + h != MAX_TETRAHEDRAL:
            continue
        if z != CARBON or has_hydrogens:
            found = allowed(
                i, n, element, isotope, charge, hydrogens, order, bond_ring, start, neighbour, via,
                ring_ptr, ring_bonds, k, rank, mark,
            )  # fmt: skip
            if found == UNKNOWN:
                return UNCOUNTED, UNCOUNTED
            if found == NOT_ALLOWED:
                continue
        if not has_twins(i, element, isotope, hydrogens, order, start, neighbour, via):
            is_allowed[i] = 1
            perm[listed] = i
            listed += 1
    if listed == 0:
        return 0, 0
    apart = tell_apart(n, m, element, isotope, hydrogens, begin, end, order, start, neighbour, listed, 0, words, perm)
    centres = listed
    if not apart:
        centres = ranked(
            n, m, element, isotope, hydrogens, bond_ring, begin, end, order, start, neighbour, via, chirality, direction,
            is_allowed, words, rank, perm, mark, drawn,
        )  # fmt: skip
        if centres == UNCOUNTED:
            return UNCOUNTED, UNCOUNTED
    marked = 0
    for i in range(n):
        if is_allowed[i] and int(chirality[i]) != 0:
            marked += 1 if apart else differ(i, -1, start, neighbour, rank)
    return centres, centres - marked
