"""Ring systems nobody made: fused, spiro and bridged rings of C, N, O and S with double bonds where they fit."""

from __future__ import annotations

import random
from itertools import pairwise

from rdkit import Chem

VALENCE = {6: 4, 7: 3, 8: 2, 16: 2}
SINGLE, DOUBLE = Chem.BondType.SINGLE, Chem.BondType.DOUBLE


def chain(mol: Chem.RWMol, start: int, atoms: list[int], stop: int) -> None:
    """Join start and stop by a path over new atoms."""
    path = [start, *(mol.AddAtom(Chem.Atom(z)) for z in atoms), stop]
    for u, v in pairwise(path):
        if u != v and mol.GetBondBetweenAtoms(u, v) is None:
            mol.AddBond(u, v, SINGLE)


def skeleton(rng: random.Random) -> Chem.RWMol:
    """One to four rings, each grown on a bond or an atom of what is there, and perhaps a bridge."""

    def some(n: int) -> list[int]:
        return rng.choices([6, 7, 8, 16], [6, 3, 1, 1], k=n)

    mol = Chem.RWMol()
    first = mol.AddAtom(Chem.Atom(6))
    chain(mol, first, some(rng.choice([2, 3, 4, 4, 5, 5, 6, 7])), first)
    for _ in range(rng.choice([0, 1, 1, 2, 3])):
        bond = rng.choice(list(mol.GetBonds()))
        u, v = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        if rng.random() < 0.15:
            v = u
        chain(mol, u, some(rng.choice([2, 3, 3, 4, 4, 5])), v)
    if rng.random() < 0.5:
        u, v = rng.sample(range(mol.GetNumAtoms()), 2)
        chain(mol, u, some(rng.randrange(1, 10)), v)
    return mol


def made_up(rng: random.Random) -> Chem.Mol | None:
    """A molecule, or None where the atoms do not allow what was drawn."""
    mol = skeleton(rng)
    for i in range(mol.GetNumAtoms()):
        atom = mol.GetAtomWithIdx(i)
        if atom.GetDegree() == 2 and atom.GetAtomicNum() in (6, 7) and rng.random() < 0.25:
            double = atom.GetAtomicNum() == 6 and rng.random() < 0.7
            mol.AddBond(i, mol.AddAtom(Chem.Atom(rng.choice([8, 8, 7, 16, 6]))), DOUBLE if double else SINGLE)
    share = rng.choice([1, 1, 1, 0.8, 0.5])
    for bond in rng.sample(list(mol.GetBonds()), mol.GetNumBonds()):
        ends = (bond.GetBeginAtom(), bond.GetEndAtom())
        spare = all(sum(b.GetBondTypeAsDouble() for b in a.GetBonds()) < VALENCE[a.GetAtomicNum()] for a in ends)
        if spare and rng.random() < share and not any(b.GetBondType() == DOUBLE for a in ends for b in a.GetBonds()):
            bond.SetBondType(DOUBLE)
    return mol.GetMol() if Chem.SanitizeMol(mol, catchErrors=True) == Chem.SanitizeFlags.SANITIZE_NONE else None
