"""Random SMARTS: pieces of real molecules whose atoms and bonds are asked for in every way there is."""

from __future__ import annotations

import random

from rdkit import Chem

PRIMITIVES = [
    "H0",
    "H1",
    "H2",
    "H3",
    "h0",
    "h1",
    "D1",
    "D2",
    "D3",
    "D4",
    "D{2-3}",
    "X1",
    "X2",
    "X3",
    "X4",
    "X{-3}",
    "R",
    "!R",
    "R0",
    "R1",
    "R2",
    "R3",
    "R{1-}",
    "r3",
    "r5",
    "r6",
    "r7",
    "!r6",
    "x0",
    "x2",
    "x3",
    "k5",
    "k6",
    "v1",
    "v2",
    "v3",
    "v4",
    "v5",
    "d2",
    "d3",
    "+0",
    "+",
    "-",
    "!+0",
    "a",
    "A",
    "*",
    "#6",
    "#7",
    "#8",
    "#16",
    "!#6",
    "!#1",
    "C",
    "N",
    "O",
    "S",
    "c",
    "n",
    "o",
    "F,Cl,Br,I",
    "#5,#14,#34,#26",
    "!#15",
    "2",
    "13",
    "0",
    "!13",
    "^2",
    "z1",
    "$([#6]=O)",
    "$(C(F)F)",
    "!$(*=O)",
    "!$([#7]~[#6]~[#8])",
    "$([#6]1~*~*~*~*~1)",
    "$(c1ccccc1)",
    "$([$(C=O),$(C#N)])",
    "!$([C;!$(C-O)])",
    "!$([Cl,Br])",
]
BONDS = ["", "-", "=", "#", ":", "~", "-,=", "!-", "@", "!@", "-;@", "-;!@", "=,:", "-,:", "!=;!#", "!:", "-,=;@"]
_PLAIN = {1: "-", 2: "=", 3: "#", 12: ":"}


def _atom(atom: Chem.Atom, rng: random.Random) -> str:
    kind = rng.random()
    text = rng.choice(PRIMITIVES) if kind > 0.7 else f"#{atom.GetAtomicNum()}"
    if kind < 0.35 and atom.GetAtomicNum() > 1:
        text = atom.GetSymbol().lower() if atom.GetIsAromatic() else atom.GetSymbol()
    for _ in range(rng.choice([0, 0, 0, 1, 1, 2])):
        text += rng.choice([";", "&", ",", ","]) + rng.choice(PRIMITIVES)
    return f"[{text}]"


def _bond(bond: Chem.Bond, rng: random.Random) -> str:
    kind = rng.random()
    return _PLAIN.get(int(bond.GetBondType()), "~") if kind < 0.5 else "" if kind < 0.75 else rng.choice(BONDS)


def _piece(mol: Chem.Mol, rng: random.Random) -> list[int]:
    chosen = [rng.randrange(mol.GetNumAtoms())]
    for _ in range(rng.randint(0, 8)):
        edge = [n.GetIdx() for i in chosen for n in mol.GetAtomWithIdx(i).GetNeighbors() if n.GetIdx() not in chosen]
        if edge:
            chosen.append(rng.choice(edge))
    return chosen


def random_smarts(mol: Chem.Mol, rng: random.Random) -> str:
    """A SMARTS made from a connected piece of a molecule; some in two equal parts, some recursive."""
    chosen = _piece(mol, rng)
    query = Chem.RWMol()
    for i in chosen:
        atom = None
        while atom is None:
            atom = Chem.MolFromSmarts(_atom(mol.GetAtomWithIdx(i), rng))
        query.AddAtom(atom.GetAtomWithIdx(0))
    for bond in mol.GetBonds():
        i, j = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        if i in chosen and j in chosen:
            pair = Chem.MolFromSmarts(f"*{_bond(bond, rng)}*")
            query.AddBond(chosen.index(i), chosen.index(j), Chem.BondType.SINGLE)
            query.ReplaceBond(query.GetNumBonds() - 1, pair.GetBondWithIdx(0))
    text = Chem.MolToSmarts(query)
    shape = rng.random()
    return f"{text}.{text}" if shape < 0.1 else f"[C,N,O;$({text}),$([#7]{text})]" if shape < 0.3 else text
