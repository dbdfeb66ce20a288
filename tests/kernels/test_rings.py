"""Rings against RDKit's RingInfo, on plain and awkward ring systems, random graphs and real molecules."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem, rdBase

from drylab.featurize import reference
from drylab.kernels.rings import DECLINED_CAGE, DECLINED_ORDER, DECLINED_SIZE, rings_flat
from tests.molecules import DRUGS, ODD
from tests.real import rows_of

CODES = (DECLINED_ORDER, DECLINED_SIZE, DECLINED_CAGE)

AWKWARD = {
    "cyclopropane": "C1CC1",
    "naphthalene": "c1ccc2ccccc2c1",
    "azulene": "c1ccc2cccc-2cc1",
    "steroid": "CC12CCC3C(CCC4=CC(=O)CCC34C)C1CCC2O",
    "spiro": "C1CCC2(CC1)CCCCC2",
    "norbornane": "C1CC2CCC1C2",
    "bicyclo[2.2.2]octane": "C1CC2CCC1CC2",
    "bicyclo[3.2.2]nonane": "C1CC2CCC(C1)CC2",
    "bicyclo[1.1.1]pentane": "C1C2CC1C2",
    "propellane": "C1CC23CCC2(C1)CC3",
    "adamantane": "C1C2CC3CC1CC(C2)C3",
    "two adamantanes": "C1C2CC3CC1CC(C2)C3C1C2CC3CC1CC(C2)C3",
    "twistane": "C1CC2CC3CCC2CC13",
    "cubane": "C12C3C4C1C5C2C3C45",
    "prismane": "C12C3C1C1C2C31",
    "tetrahedrane": "C12C3C1C23",
    "basketane": "C1CC2C3C4C1C1C2C3C41",
    "dodecahedrane": "C12C3C4C5C1C6C7C2C8C3C9C4C1C5C6C2C7C8C9C12",
    "triptycene": "c1ccc2c(c1)C1c3ccccc3C2c2ccccc21",
    "phenalene": "C1=CC2=CC=CC3=CC=CC(=C1)C23",
    "coronene": "c1cc2ccc3ccc4ccc5ccc6ccc1c7c2c3c4c5c67",
    "paracyclophane": "C1Cc2ccc(cc2)CCc2ccc1cc2",
    "porphyrin": "c1cc2cc3ccc(cc4nc(cc5ccc(cc1n2)[nH]5)C=C4)[nH]3",
    "morphine": "CN1CCC23C4C1CC5=C2C(=C(C=C5)O)OC3C(C=C4)O",
    "strychnine": "O=C1CC2OCC=C3CN4CCC56C4CC3C2C6N1c1ccccc15",
    "quinuclidine": "C1CN2CCC1CC2",
    "tropane with five phenyls": "CN1C2C(c3ccccc3)C(c3ccccc3)C1C(c1ccccc1)C(c1ccccc1)C2c1ccccc1",
    "crown": "C1COCCOCCOCCOCCOCCO1",
    "large ring": "C1" + "C" * 90 + "C1",
    "found too large by RDKit": "C12CCC3C4CC2C2C4C(CCCC13)CC2",
    "missed by RDKit": "C1C2C3C(C)C(C(C(C2)C1C)C1C(C1C1C3CC(C)C1)C)CC",
}  # fmt: skip
SETTLED = [name for name in AWKWARD if name != "missed by RDKit"]


def rings_of(mols: list[Chem.Mol]) -> list[list[tuple[tuple[int, ...], tuple[int, ...]]] | int]:
    """Each molecule's rings as sorted (atoms, bonds), or the code it was declined with."""
    g = reference.graphs(mols)
    counts, sizes, atoms, bonds = rings_flat(g.atom_ptr, g.bond_ptr, g.status, g.begin, g.end, g.bond_ring)
    ends = np.cumsum(sizes)
    found: list[list[tuple[tuple[int, ...], tuple[int, ...]]] | int] = []
    ring = 0
    for count in counts.tolist():
        if count < 0:
            found.append(count)
            continue
        spans = [(ends[r] - sizes[r], ends[r]) for r in range(ring, ring + count)]
        found.append(sorted((tuple(sorted(atoms[a:b].tolist())), tuple(sorted(bonds[a:b].tolist()))) for a, b in spans))
        ring += count
    return found


def expected(mol: Chem.Mol) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    info = mol.GetRingInfo()
    return sorted((tuple(sorted(a)), tuple(sorted(b))) for a, b in zip(info.AtomRings(), info.BondRings(), strict=True))


def declined(smiles: list[str]) -> list[str]:
    """The SMILES that are declined; every other one has RDKit's rings."""
    mols = [mol for mol in map(Chem.MolFromSmiles, smiles) if mol is not None and 0 < mol.GetNumAtoms() <= 255]
    refused = []
    for mol, found in zip(mols, rings_of(mols), strict=True):
        if isinstance(found, int):
            assert found in CODES
            refused.append(Chem.MolToSmiles(mol))
        else:
            assert found == expected(mol), Chem.MolToSmiles(mol)
    return refused


@pytest.mark.parametrize("name", SETTLED)
def test_ring_systems_in_any_writing(name: str) -> None:
    mol = Chem.MolFromSmiles(AWKWARD[name])
    rdBase.SeedRandomNumberGenerator(0)
    writings = [Chem.MolToSmiles(mol, doRandom=True, canonical=False) for _ in range(20)]
    assert not declined([AWKWARD[name], *writings])


def test_a_ring_that_rdkit_misses_is_declined() -> None:
    assert declined([AWKWARD["missed by RDKit"]])


def test_molecules_without_rings_and_none_at_all() -> None:
    assert not declined([*DRUGS, *[s for s in ODD if "." not in s], "C", "CC", "CC(C)(C)C", "[Na+].[Cl-]"])
    counts, sizes, atoms, bonds = rings_flat(*(np.zeros(1, np.int32),) * 2, *(np.zeros(0, np.uint8),) * 4)
    assert len(counts) == len(sizes) == len(atoms) == len(bonds) == 0


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_random_graphs_of_carbon(data: st.DataObject) -> None:
    n = data.draw(st.integers(3, 16))
    order = data.draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), min_size=2, max_size=40))
    mol = Chem.RWMol()
    for _ in range(n):
        mol.AddAtom(Chem.Atom(6))
    chain = [(v - 1 - data.draw(st.integers(0, min(v - 1, 3))), v) for v in range(1, n)]
    for u, v in chain + order:
        free = all(mol.GetAtomWithIdx(a).GetDegree() < 4 for a in (u, v))
        if u != v and free and mol.GetBondBetweenAtoms(u, v) is None and mol.GetNumBonds() < n + 8:
            mol.AddBond(u, v, Chem.BondType.SINGLE)
    parts = Chem.MolToSmiles(mol, canonical=False).split(".")
    declined(parts)


def sample(n: int) -> list[str]:
    texts = []
    for name in ("chembl_10k", "natural_products_50k", "drugs", "zinc_b"):
        rows = rows_of(f"libraries/{name}.smi.gz")
        texts += random.Random(0).sample(rows, min(n, len(rows)))
    return texts


def test_real_molecules() -> None:
    texts = [text for text in sample(400) if "." not in text]
    assert len(declined(texts)) <= 0.01 * len(texts)


@pytest.mark.slow
def test_many_real_molecules() -> None:
    texts = [text for text in sample(10**6) if "." not in text]
    assert len(declined(texts)) <= 0.001 * len(texts)
