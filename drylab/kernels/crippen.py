"""Wildman and Crippen's atom types: log P and molar refractivity as sums over atoms and hydrogens. Exact.

Source: S. A. Wildman, G. M. Crippen, J. Chem. Inf. Comput. Sci. 39 (1999) 868, doi:10.1021/ci990307l, as the 110 SMARTS
patterns of RDKit 2026.3.5 (Code/GraphMol/Descriptors/Crippen.cpp; the first pattern that an atom matches gives its type).
The patterns of one element are compiled by hand into one function on integers, in their order:

    word   the atom's surroundings (surroundings.py)
    seen   what its neighbours tell of theirs (roles.py)
    h, x   all hydrogens on the atom; all its neighbours, hydrogens included
    q      formal charge

A type is a number into NAMES, LOGP (float64) and MR (float64). Type 0 is for atoms that match nothing and count 0.
RDKit adds the hydrogens to the molecule, behind all other atoms and in the order of their parents, and sums in that order;
``crippen_sums`` does the same, one addition after the other, so the float64 sums agree to the bit.
RDKit stops after 1000 matches of a pattern. A molecule that might have more is declined: ``too_many_matches``.
"""

from __future__ import annotations

# isort: off
from drylab.kernels.crippen_types import C1, C12, C13, C14, C15, C16, C17, C18, C19, C2, C20, C21, C22, C23, C24, C25
from drylab.kernels.crippen_types import C26, C27, C3, C4, C5, C6, C7, C8, C9, CS, H1, H2, H3, H4, HAL, HS, IS_ALKALI
from drylab.kernels.crippen_types import LOGP, MR, N1, N10, N13, N14, N2, N3, N4, N5, N6, N7, N8, N9, NONE, NS, O10
from drylab.kernels.crippen_types import O11, O12, O2, O3, O4, O5, O6, O7, O8, O9, OF_ELEMENT, OS, S1, S2
from drylab.kernels.elements import MAX_HYDROGENS
from drylab.kernels.roles import H_2, H_3, H_4, IS_NEGATIVE_N, IS_NEUTRAL_S, OXO_10, OXO_11, OXO_9, OXO_CARBON
from drylab.kernels.roles import SEES_BR, SEES_CL, SEES_F, SEES_S
from drylab.kernels.surroundings import AROM, D_AC, D_AN, D_ANY, D_AX, D_C, D_N, D_O, D_OTHER, D_POLAR, F, H, I
from drylab.kernels.surroundings import SINGLES, S_AC, S_AX, S_C, S_HAL, S_N, S_O, S_OTHER, S_P, S_S, THREE, TRIPLE
from drylab.kernels.surroundings import TWO

# isort: on
from drylab.kernels.twin import per_molecule

MATCHES = 5  # code of a molecule that is declined
MAX_MATCHES = 1000  # RDKit's maxMatches
QUEUE = MAX_HYDROGENS + 2  # hydrogens of a molecule, and room to write ahead
FEW = 41  # four neighbours can be arranged in 24 ways: 41 atoms never reach 1000
HETERO = (THREE << S_N) | (THREE << S_O) | (THREE << S_S) | (THREE << S_P) | (THREE << S_HAL)  # [N,O,P,S,F,Cl,Br,I]
D_C5 = D_POLAR | (TWO << D_OTHER)  # =[!C;A;!#1]
D_HEAVY = TWO << D_ANY


@per_molecule
def saturated_carbon(word, h, x):
    """Type of an aliphatic carbon with single bonds only: C1 to C4, C8 to C12, C27."""
    carbons = word >> S_C & THREE
    if (carbons + h >= 4 and h > 0) or carbons >= 4:
        return C1 if h > 1 else C2
    aromatic_carbons = word >> S_AC & THREE
    aromatics = aromatic_carbons + (word >> S_AX & THREE)
    if h == 3:
        if word & HETERO != 0:
            return C3
        if aromatic_carbons > 0:
            return C8
        if aromatics > 0:
            return C9
    if x != 4:
        return CS
    if h < 3:
        if word & HETERO != 0 and (word >> SINGLES & THREE) - aromatics + h >= 4:
            return C3 if h == 2 else C4
        if aromatics > 0:
            return C12 - h
    return C27 if word >> S_OTHER & THREE != 0 else CS


@per_molecule
def unsaturated_carbon(word, h, x):
    """Type of an aliphatic carbon with a double or triple bond: C5 to C7, C26."""
    if word & D_C5 != 0:
        return C5
    carbons = word >> D_C & TWO
    aromatic_carbons = word >> S_AC & THREE
    aromatics = aromatic_carbons + (word >> S_AX & THREE)
    aliphatics = (word >> SINGLES & THREE) - aromatics
    if carbons > 0 and (h == 2 or (h == 1 and aliphatics > 0) or (h == 0 and aliphatics > 1) or carbons > 1):
        return C6
    if x == 2 and word >> TRIPLE & TWO != 0:
        return C7
    if carbons > 0 and aromatics > 0 and (h == 1 or aliphatics > 0 or (aromatic_carbons > 0 and aromatics > 1)):
        return C26
    return C26 if word >> D_AC & TWO != 0 else CS


@per_molecule
def aromatic_carbon(word, seen, h):
    """Type of an aromatic carbon: C13 to C25."""
    if h == 0 and word & ((THREE << S_P) | (THREE << S_OTHER)) != 0:
        return C13
    if word >> S_HAL & THREE != 0:
        if seen >> SEES_F & THREE != 0:
            return C14
        if seen >> SEES_CL & THREE != 0:
            return C15
        return C16 if seen >> SEES_BR & THREE != 0 else C17
    if h == 1:
        return C18
    ring = word >> AROM & THREE
    if ring > 2:
        return C19
    if ring < 2:
        return CS
    if word & ((THREE << S_AC) | (THREE << S_AX)) != 0:
        return C20
    if word >> S_C & THREE != 0:
        return C21
    if word >> S_N & THREE != 0:
        return C22
    if word >> S_O & THREE != 0:
        return C23
    if word >> S_S & THREE != 0:
        return C24
    return C25 if word & ((TWO << D_C) | (TWO << D_N) | (TWO << D_O)) != 0 else CS


@per_molecule
def neutral_nitrogen(word, h):
    """Type of an uncharged aliphatic nitrogen: N1 to N9."""
    singles = word >> SINGLES & THREE
    aromatics = (word >> S_AC & THREE) + (word >> S_AX & THREE)
    aliphatics = singles - aromatics
    if h == 2:
        if aliphatics > 0:
            return N1
        if aromatics > 0:
            return N3
    if h == 1:
        if aliphatics > 1:
            return N2
        if aromatics > 0 and singles > 1:
            return N4
        if word & D_HEAVY != 0:
            return N5
    if word & D_HEAVY != 0 and singles > 0:
        return N6
    if aliphatics > 2:
        return N7
    if singles > 2 and aromatics > 0:
        return N8
    return N9 if word >> TRIPLE & TWO != 0 else NS


@per_molecule
def charged_nitrogen(word, seen, h, q):
    """Type of an aliphatic nitrogen with a charge: N10, N13, N14."""
    if -3 <= q < 0:
        return N14
    if not 0 < q <= 3:
        return NS
    if 0 < h <= 3:
        return N10
    if h == 0:
        singles = word >> SINGLES & THREE
        aromatics = (word >> S_AC & THREE) + (word >> S_AX & THREE)
        doubles_aromatic = (word >> D_AC & TWO) + (word >> D_AN & TWO) + (word >> D_AX & TWO)
        aliphatics = singles - aromatics
        if aliphatics > 3:
            return N13
        if (word >> D_ANY & TWO) > doubles_aromatic and aliphatics > 0 and singles > 1:
            return N13
        if word & ((TWO << D_C) | (TWO << D_AC)) != 0 and word & ((TWO << D_N) | (TWO << D_AN)) != 0:
            return N13
    if word >> TRIPLE & TWO != 0:
        return N14
    return N14 if seen >> IS_NEGATIVE_N & THREE != 0 and word >> D_N & TWO > 1 else NS


@per_molecule
def oxygen(word, seen, h, x, q):
    """Type of an aliphatic oxygen: O2 to O12."""
    if h in (1, 2):
        return O2
    singles = word >> SINGLES & THREE
    aromatics = (word >> S_AC & THREE) + (word >> S_AX & THREE)
    if singles - aromatics > 1:
        return O3
    if aromatics > 0 and singles > 1:
        return O4
    if word & D_HEAVY != 0:
        return oxo(word, seen, q)
    if q < 0:
        return oxide(word, seen, x, q)
    return OS


@per_molecule
def oxo(word, seen, q):
    """Type of an oxygen with a double bond: O5, O6, O8 to O11."""
    if word & ((TWO << D_N) | (TWO << D_AN) | (TWO << D_O)) != 0:
        return O5
    if q == 0 and seen >> IS_NEUTRAL_S & THREE != 0:
        return O6
    if word >> D_AC & TWO != 0:
        return O8
    if seen >> OXO_9 & THREE != 0:
        return O9
    if seen >> OXO_10 & THREE != 0:
        return O10
    return O11 if seen >> OXO_11 & THREE != 0 else OS


@per_molecule
def oxide(word, seen, x, q):
    """Type of an oxygen with single bonds and a negative charge: O5 to O7, O12."""
    terminal = x == 1 and q >= -3
    if terminal and seen >> H_3 & THREE != 0:
        return O5
    if terminal and q >= -2 and seen >> SEES_S & THREE != 0:
        return O6
    if q == -1 and seen >> OXO_CARBON & THREE != 0:
        return O12
    if terminal and word >> SINGLES & THREE != 0 and word & ((THREE << S_N) | (THREE << S_S)) == 0:
        return O7
    return OS


@per_molecule
def hydroxyl_hydrogen(seen, h):
    """Type of the hydrogens on an aliphatic oxygen: H2, H3, H4, HS."""
    if h > 1 or seen >> H_2 & THREE != 0:
        return H2
    if seen >> H_3 & THREE != 0:
        return H3
    return H4 if seen >> H_4 & THREE != 0 else HS


@per_molecule
def sulphur(word, q):
    """Type of an aliphatic sulphur: S2, or S1 where it is neither charged nor doubly bound to N, O, P, S."""
    if q == 0:
        return S2 if word & D_POLAR != 0 else S1
    return S2 if -4 <= q <= 6 and q != 4 else S1


@per_molecule
def other_atom(element, kind, q):
    """Type of an atom that its element and charge decide: halogens, phosphorus, metals; NONE for the rest."""
    if q != 0:
        if F <= kind <= I:
            return HAL if q == -1 or (kind == I and 0 < q <= 3) else NONE
        if q == 1 and IS_ALKALI[element]:
            return HAL
    return int(OF_ELEMENT[element])


@per_molecule
def too_many_matches(degree, n):
    """Whether RDKit might meet its limit of matches: four neighbours can be arranged in 24 ways, three in 6."""
    if n <= FEW:
        return False
    ways = 0
    for i in range(n):
        d = int(degree[i])
        ways += 24 if d > 3 else 6 if d == 3 else 0
    return ways >= MAX_MATCHES


@per_molecule
def crippen_sums(hydrogens, n, types, hydrogen_types, queue):
    """(log P, MR): atoms in their order, then the hydrogens of each atom. Scratch: queue (QUEUE,) uint8."""
    logp = 0.0
    mr = 0.0
    k = 0
    for i in range(n):
        of, on, h = int(types[i]), int(hydrogen_types[i]), int(hydrogens[i])
        logp += LOGP[of]
        mr += MR[of]
        # Always two, whatever h: a loop that runs 0 to 3 times is a branch nobody foresees.
        queue[k] = on
        queue[k + 1] = on
        for j in range(2, h):
            queue[k + j] = on
        k += h
    for j in range(k):
        on = int(queue[j])
        logp += LOGP[on]
        mr += MR[on]
    return logp, mr


@per_molecule
def hydrogen_atoms(hydrogens, degree, begin, end, n, m, kind, types, hydrogen_types):
    """Crippen types of the hydrogens that are atoms of the graph: as those of their parent."""
    for i in range(n):
        if kind[i] == H:
            types[i] = H1 if hydrogens[i] > 0 else HS
    for b in range(m):
        u, v = int(begin[b]), int(end[b])
        if kind[u] == H:
            types[u] = hydrogen_types[v]
        if kind[v] == H:
            types[v] = hydrogen_types[u]
