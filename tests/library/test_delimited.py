"""Tables of text: delimiters, headers that are wrong or missing, cells that hold anything."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from drylab.library import streams
from drylab.library.layout import LONGEST_ID
from drylab.library.rows import Columns
from drylab.library.sources import blocks, open_source, read_rows
from tests.library.vendors import refused, rows, write


@pytest.mark.parametrize("name", ["a.smi", "a.smi.gz", "a.SMI"])
def test_smi(tmp_path: Path, name: str) -> None:
    text = "CCO\tid with blanks\r\nCC  two words\r\n\r\nC\nN \n"
    assert rows(write(tmp_path / name, text)) == [
        (1, "id with blanks", "CCO"),
        (2, "two words", "CC"),
        (4, "a:4", "C"),
        (5, "a:5", "N"),
    ]


def test_more_columns_of_a_smi(tmp_path: Path) -> None:
    text = "CCO\tone two\t12.5\nCC |$a;b$| three\nC |x|\nN |not closed\nO four |five|\nP\t|$a$|\tsix\tx\n"
    assert rows(write(tmp_path / "a.smi", text)) == [
        (1, "one two", "CCO"),
        (2, "three", "CC |$a;b$|"),
        (3, "a:3", "C |x|"),
        (4, "|not closed", "N"),
        (5, "four |five|", "O"),
        (6, "six", "P |$a$|"),
    ]


def test_columns_cannot_be_named_in_a_smi(tmp_path: Path) -> None:
    for columns in (Columns("smiles"), Columns(id="name")):
        assert "a .smi file has no named columns" in refused(write(tmp_path / "a.smi", "C a\n"), columns)
    assert "the columns are not named" in refused(tmp_path / "a.smi", Columns(more=("value",)))


@pytest.mark.parametrize("header", ["smiles", "SMILES zinc_id", "canonical_smiles\tid", "#SMILES\tname"])
@pytest.mark.parametrize("suffix", [".smi", ".cxsmiles"])
def test_a_header_of_a_smi_is_no_row(tmp_path: Path, header: str, suffix: str) -> None:
    rest = "C\tone\nsmiles\ttwo\n"
    named = suffix == ".smi" or len(header.split()) > 1
    expected = [(2, "one" if named else "a:2", "C"), (3, "two" if named else "a:3", "smiles")]
    assert rows(write(tmp_path / f"a{suffix}", f"{header}\n{rest}")) == expected


def test_cxsmiles(tmp_path: Path) -> None:
    text = 'C[C@H](O)N |&1:1|\tZ1\tM\n"C\tZ2\nCC |a,b|\t\tS\n'
    named = write(tmp_path / "a.cxsmiles", f"smiles\tidnumber\tType\n{text}")
    assert rows(named) == [(2, "Z1", "C[C@H](O)N |&1:1|"), (3, "Z2", '"C'), (4, "a:4", "CC |a,b|")]
    assert "no column 'nope' for the SMILES; the columns are smiles, idnumber" in refused(named, Columns("nope"))
    bare = write(tmp_path / "b.cxsmiles", text)
    assert rows(bare) == [(1, "Z1", "C[C@H](O)N |&1:1|"), (2, "Z2", '"C'), (3, "S", "CC |a,b|")]
    assert rows(bare, Columns("1", "2")) == [(1, "Z1", "C[C@H](O)N |&1:1|"), (2, "Z2", '"C'), (3, "b:3", "CC |a,b|")]


@pytest.mark.parametrize(
    ("name", "d"), [("a.csv", ","), ("a.tsv", "\t"), ("a.csv.gz", ","), ("a.csv", ";"), ("a.tsv", "|")]
)
def test_delimited_counts_lines_from_where_a_row_starts(tmp_path: Path, name: str, d: str) -> None:
    lines = ["ID_, Smiles,name", '1,CCO,"a ""b"" c"', '2,CC,"x', 'y"', "", "3,C", "4,N,", "5"]
    text = "\ufeff" + "\r\n".join(line.replace(",", d) for line in lines)
    # "ID_" is a usual name for ids, and stands before "name" among them.
    expected = [(2, "1", "CCO"), (3, "2", "CC"), (6, "3", "C"), (7, "4", "N"), (8, "5", "")]
    assert rows(write(tmp_path / name, text)) == expected
    expected = [(2, 'a "b" c', "CCO"), (3, "x\r\ny", "CC"), (6, "a:6", "C"), (7, "a:7", "N"), (8, "a:8", "")]
    assert rows(tmp_path / name, Columns(id="name")) == expected


def test_given_columns_win_over_the_usual_names(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "smiles,id,SMI,code\nC,1,CC,one\n")
    assert rows(path) == [(2, "1", "C")]
    assert rows(path, Columns("SMI", "code")) == [(2, "one", "CC")]
    assert rows(path, Columns("3", "4")) == [(2, "one", "CC")]


@pytest.mark.parametrize("columns", [Columns("nope"), Columns("smiles", "nope"), Columns("smiles", more=("nope",))])
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".cxsmiles"])
def test_a_column_that_is_not_there_lists_the_columns(tmp_path: Path, suffix: str, columns: Columns) -> None:
    path = write(tmp_path / f"a{suffix}", "smiles,other\nC,x\n".replace(",", "," if suffix == ".csv" else "\t"))
    assert "no column 'nope'" in refused(path, columns)
    assert "smiles, other" in refused(path, columns)


def test_a_sign_that_only_looks_like_a_number_is_a_name(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "CCO,x\nCC,y\n")
    assert "no column '²'" in refused(path, Columns("²"))
    assert "no column '²'" in refused(path, Columns("1", "²"))


def test_a_header_without_a_usual_name(tmp_path: Path) -> None:
    assert "the columns are a, b c: say which" in refused(write(tmp_path / "a.csv", 'a,"b\nc"\n1,x\n'))
    said = refused(write(tmp_path / "b.csv", "no;molecule\n1;CCO\n2;CCN\n"))
    assert "say which one holds the SMILES; column 'molecule' looks like it (--smiles 'molecule')" in said
    assert rows(tmp_path / "b.csv", Columns("molecule")) == [(2, "b:2", "CCO"), (3, "b:3", "CCN")]
    refused(write(tmp_path / "long.csv", "x," * 100_000 + "\nC\n"))


@pytest.mark.parametrize(("suffix", "d"), [(".csv", "\t"), (".csv", ","), (".tsv", ";"), (".txt", "\t"), (".csv", "|")])
def test_a_file_without_a_header(tmp_path: Path, suffix: str, d: str) -> None:
    lines = [f"-1.{i}{d}{'C' * (i + 1)}O{d}Z{i}{d}x" for i in range(30)]
    path = write(tmp_path / f"a{suffix}", "\n".join(lines))
    assert rows(path) == [(i + 1, f"Z{i}", "C" * (i + 1) + "O") for i in range(30)]
    assert rows(path, Columns("2", "1"))[0] == (1, "-1.0", "CO")
    assert rows(path, Columns(id="1"))[0] == (1, "-1.0", "CO")
    for columns in (Columns("5"), Columns("0"), Columns("2", "name"), Columns("2", more=("v",))):
        assert "the file has no header, only columns 1 to 4; give a number" in refused(path, columns)


def test_a_first_row_that_is_wrong_is_not_taken_for_a_header(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "CCO\nC1CC\nCC\nCCC\nCN\nCO\nOO\n")
    assert [row[2] for row in rows(path)] == ["CCO", "C1CC", "CC", "CCC", "CN", "CO", "OO"]
    assert "say which one holds the SMILES" in refused(write(tmp_path / "b.csv", "C1CC\nCCO\nCC\n"))
    assert [row[2] for row in rows(tmp_path / "b.csv", Columns("1"))] == ["C1CC", "CCO", "CC"]


def test_ids_that_are_smiles_or_repeat_are_none(tmp_path: Path) -> None:
    assert rows(write(tmp_path / "a.csv", "CCO\tOCC\nCN\tNC\n")) == [(1, "a:1", "CCO"), (2, "a:2", "CN")]
    assert rows(write(tmp_path / "b.csv", "CCO,x\nCN,x\n")) == [(1, "b:1", "CCO"), (2, "b:2", "CN")]


@pytest.mark.parametrize(
    "header", ["idnumber", "Catalog ID", "zinc_id", "MolPort ID", "Compound_ID", "CATALOG NUMBER", "Name"]
)
def test_the_usual_names_of_ids(tmp_path: Path, header: str) -> None:
    assert rows(write(tmp_path / "a.csv", f"price,{header},SMILES\n5,x,C\n")) == [(2, "x", "C")]


def test_one_column_may_be_both(tmp_path: Path) -> None:
    assert rows(write(tmp_path / "a.csv", "s\nC\nCC\n"), Columns("s", "s")) == [(2, "C", "C"), (3, "CC", "CC")]


def test_bytes_that_are_not_utf8_stay_visible(tmp_path: Path) -> None:
    assert rows(write(tmp_path / "a.smi", b"CCO caf\xe9\nC\xe9 x\nC\0 y\nN \0\nO caf\xc3\xa9\n")) == [
        (1, "caf\\xe9", "CCO"),
        (2, "x", "C\\xe9"),
        (3, "y", "C\0"),
        (4, "\\x00", "N"),
        (5, "café", "O"),
    ]
    assert rows(write(tmp_path / "a.csv", b"smiles,id\nC,\0\xe9\nC,\xc2\xa0\n")) == [
        (2, "\\x00\\xe9", "C"),
        (3, "a:3", "C"),
    ]


def test_rows_that_share_an_id_are_all_there(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "smiles,id\nC,x\nCC,x\nC,x\n")
    assert rows(path) == [(2, "x", "C"), (3, "x", "CC"), (4, "x", "C")]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
@pytest.mark.parametrize("name", ["a.smi", "a.csv.gz", "a.sdf", "a.parquet"])
def test_a_file_that_may_not_be_read(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, "C x\n").chmod(0)
    assert "change its permissions, or copy it" in refused(tmp_path / name)


def test_an_id_that_is_too_long_is_a_trouble(tmp_path: Path) -> None:
    long, fits = "é" * (LONGEST_ID + 1), "é" * LONGEST_ID
    source = open_source(str(write(tmp_path / "a.smi", f"C {fits}\nCC {long}\nCCC x\n")), 0, Columns())
    (block,) = blocks(source, 1 << 20)
    read = read_rows(source, block)
    assert read.troubles == {1: "id longer than 1000 characters"}
    assert read.ids.to_pylist() == [fits, fits, "x"]


@pytest.mark.parametrize("name", ["caf\u00e9.smi", "two.dots.smi", ".smi.smi", "x" * 250 + ".smi"])
def test_the_name_of_a_file_stands_in_for_ids(tmp_path: Path, name: str) -> None:
    assert rows(write(tmp_path / name, "C\nC x\n"))[0] == (1, f"{name.partition('.')[0]}:1", "C")


@pytest.mark.parametrize("size", [1000, 1 << 20])
def test_megabytes_in_one_line(tmp_path: Path, size: int) -> None:
    long = "C" * 3_000_000
    assert rows(write(tmp_path / "a.smi", f"C 1\n{long} 2\nCC 3\n"), size=size) == [
        (1, "1", "C"),
        (2, "2", long),
        (3, "3", "CC"),
    ]
    path = write(tmp_path / "a.csv", f'smiles,id\nC,1\n"{long}\n",2\nCC,{long}\n')
    assert rows(path, size=size) == [(2, "1", "C"), (3, "2", long), (5, "C" * LONGEST_ID, "CC")]


def test_a_record_without_an_end_is_not_read_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "LONGEST_RECORD", 1 << 20)
    filler = "CC,x\n" * 500_000
    said = refused(write(tmp_path / "a.csv", f'smiles,id\nC,1\nCC,"2\n{filler}'))
    assert said.endswith("a.csv:3: not CSV (a cell of more than 64 MB); look for a quote that is not closed there")
    assert ":2: a row of more than 64 MB" in refused(write(tmp_path / "a.smi", "C\n" + "C" * 3_000_000))


def test_a_quote_that_is_not_closed_eats_no_rows(tmp_path: Path) -> None:
    message = refused(write(tmp_path / "a.csv", 'smiles,id\nC,1\nCC,"2\nCCC,3\nCCCC,4\n'))
    assert message.endswith("a.csv:3: not CSV (unexpected end of data); look for a quote that is not closed there")
    message = refused(write(tmp_path / "b.csv", 'smiles,id\nC,1\nCC,"2"x\nCCC,3\n'))
    assert "b.csv:3: not CSV (text between a closing quote and the next cell); look for a quote" in message
    for header in ('"smiles,id\nC,1\n', 'smiles,"id" x\nC,1\n', "\n" * 70_000 + '"smiles,id\nC,1\n'):
        where = header.count("\n\n") // 35_000 * 70_000 + 1
        assert f"c.csv:{where}: not CSV; look for a quote that is not closed there" in refused(
            write(tmp_path / "c.csv", header)
        )
    assert rows(write(tmp_path / "d.csv", 'smiles,id\nC,5" pipe\n')) == [(2, '5" pipe', "C")]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("suffix", [".csv", ".smi", ".sdf"])
def test_wide_characters_are_refused(tmp_path: Path, encoding: str, suffix: str) -> None:
    text = ("" if encoding in ("utf-16", "utf-32") else "\ufeff") + "smiles,id\nC,1\n"
    assert "is written in UTF-16 or UTF-32; convert it to UTF-8" in refused(
        write(tmp_path / f"a{suffix}", text.encode(encoding))
    )


def test_a_bom_is_one_only_at_the_start(tmp_path: Path) -> None:
    assert rows(write(tmp_path / "a.smi", "\ufeffC x\n\ufeffC y\n")) == [(1, "x", "C"), (2, "y", "\ufeffC")]
