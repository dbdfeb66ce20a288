"""Atom expressions in normal form: a query atom is a tuple of Terms, any of which may hold. The algebra of and, or, not."""

from __future__ import annotations

from dataclasses import dataclass, field

from drylab.kernels.query import FIELDS

MAX_TERMS = 48  # an atom expression that grows beyond this many alternatives is taken to hold
N_ELEMENTS, N_ISOTOPES = 128, 512


def full(name: str) -> int:
    """Mask of all values of a fact."""
    if name in ("element", "isotope"):
        return (1 << (N_ELEMENTS if name == "element" else N_ISOTOPES)) - 1
    return (1 << len(FIELDS[name][2])) - 1


@dataclass(frozen=True, slots=True)
class Term:
    """One alternative of an atom: facts (name -> mask of allowed values; absent means any), recursive conditions.

    The mask of ``element`` is over atomic numbers, of ``isotope`` over mass numbers, of others over FIELDS' values.
    recursive  (query, True if it must match, False if it must not)
    """

    facts: tuple[tuple[str, int], ...] = ()
    recursive: frozenset[tuple[Query, bool]] = frozenset()

    def allowed(self, name: str) -> int:
        """Mask of allowed values of a fact."""
        return dict(self.facts).get(name, full(name))

    def within(self, other: Term) -> bool:
        """Whether every atom this term accepts is accepted by the other one."""
        return other.recursive <= self.recursive and all(not self.allowed(k) & ~v for k, v in other.facts)


@dataclass(frozen=True, slots=True)
class Query:
    """A query molecule: atoms[i] is a tuple of alternatives, bonds (i, j, mask of kinds); exact as the file's top says."""

    atoms: tuple[tuple[Term, ...], ...]
    bonds: tuple[tuple[int, int, int], ...]
    exact: bool
    _hash: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        # Queries nest, and are looked up often.
        object.__setattr__(self, "_hash", hash((self.atoms, self.bonds, self.exact)))

    def __hash__(self) -> int:
        return self._hash


def both(a: tuple[Term, ...], b: tuple[Term, ...]) -> tuple[Term, ...]:
    """The terms of "a and b"."""
    return tidy([merged for x in a for y in b if (merged := meet(x, y)) is not None])


def meet(x: Term, y: Term) -> Term | None:
    """Both terms at once, None if no atom can satisfy them."""
    facts = dict(x.facts)
    for name, mask in y.facts:
        facts[name] = facts.get(name, full(name)) & mask
        if not facts[name]:
            return None
    recursive = x.recursive | y.recursive
    if any((query, not sign) in recursive for query, sign in recursive):
        return None
    return Term(tuple(sorted(facts.items())), recursive)


def tidy(terms: list[Term]) -> tuple[Term, ...]:
    """Without terms that another one covers; terms that differ in one fact only become one."""
    kept: list[Term] = []
    for new in terms:
        term = new
        again = True
        while again:
            again = False
            for i, old in enumerate(kept):
                joined = _join(old, term)
                if joined is not None:
                    del kept[i]
                    term, again = joined, True
                    break
        kept.append(term)
    return tuple(kept)


def _join(x: Term, y: Term) -> Term | None:
    if x.within(y):
        return y
    if y.within(x):
        return x
    if x.recursive != y.recursive:
        return None
    names = {name for name, _ in x.facts} | {name for name, _ in y.facts}
    differ = [name for name in names if x.allowed(name) != y.allowed(name)]
    if len(differ) != 1 or differ[0] == "isotope":
        return None
    mask = x.allowed(differ[0]) | y.allowed(differ[0])
    facts = dict(x.facts) | {differ[0]: mask}
    return Term(tuple(sorted((k, v) for k, v in facts.items() if v != full(k))), x.recursive)


def negated(terms: tuple[Term, ...]) -> tuple[Term, ...] | None:
    """What satisfies none of the terms; None if there is no room or no word for it."""
    out: tuple[Term, ...] = (Term(),)
    for term in terms:
        if any(name == "isotope" and mask.bit_count() == 1 and mask != 1 for name, mask in term.facts):
            return None
        parts = [Term(((name, full(name) & ~mask),)) for name, mask in term.facts if full(name) & ~mask]
        parts += [Term((), frozenset({(query, not sign)})) for query, sign in term.recursive]
        out = both(out, tuple(parts))
        if len(out) > MAX_TERMS:
            return None
    return out
