"""A quick certificate that a molecule's aromaticity is RDKit's own as written, true of nine molecules in ten.

Sufficient, not necessary; where it does not hold, ``aromatise`` decides. It holds if
    every ring has an atom with four neighbours, hydrogens counted, which bars it (RDKit: no electron donor), or else
    consists of lower-case c, n, o, s alone, joined by aromatic bonds, that give it 6 electrons, and
    every aromatic bond lies in a ring of the second kind, and
    a Kekule structure is found at once.
Then RDKit finds the same Kekule structure or another, counts the same electrons (c 1, or 0 with a double bond out of the ring
to N, O or S; n with two neighbours 1, else 2; o and s 2), marks each of these rings by itself, and has nothing left to join.

The Kekule structure: along the chain bonds, a tree whose parents stand before their children, matching each atom from the
last to the first with its parent is a greatest matching; a ring closure may join the two atoms that are left over.
"""

from __future__ import annotations

import numpy as np

from drylab.kernels.alphabet import AROMATIC, BARRED, UPPER
from drylab.kernels.twin import inlined

SEXTET = 6


@inlined
def benzenoid(begin, end, order, n, m, n_aromatic, k, ring_ptr, ring_atoms, ring_bonds, electrons, free, marked):
    """1 if the certificate holds for one molecule, else 0.

    n_aromatic aromatic bonds, k rings of ``rings``, electrons and free of ``settle_atoms``. free is used up; scratch:
    marked (MAX_BONDS,) uint8.
    """
    for b in range(m):
        marked[b] = 0
    distinct = 0
    for r in range(k):
        first, last = np.int64(ring_ptr[r]), np.int64(ring_ptr[r + 1])
        total, kinds = 0, 0
        for at in range(first, last):
            e = np.int64(electrons[np.int64(ring_atoms[at])])
            total += e
            kinds |= e
        if kinds & BARRED:
            continue
        if total != SEXTET or kinds & UPPER or last - first < 5 or last - first > 7:  # PERHAPS has the bit of UPPER too
            return 0
        for at in range(first, last):
            b = np.int64(ring_bonds[at])
            if np.int64(order[b]) != AROMATIC:
                return 0
            distinct += 1 - np.int64(marked[b])
            marked[b] = 1
    if distinct != n_aromatic:
        return 0
    return kekule(begin, end, order, n, m, free) if n_aromatic else 1


@inlined
def kekule(begin, end, order, n, m, free):
    """1 if the free atoms pair up along aromatic bonds, as the top of this file says."""
    left, one, other = 0, 0, 0
    for i in range(n - 1, -1, -1):
        if not np.int64(free[i]):
            continue
        parent = np.int64(begin[i - 1]) if i else 0
        if i and np.int64(order[i - 1]) == AROMATIC and np.int64(free[parent]):
            free[parent] = 0
        else:
            left += 1
            one, other = other, i
    if left == 0:
        return 1
    if left == 2:
        for b in range(n - 1, m):
            u, v = np.int64(begin[b]), np.int64(end[b])
            if np.int64(order[b]) == AROMATIC and ((u == one and v == other) or (u == other and v == one)):
                return 1
    return 0
