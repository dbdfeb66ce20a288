"""What a Morgan fingerprint knows of an atom by itself: RDKit's connectivity invariants.

    invariant = hash(element, bonds and hydrogens, hydrogens, charge, delta mass, 1 if in a ring)

hash is boost's hash_combine on 32 bits, over the numbers in this order; delta mass is 0 or, of an isotope, that of
isotopes.py. Neighbours that are hydrogen atoms count among the hydrogens.

Source: RDKit, Code/GraphMol/Fingerprints/FingerprintUtil.cpp and Code/RDGeneral/hash/hash.hpp (BSD-3).
"""

from __future__ import annotations

from drylab.kernels.isotopes import delta_mass
from drylab.kernels.twin import per_molecule

MASK32 = 0xFFFFFFFF
GOLDEN = 0x9E3779B9  # in hash_combine of boost


@per_molecule
def combine(seed, value):
    """boost's hash_combine on 32 bits."""
    return (seed ^ (value + GOLDEN + (seed << 6) + (seed >> 2))) & MASK32


@per_molecule
def invariant(element, connections, hydrogens, charge, delta, ring):
    """RDKit's connectivity invariant of an atom: a hash of these numbers in this order, the last only if in a ring."""
    code = (element + GOLDEN) & MASK32
    code = combine(code, connections)
    code = combine(code, hydrogens)
    code = combine(code, charge & MASK32)
    code = combine(code, delta & MASK32)
    in_ring = combine(code, 1)
    return in_ring if ring else code


@per_molecule
def invariants(element, charge, hydrogens, degree, atom_ring, out):
    """Invariants of any run of atoms, (n,) uint32, right where no isotope is given and no neighbour is a hydrogen atom."""
    for i in range(len(element)):
        h = int(hydrogens[i]) + 0  # + 0: an int64 for numba, which adds two bytes to an unsigned number
        out[i] = invariant(int(element[i]) + 0, h + int(degree[i]), h, int(charge[i]) + 0, 0, int(atom_ring[i]))


@per_molecule
def is_special(n, element, isotope):
    """Whether a molecule has isotopes or hydrogen atoms, so that its invariants need ``correct``."""
    special = 0
    for i in range(n):
        special |= int(isotope[i]) | (int(element[i]) == 1)
    return special != 0


@per_molecule
def correct(n, m, element, charge, hydrogens, degree, isotope, atom_ring, begin, end, extra, out):
    """Invariants of any molecule. RDKit counts hydrogen atoms among the neighbours as hydrogens too.

    extra is scratch of n integers.
    """
    for i in range(n):
        extra[i] = 0
    for b in range(m):
        u, v = int(begin[b]), int(end[b])
        extra[u] += int(element[v]) == 1
        extra[v] += int(element[u]) == 1
    for i in range(n):
        z, h, mass = int(element[i]) + 0, int(hydrogens[i]) + 0, int(isotope[i]) + 0
        delta = delta_mass(z, mass) if mass else 0
        ring = int(atom_ring[i])
        out[i] = invariant(z, h + int(degree[i]), h + int(extra[i]), int(charge[i]) + 0, delta, ring)
