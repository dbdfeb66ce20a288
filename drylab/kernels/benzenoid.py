"""A quick certificate that a molecule's aromaticity is RDKit's own as written, true of nine molecules in ten.

Sufficient, not necessary; where it does not hold, ``aromatise`` decides. With the electrons that RDKit lets an atom give to
its rings (alphabet.ORGANIC: c 1, or 0 with a double bond out of the ring to N, O or S; n of two neighbours 1, else 2; o and s 2;
upper-case atoms the same), a ring is one of
    barred  has an atom of four neighbours, hydrogens counted: it is in no aromatic ring or union of rings
    sextet  lower case, 4k + 2 electrons: RDKit marks all its bonds
    joined  lower case, another count, shares one bond with a sextet, has an atom in no sextet, and the two together have
            4k + 2: RDKit marks their outer bonds, and the one between them is the sextet's
    single  has upper-case atoms, another count than 4k + 2, and shares no bond with a ring that is not barred, or one bond with
            one sextet that shares no other, and the two together do not have 4k + 2 either: RDKit marks nothing
The certificate holds if every ring is one of these, of 3 to 8 atoms but for the barred, no larger ring passes a lower-case atom of
two electrons (RDKit may bar its O and S from their small rings too, see aromaticity.py), every aromatic bond lies in a sextet or a joined ring and
all bonds of these are aromatic, and a Kekule structure is found at once. Then what RDKit marks is what is written.

The Kekule structure: along a tree whose parents stand before their children, matching each atom from the last to the first
with its parent is a greatest matching. Two trees are tried: that of the rings (``rings_of_text``) and the chain of the text.
Neither is needed if the aromatic rings share no bond, and each has six atoms that take a double bond, or four in a row of five.
"""

from __future__ import annotations

import numpy as np

from drylab.kernels.adjacency import MAX_ATOMS, MAX_BONDS
from drylab.kernels.alphabet import AROMATIC, BARRED, ODD, UPPER
from drylab.kernels.cages import MAX_RINGS
from drylab.kernels.twin import inlined, per_molecule

LARGEST = 8
OUT = 1  # total of a barred ring
BENZENOID_BYTES = MAX_BONDS + MAX_ATOMS + MAX_RINGS  # scratch of benzenoid


@inlined
def benzenoid(begin, end, order, n, m, n_aromatic, k, ring_ptr, ring_atoms, ring_bonds, electrons, free, via, scratch):
    """1 if the certificate holds for one molecule, else 0.

    n_aromatic aromatic bonds, k rings and via (n,) uint16 of ``rings_of_text``, electrons and free of ``settle_atoms``.
    Scratch: (BENZENOID_BYTES,) uint8.
    """
    marked, total = scratch, scratch[MAX_BONDS + MAX_ATOMS :]
    for b in range(m):
        marked[b] = 0
    distinct, pending, slots, paired = 0, 0, 0, 0
    for r in range(k):
        first, last = np.int64(ring_ptr[r]), np.int64(ring_ptr[r + 1])
        count, kinds, open_ = 0, 0, 0
        for at in range(first, last):
            a = np.int64(ring_atoms[at])
            e = np.int64(electrons[a])
            count += e & 3
            kinds |= e
            open_ += np.int64(free[a]) & 1
        if last - first > LARGEST and through_chalcogen(first, last, ring_atoms, electrons):
            return 0
        total[r] = OUT
        if kinds & BARRED:
            continue
        if kinds & ODD or last - first > LARGEST:
            return 0
        upper = kinds & UPPER
        if count & 3 != 2:
            pending += 1
        elif upper:
            return 0
        if not upper:
            slots += last - first
            paired += open_ if (last - first == 6 and open_ == 6) or (last - first == 5 and open_ == 4) else MAX_ATOMS
        for at in range(first, last):
            b = np.int64(ring_bonds[at])
            if not upper:
                if np.int64(order[b]) != AROMATIC:
                    return 0
                distinct += 1 if marked[b] == 0 else 0
            marked[b] += 1
        total[r] = count << 3 | upper
    if distinct != n_aromatic:
        return 0
    if pending and not settle_pending(
        k, ring_ptr, ring_atoms, ring_bonds, electrons, marked, total, scratch[MAX_BONDS:]
    ):
        return 0
    if n_aromatic == 0:
        return 1
    if slots == distinct:  # rings that share no bond
        for i in range(n):
            paired -= np.int64(free[i]) & 1
        if paired == 0:
            return 1
    if kekule(begin, end, order, n, m, free, via):
        return 1
    for i in range(n):
        free[i] = 3 if free[i] & 2 else 0
    return kekule_along(begin, order, n, free)


@per_molecule
def through_chalcogen(first, last, ring_atoms, electrons):
    """1 if a large ring passes a lower-case atom of two electrons: RDKit bars its O and S from their small rings too."""
    for at in range(first, last):
        if electrons[ring_atoms[at]] == 2:
            return 1
    return 0


@per_molecule
def settle_pending(k, ring_ptr, ring_atoms, ring_bonds, electrons, marked, total, inside):
    """1 if each ring whose own count is not 4k + 2 is joined or single. total: count << 3 | UPPER, or OUT."""
    for i in range(MAX_ATOMS):
        inside[i] = 0
    for r in range(k):
        if is_sextet(total[r]):
            for at in range(np.int64(ring_ptr[r]), np.int64(ring_ptr[r + 1])):
                inside[ring_atoms[at]] = 1
    for r in range(k):
        if total[r] & OUT or total[r] >> 3 & 3 == 2:
            continue
        joined, alone, own = 0, 0, 0
        shared = shared_bonds(r, ring_ptr, ring_bonds, marked)
        for at in range(np.int64(ring_ptr[r]), np.int64(ring_ptr[r + 1])):
            own |= 1 - np.int64(inside[ring_atoms[at]])
        for q in range(k):
            if q == r or not is_sextet(total[q]):
                continue
            both, electrons_both = overlap(r, q, ring_ptr, ring_atoms, ring_bonds, electrons)
            if both == 1:
                union = (np.int64(total[r]) >> 3) + (np.int64(total[q]) >> 3) - electrons_both
                if union & 3 == 2:
                    joined = 1
                elif shared_bonds(q, ring_ptr, ring_bonds, marked) == 1:
                    alone = 1
        if total[r] & UPPER:
            if shared != 0 and not (shared == 1 and alone):
                return 0
        elif not (joined and own):
            return 0
    return 1


@per_molecule
def is_sextet(total):
    """1 for a lower-case ring of 4k + 2 electrons."""
    return 1 if total & (OUT | UPPER) == 0 and total >> 3 & 3 == 2 else 0


@per_molecule
def shared_bonds(r, ring_ptr, ring_bonds, marked):
    """How many bonds of ring r are in other rings that are not barred."""
    count = 0
    for at in range(np.int64(ring_ptr[r]), np.int64(ring_ptr[r + 1])):
        count += np.int64(marked[ring_bonds[at]]) - 1
    return count


@per_molecule
def overlap(r, q, ring_ptr, ring_atoms, ring_bonds, electrons):
    """Bonds that two rings share, and the electrons of the atoms that they share."""
    bonds, total = 0, 0
    for at in range(np.int64(ring_ptr[r]), np.int64(ring_ptr[r + 1])):
        for to in range(np.int64(ring_ptr[q]), np.int64(ring_ptr[q + 1])):
            bonds += 1 if ring_bonds[at] == ring_bonds[to] else 0
            total += np.int64(electrons[ring_atoms[at]]) & 3 if ring_atoms[at] == ring_atoms[to] else 0
    return bonds, total


@inlined
def kekule(begin, end, order, n, m, free, via):
    """1 if the free atoms pair up along aromatic bonds of the tree that via, an atom's bond to its parent, draws."""
    for i in range(n - 1, -1, -1):
        if not np.int64(free[i]) & 1:
            continue
        b = np.int64(via[i])
        if i == 0 or b >= m:
            return 0
        u, v = np.int64(begin[b]), np.int64(end[b])
        parent = u + v - i
        if (u != i and v != i) or np.int64(order[b]) != AROMATIC or not np.int64(free[parent]) & 1:
            return 0
        free[parent] = 2
    return 1


@per_molecule
def kekule_along(begin, order, n, free):
    """The same along the chain of the text, where bond i - 1 leads from atom i to its parent."""
    for i in range(n - 1, -1, -1):
        if not np.int64(free[i]) & 1:
            continue
        if i == 0:
            return 0
        parent = np.int64(begin[i - 1])
        if np.int64(order[i - 1]) != AROMATIC or not np.int64(free[parent]) & 1:
            return 0
        free[parent] = 2
    return 1
