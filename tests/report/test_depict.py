"""Pictures of odd molecules and SD records that RDKit reads back."""

import io
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdkit import Chem

from drylab.report.depict import LOWERS, RAISES, picture, sdf
from tests.report.sample import DRUGS

ODD = {
    "one atom": "C",
    "an ion pair without bonds": "[Na+].[Cl-]",
    "a salt": "CCN(CC)CC.Cl",
    "200 atoms": "C" * 200,
    "a dummy atom": "*c1ccccc1",
    "an isotope": "[2H]C([2H])([2H])O",
    "hydrogen": "[H][H]",
    "stereo": "C[C@H](N)/C=C/C#N",
    "a hypervalent metal": "[Fe+2].c1ccccc1",
}


def parsed(drawing: str) -> ElementTree.Element:
    return ElementTree.fromstring(drawing)


@pytest.mark.parametrize("smiles", ODD.values(), ids=ODD.keys())
def test_an_odd_molecule_has_a_picture_with_a_map(smiles: str) -> None:
    atoms = Chem.MolFromSmiles(smiles).GetNumAtoms()
    drawing = picture(smiles, [(-1.0) ** atom * (atom + 1) for atom in range(atoms)])
    assert "circle" in drawing
    assert ("<path" in drawing) or ("<text" in drawing)
    parsed(drawing)


@pytest.mark.parametrize("name", DRUGS)
def test_a_picture_is_small_inlinable_and_without_references(name: str) -> None:
    drawing = picture(DRUGS[name])
    assert drawing.startswith("<svg ")
    assert len(drawing) < 8000
    for never in ("<?xml", "style=", "class=", " id=", "href", "url(", "#000000", "rdkit"):
        assert never not in drawing
    assert {node.tag.rpartition("}")[2] for node in parsed(drawing).iter()} <= {"svg", "g", "path", "text"}


def test_shading_says_the_sign_by_colour_and_the_size_by_opacity() -> None:
    drawing = parsed(picture("CCO", [0.5, -1.0, 0.0]))
    groups = {group.get("fill"): list(group) for group in drawing if group.get("fill") in (LOWERS, RAISES)}
    assert {colour: len(spots) for colour, spots in groups.items()} == {LOWERS: 1, RAISES: 1}
    assert float(groups[LOWERS][0].get("opacity", "")) > float(groups[RAISES][0].get("opacity", ""))


def test_shading_is_relative_to_the_molecule() -> None:
    assert picture("CCO", [1.0, -2.0, 0.5]) == picture("CCO", [100.0, -200.0, 50.0])


@pytest.mark.parametrize("flat", [[0.0, 0.0, 0.0], [float("nan")] * 3])
def test_nothing_to_shade_is_a_plain_molecule(flat: list[float]) -> None:
    assert "circle" not in picture("CCO", flat)


def test_a_wrong_number_of_contributions_is_refused() -> None:
    with pytest.raises(ValueError, match="2 contributions for the 3 atoms of CCO"):
        picture("CCO", [1.0, 2.0])


@pytest.mark.parametrize("smiles", ["not a molecule", "", "C1CC"])
def test_what_cannot_be_read_says_so(smiles: str) -> None:
    assert "no picture" in picture(smiles)


def read(text: str) -> list[Chem.Mol]:
    return list(Chem.ForwardSDMolSupplier(io.BytesIO(text.encode()), sanitize=True))


def test_sdf_reads_back_with_structure_title_and_tags() -> None:
    rows = [
        {"id": name, "smiles": smiles, "score": 7.123456, "rank": 3, "in_domain": True, "none": None, "atoms": [1.0]}
        for name, smiles in DRUGS.items()
    ]
    mols = read(sdf(rows))
    assert [mol.GetProp("_Name") for mol in mols] == list(DRUGS)
    for mol, smiles in zip(mols, DRUGS.values(), strict=True):
        assert Chem.MolToSmiles(mol) == Chem.CanonSmiles(smiles)
        assert not mol.GetConformer().Is3D()
        assert list(mol.GetPropNames()) == ["id", "smiles", "score", "rank", "in_domain"]
        assert (mol.GetProp("score"), mol.GetProp("in_domain")) == ("7.1235", "true")


@given(st.lists(st.text(), min_size=1, max_size=5), st.text())
def test_no_value_can_end_a_record_or_start_a_tag(values: list[str], name: str) -> None:
    rows = [{"id": value, "smiles": "CCO", name or "x": value, "last": "here"} for value in values]
    mols = read(sdf(rows))
    assert len(mols) == len(values)
    assert all(mol.GetNumAtoms() == 3 and mol.GetProp("last") == "here" for mol in mols)


def test_an_unreadable_structure_keeps_its_record() -> None:
    mols = read(sdf([{"id": "a", "smiles": "CCO"}, {"id": "b", "smiles": "oops"}, {"id": "c", "smiles": "CC"}]))
    assert [(mol.GetProp("_Name"), mol.GetNumAtoms()) for mol in mols] == [("a", 3), ("b", 0), ("c", 2)]
