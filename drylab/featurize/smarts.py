"""A SMARTS, as RDKit reads it, taken apart into what substructure programs are made of.

``query(mol)`` turns a query molecule of RDKit into a ``Query``. Each atom becomes a short list of ``Term``s, any of
which may hold (disjunctive normal form): a set of allowed values for each fact of FIELDS, and recursive queries that
must or must not match there. Each bond becomes the mask of bond kinds it accepts. RDKit describes its own query trees
(``DescribeQuery``); recursive queries are read from the pickle, where each starts with a mark of its own.

What has no fact here (hybridisation, a charge of 5, ...) is taken to hold whatever its sign, and the query is no longer
``exact``: what it refuses RDKit refuses too, what it accepts RDKit has to confirm. Chirality and bond directions are
left out, as HasSubstructMatch leaves them out unless asked.

RDKit's SMARTS: https://rdkit.org/docs/RDKit_Book.html#smarts-reference; tried with 2026.03.5.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from rdkit import Chem

from drylab.featurize.terms import MAX_TERMS, N_ELEMENTS, N_ISOTOPES, Query, Term, both, full, negated, tidy
from drylab.kernels.query import FIELDS, KINDS, ORDERS, RING_SIZES

_MARK = b"\xef\xbe\xad\xde"  # every pickled molecule begins with it, the recursive ones inside a query too

# RDKit's name of an equality -> our fact. Element, isotope and yes/no names are handled on their own.
_FACTS = {
    "AtomHCount": "hydrogens",
    "AtomFormalCharge": "charge",
    "AtomExplicitDegree": "degree",
    "AtomTotalDegree": "connectivity",
    "AtomRingBondCount": "ring_bonds",
    "AtomImplicitHCount": "implicit",
    "AtomInNRings": "ring_count",
    "AtomMinRingSize": "ring_min",
    "AtomTotalValence": "valence",
    "AtomNonHydrogenDegree": "heavy_degree",
}
_YES = {  # asked as `= 1`, true where the fact's value is not 0
    "AtomIsAromatic": "aromatic",
    "AtomInRing": "ring_bonds",
    "AtomHasRingBond": "ring_bonds",
    "AtomHasImplicitH": "implicit",
}
_BOND_ORDERS = {
    "SingleOrAromaticBond": (1, 4),
    "DoubleOrAromaticBond": (2, 4),
    "SingleOrDoubleBond": (1, 2),
    "SingleOrDoubleOrAromaticBond": (1, 2, 4),
}
_RDKIT_ORDERS = {1: 1, 2: 2, 3: 3, 12: 4}


UNKNOWN = (Term(),), False  # a leaf there is no fact for


@dataclass(frozen=True, slots=True)
class _Node:
    """A node of RDKit's description: its text without the sign, its sign, its children."""

    text: str
    negated: bool
    children: tuple[_Node, ...]


def _tree(description: str) -> _Node:
    lines = [line for line in description.split("\n") if line.strip()]

    def read(at: int) -> tuple[_Node, int]:
        depth = len(lines[at]) - len(lines[at].lstrip())
        text, children, at = lines[at].strip(), [], at + 1
        while at < len(lines) and len(lines[at]) - len(lines[at].lstrip()) > depth:
            child, at = read(at)
            children.append(child)
        negated = text.startswith("not ") or "!" in text or " not in " in text
        plain = text.removeprefix("not ").replace("!= val", "= val").replace("! ", "").replace(" not in ", " in ")
        return _Node(" ".join(plain.split()), negated, tuple(children)), at

    node, end = read(0)
    if end != len(lines):
        raise ValueError(f"not one tree: {description!r}")
    return node


@lru_cache(maxsize=1024)
def _test(text: str) -> Callable[[int], bool] | None:
    """What `name 3 = val`, `range_name 1 val 3`, `less_name 2 <=` or `greater_name 3 >=` asks of a value."""
    if found := re.fullmatch(r"\w+ (-?\d+) = val", text):
        wanted = int(found[1])
        return lambda value: value == wanted
    if found := re.fullmatch(r"range_\w+ (-?\d+) val (-?\d+)", text):
        low, high = int(found[1]), int(found[2])
        return lambda value: low <= value <= high
    if found := re.fullmatch(r"(?:less|greater)_\w+ (-?\d+) ([<>])=", text):
        bound, below = int(found[1]), found[2] == ">"
        return lambda value: value <= bound if below else value >= bound
    return None


def _literal(node: _Node) -> tuple[tuple[Term, ...], bool]:  # noqa: PLR0911
    """Alternatives of one leaf that is not recursive, and whether they are exactly it."""
    name = re.sub(r"^(range|less|greater)_", "", node.text.split(" ")[0])
    test = _test(node.text)
    if name == "AtomNull":
        return ((), True) if node.negated else ((Term(),), True)
    if test is None:
        return UNKNOWN
    if name == "AtomAtomicNum":
        return _one("element", sum(1 << v for v in range(N_ELEMENTS) if test(v) != node.negated)), True
    if name == "AtomIsotope":
        mask = sum(1 << v for v in range(N_ISOTOPES) if test(v) != node.negated)
        # The kernel asks "none", "any" or "this one".
        return (_one("isotope", mask), True) if mask in (1, full("isotope") - 1) or mask.bit_count() == 1 else UNKNOWN
    if name == "AtomType":
        return _atom_type(int(node.text.split(" ")[1]), node.negated), node.text.endswith("= val")
    if name == "AtomIsAliphatic":
        return _slots("aromatic", lambda v: test(int(v == 0)), node.negated)
    if name in _YES:
        return _slots(_YES[name], lambda v: test(int(v != 0)), node.negated)
    if name == "AtomRingSize" and (found := re.fullmatch(r"AtomRingSize (\d+) = val", node.text)):
        size = int(found[1])
        return _slots(f"ring_{size}", lambda v: v == 1, node.negated) if size in RING_SIZES else UNKNOWN
    if name == "AtomInNRings" and node.text == "AtomInNRings -1 = val":
        return _slots("ring_bonds", lambda v: v != 0, node.negated)
    if name == "AtomInNRings" and node.text == "AtomInNRings 0 = val":
        return _slots("ring_bonds", lambda v: v == 0, node.negated)
    return _slots(_FACTS[name], test, node.negated) if name in _FACTS else UNKNOWN


def _one(fact: str, mask: int) -> tuple[Term, ...]:
    return (Term(((fact, mask),)),) if mask else ()


def _atom_type(code: int, negated: bool) -> tuple[Term, ...]:
    element, aromatic = 1 << code % 1000, 2 if code > 1000 else 1
    if negated:
        return Term((("element", full("element") & ~element),)), Term((("aromatic", 3 ^ aromatic),))
    return (Term((("aromatic", aromatic), ("element", element))),)


def _slots(fact: str, test: Callable[[int], bool], negated: bool) -> tuple[tuple[Term, ...], bool]:
    """The values of a fact that pass; of the open last (and, for a charge, first) value what may pass."""
    values, more = FIELDS[fact][2], FIELDS[fact][3]
    mask, exact = 0, True
    for slot, value in enumerate(values):
        spread = [value]
        if more and slot == len(values) - 1:
            spread = list(range(value, value + 64))
        elif fact == "charge" and slot == 0:
            spread = list(range(value - 64, value + 1))
        passed = {test(v) != negated for v in spread}
        mask |= (True in passed) << slot
        exact = exact and len(passed) == 1
    return _one(fact, mask), exact


def _atom(node: _Node, negate: bool, nested: Iterator[Query]) -> tuple[tuple[Term, ...], bool]:  # noqa: PLR0911
    """Alternatives of an atom expression, negated if asked, and whether they are exactly it."""
    if node.text.startswith("RecursiveStructure"):
        inner, sign = next(nested), node.negated == negate
        if len(inner.atoms) == 1:
            # $([Cl]) is Cl: no search is needed.
            same = inner.atoms[0] if sign else negated(inner.atoms[0])
            if same is not None and (sign or inner.exact):
                return same, inner.exact
        if not inner.exact and not sign:
            return UNKNOWN
        return (Term((), frozenset({(inner, sign)})),), inner.exact
    if not node.children:
        return _literal(_Node(node.text, node.negated != negate, ()))
    flipped = node.negated != negate
    parts = [_atom(child, flipped, nested) for child in node.children]
    if node.text not in ("AtomAnd", "AtomOr"):
        return UNKNOWN
    exact = all(one for _, one in parts)
    if (node.text == "AtomAnd") != flipped:
        terms: tuple[Term, ...] = (Term(),)
        for part, _ in parts:
            terms = both(terms, part)
            if len(terms) > MAX_TERMS:
                terms, exact = UNKNOWN
        return terms, exact
    return tidy([term for part, _ in parts for term in part]), exact


def _bond(node: _Node, kind: int, negate: bool = False) -> bool | None:
    """Whether a bond expression accepts a kind of bond; None where that cannot be told."""
    flipped = node.negated != negate
    if node.text in ("BondAnd", "BondOr"):
        parts = [_bond(child, kind, flipped) for child in node.children]
        decisive = (node.text == "BondOr") != flipped
        return decisive if decisive in parts else None if None in parts else not decisive
    order, ring = kind % ORDERS, kind >= ORDERS
    answer: bool | None = None
    name, _, value = node.text.partition(" ")
    if name == "BondNull":
        answer = True
    elif name == "BondInRing" and value == "1 = val":
        answer = ring
    elif name == "BondOrder" and (found := re.fullmatch(r"(\d+) = val", value)):
        wanted = _RDKIT_ORDERS.get(int(found[1]))
        answer = order == wanted if wanted else None if order == 0 else False
    elif name in _BOND_ORDERS and value == "1 = val":
        answer = order in _BOND_ORDERS[name]
    return None if answer is None else answer != flipped


def _nested(mol: Chem.Mol) -> list[Chem.Mol]:
    """The recursive queries of a query's atoms, in the order of the atoms and of their expressions."""
    blob = mol.ToBinary()
    marks = [found.start() for found in re.finditer(re.escape(_MARK), blob)][1:]
    out = []
    while marks:
        inner = Chem.Mol(blob[marks[0] :])
        out.append(inner)
        del marks[: inner.ToBinary().count(_MARK)]
    return out


def query(mol: Chem.Mol) -> Query:
    """A query molecule as Query. Raises ValueError where RDKit's description is not understood."""
    descriptions = [_tree(atom.DescribeQuery()) if atom.HasQuery() else None for atom in mol.GetAtoms()]
    nested = [query(inner) for inner in _nested(mol)]
    if sum(_count(node) for node in descriptions if node) != len(nested):
        raise ValueError("recursive queries and their descriptions do not pair up")
    supply, exact, atoms = iter(nested), True, []
    for node in descriptions:
        terms, sure = _atom(node, False, supply) if node else UNKNOWN
        atoms.append(terms)
        exact = exact and sure
    bonds = []
    for bond in mol.GetBonds():
        tree = _tree(bond.DescribeQuery()) if bond.HasQuery() else _Node("", False, ())
        answers = [_bond(tree, kind) for kind in range(KINDS)]
        exact = exact and None not in answers
        mask = sum((answer is not False) << kind for kind, answer in enumerate(answers))
        bonds.append((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx(), mask))
    return Query(tuple(atoms), tuple(bonds), exact)


def _count(node: _Node) -> int:
    return node.text.startswith("RecursiveStructure") + sum(_count(child) for child in node.children)
