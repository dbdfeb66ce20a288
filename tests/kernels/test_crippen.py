"""Crippen's atom types against the labels RDKit gives each atom, hydrogens included."""

import random

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdMolDescriptors

from drylab.featurize import reference
from drylab.kernels.crippen import hydrogen_atoms, too_many_matches
from drylab.kernels.crippen_types import LOGP, MR, NAMES
from drylab.kernels.looks import first_look, second_look
from drylab.kernels.roles import hear
from drylab.kernels.surroundings import surroundings
from drylab.types import MolGraphs
from tests.kernels.odd_molecules import ODD_MOLECULES
from tests.molecules import DRUGS
from tests.real import rows_of


def types(graphs: MolGraphs) -> tuple[list[str], list[str]] | None:
    """Type names of the atoms of one molecule, and of the hydrogens on each; None where declined."""
    g, n, m = graphs, len(graphs.element), len(graphs.begin)
    kind, of, of_hydrogens, listed = (np.zeros(n, np.uint8) for _ in range(4))
    word, said, seen = (np.zeros(n, np.int64) for _ in range(3))
    if surroundings(g.element, g.aromatic, g.degree, g.begin, g.end, g.order, g.bond_ring, n, m, kind, word):
        return None
    if too_many_matches(g.degree, n):
        return None
    k, _, _ = first_look(g.element, g.charge, g.hydrogens, g.degree, n, kind, word, said, of, of_hydrogens, listed)
    hear(g.begin, g.end, g.order, g.bond_ring, m, said, seen, np.zeros(m + 1, np.uint16))
    second_look(
        g.charge,
        g.hydrogens,
        g.degree,
        g.atom_ring,
        g.begin,
        g.end,
        m,
        0,
        kind,
        word,
        seen,
        of,
        of_hydrogens,
        listed,
        k,
    )
    hydrogen_atoms(g.hydrogens, g.degree, g.begin, g.end, n, m, kind, of, of_hydrogens)
    return [NAMES[t] for t in of], [NAMES[t] for t in of_hydrogens]


def labels(mol: Chem.Mol) -> list[str]:
    """RDKit's labels, hydrogens added behind the other atoms."""
    full = Chem.AddHs(mol)
    names = [""] * full.GetNumAtoms()
    rdMolDescriptors._CalcCrippenContribs(full, True, [0] * full.GetNumAtoms(), names)
    return names


def assert_as_rdkit(smiles: str) -> None:
    mol = Chem.MolFromSmiles(smiles)
    graphs = reference.graphs([mol])
    found = types(graphs)
    if found is not None:
        atoms, on_atoms = found
        hydrogens = [name for name, count in zip(on_atoms, graphs.hydrogens, strict=True) for _ in range(count)]
        assert atoms + hydrogens == labels(mol), smiles


def test_types_of_odd_molecules_are_rdkits() -> None:
    for smiles in [*DRUGS, *ODD_MOLECULES]:
        assert_as_rdkit(smiles)


def test_types_of_natural_products_are_rdkits() -> None:
    for smiles in random.Random(3).sample(rows_of("libraries/natural_products_50k.smi.gz"), 300):
        assert_as_rdkit(smiles)


def test_contributions_are_rdkits() -> None:
    ours = dict(zip(NAMES, zip(LOGP.tolist(), MR.tolist(), strict=True), strict=True))
    seen = set()
    for smiles in ODD_MOLECULES:
        mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
        names = [""] * mol.GetNumAtoms()
        values = rdMolDescriptors._CalcCrippenContribs(mol, True, [0] * mol.GetNumAtoms(), names)
        for name, value in zip(names, values, strict=True):
            assert ours[name] == value
            seen.add(name)
    assert seen == set(NAMES), f"no odd molecule has an atom of type {set(NAMES) - seen}"


@pytest.mark.parametrize(
    ("smiles", "many"), [("C" * 60, False), ("C(F)(F)" * 41 + "F", False), ("CC(C)(C)" * 43, True)]
)
def test_molecules_near_rdkits_limit_of_matches_are_declined(smiles: str, many: bool) -> None:
    graphs = reference.graphs([Chem.MolFromSmiles(smiles)])
    assert bool(too_many_matches(graphs.degree, len(graphs.element))) == many
