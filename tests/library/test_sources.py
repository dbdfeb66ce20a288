"""Vendor files as they come: every row arrives once with its line, and a broken file is one line of text."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drylab.errors import InputError
from drylab.library.sources import CHUNK, Columns, chunks, expand


def rows(path: Path, columns: Columns | None = None) -> list[tuple[int, str, str]]:
    return [row for chunk in chunks(expand([str(path)]), columns or Columns()) for row in chunk.rows]


def refused(path: Path, columns: Columns | None = None) -> str:
    with pytest.raises(InputError, match=r".") as caught:
        rows(path, columns)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert len(message.splitlines()) == 1
    assert len(message) < 700
    return message


def write(path: Path, data: str | bytes) -> Path:
    raw = data if isinstance(data, bytes) else data.encode()
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return path


@pytest.mark.parametrize("name", ["a.smi", "a.smi.gz", "a.SMI"])
def test_smi(tmp_path: Path, name: str) -> None:
    text = "CCO\tid with blanks\r\nCC  two words\r\n\r\nC\nN \n"
    assert rows(write(tmp_path / name, text)) == [
        (1, "id with blanks", "CCO"),
        (2, "two words", "CC"),
        (4, "a:4", "C"),
        (5, "a:5", "N"),
    ]


@pytest.mark.parametrize(("name", "d"), [("a.csv", ","), ("a.tsv", "\t"), ("a.csv.gz", ",")])
def test_delimited_counts_lines_from_where_a_row_starts(tmp_path: Path, name: str, d: str) -> None:
    lines = ["ID_, Smiles,name", '1,CCO,"a ""b"" c"', '2,CC,"x', 'y"', "", "3,C", "4,N,", "5"]
    text = "\ufeff" + "\r\n".join(line.replace(",", d) for line in lines)
    expected = [(2, 'a "b" c', "CCO"), (3, "x\r\ny", "CC"), (6, "a:6", "C"), (7, "a:7", "N"), (8, "a:8", "")]
    assert rows(write(tmp_path / name, text)) == expected


def test_given_columns_win_over_the_usual_names(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "smiles,id,SMI,code\nC,1,CC,one\n")
    assert rows(path) == [(2, "1", "C")]
    assert rows(path, Columns("SMI", "code")) == [(2, "one", "CC")]


@pytest.mark.parametrize("columns", [Columns("nope"), Columns("smiles", "nope")])
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet"])
def test_a_column_that_is_not_there_lists_the_columns(tmp_path: Path, suffix: str, columns: Columns) -> None:
    path = tmp_path / f"a{suffix}"
    if suffix == ".parquet":
        pq.write_table(pa.table({"smiles": ["C"], "other": ["x"]}), path)
    else:
        path.write_text("smiles,other\nC,x\n".replace(",", "\t" if suffix == ".tsv" else ","))
    assert "no column 'nope'" in refused(path, columns)
    assert "smiles, other" in refused(path, columns)


def test_no_column_named_like_smiles(tmp_path: Path) -> None:
    assert "the columns are a, b c: say which" in refused(write(tmp_path / "a.csv", 'a,"b\nc"\nC,1\n'))
    refused(write(tmp_path / "long.csv", "x," * 100_000 + "\nC\n"))


def test_bytes_that_are_not_utf8_stay_visible(tmp_path: Path) -> None:
    assert rows(write(tmp_path / "a.smi", b"CCO caf\xe9\nC\xe9 x\nC\0 y\n")) == [
        (1, "caf\\xe9", "CCO"),
        (2, "x", "C\\xe9"),
        (3, "y", "C\0"),
    ]
    assert rows(write(tmp_path / "a.csv", b"smiles,id\nC,\0\xe9\n")) == [(2, "\0\\xe9", "C")]


def test_a_megabyte_in_one_line(tmp_path: Path) -> None:
    long = "C" * 1_000_000
    assert rows(write(tmp_path / "a.smi", f"C 1\n{long} 2\nCC 3\n")) == [(1, "1", "C"), (2, "2", long), (3, "3", "CC")]
    assert f"{tmp_path}/a.csv:3: not CSV (field larger" in refused(
        write(tmp_path / "a.csv", f"smiles\nC\n{long}\nCC\n")
    )


def test_a_quote_that_is_not_closed_eats_no_rows(tmp_path: Path) -> None:
    message = refused(write(tmp_path / "a.csv", 'smiles,id\nC,1\nCC,"2\nCCC,3\nCCCC,4\n'))
    assert f"{tmp_path}/a.csv:3: not CSV" in message


@pytest.mark.parametrize(("name", "text"), [("a.smi", ""), ("a.csv", ""), ("b.csv", "smiles,id\n"), ("a.tsv.gz", "")])
def test_a_file_without_rows_is_named(tmp_path: Path, name: str, text: str) -> None:
    assert "holds no rows" in refused(write(tmp_path / name, text))


def test_parquet_without_rows_is_named(tmp_path: Path) -> None:
    pq.write_table(pa.table({"smiles": pa.array([], pa.string())}), tmp_path / "a.parquet")
    assert "holds no rows" in refused(tmp_path / "a.parquet")


def damaged_gz(kind: str) -> bytes:
    noise = random.Random(0)
    whole = gzip.compress("".join(f"{'C' * noise.randint(1, 60)} {noise.random()}\n" for _ in range(20_000)).encode())
    half = len(whole) // 2
    return {
        "truncated": whole[:half],
        "flipped": whole[:half] + b"\xff" * 64 + whole[half + 64 :],
        "plain": b"CCO 1\n",
        "header only": whole[:5],
    }[kind]


@pytest.mark.parametrize("kind", ["truncated", "flipped", "plain", "header only"])
def test_a_damaged_gz_names_the_last_row_that_was_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.smi.gz"
    path.write_bytes(damaged_gz(kind))
    message = refused(path)
    assert "cannot be read past row" in message
    if kind == "truncated":
        last = int(message.split("past row ")[1].split()[0])
        assert last > CHUNK
        assert last % CHUNK


@pytest.mark.parametrize("text", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_parquet_types(tmp_path: Path, text: pa.DataType) -> None:
    table = pa.table(
        {"x": [1, 2, 3], "id": [7, None, 9], "smiles": pa.array(["C", None, " CC "], pa.string()).cast(text)}
    )
    pq.write_table(table, tmp_path / "a.parquet")
    assert rows(tmp_path / "a.parquet") == [(1, "7", "C"), (2, "a:2", ""), (3, "9", "CC")]


def test_parquet_columns_that_are_no_text(tmp_path: Path) -> None:
    pq.write_table(pa.table({"smiles": [["C"]]}), tmp_path / "list.parquet")
    assert "column 'smiles' is of type list" in refused(tmp_path / "list.parquet")
    pq.write_table(pa.table({"smiles": [b"\xff\xfe"]}), tmp_path / "bytes.parquet")
    assert "cannot be read past row 0" in refused(tmp_path / "bytes.parquet")


def test_parquet_that_is_none(tmp_path: Path) -> None:
    refused(write(tmp_path / "a.parquet", b"PAR1 no PAR1"))
    refused(write(tmp_path / "b.parquet", b""))
    pq.write_table(pa.table({"smiles": [f"{'C' * (i % 50 + 1)}{i}" for i in range(20_000)]}), tmp_path / "c.parquet")
    data = bytearray((tmp_path / "c.parquet").read_bytes())
    data[200:3000] = b"\xee" * 2800
    (tmp_path / "c.parquet").write_bytes(data)
    refused(tmp_path / "c.parquet")


def test_files_that_are_not_there(tmp_path: Path) -> None:
    folder = tmp_path / "folder.smi"
    folder.mkdir()
    for path, say in (
        (tmp_path / "a.smi", "no such file"),
        (tmp_path / "no suffix", "no such file"),
        (tmp_path, "is a folder"),
        (folder, "is a folder"),
        (tmp_path / "*.smi.gz", "no file matches"),
        (write(tmp_path / "a.xlsx", "x"), "no reader for this kind of file; readable are .smi, .csv"),
        (write(tmp_path / "a.parquet.gz", "x"), "no reader"),
    ):
        assert say in refused(path)
    with pytest.raises(InputError, match="no source files"):
        expand([])


def test_globs_are_sorted_and_brackets_in_a_name_are_a_name(tmp_path: Path) -> None:
    for name in ("b.smi", "a.smi", "sub.smi"):
        write(tmp_path / name, "C\n")
    odd = write(tmp_path / "x[1].smi", "CC\n")
    assert expand([str(tmp_path / "[ab].smi")]) == [str(tmp_path / "a.smi"), str(tmp_path / "b.smi")]
    assert expand([str(odd)]) == [str(odd)]


@given(lines=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n\ufeff"), max_size=8), min_size=1))
def test_every_line_of_a_smi_that_is_not_blank_is_a_row(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    path = write(tmp_path_factory.getbasetemp() / "every.smi", "".join(f"{line}\n" for line in lines))
    written = [(number, line.split()) for number, line in enumerate(lines, 1)]
    if not any(words for _, words in written):
        assert "holds no rows" in refused(path)
        return
    expected = [(number, words[0]) for number, words in written if words]
    assert [(number, smiles.split()[0]) for number, _, smiles in rows(path)] == expected


def test_more_columns_of_a_smi(tmp_path: Path) -> None:
    text = "CCO\tone two\t12.5\nCC |$a;b$| three\nC |x|\nN |not closed\nO four |five|\n"
    assert rows(write(tmp_path / "a.smi", text)) == [
        (1, "one two", "CCO"),
        (2, "three", "CC |$a;b$|"),
        (3, "a:3", "C |x|"),
        (4, "|not closed", "N"),
        (5, "four |five|", "O"),
    ]


def test_columns_cannot_be_named_in_a_smi(tmp_path: Path) -> None:
    for columns in (Columns("smiles"), Columns(id="name")):
        assert "a .smi file has no named columns" in refused(write(tmp_path / "a.smi", "C a\n"), columns)


@pytest.mark.parametrize("header", ["smiles", "SMILES zinc_id", "canonical_smiles\tid"])
def test_a_header_of_a_smi_is_no_row(tmp_path: Path, header: str) -> None:
    assert rows(write(tmp_path / "a.smi", f"{header}\nC one\nsmiles two\n")) == [(2, "one", "C"), (3, "two", "smiles")]


def test_one_column_may_be_both(tmp_path: Path) -> None:
    pq.write_table(pa.table({"s": ["C", "CC"]}), tmp_path / "a.parquet")
    write(tmp_path / "a.csv", "s\nC\nCC\n")
    for name in ("a.parquet", "a.csv"):
        assert [row[1:] for row in rows(tmp_path / name, Columns("s", "s"))] == [("C", "C"), ("CC", "CC")]


@given(count=st.integers(1, 3))
def test_chunks_hold_every_row_once(tmp_path_factory: pytest.TempPathFactory, count: int) -> None:
    path = write(tmp_path_factory.getbasetemp() / "many.smi", "C\n" * (CHUNK * count + count - 2))
    parts = [len(chunk.rows) for chunk in chunks([str(path)], Columns())]
    assert sum(parts) == CHUNK * count + count - 2
    assert max(parts) <= CHUNK
