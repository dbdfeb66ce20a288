"""From the aromaticity a SMILES is written with to the aromaticity RDKit ends with, or a refusal.

RDKit turns what it read into a Kekule structure (kekule.py) and then perceives aromaticity anew (Code/GraphMol/Aromaticity.cpp,
default model): an atom gives 0, 1 or 2 electrons or bars its rings (electrons.py); a ring of 4k + 2 electrons is aromatic, and so
is a union of up to six rings that share one bond two by two, of which only the bonds in one ring are marked (unions.py).
``aromatise`` does the same in place, on a graph as written:
    element, hydrogens, degree, aromatic, atom_ring (n,) uint8, charge (n,) int8,
    begin, end, order, bond_ring (m,) uint8: orders 1 to 4, 4 only between lower-case atoms and in rings,
    the rings of rings.py.
It returns 0, and aromatic and order are RDKit's, or one of the codes below; then they are as written or half done.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drylab.kernels.adjacency import MAX_ATOMS, MAX_BONDS
from drylab.kernels.cages import MAX_RING_SLOTS, MAX_RINGS
from drylab.kernels.electrons import BARRED, UNKNOWN, donated, huckel, read_bonds
from drylab.kernels.kekule import (
    ALONE,
    AROMATIC,
    EXTRA_MASK,
    LOW,
    MAX_TAKERS,
    TAKER,
    TAKES,
    UNSURE,
    O,
    S,
    fixed,
    match,
    takes_double,
)
from drylab.kernels.rings import RING_BYTES, RING_SHORTS, RING_WORDS, rings
from drylab.kernels.twin import launcher, per_molecule
from drylab.kernels.unions import MARKED, MARKED_BOND, UNION_WORDS, fused, mark_ring
from drylab.types import PARSED, MolGraphs

AROMATIC_BYTES = 9 * MAX_ATOMS + MAX_RINGS  # scratch of aromatise: uint8,
AROMATIC_SHORTS = MAX_ATOMS + MAX_BONDS  # uint16
AROMATIC_WORDS = UNION_WORDS  # and int64

DECLINED_BOND = 1  # a bond order other than 1 to 4, or an aromatic bond on an upper-case atom
DECLINED_CHAIN = 2  # a lower-case atom outside rings
DECLINED_ATOM = 3  # an aromatic atom of unusual element, charge or valence
DECLINED_KEKULE = 4  # no Kekule structure found
DECLINED_DONOR = 5  # an atom of unknown electron count in a ring that may be aromatic
DECLINED_FUSED = 6  # too many fused rings
DECLINED_ORDER = 7  # a bond's order depends on the choice of the Kekule structure
DECLINED_INNER = 8  # an atom of aromatic rings all of whose bonds lie between two of them: versions of RDKit differ

UNSET = 5  # electrons of an atom not yet looked at
MAX_CHALCOGEN_SIZE = 8  # atoms in a ring with a neutral O or S: larger ones are never aromatic (seen in RDKit 2026.3.5)
IN_LARGE = 1 << 14  # state: a neutral O or S of such a larger ring


@per_molecule
def aromatise(
    element, charge, hydrogens, degree, aromatic, atom_ring, begin, end, order, bond_ring, n, m,
    n_rings, ring_ptr, ring_atoms, ring_bonds, bytes_, shorts, words,
):  # fmt: skip
    """0 or the reason to decline one molecule. Contract at the top of the file.

    Scratch: bytes_ (AROMATIC_BYTES,) uint8, shorts (AROMATIC_SHORTS,) uint16, words (AROMATIC_WORDS,) int64.
    """
    if n_rings == 0:
        lower = 0
        for i in range(n):
            lower |= aromatic[i]
        return DECLINED_CHAIN if lower else 0
    state, low = shorts, shorts[MAX_ATOMS:]
    takers, mate, near = bytes_, bytes_[MAX_ATOMS:], bytes_[2 * MAX_ATOMS :]
    free, stack, seen = bytes_[5 * MAX_ATOMS :], bytes_[6 * MAX_ATOMS :], bytes_[7 * MAX_ATOMS :]
    electrons, chosen = bytes_[8 * MAX_ATOMS :], bytes_[9 * MAX_ATOMS :]
    n_low = read_bonds(element, begin, end, order, bond_ring, n, m, state, low)
    if n_low < 0:
        return DECLINED_BOND
    n_takers = read_atoms(element, charge, hydrogens, degree, aromatic, atom_ring, n, state, takers, mate)
    if n_takers < 0:
        return -n_takers
    if n_takers > MAX_TAKERS or (
        n_takers > 0 and not match(begin, end, low, n_low, takers, n_takers, state, mate, near, free, stack, seen)
    ):
        return DECLINED_KEKULE
    found = candidates(
        element,
        charge,
        hydrogens,
        degree,
        n,
        n_rings,
        ring_ptr,
        ring_atoms,
        ring_bonds,
        state,
        electrons,
        chosen,
        order,
    )
    if found < 0:
        return DECLINED_DONOR
    if found > 0 and not fused(found, chosen, electrons, ring_ptr, ring_atoms, ring_bonds, state, order, words):
        return DECLINED_FUSED
    return write(begin, end, order, aromatic, n, m, takers, n_takers, state, mate, near, stack, seen)


@per_molecule
def read_atoms(element, charge, hydrogens, degree, aromatic, atom_ring, n, state, takers, mate):
    """List the atoms that take a double bond, in state and takers, and give each no mate; number, or minus a reason."""
    n_takers = 0
    for i in range(n):
        mate[i] = ALONE
        if aromatic[i] == 0:
            if state[i] & LOW:
                return -DECLINED_BOND
            continue
        if atom_ring[i] == 0:
            return -DECLINED_CHAIN
        bonds = np.int64(degree[i]) + np.int64(hydrogens[i]) + (np.int64(state[i]) & EXTRA_MASK)
        verdict = takes_double(np.int64(element[i]), np.int64(charge[i]), bonds)
        if verdict == UNSURE:
            return -DECLINED_ATOM
        if verdict == TAKES:
            state[i] |= TAKER
            takers[n_takers] = i
            n_takers += 1
    return n_takers


@per_molecule
def candidates(
    element, charge, hydrogens, degree, n, n_rings, ring_ptr, ring_atoms, ring_bonds, state, electrons, chosen, order
):
    """Mark the rings that are aromatic by themselves; list the rings no atom bars.

    Returns how many are listed in `chosen`, 0 also if all of them are aromatic and nothing is left to ask; -1 if an atom's
    electrons are UNKNOWN.
    """
    for i in range(n):
        electrons[i] = UNSET
    flag_chalcogens(n_rings, element, charge, ring_ptr, ring_atoms, state)
    found, failed = 0, 0
    for r in range(n_rings):
        count, barred, unknown = 0, False, False
        for s in range(ring_ptr[r], ring_ptr[r + 1]):
            a = np.int64(ring_atoms[s])
            given = np.int64(electrons[a])
            if given == UNSET:
                given = donated(
                    np.int64(element[a]),
                    np.int64(charge[a]),
                    np.int64(hydrogens[a]),
                    np.int64(degree[a]),
                    np.int64(state[a]),
                )
                electrons[a] = given
            if given == BARRED:
                barred = True
                break
            if given == UNKNOWN or (state[a] & IN_LARGE and ring_ptr[r + 1] - ring_ptr[r] <= MAX_CHALCOGEN_SIZE):
                unknown = True
            count += given
        if not barred and ring_ptr[r + 1] - ring_ptr[r] > MAX_CHALCOGEN_SIZE:
            bridged = chalcogens(r, n_rings, element, charge, ring_ptr, ring_atoms)
            barred, unknown = bridged == 0, unknown or bridged > 0
        if barred:
            continue
        if unknown:
            return -1
        chosen[found] = r
        found += 1
        if huckel(count):
            mark_ring(r, ring_ptr, ring_atoms, ring_bonds, state, order)
        else:
            failed += 1
    return found if failed > 0 and found > 1 else 0


@per_molecule
def flag_chalcogens(n_rings, element, charge, ring_ptr, ring_atoms, state):
    """Flag the neutral O and S of every ring above MAX_CHALCOGEN_SIZE. Whether RDKit lets them into another, smaller ring depends
    on the order of its rings."""
    for r in range(n_rings):
        if ring_ptr[r + 1] - ring_ptr[r] <= MAX_CHALCOGEN_SIZE:
            continue
        for s in range(ring_ptr[r], ring_ptr[r + 1]):
            a = np.int64(ring_atoms[s])
            if charge[a] == 0 and (element[a] == O or element[a] == S):
                state[a] |= IN_LARGE


@per_molecule
def chalcogens(r, n_rings, element, charge, ring_ptr, ring_atoms):
    """How many other rings have a neutral O or S of ring r in them; -1 if ring r has none."""
    others = -1
    for s in range(ring_ptr[r], ring_ptr[r + 1]):
        a = ring_atoms[s]
        if (element[a] == O or element[a] == S) and charge[a] == 0:
            others = max(others, 0)
            for t in range(ring_ptr[n_rings]):
                others += 1 if ring_atoms[t] == a else 0
            others -= 1
    return others


@per_molecule
def write(begin, end, order, aromatic, n, m, takers, n_takers, state, mate, near, stack, seen):
    """Turn marks into aromatic atoms and bonds, and aromatic bonds that are not marked into single and double ones."""
    for b in range(m):
        kind = np.int64(order[b])
        if kind >= MARKED_BOND:
            order[b] = 3 if kind == MARKED_BOND + 3 else AROMATIC
        elif kind == AROMATIC:
            u, v = np.int64(begin[b]), np.int64(end[b])
            if state[u] & state[v] & TAKER == 0:
                order[b] = 1
            elif fixed(u, v, takers, n_takers, mate, near, stack, seen):
                order[b] = 2 if mate[u] == v else 1
            else:
                return DECLINED_ORDER
    for i in range(n):
        aromatic[i] = 0
    for b in range(m):
        if order[b] == AROMATIC:
            aromatic[begin[b]] = 1
            aromatic[end[b]] = 1
    for i in range(n):
        if aromatic[i] == 0 and state[i] & MARKED:
            return DECLINED_INNER
    return 0


@launcher
def _aromatise_flat(atoms, bonds, atom_ptr, bond_ptr, status, codes):
    """Rings and aromatise, molecule after molecule; codes (n,) int16."""
    ring_ptr = np.empty(MAX_RINGS + 1, np.uint16)
    ring_atoms, ring_bonds = np.empty(MAX_RING_SLOTS, np.uint8), np.empty(MAX_RING_SLOTS, np.uint16)
    bytes_ = np.empty(max(RING_BYTES, AROMATIC_BYTES), np.uint8)
    shorts = np.empty(max(RING_SHORTS, AROMATIC_SHORTS), np.uint16)
    words = np.empty(max(RING_WORDS, AROMATIC_WORDS), np.int64)
    element, charge, hydrogens, degree, aromatic, atom_ring = atoms
    begin, end, order, bond_ring = bonds
    for i in range(len(status)):
        codes[i] = 0
        if status[i] != PARSED:
            continue
        a0, a1, b0, b1 = atom_ptr[i], atom_ptr[i + 1], bond_ptr[i], bond_ptr[i + 1]
        n, m = np.int64(a1 - a0), np.int64(b1 - b0)
        u, v, cyclic = begin[b0:b1], end[b0:b1], bond_ring[b0:b1]
        k = rings(u, v, cyclic, n, m, ring_ptr, ring_atoms, ring_bonds, bytes_, shorts, words)
        if k < 0:
            codes[i] = k
            continue
        codes[i] = aromatise(
            element[a0:a1], charge[a0:a1], hydrogens[a0:a1], degree[a0:a1], aromatic[a0:a1], atom_ring[a0:a1],
            u, v, order[b0:b1], cyclic, n, m, k, ring_ptr, ring_atoms, ring_bonds, bytes_, shorts, words,
        )  # fmt: skip


def aromatise_flat(graphs: MolGraphs) -> tuple[NDArray[np.int16], NDArray[np.uint8], NDArray[np.uint8]]:
    """aromatise on graphs as written, on the CPU: codes (n,) int16 (negative: of rings.py), aromatic (a,), order (b,).

    Where the code is not 0, aromatic and order mean nothing.
    """
    codes = np.zeros(len(graphs), np.int16)
    aromatic, order = graphs.aromatic.copy(), graphs.order.copy()
    atoms = (graphs.element, graphs.charge, graphs.hydrogens, graphs.degree, aromatic, graphs.atom_ring)
    bonds = (graphs.begin, graphs.end, order, graphs.bond_ring)
    _aromatise_flat(atoms, bonds, graphs.atom_ptr, graphs.bond_ptr, graphs.status, codes)
    return codes, aromatic, order
