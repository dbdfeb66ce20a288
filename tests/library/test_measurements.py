"""A chemist's own values: each conversion against its definition, and no row that is dropped or misread in silence."""

from __future__ import annotations

import gzip
import math
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdkit import Chem

from drylab.errors import InputError
from drylab.library.keys import keys_of
from drylab.library.measurements import UNITS, Known, read_known
from drylab.library.rows import Columns
from tests.library.vendors import write

MOLAR = {"nM": 1e-9, "uM": 1e-6, "M": 1.0}
DELIMITERS = {".csv": ",", ".tsv": "\t", ".csv.gz": ",", ".tsv.gz": "\t", ".csv.bz2": ";", ".csv.zst": "|"}


def refused(path: Path | str, value: str = "v", units: str = "nM", columns: Columns | None = None) -> str:
    with pytest.raises(InputError, match=r".") as caught:
        read_known(str(path), columns or Columns(), value, units)
    message = str(caught.value)
    assert message.startswith(f"{path}:")
    assert len(message.splitlines()) == 1
    assert len(message) < 700
    return message.removeprefix(f"{path}:")


def value_of(tmp_path: Path, said: str, units: str) -> float:
    return float(read_known(str(write(tmp_path / "one.csv", f"smiles,v\nC,{said}\n")), Columns(), "v", units).values[0])


@given(px=st.floats(0.01, 14.99), units=st.sampled_from(sorted(MOLAR)))
def test_a_concentration_is_minus_log10_of_mol_per_litre(
    tmp_path_factory: pytest.TempPathFactory, px: float, units: str
) -> None:
    number = 10**-px / MOLAR[units]
    assert value_of(tmp_path_factory.getbasetemp(), repr(number), units) == pytest.approx(px, abs=1e-9)


@given(number=st.floats(0, 15))
def test_px_is_taken_as_it_is(tmp_path_factory: pytest.TempPathFactory, number: float) -> None:
    assert value_of(tmp_path_factory.getbasetemp(), repr(number), "pX") == number


@pytest.mark.parametrize(
    ("said", "units", "want"), [("1", "nM", 9), ("10", "uM", 5), (" 1e-7 ", "M", 7), ("0", "pX", 0), ("1", "M", 0)]
)
def test_round_values(tmp_path: Path, said: str, units: str, want: float) -> None:
    assert value_of(tmp_path, said, units) == pytest.approx(want, abs=1e-12)


def test_every_unit_is_tested() -> None:
    assert set(UNITS) == {*MOLAR, "pX"}


@pytest.mark.parametrize("units", UNITS)
@pytest.mark.parametrize("said", ["", "x", ">100", "nan", "inf", "-inf", "1e999", "5 nM", "1.2.3", "0x10", "NULL"])
def test_what_is_no_number_is_refused(tmp_path: Path, said: str, units: str) -> None:
    message = refused(write(tmp_path / "a.csv", f"smiles,v\nC,1\nCC,{said}\n"), units=units)
    what = "number" if units == "pX" else "positive number"
    assert message == f"3: value {said!r}: expected a {what} in {units}; correct or remove the row"


def test_a_row_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    assert "3: value '': expected a number" in refused(write(tmp_path / "a.csv", "smiles,v\nC,7\nCC\n"), units="pX")
    assert "3: the SMILES of 'x'" in refused(write(tmp_path / "b.csv", "id,v,smiles\ny,7,C\nx,7\n"), units="pX")


@pytest.mark.parametrize("units", MOLAR)
@pytest.mark.parametrize("said", ["0", "-0.0", "-5", "1e-999"])
def test_a_concentration_is_positive(tmp_path: Path, said: str, units: str) -> None:
    assert f"2: value {said!r}: expected a positive number" in refused(
        write(tmp_path / "a.csv", f"smiles,v\nC,{said}\n"), units=units
    )


@pytest.mark.parametrize("units", ["", "nm", "µM", "mM", "px", "IC50"])
def test_units_that_are_not_known(tmp_path: Path, units: str) -> None:
    message = refused(write(tmp_path / "a.csv", "smiles,v\nC,1\n"), units=units)
    assert f"unit {units!r} of column 'v' is not known; choose one of nM, uM, M, pX" in message


def whole(known: Known) -> list[tuple[str, str, float]]:
    """Rows as (id, SMILES, value), having looked at what every Known must be."""
    assert known.values.dtype == np.float64
    assert known.keys.dtype == np.uint64
    np.testing.assert_array_equal(known.keys, keys_of(known.smiles))
    assert len(set(known.smiles)) == len(known.smiles)
    return list(zip(known.ids, known.smiles, known.values.tolist(), strict=True))


@pytest.mark.parametrize("suffix", DELIMITERS)
def test_delimited(tmp_path: Path, suffix: str) -> None:
    d = DELIMITERS[suffix]
    lines = ["\ufeff name , SMILES, v ", "x,OCC,1,more", '"a ""b"" c",C[NH3+].[Cl-],10', "", ",,", ",c1ccccc1O,1000"]
    path = write(tmp_path / f"a{suffix}", "\r\n".join(line.replace(",", d) for line in lines))
    assert whole(read_known(str(path), Columns(), "v", "nM")) == [
        ("x", "CCO", 9.0),
        ('a "b" c', "CN", 8.0),
        ("row 6", "Oc1ccccc1", 6.0),
    ]


@pytest.mark.parametrize("kind", [pa.float64(), pa.float32(), pa.int64(), pa.string(), pa.decimal128(9, 2)])
def test_parquet(tmp_path: Path, kind: pa.DataType) -> None:
    values = {pa.string(): ["1", "250"], pa.decimal128(9, 2): [Decimal(1), Decimal(250)]}.get(kind, [1, 250])
    table = pa.table({"SMILES": ["OCC", "CN"], "name": ["x", None], "v": pa.array(values, kind)})
    pq.write_table(table, tmp_path / "a.parquet")
    known = read_known(str(tmp_path / "a.parquet"), Columns(), "v", "nM")
    assert [row[:2] for row in whole(known)] == [("x", "CCO"), ("row 2", "CN")]
    np.testing.assert_allclose(known.values, [9, 9 - math.log10(250)], rtol=1e-15)


@pytest.mark.parametrize("value", [None, math.nan, math.inf, 0.0])
def test_parquet_without_a_value(tmp_path: Path, value: float | None) -> None:
    pq.write_table(pa.table({"smiles": ["C", "CC"], "v": pa.array([1.0, value])}), tmp_path / "a.parquet")
    assert "2: value " in refused(tmp_path / "a.parquet")


def test_a_folder_named_like_a_partition_adds_no_column(tmp_path: Path) -> None:
    (tmp_path / "v=1").mkdir()
    pq.write_table(pa.table({"smiles": ["C"]}), tmp_path / "v=1" / "a.parquet")
    assert "no column 'v' for the values; the columns are smiles" in refused(tmp_path / "v=1" / "a.parquet")


@pytest.mark.parametrize("name", ["a.smi", "a.smi.gz"])
def test_smi_without_values(tmp_path: Path, name: str) -> None:
    known = read_known(str(write(tmp_path / name, "OCC ethanol\nCCN\n")), Columns())
    assert known.ids == ("ethanol", "a:2")
    assert known.smiles == ("CCO", "CCN")
    assert np.isnan(known.values).all()
    assert "1: no column 'v' for the values; the columns are not named" in refused(tmp_path / name)


def test_sdf_and_cxsmiles(tmp_path: Path) -> None:
    text = "smiles\tidnumber\tv\nC[C@H](N)O |&1:1|\tone\t7\nC\ttwo\t8\n"
    known = read_known(str(write(tmp_path / "a.cxsmiles.zst", text)), Columns(), "v", "pX")
    assert [(ident, value) for ident, _, value in whole(known)] == [("one", 7.0), ("two", 8.0)]
    block = Chem.MolToMolBlock(Chem.MolFromSmiles("OCC"))
    text = f"first{block}> <v>\n7\n\n$$$$\n{block}> <ID>\nsecond\n\n> <v>\n5\n\n$$$$\nthird{block}$$$$\n"
    path = write(tmp_path / "a.sdf.bz2", text)
    assert "3: value ''" in refused(path, units="pX")
    assert whole(read_known(str(path), Columns()))[0][:2] == ("first", "CCO")
    assert "2: 'b:2': SDF record without M  END" in refused(
        write(tmp_path / "b.sdf", text.replace("$$$$\n", "$$$$\n$$$$\n", 1)), "", ""
    )


def test_given_columns_are_used(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "smiles,id,SMI,code,v\nC,1,CC,one,10\n")
    assert whole(read_known(str(path), Columns("SMI", "code"), "v", "nM")) == [("one", "CC", 8.0)]
    for columns, what in ((Columns("nope"), "SMILES"), (Columns("SMI", "nope"), "ids")):
        for value in ("", "v"):
            message = refused(path, value, columns=columns)
            assert f"1: no column 'nope' for the {what}; the columns are smiles, id, SMI, code, v" in message


def test_columns_that_are_not_there(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'smiles,"ic50\n(nM)"\nC,1\n')
    assert "1: no column 'ic50' for the values; the columns are smiles, ic50 (nM)" in refused(path, "ic50")
    assert "1: no column is named like SMILES" in refused(write(tmp_path / "b.csv", "molecule,v\nC,1\n"))


@pytest.mark.parametrize("value", ["", "v"])
@pytest.mark.parametrize("text", ["", "smiles,v\n", "smiles,v\n\n\n"])
def test_a_file_without_molecules(tmp_path: Path, text: str, value: str) -> None:
    refused(write(tmp_path / "a.csv", text), value)


@pytest.mark.parametrize("value", ["", "v"])
@pytest.mark.parametrize(
    ("smiles", "reason"),
    [("C1CC", "RDKit cannot parse it"), ("[Na+].[Cl-]", "no carbon atom"), ("", "no SMILES in the row")],
)
def test_a_molecule_that_cannot_be_used_is_named_by_its_line(
    tmp_path: Path, smiles: str, reason: str, value: str
) -> None:
    path = write(tmp_path / "a.csv", f'smiles,id,v\nC,"two\nlines",1\n{smiles},bad one,1\nC(,later,1\n')
    assert refused(path, value) == f"4: the SMILES of 'bad one': {reason}; correct or remove the row"


def test_a_parquet_row_is_named_by_its_number(tmp_path: Path) -> None:
    pq.write_table(pa.table({"smiles": ["C", "C1CC"], "v": [1, 1]}), tmp_path / "a.parquet")
    for value in ("", "v"):
        assert refused(tmp_path / "a.parquet", value).startswith("2: the SMILES of ")


@pytest.mark.parametrize(
    ("said", "units", "px"),
    [
        ("2000", "pX", "2000.0"),
        ("-2", "pX", "-2.0"),
        ("250", "M", "-2.4"),
        ("1e10", "nM", "-1.0"),
        ("1e-20", "uM", "26.0"),
    ],
)
def test_what_no_molecule_reaches_is_refused(tmp_path: Path, said: str, units: str, px: str) -> None:
    message = refused(write(tmp_path / "a.csv", f"smiles,v\nC,{said}\n"), units=units)
    want = f"2: value {said!r} in {units} is a pX of {px}, expected 0 (1 M) to 15 (1 fM); is the unit right?"
    assert message == want


def test_a_molecule_measured_twice_has_the_mean(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "smiles,id,v\nOCC,first,2\nCC,other,1\nCCO,second,20000\n[O-]CC.[Na+],salt,200\n")
    (ident, smiles, value), other = whole(read_known(str(path), Columns(), "v", "nM"))
    assert (ident, smiles, other) == ("first", "CCO", ("other", "CC", 9.0))
    assert value == pytest.approx(9 - math.log10(200))  # the geometric mean of 2, 200 and 20,000 nM


def test_a_value_that_adds_nothing_is_looked_at_all_the_same(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "smiles,id,v\nOCC,first,10\nCCO,second,none\n")
    assert "3: value 'none'" in refused(path)


@given(st.lists(st.tuples(st.sampled_from(["CCO", "CCN", "c1ccccc1", "CC(=O)O"]), st.floats(0, 15)), min_size=1))
def test_how_a_molecule_is_written_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, float]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "law.csv"
    found = []
    for kekule in (False, True):
        written = [Chem.MolToSmiles(Chem.MolFromSmiles(text), kekuleSmiles=kekule, rootedAtAtom=1) for text, _ in rows]
        lines = [f"{text},{i},{value!r}\n" for i, (text, (_, value)) in enumerate(zip(written, rows, strict=True))]
        found.append(whole(read_known(str(write(path, f"smiles,id,v\n{''.join(lines)}")), Columns(), "v", "pX")))
    assert found[0] == found[1]
    for _, smiles, value in found[0]:
        mine = [said for text, said in rows if Chem.CanonSmiles(text) == smiles]
        assert value == pytest.approx(sum(mine) / len(mine))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    cut = gzip.compress(("smiles,v\n" + "".join(f"{'C' * (i % 90 + 1)},{i * i + 1}\n" for i in range(9000))).encode())
    for name, data, say in (
        ("cut.csv.gz", cut[: len(cut) // 2], "cannot be read past row"),
        ("plain.csv.gz", b"smiles,v\nC,1\n", "cannot be read past row 0"),
        ("no.parquet", b"PAR1 no PAR1", "is damaged, or not Parquet"),
        ("quote.csv", b'smiles,v\nC,1\n"CC,2\nCCC,3\n', "3: not CSV"),
    ):
        (tmp_path / name).write_bytes(data)
        assert say in refused(tmp_path / name)


@pytest.mark.parametrize("value", ["", "v"])
def test_what_is_not_one_file(tmp_path: Path, value: str) -> None:
    write(tmp_path / "a.csv", "smiles,v\nC,1\n")
    assert "no such file" in refused(tmp_path / "b.csv", value)
    assert "is a folder" in refused(tmp_path, value)
    assert "no reader" in refused(write(tmp_path / "a.xlsx", ""), value)
    assert "is a glob" in refused(tmp_path / "*.csv", value)
