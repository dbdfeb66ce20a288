"""The Morgan kernel on a GPU: the functions of one molecule that morgan.py's loop calls, called by one thread a molecule.

``small_kernel`` takes the fast path, with its scratch in the thread's local memory, which the hardware lays out so that
the threads of a warp at the same index touch neighbouring words. It marks the molecules that do not fit, 1 to 3 % of
drug-like ones, and ``any_kernel`` does those by the general path: some thousand threads, each with a row of scratch in
global memory, take them by turns.

Bits are folded straight into the molecule's row. Counts are written where there is room for as many as there are codes, and
moved together afterwards (ragged.py). Contract, limits and edges: morgan.py. No molecule has more than MAX_ATOMS atoms.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cuda

from drylab.device import array_module
from drylab.kernels.adjacency import MAX_ATOMS, MAX_BONDS
from drylab.kernels.environments import DECLINED, LANES, ROW, SMALL_LAYERS, SMALL_WORK, TOO_BIG, environments_small
from drylab.kernels.environments_any import any_slots, any_work, codes_length, environments_any, is_chiral, layers
from drylab.kernels.folding import BUCKETS, fold_bits, fold_counts
from drylab.kernels.invariants import correct, invariants, is_special
from drylab.kernels.ragged import compacted
from drylab.kernels.twin import per_molecule

PARSED = 0  # MolGraphs.status
# Named, since a CUDA kernel takes the sizes of local arrays from constants only.
SMALL_CODES = ROW * (SMALL_LAYERS + 1) + LANES  # more than MAX_ATOMS
SMALL_SLOTS = 1 << (ROW * SMALL_LAYERS - 1).bit_length()  # table_slots at its greatest
BUCKET_PTRS, STARTS, ENDS = BUCKETS + 1, MAX_ATOMS + 1, 2 * MAX_BONDS
THREADS = 64  # a block; each thread has kilobytes of scratch, so more would not be resident
ANY_SCRATCH = 1 << 31  # bytes of scratch of any_kernel at the most: 16,000 threads at radius 2


@per_molecule
def own_codes(n, m, element, charge, hydrogens, degree, isotope, atom_ring, begin, end, extra, codes):
    """codes[:n] of radius 0 of one molecule. Scratch: extra, n integers."""
    invariants(element, charge, hydrogens, degree, atom_ring, codes)
    if is_special(n, element, isotope):
        correct(n, m, element, charge, hydrogens, degree, isotope, atom_ring, begin, end, extra, codes)


@per_molecule
def fold(k, start, codes, count, n_bits, counted, buckets, bits, rows, bit_out, count_out):
    """Write the codes of molecule k, as counts from position ``start`` or as bits into rows[k]: how many were written."""
    if counted:
        return fold_counts(codes, count, n_bits, buckets, bits, bit_out, count_out, start) - start
    fold_bits(codes, count, n_bits, rows[k])
    return count


@cuda.jit
def small_kernel(graphs, atoms, bonds, marks, chiral, radius, n_bits, counted, rows, bit_out, count_out, found):
    """One thread a molecule. found (n,) int32: what was written, or TOO_BIG, or DECLINED."""
    k = cuda.grid(1)
    atom_ptr, bond_ptr, status = graphs
    if k >= len(status) or status[k] != PARSED:
        return
    element, charge, hydrogens, degree, isotope, atom_ring = atoms
    begin, end, order = bonds
    work, here = cuda.local.array(SMALL_WORK, np.int64), cuda.local.array(ROW, np.int64)
    there, table = cuda.local.array(ROW, np.int64), cuda.local.array(SMALL_SLOTS, np.int32)
    codes, bits = cuda.local.array(SMALL_CODES, np.uint32), cuda.local.array(SMALL_CODES, np.uint32)
    buckets = cuda.local.array(BUCKET_PTRS, np.int32)
    a0, a1, b0, b1 = int(atom_ptr[k]), int(atom_ptr[k + 1]), int(bond_ptr[k]), int(bond_ptr[k + 1])
    n, m = a1 - a0, b1 - b0
    if chiral and is_chiral(n, m, marks[0][a0:a1], marks[2][b0:b1]):
        found[k] = TOO_BIG
        return
    own_codes(
        n, m, element[a0:a1], charge[a0:a1], hydrogens[a0:a1], degree[a0:a1], isotope[a0:a1], atom_ring[a0:a1],
        begin[b0:b1], end[b0:b1], work, codes,
    )  # fmt: skip
    count = environments_small(n, m, begin[b0:b1], end[b0:b1], order[b0:b1], radius, work, here, there, table, codes)
    if count >= 0:
        start = a0 * (min(radius, MAX_ATOMS) + 1)
        count = fold(k, start, codes, count, n_bits, counted, buckets, bits, rows, bit_out, count_out)
    found[k] = count


@cuda.jit
def any_kernel(
    todo, graphs, atoms, bonds, marks, chiral, radius, n_bits, counted, rows, bit_out, count_out, found,
    work_rows, table_rows, code_rows, bit_rows,
):  # fmt: skip
    """The molecules ``todo``, by turns: as small_kernel, any molecule. Scratch of thread t: row t of the last four."""
    t = cuda.grid(1)
    if t >= len(work_rows):
        return
    atom_ptr, bond_ptr, _ = graphs
    element, charge, hydrogens, degree, isotope, atom_ring = atoms
    begin, end, order = bonds
    chirality, cip, stereo = marks
    work, table, codes, bits = work_rows[t], table_rows[t], code_rows[t], bit_rows[t]
    start_of, neighbour = cuda.local.array(STARTS, np.uint16), cuda.local.array(ENDS, np.uint8)
    via, buckets = cuda.local.array(ENDS, np.uint16), cuda.local.array(BUCKET_PTRS, np.int32)
    for at in range(t, len(todo), len(work_rows)):
        k = int(todo[at])
        a0, a1, b0, b1 = int(atom_ptr[k]), int(atom_ptr[k + 1]), int(bond_ptr[k]), int(bond_ptr[k + 1])
        n, m = a1 - a0, b1 - b0
        own_codes(
            n, m, element[a0:a1], charge[a0:a1], hydrogens[a0:a1], degree[a0:a1], isotope[a0:a1], atom_ring[a0:a1],
            begin[b0:b1], end[b0:b1], work, codes,
        )  # fmt: skip
        has_marks = chiral and is_chiral(n, m, chirality[a0:a1], stereo[b0:b1])
        count = environments_any(
            n, m, begin[b0:b1], end[b0:b1], order[b0:b1], has_marks, chirality[a0:a1], cip[a0:a1], stereo[b0:b1],
            radius, start_of, neighbour, via, work, table, codes,
        )  # fmt: skip
        if count >= 0:
            start = a0 * (min(radius, MAX_ATOMS) + 1)
            count = fold(k, start, codes, count, n_bits, counted, buckets, bits, rows, bit_out, count_out)
        found[k] = count


def _any_scratch(xp: Any, n: int, radius: int) -> tuple[Any, ...]:
    """Rows of scratch for as many threads as n molecules are worth, and memory holds."""
    lengths = ((any_work(radius), xp.int64), (any_slots(radius), xp.int32)) + ((codes_length(radius), xp.uint32),) * 2
    row_bytes = sum(length * np.dtype(dtype).itemsize for length, dtype in lengths)
    threads = min(n, max(1, ANY_SCRATCH // row_bytes))
    return tuple(xp.empty((threads, length), dtype) for length, dtype in lengths)


def _found(g: Any, radius: int, n_bits: int, marks: Any, counted: bool, rows: Any, bit: Any, count: Any) -> Any:
    """Run both kernels on MolGraphs. Returns (n,) int32: how much was written for a molecule, or DECLINED."""
    xp, n = array_module(g.status), len(g.status)
    found = xp.zeros(n, xp.int32)
    if n == 0:
        return found
    assert int(xp.diff(g.atom_ptr).max()) <= MAX_ATOMS
    chiral = (g.chirality, g.chirality, g.order) if marks is None else (g.chirality, *marks)  # unread if None
    atoms = (g.element, g.charge, g.hydrogens, g.degree, g.isotope, g.atom_ring)
    arguments = (
        (g.atom_ptr, g.bond_ptr, g.status), atoms, (g.begin, g.end, g.order), chiral, marks is not None, radius, n_bits, counted,
        rows, bit, count, found,
    )  # fmt: skip
    small_kernel[(n + THREADS - 1) // THREADS, THREADS](*arguments)
    todo = xp.flatnonzero(found == TOO_BIG)
    if len(todo):
        scratch = _any_scratch(xp, len(todo), radius)
        any_kernel[(len(scratch[0]) + THREADS - 1) // THREADS, THREADS](todo, *arguments, *scratch)
    return found


def bits_on_gpu(graphs: Any, radius: int, n_bits: int, marks: Any) -> tuple[Any, Any]:
    """The GPU twin of ``morgan_bits``; also what the CUDA simulator runs, on NumPy arrays."""
    xp = array_module(graphs.status)
    rows = xp.zeros((len(graphs.status), 2 * -(-n_bits // 64)), xp.uint32)
    unused = xp.zeros(1, xp.uint32)
    found = _found(graphs, radius, n_bits, marks, False, rows, unused, unused)
    return rows.view(xp.uint64), (found == DECLINED).astype(xp.uint8)


def counts_on_gpu(graphs: Any, radius: int, n_bits: int, marks: Any) -> tuple[tuple[Any, Any, Any], Any]:
    """The GPU twin of ``morgan_counts``; also what the CUDA simulator runs, on NumPy arrays."""
    xp, room = array_module(graphs.status), layers(radius) + 1
    staged = tuple(xp.empty(len(graphs.element) * room, xp.uint32) for _ in range(2))
    found = _found(graphs, radius, n_bits, marks, True, xp.zeros((1, 1), xp.uint32), *staged)
    ptr = xp.zeros(len(found) + 1, xp.int64)
    ptr[1:] = xp.maximum(found, 0)
    ptr = xp.cumsum(ptr)
    offsets = graphs.atom_ptr.astype(xp.int64) * room
    bit, count = (compacted(offsets, ptr, column) for column in staged)
    return (ptr, bit, count), (found == DECLINED).astype(xp.uint8)
