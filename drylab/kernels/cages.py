"""Ring systems whose smallest rings are not plain to see: bridged, peri-fused, cages. The second stage of rings.py.

The sums (symmetric differences) of the k rings that rings.py found in a system are all its cycles. A smallest set is
reached by exchange: as long as a sum of some rings is shorter than the longest of them, it takes that one's place. Then
every sum as long as its longest ring is a cycle that could stand in for that ring in another smallest set. With k at most
MAX_SPAN all sums are looked at, one exclusive or each (Gray code).

What RDKit holds is clear in two cases, and left to rings_kept.py in all others:
    No other cycle can stand in, and each ring has an atom of its own on which nothing else hangs that leads to a ring. RDKit
    searches from these atoms before it takes any away, and the ring is the only shortest one through its atom. What else it
    meets is a sum of rings it keeps, all shorter, and without the bonds that are some ring's own: it is dropped for good.
    All are of one size, and there is one cycle more than independent rings, of two (bicyclo[2.2.2]octane: three equal
    bridges) or three (adamantane: a tetrahedron). RDKit takes an atom away only after it has found the shortest rings through
    it, so it meets all these cycles, and takes back the one it dropped, whose bonds are those of the other rings.
"""

from __future__ import annotations

import numpy as np

from drylab.kernels.adjacency import MAX_ATOMS
from drylab.kernels.twin import per_molecule

MAX_RINGS = 62  # a set of rings is one word
MAX_RING_SLOTS = 1024  # atoms of all rings together
MAX_SPAN = 10  # rings of one system
MAX_FOREST = 62  # forest bonds of one system: a set of them is one word

CAGE_BYTES = 4 * MAX_ATOMS  # scratch of untangle: uint8,
CAGE_SHORTS = MAX_FOREST + MAX_SPAN  # uint16
CAGE_WORDS = 3 * MAX_RINGS  # and int64
NOT_ALONE = -1  # other rings could take the place of some, or the system is too large to tell
UNRANKED = 255
MAX_QUICK = (
    10  # rings of a molecule: too few for a part in which every atom has four ring bonds, where RDKit's search stops
)


@per_molecule
def ones(x):
    """Number of bits set in a word of at most 62 bits."""
    x = x - ((x >> 1) & 0x5555555555555555)
    x = (x & 0x3333333333333333) + ((x >> 2) & 0x3333333333333333)
    x = (x + (x >> 4)) & 0x0F0F0F0F0F0F0F0F
    x = x + (x >> 8)
    x = x + (x >> 16)
    x = x + (x >> 32)
    return x & 127


@per_molecule
def untangle(begin, end, n, m, k, tangled, group, ring_ptr, ring_atoms, ring_bonds, bytes_, shorts, words):
    """Replace the rings of every tangled system (bits of `tangled`) in the lists of rings.py; their number, or negative.

    Scratch: bytes_ (CAGE_BYTES,) uint8, shorts (CAGE_SHORTS,) uint16, words (CAGE_WORDS,) int64.
    """
    rank, seen = bytes_, bytes_[MAX_ATOMS:]
    core, link = bytes_[2 * MAX_ATOMS :], bytes_[3 * MAX_ATOMS :]
    core_degrees(begin, end, n, m, core, link)
    bond_of, chord = shorts, shorts[MAX_FOREST:]
    tree, mix, size = words, words[MAX_RINGS:], words[2 * MAX_RINGS :]
    for i in range(MAX_ATOMS):
        rank[i] = UNRANKED
        seen[i] = 0
    total, gone = k, 0
    for r in range(k):
        if tangled >> r & 1 and not gone >> r & 1:
            members = np.int64(group[r])
            gone |= members
            g = as_words(begin, end, k, members, ring_ptr, ring_bonds, rank, bond_of, chord, tree, mix, size)
            if g < 0:
                return NOT_ALONE
            found = relevant(g, tree, mix, size)
            equal = found == g + 1 and g <= 3 and size[0] == size[g - 1] and k <= MAX_QUICK
            if found != g and not equal:
                return NOT_ALONE
            first = total
            total = write_rings(
                begin, end, total, found, tree, mix, bond_of, chord, seen, ring_ptr, ring_atoms, ring_bonds
            )
            if total < 0 or not (equal or own_atoms(first, total, ring_ptr, ring_atoms, core, seen)):
                return NOT_ALONE
    return drop_rings(total, gone, ring_ptr, ring_atoms, ring_bonds)


@per_molecule
def as_words(begin, end, k, members, ring_ptr, ring_bonds, rank, bond_of, chord, tree, mix, size):
    """Each ring of a system as two words: its forest bonds by rank in `tree`, its chord in `mix`. Number of rings."""
    g, ranked = 0, 0
    for r in range(k):
        if members >> r & 1 == 0:
            continue
        if g == MAX_SPAN:
            return -1
        first, last = np.int64(ring_ptr[r]), np.int64(ring_ptr[r + 1])
        chord[g] = ring_bonds[first]  # rings.py writes the chord first
        word = 0
        for s in range(first + 1, last):
            b = np.int64(ring_bonds[s])
            child = max(np.int64(begin[b]), np.int64(end[b]))
            if rank[child] == UNRANKED:
                if ranked == MAX_FOREST:
                    return -1
                rank[child] = ranked
                bond_of[ranked] = b
                ranked += 1
            word |= 1 << np.int64(rank[child])
        tree[g] = word
        mix[g] = 1 << g
        size[g] = last - first
        g += 1
    return g


@per_molecule
def relevant(g, tree, mix, size):
    """Turn a basis of g cycles into a smallest one, followed by all other cycles that belong to some smallest one.

    Returns the number of cycles, or -1 if there are too many.
    """
    while True:
        sort_by_size(g, tree, mix, size)
        found = g
        changed = False
        for h in range(1, g):
            whole, parts = np.int64(tree[h]), np.int64(mix[h])
            best_size, best_whole, best_parts = np.int64(size[h]), whole, parts
            for step in range(1, 1 << h):
                flip = lowest(step)
                whole ^= np.int64(tree[flip])
                parts ^= np.int64(mix[flip])
                length = ones(whole) + ones(parts)
                if length < best_size:
                    best_size, best_whole, best_parts = length, whole, parts
                    changed = True
                elif length == size[h] and not changed:
                    if found == MAX_RINGS:
                        return -1
                    tree[found] = whole
                    mix[found] = parts
                    found += 1
            if changed:
                tree[h] = best_whole
                mix[h] = best_parts
                size[h] = best_size
                break
        if not changed:
            return found


@per_molecule
def core_degrees(begin, end, n, m, core, link):
    """Bonds of each atom that lie in rings or between rings, in core. link holds the exclusive or of their other ends."""
    for i in range(n):
        core[i] = 0
        link[i] = 0
    for b in range(m):
        u, v = np.int64(begin[b]), np.int64(end[b])
        core[u] += 1
        core[v] += 1
        link[u] ^= v
        link[v] ^= u
    for i in range(n):
        u = i
        while core[u] == 1:
            v = np.int64(link[u])
            core[u] = 0
            core[v] -= 1
            link[v] ^= u
            u = v


@per_molecule
def own_atoms(first, last, ring_ptr, ring_atoms, core, seen):
    """True if each of the rings `first` to `last` has an atom in no other of them, of two core bonds. seen: 0 before, after."""
    for s in range(ring_ptr[first], ring_ptr[last]):
        seen[ring_atoms[s]] += 1
    lacking = 0
    for r in range(first, last):
        own = 0
        for s in range(ring_ptr[r], ring_ptr[r + 1]):
            if seen[ring_atoms[s]] == 1 and core[ring_atoms[s]] == 2:
                own += 1
        if own == 0:
            lacking += 1
    for s in range(ring_ptr[first], ring_ptr[last]):
        seen[ring_atoms[s]] = 0
    return lacking == 0


@per_molecule
def lowest(x):
    """Number of the lowest bit set."""
    at = 0
    while x & 1 == 0:
        x >>= 1
        at += 1
    return at


@per_molecule
def sort_by_size(g, tree, mix, size):
    """Insertion sort of cycles, shortest first."""
    for i in range(1, g):
        t, x, s = np.int64(tree[i]), np.int64(mix[i]), np.int64(size[i])
        j = i
        while j > 0 and size[j - 1] > s:
            tree[j] = tree[j - 1]
            mix[j] = mix[j - 1]
            size[j] = size[j - 1]
            j -= 1
        tree[j] = t
        mix[j] = x
        size[j] = s


@per_molecule
def write_rings(begin, end, total, found, tree, mix, bond_of, chord, seen, ring_ptr, ring_atoms, ring_bonds):
    """Append cycles after the first `total` rings; the new total, or -1 without room. seen is all 0 before and after."""
    for c in range(found):
        if total == MAX_RINGS:
            return -1
        first = np.int64(ring_ptr[total])
        bonds_at, atoms_at = first, first
        for half in range(2):
            word = np.int64(tree[c]) if half == 0 else np.int64(mix[c])
            bit = 0
            while word != 0:
                if word & 1:
                    if bonds_at >= MAX_RING_SLOTS - 2:
                        return -1
                    b = np.int64(bond_of[bit]) if half == 0 else np.int64(chord[bit])
                    ring_bonds[bonds_at] = b
                    bonds_at += 1
                    u, v = np.int64(begin[b]), np.int64(end[b])
                    if seen[u] == 0:
                        seen[u] = 1
                        ring_atoms[atoms_at] = u
                        atoms_at += 1
                    if seen[v] == 0:
                        seen[v] = 1
                        ring_atoms[atoms_at] = v
                        atoms_at += 1
                word >>= 1
                bit += 1
        for s in range(first, atoms_at):
            seen[np.int64(ring_atoms[s])] = 0
        total += 1
        ring_ptr[total] = bonds_at
    return total


@per_molecule
def drop_rings(total, gone, ring_ptr, ring_atoms, ring_bonds):
    """Remove the rings in the set `gone` from the lists; the number left."""
    kept, at = 0, 0
    for r in range(total):
        if gone >> r & 1:
            continue
        first, last = np.int64(ring_ptr[r]), np.int64(ring_ptr[r + 1])
        for s in range(first, last):
            ring_atoms[at] = ring_atoms[s]
            ring_bonds[at] = ring_bonds[s]
            at += 1
        kept += 1
        ring_ptr[kept] = at
    return kept
