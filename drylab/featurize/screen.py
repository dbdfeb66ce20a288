"""The screen in front of substructure programs: which counts of atoms and bonds each query needs (substructure.py).

A feature of atoms is a set of atom classes (query.py); one of bonds a set of kinds between two such sets. The features
are those the queries themselves ask for: the ones most useful, by a guess of how rare they are (it decides speed only).
A query needs a feature as often as it has atoms, or bonds, of which every match must have it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from heapq import heapify, heappop, heappush
from math import exp, factorial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from drylab.featurize.classes import Feature, Key, bond_features, bond_share, keys_of, row, row_around, share_of
from drylab.featurize.terms import Query
from drylab.kernels.query import AROUNDS, CLASSES, KINDS
from drylab.kernels.substructure import ATOM_LEVELS, BOND_LEVELS, MAX_SCREEN

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

    def __init__(self, queries: Sequence[Query], atoms: list[Key], bonds: list[Feature]) -> None:
        keys = {key for query in queries for key in keys_of(query)}
        keys |= {*atoms, *(f[0] for f in bonds), *(f[1] for f in bonds)}
        self.index = {key: i for i, key in enumerate(sorted(keys))}
        sets = {key[0]: None for key in self.index}
        place = {packed: k for k, packed in enumerate(sets)}
        rows = np.array([row((packed, 0)) for packed in sets], np.float32).reshape(-1, CLASSES)
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
        at = [self.index[key] for key in keys_of(query)]
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
    for f, held in enumerate(rows):
        out[:, f // WORD] |= held.astype(np.int64) << (f % WORD)
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
    atoms = sorted({key for query in there for key in keys_of(query)})
    bonds = sorted({feature for query in there for feature in bond_features(query)})
    needs = _Needs(inner, atoms, bonds)
    none = np.zeros(len(atoms), np.int64), np.zeros(len(bonds), np.int64)
    counts = [needs.of(query) if query else none for query in queries]
    atom_counts = np.array([a for a, _ in counts], np.int64).reshape(len(queries), len(atoms))
    bond_counts = np.array([b for _, b in counts], np.int64).reshape(len(queries), len(bonds))
    atom_odds = _odds(atom_counts, [share_of(f) for f in atoms], ATOM_LEVELS)
    bond_odds = _odds(bond_counts, [bond_share(f) for f in bonds], BOND_LEVELS)
    atom_best, bond_best = _choose(atom_odds, WORD * ATOM_WORDS), _choose(bond_odds, WORD * BOND_WORDS)
    atoms, bonds = [atoms[f] for f in atom_best], [bonds[f] for f in bond_best]
    atom_words, bond_words = max(1, -(-len(atoms) // WORD)), max(1, -(-len(bonds) // WORD))
    first_atom = bond_words * BOND_LEVELS
    last = first_atom + atom_words * ATOM_LEVELS
    assert last < MAX_SCREEN, "more screen words than the kernels have room for"
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
    order, group, group_word, group_bit, need_ptr, need_word, need_mask = _grouped(need, odds, rarest)
    return Screen(
        order=order,
        group=group,
        group_word=group_word,
        group_bit=group_bit,
        need=need_ptr,
        need_word=need_word,
        need_mask=need_mask,
        atom_bits=_columns([row(key) for key in atoms], CLASSES, atom_words),
        atom_around=_columns([row_around(key) for key in atoms], AROUNDS, atom_words),
        left=_columns([row(f[0]) for f in bonds], CLASSES, bond_words),
        right=_columns([row(f[1]) for f in bonds], CLASSES, bond_words),
        left_around=_columns([row_around(f[0]) for f in bonds], AROUNDS, bond_words),
        right_around=_columns([row_around(f[1]) for f in bonds], AROUNDS, bond_words),
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
