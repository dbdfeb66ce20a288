"""Measurements from files: units, relations, replicates, assays; and no row that is dropped or misread in silence."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drylab.errors import InputError
from drylab.measured import Fields, Measured, read_measured, together


def read(tmp_path: Path, text: str, name: str = "m.csv", **fields: str) -> Measured:
    (tmp_path / name).write_text(text)
    return read_measured(str(tmp_path / name), Fields(**fields))


@pytest.mark.parametrize(
    ("units", "said", "value", "relation"),
    [
        ("nM", "100", 7.0, 0),
        ("uM", ">10", 5.0, -1),
        ("nM", "< 1", 9.0, 1),
        ("pX", ">9", 9.0, 1),
        ("pX", "<=4.5", 4.5, -1),
        ("number", "-3.5", -3.5, 0),
        ("class", "1", 1.0, 0),
        ("class", "inactive", 0.0, 0),
    ],
)
def test_units_and_signs(tmp_path: Path, units: str, said: str, value: float, relation: int) -> None:
    found = read(tmp_path, f"smiles,v\nCCO,{said}\n", value="v", units=units)
    assert found.value.tolist() == pytest.approx([value])
    assert found.relation.tolist() == [relation]


def test_a_column_of_relations(tmp_path: Path) -> None:
    found = read(tmp_path, "smiles,v,rel\nCCO,100,=\nCCN,10000,>\nCCC,1,'<'\n", value="v", units="nM", relation="rel")
    assert found.relation.tolist() == [0, -1, 1]


@pytest.mark.parametrize(
    ("header", "units"),
    [("pIC50", "pX"), ("pchembl_value", "pX"), ("IC50 (nM)", "nM"), ("Active", "class")],
)
def test_usual_names_say_their_units(tmp_path: Path, header: str, units: str) -> None:
    found = read(tmp_path, f"smiles,{header}\nCCO,1\nCCN,1\n")
    assert found.units == units


def test_replicates_and_other_ways_to_draw(tmp_path: Path) -> None:
    found = read(tmp_path, "smiles,id,pIC50\nCCO,a,5\nOCC,b,6\nC(O)C,c,9\nCCN.Cl,d,7\n")
    assert found.smiles == ("CCO", "CCN")
    assert found.ids == ("a", "d")
    assert found.value.tolist() == [6.0, 7.0]
    assert found.rows == 4


def test_assays_are_kept_apart(tmp_path: Path) -> None:
    found = read(tmp_path, "smiles,pIC50,lab\nCCO,5,x\nCCO,6,y\nCCN,7,y\n", assay="lab")
    assert found.assays == ("x", "y")
    assert found.molecule.tolist() == [0, 0, 1]
    assert found.assay.tolist() == [0, 1, 1]


def test_parquet_and_empty_cells(tmp_path: Path) -> None:
    table = pa.table({"smiles": ["CCO", "CCN", "CCC"], "pKi": [5.5, None, 7.25]})
    pq.write_table(table, tmp_path / "m.parquet")
    found = read_measured(str(tmp_path / "m.parquet"), Fields())
    assert found.value.tolist() == [5.5, 7.25]
    assert found.smiles == ("CCO", "CCC")


@pytest.mark.parametrize(
    ("text", "fields", "says"),
    [
        ("smiles,v\nC,1\nnonsense,2\n", {"value": "v", "units": "nM"}, ":3: the SMILES of 'row 3'"),
        ("smiles,v\nC,1\nCC,x\n", {"value": "v", "units": "nM"}, ":3: value 'x': expected a positive number in nM"),
        ("smiles,v\nC,0\n", {"value": "v", "units": "nM"}, ":2: value '0'"),
        ("smiles,v\nC,300\n", {"value": "v", "units": "pX"}, "is the unit right"),
        ("smiles,v\nC,2\n", {"value": "v", "units": "class"}, "expected 0 or 1"),
        ("smiles,v\nC,2\n", {"value": "v"}, "in which units"),
        ("smiles,v\nC,2\n", {"value": "w", "units": "nM"}, "no column 'w' for the value; the columns are smiles, v"),
        ("smiles,v\nC,2\n", {"value": "v", "units": "mM"}, "units 'mM' are not known"),
        ("smiles,v,r\nC,2,!\n", {"value": "v", "units": "nM", "relation": "r"}, "relation '!'"),
        ("smiles,v\nC,2\n", {"units": "nM"}, "which column holds the values.*--units actives"),
    ],
)
def test_refused_with_the_line(tmp_path: Path, text: str, fields: dict[str, str], says: str) -> None:
    with pytest.raises(InputError, match=says):
        read(tmp_path, text, **fields)


PAIRS = st.lists(st.tuples(st.floats(0, 15), st.sampled_from([-1, 0, 1])), min_size=1, max_size=6)


@given(PAIRS, st.randoms())
def test_together_does_not_depend_on_the_order(pairs: list[tuple[float, int]], random: object) -> None:
    mixed = list(pairs)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert together(pairs) == together(mixed)


@given(PAIRS)
def test_together_keeps_what_was_measured(pairs: list[tuple[float, int]]) -> None:
    value, sign = together(pairs)
    exact = [value for value, sign in pairs if sign == 0]
    if exact:
        assert (value, sign) == (np.median(exact), 0)
    elif sign:
        assert all(value * sign >= other * sign for other, its in pairs if its == sign)
