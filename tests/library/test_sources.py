"""Vendor files as they come: every row arrives once with its number, however the file is packed and cut."""

from __future__ import annotations

import csv
import gzip
import hashlib
import os
import random
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdkit import Chem

from drylab.errors import InputError
from drylab.library import places
from drylab.library.rows import Columns
from drylab.library.sources import (
    COMPRESSIONS,
    FORMATS,
    blocks,
    expand,
    memory_blocks,
    memory_source,
    open_source,
    read_rows,
)
from tests.library.vendors import PACKERS, Row, refused, rows, write

MOLECULES = [("one", "CCO"), ("two", "c1ccccc1"), ("", "CN"), ("vier", "CC(=O)O"), ("caf\u00e9", "CO")]


def sdf_of(molecules: list[tuple[str, str]]) -> str:
    return "".join(f"{name}{Chem.MolToMolBlock(Chem.MolFromSmiles(smiles))}$$$$\n" for name, smiles in molecules)


def tabular(delimiter: str) -> str:
    return "\n".join(delimiter.join(cells) for cells in (("Smiles", "ID"), *((s, i) for i, s in MOLECULES))) + "\n"


TEXTS = {
    ".smi": "".join(f"{smiles}\t{name}\n" for name, smiles in MOLECULES),
    ".cxsmiles": tabular("\t"),
    ".csv": tabular(","),
    ".tsv": tabular("\t"),
    ".txt": tabular("\t"),
    ".sdf": sdf_of(MOLECULES),
}


def test_every_format_is_tested() -> None:
    assert {*TEXTS, ".parquet"} == set(FORMATS)
    assert {"", *COMPRESSIONS} == set(PACKERS)


@pytest.mark.parametrize("packed", PACKERS)
@pytest.mark.parametrize("suffix", TEXTS)
@pytest.mark.parametrize("size", [1, 30, 1 << 20])
def test_formats_and_compressions_give_the_same_rows(tmp_path: Path, suffix: str, packed: str, size: int) -> None:
    header = suffix not in (".smi", ".sdf")
    expected = [(i + header, name or f"a:{i + header}", smiles) for i, (name, smiles) in enumerate(MOLECULES, 1)]
    for newline in ("\n", "\r\n"):
        path = write(
            tmp_path / f"a{suffix.upper()}{packed}", "\ufeff" * (size > 1) + TEXTS[suffix].replace("\n", newline)
        )
        assert rows(path, size=size) == expected
        assert rows(path, size=size, limit=3) == expected[:3]
        assert rows(path, size=size, limit=0) == []


def test_parquet_and_memory_give_the_same_rows(tmp_path: Path) -> None:
    expected = [(i, name or f"a:{i}", smiles) for i, (name, smiles) in enumerate(MOLECULES, 1)]
    table = pa.table({"ID": [name for name, _ in MOLECULES], "Smiles": [smiles for _, smiles in MOLECULES]})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=2)
    for size in (1, 20, 1 << 20):
        assert rows(tmp_path / "a.parquet", size=size) == expected
        assert rows(tmp_path / "a.parquet", size=size, limit=3) == expected[:3]
    source = memory_source("a", 3)
    block, *others = memory_blocks(source, MOLECULES)
    read = read_rows(source, block)
    assert not others
    assert (block.source, block.first, block.rows) == (3, 1, 5)
    assert [
        (i, name, s.decode())
        for i, name, s in zip(read.numbers, read.ids.to_pylist(), read.smiles().to_pylist(), strict=True)
    ] == expected
    assert list(memory_blocks(source, [])) == []


CELLS = st.text(st.sampled_from('"CN1 ,;\t\n\r\0|é'), max_size=6)


def written(table: list[list[str]], quoting: bool, newline: str) -> str:
    lines = []
    for cells in table:
        lines.append(
            ",".join(
                '"' + cell.replace('"', '""') + '"' if quoting or set(cell) & set('",\n\r') else cell for cell in cells
            )
        )
    return newline.join(lines) + newline


@given(
    table=st.lists(st.lists(CELLS, min_size=1, max_size=3), min_size=1, max_size=6),
    quoting=st.booleans(),
    newline=st.sampled_from(["\n", "\r\n", "\r", "\n\n"]),
    size=st.integers(1, 40),
)
def test_blocks_of_any_size_hold_the_same_rows(
    tmp_path_factory: pytest.TempPathFactory, table: list[list[str]], quoting: bool, newline: str, size: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "law.csv"
    write(path, written([["id", "smiles"], *table], quoting, newline))
    whole = attempt(path, 1 << 20)
    assert attempt(path, size) == whole
    with path.open(newline="", encoding="utf-8") as file:
        wanted = [cells for cells in csv.reader(file, strict=True) if cells][1:]
    smiles = [cells[1].encode().strip().decode() if len(cells) > 1 else "" for cells in wanted]
    assert [row[2] for row in whole] == smiles


def attempt(path: Path, size: int) -> list[Row]:
    try:
        return rows(path, size=size)
    except InputError as error:
        if "holds no rows" not in str(error):
            raise
        return []


@given(
    lines=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n\ufeff"), max_size=8), min_size=1),
    size=st.integers(1, 40),
)
def test_every_line_of_a_smi_that_is_not_blank_is_a_row(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], size: int
) -> None:
    path = write(tmp_path_factory.getbasetemp() / "every.smi", "".join(f"{line}\n" for line in lines))
    kept = [(number, line.encode().split()) for number, line in enumerate(lines, 1)]
    expected = [(number, words[0].decode()) for number, words in kept if words]
    assert [(number, smiles.split(" ")[0]) for number, _, smiles in attempt(path, size)] == expected


@pytest.mark.parametrize("suffix", [*TEXTS, ".parquet"])
def test_the_bytes_of_a_file_are_seen_once_and_in_order(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    if suffix == ".parquet":
        pq.write_table(pa.table({"smiles": ["C", "CC"] * 500}), path)
    else:
        path = write(tmp_path / f"a{suffix}.gz", TEXTS[suffix])
    for size in (50, 1 << 20):
        digest = hashlib.sha256()
        source = open_source(str(path), 0, Columns())
        last = list(blocks(source, size, seen=digest.update))[-1]
        assert last.consumed == source.size == path.stat().st_size
        assert digest.digest() == hashlib.sha256(path.read_bytes()).digest()


@pytest.mark.parametrize("packed", [".gz", ".bz2", ".zst"])
def test_members_one_behind_the_other_are_one_file(tmp_path: Path, packed: str) -> None:
    pack = PACKERS[packed]
    path = tmp_path / f"a.smi{packed}"
    empty = b"" if packed == ".bz2" else pack(b"")  # pyarrow calls a .bz2 with an empty member damaged
    path.write_bytes(pack(b"C one\nC") + pack(b"C two\n") + empty + pack(b"CCC three"))
    assert rows(path) == [(1, "one", "C"), (2, "two", "CC"), (3, "three", "CCC")]


def noise() -> bytes:
    dice = random.Random(0)
    return "".join(f"{'C' * dice.randint(1, 60)} {dice.random()}\n" for _ in range(40_000)).encode()


def damages() -> Iterator[tuple[str, str, bytes]]:
    for packed in (".gz", ".bz2", ".zst"):
        whole = PACKERS[packed](noise())
        half = len(whole) // 2
        yield packed, "cut in the middle", whole[:half]
        yield packed, "cut at the end", whole[:-1]
        yield packed, "changed", whole[:half] + b"\xff" * 64 + whole[half + 64 :]
        yield packed, "header only", whole[:5]
        yield packed, "not packed", b"CCO 1\n"
        yield packed, "something behind", whole + b"more"


@pytest.mark.parametrize(("packed", "kind", "data"), [pytest.param(*case, id="-".join(case[:2])) for case in damages()])
def test_a_damaged_file_names_the_last_row_that_was_read(tmp_path: Path, packed: str, kind: str, data: bytes) -> None:
    path = tmp_path / f"a.smi{packed}"
    path.write_bytes(data)
    last = int(refused(path).split("cannot be read past row ")[1].split()[0])
    if kind == "something behind":
        assert last > 39_000
    elif kind in ("header only", "not packed") or (packed == ".bz2" and kind != "cut at the end"):
        assert last == 0
    elif kind == "cut in the middle":
        assert 10_000 < last < 30_000
    if last and kind != "changed":  # what a limit asks for in front of the damage is read
        assert [row[0] for row in rows(path, size=1 << 12, limit=last)] == list(range(1, last + 1))


def test_what_no_reader_is_for(tmp_path: Path) -> None:
    folder = tmp_path / "folder.smi"
    folder.mkdir()
    os.mkfifo(tmp_path / "pipe.smi")
    for path, say in (
        (tmp_path / "pipe.smi", "is a pipe or a device, which cannot be read twice; write it to a file first"),
        (tmp_path / "a.smi", "no such file"),
        (tmp_path / "no suffix", "no such file"),
        (tmp_path, "is a folder"),
        (folder, "is a folder"),
        (tmp_path / "*.smi.gz", "no file matches"),
        (write(tmp_path / "a.xlsx", "x"), "no reader for this kind of file; readable are .smi, .cxsmiles, .csv"),
        (write(tmp_path / "a.parquet.gz", "x"), "no reader"),
        (write(tmp_path / "a.gz", "x"), "no reader"),
    ):
        assert say in refused(path)
    with pytest.raises(InputError, match="no source files"):
        expand([])


@pytest.mark.parametrize("suffix", [".smi", ".csv", ".tsv", ".cxsmiles", ".sdf"])
@pytest.mark.parametrize("packed", [".gz", ".bz2", ".zst", ".zip", ".parquet"])
def test_a_file_whose_name_does_not_say_what_it_is(tmp_path: Path, suffix: str, packed: str) -> None:
    path = tmp_path / f"a{suffix}"
    if packed == ".parquet":
        pq.write_table(pa.table({"smiles": ["C"]}), path)
    elif packed == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.csv", "smiles\nC\n")
    else:
        with pa.CompressedOutputStream(str(path), COMPRESSIONS[packed]) as stream:
            stream.write(b"smiles\nC\n")
    assert f"starts as a {packed}" in refused(path)
    if packed in COMPRESSIONS:
        twice = tmp_path / f"b{suffix}{packed}"
        with pa.CompressedOutputStream(str(twice), COMPRESSIONS[packed]) as stream:
            stream.write(path.read_bytes())
        assert f"starts as a {packed}" in refused(twice)
        plain = tmp_path / f"c{suffix}{packed}"
        plain.write_bytes(b"smiles\nC\n")
        assert "or not what its suffix says" in refused(plain)


def test_globs_are_sorted_and_brackets_in_a_name_are_a_name(tmp_path: Path) -> None:
    for name in ("b.smi", "a.smi", "sub.smi"):
        write(tmp_path / name, "C\n")
    odd = write(tmp_path / "x[1].smi", "CC\n")
    assert expand([str(tmp_path / "[ab].smi")]) == [str(tmp_path / "a.smi"), str(tmp_path / "b.smi")]
    assert expand([str(odd)]) == [str(odd)]


def test_addresses_are_read_as_files_are(tmp_path: Path) -> None:
    deep = tmp_path / "deep" / "er"
    deep.mkdir(parents=True)
    for place in (tmp_path / "b.smi.gz", tmp_path / "a.smi.gz", deep / "c.smi.gz"):
        write(place, "C one\n")
    root = f"file://{tmp_path}"
    assert expand([f"{root}/*.smi.gz"]) == [f"{root}/a.smi.gz", f"{root}/b.smi.gz"]
    assert expand([f"{root}/**/[bc].smi.gz"]) == [f"{root}/b.smi.gz", f"{root}/deep/er/c.smi.gz"]
    assert expand([f"{root}/a.smi.gz"]) == [f"{root}/a.smi.gz"]
    assert rows(f"{root}/a.smi.gz") == [(1, "one", "C")]
    assert rows(f"{root}/deep/*/c.smi.gz") == [(1, "one", "C")]
    assert "no file matches" in refused(f"{root}/x*.smi")
    assert "no such file" in refused(f"{root}/x.smi")
    assert "is a folder" in refused(f"{root}/deep")
    with pytest.raises(InputError, match="nowhere://bucket: no such store"):
        rows("nowhere://bucket/a.smi")


def put(address: str, data: bytes) -> None:
    system, path = places._resolve(address)
    with system.open_output_stream(path, compression=None) as stream:  # which else packs what is called .gz
        stream.write(data)


def test_a_store_of_objects(store: str, tmp_path: Path) -> None:
    molecules = "".join(f"{'C' * (i % 30 + 1)} m{i}\n" for i in range(3000))
    table = pa.table({"smiles": ["C", "CC"], "id": ["x", "y"]})
    pq.write_table(table, tmp_path / "c.parquet")
    whole = rows(write(tmp_path / "a.smi.gz", molecules))
    for name in ("a.smi.gz", "c.parquet"):
        put(f"s3://lab/vendor/{name}?{store}", (tmp_path / name).read_bytes())
    put(f"s3://lab/vendor/cut.smi.gz?{store}", (tmp_path / "a.smi.gz").read_bytes()[:-9])
    assert rows(f"s3://lab/vendor/a.smi.gz?{store}", size=5000) == whole
    assert rows(f"s3://lab/vendor/c.parquet?{store}") == [(1, "x", "C"), (2, "y", "CC")]
    found = expand([f"s3://lab/vendor/[ac]*?{store}"])
    assert [places.shown(place).partition("?")[0].rpartition("/")[2] for place in found] == [
        "a.smi.gz",
        "c.parquet",
        "cut.smi.gz",
    ]
    assert rows(found[0]) == whole
    for place, say in (
        ("cut.smi.gz", "cannot be read past row"),
        ("none.smi", "no such file"),
        ("x*.smi", "no file matches"),
    ):
        with pytest.raises(InputError, match=say) as caught:
            rows(f"s3://lab/vendor/{place}?{store}")
        assert "s%2F" not in str(caught.value)
        assert "s/+" not in str(caught.value)


def test_a_file_without_rows_is_named(tmp_path: Path) -> None:
    for name, text in (
        ("a.smi", ""), ("b.smi", "\n \n\t\r\n"), ("a.csv", ""), ("b.csv", "smiles,id\n"), ("c.csv", "\r\n\n"),
        ("a.tsv.gz", ""), ("a.cxsmiles", "smiles\tid\n\n"), ("a.sdf", ""), ("b.sdf", "\ufeff\n \n"),
    ):  # fmt: skip
        assert "holds no rows" in refused(write(tmp_path / name, text))
    (tmp_path / "empty.smi.gz").write_bytes(b"")
    assert "holds no rows" in refused(tmp_path / "empty.smi.gz")


@pytest.mark.parametrize("name", ["zinc_b.smi.gz", "pubchem_100k.csv.gz", "drugs.smi.gz", "chembl_10k.smi.gz"])
def test_every_row_of_a_real_file(shared_data: Path, name: str) -> None:
    path = shared_data / "libraries" / name
    with gzip.open(path, "rt", encoding="utf-8") as file:
        wanted = [(i, words[0]) for i, line in enumerate(file, 1) if (words := line.split())]
    assert [(number, smiles) for number, _, smiles in rows(path)] == wanted


@pytest.mark.slow
def test_every_row_of_all_real_files(shared_data: Path) -> None:
    for path in sorted((shared_data / "libraries").iterdir()):
        if path.suffix == ".parquet":
            wanted = pq.read_metadata(path).num_rows
        else:
            with gzip.open(path, "rb") as file:
                wanted = sum(1 for line in file if line.strip()) - (path.name == "quinazoline_1M.csv.gz")
        source = open_source(str(path), 0, Columns())
        assert sum(len(read_rows(source, block)) for block in blocks(source, 1 << 22)) == wanted
