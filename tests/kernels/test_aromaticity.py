"""The aromaticity kernel against RDKit's sanitisation: any writing ends in RDKit's graph or is declined."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem, rdBase

from drylab.featurize import reference
from drylab.kernels.aromaticity import (
    DECLINED_ATOM,
    DECLINED_CHAIN,
    DECLINED_DONOR,
    DECLINED_FUSED,
    DECLINED_KEKULE,
    DECLINED_ORDER,
    aromatise_flat,
)
from drylab.kernels.electrons import OUTER, VALENCE
from tests.molecules import DRUGS, ODD
from tests.real import rows_of

# Writings that RDKit reads; most end up otherwise than written.
DECIDED = [
    "C1=CC=CC=C1", "C1=CC=C2C=CC=CC2=C1", "c1ccc2cccc2cc1", "C1=CC2=CC=CC2=CC=C1",  # benzene, naphthalene, azulenes
    "O=C1C=CC(=O)C=C1", "O=C1C=CC(=O)N1C", "S=C1NC(=O)CS1", "O=C1CNC(=O)N1", "O=C1C=CC(=O)c2ccccc12",  # not aromatic
    "CN1C(=O)CN=C(c2ccccc2)c2cc(Cl)ccc21", "O=c1cccc[nH]1", "O=C1C=CC=CN1", "O=C1N=CC=CC1", "O=c1cc[nH]c(=O)[nH]1",
    "Cn1c(=O)c2c(ncn2C)n(C)c1=O", "CN1C=NC2=C1C(=O)N(C)C(=O)N2C", "Nc1ncnc2[nH]cnc12", "NC1=NC=NC2=C1NC=N2",
    "C1=CN=CC=N1", "C1=CNC=C1", "O1C=CC=C1", "C1=CSC=C1", "c1c[se]cc1", "[O+]1=CC=CC=C1", "c1cc[o+]cc1", "c1cc[s+]cc1",
    "C1=CC=C[CH+]C=C1", "c1ccc[cH+]cc1", "[cH-]1cccc1", "C1=C[CH-]C=C1", "[n-]1cccc1", "C[n+]1ccccc1", "[O-][n+]1ccccc1",
    "C=C1C=CC=C1", "O=C1C=CC=CC=C1", "O=C1C=C1", "C1=CC1", "[CH+]1C=C1", "C1=CC=C1", "C1=CC=CC=CC=C1",
    "c1ccc2c(c1)[nH]c1ccccc12", "c1ccc2c(c1)-c1ccccc1-2", "c1ccc2c(c1)Cc1ccccc12", "C1=Cc2cccc3cccc1c23", "c1cc2ccc3cccc4ccc(c1)c2c34",
    "C1=CC=COC=CC=C1", "N1C=CC=CC=CC=C1", "C1=CC=CC=CC=CC=C1", "c1ccn2ccnc2c1", "O=[n+]1c2ccccc2[nH]o1",
    "B1NBNBN1", "C1=CB(O)OC=C1", "C1=C[SiH2]C=C1", "C1=CP=CC=C1", "c1ccpcc1", "CS1(=O)=NC=CC=C1", "O=S1(=O)C=CC=C1",
    "C1=CC#CC=C1", "c1cc#ccc1", "C1=C=CC=CC1", "c1ccc(-c2ccccc2)cc1", "c1ccc(cc1)c2ccccc2", "O=C1C(=Cc2ccccc2)c2ccccc2N1",
    "CC1(C)C=CC=CN1", "c1nc2ccccc2o1", "c1nnn[nH]1", "C1=NN=NN1", "[nH]1nnnc1", "Cn1nccn1", "[Te]1C=CC=C1", "C1=C[As]=CC=C1",
    "C1CC1", "CCO", "C1=CC2=CC3=CC=C(C=C3C=C2C=C1)C#N", "C12=CC=CC=C1N=C1C=CC=CC1=N2", "COc1cc2cc(O)coc3c(OC)c(OC)ccc3c(O)c2cc1OC",
]  # fmt: skip
# Valid ones that are left to RDKit, and why. (The [C] are radicals; the quinone tower has eleven rings.)
LEFT = {
    "[c]1ccccc1": DECLINED_ATOM,
    "O=s1cccc1": DECLINED_ATOM,
    "c1ccc2c3ccccc3c2c1": DECLINED_ORDER,  # biphenylene: two double bonds could join the benzenes
    "b1ccccc1": DECLINED_ATOM,
    "[CH]1C=CC=C1": DECLINED_DONOR,
    "C=Cc1c(C)c2cc3[nH]c(cc4nc(cc5[nH]c(cc1n2)c(C)c5CCC(=O)[O-])c(CCC(=O)[O-])c4C)c(C)c3C=C": DECLINED_ORDER,
    "O=c1c2ccccc2c(=O)c2c1ccc1c2[nH]c2c3c(=O)c4ccccc4c(=O)c3c3[nH]c4c(ccc5c(=O)c6ccccc6c(=O)c54)c3c12": DECLINED_FUSED,
}
# What RDKit refuses.
REFUSED = {"c1cccc1": DECLINED_KEKULE, "cc": DECLINED_CHAIN, "n1cccc1": DECLINED_KEKULE, "c1ccccc1c": DECLINED_CHAIN}


def as_written(smiles: str) -> Chem.Mol | None:
    """The graph before RDKit's Kekulize and setAromaticity, with aromatic bonds outside rings made single."""
    mol = Chem.MolFromSmiles(smiles, sanitize=False)
    if mol is None:
        return None
    Chem.Cleanup(mol)
    mol.UpdatePropertyCache(strict=False)
    Chem.FastFindRings(mol)
    for bond in mol.GetBonds():
        if bond.GetBondType() == Chem.BondType.AROMATIC and not bond.IsInRing():
            bond.SetBondType(Chem.BondType.SINGLE)
    return mol


def outcomes(smiles: list[str]) -> list[int]:
    """The kernel's code for each SMILES that RDKit can draw; where it is 0, the graph is RDKit's."""
    pairs = [(text, mol) for text, mol in zip(smiles, map(as_written, smiles), strict=True) if mol is not None]
    pairs = [(text, mol) for text, mol in pairs if 0 < mol.GetNumAtoms() <= 255]
    g = reference.graphs([mol for _, mol in pairs])
    codes, aromatic, order = aromatise_flat(g)
    for i, (text, written) in enumerate(pairs):
        mol = Chem.MolFromSmiles(text)
        if codes[i] != 0:
            continue
        if mol is None:  # of the reasons to refuse a molecule, valence is the parser's to find
            assert "AtomValenceException" in {p.GetType() for p in Chem.DetectChemistryProblems(written)}, text
            continue
        if mol.GetNumAtoms() != written.GetNumAtoms():
            continue  # hydrogens that are atoms in the writing, also the parser's
        atoms, bonds = slice(*g.atom_ptr[i : i + 2]), slice(*g.bond_ptr[i : i + 2])
        final = reference.graphs([mol])
        assert aromatic[atoms].tolist() == final.aromatic.tolist(), text
        assert order[bonds].tolist() == final.order.tolist(), text
    return [int(code) for code in codes]


def writings(mol: Chem.Mol, n: int) -> list[str]:
    """n random writings of a molecule, every other one with double bonds in place of aromatic ones."""
    kekule = Chem.Mol(mol)
    Chem.Kekulize(kekule, clearAromaticFlags=True)
    rdBase.SeedRandomNumberGenerator(0)
    return [Chem.MolToSmiles(kekule if i % 2 else mol, doRandom=True, canonical=False) for i in range(n)]


def test_decided_writings() -> None:
    texts = DECIDED + [text for text in DRUGS + ODD if "." not in text and "[2H]" not in text and "->" not in text]
    again = [new for text in texts for new in writings(Chem.MolFromSmiles(text), 6)]
    assert not any(outcomes(texts + again))


@pytest.mark.parametrize("smiles", LEFT)
def test_writings_left_to_rdkit(smiles: str) -> None:
    assert Chem.MolFromSmiles(smiles) is not None
    assert outcomes([smiles]) == [LEFT[smiles]]


@pytest.mark.parametrize("smiles", REFUSED)
def test_what_rdkit_refuses_is_declined(smiles: str) -> None:
    assert Chem.MolFromSmiles(smiles) is None
    assert outcomes([smiles]) == [REFUSED[smiles]]


def test_tables_are_rdkits() -> None:
    table = Chem.GetPeriodicTable()
    assert OUTER.tolist() == [table.GetNOuterElecs(z) for z in range(119)]
    assert VALENCE.tolist() == [max(table.GetDefaultValence(z), 0) for z in range(len(VALENCE))]


PIECES = [
    "C=C",
    "C=C",
    "C=C",
    "N",
    "O",
    "S",
    "C(=O)",
    "C=N",
    "N=N",
    "C(=C)",
    "[NH+]=C",
    "C",
    "[CH-]",
    "[Se]",
    "c",
    "n",
    "[nH]",
    "o",
]


@given(
    st.lists(st.sampled_from(PIECES), min_size=3, max_size=9), st.sampled_from(["", "c2ccccc2", "C2=CC=CN2", "c2ccoc2"])
)
@settings(max_examples=300, deadline=None)
def test_rings_of_any_pieces(pieces: list[str], other: str) -> None:
    outcomes(
        ["C1" + "".join(pieces) + other + "C=1", "C1" + "".join(pieces) + other + "C1", "c1" + "".join(pieces) + "c1"]
    )


SWAPS = {
    "c": "CnNos",
    "n": "Nco",
    "o": "Osn",
    "s": "So",
    "C": "cNOB",
    "N": "nCO",
    "O": "oSN",
    "=": "-#",
    "(": "(",
    "1": "2",
}


def mutate(text: str, rng: random.Random) -> str:
    """One to three characters exchanged for another atom, case or bond."""
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(text))
        if text[at] in SWAPS and "[" not in text[max(0, at - 3) : at]:
            text = text[:at] + rng.choice(SWAPS[text[at]]) + text[at + 1 :]
    return text


def sample(n: int) -> list[str]:
    texts = []
    for name in ("libraries/chembl_10k.smi.gz", "libraries/zinc_b.smi.gz", "affinity/chembl22.csv.gz",
                 "affinity/kiba.csv.gz", "libraries/pubchem_100k.csv.gz"):  # fmt: skip
        rows = [row for row in dict.fromkeys(rows_of(name)) if "." not in row and "H]" not in row.replace("nH]", "")]
        texts += random.Random(0).sample(rows, min(n, len(rows)))
    return texts


def test_real_molecules_as_vendors_write_them() -> None:
    codes = outcomes(sample(300))
    assert sum(code != 0 for code in codes) <= 0.005 * len(codes)


def test_mutated_molecules() -> None:
    rng = random.Random(1)
    outcomes([mutate(text, rng) for text in sample(300)])


@pytest.mark.slow
def test_many_molecules_written_and_mutated() -> None:
    rng = random.Random(2)
    texts = sample(20_000)
    codes = outcomes(texts)
    assert sum(code != 0 for code in codes) <= 0.0005 * len(codes)
    outcomes([mutate(text, rng) for text in texts])
    mols = [mol for mol in map(Chem.MolFromSmiles, texts) if mol is not None]
    outcomes([text for mol in mols for text in writings(mol, 2)])
