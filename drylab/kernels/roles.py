"""What an atom tells its neighbours: the second shell of the SMARTS patterns, as counters packed into one word.

``role`` gives an atom's own word; ``hear`` adds it to the word ``seen`` of every neighbour, masked by the bond between
them, so that seen[i] counts, in bits of three, the neighbours of atom i that

    over a single bond      H_2, H_3, H_4: would make a hydrogen of a hydroxyl i of that Crippen type
                            AMIDIC: have a double bond outside rings to aliphatic N, O, P, S
                            PLAIN: have no double bond to aliphatic N, O, P, S
                            OXO_CARBON: are aliphatic carbons with =O;  IS_METHYL, SEES_F, SEES_CL, SEES_BR, SEES_S: are CH3, F, Cl, Br, S
    single, outside rings   CARBONYL: are aliphatic carbons of three neighbours with =N, =O or =S
                            DONOR: are nitrogen, aliphatic oxygen, or aliphatic sulphur that is not terminal
    over a double bond      OXO_9, OXO_10, OXO_11: are carbons that make an oxygen i of Crippen type O9, O10, O11
                            IS_NEUTRAL_S: are uncharged sulphur;  IS_NEGATIVE_N: are aliphatic N of charge -1 to -3

No counter overflows: surroundings.py allows 7 neighbours. The bit TURNS of an atom's own word, which nobody hears, says that
the atom may end a rotatable bond as far as it can tell itself: not terminal, no triple bond, not CH3.
"""

from __future__ import annotations

import numpy as np

# isort: off
from drylab.kernels.surroundings import AR_C, AR_N, AR_OTHER, AR_S, BR, C, CL, DOUBLE, D_AC, D_AN, D_C, D_N, D_O
from drylab.kernels.surroundings import D_OPEN, D_POLAR, D_S, F, I, KINDS, N, O, OTHER, P, S, SINGLE, SINGLES, S_AC
from drylab.kernels.surroundings import S_AX, S_C, S_N, S_O, THREE, TRIPLE, TWO

# isort: on
from drylab.kernels.twin import per_molecule

(
    H_2, H_3, H_4, AMIDIC, PLAIN, OXO_CARBON, IS_METHYL, SEES_F, SEES_CL, SEES_BR, CARBONYL, DONOR,
    OXO_9, OXO_10, OXO_11, IS_NEUTRAL_S, IS_NEGATIVE_N, SEES_S,
) = range(0, 54, 3)  # fmt: skip
TURNS = 54
_ACROSS_SINGLE = (H_2, H_3, H_4, AMIDIC, PLAIN, OXO_CARBON, IS_METHYL, SEES_F, SEES_CL, SEES_BR, SEES_S)
_ACROSS_ROTOR = (CARBONYL, DONOR)
_ACROSS_DOUBLE = (OXO_9, OXO_10, OXO_11, IS_NEUTRAL_S, IS_NEGATIVE_N)


def _heard() -> np.ndarray:
    """(16,) int64: which part of a role passes over a bond, at order << 1 | in ring."""
    heard = np.zeros((8, 2), np.int64)
    heard[SINGLE] = sum(THREE << at for at in _ACROSS_SINGLE)
    heard[SINGLE, 0] += sum(THREE << at for at in _ACROSS_ROTOR)
    heard[DOUBLE] = sum(THREE << at for at in _ACROSS_DOUBLE)
    return heard.ravel()


def _of_kind() -> np.ndarray:
    """(16,) int64: the part of a role that the kind alone settles."""
    said = {
        N: (H_3, DONOR), AR_N: (H_3, DONOR), O: (H_4, DONOR), S: (H_4, SEES_S), AR_S: (SEES_S,), AR_C: (H_2,), OTHER: (H_2,), AR_OTHER: (H_2,),
        P: (H_2,), F: (H_2, SEES_F), CL: (H_2, SEES_CL), BR: (H_2, SEES_BR), I: (H_2,),
    }  # fmt: skip
    of = np.zeros(KINDS, np.int64)
    for kind, fields in said.items():
        of[kind] = sum(1 << at for at in fields)
    return of


HEARD = _heard()
OF_KIND = _of_kind()
D_BY_H4 = (TWO << D_C) | (TWO << D_AC) | (TWO << D_N) | (TWO << D_AN) | (TWO << D_O) | (TWO << D_S)  # C=[#6,#7,O,S]
D_AMIDE = (TWO << D_N) | (TWO << D_O) | (TWO << D_S)
ALL_BOUND = 4  # neighbours, hydrogens included, of a saturated carbon


@per_molecule
def oxo_role(word, h, x):
    """Crippen type of an oxygen doubly bound to this aliphatic carbon, as a role; 0 for "none of O9 to O11"."""
    carbons = word >> S_C & THREE
    aromatic_carbons = word >> S_AC & THREE
    aromatics = aromatic_carbons + (word >> S_AX & THREE)
    singles = word >> SINGLES & THREE
    aliphatics = singles - aromatics
    if (
        (carbons > 0 and (h == 1 or aliphatics > 1))
        or (h == 1 and word & ((THREE << S_N) | (THREE << S_O)) != 0)
        or h == 2
        or (x == 2 and word >> D_O & TWO > 1)
    ):
        return 1 << OXO_9
    if aromatic_carbons > 0 and (h == 1 or aliphatics > 0 or aromatics > 1):
        return 1 << OXO_10
    if carbons > 0 and aromatics > 0:
        return 1 << OXO_10
    if singles - carbons - aromatic_carbons > 1:
        return 1 << OXO_11
    return 0


@per_molecule
def role(kind, word, h, x, neighbours, q):
    """An atom's role; h all its hydrogens, x all its neighbours, ``neighbours`` those in the graph, q its charge."""
    said = int(OF_KIND[kind])
    if word & D_POLAR == 0:
        said += 1 << PLAIN
    elif word >> D_OPEN & TWO != 0:
        said += 1 << AMIDIC
    if neighbours != 1 and word >> TRIPLE & TWO == 0 and not (kind == C and h == 3):
        said += 1 << TURNS
    if kind == C:
        if x == ALL_BOUND:
            said += 1 << H_2
            if h == 3:
                said += 1 << IS_METHYL
        elif word & D_BY_H4 != 0:
            said += 1 << H_4
            if word & D_AMIDE != 0:
                if neighbours == 3:
                    said += 1 << CARBONYL
                if word >> D_O & TWO != 0:
                    said += (1 << OXO_CARBON) + oxo_role(word, h, x)
        elif h == 3:
            said += 1 << IS_METHYL
    elif kind == S:
        if neighbours != 1:
            said += 1 << DONOR
        if q == 0:
            said += 1 << IS_NEUTRAL_S
    elif kind == AR_S:
        if q == 0:
            said += 1 << IS_NEUTRAL_S
    elif kind == N and -3 <= q < 0:
        said += 1 << IS_NEGATIVE_N
    return said


@per_molecule
def hear(begin, end, order, bond_ring, m, said, seen, rotors):
    """Add the role of each atom to what its neighbours have seen, which starts at zero.

    Lists the single bonds outside rings between two atoms that turn in rotors (MAX_BONDS,) uint16; returns how many.
    """
    k = 0
    for b in range(m):
        u, v = int(begin[b]), int(end[b])
        bond = int(order[b]) << 1 | int(bond_ring[b])
        heard = int(HEARD[bond])
        of_u, of_v = int(said[u]), int(said[v])
        seen[u] += of_v & heard
        seen[v] += of_u & heard
        rotors[k] = b
        k += int(bond == SINGLE << 1) & (of_u & of_v) >> TURNS
    return k
