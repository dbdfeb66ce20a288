"""The demo library that ships inside drylab: molecules enumerated from reagents by textbook reactions, and drugs.

A screen must run on the first day, without a download. Reagents lie in ``data/building_blocks.csv``, written so that
joining texts makes the product: an amine starts with its nitrogen, an acid ends with the oxygen that leaves, a halide
ends with its halogen. Ring-closure digits pair up inside each reagent, and reagents that take two partners use 8 and
9, which no partner uses, so nothing needs renumbering and no chemistry package is needed here. Tests hold every rule
against RDKit's own reaction engine.
"""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, islice
from math import gcd, prod
from pathlib import Path

DATA = Path(__file__).parent / "data"
GOLDEN = 0.6180339887498949
LEAST_TEXT = 18  # a shorter SMILES is a solvent or a fragment (below some 150 g/mol), not a lead

AMINES = ("amine", "secamine")
NUCLEOPHILES = (*AMINES, "aniline")


@dataclass(frozen=True, slots=True)
class Drug:
    """An approved drug: its common name, its SMILES without counter-ions, the gene symbols of its main targets, if listed."""

    name: str
    smiles: str
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """One purchasable reagent; the reactive end of ``smiles`` stands where its role's rule expects it."""

    id: str
    role: str
    smiles: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One synthetic route: which roles meet, how their texts join, and how many of the combinations to make.

    roles  one tuple of role names for each reagent
    join   reagents' SMILES -> the product's SMILES
    take   number of products; 0 means every combination
    short  longest reagent text admitted, 0 for any: keeps products of three reagents drug-sized
    """

    name: str
    roles: tuple[tuple[str, ...], ...]
    join: Callable[..., str]
    take: int = 0
    short: int = 0


def _swap(cut: int, bond: str = "") -> Callable[[str, str], str]:
    """Drop the leaving group, the last ``cut`` characters of the first reagent, and append the second."""
    return lambda first, second: first[:-cut] + bond + second


def _urea(isocyanate: str, amine: str) -> str:
    return isocyanate.removesuffix("N=C=O") + "NC(=O)" + amine


def _suzuki(bromide: str, boronic: str) -> str:
    return bromide.removesuffix("Br") + "-" + boronic.removeprefix("OB(O)")


def _alkylate(halide: str, azole: str) -> str:
    return halide.removesuffix("Br") + "n" + azole.removeprefix("[nH]")


def _click(azide: str, alkyne: str) -> str:
    return azide.removesuffix("N=[N+]=[N-]") + "-n1cc(nn1)-" + alkyne.removeprefix("C#C")


def _through_amino_acid(cut: int) -> Callable[[str, str, str], str]:
    return lambda first, linker, amine: first[:-cut] + linker.removesuffix("O") + amine


def _on_chloro_acid(acid: str, first: str, second: str) -> str:
    return acid.replace("(Cl)", f"({first})").removesuffix("O") + second


def _on_bromo_acid(acid: str, boronic: str, amine: str) -> str:
    return acid.replace("(Br)", f"(-{boronic.removeprefix('OB(O)')})").removesuffix("O") + amine


def _on_dichloride(core: str, first: str, second: str) -> str:
    return core.replace("(Cl)", f"({first})").removesuffix("Cl") + second


RULES = (
    Rule("amide", (("acid",), NUCLEOPHILES), _swap(1)),
    Rule("sulfonamide", (("sulfonyl",), NUCLEOPHILES), _swap(2)),
    Rule("urea", (("isocyanate",), NUCLEOPHILES), _urea),
    Rule("snar", (("hetchloride",), NUCLEOPHILES), _swap(2)),
    Rule("suzuki", (("arylbromide",), ("boronic",)), _suzuki),
    Rule("buchwald", (("arylbromide",), ("secamine", "aniline")), _swap(2)),
    Rule("reductive", (("aldehyde",), AMINES), _swap(2)),
    Rule("ether", (("alkylhalide",), ("phenol",)), _swap(2)),
    Rule("mitsunobu", (("alcohol",), ("phenol",)), _swap(1)),
    Rule("alkylation", (("alkylhalide",), ("azole",)), _alkylate),
    Rule("click", (("azide",), ("alkyne",)), _click),
    Rule("snar2", (("dichloride",), NUCLEOPHILES, NUCLEOPHILES), _on_dichloride, 10_000, 24),
    Rule("snar-amide", (("hetchloride",), ("aminoacid",), NUCLEOPHILES), _through_amino_acid(2), 16_000, 32),
    Rule("sulfonyl-amide", (("sulfonyl",), ("aminoacid",), NUCLEOPHILES), _through_amino_acid(2), 12_000, 32),
    Rule("amine-amide", (("chloroacid",), AMINES, NUCLEOPHILES), _on_chloro_acid, 16_000, 28),
    Rule("biaryl-amide", (("bromoacid",), ("boronic",), NUCLEOPHILES), _on_bromo_acid, 12_000, 24),
)


@cache
def blocks() -> tuple[Block, ...]:
    """Every reagent, in file order."""
    with (DATA / "building_blocks.csv").open(encoding="utf-8", newline="") as lines:
        return tuple(Block(row["block_id"], row["role"], row["smiles"]) for row in csv.DictReader(lines))


def reagents(rule: Rule) -> list[list[Block]]:
    """The reagents that may stand in each place of a rule."""
    return [
        [block for block in blocks() if block.role in roles and (not rule.short or len(block.smiles) <= rule.short)]
        for roles in rule.roles
    ]


def _stride(total: int) -> int:
    """A step near the golden section and coprime to total: walking by it visits all, neighbours far apart."""
    step = max(1, int(total * GOLDEN))
    while gcd(step, total) != 1:
        step += 1
    return step


def combinations(rule: Rule) -> Iterator[tuple[Block, ...]]:
    """The reagents of each product a rule makes, in a fixed order that spreads over all its combinations."""
    places = reagents(rule)
    total = prod(len(place) for place in places)
    step = _stride(total)
    for index in range(min(rule.take or total, total)):
        rest = index * step % total
        chosen = []
        for place in places:
            rest, at = divmod(rest, len(place))
            chosen.append(place[at])
        yield tuple(chosen)


def _made(rule: Rule) -> Iterator[tuple[str, str]]:
    for chosen in combinations(rule):
        smiles = rule.join(*(block.smiles for block in chosen))
        if len(smiles) >= LEAST_TEXT:
            yield "-".join([rule.name, *(block.id for block in chosen)]), smiles


def products() -> Iterator[tuple[str, str]]:
    """(id, SMILES) of each enumerated molecule; the order is the same everywhere and mixes the rules evenly."""
    made = [list(_made(rule)) for rule in RULES]
    ends = list(accumulate(len(part) for part in made))
    total = ends[-1]
    step = _stride(total)
    for index in range(total):
        row = index * step % total
        rule = bisect_right(ends, row)
        yield made[rule][row - ends[rule]]


def drugs() -> list[Drug]:
    """The approved drugs, in file order."""
    with (DATA / "drugs.csv").open(encoding="utf-8", newline="") as lines:
        return [
            Drug(row["name"], row["smiles"], tuple(filter(None, row["targets"].split(";"))))
            for row in csv.DictReader(lines)
        ]


def rows(limit: int | None = None) -> Iterator[tuple[str, str]]:
    """(id, SMILES) of the demo library: the products, or the first ``limit`` of them, then the drugs under their names."""
    yield from islice(products(), limit)
    yield from ((drug.name, drug.smiles) for drug in drugs())
