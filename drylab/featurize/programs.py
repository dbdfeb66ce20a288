"""Queries (smarts.py) -> the flat programs that kernels run, and the screen in front of them.

Steps start at the query atom that is rarest in drug-like molecules and grow along bonds, rarest first; a recursive
query starts at its first atom. How rare is a guess (_SHARE), which decides speed only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from drylab.featurize.classes import BOND_SHARE, atom_key, bits_of, near_of, share_of
from drylab.featurize.rewrite import alternatives, sharpen
from drylab.featurize.screen import WORD, screen, with_inner
from drylab.featurize.terms import N_ELEMENTS, Query, Term, full
from drylab.kernels.query import (
    FIELDS,
    KINDS,
    UNKNOWN_RINGS,
    UNKNOWN_VALENCE,
)
from drylab.kernels.search import FAR, INEXACT, MAX_FRAMES, MAX_SLOTS, Programs

FAR_TOO_MANY = 1_000_000
_MOST_BONDS = {1: 2, 5: 4, 6: 4, 7: 4, 8: 3, 9: 2}
_UNKNOWN = {"ring_count": UNKNOWN_RINGS, "ring_min": UNKNOWN_RINGS, "valence": UNKNOWN_VALENCE}


def _rarity(query: Query, atom: int) -> float:
    terms = query.atoms[atom]
    factor = 1.0 if any(not term.recursive for term in terms) else 0.3
    return share_of(atom_key(query, atom)) * factor


@dataclass(frozen=True, slots=True)
class _Step:
    atom: int
    parent: int
    bond: int
    closures: tuple[tuple[int, int], ...]


def _order(query: Query, anchored: bool) -> list[_Step]:
    """The steps of a query. Atoms that close a ring come as soon as they can be reached."""
    n = len(query.atoms)
    bonds: list[dict[int, int]] = [{} for _ in range(n)]
    for i, j, mask in query.bonds:
        bonds[i][j] = bonds[j][i] = mask
    rarity = [_rarity(query, i) for i in range(n)]
    place: dict[int, int] = {}
    steps: list[_Step] = []
    twin: dict[tuple, int] = {}
    while len(steps) < n:
        edge = [i for i in range(n) if i not in place and bonds[i].keys() & place.keys()]
        if anchored and not steps:
            atom = 0
        elif edge:
            atom = min(edge, key=lambda i: rarity[i] * 0.1 ** (len(bonds[i].keys() & place.keys()) - 1))
        else:
            atom = min((i for i in range(n) if i not in place), key=lambda i: rarity[i])
        known = sorted(place[j] for j in bonds[atom].keys() & place.keys())
        masks = [bonds[atom][steps[k].atom] for k in known]
        if known:
            best = min(
                range(len(known)),
                key=lambda k: (sum(BOND_SHARE[b] for b in range(KINDS) if masks[k] >> b & 1), -known[k]),
            )
            rest = tuple((known[k], masks[k]) for k in range(len(known)) if k != best)
            steps.append(_Step(atom, known[best], masks[best], rest))
        else:
            # Equal parts of a query are found in ascending order: any match can be sorted.
            part = _part(query, bonds, atom)
            before = twin.get(part, -1) if not anchored else -1
            steps.append(_Step(atom, -1 if before < 0 else -2 - before, 0, ()))
            twin[part] = len(steps) - 1
        place[atom] = len(steps) - 1
    return steps


def _part(query: Query, bonds: list[dict[int, int]], atom: int) -> tuple:
    """A connected part of a query, its atoms numbered from its first, and where in it an atom stands."""
    found = {atom}
    while more := {j for i in found for j in bonds[i]} - found:
        found |= more
    number = {i: k for k, i in enumerate(sorted(found))}
    inside = tuple((number[i], number[j], mask) for i, j, mask in query.bonds if i in found)
    return number[atom], tuple(query.atoms[i] for i in sorted(found)), inside


def _inner(query: Query) -> list[Query]:
    return [inner for terms in query.atoms for term in terms for inner, _ in sorted(term.recursive, key=_stable)]


def _stable(item: tuple[Query, bool]) -> tuple[int, str]:
    return len(item[0].atoms), repr(item) if len(item[0].atoms) < 4 else ""


@lru_cache(maxsize=8192)
def _size(query: Query) -> tuple[int, int]:
    """Slots and frames a query takes at most."""
    inner = [_size(one) for one in _inner(query)]
    return len(query.atoms) + max((s for s, _ in inner), default=0), 1 + max((f for _, f in inner), default=0)


def fits(query: Query) -> bool:
    """Whether the kernel has room for a query."""
    slots, frames = _size(query)
    return slots <= MAX_SLOTS and frames <= MAX_FRAMES + 1


def _most_bonds(terms: tuple[Term, ...]) -> int:
    """How many bonds an atom of the terms can have in a molecule that RDKit reads."""
    most = 0
    for term in terms:
        degree = term.allowed("degree").bit_length() - 1
        elements = term.allowed("element")
        usual = max(_MOST_BONDS.get(e, FAR_TOO_MANY) for e in range(N_ELEMENTS) if elements >> e & 1)
        most = max(most, usual if degree == len(FIELDS["degree"][2]) - 1 else min(degree, usual))
    return most


class _Flat:
    """Programs under construction: Python lists that become the arrays of Programs."""

    def __init__(self) -> None:
        self.program, self.term, self.closure, self.recursive = [0], [0], [0], [0]
        self.parent: list[int] = []
        self.bond: list[int] = []
        self.near: list[int] = []
        self.prior: list[int] = []
        self.spread: list[int] = []
        self.closures: list[tuple[int, int]] = []
        self.terms: list[tuple[int, int, int, int]] = []
        self.condition: list[int] = []
        self.sets: dict[int, int] = {}

    def add(self, query: Query | None, anchored: bool, number: dict[Query, int]) -> int:
        """Append a program; its FAR and UNKNOWN_ bits, those of its recursive queries aside."""
        needs, spread = 0, 1
        place: dict[int, int] = {}
        for step in _order(query, anchored) if query else ():
            assert query is not None
            prior = 0
            if step.parent >= 0:
                owner = place[step.parent]
                joined = {j if i == owner else i for i, j, _ in query.bonds if owner in (i, j)}
                prior = sum(place[k] in joined for k in place)
                spread *= max(0, _most_bonds(query.atoms[owner]) - prior)
            elif place:
                spread = FAR_TOO_MANY
            place[len(place)] = step.atom
            self.prior.append(prior)
            spread = min(spread, FAR_TOO_MANY)
            self.parent.append(step.parent)
            self.bond.append(step.bond)
            self.near.append(near_of(query)[step.atom])
            self.closures += step.closures
            self.closure.append(len(self.closures))
            for term in query.atoms[step.atom]:
                needs |= self._term(term, number)
            self.term.append(len(self.terms))
        self.program.append(len(self.parent))
        self.spread.append(spread)
        return needs

    def _term(self, term: Term, number: dict[Query, int]) -> int:
        here, there, others, isotope = bits_of(term.facts)
        row = -1 if others < 0 else self.sets.setdefault(others, len(self.sets))
        self.terms.append((here, there, row, isotope))
        # Refusals first: they are mostly the smaller ones.
        for inner, sign in sorted(term.recursive, key=lambda item: _size(item[0])):
            self.condition.append(2 * number[inner] + (not sign))
        self.recursive.append(len(self.condition))
        needs = FAR if there else 0
        for name, mask in term.facts:
            if mask != full(name):
                needs |= _UNKNOWN.get(name, UNKNOWN_RINGS if name.startswith("ring_") and FIELDS[name][0] else 0)
        return needs


def _counted(query: Query) -> list[Query]:
    """Recursive queries of which it matters that all matches are found; where one is all that is asked, one match will do."""
    outer = _inner(query)
    if len(query.atoms) == 1:
        sole = {
            q
            for term in query.atoms[0]
            if not term.facts and len(term.recursive) == 1
            for q, sign in term.recursive
            if sign
        }
        other = {q for term in query.atoms[0] if term.facts or len(term.recursive) > 1 for q, _ in term.recursive}
        outer = [q for one in outer for q in (_inner(one) if one in sole - other else [one])]
    return with_inner(outer)


def pack(entries: Sequence[Query | None]) -> Programs:
    """Programs of some queries; None is one that RDKit has to be asked about each time."""
    sharp = [sharpen(query) if query else None for query in entries]
    parts = [alternatives(query) if query else [None] for query in sharp]
    unsorted = [(e, part) for e, some in enumerate(parts) for part in some]
    sieve = screen([part for _, part in unsorted])
    queries = [unsorted[p][1] for p in sieve.order]
    number: dict[Query, int] = {}
    for query in (*sharp, *queries):
        for inner in with_inner(_inner(query)) if query else ():
            number.setdefault(inner, len(queries) + len(number))
    flat = _Flat()
    own = [flat.add(query, False, number) for query in queries] + [flat.add(query, True, number) for query in number]
    everything = [*queries, *number]
    needs = [_all_needs(query, own, number, p) for p, query in enumerate(everything)]
    # RDKit searches for all of an entry's recursive queries, also for those that alternatives have no need of.
    held = [sorted({number[q] for q in _counted(query)}) if query else [] for query in sharp]
    reached = [held[unsorted[p][0]] for p in sieve.order]
    terms = np.array(flat.terms, np.int64).reshape(-1, 4)
    sets = list(flat.sets)
    table = np.array([[(row >> (WORD * k)) & ((1 << WORD) - 1) for k in range(3)] for row in sets], np.int64)
    closures = np.array(flat.closures, np.int32).reshape(-1, 2)
    whole: dict[str, Any] = {name: np.array(getattr(flat, name), np.int32) for name in (
        "program", "parent", "bond", "term", "closure", "recursive", "condition", "prior", "spread")}  # fmt: skip
    whole |= {name: value for name, value in sieve._asdict().items() if name != "order"}
    return Programs(
        needs=np.array(needs, np.uint8),
        near=np.array(flat.near, np.int64),
        closure_step=closures[:, 0].copy(),
        closure_bond=closures[:, 1].copy(),
        not_here=terms[:, 0].copy(),
        not_there=terms[:, 1].copy(),
        elements=terms[:, 2].astype(np.int32),
        isotope=terms[:, 3].astype(np.int32),
        sets=table.reshape(-1, 3),
        inside=np.cumsum([0, *map(len, reached)]).astype(np.int32),
        inner=np.array([q for some in reached for q in some], np.int32),
        entry=np.array([unsorted[p][0] for p in sieve.order], np.int32),
        entries=np.array([len(entries)], np.int32),
        **whole,
    )


def _all_needs(query: Query | None, own: list[int], number: dict[Query, int], p: int) -> int:
    if query is None:
        return INEXACT
    needs = own[p] | (0 if query.exact else INEXACT)
    for inner in _inner(query):
        needs |= _all_needs(inner, own, number, number[inner])
    return needs
