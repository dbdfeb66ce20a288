"""What the screen knows of a query atom: the classes of atoms it can be, and the neighbours it needs (kernels/query.py)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from drylab.featurize.terms import N_ELEMENTS, Query, Term
from drylab.kernels.query import (
    AROUND,
    AROUNDS,
    CLASS_FACTS,
    CLASSES,
    ELEMENTS,
    FIELDS,
    GROUP,
    GROUPS,
    KINDS,
    NEAR_GROUP,
    NEAR_ORDER,
    NEAR_TWICE,
    ORDERS,
    OTHER,
)

# How often classes of atoms are met, in 10,000 atoms, and kinds of bonds: 12,000 molecules of ZINC and ChEMBL. An atom is
# its symbol (small if aromatic), charge, hydrogens, ring bonds (0, 1 for up to two, 2 for more) and degree.
_MET = """
c0112:1990 c0013:1278 C0202:812 C0301:657 O0001:649 C0212:579 C0003:393 c0023:336 O0002:304 C0113:276 C0013:250 O0101:233
N0102:225 C0103:213 n0012:186 C0102:122 F0001:121 N0201:112 N0013:105 Cl0001:86 n0013:82 O0012:82 C0123:80 N0112:78
N0002:78 Br0001:66 C0004:56 C0023:51 C0014:40 C0024:36 n0112:34 N0003:29 S0012:29 O-001:28 C0112:28 s0012:28 o0012:27
C0002:24 N+003:23 S0004:20 S0002:20 I0001:17 C0201:16 N0001:15 N0012:13 N0101:12 n0023:11 P0004:8 N0023:8 S0001:5 S0101:4
n+013:4 Na+001:3 S0014:3 C0101:2 Cl0101:2 N+004:1 S+003:1 Br-001:1 N+014:1 I-001:1 P0014:1 N+024:1
"""
_RARE = 1e-7
BOND_SHARE = (1e-5, 0.372, 0.076, 0.002, 1e-5, 1e-5, 0.163, 0.007, 1e-5, 0.381)
_SYMBOLS = dict(zip(["H", "B", "C", "N", "O", "F", "Si", "P", "S", "Cl", "Se", "Br", "I"], range(OTHER), strict=True))


@lru_cache(maxsize=1)
def class_share() -> NDArray[np.float64]:
    """(CLASSES,) float64: guessed share of the atoms that are of a class."""
    share = np.full(CLASSES, _RARE)
    for item in _MET.split():
        name, met = item.split(":")
        symbol, charge, hydrogens, ring, degree = name[:-4], name[-4], name[-3], name[-2], name[-1]
        digits = (
            _SYMBOLS.get(symbol.capitalize(), OTHER), int(symbol.islower()), "-0+".index(charge),
            int(hydrogens), int(ring), int(degree) - 1,
        )  # fmt: skip
        share[np.ravel_multi_index(digits, [len(parts) for _, parts in CLASS_FACTS])] = int(met) / 1e4
    return share


def bits_of(facts: Sequence[tuple[str, int]]) -> tuple[int, int, int, int]:
    """not_here, not_there, mask of elements (-1: those with a slot of their own tell), isotope (-1: any) of a term."""
    forbidden, others, isotope = [0, 0], -1, -1
    for name, mask in facts:
        word, first, values, _ = FIELDS[name]
        if name == "element":
            rest = mask & _others()
            slots = sum(((mask >> e) & 1) << s for s, e in enumerate(ELEMENTS)) | (bool(rest) << OTHER)
            others = mask if rest and rest != _others() else -1
        elif name == "isotope":
            slots = (mask & 1) | (bool(mask & ~1) << 1)
            isotope = mask.bit_length() - 1 if mask.bit_count() == 1 and mask != 1 else -1
        else:
            slots = mask
        forbidden[word] |= ((1 << len(values)) - 1 & ~slots) << first
    return forbidden[0], forbidden[1], others, isotope


@lru_cache(maxsize=1)
def _others() -> int:
    return ((1 << N_ELEMENTS) - 1) & ~sum(1 << e for e in ELEMENTS)


@lru_cache(maxsize=1)
def class_bits() -> NDArray[np.int64]:
    """(facts, CLASSES) int64: bits of each fact an atom of the class may have."""
    grids = np.unravel_index(np.arange(CLASSES), [len(parts) for _, parts in CLASS_FACTS])
    bits = []
    for (name, parts), grid in zip(CLASS_FACTS, grids, strict=True):
        first = FIELDS[name][1]
        bits.append(np.array([sum(1 << (first + v) for v in part) for part in parts], np.int64)[grid])
    return np.array(bits)


@lru_cache(maxsize=8192)
def _classes_of(term: Term) -> NDArray[np.bool_]:
    """(CLASSES,) bool: classes in which there may be an atom that satisfies the term."""
    forbidden = bits_of([(name, mask) for name, mask in term.facts if FIELDS[name][0] == 0])[0]
    found = ((class_bits() & ~np.int64(forbidden)) != 0).all(axis=0)
    for inner, sign in term.recursive:
        if sign:
            found = found & classes(inner.atoms[0])
    return found


@lru_cache(maxsize=8192)
def classes(terms: tuple[Term, ...]) -> NDArray[np.bool_]:
    """(CLASSES,) bool: classes in which there may be an atom that satisfies one of the terms."""
    return np.logical_or.reduce([_classes_of(term) for term in terms]) if terms else np.zeros(CLASSES, bool)


Key = tuple[bytes, int]  # of query atoms: the classes they can be of, packed, and the bits of `near` they need
Feature = tuple[Key, Key, int]  # of bonds: keys of either end, mask of kinds


@lru_cache(maxsize=8192)
def near_of(query: Query) -> tuple[int, ...]:
    """For each atom of a query the bits of `near` that an atom must have to stand for it."""
    seen: list[Counter[int]] = [Counter() for _ in query.atoms]
    for i, j, mask in query.bonds:
        orders = {kind % ORDERS for kind in range(KINDS) if mask >> kind & 1}
        for here, there in ((i, j), (j, i)):
            groups = _groups(query.atoms[there])
            if len(groups) == 1:
                seen[here][NEAR_GROUP + min(groups)] += 1
            if len(orders) == 1:
                seen[here][NEAR_ORDER + min(orders)] += 1
            if len(groups) == len(orders) == 1:
                seen[here][min(orders) * GROUPS + min(groups)] += 1
    return tuple(_near_bits(bits) | _near_inside(terms) for bits, terms in zip(seen, query.atoms, strict=True))


def _near_bits(seen: Counter[int]) -> int:
    bits = sum(1 << bit for bit in seen)
    return bits | sum(1 << (bit - NEAR_GROUP + NEAR_TWICE) for bit, k in seen.items() if k > 1 and bit >= NEAR_GROUP)


def _near_inside(terms: tuple[Term, ...]) -> int:
    """What the recursive queries of every term need around their first atom."""
    common = -1 if terms else 0
    for term in terms:
        each = 0
        for inner, sign in term.recursive:
            each |= near_of(inner)[0] if sign else 0
        common &= each
    return common


@lru_cache(maxsize=8192)
def _groups(terms: tuple[Term, ...]) -> frozenset[int]:
    elements = 0
    for term in terms:
        elements |= term.allowed("element")
    return frozenset(int(GROUP[e]) for e in range(N_ELEMENTS) if elements >> e & 1)


@lru_cache(maxsize=4096)
def _near_share(bits: int) -> float:
    """Guessed share of atoms that have these neighbours, whatever they are themselves."""
    share = 1.0
    for order, odds in enumerate((1e-4, 1.0, 0.15, 0.004, 0.5)):
        once, twice = bits >> (NEAR_ORDER + order) & 1, bits >> (NEAR_ORDER - NEAR_GROUP + NEAR_TWICE + order) & 1
        share *= odds * 0.05 if twice and order in (2, 3) else odds if once else 1.0
    for group, odds in enumerate((0.9, 0.25, 0.25, 0.04, 0.05, 0.005)):
        once, twice = bits >> (NEAR_GROUP + group) & 1, bits >> (NEAR_TWICE + group) & 1
        share *= odds**2 if twice else odds if once else 1.0
    return share


@lru_cache(maxsize=8192)
def _packed(terms: tuple[Term, ...]) -> bytes:
    return np.packbits(classes(terms)).tobytes()


@lru_cache(maxsize=1)
def _around() -> tuple[NDArray[np.int64], int]:
    """(AROUNDS,) int64: bits of near that atoms of such surroundings have; and all bits that surroundings tell."""
    grids = np.unravel_index(np.arange(AROUNDS), [2 if twice < 0 else 3 for _, twice in AROUND])
    bits = np.zeros(AROUNDS, np.int64)
    told = 0
    for (once, twice), grid in zip(AROUND, grids, strict=True):
        bits |= (grid > 0).astype(np.int64) << once
        told |= 1 << once
        if twice >= 0:
            bits |= (grid > 1).astype(np.int64) << twice
            told |= 1 << twice
    return bits, told


def atom_key(query: Query, atom: int) -> Key:
    """What the screen knows of a query atom."""
    return _packed(query.atoms[atom]), near_of(query)[atom] & _around()[1]


def row(key: Key) -> NDArray[np.bool_]:
    """(CLASSES,) bool: the classes of a key."""
    return np.unpackbits(np.frombuffer(key[0], np.uint8), count=CLASSES).astype(bool)


def row_around(key: Key) -> NDArray[np.bool_]:
    """(AROUNDS,) bool: the surroundings that have what a key needs."""
    return (key[1] & ~_around()[0]) == 0


def keys_of(query: Query) -> list[Key]:
    """The keys of a query's atoms."""
    return [atom_key(query, i) for i in range(len(query.atoms))]


def bond_features(query: Query) -> list[Feature]:
    """The features of a query's bonds."""
    keys = keys_of(query)
    return [(min(keys[i], keys[j]), max(keys[i], keys[j]), mask) for i, j, mask in query.bonds]


@lru_cache(maxsize=8192)
def share_of(key: Key) -> float:
    """Guessed share of atoms that a query atom can stand for."""
    return float(class_share()[row(key)].sum()) * _near_share(key[1])


@lru_cache(maxsize=8192)
def bond_share(feature: Feature) -> float:
    """Guessed chance that a bond has a feature."""
    kinds = sum(BOND_SHARE[k] for k in range(KINDS) if feature[2] >> k & 1)
    return min(1.0, 2 * kinds * share_of(feature[0]) * share_of(feature[1]))
