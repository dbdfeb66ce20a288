"""Which aromatic atoms of a SMILES get a double bond in a ring, and a Kekule structure: the first half of RDKit's sanitisation.

RDKit's rules (Code/GraphMol/Kekulize.cpp, markDbondCands), for the elements and charges that are written in lower case: with
s = neighbours + hydrogens + what orders above one add, an atom takes a double bond within the ring system where
    C s = 3      N s = 2      N+ s = 3      P s = 2      O+ S+ Se+ Te+ s = 2
and takes none where
    C s = 4      N s = 3      N+ s = 4     P s = 3      N- O S Se Te s = 2      C+ C- s = 3      O+ S+ Se+ Te+ s = 3;
anything else (radicals, odd valences, boron, silicon, arsenic, dummies) is declined. Every taker must get exactly one double
bond, along an aromatic bond to another taker: a perfect matching. Which one is free to choose, because aromaticity asks only who
has a double bond; where the order of a bond that does not end up aromatic depends on the choice, the molecule is declined.

state (MAX_ATOMS,) uint16 says of each atom, besides TAKER: sums over its bonds of order 2 and 3.
"""

from __future__ import annotations

import numpy as np

from drylab.kernels.adjacency import MAX_ATOMS
from drylab.kernels.twin import per_molecule

AROMATIC = 4  # bond order as in MolGraphs
# state of an atom: numbers, then flags
EXTRA = 1  # sum of (order - 1), 4 bits
MULTIPLE = 16  # number of double and triple bonds, 3 bits
EXTRA_MASK, MULTIPLE_MASK = 15, 7 * MULTIPLE
EXOCYCLIC = 1 << 8  # has a multiple bond outside rings,
STEALING = 1 << 9  # to a more electronegative element
CYCLIC = 1 << 10  # has a multiple bond in a ring
LOW = 1 << 11  # has an aromatic bond
TAKER = 1 << 12  # gets a double bond from the Kekule structure

ALONE = 255  # mate of an atom without a double bond from the Kekule structure
MAX_TAKERS = 128  # RDKit gives up after 100 wrong turns, which it does not take in systems seen up to here

B, C, N, O, SI, P, S, AS, SE, TE = 5, 6, 7, 8, 14, 15, 16, 33, 34, 52  # noqa: E741

TAKES, TAKES_NOT, UNSURE = 1, 0, -1


@per_molecule
def takes_double(element, charge, bonds):
    """TAKES, TAKES_NOT or UNSURE for an aromatic atom with `bonds` = neighbours + hydrogens + extra bond orders."""
    if charge == 0:
        if element == C:
            return TAKES if bonds == 3 else TAKES_NOT if bonds == 4 else UNSURE
        if element in (N, P):
            return TAKES if bonds == 2 else TAKES_NOT if bonds == 3 else UNSURE
        if element in (O, S, SE, TE):
            return TAKES_NOT if bonds == 2 else UNSURE
        return UNSURE
    if charge == 1:
        if element == N:
            return TAKES if bonds == 3 else TAKES_NOT if bonds == 4 else UNSURE
        if element in (O, S, SE, TE):
            return TAKES if bonds == 2 else TAKES_NOT if bonds == 3 else UNSURE
    if charge == -1 and element == N:
        return TAKES_NOT if bonds == 2 else UNSURE
    if element == C and (charge in (-1, 1)):
        return TAKES_NOT if bonds == 3 else UNSURE
    return UNSURE


@per_molecule
def match(begin, end, low, n_low, takers, n_takers, state, mate, near, free, stack, seen):
    """Give every taker a mate along the aromatic bonds low[:n_low]; True if all have one.

    Takers with one choice left go first; without such the next one takes its first neighbour, and a wrong choice is mended
    along an alternating path. mate of takers is ALONE before. Scratch, all uint8: near (3 * MAX_ATOMS,), the others
    (MAX_ATOMS,).
    """
    for i in range(n_takers):
        u = np.int64(takers[i])
        free[u] = 0
        near[3 * u] = ALONE
        near[3 * u + 1] = ALONE
        near[3 * u + 2] = ALONE
    for j in range(n_low):
        u, v = np.int64(begin[low[j]]), np.int64(end[low[j]])
        if state[u] & state[v] & TAKER:
            at, to = np.int64(free[u]), np.int64(free[v])
            if at == 3 or to == 3:
                return False
            near[3 * u + at] = v
            near[3 * v + to] = u
            free[u] = at + 1
            free[v] = to + 1
    top, left = 0, 0
    for i in range(n_takers - 1, -1, -1):
        if free[takers[i]] == 1:
            stack[top] = takers[i]
            top += 1
    at = 0
    while True:
        if top > 0:
            top -= 1
            u = np.int64(stack[top])
        elif at < n_takers:
            u = np.int64(takers[at])
            at += 1
        else:
            break
        if mate[u] != ALONE:
            continue
        v = first_free(u, mate, near)
        if v == ALONE:
            left += 1
            continue
        mate[u] = v
        mate[v] = u
        top = take_away(u, mate, near, free, stack, top)
        top = take_away(v, mate, near, free, stack, top)
    if left > 0:
        for i in range(n_takers):
            u = np.int64(takers[i])
            if mate[u] == ALONE and not mend(u, takers, n_takers, mate, near, stack, seen, free):
                return False
    return True


@per_molecule
def first_free(u, mate, near):
    """The first neighbour of u without a mate, or ALONE."""
    for s in range(3 * u, 3 * u + 3):
        v = np.int64(near[s])
        if v != ALONE and mate[v] == ALONE:
            return v
    return ALONE


@per_molecule
def take_away(u, mate, near, free, stack, top):
    """u is matched: its neighbours have one choice less. Those with one left go on the stack; its new height."""
    for s in range(3 * u, 3 * u + 3):
        v = np.int64(near[s])
        if v != ALONE and mate[v] == ALONE:
            choices = np.int64(free[v]) - 1
            free[v] = choices
            if choices == 1 and top < MAX_ATOMS:
                stack[top] = v
                top += 1
    return top


@per_molecule
def mend(root, takers, n_takers, mate, near, queue, seen, back):
    """Match root by an alternating path from it to another atom without a mate; False if the simple search finds none."""
    for i in range(n_takers):
        seen[takers[i]] = 0
    seen[root] = 1
    queue[0] = root
    head, tail = 0, 1
    while head < tail:
        u = np.int64(queue[head])
        head += 1
        for s in range(3 * u, 3 * u + 3):
            v = np.int64(near[s])
            if v == ALONE or seen[v] == 1:
                continue
            seen[v] = 1
            back[v] = u
            if mate[v] == ALONE:
                while True:
                    u = np.int64(back[v])
                    following = np.int64(mate[u])
                    mate[u] = v
                    mate[v] = u
                    if u == root:
                        return True
                    v = following
            w = np.int64(mate[v])
            seen[w] = 1
            queue[tail] = w
            tail += 1
    return False


@per_molecule
def fixed(u, v, takers, n_takers, mate, near, queue, seen):
    """True if the bond between takers u and v has the same order in every matching: on no alternating circle.

    Alternating walks are looked at, which include all circles and perhaps more: True is sure.
    """
    for i in range(n_takers):
        seen[takers[i]] = 0
    start, target = np.int64(mate[v]), np.int64(mate[u])
    seen[start] = 1
    queue[0] = start
    head, tail = 0, 1
    while head < tail:
        x = np.int64(queue[head])
        head += 1
        for s in range(3 * x, 3 * x + 3):
            y = np.int64(near[s])
            if y == ALONE or y == mate[x]:
                continue
            if y == target:
                return False
            w = np.int64(mate[y])
            if seen[w] == 0:
                seen[w] = 1
                queue[tail] = w
                tail += 1
    return True
