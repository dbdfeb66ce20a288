"""What an atom sees around it, as counters packed into one word: the input of the descriptor and Crippen kernels.

A SMARTS atom with its neighbours is a question about counts: how many single bonds to aliphatic carbon, how many double
bonds to aliphatic oxygen, and so on. ``surroundings`` adds, for every bond, SEEN[bond, kind of the other atom] to the
word of each end. A kind (uint8) is one of sixteen classes of element and aromaticity. The counters of a word:

    S_*      single bonds to that kind        bits of three, 0 to 7
    AROM     aromatic bonds                   bits of three
    D_*      double bonds to that kind        bits of two, 0 to 3
    D_ANY, D_OPEN   double bonds in all; double bonds outside rings to aliphatic N, O, P or S
    TRIPLE   triple bonds to an aliphatic atom

Limits, all declined: a bond of order 0, an aromatic bond at an aliphatic atom, a triple bond at an aromatic one, a
multiple bond to hydrogen (ODD_BOND); more than 7 neighbours, or more than 3 on an element whose valence may pass 7, so that
no counter overflows (CROWDED); a hydrogen atom between two atoms (BRIDGE).
Elements above 118 do not occur (RDKit has none). Scratch: kind (n,) uint8, word (n,) int64.
"""

from __future__ import annotations

import numpy as np

from drylab.kernels.twin import per_molecule

H, C, N, O, S, P, F, CL, BR, I, OTHER, AR_C, AR_N, AR_O, AR_S, AR_OTHER = range(16)  # noqa: E741
KINDS = 16
SINGLE, DOUBLE, TRIPLE_BOND, AROMATIC = 1, 2, 3, 4

S_C, S_N, S_O, S_S, S_P, S_HAL, S_OTHER, S_AC, S_AX, S_H, AROM, SINGLES = range(0, 36, 3)
D_C, D_N, D_O, D_S, D_P, D_OTHER, D_AC, D_AN, D_AX, TRIPLE, D_OPEN, D_ANY = range(36, 60, 2)
ODD = 60
THREE, TWO = 7, 3  # masks of a counter
MULTIPLE = (TWO << D_ANY) | (TWO << TRIPLE)
D_POLAR = (TWO << D_N) | (TWO << D_O) | (TWO << D_S) | (TWO << D_P)  # =[N,O,P,S]

DONE, ODD_BOND, CROWDED, BRIDGE = 0, 1, 2, 3
MAX_DEGREE = 7
ROOMY = 3  # neighbours any element may have


def _kinds() -> np.ndarray:
    """(512,) uint8: kind of element << 1 | aromatic."""
    kind = np.full(512, OTHER, np.uint8)
    kind[1::2] = AR_OTHER
    for element, of in ((1, H), (6, C), (7, N), (8, O), (16, S), (15, P), (9, F), (17, CL), (35, BR), (53, I)):
        kind[element << 1] = of
    for element, of in ((6, AR_C), (7, AR_N), (8, AR_O), (16, AR_S)):
        kind[element << 1 | 1] = of
    return kind


def _seen() -> np.ndarray:
    """(256,) int64: what a bond adds, at order << 5 | in ring << 4 | kind of the atom at its other end."""
    seen = np.full((8, 2, KINDS), 1 << ODD, np.int64)
    single = {
        C: S_C,
        N: S_N,
        O: S_O,
        S: S_S,
        P: S_P,
        F: S_HAL,
        CL: S_HAL,
        BR: S_HAL,
        I: S_HAL,
        OTHER: S_OTHER,
        AR_C: S_AC,
    }
    double = {C: D_C, N: D_N, O: D_O, S: D_S, P: D_P, AR_C: D_AC, AR_N: D_AN, AR_O: D_AX, AR_S: D_AX, AR_OTHER: D_AX}
    for kind in range(KINDS):
        aromatic = kind >= AR_C
        seen[SINGLE, :, kind] = 1 << S_H if kind == H else (1 << single.get(kind, S_AX)) + (1 << SINGLES)
        if aromatic:
            seen[AROMATIC, :, kind] = 1 << AROM
        if kind == H:
            continue
        seen[DOUBLE, :, kind] = (1 << double.get(kind, D_OTHER)) + (1 << D_ANY)
        if kind in (N, O, P, S):
            seen[DOUBLE, 0, kind] += 1 << D_OPEN
        if not aromatic:
            seen[TRIPLE_BOND, :, kind] = 1 << TRIPLE
    return seen.ravel()


KIND = _kinds()
SEEN = _seen()
# (256,) uint8: most neighbours of an element. The valence of those allowed more than three is at most 7 in RDKit.
MOST_NEIGHBOURS = np.full(256, ROOMY, np.uint8)
MOST_NEIGHBOURS[[5, 6, 7, 14, 15, 16, 17, 32, 33, 34, 35, 50, 51, 52, 53]] = MAX_DEGREE


@per_molecule
def surroundings(element, aromatic, degree, begin, end, order, bond_ring, n, m, kind, word):
    """Fill kind and word of one molecule; DONE, or why it is declined."""
    crowded = 0
    bridges = 0
    for i in range(n):
        z = int(element[i])
        k = int(KIND[z << 1 | int(aromatic[i])])
        kind[i] = k
        word[i] = 0
        crowded |= int(degree[i]) > int(MOST_NEIGHBOURS[z])
        bridges |= (k == H) & (int(degree[i]) > 1)
    if crowded:
        return CROWDED
    if bridges:
        return BRIDGE
    for b in range(m):
        u, v = int(begin[b]), int(end[b])
        bond = int(order[b]) << 5 | int(bond_ring[b]) << 4
        word[u] += SEEN[bond | int(kind[v])]
        word[v] += SEEN[bond | int(kind[u])]
    odd = 0
    for i in range(n):
        odd |= int(word[i]) >> ODD
    return ODD_BOND if odd else DONE
