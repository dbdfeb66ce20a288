"""SDF records: RDKit reads the molecules, and a record that it cannot read is a row all the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from rdkit import Chem

from drylab.library import streams
from drylab.library.rows import Columns, Rows
from drylab.library.sdf import REFUSED, UNFINISHED
from drylab.library.sources import blocks, open_source, read_rows
from tests.library.vendors import refused, rows, write


def record(smiles: str, title: str = "", tags: str = "", v3000: bool = False) -> str:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    return f"{title}{Chem.MolToMolBlock(mol, forceV3000=v3000)}{tags}$$$$\n"


def read(path: Path, columns: Columns | None = None) -> Rows:
    source = open_source(str(path), 0, columns or Columns())
    (block,) = blocks(source, 1 << 20)
    return read_rows(source, block)


@pytest.mark.parametrize("v3000", [False, True])
def test_stereo_charges_and_hydrogens(tmp_path: Path, v3000: bool) -> None:
    known = ["C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)[O-].[Na+]", "C/C=C\\C", "[2H]C", "c1cc[nH]c1", "F[C@]12CO[C@H](C1)C2"]
    text = "".join(record(smiles, f"m{i}", v3000=v3000) for i, smiles in enumerate(known))
    assert rows(write(tmp_path / "a.sdf", text)) == [(i + 1, f"m{i}", Chem.CanonSmiles(s)) for i, s in enumerate(known)]


TAGS = ">  <Catalog ID>  (1)\nZ-7\n\n> <smi>\nOCC\n\n> 25 <note>\ntwo\nlines\n\n> <value>\n5.5\n\n"


def test_tags_name_ids_smiles_and_more(tmp_path: Path) -> None:
    path = write(tmp_path / "a.sdf", record("C", "title", TAGS) + record("CC", " ", TAGS) + record("CCC"))
    assert rows(path) == [(1, "title", "C"), (2, "Z-7", "CC"), (3, "a:3", "CCC")]
    assert rows(path, Columns("smi", "Catalog ID")) == [(1, "Z-7", "OCC"), (2, "Z-7", "OCC"), (3, "a:3", "")]
    assert rows(path, Columns(id="note"))[0] == (1, "two\nlines", "C")
    assert read(path, Columns(more=("value",))).more["value"].to_pylist() == ["5.5", "5.5", None]
    for columns in (Columns("nope"), Columns(id="nope"), Columns(more=("nope",))):
        assert "the tags of the first records are Catalog ID, smi, note, value" in refused(path, columns)


@pytest.mark.parametrize("size", [1, 400, 1 << 20])
def test_records_that_cannot_be_read_are_rows(tmp_path: Path, size: int) -> None:
    good = record("CCO", "good")
    bad = good.replace("good", "bad").replace(" C  ", " Qq ")
    pentavalent = record("C[N+](C)(C)C", "five").replace("M  CHG  1   2   1\n", "")
    texts = [
        good,
        bad,
        pentavalent,
        "$$$$\n",
        good.replace("M  END\n", ""),
        good.replace("good", "g\0d"),
        good.replace("CCO", "\xe9"),
    ]
    path = write(tmp_path / "a.sdf", "".join(texts))
    found = rows(path, size=size)
    assert [row[0] for row in found] == list(range(1, 8))
    assert [row[1] for row in found] == ["good", "bad", "five", "a:4", "good", "g\\x00d", "good"]
    assert read(path).troubles == {1: REFUSED, 2: REFUSED, 3: UNFINISHED, 4: UNFINISHED, 5: REFUSED}
    assert [row[2] for row in found] == ["CCO", "", "", "", "", "", "CCO"]


def test_a_last_record_without_its_end(tmp_path: Path) -> None:
    whole = record("C", "one") + record("CCO", "two")
    assert rows(write(tmp_path / "a.sdf", whole.removesuffix("$$$$\n"))) == [(1, "one", "C"), (2, "two", "CCO")]
    assert rows(write(tmp_path / "a.sdf", whole.removesuffix("\n") + "\n\n \n")) == [(1, "one", "C"), (2, "two", "CCO")]
    path = write(tmp_path / "b.sdf", whole[: whole.rindex("M  END")])
    assert rows(path) == [(1, "one", "C"), (2, "two", "")]
    assert read(path).troubles == {1: UNFINISHED}
    path = write(tmp_path / "c.sdf", record("C", "one", TAGS) + record("C", "two", TAGS)[:-20])
    assert rows(path, Columns("smi")) == [(1, "one", "OCC"), (2, "two", "OCC")]


def test_a_record_without_an_end_is_not_read_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "LONGEST_RECORD", 1 << 20)
    path = write(tmp_path / "a.sdf", record("C") + "x\n" * 2_000_000)
    assert f"{path}:2: a row of more than 64 MB" in refused(path)
