"""Topological polar surface area of nitrogen and oxygen, in square angstrom. Exact: RDKit's CalcTPSA, summed in atom order.

Source: P. Ertl, B. Rohde, P. Selzer, J. Med. Chem. 43 (2000) 3714, doi:10.1021/jm000942e, table 1, as RDKit reads it
(Code/GraphMol/Descriptors/MolSurf.cpp): an atom is known by its heavy neighbours over single, double, triple and aromatic
bonds, its hydrogens and its charge, and, for three fragments, by being in a ring of three. Atoms that are not in the
table get base - 8.2 * neighbours + 1.5 * hydrogens (nitrogen; 8.6 for oxygen), at least 0.

Both are laid out as one flat table, so that a lookup takes the place of the search: AREA of the number at the index. Numbers
of the few different areas, not the areas: a CUDA kernel may have 64 kB of tables in all, and 8192 floats would fill that.
"""

from __future__ import annotations

import numpy as np

from drylab.kernels.surroundings import AROM, D_ANY, MAX_DEGREE, SINGLES, THREE, TRIPLE, TWO
from drylab.kernels.twin import per_molecule

# (hydrogens, charge, single, double, triple, aromatic): area. Outside rings of three.
NITROGEN: dict[tuple[int, ...], float] = {
    (0, 0, 0, 0, 1, 0): 23.79, (1, 0, 0, 1, 0, 0): 23.85, (2, 0, 1, 0, 0, 0): 26.02, (2, 1, 0, 1, 0, 0): 25.59,
    (3, 1, 1, 0, 0, 0): 27.64, (0, 0, 1, 1, 0, 0): 12.36, (0, 0, 0, 1, 1, 0): 13.60, (1, 0, 2, 0, 0, 0): 12.03,
    (0, 1, 1, 0, 1, 0): 4.36, (1, 1, 1, 1, 0, 0): 13.97, (2, 1, 2, 0, 0, 0): 16.61, (0, 0, 0, 0, 0, 2): 12.89,
    (1, 0, 0, 0, 0, 2): 15.79, (1, 1, 0, 0, 0, 2): 14.14, (0, 0, 3, 0, 0, 0): 3.24, (0, 0, 1, 2, 0, 0): 11.68,
    (0, 1, 2, 1, 0, 0): 3.01, (1, 1, 3, 0, 0, 0): 4.44, (0, 0, 0, 0, 0, 3): 4.41, (0, 0, 1, 0, 0, 2): 4.93,
    (0, 0, 0, 1, 0, 2): 8.39, (0, 1, 0, 0, 0, 3): 4.10, (0, 1, 1, 0, 0, 2): 3.88, (0, 1, 4, 0, 0, 0): 0.0,
}  # fmt: skip
OXYGEN: dict[tuple[int, ...], float] = {
    (0, 0, 0, 1, 0, 0): 17.07, (1, 0, 1, 0, 0, 0): 20.23, (0, -1, 1, 0, 0, 0): 23.06, (0, 0, 2, 0, 0, 0): 9.23,
    (0, 0, 0, 0, 0, 2): 13.14,
}  # fmt: skip
# The three fragments that count otherwise in a ring of three.
RING_OF_THREE_NH, RING_OF_THREE_N, RING_OF_THREE_O = 21.94, 3.01, 12.53
OTHER_CHARGE = 3  # a charge but -1, 0, 1
# Bits of an index: single bonds 3, double 2, triple 1, aromatic 2, hydrogens 2, charge 2, oxygen 1.
_SHAPE = (2, 4, 4, 4, 2, 4, 8)
MAX_H = 15  # hydrogens in COMPUTED


def _area(known: dict[tuple[int, ...], float], computed: np.ndarray) -> np.ndarray:
    """(charge, hydrogens, aromatic, triple, double, single) float64 of one element."""
    _, h, aromatic, triple, double, single = np.indices(_SHAPE[1:])
    out = computed[np.minimum(aromatic + triple + double + single, MAX_DEGREE) << 4 | h]
    for (hydrogens, charge, one, two, three, ring), value in known.items():
        out[charge + 1, hydrogens, ring, three, two, one] = value
    return out


def _computed(base: float, per_neighbour: float) -> np.ndarray:
    """(128,) float64 at heavy neighbours << 4 | hydrogens: area of an atom that is not in the table."""
    neighbours, h = np.indices((MAX_DEGREE + 1, MAX_H + 1))
    return np.maximum(base - neighbours * per_neighbour + h * 1.5, 0.0).ravel()


COMPUTED_N, COMPUTED_O = _computed(30.5, 8.2), _computed(28.5, 8.6)
COMPUTED = np.concatenate([COMPUTED_N, COMPUTED_O])
# (k,) float64: every area there is; (8192,) uint8: which one.
AREA, _NUMBER = np.unique(np.stack([_area(NITROGEN, COMPUTED_N), _area(OXYGEN, COMPUTED_O)]), return_inverse=True)
AREA_NUMBER = _NUMBER.ravel().astype(np.uint8)
assert len(AREA) <= 256, "numbers of areas are bytes"


@per_molecule
def polar_area(oxygen, word, h, q):
    """Area of a nitrogen (oxygen = 0) or an oxygen (1) outside rings of three; h at most MAX_H."""
    singles = word >> SINGLES & THREE
    doubles = word >> D_ANY & TWO
    triples = word >> TRIPLE & TWO
    aromatic = word >> AROM & THREE
    if triples > 1 or aromatic > 3 or h > 3:
        return COMPUTED[oxygen << 7 | (singles + doubles + triples + aromatic) << 4 | h]
    charge = q + 1 if -1 <= q <= 1 else OTHER_CHARGE
    at = oxygen << 12 | charge << 10 | h << 8 | aromatic << 6 | triples << 5 | doubles << 3 | singles
    return AREA[int(AREA_NUMBER[at])]


@per_molecule
def polar_area_in_three(oxygen, word, h, q):
    """Area in a ring of three, where that makes a difference; -1 where it makes none."""
    singles = word >> SINGLES & THREE
    if q != 0 or word >> AROM & THREE != 0 or word >> D_ANY & TWO != 0 or word >> TRIPLE & TWO != 0:
        return -1.0
    if oxygen:
        return RING_OF_THREE_O if h == 0 and singles == 2 else -1.0
    if h == 1 and singles == 2:
        return RING_OF_THREE_NH
    return RING_OF_THREE_N if h == 0 and singles == 3 else -1.0


@per_molecule
def in_triangle(i, begin, end, m):
    """Whether two of the first three neighbours of atom i are bound to each other."""
    x, y, z = i, i, i
    for b in range(m):
        u, v = int(begin[b]), int(end[b])
        if (u == i) | (v == i):
            x, y, z = y, z, v if u == i else u
    for b in range(m):
        u, v = int(begin[b]), int(end[b])
        joined = ((u == x) | (u == y) | (u == z)) & ((v == x) | (v == y) | (v == z))
        if joined & (u != i) & (v != i):
            return True
    return False
