"""Graph codes against RDKit's own accessors, and the account featurize keeps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdkit import Chem

from drylab.errors import InputError
from drylab.featurize import Rules, featurize, reference
from drylab.library.keys import keys_of
from drylab.types import DECLINED, INVALID, PARSED, SmilesBatch
from tests.molecules import DRUGS, ODD


def batch(smiles: list[str]) -> SmilesBatch:
    import pyarrow as pa

    data = [text.encode() for text in smiles]
    offsets = np.concatenate([[0], np.cumsum([len(d) for d in data])]).astype(np.int32)
    return SmilesBatch(
        keys_of(smiles),
        pa.array([f"m{i}" for i in range(len(smiles))]),
        np.frombuffer(b"".join(data), np.uint8),
        offsets,
    )


def test_graph_codes_are_rdkits() -> None:
    smiles = [s for s in [*DRUGS, *ODD] if s != "C" * 255]
    graphs = reference.graphs(reference.parse(smiles))
    assert (graphs.status == PARSED).all()
    for i, text in enumerate(smiles):
        mol = Chem.MolFromSmiles(text)
        atoms = slice(graphs.atom_ptr[i], graphs.atom_ptr[i + 1])
        bonds = slice(graphs.bond_ptr[i], graphs.bond_ptr[i + 1])
        for name, value in {
            "element": [a.GetAtomicNum() for a in mol.GetAtoms()],
            "charge": [a.GetFormalCharge() for a in mol.GetAtoms()],
            "hydrogens": [a.GetTotalNumHs() for a in mol.GetAtoms()],
            "degree": [len(a.GetNeighbors()) for a in mol.GetAtoms()],
            "aromatic": [int(a.GetIsAromatic()) for a in mol.GetAtoms()],
            "atom_ring": [int(a.IsInRing()) for a in mol.GetAtoms()],
            "isotope": [a.GetIsotope() for a in mol.GetAtoms()],
        }.items():
            assert getattr(graphs, name)[atoms].tolist() == value, (text, name)
        order = {1.0: 1, 2.0: 2, 3.0: 3, 1.5: 4}
        dative = [b.GetBondType() == Chem.BondType.DATIVE for b in mol.GetBonds()]
        want = [0 if d else order[b.GetBondTypeAsDouble()] for b, d in zip(mol.GetBonds(), dative, strict=True)]
        assert graphs.order[bonds].tolist() == want, text
        assert graphs.begin[bonds].tolist() == [b.GetBeginAtomIdx() for b in mol.GetBonds()]
        assert graphs.end[bonds].tolist() == [b.GetEndAtomIdx() for b in mol.GetBonds()]


def test_mirror_images_and_double_bonds_differ_in_their_codes() -> None:
    graphs = reference.graphs(reference.parse(["N[C@](C)(F)O", "N[C@@](C)(F)O", "F/C=C/F", "F/C=C\\F"]))
    assert graphs.chirality[graphs.atom_ptr[0] : graphs.atom_ptr[1]].tolist() == [0, 1, 0, 0, 0]
    assert graphs.chirality[graphs.atom_ptr[1] : graphs.atom_ptr[2]].tolist() == [0, 2, 0, 0, 0]
    assert graphs.direction[graphs.bond_ptr[2] : graphs.bond_ptr[3]].tolist() == [1, 0, 1]
    assert graphs.direction[graphs.bond_ptr[3] : graphs.bond_ptr[4]].tolist() == [1, 0, 2]


@pytest.mark.parametrize(
    ("smiles", "state"), [("C" * 255, PARSED), ("C" * 256, DECLINED), ("C(", INVALID), ("", INVALID)]
)
def test_status(smiles: str, state: int) -> None:
    graphs = reference.graphs(reference.parse([smiles]))
    assert graphs.status.tolist() == [state]
    assert len(graphs.element) == (len(smiles) if state == PARSED else 0)


@given(st.lists(st.sampled_from([*DRUGS, "C(", "", "C" * 256, "CCCC"]), max_size=12))
def test_every_row_has_one_account(smiles: list[str]) -> None:
    rules = Rules(
        ranges=(("mw", 100.0, 400.0),), must_not_have=("c1ccncc1",), excluded=keys_of(["CCCC", "C(", DRUGS[0]])
    )
    done = featurize(batch(smiles), rules)
    assert len(done.rows) + len(done.rejected) + sum(done.filtered.values()) == len(smiles)
    assert len(done.graphs) == len(done.rows)
    assert (done.graphs.status == PARSED).all()


def test_rules_name_what_they_took_out() -> None:
    smiles = ["CCO", "c1ccccc1", "O=[N+]([O-])c1ccccc1", "CCCC", "C(", "C" * 256, "CCN"]
    rules = Rules(
        ranges=(("heavy_atoms", 3, 100),),
        must_have_any=("[#7]", "[#8]"),
        must_not_have=("[N+](=O)[O-]",),
        excluded=keys_of(["CCN"]),
    )
    done = featurize(batch(smiles), rules)
    assert done.rows.tolist() == [0]
    assert done.filtered == {
        "has none of [#7], [#8]": 2,
        "contains [N+](=O)[O-]": 1,
        "excluded by the target file": 1,
    }
    assert done.rejected == ((4, "parse: a branch that is not closed"), (5, "parse: more than 255 atoms"))


def test_range_ends_are_allowed() -> None:
    mol = reference.parse(["CC(=O)Oc1ccccc1C(=O)O"])[0]
    assert mol is not None
    assert Rules(ranges=(("heavy_atoms", 13, 13),)).verdict(mol) == ""
    assert Rules(ranges=(("heavy_atoms", 13.5, 99),)).verdict(mol) == "heavy_atoms outside [13.5, 99]"
    assert Rules(ranges=(("mw", 181.0, 300.0),)).verdict(mol) == "mw outside [181, 300]"


def test_alerts_reject_by_catalog() -> None:
    rhodanine = reference.parse(["O=C1NC(=S)S/C1=C\\c1ccccc1"])[0]
    assert rhodanine is not None
    assert Rules(alerts=("pains",)).verdict(rhodanine) == "structural alert (pains)"
    assert Rules().verdict(rhodanine) == ""


def test_bad_smarts_says_so() -> None:
    with pytest.raises(InputError, match="is not a SMARTS that RDKit can read"):
        reference.pattern("[N+](=O")


def test_properties_are_rdkits() -> None:
    from rdkit.Chem import Crippen, Descriptors

    mols = [mol for mol in reference.parse(DRUGS) if mol is not None]
    table = reference.properties(mols)
    assert table["mw"].tolist() == [Descriptors.MolWt(mol) for mol in mols]
    assert table["clogp"].tolist() == [Crippen.MolLogP(mol) for mol in mols]
    assert set(table) == set(reference.PROPERTIES)
