"""Aromatic unions of fused rings: where one ring alone has not 4k + 2 electrons, two to six together may (azulene).

As RDKit's applyHuckelToFused: rings are joined where they share exactly one bond and have at most MAX_FUSED_SIZE atoms. All
connected sets of 2 rings are asked, then of 3, up to MAX_UNION, until every bond of the system is aromatic. A union that has
4k + 2 electrons, not counting atoms in three of its rings, makes aromatic its atoms, and its bonds that are in one of its rings.
Marks: MARKED in the state of an atom, MARKED_BOND added to the order of a bond.
"""

from __future__ import annotations

import numpy as np

from drylab.kernels.adjacency import MAX_ATOMS, MAX_BONDS
from drylab.kernels.cages import MAX_RINGS, ones
from drylab.kernels.electrons import huckel
from drylab.kernels.twin import per_molecule

MARKED = 1 << 13  # state: in an aromatic ring
MARKED_BOND = 8  # added to order: aromatic

MAX_FUSED = 10  # rings in a system where one ring alone is not aromatic
MAX_UNION = 6  # rings in a union (maxFused in RDKit)
MAX_FUSED_SIZE = 24  # atoms in a ring of a union (maxFusedAromaticRingSize in RDKit)
UNION_WORDS = MAX_ATOMS + MAX_BONDS + MAX_RINGS  # int64 scratch


@per_molecule
def mark_ring(r, ring_ptr, ring_atoms, ring_bonds, state, order):
    """Mark the atoms and bonds of one ring."""
    for s in range(ring_ptr[r], ring_ptr[r + 1]):
        state[ring_atoms[s]] |= MARKED
        order[ring_bonds[s]] |= MARKED_BOND


@per_molecule
def fused(found, chosen, electrons, ring_ptr, ring_atoms, ring_bonds, state, order, words):
    """Ask the unions of fused rings, where a ring by itself is not aromatic. False if there are too many."""
    at_atom, at_bond, near = words, words[MAX_ATOMS:], words[MAX_ATOMS + MAX_BONDS :]
    for c in range(found):
        r = np.int64(chosen[c])
        for s in range(ring_ptr[r], ring_ptr[r + 1]):
            at_atom[ring_atoms[s]] = 0
            at_bond[ring_bonds[s]] = 0
    for c in range(found):
        r = np.int64(chosen[c])
        for s in range(ring_ptr[r], ring_ptr[r + 1]):
            at_atom[ring_atoms[s]] |= 1 << c
            at_bond[ring_bonds[s]] |= 1 << c
    small = 0
    for c in range(found):
        r = np.int64(chosen[c])
        if ring_ptr[r + 1] - ring_ptr[r] <= MAX_FUSED_SIZE:
            small |= 1 << c
    for c in range(found):
        near[c] = 0
        r = np.int64(chosen[c])
        once, twice = np.int64(0), np.int64(0)
        for s in range(ring_ptr[r], ring_ptr[r + 1]):
            here = np.int64(at_bond[ring_bonds[s]])
            twice |= once & here
            once |= here
        if small >> c & 1:
            near[c] = once & ~twice & small
    asked = 0
    for c in range(found):
        if asked >> c & 1:
            continue
        system = connected(1 << c, -1, found, near)
        asked |= system
        if system != 1 << c and not ask_unions(
            system, found, chosen, electrons, ring_ptr, ring_atoms, ring_bonds, state, order, at_atom, at_bond, near
        ):
            return False
    return True


@per_molecule
def connected(start, within, found, near):
    """The rings of `within` reached from the rings `start` over shared bonds."""
    reached, grown = np.int64(0), np.int64(start)
    while reached != grown:
        reached = grown
        for c in range(found):
            if reached >> c & 1:
                grown |= np.int64(near[c]) & within
    return reached


@per_molecule
def ask_unions(
    system, found, chosen, electrons, ring_ptr, ring_atoms, ring_bonds, state, order, at_atom, at_bond, near
):
    """Mark what the unions of 2 to MAX_UNION rings of one fused system make aromatic. False if there are too many."""
    if ones(system) > MAX_FUSED:
        return False
    for size in range(2, min(ones(system), MAX_UNION) + 1):
        if all_marked(system, found, chosen, ring_ptr, ring_bonds, order):
            return True
        union = system
        while union > 0:  # all subsets, in falling order
            if ones(union) == size and connected(union & -union, union, found, near) == union:
                ask_union(
                    union, found, chosen, electrons, ring_ptr, ring_atoms, ring_bonds, state, order, at_atom, at_bond
                )
            union = (union - 1) & system
    return True


@per_molecule
def all_marked(system, found, chosen, ring_ptr, ring_bonds, order):
    """True if every bond of a system is marked."""
    for c in range(found):
        if system >> c & 1:
            r = np.int64(chosen[c])
            for s in range(ring_ptr[r], ring_ptr[r + 1]):
                if order[ring_bonds[s]] & MARKED_BOND == 0:
                    return False
    return True


@per_molecule
def ask_union(union, found, chosen, electrons, ring_ptr, ring_atoms, ring_bonds, state, order, at_atom, at_bond):
    """Mark a union of rings if its atoms, but those in three rings of it, give 4k + 2 electrons."""
    count = 0
    for c in range(found):
        if union >> c & 1:
            r = np.int64(chosen[c])
            for s in range(ring_ptr[r], ring_ptr[r + 1]):
                a = np.int64(ring_atoms[s])
                inside = np.int64(at_atom[a]) & union
                first = inside & -inside
                if first == 1 << c and ones(inside) <= 2:
                    count += np.int64(electrons[a])
    if not huckel(count):
        return
    for c in range(found):
        if union >> c & 1:
            r = np.int64(chosen[c])
            for s in range(ring_ptr[r], ring_ptr[r + 1]):
                state[ring_atoms[s]] |= MARKED
                b = np.int64(ring_bonds[s])
                inside = np.int64(at_bond[b]) & union
                if inside & (inside - 1) == 0:
                    order[b] |= MARKED_BOND
