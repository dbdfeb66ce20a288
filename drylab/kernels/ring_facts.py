"""What substructure queries ask of rings: which lengths there are, and of each atom how many rings and how large."""

from __future__ import annotations

import numpy as np

from drylab.kernels.query import cap
from drylab.kernels.twin import per_molecule

_EVERY = (1 << 62) - 1


@per_molecule
def ring_lengths(ring_ptr, ring_bonds, k, m, cover, group):
    """Mask of lengths that rings of any kind can have, smallest or not; bit 61 is "and above", bits may be too many.

    Every ring is a sum of smallest ones. Where these share single bonds two by two and no ring of rings arises, the sum
    of a connected set is as long as its members together, less two for each shared bond; else any length is allowed.
    """
    for b in range(m):
        cover[b] = 0
    mask, least, pair, tangled, large = 0, 1000, 1000, False, False
    for r in range(k):
        size = np.int64(ring_ptr[r + 1]) - np.int64(ring_ptr[r])
        least = cap(size, least)
        mask |= 1 << cap(size, 61)
        group[r] = 1 << r
        for at in range(int(ring_ptr[r]), int(ring_ptr[r + 1])):
            b = int(ring_bonds[at])
            others = np.int64(cover[b])
            cover[b] = others | (1 << r)
            if others == 0:
                continue
            if others & (others - 1) or others & np.int64(group[r]):
                tangled = True
                continue
            other = 0
            while (others >> other) & 1 == 0:
                other += 1
            joined = size + np.int64(ring_ptr[other + 1]) - np.int64(ring_ptr[other]) - 2
            mask |= 1 << cap(joined, 61)
            pair = cap(joined, pair)
            together = np.int64(group[r]) | np.int64(group[other])
            large = large or together != (1 << r) | (1 << other)
            for j in range(r + 1):
                if (together >> j) & 1:
                    group[j] = together
    if tangled:
        mask |= _EVERY & -(1 << cap(least, 61))
    elif large:
        mask |= _EVERY & -(1 << cap(pair + least - 2, 61))
    return mask


@per_molecule
def ring_facts(ring_ptr, ring_atoms, k, n, count, least, sizes):
    """Of each atom: how many of the k rings it is in, the smallest's size, and a mask of sizes up to 61."""
    for i in range(n):
        count[i] = 0
        least[i] = 0
        sizes[i] = 0
    for r in range(k):
        size = int(ring_ptr[r + 1]) - int(ring_ptr[r])
        for at in range(int(ring_ptr[r]), int(ring_ptr[r + 1])):
            i = int(ring_atoms[at])
            count[i] = cap(int(count[i]) + 1, 255)
            if count[i] == 1 or size < int(least[i]):
                least[i] = cap(size, 255)
            sizes[i] = int(sizes[i]) | (1 << cap(size, 61))
