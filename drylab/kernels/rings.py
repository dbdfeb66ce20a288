"""The rings of a molecule, as RDKit's RingInfo holds them after MolFromSmiles: the symmetrised smallest set of smallest rings.

Input: a molecule of n atoms and m bonds with begin, end (m,) uint8 and bond_ring (m,) uint8, 1 unless the bond is a
bridge. Every atom but the first of its ring system must have a ring neighbour of lower number; atoms numbered in the
order of a SMILES without dots do, and others are declined or right. Output, in caller's scratch:
    ring_ptr    (MAX_RINGS + 1,) uint16: ring i stands at ring_ptr[i]:ring_ptr[i+1]
    ring_atoms  (MAX_RING_SLOTS,) uint8, ring_bonds (MAX_RING_SLOTS,) uint16: its atoms and its bonds, numbered within the
                molecule and in no order: a ring is a set, and so are the rings
and the number of rings, or a negative code: the molecule is declined.

How. Each atom's nearest ring closure, or else its chain neighbour, is its parent; every other ring bond is a chord and closes
one ring over that forest, which is shallow, so these rings are short. Rings that share at most one bond two by two, and whose
sharing graph is a forest, are the only smallest set: in a sum of several of them each ring adds its size, at least 3, and loses
at most 2 for its one bond to the rest, so the sum is longer than the longest. RDKit finds this set whatever the order. That
settles nine drug-like molecules in ten; cages.py knows RDKit's rings in most of the others, and rings_kept.py finds the rest
as RDKit does, in about twenty times the time. What is declined is in parts and caged at once, or has more than 16 candidate rings
around a cage (cyclodextrins, fullerenes), or has a ring bond that RDKit's search misses.

Array elements are read through np.int64: numba 0.68 makes int() of an unsigned element uint64, and a sum with an int64 float.
Versions tried, ns a molecule of 31 atoms and 3.8 rings on one busy core: lowest neighbour as parent, 27 % tangled, all ties
to rings_kept.py 490; nearest closure as parent, 8 % tangled 410; bicyclo[2.2.2]octanes and adamantanes in cages.py 350.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drylab.kernels.adjacency import MAX_ATOMS
from drylab.kernels.cages import CAGE_BYTES, CAGE_SHORTS, CAGE_WORDS, MAX_RING_SLOTS, MAX_RINGS, untangle
from drylab.kernels.rings_kept import DECLINED_CAGE, KEPT_BYTES, KEPT_SHORTS, KEPT_WORDS, rings_kept
from drylab.kernels.twin import inlined, launcher, per_molecule
from drylab.types import PARSED

RING_BYTES = max(MAX_ATOMS + CAGE_BYTES, KEPT_BYTES)  # scratch of rings: uint8,
RING_SHORTS = max(MAX_ATOMS + MAX_RINGS + CAGE_SHORTS, KEPT_SHORTS)  # uint16
RING_WORDS = max(MAX_ATOMS + MAX_RINGS + CAGE_WORDS, KEPT_WORDS)  # and int64

NO_PARENT = 255
DECLINED_ORDER = -1  # atoms are not numbered as in a SMILES
DECLINED_SIZE = -2  # too many rings, or rings too large


@per_molecule
def rings(begin, end, bond_ring, n, m, ring_ptr, ring_atoms, ring_bonds, bytes_, shorts, words):
    """Number of rings of one molecule, and the rings; negative if declined. Contract at the top of the file.

    Scratch: bytes_ (RING_BYTES,) uint8, shorts (RING_SHORTS,) uint16, words (RING_WORDS,) int64.
    """
    parent, via, chord = bytes_, shorts, shorts[MAX_ATOMS:]
    k = shallow_forest(begin, end, bond_ring, n, m, parent, via, chord)
    if k <= 0:
        return k
    group = words[MAX_ATOMS:]
    tangled = walk_rings(begin, end, n, k, ring_ptr, ring_atoms, ring_bonds, parent, via, chord, words, group)
    if tangled <= 0:
        return k if tangled == 0 else tangled
    return rings_again(begin, end, bond_ring, n, m, k, tangled, ring_ptr, ring_atoms, ring_bonds, bytes_, shorts, words)


@per_molecule
def rings_again(begin, end, bond_ring, n, m, k, tangled, ring_ptr, ring_atoms, ring_bonds, bytes_, shorts, words):
    """The rings where those over the forest may not be the smallest: by cages.py or, at last, RDKit's own search."""
    group = words[MAX_ATOMS:]
    scratch8, scratch16 = bytes_[MAX_ATOMS:], shorts[MAX_ATOMS + MAX_RINGS :]
    scratch64 = words[MAX_ATOMS + MAX_RINGS :]
    found = untangle(
        begin, end, n, m, k, tangled, group, ring_ptr, ring_atoms, ring_bonds, scratch8, scratch16, scratch64
    )
    if found >= 0:
        return found
    if k != m - n + 1:  # a molecule in parts
        return DECLINED_CAGE
    found = rings_kept(begin, end, n, m, ring_ptr, ring_atoms, ring_bonds, bytes_, shorts, words)
    return found if found < 0 or covered(bond_ring, m, found, ring_ptr, ring_bonds, bytes_) else DECLINED_CAGE


@inlined
def rings_of_text(begin, end, atom_ring, bond_ring, n, m, ring_ptr, ring_atoms, ring_bonds, bytes_, shorts, words):
    """``rings`` of a molecule as the parser has it, which also fills atom_ring (n,) and bond_ring (m,) uint8.

    Bond i < n - 1 joins atom i + 1 to a lower one, its parent; the others are ring closures. So the forest is there but for
    the closures, and a bond is in a ring (no bridge) if it is in one of the rings over that tree.
    """
    parent, via, chord = bytes_, shorts, shorts[MAX_ATOMS:]
    chain = n - 1
    for i in range(n):
        atom_ring[i] = 0
    for b in range(m):
        bond_ring[b] = 0
    if m == chain:
        return 0
    if m - chain > MAX_RINGS:
        return DECLINED_SIZE
    for b in range(chain):
        parent[b + 1] = begin[b]
        via[b + 1] = b
    for b in range(chain, m):
        close_chord(begin, end, b, chain, b - chain, parent, via, chord)
    k = m - chain
    group = words[MAX_ATOMS:]
    tangled = walk_rings(begin, end, n, k, ring_ptr, ring_atoms, ring_bonds, parent, via, chord, words, group)
    if tangled < 0:
        return tangled
    for at in range(np.int64(ring_ptr[k])):
        atom_ring[ring_atoms[at]] = 1
        bond_ring[ring_bonds[at]] = 1
    if tangled == 0:
        return k
    return rings_again(begin, end, bond_ring, n, m, k, tangled, ring_ptr, ring_atoms, ring_bonds, bytes_, shorts, words)


@inlined
def close_chord(begin, end, b, chain, k, parent, via, chord):
    """Take bond b into the forest instead of the bond from its higher atom to the parent, if that suits; chord k is the other."""
    u, v = np.int64(begin[b]), np.int64(end[b])
    if u > v:
        u, v = v, u
    if u > np.int64(parent[v]) or np.int64(via[v]) < chain:
        chord[k] = via[v]
        parent[v] = u
        via[v] = b
    else:
        chord[k] = b


@per_molecule
def covered(bond_ring, m, k, ring_ptr, ring_bonds, left):
    """True if every ring bond is in one of the rings: RDKit's search can miss some, and then says they are in no ring."""
    for b in range(m):
        left[b] = bond_ring[b]
    for s in range(ring_ptr[k]):
        left[ring_bonds[s]] = 0
    lost = 0
    for b in range(m):
        lost += np.int64(left[b])
    return lost == 0


@per_molecule
def shallow_forest(begin, end, bond_ring, n, m, parent, via, chord):
    """Fill parent and via, a lower ring neighbour and the bond to it, and chord, the ring bonds not in the forest.

    A ring closure is preferred to the bonds of the chain, which come first, and the nearest to others: then most chords
    close smallest rings. Returns how many chords there are: the number of independent rings.
    """
    for i in range(n):
        parent[i] = NO_PARENT
    k = 0
    chain = n - 1
    for b in range(m):
        if bond_ring[b] == 0:
            continue
        v = max(np.int64(begin[b]), np.int64(end[b]))
        if parent[v] == NO_PARENT:
            parent[v] = min(np.int64(begin[b]), np.int64(end[b]))
            via[v] = b
            continue
        if k == MAX_RINGS:
            return DECLINED_SIZE
        close_chord(begin, end, b, chain, k, parent, via, chord)
        k += 1
    return k


@per_molecule
def walk_rings(begin, end, n, k, ring_ptr, ring_atoms, ring_bonds, parent, via, chord, cover, group):
    """Write the ring that each chord closes over the forest: up from its two ends until they meet.

    Returns the set of rings (bits) that share bonds otherwise than the proof at the top allows; negative if declined.
    """
    for i in range(n):
        cover[i] = 0
    tangled = 0
    at = 0
    ring_ptr[0] = 0
    for r in range(k):
        b = np.int64(chord[r])
        u, v = np.int64(begin[b]), np.int64(end[b])
        ring_bonds[at] = b
        shared = 0
        while u != v:
            u, v = max(u, v), min(u, v)
            up = np.int64(parent[u])
            if up == NO_PARENT:
                return DECLINED_ORDER
            if at >= MAX_RING_SLOTS - 2:
                return DECLINED_SIZE
            others = np.int64(cover[u])
            if others != 0:
                if others & (others - 1) != 0 or others & shared != 0:
                    tangled |= 1 << r
                shared |= others
            cover[u] = others | (1 << r)
            ring_atoms[at] = u
            at += 1
            ring_bonds[at] = via[u]
            u = up
        ring_atoms[at] = u
        at += 1
        ring_ptr[r + 1] = at
        tangled |= join_groups(r, shared, group)
    return tangled


@per_molecule
def join_groups(r, shared, group):
    """Put ring r into the system of the rings it shares bonds with; 1 << r if that closes a circle of rings, else 0."""
    mine = 1 << r
    circle = 0
    j = 0
    while shared != 0:
        if shared & 1:
            if mine >> j & 1:
                circle = 1 << r
            mine |= np.int64(group[j])
        shared >>= 1
        j += 1
    for j in range(r + 1):
        if mine >> j & 1:
            group[j] = mine
    return circle


@launcher
def _rings_flat(atom_ptr, bond_ptr, status, begin, end, bond_ring, counts, sizes, atoms, bonds, fill):
    """One pass over molecules: counts and sizes always, atoms and bonds when fill."""
    ring_ptr = np.empty(MAX_RINGS + 1, np.uint16)
    ring_atoms, ring_bonds = np.empty(MAX_RING_SLOTS, np.uint8), np.empty(MAX_RING_SLOTS, np.uint16)
    bytes_, shorts = np.empty(RING_BYTES, np.uint8), np.empty(RING_SHORTS, np.uint16)
    words = np.empty(RING_WORDS, np.int64)
    ring_at, slot = 0, 0
    for i in range(len(status)):
        counts[i] = 0
        if status[i] != PARSED:
            continue
        a0, a1, b0, b1 = atom_ptr[i], atom_ptr[i + 1], bond_ptr[i], bond_ptr[i + 1]
        k = rings(
            begin[b0:b1], end[b0:b1], bond_ring[b0:b1], a1 - a0, b1 - b0,
            ring_ptr, ring_atoms, ring_bonds, bytes_, shorts, words,
        )  # fmt: skip
        counts[i] = k
        if k <= 0:
            continue
        if fill:
            for r in range(k):
                sizes[ring_at + r] = ring_ptr[r + 1] - ring_ptr[r]
            for j in range(ring_ptr[k]):
                atoms[slot + j] = ring_atoms[j]
                bonds[slot + j] = ring_bonds[j]
        ring_at += k
        slot += ring_ptr[k]
    return ring_at, slot


def rings_flat(
    atom_ptr: NDArray[np.int32],
    bond_ptr: NDArray[np.int32],
    status: NDArray[np.uint8],
    begin: NDArray[np.uint8],
    end: NDArray[np.uint8],
    bond_ring: NDArray[np.uint8],
) -> tuple[NDArray[np.int16], NDArray[np.uint16], NDArray[np.uint8], NDArray[np.uint16]]:
    """Rings of n molecules in the flat arrays of MolGraphs, on the CPU.

    Returns counts (n,) int16, the rings of each molecule or a negative code where declined; sizes (rings,) uint16, ring
    after ring; atoms (slots,) uint8 and bonds (slots,) uint16, numbered within the molecule.
    """
    counts = np.zeros(len(status), np.int16)
    none = np.zeros(0, np.uint16)
    arrays = (atom_ptr, bond_ptr, status, begin, end, bond_ring, counts)
    n_rings, slots = _rings_flat(*arrays, none, none.astype(np.uint8), none, False)
    sizes, atoms, bonds = np.empty(n_rings, np.uint16), np.empty(slots, np.uint8), np.empty(slots, np.uint16)
    _rings_flat(*arrays, sizes, atoms, bonds, True)
    return counts, sizes, atoms, bonds
