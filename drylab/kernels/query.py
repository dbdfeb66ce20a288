"""The words a substructure query is asked in: one-hot facts of an atom, what its neighbours are, and one code a bond.

A compiled query (featurize/smarts.py) never evaluates an expression: each fact of an atom owns a few bits of a word,
exactly one of which is set, so any conjunction of "this fact is one of those values" is one AND with the bits that are
forbidden. FIELDS below is the layout; the last value of a fact marked "more" stands for that value and all above it.

    here   (n,) int64: element, aromatic, hydrogens, charge, degree, connectivity, ring bonds, isotope
    there  (n,) int64: ring count, smallest ring, ring sizes, valence, non-hydrogen degree
    near   (n,) int64: which kinds of neighbours there are, once or at least twice (NEAR_* below)
    cls, around  (n,) uint16: numbers made of a few facts, CLASS_FACTS, and of near, AROUND, for the screen
    kind   (m,) uint8: order (0 to 4 of MolGraphs) + ORDERS if the bond is in a ring; a query bond is a mask of kinds

Values are those of RDKit's queries (Code/GraphMol/QueryOps.h), hydrogens counting neighbours that are hydrogen atoms.
A valence needs the orders of all bonds: where one is 0 (dative, other), the valence bits stay empty, which forbids
nothing, and the caller is told (UNKNOWN_VALENCE); the same for rings (UNKNOWN_RINGS).
"""

from __future__ import annotations

import numpy as np

from drylab.kernels.twin import per_molecule

# Elements with a bit of their own; others share the last bit and are looked up in a set (Programs.sets).
ELEMENTS = (1, 5, 6, 7, 8, 9, 14, 15, 16, 17, 34, 35, 53)
OTHER = len(ELEMENTS)
ORDERS = 5
KINDS = 2 * ORDERS
RING_SIZES = range(3, 12)  # sizes of which it is known whether the atom is in such a ring
SMALLEST_RINGS = range(3, 19)  # sizes of an atom's smallest ring that are told apart

# Fact -> (word, first bit, the value of each bit; the last one means "and above" where `more` is set).
FIELDS: dict[str, tuple[int, int, tuple[int, ...], bool]] = {}
_LAYOUT = (
    (0, "element", range(OTHER + 1), False),
    (0, "aromatic", range(2), False),
    (0, "hydrogens", range(6), True),
    (0, "charge", range(-3, 4), True),
    (0, "degree", range(8), True),
    (0, "connectivity", range(8), True),
    (0, "ring_bonds", range(6), True),
    (0, "implicit", range(6), True),
    (0, "isotope", range(2), False),
    (1, "ring_count", range(7), True),
    (1, "ring_min", (0, *SMALLEST_RINGS, SMALLEST_RINGS[-1] + 1), True),
    (1, "valence", range(10), True),
    (1, "heavy_degree", range(8), True),
    *((1, f"ring_{size}", range(2), False) for size in RING_SIZES),
)
_next = [0, 0]
for _word, _name, _values, _more in _LAYOUT:
    FIELDS[_name] = (_word, _next[_word], tuple(_values), _more)
    _next[_word] += len(_values)
assert max(_next) <= 62, "a word holds 62 bits"


def _at(name: str) -> int:
    return FIELDS[name][1]


SLOT = np.full(256, OTHER, np.uint8)
SLOT[list(ELEMENTS)] = range(OTHER)
# Neighbour groups: carbon, nitrogen, oxygen, sulphur, halogen, any other.
GROUPS = 6
GROUP = np.full(256, 5, np.uint8)
GROUP[[6, 7, 8, 16, 9, 17, 35, 53]] = [0, 1, 2, 3, 4, 4, 4, 4]

_AROMATIC, _HYDROGENS, _CHARGE = _at("aromatic"), _at("hydrogens"), _at("charge")
_DEGREE, _CONNECTIVITY, _RING_BONDS = _at("degree"), _at("connectivity"), _at("ring_bonds")
_IMPLICIT, _ISOTOPE = _at("implicit"), _at("isotope")
_RING_COUNT, _RING_MIN, _VALENCE, _HEAVY = _at("ring_count"), _at("ring_min"), _at("valence"), _at("heavy_degree")
_RING_OF = _at(f"ring_{RING_SIZES[0]}")
_SMALLEST, _LARGEST, _SIZES = RING_SIZES[0], SMALLEST_RINGS[-1], len(RING_SIZES)

# Bits of `near`: order and group; group; order; group at least twice; order at least twice.
NEAR_GROUP = ORDERS * GROUPS
NEAR_ORDER = NEAR_GROUP + GROUPS
NEAR_TWICE = NEAR_ORDER + ORDERS
_ONCE = ((1 << (GROUPS + ORDERS)) - 1) << NEAR_GROUP
_SHIFT = GROUPS + ORDERS

UNKNOWN_RINGS, UNKNOWN_VALENCE = 1, 2

# The class of an atom, for the screen: a number made of six facts, of which four are cut short.
CLASS_FACTS: tuple[tuple[str, tuple[tuple[int, ...], ...]], ...] = (  # fact -> its slots, gathered
    ("element", tuple((v,) for v in range(OTHER + 1))),
    ("aromatic", ((0,), (1,))),
    ("charge", ((0, 1, 2), (3,), (4, 5, 6))),
    ("hydrogens", ((0,), (1,), (2,), (3, 4, 5))),
    ("ring_bonds", ((0,), (1, 2), (3, 4, 5))),
    ("degree", ((0, 1), (2,), (3,), (4, 5, 6, 7))),
)
CLASSES = int(np.prod([len(parts) for _, parts in CLASS_FACTS]))


# The surroundings of an atom, for the screen: a number made of counts of bits of `near`, each 0, 1, (2 and above).
# (bit for at least one, bit for at least two or -1): double and triple bonds, neighbours C, N, O, S, halogen, and =O.
AROUND = (
    (NEAR_ORDER + 2, NEAR_TWICE + GROUPS + 2),
    (NEAR_ORDER + 3, -1),
    (NEAR_GROUP, NEAR_TWICE),
    (NEAR_GROUP + 1, NEAR_TWICE + 1),
    (NEAR_GROUP + 2, NEAR_TWICE + 2),
    (NEAR_GROUP + 3, -1),
    (NEAR_GROUP + 4, NEAR_TWICE + 4),
    (2 * GROUPS + 2, -1),
)
AROUNDS = int(np.prod([2 if twice < 0 else 3 for _, twice in AROUND]))


@per_molecule
def cap(x, most):
    """The lesser of two integers, signed (min of an unsigned and a signed one is a float in numba)."""
    x = np.int64(x)
    return x if x < most else np.int64(most)


@per_molecule
def bond_words(begin, end, order, bond_ring, element, m, n, kind, near):
    """Fill kind (m,) and near (n,) of one molecule."""
    for i in range(n):
        near[i] = 0
    for b in range(m):
        o = int(order[b])
        kind[b] = o + ORDERS * int(bond_ring[b])
        u, v = int(begin[b]), int(end[b])
        for _ in range(2):
            g = int(GROUP[int(element[v])])
            seen = (1 << (o * GROUPS + g)) | (1 << (NEAR_GROUP + g)) | (1 << (NEAR_ORDER + o))
            had = int(near[u])
            near[u] = had | seen | ((had & seen & _ONCE) << _SHIFT)
            u, v = v, u


@per_molecule
def atom_words(element, charge, hydrogens, aromatic, isotope, n, start, neighbour, via, kind, near, here, cls, around):
    """Fill here (n,), cls and around (n,) uint16, the class and the surroundings, of one molecule."""
    for i in range(n):
        ring_bonds, atoms_h = 0, 0
        degree = int(start[i + 1]) - int(start[i])
        for at in range(int(start[i]), int(start[i + 1])):
            ring_bonds += int(kind[int(via[at])]) >= ORDERS
            atoms_h += int(element[int(neighbour[at])]) == 1
        implicit = int(hydrogens[i])
        word = 1 << int(SLOT[int(element[i])])
        word |= 1 << (_AROMATIC + int(aromatic[i]))
        word |= 1 << (_HYDROGENS + cap(implicit + atoms_h, 5))
        word |= 1 << (_CHARGE + 3 + max(-3, cap(charge[i], 3)))
        word |= 1 << (_DEGREE + cap(degree, 7))
        word |= 1 << (_CONNECTIVITY + cap(degree + implicit, 7))
        word |= 1 << (_RING_BONDS + cap(ring_bonds, 5))
        word |= 1 << (_IMPLICIT + cap(implicit, 5))
        word |= 1 << (_ISOTOPE + (int(isotope[i]) != 0))
        here[i] = word
        sign = 1 + (int(charge[i]) > 0) - (int(charge[i]) < 0)
        code = (int(SLOT[int(element[i])]) * 2 + int(aromatic[i])) * 3 + sign
        code = (code * 4 + cap(implicit + atoms_h, 3)) * 3 + (ring_bonds > 0) + (ring_bonds > 2)
        cls[i] = code * 4 + max(0, cap(degree - 1, 3))
        had, code = int(near[i]), 0
        for once, twice in AROUND:
            more = 0 if twice < 0 else (had >> twice) & 1
            code = code * (2 if twice < 0 else 3) + ((had >> once) & 1) + more
        around[i] = code


@per_molecule
def far_words(
    element, charge, hydrogens, aromatic, isotope, n, start, neighbour, via, order,
    ring_count, ring_min, ring_sizes, rings_known, there,
):  # fmt: skip
    """Fill there (n,) of one molecule. Returns UNKNOWN_RINGS and UNKNOWN_VALENCE bits, 0 if all is known."""
    unknown = 0 if rings_known else UNKNOWN_RINGS
    for i in range(n):
        heavy = 0
        for at in range(int(start[i]), int(start[i + 1])):
            j = int(neighbour[at])
            heavy += int(element[j]) != 1 or int(isotope[j]) > 1
        word = 1 << (_HEAVY + cap(heavy, 7))
        valence = total_valence(i, element, charge, hydrogens, aromatic, start, via, order)
        if valence < 0:
            unknown |= UNKNOWN_VALENCE
        else:
            word |= 1 << (_VALENCE + cap(valence, 9))
        if rings_known:
            least = int(ring_min[i])
            word |= 1 << (_RING_COUNT + cap(int(ring_count[i]), 6))
            word |= 1 << (_RING_MIN + (0 if least == 0 else cap(least, _LARGEST + 1) - _SMALLEST + 1))
            sizes = int(ring_sizes[i])
            for at in range(_SIZES):
                word |= 1 << (_RING_OF + 2 * at + ((sizes >> (_SMALLEST + at)) & 1))
        there[i] = word
    return unknown


@per_molecule
def total_valence(i, element, charge, hydrogens, aromatic, start, via, order):
    """RDKit's total valence of atom i, or -1 where a bond's order is not known or the aromatic rule is not ours.

    An aromatic bond counts 1.5. Where that exceeds the usual valence of an aromatic atom by at most 1.5, it is that
    valence (pyrrole's nitrogen, thiophene's sulphur).
    """
    twice, has_aromatic = 2 * int(hydrogens[i]), False
    for at in range(int(start[i]), int(start[i + 1])):
        o = int(order[int(via[at])])
        if o == 0:
            return -1
        has_aromatic = has_aromatic or o == 4
        twice += 3 if o == 4 else 2 * o
    if not has_aromatic:
        return twice // 2
    # An atom with a charge has the valences of the neighbouring element: N+ those of carbon.
    usual = 0
    like = int(element[i]) - int(charge[i])
    if int(element[i]) in (5, 6, 7, 8):
        if 5 <= like <= 8:
            usual = (3, 4, 3, 2)[like - 5]
    elif int(element[i]) in (16, 34) and int(charge[i]) == 0:
        usual = 2 if twice < 8 else 4
    if usual == 0 or twice - 2 * usual > 3:
        return -1
    return usual if twice > 2 * usual else (twice + 1) // 2
