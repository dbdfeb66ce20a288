"""RDKit's legacy CIP ranks of one molecule, in integers: who is senior, who ties, R or S.

What is computed (RDKit 2026.03, Code/GraphMol/Chirality.cpp, `assignAtomCIPRanks` and `rerankAtoms`; after P. Labute,
"An efficient algorithm for the determination of topological RS chirality", Journal of the Chemical Computing Group, 1996):
    atoms start ranked by (atomic number, isotope). In each round every atom is compared by its rank, then by the falling
    list of its neighbours' ranks, each written twice the bond order times (aromatic: three times; a double bond to P with
    three or four neighbours: once), then by its hydrogens. Rounds end when nothing splits, or after n / 2 + 1.
Charge, aromaticity and hydrogens of the atom itself do not enter the first ranks. That is RDKit's rule, and ties are kept
or broken by it, so nothing else may be looked at here.

How it is held:
    order  (n,) uint8  the atoms, junior first; a tied group is a run
    rank   (n,) uint8  the position where the atom's run starts: only groups that split change their number, and all
                       comparisons come out as with RDKit's dense ranks
    key    (n,) int64  what the atom is compared by within its run
A neighbour list is at most five runs (rank + 1: 8 bits, times: 4 bits) of 12 bits, the most senior in the highest bits.
Runs compare like the lists they stand for, since the list that repeats a senior rank longer is the greater one.

Limits, checked by the caller through `rankable`: at most four bonds an atom, at most 15 repeats, orders single to aromatic,
isotopes only where the most common mass is listed below.
"""

from __future__ import annotations

from drylab.kernels.twin import per_molecule

MAX_REPEATS = 15  # four bits in a key
MAX_ISOTOPE = 400  # RDKit wraps mass differences at 512
TWICE = 0x36420  # order 0..4 -> how often a neighbour is written: 0, 2, 4, 6 and 3 for aromatic


@per_molecule
def repeats(order, element, degree):
    """How often a neighbour of this element and degree is written, over a bond of this order."""
    if order == 2 and element == 15 and (degree == 3 or degree == 4):
        return 1
    return (TWICE >> (4 * order)) & 15


@per_molecule
def mass_rank(element, isotope):
    """RDKit's place of an isotope among the masses of its element; -1 if the most common mass is not listed here."""
    if isotope == 0:
        return 512
    common = -1
    if element == 1:
        common = 1
    elif element == 6:
        common = 12
    elif element == 7:
        common = 14
    elif element == 8:
        common = 16
    elif element == 9:
        common = 19
    elif element == 15:
        common = 31
    elif element == 16:
        common = 32
    elif element == 17:
        common = 35
    elif element == 35:
        common = 79
    elif element == 53:
        common = 127
    if common < 0 or isotope > MAX_ISOTOPE:
        return -1
    if isotope >= common:
        return 513 + isotope - common
    return 512 + isotope - common


@per_molecule
def rankable(n, m, element, isotope, begin, end, order, start, key):
    """1 if the keys of this file can hold the molecule. Writes the starting keys of the atoms."""
    for i in range(n):
        mass = mass_rank(int(element[i]), int(isotope[i]))
        if mass < 0 or int(start[i + 1]) - int(start[i]) > 4:
            return 0
        key[i] = 0
    for b in range(m):
        o = int(order[b])
        if o == 0:
            return 0
        times = (TWICE >> (4 * o)) & 15
        key[int(begin[b])] += times
        key[int(end[b])] += times
    for i in range(n):
        if int(key[i]) > MAX_REPEATS:
            return 0
        key[i] = (int(element[i]) << 10) | mass_rank(int(element[i]), int(isotope[i]))
    return 1


@per_molecule
def atom_key(i, element, hydrogens, order, start, neighbour, via, rank):
    """The neighbours of atom i as one number: falling ranks, each with its repeats, then the hydrogens."""
    w0, w1, w2, w3 = 0, 0, 0, 0
    for at in range(int(start[i]), int(start[i + 1])):
        j = int(neighbour[at])
        times = repeats(int(order[int(via[at])]), int(element[j]), int(start[j + 1]) - int(start[j]))
        w = ((int(rank[j]) + 1) << 4) | times
        if w > w0:
            w0, w1, w2, w3 = w, w0, w1, w2
        elif w > w1:
            w1, w2, w3 = w, w1, w2
        elif w > w2:
            w2, w3 = w, w2
        else:
            w3 = w
    # Equal ranks become one run, or a double bond would differ from two single bonds to the same rank.
    if w1 >> 4 == w0 >> 4 and w1 != 0:
        w0, w1, w2, w3 = w0 + (w1 & 15), w2, w3, 0
        if w1 >> 4 == w0 >> 4 and w1 != 0:
            w0, w1, w2 = w0 + (w1 & 15), w2, 0
            if w1 >> 4 == w0 >> 4 and w1 != 0:
                w0, w1 = w0 + (w1 & 15), 0
    if w2 >> 4 == w1 >> 4 and w2 != 0:
        w1, w2, w3 = w1 + (w2 & 15), w3, 0
        if w2 >> 4 == w1 >> 4 and w2 != 0:
            w1, w2 = w1 + (w2 & 15), 0
    if w3 >> 4 == w2 >> 4 and w3 != 0:
        w2, w3 = w2 + (w3 & 15), 0
    key = (w0 << 48) | (w1 << 36) | (w2 << 24) | (w3 << 12)
    # Hydrogens are a run of rank 0 behind the last neighbour.
    h = int(hydrogens[i])
    if w3 != 0:
        return key | h
    if w2 != 0:
        return key | (h << 12)
    if w1 != 0:
        return key | (h << 24)
    if w0 != 0:
        return key | (h << 36)
    return key | (h << 48)


@per_molecule
def split(n, key, rank, order):
    """Sorts each tied run by key and cuts it where keys differ. Returns the number of runs."""
    runs, s = 0, 0
    while s < n:
        e = s + 1
        while e < n and int(rank[int(order[e])]) == s:
            e += 1
        for p in range(s + 1, e):
            a = int(order[p])
            k = int(key[a])
            q = p
            while q > s and int(key[int(order[q - 1])]) > k:
                order[q] = order[q - 1]
                q -= 1
            order[q] = a
        first, previous = s, int(key[int(order[s])])
        runs += 1
        for p in range(s + 1, e):
            a = int(order[p])
            k = int(key[a])
            if k != previous:
                first, previous = p, k
                runs += 1
            rank[a] = first
        s = e
    return runs


@per_molecule
def refine(n, element, hydrogens, bonds, start, neighbour, via, key, rank, order):
    """Ranks from the seeds in `key`, within the runs that `rank` and `order` hold already. bonds: bond orders."""
    limit = n // 2 + 1
    runs, last, rounds = split(n, key, rank, order), -1, 0
    while runs < n and rounds < limit and last < runs:
        last = runs
        for p in range(n):
            a = int(order[p])
            r = int(rank[a])
            if r != p or (p + 1 < n and int(rank[int(order[p + 1])]) == r):
                key[a] = atom_key(a, element, hydrogens, bonds, start, neighbour, via, rank)
        runs = split(n, key, rank, order)
        rounds += 1
    return runs


@per_molecule
def label(i, chirality, hydrogens, start, neighbour, rank):
    """1 for R, 2 for S, 0 where two neighbours tie: the tag counts along the bonds, the label along the ranks."""
    first, stop = int(start[i]), int(start[i + 1])
    odd = 1 if stop - first == 3 and int(hydrogens[i]) == 1 else 0
    for p in range(first, stop):
        r = int(rank[int(neighbour[p])])
        for q in range(first, p):
            other = int(rank[int(neighbour[q])])
            if other == r:
                return 0
            if other > r:
                odd ^= 1
    return 1 if (int(chirality[i]) == 2) != (odd == 1) else 2
