"""RDKit's labels from its ranks: R, S, E and Z, and the centres that have no label but keep their tag (ring stereo).

RDKit 2026.03, Code/GraphMol/Chirality.cpp, `legacyStereoPerception`: ranks give labels where all substituents differ; as
long as that settled something and something is left, labels refine the ranks and it is tried again. An atom without tag
or a double bond without directions takes part in no way that could be seen in the end, so only marked ones are looked at.
A tagged ring atom without label keeps its tag if its ring neighbours tie in one of the ways of `ring_candidate` and a
second such atom can be reached along ring bonds (`findChiralAtomSpecialCases`).

drawn (m,) uint8 says what each double bond is: NOT_DRAWN, DRAWN (directions at both ends, not in a small ring), E or Z.
mark (n,) uint8 says what each atom is: 0, R, S or RING.
"""

from __future__ import annotations

from drylab.kernels.cip import label, rankable, refine
from drylab.kernels.twin import per_molecule

NOT_DRAWN, E, Z, DRAWN = 0, 1, 2, 3
R, S, RING = 1, 2, 4
TIED, CONFLICT = 8, 4  # what `side` says besides a direction
_LOSE = 8  # set in `drawn` of a single bond until the pass is over
_SEED_R, _SEED_S = 20, 10  # RDKit's weights: R before S before nothing; Z (2) before E (1)
_SEED_SHIFT = 6  # more than one R and two double bonds


@per_molecule
def perceive(
    n, m, element, isotope, hydrogens, bond_ring, begin, end, order, start, neighbour, via, chirality, direction,
    directed, words, rank, perm, mark, drawn
):  # fmt: skip
    """All labels of one molecule, whose tagged atoms are legal centres. Returns 0 if the ranks cannot be held.

    Input: drawn holds NOT_DRAWN and DRAWN if directed is 1, and is not looked at otherwise. Output: mark; drawn holds
    NOT_DRAWN, E and Z; directions that contradict each other are gone. Scratch: words (n,) int64, rank, perm (n,) uint8.
    """
    if rankable(n, m, element, isotope, begin, end, order, start, words) == 0:
        return 0
    for i in range(n):
        rank[i] = 0
        perm[i] = i
        mark[i] = 0
    while True:
        refine(n, element, hydrogens, order, start, neighbour, via, words, rank, perm)
        changed, pending = 0, 0
        for i in range(n):
            if int(chirality[i]) != 0 and int(mark[i]) == 0:
                found = label(i, chirality, hydrogens, start, neighbour, rank)
                mark[i] = found
                if found != 0:
                    changed = 1
                else:
                    pending = 1
        if directed != 0:
            told = label_bonds(m, begin, end, start, neighbour, via, direction, rank, drawn)
            pending |= told & 1
            changed |= told >> 1
        if pending == 0 or changed == 0:
            break
        seeds(n, start, via, directed, drawn, mark, rank, words)
    if pending == 0:
        return 1
    if directed != 0:
        for b in range(m):
            if int(drawn[b]) == DRAWN:
                drawn[b] = NOT_DRAWN
    ring_stereo(n, bond_ring, start, neighbour, via, chirality, rank, perm, mark)
    return 1


@per_molecule
def seeds(n, start, via, directed, drawn, mark, rank, key):
    """Starting keys of the next pass: the ranks, and the labels found so far."""
    for i in range(n):
        seed = int(rank[i]) << _SEED_SHIFT
        if int(mark[i]) == R:
            seed += _SEED_R
        elif int(mark[i]) == S:
            seed += _SEED_S
        if directed != 0:
            for at in range(int(start[i]), int(start[i + 1])):
                kind = int(drawn[int(via[at])])
                if kind == E or kind == Z:
                    seed += kind
        key[i] = seed


@per_molecule
def label_bonds(m, begin, end, start, neighbour, via, direction, rank, drawn):
    """One pass over the double bonds. Returns 1 if some have ends that tie, plus 2 if something was settled."""
    pending, changed, lose = 0, 0, 0
    for b in range(m):
        if int(drawn[b]) & DRAWN != DRAWN:
            continue
        u, v = int(begin[b]), int(end[b])
        at_u = side(u, b, begin, start, neighbour, via, direction, rank)
        at_v = side(v, b, begin, start, neighbour, via, direction, rank)
        if at_u == 0 or at_v == 0:
            drawn[b] = NOT_DRAWN
        elif at_u == TIED or at_v == TIED:
            pending = 1
        elif at_u > CONFLICT or at_v > CONFLICT:
            changed, lose = 2, 1
            drawn[b] = NOT_DRAWN
            if at_u > CONFLICT:
                lose_around(u, b, start, via, drawn)
            if at_v > CONFLICT:
                lose_around(v, b, start, via, drawn)
        else:
            drawn[b] = Z if at_u == at_v else E
            changed = 2
    if lose != 0:
        # RDKit clears contradictory directions after the pass: until then other double bonds read them.
        for b in range(m):
            if int(drawn[b]) & _LOSE:
                drawn[b] = NOT_DRAWN
                direction[b] = 0
    return pending | changed


@per_molecule
def lose_around(x, b, start, via, drawn):
    """Notes that the bonds of atom x other than b lose their directions."""
    for at in range(int(start[x]), int(start[x + 1])):
        bond = int(via[at])
        if bond != b:
            drawn[bond] = _LOSE


@per_molecule
def side(x, b, begin, start, neighbour, via, direction, rank):
    """What is drawn at the end x of double bond b: 0 nothing; TIED two substituents of the same rank; else the direction
    (1 or 2, as seen from x) of the senior substituent, plus CONFLICT if two are drawn on the same side."""
    a0, a1, d0, d1 = -1, -1, 0, 0
    for at in range(int(start[x]), int(start[x + 1])):
        bond = int(via[at])
        if bond == b:
            continue
        d = int(direction[bond])
        if d != 0 and int(begin[bond]) != x:
            d = 3 - d
        if a0 < 0:
            a0, d0 = int(neighbour[at]), d
        else:
            a1, d1 = int(neighbour[at]), d
    if d0 == 0 and d1 == 0:
        return 0
    if a1 < 0:
        return d0
    if int(rank[a0]) == int(rank[a1]):
        return TIED
    if d0 == 0:
        d0 = 3 - d1
    elif d1 == 0:
        d1 = 3 - d0
    senior = d0 if int(rank[a0]) > int(rank[a1]) else d1
    return senior + CONFLICT if d0 == d1 else senior


@per_molecule
def ring_stereo(n, bond_ring, start, neighbour, via, chirality, rank, perm, mark):
    """Marks unlabelled centres that RDKit keeps since another one can be reached along ring bonds."""
    count = 0
    for i in range(n):
        if (
            int(chirality[i]) != 0
            and int(mark[i]) == 0
            and ring_candidate(i, bond_ring, start, neighbour, via, rank) != 0
        ):
            mark[i] = RING
            count += 1
    if count == 0:
        return
    for i in range(n):
        rank[i] = 0
    for i in range(n):
        if int(mark[i]) != RING or int(rank[i]) != 0:
            continue
        head, tail, found = 0, 1, 0
        perm[0] = i
        rank[i] = 1
        while head < tail:
            u = int(perm[head])
            head += 1
            found += 1 if int(mark[u]) == RING else 0
            for at in range(int(start[u]), int(start[u + 1])):
                v = int(neighbour[at])
                if int(bond_ring[int(via[at])]) != 0 and int(rank[v]) == 0:
                    rank[v] = 1
                    perm[tail] = v
                    tail += 1
        if found == 1:
            mark[i] = 0


@per_molecule
def ring_candidate(i, bond_ring, start, neighbour, via, rank):
    """1 if the ring neighbours of atom i tie as RDKit's ring stereo wants it."""
    ring, kinds, first_other, others, same = 0, 0, -1, 0, 0
    first = int(start[i])
    for p in range(first, int(start[i + 1])):
        r = int(rank[int(neighbour[p])])
        if int(bond_ring[int(via[p])]) == 0:
            others += 1
            if others == 1:
                first_other = r
            elif r == first_other:
                same = 1
            continue
        ring += 1
        new = 1
        for q in range(first, p):
            if int(bond_ring[int(via[q])]) != 0 and int(rank[int(neighbour[q])]) == r:
                new = 0
        kinds += new
    if ring == 0 or others > 2:
        return 0
    if others == 2:
        return 1 if same == 0 and kinds < ring else 0
    if others == 1:
        return 1 if kinds < ring else 0
    return 1 if (ring == 4 and kinds == 3) or (ring == 3 and kinds == 2) else 0
