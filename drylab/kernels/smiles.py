"""SMILES bytes -> molecular graphs, exactly RDKit's or declined: drylab's parser, on the CPU and on a GPU.

A SMILES is a little program for drawing a graph. The kernel runs it, one molecule at a time:
    scan           bytes -> atoms, bonds of the chain, ring closures as written        (scan.py)
    settle         closures -> bonds, rings = not bridges, hydrogens, valence, parity  (settle.py)
    aromatise      Kekule structure and Hueckel count, as RDKit's sanitisation          (benzenoid.py, aromaticity.py)
    stereo         marks that are no stereocentre go, as RDKit's cleaning               (stereo.py, centres.py, cip.py)
The result is what MolFromSmiles ends with, in its order of atoms and bonds, or the row is declined with a reason, and
RDKit decides. Never another graph. A row that no SMILES reader accepts is invalid, with the byte where the trouble is.

``parse(data (bytes,) uint8, offsets (n+1,) int32)`` -> Parsed, on the device of ``data``.
Limits: 255 atoms, 510 bonds, 128 ring closures; no dots, wildcards, dative, quadruple or query bonds, no bonded metals,
no charges beyond 2 on bonded atoms, no explicit hydrogen without an isotope; REASONS lists what is declined.
Edges: no rows; an empty row ("no atoms"); any byte at all.

Layout. An atom or a bond takes one byte of text at least, so molecule i of a batch may write its atoms and its bonds at
offsets[i] of arrays as long as the text: no counting pass. The CPU twin appends molecule after molecule and never needs
the gaps. The GPU twin (one thread a molecule) writes at offsets[i], counts, takes a prefix sum, and moves each molecule
to its place with one warp.

Versions tried: AMD EPYC, one of two shared cores, 10,000 molecules of Enamine (43 characters), nanoseconds a molecule
    atoms, bonds, hydrogens, rings as non-bridges; what is written is believed                        730
    everything above: rings, aromatise and stereo on every molecule                                  2200
    the quick certificate (benzenoid.py) before aromatise                                            1700
    rings over the tree that the text draws, not over a forest found among all bonds                 1600
    no counting of references to arrays (twin.py), hot steps inlined                                 1220
    molecules written where they stand, not in a workspace and copied                                 940
    bonds of each atom counted while reading, not in a pass of their own                              910
    no Kekule structure asked of aromatic rings that share no bond; masks for a few branches          850
    all columns in one block of memory, which the system has ready at the next call                    830
Of the last, scan takes 30 %, closures 5, rings 17, hydrogens and valence 12, aromaticity and stereo 28, the rest the loop and fresh
memory. The limit is not memory (45 bytes in, 400 out) but branches that cannot be foreseen: the same molecule over and over takes
three fifths of the time of 7,000 different ones. Tried, without gain: a scan of one table look-up a byte that masks what does
not apply (alone 270 for 325, in the whole parser the same, as it does more work to miss fewer branches); the same as a function
of its own with few arguments; all branches of benzenoid.py masked; the first hashes of stereo.py for the neighbours of centres
only, which settle two molecules in three.
Zinc fragments (26 characters) take 540, ChEMBL (57) 1500, where cages and stereo cost more.

Sources: http://opensmiles.org/opensmiles.html for the grammar; RDKit for everything that it does after reading.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import cuda

from drylab.device import array_module, on_device
from drylab.kernels.adjacency import MAX_ATOMS, MAX_BONDS, adjacency
from drylab.kernels.aromaticity import AROMATIC_BYTES, AROMATIC_SHORTS, AROMATIC_WORDS, aromatise
from drylab.kernels.benzenoid import BENZENOID_BYTES, benzenoid
from drylab.kernels.ragged import compacted
from drylab.kernels.rings import MAX_RING_SLOTS, MAX_RINGS, RING_BYTES, RING_SHORTS, RING_WORDS, rings_of_text
from drylab.kernels.scan import (
    AROMATICS,
    CHIRAL_MARK,
    DIRECTION_MARK,
    EMPTY,
    FIRST_INVALID,
    MANY_BONDS,
    MAX_CLOSURES,
    OK,
    REASONS,
    RING_NUMBERS,
    RINGS,
    STEREO,
    scan,
)
from drylab.kernels.settle import close_rings, settle_atoms, settle_bonds, settle_parity, sort_closures
from drylab.kernels.stereo import WORDS, stereo
from drylab.kernels.twin import inlined, per_molecule

__all__ = ["EMPTY", "FIRST_INVALID", "MANY_BONDS", "OK", "REASONS", "Parsed", "parse"]

ATOM_TYPES = (np.uint8, np.int8, np.uint8, np.uint8, np.uint8, np.uint8, np.uint8, np.uint16)
BOND_TYPES = (np.uint8,) * 5
# Scratch of one molecule, shared by the steps, which come one after the other.
SCRATCH_BYTES = max(RING_BYTES, AROMATIC_BYTES, BENZENOID_BYTES, 3 * (MAX_ATOMS + 1) + 3 * MAX_BONDS)
SCRATCH_SHORTS = max(RING_SHORTS, AROMATIC_SHORTS, MAX_ATOMS + 1 + 2 * MAX_BONDS)
SCRATCH_WORDS = max(RING_WORDS, AROMATIC_WORDS, WORDS)
# Named, since a CUDA kernel takes the sizes of local arrays from constants only.
OPENED_SHAPE, CLOSURE_SHAPE, RING_PTRS, BONDED = (RING_NUMBERS, 4), (MAX_CLOSURES, 7), MAX_RINGS + 1, MAX_ATOMS + 1
THREADS = 64  # a block of the parsing kernel; each thread has kilobytes of scratch, so more would not be resident


class Parsed(NamedTuple):
    """What ``parse`` returns: n molecules, flat.

    atom_ptr, bond_ptr  (n+1,) int32
    reason    (n,) uint8: OK, or the number of a reason in REASONS; from FIRST_INVALID on the row is no SMILES
    position  (n,) int32: byte of the row where reading stopped
    atoms     element, charge, hydrogens, degree, aromatic, atom_ring, chirality, isotope as in MolGraphs
    bonds     begin, end, order, bond_ring, direction as in MolGraphs
    room      on the CPU, the arrays whose first part are atoms and bonds, as long as the text: there more may be put in between
    """

    atom_ptr: Any
    bond_ptr: Any
    reason: Any
    position: Any
    atoms: tuple[Any, ...]
    bonds: tuple[Any, ...]
    room: tuple[tuple[Any, ...], tuple[Any, ...]] | None = None


@inlined
def parse_molecule(
    data, first, last, element, charge, hydrogens, degree, aromatic, atom_ring, chirality, isotope,
    begin, end, order, bond_ring, direction,
    opened, closure, bonded, doubles, bytes_, electrons, free, shorts, words, ring_ptr, ring_atoms, ring_bonds, state,
):  # fmt: skip
    """Parse data[first:last] into the columns of one molecule (as long as the text, MAX_ATOMS or MAX_BONDS): a reason.

    Charge, chirality, isotope, direction and the marks in hydrogens have to be 0 on entry; ``wipe`` makes them so again.
    state: atoms, bonds (closures if the reason is not OK), position, marks.
    """
    reason = scan(
        data, first, last, element, charge, hydrogens, aromatic, chirality, isotope, begin, end, order, direction,
        bytes_, opened, closure, bonded, doubles, state,
    )  # fmt: skip
    if reason != OK:
        return reason
    n, count, marks = np.int64(state[0]), np.int64(state[1]), np.int64(state[3])
    m = n - 1 + count
    if count > 1:
        sort_closures(closure, count)
    reason = close_rings(closure, count, aromatic, begin, end, order, direction, bonded, n)
    if reason != OK:
        return reason
    k = rings_of_text(begin, end, atom_ring, bond_ring, n, m, ring_ptr, ring_atoms, ring_bonds, bytes_, shorts, words)
    if k < 0:
        return RINGS
    n_aromatic = settle_bonds(element, begin, end, order, bond_ring, bonded, doubles, np.int64(state[4]), m)
    reason = settle_atoms(element, charge, hydrogens, degree, aromatic, atom_ring, isotope, bonded, electrons, free, n)
    if reason != OK:
        return reason
    if marks & CHIRAL_MARK:
        reason = settle_parity(chirality, hydrogens, degree, begin, end, order, closure, count, n, m)
        if reason != OK:
            return reason
    if k:
        sure = benzenoid(
            begin, end, order, n, m, n_aromatic, k, ring_ptr, ring_atoms, ring_bonds, electrons, free, shorts, bytes_
        )
        if not sure and aromatise(
            element, charge, hydrogens, degree, aromatic, atom_ring, begin, end, order, bond_ring, n, m,
            k, ring_ptr, ring_atoms, ring_bonds, bytes_, shorts, words,
        ):  # fmt: skip
            return AROMATICS
    state[1] = m
    if marks & (CHIRAL_MARK | DIRECTION_MARK):
        return clean_stereo(
            element, charge, hydrogens, isotope, chirality, begin, end, order, bond_ring, direction, n, m,
            bytes_, shorts, words,
        )  # fmt: skip
    return OK


@per_molecule
def clean_stereo(
    element, charge, hydrogens, isotope, chirality, begin, end, order, bond_ring, direction, n, m, bytes_, shorts, words
):
    """RDKit's final chirality and direction of a molecule that has some: OK or STEREO."""
    start, via = shorts, shorts[MAX_ATOMS + 1 :]
    neighbour, rank = bytes_, bytes_[2 * MAX_BONDS :]
    perm, mark, ends = rank[MAX_ATOMS:], rank[2 * MAX_ATOMS :], rank[3 * MAX_ATOMS :]
    adjacency(begin, end, n, m, start, neighbour, via)
    code = stereo(
        n, m, element, isotope, charge, hydrogens, bond_ring, begin, end, order, start, neighbour, via, chirality, direction,
        words, rank, perm, mark, ends,
    )  # fmt: skip
    return STEREO if code else OK


@per_molecule
def wipe(charge, hydrogens, chirality, isotope, direction, n, m):
    """Make zero again what has to be zero for the next molecule."""
    for i in range(n):
        charge[i] = 0
        hydrogens[i] = 0
        chirality[i] = 0
        isotope[i] = 0
    for b in range(m):
        direction[b] = 0


@per_molecule
def parse_rows(data, offsets, atoms, bonds, atom_ptr, bond_ptr, reasons, position, scratch):
    """The CPU twin's loop: molecules one behind the other, each parsed where it is to stand."""
    element, charge, hydrogens, degree, aromatic, atom_ring, chirality, isotope = atoms
    begin, end, order, bond_ring, direction = bonds
    (
        opened,
        closure,
        bonded,
        doubles,
        bytes_,
        electrons,
        free,
        shorts,
        words,
        ring_ptr,
        ring_atoms,
        ring_bonds,
        state,
    ) = scratch
    a0, b0 = 0, 0
    for i in range(len(offsets) - 1):
        reason = parse_molecule(
            data, np.int64(offsets[i]), np.int64(offsets[i + 1]), element[a0:], charge[a0:], hydrogens[a0:], degree[a0:],
            aromatic[a0:], atom_ring[a0:], chirality[a0:], isotope[a0:],
            begin[b0:], end[b0:], order[b0:], bond_ring[b0:], direction[b0:],
            opened, closure, bonded, doubles, bytes_, electrons, free, shorts, words, ring_ptr, ring_atoms, ring_bonds, state,
        )  # fmt: skip
        reasons[i] = reason
        position[i] = state[2]
        n, m = np.int64(state[0]), np.int64(state[1])
        if reason == OK:
            a0 += n
            b0 += m
        else:  # one more atom than counted may have been written, and as many bonds as atoms and closures
            n_wiped, m_wiped = min(n + 1, len(data) - a0), min(n + m, len(data) - b0)
            wipe(charge[a0:], hydrogens[a0:], chirality[a0:], isotope[a0:], direction[b0:], n_wiped, m_wiped)
        atom_ptr[i + 1] = a0
        bond_ptr[i + 1] = b0


def parse(data: Any, offsets: Any) -> Parsed:
    """Parse n SMILES, on the device of ``data``. The contract is at the top of this file."""
    assert len(data) < 2**31, "a batch holds fewer than 2**31 bytes of text; use smaller batches"
    return parse_on_gpu(data, offsets) if on_device(data) else parse_on_cpu(data, offsets)


def parse_on_cpu(data: np.ndarray, offsets: np.ndarray) -> Parsed:
    """The CPU twin; one core."""
    n = len(offsets) - 1
    atoms, bonds = _one_block(len(data))
    atom_ptr, bond_ptr = np.zeros(n + 1, np.int32), np.zeros(n + 1, np.int32)
    reason, position = np.zeros(n, np.uint8), np.zeros(n, np.int32)
    scratch = (
        np.full(OPENED_SHAPE, -1, np.int16),
        np.empty(CLOSURE_SHAPE, np.int16),
        np.empty(BONDED, np.uint16),
        np.empty(MAX_ATOMS, np.uint8),
        np.empty(SCRATCH_BYTES, np.uint8),
        np.empty(MAX_ATOMS, np.uint8),
        np.empty(MAX_ATOMS, np.uint8),
        np.empty(SCRATCH_SHORTS, np.uint16),
        np.empty(SCRATCH_WORDS, np.int64),
        np.empty(RING_PTRS, np.uint16),
        np.empty(MAX_RING_SLOTS, np.uint8),
        np.empty(MAX_RING_SLOTS, np.uint16),
        np.zeros(5, np.int64),
    )
    parse_rows(data, offsets, atoms, bonds, atom_ptr, bond_ptr, reason, position, scratch)
    n_atoms, n_bonds = int(atom_ptr[-1]), int(bond_ptr[-1])
    return Parsed(
        atom_ptr,
        bond_ptr,
        reason,
        position,
        tuple(column[:n_atoms] for column in atoms),
        tuple(column[:n_bonds] for column in bonds),
        (atoms, bonds),
    )


def _columns(xp: Any, n_atoms: int, n_bonds: int) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    return tuple(xp.zeros(n_atoms, t) for t in ATOM_TYPES), tuple(xp.zeros(n_bonds, t) for t in BOND_TYPES)


def _one_block(size: int) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    """The columns of a text of that many bytes in one piece of memory, which the system has ready when it is asked again.
    What ``parse_molecule`` wants to be zero is zero."""
    block = np.empty(14 * size, np.uint8)
    block[: 6 * size] = 0
    isotope, charge = block[: 2 * size].view(np.uint16), block[2 * size : 3 * size].view(np.int8)
    hydrogens, chirality, direction, *others = (block[at * size : (at + 1) * size] for at in range(3, 14))
    element, degree, aromatic, atom_ring, begin, end, order, bond_ring = others
    atoms = element, charge, hydrogens, degree, aromatic, atom_ring, chirality, isotope
    return atoms, (begin, end, order, bond_ring, direction)


@cuda.jit
def parse_kernel(data, offsets, atoms, bonds, n_atoms, n_bonds, reasons, position):
    """One thread a molecule: its atoms and bonds at offsets[i], how many, and why not."""
    i = cuda.grid(1)
    if i >= len(reasons):
        return
    out_element, out_charge, out_hydrogens, out_degree, out_aromatic, out_ring, out_chirality, out_isotope = atoms
    out_begin, out_end, out_order, out_cyclic, out_direction = bonds
    element, charge = cuda.local.array(MAX_ATOMS, np.uint8), cuda.local.array(MAX_ATOMS, np.int8)
    hydrogens, degree = cuda.local.array(MAX_ATOMS, np.uint8), cuda.local.array(MAX_ATOMS, np.uint8)
    aromatic, atom_ring = cuda.local.array(MAX_ATOMS, np.uint8), cuda.local.array(MAX_ATOMS, np.uint8)
    chirality, isotope = cuda.local.array(MAX_ATOMS, np.uint8), cuda.local.array(MAX_ATOMS, np.uint16)
    begin, end = cuda.local.array(MAX_BONDS, np.uint8), cuda.local.array(MAX_BONDS, np.uint8)
    order, bond_ring = cuda.local.array(MAX_BONDS, np.uint8), cuda.local.array(MAX_BONDS, np.uint8)
    direction = cuda.local.array(MAX_BONDS, np.uint8)
    opened = cuda.local.array(OPENED_SHAPE, np.int16)
    closure = cuda.local.array(CLOSURE_SHAPE, np.int16)
    bonded, doubles = cuda.local.array(BONDED, np.uint16), cuda.local.array(MAX_ATOMS, np.uint8)
    bytes_ = cuda.local.array(SCRATCH_BYTES, np.uint8)
    electrons, free = cuda.local.array(MAX_ATOMS, np.uint8), cuda.local.array(MAX_ATOMS, np.uint8)
    shorts, words = cuda.local.array(SCRATCH_SHORTS, np.uint16), cuda.local.array(SCRATCH_WORDS, np.int64)
    ring_ptr, ring_atoms = cuda.local.array(RING_PTRS, np.uint16), cuda.local.array(MAX_RING_SLOTS, np.uint8)
    ring_bonds, state = cuda.local.array(MAX_RING_SLOTS, np.uint16), cuda.local.array(5, np.int64)
    first, last = np.int64(offsets[i]), np.int64(offsets[i + 1])
    # An atom and a bond take a byte at least, so no more than this can be written.
    wipe(charge, hydrogens, chirality, isotope, direction, min(last - first, MAX_ATOMS), min(last - first, MAX_BONDS))
    for number in range(RING_NUMBERS):
        opened[number, 0] = -1
    reason = parse_molecule(
        data, first, last, element, charge, hydrogens, degree, aromatic, atom_ring, chirality, isotope,
        begin, end, order, bond_ring, direction,
        opened, closure, bonded, doubles, bytes_, electrons, free, shorts, words, ring_ptr, ring_atoms, ring_bonds, state,
    )  # fmt: skip
    reasons[i] = reason
    position[i] = state[2]
    if reason != OK:
        return
    n, m = np.int64(state[0]), np.int64(state[1])
    n_atoms[i + 1] = n
    n_bonds[i + 1] = m
    for j in range(n):
        out_element[first + j] = element[j]
        out_charge[first + j] = charge[j]
        out_hydrogens[first + j] = hydrogens[j]
        out_degree[first + j] = degree[j]
        out_aromatic[first + j] = aromatic[j]
        out_ring[first + j] = atom_ring[j]
        out_chirality[first + j] = chirality[j]
        out_isotope[first + j] = isotope[j]
    for j in range(m):
        out_begin[first + j] = begin[j]
        out_end[first + j] = end[j]
        out_order[first + j] = order[j]
        out_cyclic[first + j] = bond_ring[j]
        out_direction[first + j] = direction[j]


def parse_on_gpu(data: Any, offsets: Any) -> Parsed:
    """The GPU twin; also what the CUDA simulator runs, on NumPy arrays."""
    xp, n = array_module(data), len(offsets) - 1
    staged = _columns(xp, len(data), len(data))
    ptrs = xp.zeros(n + 1, xp.int32), xp.zeros(n + 1, xp.int32)
    reason, position = xp.zeros(n, xp.uint8), xp.zeros(n, xp.int32)
    if n:
        parse_kernel[(n + THREADS - 1) // THREADS, THREADS](data, offsets, *staged, *ptrs, reason, position)
    flat = []
    for ptr, columns in zip(ptrs, staged, strict=True):
        ptr[:] = xp.cumsum(ptr, dtype=xp.int32)
        flat.append(tuple(compacted(offsets, ptr, column) for column in columns))
    return Parsed(*ptrs, reason, position, *flat)
