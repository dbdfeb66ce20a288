"""Which of the rings it met RDKit keeps: the end of its ring search, for rings.py.

Of the rings that figueras.py meets, shortest first, RDKit leaves out those whose bonds are all in rings it has (removeExtraRings),
and then takes back each that could stand in for a kept ring of its size: one that shares a bond with it and has all the bonds that
no other kept ring has (symmetrizeSSSR).
"""

from __future__ import annotations

import numpy as np

from drylab.kernels.adjacency import MAX_ATOMS, MAX_BONDS, adjacency
from drylab.kernels.figueras import MAX_FOUND, MAX_SLOTS, SEARCH_BYTES, WORDS, meet_rings
from drylab.kernels.twin import per_molecule

MAX_SORTED = 16  # rings; beyond, std::sort is not stable and their order is not known
DECLINED_CAGE = -3  # too many rings, a molecule in parts, or rings missed so that RDKit falls back on another search

KEPT_BYTES = SEARCH_BYTES + MAX_ATOMS + 2 * MAX_BONDS + MAX_SLOTS + 2 * MAX_BONDS + MAX_FOUND  # scratch: uint8,
KEPT_SHORTS = MAX_ATOMS + 1 + 2 * MAX_BONDS + MAX_FOUND + 1 + MAX_SLOTS  # uint16
KEPT_WORDS = MAX_ATOMS + WORDS * (MAX_FOUND + 1)  # and int64


@per_molecule
def rings_kept(begin, end, n, m, ring_ptr, ring_atoms, ring_bonds, bytes_, shorts, words):
    """The rings of a connected molecule as RDKit finds them, in the lists of rings.py; their number, or DECLINED_CAGE.

    Scratch: bytes_ (KEPT_BYTES,) uint8, shorts (KEPT_SHORTS,) uint16, words (KEPT_WORDS,) int64.
    """
    start, via = shorts, shorts[MAX_ATOMS + 1 :]
    found_ptr, found_bonds = via[2 * MAX_BONDS :], via[2 * MAX_BONDS + MAX_FOUND + 1 :]
    degree, active, trial = (
        bytes_[SEARCH_BYTES:],
        bytes_[SEARCH_BYTES + MAX_ATOMS :],
        bytes_[SEARCH_BYTES + MAX_ATOMS + MAX_BONDS :],
    )
    found_atoms = trial[MAX_BONDS:]
    neighbour = found_atoms[MAX_SLOTS:]
    line = neighbour[2 * MAX_BONDS :]
    adjacency(begin, end, n, m, start, neighbour, via)
    found = meet_rings(
        n, m, start, neighbour, via, degree, active, trial, bytes_, words, found_ptr, found_atoms, words[MAX_ATOMS:]
    )
    expected = m - n + 1
    if found < expected or (found > expected and found > MAX_SORTED):
        return DECLINED_CAGE
    for r in range(found):
        bonds_of(r, start, neighbour, via, found_ptr, found_atoms, found_bonds)
    kept = (1 << found) - 1
    if found > expected:
        sort_rings(found, found_ptr, line)
        kept = remove_extra(found, m, line, found_ptr, found_bonds, active)
        kept |= take_back(found, m, kept, found_ptr, found_bonds, active, trial)
    at, k = 0, 0
    ring_ptr[0] = 0
    for r in range(found):
        if kept >> r & 1:
            for s in range(found_ptr[r], found_ptr[r + 1]):
                ring_atoms[at] = found_atoms[s]
                ring_bonds[at] = found_bonds[s]
                at += 1
            k += 1
            ring_ptr[k] = at
    return k


@per_molecule
def bonds_of(r, start, neighbour, via, found_ptr, found_atoms, found_bonds):
    """The bonds along ring r, from each atom to the next."""
    first, last = np.int64(found_ptr[r]), np.int64(found_ptr[r + 1])
    for s in range(first, last):
        u = np.int64(found_atoms[s])
        v = np.int64(found_atoms[s + 1 if s + 1 < last else first])
        for t in range(start[u], start[u + 1]):
            if neighbour[t] == v:
                found_bonds[s] = via[t]


@per_molecule
def sort_rings(found, found_ptr, line):
    """Numbers of rings by size in `line`, equal ones in the order they were met."""
    for r in range(found):
        size = np.int64(found_ptr[r + 1]) - np.int64(found_ptr[r])
        at = r
        while at > 0 and np.int64(found_ptr[line[at - 1] + 1]) - np.int64(found_ptr[line[at - 1]]) > size:
            line[at] = line[at - 1]
            at -= 1
        line[at] = r


@per_molecule
def overlap(r, found_ptr, found_bonds, covered):
    """How many bonds of ring r are covered."""
    count = 0
    for s in range(found_ptr[r], found_ptr[r + 1]):
        count += np.int64(covered[found_bonds[s]])
    return count


@per_molecule
def remove_extra(found, m, line, found_ptr, found_bonds, covered):
    """The set of rings left when those that bring no new bond are dropped; of one size, the most overlapping goes first."""
    for b in range(m):
        covered[b] = 0
    kept, open_ = np.int64(0), (1 << found) - 1
    for i in range(found):
        r = np.int64(line[i])
        size = np.int64(found_ptr[r + 1]) - np.int64(found_ptr[r])
        if open_ >> r & 1 == 0:
            continue
        open_ &= ~(1 << r)
        while True:
            if overlap(r, found_ptr, found_bonds, covered) < size:
                kept |= 1 << r
                for s in range(found_ptr[r], found_ptr[r + 1]):
                    covered[found_bonds[s]] = 1
            elif r == line[i]:
                break  # RDKit looks at rings of this size again from the next one on
            best, most = -1, -1
            for j in range(i + 1, found):
                q = np.int64(line[j])
                if open_ >> q & 1 and np.int64(found_ptr[q + 1]) - np.int64(found_ptr[q]) == size:
                    shared = overlap(q, found_ptr, found_bonds, covered)
                    if shared > most:
                        best, most = q, shared
            if best < 0:
                break
            r = best
            open_ &= ~(1 << r)
    return kept


@per_molecule
def take_back(found, m, kept, found_ptr, found_bonds, count, inside):
    """The set of dropped rings that could stand in for a kept one."""
    for b in range(m):
        count[b] = 0
        inside[b] = 0
    for r in range(found):
        if kept >> r & 1:
            for s in range(found_ptr[r], found_ptr[r + 1]):
                count[found_bonds[s]] += 1
    back = np.int64(0)
    for q in range(found):
        if kept >> q & 1:
            continue
        for s in range(found_ptr[q], found_ptr[q + 1]):
            inside[found_bonds[s]] = 1
        size = found_ptr[q + 1] - found_ptr[q]
        for r in range(found):
            if kept >> r & 1 and found_ptr[r + 1] - found_ptr[r] == size:
                shares, stands = False, True
                for s in range(found_ptr[r], found_ptr[r + 1]):
                    if inside[found_bonds[s]] == 1:
                        shares = True
                    elif count[found_bonds[s]] == 1:
                        stands = False
                if shares and stands:
                    back |= 1 << q
        for s in range(found_ptr[q], found_ptr[q + 1]):
            inside[found_bonds[s]] = 0
    return back
