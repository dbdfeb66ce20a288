"""Parquet as vendors write it: any kind of text column, and files that are damaged or none."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from drylab.errors import InputError
from drylab.library.rows import Columns
from drylab.library.sources import blocks, open_source, read_rows
from drylab.library.tables import BATCH_ROWS, MEMORY_ROWS, memory_blocks, memory_source
from tests.library.vendors import refused, rows, write

TEXTS = [
    pa.string(),
    pa.large_string(),
    pa.string_view(),
    pa.binary(),
    pa.large_binary(),
    pa.dictionary(pa.int32(), pa.string()),
    pa.dictionary(pa.int8(), pa.large_string()),
]


@pytest.mark.parametrize("text", TEXTS, ids=str)
@pytest.mark.parametrize("size", [1, 10, 1 << 20])
def test_text_is_text(tmp_path: Path, text: pa.DataType, size: int) -> None:
    smiles = pa.array(["C", None, " CC ", "", "\tN"], pa.string()).cast(text)
    pq.write_table(
        pa.table({"x": range(5), "id": [7, None, 9, 0, 1], "smiles": smiles}), tmp_path / "a.parquet", row_group_size=3
    )
    assert rows(tmp_path / "a.parquet", size=size) == [
        (1, "7", "C"),
        (2, "a:2", ""),
        (3, "9", "CC"),
        (4, "0", ""),
        (5, "1", "N"),
    ]


def test_columns_without_values(tmp_path: Path) -> None:
    pq.write_table(pa.table({"smiles": pa.nulls(3), "id": pa.nulls(3)}), tmp_path / "a.parquet")
    assert rows(tmp_path / "a.parquet") == [(1, "a:1", ""), (2, "a:2", ""), (3, "a:3", "")]


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    table = pa.table({"smiles": pa.array([b"\xff\xfe", b"C"]), "id": pa.array([b"\xe9\0", b"x" * 2000])})
    pq.write_table(table, tmp_path / "a.parquet")
    assert rows(tmp_path / "a.parquet") == [(1, "\\xe9\\x00", "\\xff\\xfe"), (2, "x" * 1000, "C")]


@pytest.mark.parametrize("columns", [Columns("nope"), Columns("smiles", "nope"), Columns(more=("nope",))])
def test_a_column_that_is_not_there_lists_the_columns(tmp_path: Path, columns: Columns) -> None:
    pq.write_table(pa.table({"smiles": ["C"], "other": ["x"]}), tmp_path / "a.parquet")
    assert "no column 'nope'" in refused(tmp_path / "a.parquet", columns)
    assert "smiles, other" in refused(tmp_path / "a.parquet", columns)


@pytest.mark.parametrize(
    ("name", "cell"), [("smiles", ["C"]), ("smiles", {"a": "C"}), ("smiles", 7), ("id", ["x"]), ("id", {"a": 1})]
)
def test_columns_of_another_type(tmp_path: Path, name: str, cell: object) -> None:
    table = {"smiles": ["C"], "id": ["x"], name: [cell]}
    pq.write_table(pa.table(table), tmp_path / "a.parquet")
    assert (
        f"column {name!r} is of type {str(pa.array([cell]).type).replace('item', 'element')}, expected text"
        in refused(tmp_path / "a.parquet")
    )


def test_columns_of_one_name(tmp_path: Path) -> None:
    pq.write_table(pa.table([["C"], ["CC"], ["x"]], ["smiles", "smiles", "id"]), tmp_path / "a.parquet")
    assert "2 columns are called 'smiles'; rename all but one" in refused(tmp_path / "a.parquet")


def test_names_with_dots_and_one_column_for_both(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a.b": ["C", "CC"], "a": [1, 2]}), tmp_path / "a.parquet")
    assert rows(tmp_path / "a.parquet", Columns("a.b", "a.b")) == [(1, "C", "C"), (2, "CC", "CC")]
    assert rows(tmp_path / "a.parquet", Columns("a.b", "a")) == [(1, "1", "C"), (2, "2", "CC")]


def test_more_columns(tmp_path: Path) -> None:
    pq.write_table(pa.table({"smiles": ["C", "CC", "N"], "v": [1.5, None, 2]}), tmp_path / "a.parquet")
    source = open_source(str(tmp_path / "a.parquet"), 0, Columns(more=("v",)))
    (block,) = blocks(source, 1 << 20)
    assert [float(v) if v else v for v in read_rows(source, block).more["v"].to_pylist()] == [1.5, None, 2.0]


def test_parquet_that_is_none(tmp_path: Path) -> None:
    for data in (b"PAR1 no PAR1", b"", b"smiles,id\nC,1\n"):
        assert "is damaged, or not Parquet" in refused(write(tmp_path / "a.parquet", data))
    pq.write_table(
        pa.table({"smiles": [f"{'C' * (i % 50 + 1)}{i}" for i in range(20_000)]}),
        tmp_path / "c.parquet",
        row_group_size=5000,
    )
    whole = (tmp_path / "c.parquet").read_bytes()
    (tmp_path / "c.parquet").write_bytes(whole[: len(whole) // 2])
    assert "is damaged, or not Parquet" in refused(tmp_path / "c.parquet")
    data = bytearray(whole)
    data[len(data) // 2 : len(data) // 2 + 3000] = b"\xee" * 3000
    (tmp_path / "c.parquet").write_bytes(data)
    assert "cannot be read past row 0" in refused(tmp_path / "c.parquet")
    with pytest.raises(InputError, match=r"cannot be read past row [1-9]") as caught:
        rows(tmp_path / "c.parquet", size=1 << 12)
    last = int(str(caught.value).split("past row ")[1].split()[0])
    assert 4900 < last < 15_000
    assert len(rows(tmp_path / "c.parquet", size=1 << 12, limit=last)) == last


def test_parquet_without_rows_is_named(tmp_path: Path) -> None:
    pq.write_table(pa.table({"smiles": pa.array([], pa.string())}), tmp_path / "a.parquet")
    assert "holds no rows" in refused(tmp_path / "a.parquet")


def test_blocks_are_bounded(tmp_path: Path) -> None:
    n = BATCH_ROWS + 10
    pq.write_table(pa.table({"smiles": ["C"] * n, "junk": ["x" * 50] * n}), tmp_path / "a.parquet")
    source = open_source(str(tmp_path / "a.parquet"), 0, Columns())
    found = list(blocks(source, 1 << 30))
    assert [(block.first, block.rows) for block in found] == [(1, BATCH_ROWS), (BATCH_ROWS + 1, 10)]
    assert found[0].data.column_names == ["smiles"]
    pairs = ((f"m{i}", "C\0é") for i in range(2 * MEMORY_ROWS + 1))
    memory = memory_source("made", 0)
    parts = list(memory_blocks(memory, pairs))
    assert [(part.number, part.first, part.rows) for part in parts] == [
        (0, 1, MEMORY_ROWS), (1, MEMORY_ROWS + 1, MEMORY_ROWS), (2, 2 * MEMORY_ROWS + 1, 1)
    ]  # fmt: skip
    assert read_rows(memory, parts[2]).ids.to_pylist() == [f"m{2 * MEMORY_ROWS}"]
