"""The properties of descriptors.py on a GPU: its function of one molecule, called by one thread a molecule.

Scratch is local memory, which the hardware lays out so that the threads of a warp at the same index touch neighbouring
words. A column's values of neighbouring molecules are written side by side. Contract, limits and edges: descriptors.py.

Floats come out in the CPU's bits, since nothing is multiplied next to an addition (elements.py): ptxas has nothing to fuse.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import cuda

from drylab.device import array_module
from drylab.kernels.adjacency import MAX_ATOMS, MAX_BONDS
from drylab.kernels.crippen import QUEUE
from drylab.kernels.properties import COUNTS, NAMES, NOT_PARSED, REALS, describe, work_for
from drylab.kernels.rings import MAX_RING_SLOTS, MAX_RINGS, RING_BYTES, RING_SHORTS, RING_WORDS
from drylab.kernels.stereo import WORDS
from drylab.kernels.surroundings import DONE
from drylab.types import PARSED

# Named, since a CUDA kernel takes the sizes of local arrays from constants only.
RING_PTRS, STARTS, ENDS = MAX_RINGS + 1, MAX_ATOMS + 1, 2 * MAX_BONDS
THREADS = 64  # a block; each thread has kilobytes of scratch, so more would not be resident


@cuda.jit
def describe_kernel(graphs, atoms, bonds, work, reals, counts, declined):
    """One thread a molecule: reals[:, i], counts[:, i] and declined[i]."""
    i = cuda.grid(1)
    atom_ptr, bond_ptr, status = graphs
    if i >= len(status):
        return
    if status[i] != PARSED:
        declined[i] = NOT_PARSED
        return
    element, charge, hydrogens, degree, aromatic, atom_ring, isotope, chirality = atoms
    begin, end, order, bond_ring, direction = bonds
    # As properties.SCRATCH lists them.
    scratch = (
        cuda.local.array(MAX_ATOMS, np.uint8), cuda.local.array(MAX_ATOMS, np.uint8),
        cuda.local.array(MAX_ATOMS, np.uint8), cuda.local.array(MAX_ATOMS, np.uint8),
        cuda.local.array(MAX_ATOMS, np.int64), cuda.local.array(MAX_ATOMS, np.int64), cuda.local.array(MAX_ATOMS, np.int64),
        cuda.local.array(MAX_BONDS, np.uint16), cuda.local.array(QUEUE, np.uint8),
        cuda.local.array(RING_PTRS, np.uint16), cuda.local.array(MAX_RING_SLOTS, np.uint8),
        cuda.local.array(MAX_RING_SLOTS, np.uint16),
        cuda.local.array(RING_BYTES, np.uint8), cuda.local.array(RING_SHORTS, np.uint16), cuda.local.array(RING_WORDS, np.int64),
        cuda.local.array(STARTS, np.uint16), cuda.local.array(ENDS, np.uint8), cuda.local.array(ENDS, np.uint16),
        cuda.local.array(MAX_BONDS, np.uint8), cuda.local.array(WORDS, np.int64),
    )  # fmt: skip
    a0, a1, b0, b1 = int(atom_ptr[i]), int(atom_ptr[i + 1]), int(bond_ptr[i]), int(bond_ptr[i + 1])
    code = describe(
        element[a0:a1], charge[a0:a1], hydrogens[a0:a1], degree[a0:a1], aromatic[a0:a1], atom_ring[a0:a1],
        isotope[a0:a1], begin[b0:b1], end[b0:b1], order[b0:b1], bond_ring[b0:b1],
        chirality[a0:a1], direction[b0:b1], a1 - a0, b1 - b0, work, i, reals, counts, scratch,
    )  # fmt: skip
    declined[i] = code
    if code != DONE:
        for k in range(REALS):
            reals[k, i] = 0.0
        for k in range(COUNTS):
            counts[k, i] = 0


def descriptors_on_gpu(graphs: Any, wanted: Sequence[str]) -> tuple[dict[str, Any], Any]:
    """The GPU twin of ``descriptors``; also what the CUDA simulator runs, on NumPy arrays."""
    g, xp, n = graphs, array_module(graphs.status), len(graphs.status)
    reals, counts, declined = xp.zeros((REALS, n)), xp.zeros((COUNTS, n), xp.int32), xp.zeros(n, xp.uint8)
    atoms = (g.element, g.charge, g.hydrogens, g.degree, g.aromatic, g.atom_ring, g.isotope, g.chirality)
    bonds = (g.begin, g.end, g.order, g.bond_ring, g.direction)
    if n:
        describe_kernel[(n + THREADS - 1) // THREADS, THREADS](
            (g.atom_ptr, g.bond_ptr, g.status), atoms, bonds, work_for(wanted), reals, counts, declined
        )
    columns = dict(zip(NAMES, (*reals, *counts), strict=True))
    return {name: columns[name] for name in wanted}, declined
