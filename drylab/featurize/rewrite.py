"""Queries made sharper without changing what they match: facts that follow, and alternatives taken apart.

    sharpen       an atom has at least as many bonds, and ring bonds, as the query atom it stands for; a bond that closes
                  a ring of the query lies in a ring of the molecule; an aromatic bond joins aromatic atoms
    alternatives  a query whose atom is one of several recursive queries is several queries, of which one has to match;
                  where the atom is the whole query, the recursive query takes its place
Both are what makes the screen bite: it counts what every match needs, and alternatives have little in common.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from drylab.featurize.terms import Query, Term, full, meet, tidy
from drylab.kernels.query import KINDS, ORDERS

MAX_ALTERNATIVES = 24
_RING_KINDS = ((1 << KINDS) - 1) & ~((1 << ORDERS) - 1)
_AROMATIC_KINDS = 1 << 4 | 1 << (4 + ORDERS)


def _at_least(name: str, k: int) -> int:
    mask = full(name)
    return mask & ~((1 << min(k, mask.bit_length() - 1)) - 1)


def _in_cycle(query: Query) -> list[bool]:
    """For each bond of a query whether it lies on a ring: whether its ends stay joined without it."""
    bonds = [bond[:2] for bond in query.bonds]
    if len(bonds) < len(query.atoms) and _pieces(len(query.atoms), bonds) == len(query.atoms) - len(bonds):
        return [False] * len(bonds)
    whole = _pieces(len(query.atoms), bonds)
    return [_pieces(len(query.atoms), bonds[:k] + bonds[k + 1 :]) == whole for k in range(len(bonds))]


def _pieces(n: int, bonds: list[tuple[int, int]]) -> int:
    root = list(range(n))

    def find(i: int) -> int:
        while root[i] != i:
            i = root[i]
        return i

    for i, j in bonds:
        root[find(i)] = find(j)
    return sum(root[i] == i for i in range(n))


@lru_cache(maxsize=4096)
def sharpen(query: Query) -> Query:
    """The query with what follows from its bonds written into its atoms; its recursive queries as well."""
    cycle = _in_cycle(query)
    bonds = tuple(
        (i, j, mask & _RING_KINDS if ring else mask) for (i, j, mask), ring in zip(query.bonds, cycle, strict=True)
    )
    atoms = []
    for atom, terms in enumerate(query.atoms):
        mine = [(mask, ring) for (i, j, mask), ring in zip(bonds, cycle, strict=True) if atom in (i, j)]
        facts = [("degree", _at_least("degree", len(mine)))]
        if rings := sum(ring for _, ring in mine):
            facts.append(("ring_bonds", _at_least("ring_bonds", rings)))
        if any(not mask & ~_AROMATIC_KINDS for mask, _ in mine):
            facts.append(("aromatic", 2))
        implied = Term(tuple(sorted((name, mask) for name, mask in facts if mask != full(name))))
        inner = [replace(term, recursive=frozenset((sharpen(q), s) for q, s in term.recursive)) for term in terms]
        atoms.append(tidy([met for term in inner if (met := meet(term, implied)) is not None]))
    return Query(tuple(atoms), bonds, query.exact)


def alternatives(query: Query) -> list[Query]:
    """Queries of which one has to match; [query] if there is nothing to take apart."""
    done: list[Query] = []
    waiting = [query]
    while waiting:
        one = waiting.pop()
        parts = _graft(one) if len(one.atoms) == 1 else _split(one)
        if parts is None or len(done) + len(waiting) + len(parts) > MAX_ALTERNATIVES:
            done.append(one)
        else:
            waiting += [sharpen(part) for part in parts]
    return done


def _split(query: Query) -> list[Query] | None:
    """One query for each recursive alternative of the first atom that has several; None if none has."""
    for i, terms in enumerate(query.atoms):
        groups: dict[frozenset[Query], list[Term]] = {}
        for term in terms:
            groups.setdefault(frozenset(q for q, sign in term.recursive if sign), []).append(term)
        if len(groups) > 1:
            return [
                replace(query, atoms=(*query.atoms[:i], tuple(group), *query.atoms[i + 1 :]))
                for group in groups.values()
            ]
    return None


def _graft(query: Query) -> list[Query] | None:
    """A query of one atom: each term with a recursive query that must match becomes that query, with the rest on its root."""
    (terms,) = query.atoms
    plain = [term for term in terms if not any(sign for _, sign in term.recursive)]
    if len(plain) == len(terms):
        return None
    out = [replace(query, atoms=(tuple(plain),))] if plain else []
    for term in terms:
        positive = [q for q, sign in term.recursive if sign]
        if positive:
            inner = max(positive, key=lambda q: (len(q.atoms), q.bonds))
            rest = replace(term, recursive=term.recursive - {(inner, True)})
            root = tidy([met for own in inner.atoms[0] if (met := meet(own, rest)) is not None])
            out.append(Query((root, *inner.atoms[1:]), inner.bonds, query.exact))
    return out
