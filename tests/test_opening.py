"""What a screen may be given as a library, what it says of what cannot be used, and that it never destroys what it reads."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from drylab.config import load_target
from drylab.errors import ConfigError, InputError, LibraryError, OutputError
from drylab.library.store import Library
from drylab.opening import locate
from drylab.screening import screen, screen_to
from drylab.types import Rejected

ROWS = "CCO one\nC1CC broken\nOCC again\n" + "".join(f"{'C' * i}N n{i}\n" for i in range(2, 40))


def target_file(folder: Path, library: str, more: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "t.yaml").write_text(f"name: x\ntarget: EGFR\nscreen:\n  library: {library!r}\n{more}")
    return folder / "t.yaml"


def refused(error: type[Exception], make: Any) -> str:
    with pytest.raises(error, match=r".") as caught:
        make()
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


@pytest.mark.parametrize("name", ["nothing.smi", "nothing", "no*.smi"])
def test_a_library_that_is_not_there_is_named_by_its_line(tmp_path: Path, name: str) -> None:
    file = target_file(tmp_path, name)
    message = refused(InputError, lambda: locate(load_target(file), None))
    assert message.startswith(f"{file}:4: {tmp_path}/{name}: no ")
    assert refused(InputError, lambda: locate(load_target(file), tmp_path / name)).startswith(f"{tmp_path}/{name}: no ")


def test_a_folder_that_is_no_library(tmp_path: Path) -> None:
    file = target_file(tmp_path, ".")
    message = refused(LibraryError, lambda: locate(load_target(file), None))
    assert message.startswith(f"{file}:4: ")
    assert "not a drylab library (no manifest.json)" in message


def test_a_pattern_is_the_files_not_its_folders(tmp_path: Path) -> None:
    folder = tmp_path / "[a] project*"
    file = target_file(folder, "v[12].smi")
    for name in ("v1.smi", "v2.smi", "v3.smi"):
        (folder / name).write_text("CCO a\n")
    assert locate(load_target(file), None) == [str(folder / "v1.smi"), str(folder / "v2.smi")]


def test_columns_of_a_library_that_is_built_are_refused(tmp_path: Path, library: Path) -> None:
    file = target_file(tmp_path, str(library), "  columns: {smiles: structure}\n")
    message = refused(ConfigError, lambda: locate(load_target(file), None))
    assert message.startswith(f"{file}:5: ")
    assert "whose columns are known; remove columns" in message
    assert isinstance(locate(load_target(target_file(tmp_path, str(library))), None), Library)


def test_rows_of_vendor_files_that_cannot_be_used_are_in_the_run(tmp_path: Path) -> None:
    vendor = tmp_path / "vendor.smi"
    vendor.write_text(ROWS)
    want = Rejected(str(vendor), 2, "broken", "C1CC", "standardise", "RDKit cannot parse it")
    hits, files = screen_to({"name": "x", "target": "EGFR"}, tmp_path / "run", vendor)
    assert hits.rejected == (want,)
    assert screen("EGFR", vendor).rejected == (want,)
    assert [Rejected(**row) for row in pq.read_table(files["rejected.parquet"]).to_pylist()] == [want]
    assert hits.run["library"]["build"]["duplicates"] == 1
    assert len(hits.run["library"]["sources"][0]["sha256"]) == 64


def test_a_list_of_which_most_cannot_be_used(tmp_path: Path) -> None:
    hits = screen("EGFR", ["C1CC", "CCO", "", "xx"])
    assert len(hits) == 1
    assert [(row.row, row.id) for row in hits.rejected] == [(1, "molecule 1"), (3, "molecule 3"), (4, "molecule 4")]


def test_ids_come_from_a_series_or_a_dict() -> None:
    smiles = ["CCO", "C1CC", "CCN"]
    series = pd.Series(smiles, index=["a", "b", "c"])
    for given in (series, dict(series), series.set_axis([10, 20, 30])):
        hits = screen("EGFR", given)
        ids = [str(name) for name in (given.index if isinstance(given, pd.Series) else given)]
        assert {hit["id"] for hit in hits} == {ids[0], ids[2]}
        assert [row.id for row in hits.rejected] == [ids[1]]
        assert "2 of 2 scored, 1 rejected" in repr(hits)


@pytest.mark.parametrize("kind", [list, tuple, np.array, pa.array, pa.chunked_array, iter])
def test_what_holds_smiles(kind: Any) -> None:
    given = kind([["CCO", "CCN"]] if kind is pa.chunked_array else ["CCO", "CCN"])
    assert {hit["id"] for hit in screen("EGFR", given)} == {"molecule 1", "molecule 2"}


def test_a_table_is_not_a_column() -> None:
    for table in (pd.DataFrame({"smiles": ["CCO"]}), pa.table({"smiles": ["CCO"]})):
        assert "a table was given, expected one column of SMILES" in refused(
            InputError, lambda t=table: screen("EGFR", t)
        )


def test_a_list_of_nothing_but_rubbish_says_so() -> None:
    message = refused(InputError, lambda: screen("EGFR", ["xx", "yy"]))
    assert message.startswith(
        "SMILES in memory:1: 2 of 2 rows are rejected (RDKit cannot parse it: 2); the first is this"
    )
    assert "--max-rejected" not in message


@pytest.mark.parametrize("odd", [None, float("nan"), 7, b"CCO"])
def test_a_list_with_what_is_no_text(odd: object) -> None:
    message = refused(InputError, lambda: screen("EGFR", ["CCO", odd]))  # type: ignore[list-item]
    assert message == f"molecule 2 is {odd!r}, expected a SMILES as text; drop or correct it"


@pytest.mark.parametrize("size", [0, -5, 1.5, 65_537, "many"])
def test_a_batch_size_that_is_none(library: Path, size: Any) -> None:
    assert "expected a whole number from 1 to 65536" in refused(
        ConfigError, lambda: screen("EGFR", library, batch_size=size)
    )


@pytest.mark.parametrize("read", ["library", "target file", "known"])
def test_force_does_not_replace_what_is_read(tmp_path: Path, read: str) -> None:
    """The run folder of an earlier screen holds its library: a chemist who screens it again must not lose it."""
    (tmp_path / "vendor.smi").write_text(ROWS)
    run = tmp_path / "run"
    screen_to({"name": "x", "target": "EGFR"}, run, tmp_path / "vendor.smi")
    (run / "known.smi").write_text("CCO a\n")
    known = f"known: {{exclude: {run / 'known.smi'}}}\n" if read == "known" else ""
    file = target_file(run if read == "target file" else tmp_path, str(tmp_path / "vendor.smi"), known)
    before = sorted(run.rglob("*"))
    library = run / "library" if read == "library" else None
    message = refused(OutputError, lambda: screen_to(file, run, library, force=True))
    assert "which is read, and would be replaced; choose another output folder" in message
    assert sorted(run.rglob("*")) == before
    elsewhere, _ = screen_to(file, tmp_path / "other", library)
    assert len(elsewhere) > 0


def test_the_record_names_the_files_by_their_sums(tmp_path: Path, library: Path) -> None:
    (tmp_path / "tested.smi").write_text("CCO a\n")
    file = target_file(tmp_path, str(library), "known: {exclude: tested.smi}\n")
    files = screen(file).run["files"]
    assert {key: entry["path"] for key, entry in files.items()} == {
        "target": str(file),
        "known.exclude": str(tmp_path / "tested.smi"),
    }
    assert all(len(entry["sha256"]) == 64 for entry in files.values())
