"""Names of atom environments: 128 bits for each atom and radius, the same for the same environment in any molecule.

The environment of radius 0 of an atom is its class (score/features.py); that of radius r is its own of radius r - 1 with
the set of its neighbours' of radius r - 1 and the classes of the bonds to them (Weisfeiler and Leman 1968; Shervashidze 2011,
https://jmlr.org/papers/v12/shervashidze11a.html). After r layers of messages an atom's state depends on just that.

A name is the mixture of a sum: the atom's own name before, times an odd number, and each neighbour's, times an odd number of the
bond between. A sum forgets the order; names are as good as random numbers, so two different sums are equal by chance alone, 2**-64.
The two 64-bit halves differ in their odd numbers; the mixture is SplitMix64's (Steele 2014, https://doi.org/10.1145/2660193.2660195).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drylab.kernels.twin import inlined, launcher

KINDS = 16  # bond classes that fit; score/features.py has 10

_S0, _S1, _S2 = np.uint64(30), np.uint64(27), np.uint64(31)
_M0, _M1 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_LOW, _HIGH = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD1B54A32D192ED03)
# An odd number for each bond class, for each half: the golden ratio's multiples, mixed.
_ODD = np.array(
    [[(k * 0x9E3779B97F4A7C15 + half) % 2**64 for k in range(1, KINDS + 1)] for half in (0, 1 << 32)], np.uint64
)
_ODD = (_ODD ^ (_ODD >> _S0)) * _M0
_ODD = (_ODD ^ (_ODD >> _S1)) * _M1 | np.uint64(1)


@inlined
def _mixed(value):
    value = (value ^ (value >> _S0)) * _M0
    value = (value ^ (value >> _S1)) * _M1
    return value ^ (value >> _S2)


@launcher
def class_numbers(element, charge, hydrogens, degree, aromatic, ring, sizes, out):
    """out (a,) int32: the atom class as one number, mixed radix over ``sizes``; clipped as features.atom_classes does."""
    for i in range(len(element)):
        number = min(np.int64(element[i]), sizes[0] - 1)
        number = number * sizes[1] + min(max(np.int64(charge[i]), -3), 3) + 3
        number = number * sizes[2] + min(np.int64(hydrogens[i]), sizes[2] - 1)
        number = number * sizes[3] + min(np.int64(degree[i]), sizes[3] - 1)
        number = number * sizes[4] + np.int64(aromatic[i])
        out[i] = number * sizes[5] + np.int64(ring[i])


@launcher
def name_environments(numbers, begin, end, order, bond_ring, atom_ptr, bond_ptr, first, last, names):
    """names[r, i] (radii + 1, atoms, 2) uint64 of the atoms of molecules first:last, i counted from the first's."""
    base = np.int64(atom_ptr[first])
    radii = len(names) - 1
    for i in range(base, atom_ptr[last]):
        value = np.uint64(numbers[i] + 1)
        names[0, i - base, 0] = _mixed(value * _LOW)
        names[0, i - base, 1] = _mixed(value * _HIGH)
    for molecule in range(first, last):
        a0, a1 = atom_ptr[molecule] - base, atom_ptr[molecule + 1] - base
        b0, b1 = np.int64(bond_ptr[molecule]), np.int64(bond_ptr[molecule + 1])
        for r in range(radii):
            before, after = names[r], names[r + 1]
            for i in range(a0, a1):
                after[i, 0] = before[i, 0] * _LOW
                after[i, 1] = before[i, 1] * _HIGH
            for b in range(b0, b1):
                u, v = a0 + np.int64(begin[b]), a0 + np.int64(end[b])
                kind = np.int64(order[b]) * 2 + np.int64(bond_ring[b])
                low, high = _ODD[0, kind], _ODD[1, kind]
                after[v, 0] += before[u, 0] * low
                after[v, 1] += before[u, 1] * high
                after[u, 0] += before[v, 0] * low
                after[u, 1] += before[v, 1] * high
            for i in range(a0, a1):
                after[i, 0] = _mixed(after[i, 0])
                after[i, 1] = _mixed(after[i, 1])


def environments_reference(
    numbers: NDArray[np.int32], bonds: list[tuple[int, int, int]], radius: int
) -> list[tuple[object, ...]]:
    """The environments themselves, as nested tuples, of one molecule's atoms; bonds are (begin, end, class)."""
    known: list[tuple[object, ...]] = [(int(number),) for number in numbers]
    for _ in range(radius):
        around: list[list[tuple[int, tuple[object, ...]]]] = [[] for _ in known]
        for u, v, kind in bonds:
            around[v].append((kind, known[u]))
            around[u].append((kind, known[v]))
        known = [(own, tuple(sorted(near, key=repr))) for own, near in zip(known, around, strict=True)]
    return known
