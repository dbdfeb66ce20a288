"""Donors, acceptors and rotatable bonds: RDKit's SMARTS patterns, compiled by hand to counts of surroundings.py and roles.py.

Source: RDKit 2026.3.5, Code/GraphMol/Descriptors/Lipinski.cpp, whose patterns are

    donor      [N&!H0&v3,N&!H0&+1&v4,O&H1&+0,S&H1&+0,n&H1&+0]                                          (version 2.0.1)
    acceptor   [$([O,S;H1;v2]-[!$(*=[O,N,P,S])]),$([O,S;H0;v2]),$([O,S;-]),
                $([N;v3;!$(N-*=!@[O,N,P,S])]),$([nH0X2,o,s;+0])]                                       (version 2.0.2)
    rotatable  a single bond outside rings between two atoms that are not terminal, have no triple bond and are not
               CH3, CF3, CCl3, CBr3 or C(CH3)3, unless both are
               [CD3](=[N,O,S])-!@[#7,O,S!D1] or [#7,O,S!D1]-!@[CD3]=[N,O,S], the ends of an amide or the like (strict, 3.2.0)

The valence of an aliphatic atom, v, is the sum of its bond orders and hydrogens.
"""

from __future__ import annotations

from drylab.kernels.roles import AMIDIC, CARBONYL, DONOR, IS_METHYL, PLAIN, SEES_BR, SEES_CL, SEES_F
from drylab.kernels.surroundings import D_ANY, SINGLES, THREE, TRIPLE, TWO, C
from drylab.kernels.twin import per_molecule


@per_molecule
def nitrogen_counts(word, seen, h, q):
    """(donor, acceptor), 0 or 1, of an aliphatic nitrogen: [N;!H0;v3],[N;!H0;+1;v4] and [N;v3;!$(N-*=!@[O,N,P,S])]."""
    valence = (word >> SINGLES & THREE) + 2 * (word >> D_ANY & TWO) + 3 * (word >> TRIPLE & TWO) + h
    donor = h > 0 and (valence == 3 or (valence == 4 and q == 1))
    acceptor = valence == 3 and seen >> AMIDIC & THREE == 0
    return int(donor), int(acceptor)


@per_molecule
def chalcogen_counts(word, seen, h, q):
    """(donor, acceptor) of an aliphatic oxygen or sulphur: [O,S;H1;+0]; [O,S;H1;v2]-[!$(*=[O,N,P,S])], [O,S;H0;v2], [O,S;-]."""
    valence = (word >> SINGLES & THREE) + 2 * (word >> D_ANY & TWO) + 3 * (word >> TRIPLE & TWO) + h
    acceptor = q == -1 or (valence == 2 and (h == 0 or (h == 1 and seen >> PLAIN & THREE != 0)))
    return int(h == 1 and q == 0), int(acceptor)


@per_molecule
def is_amidic(said, seen):
    """Whether an atom is the carbon, or the N, O, S, of an amide, ester or the like outside a ring."""
    return (said >> CARBONYL & THREE != 0 and seen >> DONOR & THREE != 0) or (
        said >> DONOR & THREE != 0 and seen >> CARBONYL & THREE != 0
    )


@per_molecule
def has_three(kind, seen):
    """Whether an atom is a carbon with three F, Cl, Br or CH3."""
    return kind == C and (
        seen >> SEES_F & THREE > 2
        or seen >> SEES_CL & THREE > 2
        or seen >> SEES_BR & THREE > 2
        or seen >> IS_METHYL & THREE > 2
    )


@per_molecule
def rotatable_bonds(begin, end, kind, said, seen, rotors, k):
    """How many of the k listed bonds are rotatable."""
    total = 0
    for j in range(k):
        b = int(rotors[j])
        u, v = int(begin[b]), int(end[b])
        of_u, of_v = int(seen[u]), int(seen[v])
        if is_amidic(int(said[u]), of_u) and is_amidic(int(said[v]), of_v):
            continue
        total += not (has_three(int(kind[u]), of_u) or has_three(int(kind[v]), of_v))
    return total
