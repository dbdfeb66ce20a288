"""The screen in front of substructure programs: which counts of atoms and bonds each query needs (substructure.py).

A feature of atoms is a set of atom classes (query.py); one of bonds a set of kinds between two such sets. The features
are those the queries themselves ask for: the ones most useful, by a guess of how rare they are (it decides speed only).
A query needs a feature as often as it has atoms, or bonds, of which every match must have it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from heapq import heapify, heappop, heappush
from math import exp, factorial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from drylab.featurize.smarts import N_ELEMENTS, Query, Term
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
from drylab.kernels.substructure import ATOM_LEVELS, BOND_LEVELS

WORD = 62
ATOM_WORDS, BOND_WORDS = 4, 8  # screen words of each level, at most
WORTH = 0.02  # queries that a feature has to dismiss, of those asked of a molecule
ATOMS_A_MOLECULE = 27


class Screen(NamedTuple):
    """What Programs (kernels/search.py) says of these fields, and ``order``: the query behind each program."""

    order: NDArray[np.int32]
    group: NDArray[np.int32]
    group_word: NDArray[np.int32]
    group_bit: NDArray[np.int64]
    need: NDArray[np.int32]
    need_word: NDArray[np.int32]
    need_mask: NDArray[np.int64]
    atom_bits: NDArray[np.int64]
    atom_around: NDArray[np.int64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    left_around: NDArray[np.int64]
    right_around: NDArray[np.int64]
    bond_bits: NDArray[np.int64]


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
        symbol, (charge, hydrogens, ring, degree) = name[:-4], name[-4:]
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


def _row(key: Key) -> NDArray[np.bool_]:
    return np.unpackbits(np.frombuffer(key[0], np.uint8), count=CLASSES).astype(bool)


def _row_around(key: Key) -> NDArray[np.bool_]:
    return (key[1] & ~_around()[0]) == 0


def _keys(query: Query) -> list[Key]:
    return [atom_key(query, i) for i in range(len(query.atoms))]


def _bond_features(query: Query) -> list[Feature]:
    keys = _keys(query)
    return [(*sorted((keys[i], keys[j])), mask) for i, j, mask in query.bonds]


@lru_cache(maxsize=8192)
def share_of(key: Key) -> float:
    """Guessed share of atoms that a query atom can stand for."""
    return float(class_share()[_row(key)].sum()) * _near_share(key[1])


@lru_cache(maxsize=8192)
def _bond_share(feature: Feature) -> float:
    kinds = sum(BOND_SHARE[k] for k in range(KINDS) if feature[2] >> k & 1)
    return min(1.0, 2 * kinds * share_of(feature[0]) * share_of(feature[1]))


@lru_cache(maxsize=8192)
def _present(share: float, count: int) -> float:
    """Chance that a molecule has so many of something: Poisson's tail."""
    mean = share * ATOMS_A_MOLECULE
    return max(1e-9, 1.0 - sum(exp(-mean) * mean**k / factorial(k) for k in range(count)))


def _odds(counts: NDArray[np.int64], shares: list[float], levels: int) -> NDArray[np.float64]:
    """(queries, features) float64: chance that a molecule has what a query needs of a feature."""
    table = np.array([[1.0, *(_present(share, k + 1) for k in range(levels))] for share in shares]).reshape(
        -1, levels + 1
    )
    return np.take_along_axis(table, np.minimum(counts, levels).T, axis=1).T


def _choose(odds: NDArray[np.float64], limit: int) -> list[int]:
    """Columns (features) that dismiss most: each in turn the one that lowers the sum of the queries' least odds most."""
    least = np.ones(len(odds))
    queue = [(-float(gain), f) for f, gain in enumerate((1.0 - odds).sum(axis=0))]
    heapify(queue)
    chosen: list[int] = []
    while queue and len(chosen) < limit:
        _, f = heappop(queue)
        gain = float(np.maximum(least - odds[:, f], 0.0).sum())
        # Gains only shrink: if this one still leads, no other can be better.
        if queue and gain < -queue[0][0]:
            heappush(queue, (-gain, f))
        elif gain > WORTH:
            chosen.append(f)
            least = np.minimum(least, odds[:, f])
    return chosen


class _Needs:
    """How often a query needs each chosen feature."""

    def __init__(self, queries: Sequence[Query], atoms: list[bytes], bonds: list[Feature]) -> None:
        keys = {key for query in queries for key in _keys(query)}
        keys |= {*atoms, *(f[0] for f in bonds), *(f[1] for f in bonds)}
        self.index = {key: i for i, key in enumerate(sorted(keys))}
        sets = {key[0]: None for key in self.index}
        place = {packed: k for k, packed in enumerate(sets)}
        rows = np.array([_row((packed, 0)) for packed in sets], np.float32).reshape(-1, CLASSES)
        inside = (rows @ (1 - rows).T) == 0
        at = [place[key[0]] for key in self.index]
        near = np.array([key[1] for key in self.index], np.int64)
        # Whether the first key's atoms are all among the second's.
        self.within = inside[np.ix_(at, at)] & ((near[None, :] & ~near[:, None]) == 0)
        self.atoms = np.array([self.index[key] for key in atoms], int)
        self.left = np.array([self.index[f[0]] for f in bonds], int)
        self.right = np.array([self.index[f[1]] for f in bonds], int)
        self.masks = np.array([f[2] for f in bonds], int)
        self.known: dict[Query, tuple[NDArray[np.int64], NDArray[np.int64]]] = {}
        self.rings: dict[Query, int] = {}

    def of(self, query: Query) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Counts of atom features and of bond features."""
        if query not in self.known:
            self.known[query] = self._of(query)
        return self.known[query]

    def cycles(self, query: Query) -> int:
        """Lengths of rings that a molecule must have."""
        if query not in self.rings:
            mask = _cycles(query)
            for terms in query.atoms:
                common = -1 if terms else 0
                for term in terms:
                    each = 0
                    for inner, sign in term.recursive:
                        each |= self.cycles(inner) if sign else 0
                    common &= each
                mask |= common
            self.rings[query] = mask
        return self.rings[query]

    def _of(self, query: Query) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        at = [self.index[key] for key in _keys(query)]
        atoms = self.within[at][:, self.atoms].sum(axis=0)
        bonds = np.zeros(len(self.masks), np.int64)
        for i, j, mask in query.bonds:
            u, v = self.within[at[i]], self.within[at[j]]
            ends = (u[self.left] & v[self.right]) | (v[self.left] & u[self.right])
            bonds += ends & (mask & ~self.masks == 0)
        # Atoms of a recursive query may be atoms of this one as well: the greater count, not the sum.
        for terms in query.atoms:
            each = [[self.of(inner) for inner, sign in term.recursive if sign] for term in terms]
            if each and all(each):
                atoms = np.maximum(atoms, np.min([np.max([a for a, _ in found], axis=0) for found in each], axis=0))
                bonds = np.maximum(bonds, np.min([np.max([b for _, b in found], axis=0) for found in each], axis=0))
        return atoms, bonds


def with_inner(queries: Sequence[Query]) -> list[Query]:
    """The queries and all recursive ones in them, once each."""
    found: dict[Query, None] = {}
    waiting = list(queries)
    while waiting:
        query = waiting.pop()
        if query not in found:
            found[query] = None
            waiting += [inner for terms in query.atoms for term in terms for inner, _ in term.recursive]
    return list(found)


def _columns(rows: list[NDArray[np.bool_]], n: int, words: int) -> NDArray[np.int64]:
    """(n, words) int64 from a bool row of n a feature: bit f % WORD of word f // WORD."""
    out = np.zeros((n, words), np.int64)
    for f, row in enumerate(rows):
        out[:, f // WORD] |= row.astype(np.int64) << (f % WORD)
    return out


def _cycles(query: Query) -> int:
    """Mask of lengths of rings of the query (up to 61): of each bond on a ring, the smallest one through it."""
    mask = 0
    for k, (i, j, _) in enumerate(query.bonds):
        rest = [bond[:2] for b, bond in enumerate(query.bonds) if b != k]
        reached, edge, steps = {i}, {i}, 1
        while edge and j not in reached:
            edge = {v for u, w in rest for v in ((w,) if u in edge else (u,) if w in edge else ())} - reached
            reached |= edge
            steps += 1
        mask |= (j in reached) << min(steps, 61)
    return mask


def screen(queries: Sequence[Query | None]) -> Screen:
    """The screen of some queries."""
    there = [query for query in queries if query]
    inner = with_inner(there)
    atoms = sorted({key for query in there for key in _keys(query)})
    bonds = sorted({feature for query in there for feature in _bond_features(query)})
    needs = _Needs(inner, atoms, bonds)
    none = np.zeros(len(atoms), np.int64), np.zeros(len(bonds), np.int64)
    counts = [needs.of(query) if query else none for query in queries]
    atom_counts = np.array([a for a, _ in counts], np.int64).reshape(len(queries), -1)
    bond_counts = np.array([b for _, b in counts], np.int64).reshape(len(queries), -1)
    atom_odds = _odds(atom_counts, [share_of(f) for f in atoms], ATOM_LEVELS)
    bond_odds = _odds(bond_counts, [_bond_share(f) for f in bonds], BOND_LEVELS)
    atom_best, bond_best = _choose(atom_odds, WORD * ATOM_WORDS), _choose(bond_odds, WORD * BOND_WORDS)
    atoms, bonds = [atoms[f] for f in atom_best], [bonds[f] for f in bond_best]
    atom_words, bond_words = max(1, -(-len(atoms) // WORD)), max(1, -(-len(bonds) // WORD))
    first_atom = bond_words * BOND_LEVELS
    last = first_atom + atom_words * ATOM_LEVELS
    need = np.zeros((len(queries), last + 1), np.int64)
    odds = np.ones((len(queries), last + 1))  # of the rarest bit that a query needs in a word
    rarest = np.zeros((len(queries), last + 1), np.int64)
    for at, width, levels, wanted, chances in (
        (0, bond_words, BOND_LEVELS, bond_counts[:, bond_best], bond_odds[:, bond_best]),
        (first_atom, atom_words, ATOM_LEVELS, atom_counts[:, atom_best], atom_odds[:, atom_best]),
    ):
        for e, f in np.argwhere(wanted).tolist():
            top = min(int(wanted[e, f]), levels)
            for level in range(top):
                need[e, at + level * width + f // WORD] |= 1 << (f % WORD)
            word = at + (top - 1) * width + f // WORD
            if chances[e, f] < odds[e, word]:
                odds[e, word], rarest[e, word] = chances[e, f], 1 << (f % WORD)
    for e, query in enumerate(queries):
        if query and (mask := needs.cycles(query)):
            need[e, last], odds[e, last] = mask, 0.9
    masks = [np.array([f[2] >> k & 1 for k in range(KINDS)], bool) for f in bonds]
    return Screen(
        *_grouped(need, odds, rarest),
        atom_bits=_columns([_row(key) for key in atoms], CLASSES, atom_words),
        atom_around=_columns([_row_around(key) for key in atoms], AROUNDS, atom_words),
        left=_columns([_row(f[0]) for f in bonds], CLASSES, bond_words),
        right=_columns([_row(f[1]) for f in bonds], CLASSES, bond_words),
        left_around=_columns([_row_around(f[0]) for f in bonds], AROUNDS, bond_words),
        right_around=_columns([_row_around(f[1]) for f in bonds], AROUNDS, bond_words),
        bond_bits=_columns(masks, KINDS, bond_words),
    )


def _grouped(need: NDArray[np.int64], odds: NDArray[np.float64], rarest: NDArray[np.int64]):  # type: ignore[no-untyped-def]
    """The order of programs, and Screen's fields up to need_mask: groups share the rarest bit they need."""
    words = odds.argmin(axis=1)
    keys = [(int(w), int(rarest[p, w])) for p, w in enumerate(words)]
    order = np.array(sorted(range(len(keys)), key=lambda p: (keys[p], p)), np.int32)
    group_word, group_bit, group = [], [], [0]
    need_word, need_mask, need_ptr = [], [], [0]
    for at, p in enumerate(order.tolist()):
        if not at or keys[p] != keys[order[at - 1]]:
            group_word.append(keys[p][0])
            group_bit.append(keys[p][1])
            group.append(at)
        group[-1] = at + 1
        used = sorted(np.flatnonzero(need[p]).tolist(), key=lambda w: odds[p, w])
        need_word += used
        need_mask += need[p, used].tolist()
        need_ptr.append(len(need_word))
    ints = [np.array(values, np.int32) for values in (group, group_word, need_ptr, need_word)]
    longs = [np.array(values, np.int64) for values in (group_bit, need_mask)]
    return order, ints[0], ints[1], longs[0], ints[2], ints[3], longs[1]
