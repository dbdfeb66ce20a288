"""The two passes over a molecule's atoms behind the descriptors: what an atom can say at once, and what needs its neighbours' roles.

``first_look`` runs after surroundings.py and before roles.hear, ``second_look`` after it. Between them they give every atom its
Crippen type (crippen.py) and count donors, acceptors (lipinski.py) and polar surface (tpsa.py). Only nitrogen, oxygen,
sulphur and halogenated aromatic carbon, a third of a drug-like molecule, are looked at twice.
"""

from __future__ import annotations

import numpy as np

# isort: off
from drylab.kernels.crippen import aromatic_carbon, charged_nitrogen, hydroxyl_hydrogen, neutral_nitrogen, other_atom
from drylab.kernels.crippen import oxygen, saturated_carbon, sulphur, unsaturated_carbon
from drylab.kernels.crippen_types import H1, H2, H3, HS, N11, N12, NS, O1, S3
from drylab.kernels.lipinski import chalcogen_counts, nitrogen_counts
from drylab.kernels.roles import role
from drylab.kernels.surroundings import AR_C, AR_N, AR_O, AR_S, C, H, KINDS, MULTIPLE, N, O, S, S_H, S_HAL, THREE
from drylab.kernels.tpsa import in_triangle, polar_area, polar_area_in_three

# isort: on
from drylab.kernels.twin import per_molecule


def _hydrogen_of_kind() -> np.ndarray:
    """(16,) uint8: Crippen type of the hydrogens on an atom of this kind; that of aliphatic oxygen's depends on more."""
    of = np.full(KINDS, H2, np.uint8)
    of[[C, AR_C, H]] = H1
    of[[N, AR_N]] = H3
    of[[O, AR_O]] = HS
    return of


HYDROGEN_OF_KIND = _hydrogen_of_kind()
POLAR = np.isin(np.arange(KINDS), (N, O, S, AR_N, AR_O, AR_S))  # (16,) bool: kinds whose answers need the second shell


@per_molecule
def first_look(element, charge, hydrogens, degree, n, kind, word, said, types, hydrogen_types, listed):
    """Roles of all atoms, Crippen types of those that need no second look, and a list of the others.

    Returns (how many are listed, carbons, carbons with four neighbours).
    """
    k, carbons, saturated = 0, 0, 0
    for i in range(n):
        of, seen, q = int(kind[i]), int(word[i]), int(charge[i])
        d, own = int(degree[i]), int(hydrogens[i])
        h, x = own + (seen >> S_H & THREE), own + d
        said[i] = role(of, seen, h, x, d, q)
        hydrogen_types[i] = HYDROGEN_OF_KIND[of]
        if of == AR_C:
            carbons += 1
            saturated += x == 4
            types[i] = aromatic_carbon(seen, 0, h)
            listed[k] = i
            k += seen >> S_HAL & THREE != 0
        elif of == C:
            carbons += 1
            saturated += x == 4
            types[i] = saturated_carbon(seen, h, x) if seen & MULTIPLE == 0 else unsaturated_carbon(seen, h, x)
        elif POLAR[of]:
            listed[k] = i
            k += 1
        else:
            types[i] = other_atom(int(element[i]), of, q)
    return k, carbons, saturated


@per_molecule
def second_look(
    charge, hydrogens, degree, atom_ring, begin, end, m, triangles, kind, word, seen, types, hydrogen_types, listed, k
):
    """Donors, acceptors, polar surface and Crippen types of the k listed atoms: (donors, acceptors, area)."""
    donors, acceptors = 0, 0
    area = 0.0
    for j in range(k):
        i = int(listed[j])
        of, near, far, q = int(kind[i]), int(word[i]), int(seen[i]), int(charge[i])
        h, x = int(hydrogens[i]) + (near >> S_H & THREE), int(hydrogens[i]) + int(degree[i])
        donor, acceptor = 0, 0
        if of == O:
            types[i] = oxygen(near, far, h, x, q)
            hydrogen_types[i] = hydroxyl_hydrogen(far, h)
            donor, acceptor = chalcogen_counts(near, far, h, q)
        elif of == N:
            types[i] = neutral_nitrogen(near, h) if q == 0 else charged_nitrogen(near, far, h, q)
            donor, acceptor = nitrogen_counts(near, far, h, q)
        elif of == AR_N:
            types[i] = N11 if q == 0 else N12 if 0 < q <= 3 else NS
            donor = int(h == 1 and q == 0)
            acceptor = int(h == 0 and q == 0 and x == 2)
        elif of == S:
            types[i] = sulphur(near, q)
            donor, acceptor = chalcogen_counts(near, far, h, q)
        elif of == AR_C:
            types[i] = aromatic_carbon(near, far, h)
        else:
            types[i] = O1 if of == AR_O else S3
            acceptor = int(q == 0)
        donors += donor
        acceptors += acceptor
        if of in (O, N, AR_N, AR_O):
            oxygens = int(of in (O, AR_O))
            here = polar_area(oxygens, near, h, q)
            if triangles and atom_ring[i] != 0:
                in_three = polar_area_in_three(oxygens, near, h, q)
                if in_three >= 0.0 and in_triangle(i, begin, end, m):
                    here = in_three
            area += here
    return donors, acceptors, area
