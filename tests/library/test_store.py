"""A library on disk: rows come back as they went in, whatever the sizes, and damage is one line of text."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drylab.errors import LibraryError
from drylab.library import store
from drylab.library.standardize import keys
from drylab.library.store import Library, Writer, open_library, read_shard
from drylab.types import Rejected, Shard

GROUP, FILE = 7, 20  # a file is closed at the first group that reaches FILE: 21 rows


@pytest.fixture(autouse=True, scope="module")
def _small() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "GROUP_ROWS", GROUP)
        patch.setattr(store, "FILE_ROWS", FILE)
        yield


def sample(n: int) -> tuple[list[str], list[str]]:
    return [f"Ж {i} 🧪"[: 3 + i % 4] for i in range(n)], ["C" * (i % 9 + 1) + f"[{i + 1}CH4]" for i in range(n)]


def write(folder: Path, n: int, step: int = 5) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    writer = Writer(folder, {"name": "standard", "version": "1", "rdkit": "x"})
    ids, smiles = sample(n)
    for i in range(0, n, step):
        writer.add(ids[i : i + step], keys(smiles[i : i + step]), smiles[i : i + step])
    writer.close([])
    return folder


def refused(action: Any) -> str:
    with pytest.raises(LibraryError, match=r".") as caught:
        action()
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def read_all(library: Library) -> None:
    for shard in library.shards():
        list(read_shard(shard, 100))


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 3 * FILE + 3), step=st.integers(1, 30), size=st.integers(1, 10))
def test_rows_come_back_in_order(tmp_path_factory: pytest.TempPathFactory, n: int, step: int, size: int) -> None:
    library = open_library(write(tmp_path_factory.getbasetemp() / "law", n, step))
    shards = library.shards()
    batches = [batch for shard in shards for batch in read_shard(shard, size)]
    ids, smiles = sample(n)
    assert [text for batch in batches for text in batch.ids.to_pylist()] == ids
    assert [text for batch in batches for text in batch.strings()] == smiles
    np.testing.assert_array_equal(np.concatenate([batch.keys for batch in batches]), keys(smiles))
    assert max(map(len, batches)) <= size
    assert [shard.first for shard in shards] == list(range(0, n, GROUP))
    assert [shard.rows for shard in shards] == [min(GROUP, n - first) for first in range(0, n, GROUP)]
    assert library.rows == n
    assert len(library.manifest["shards"]) == -(-n // 21)


def test_manifest_names_the_bytes(tmp_path: Path) -> None:
    library = open_library(write(tmp_path / "a", 50))
    for entry in library.manifest["shards"]:
        assert entry["sha256"] == hashlib.sha256((tmp_path / "a" / entry["file"]).read_bytes()).hexdigest()
        assert entry["rows"] == sum(entry["groups"])
    assert library.sha256 == hashlib.sha256((tmp_path / "a/manifest.json").read_bytes()).hexdigest()
    metadata = pq.read_schema(tmp_path / "a/shards/part-00000.parquet").metadata
    assert json.loads(metadata[b"drylab.recipe"])["name"] == "standard"


def test_duplicates_and_rejected(tmp_path: Path) -> None:
    writer = Writer(tmp_path, {"name": "none", "version": "1"})
    writer.add_duplicates("f.smi", [3], ["é"], keys(["C"]))
    writer.add_rejected([Rejected("f.smi", 4, "i", "x\ny", "standardise", "why")])
    writer.close([])
    assert pq.read_table(tmp_path / "duplicates.parquet").to_pylist() == [
        {"id": "é", "key": hashlib.blake2b(b"C", digest_size=16).digest(), "source": "f.smi", "row": 3}
    ]
    assert pq.read_table(tmp_path / "rejected.parquet").to_pylist() == [
        {"source": "f.smi", "row": 4, "id": "i", "text": "x\ny", "stage": "standardise", "reason": "why"}
    ]
    assert "is empty" in refused(lambda: open_library(tmp_path))


@pytest.mark.parametrize(
    ("text", "say"),
    [
        (b"", "not JSON"),
        (b'{"schema":', "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[1]", "schema is None"),
        (b'{"schema": "drylab.library/0"}', "schema is 'drylab.library/0', expected 'drylab.library/1'"),
        (b'{"schema": "drylab.library/1"}', "not whole"),
        (b'{"schema": "drylab.library/1", "rows": 3, "shards": [3], "recipe": {}, "sources": []}', "not whole"),
        (b'{"schema": "drylab.library/1", "rows": 3, "shards": [], "recipe": {}, "sources": []}', "not whole"),
    ],
)
def test_a_bad_manifest(tmp_path: Path, text: bytes, say: str) -> None:
    (tmp_path / "manifest.json").write_bytes(text)
    message = refused(lambda: open_library(tmp_path))
    assert message.startswith(f"{tmp_path}/manifest.json: {say}")


def test_not_a_library(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothing", Path(__file__)):
        assert "not a drylab library" in refused(lambda path=path: open_library(path))


def test_a_missing_shard_file(tmp_path: Path) -> None:
    library = open_library(write(tmp_path / "a", 50))
    (tmp_path / "a/shards/part-00001.parquet").unlink()
    assert "1 shard files are missing, the first is shards/part-00001.parquet" in refused(
        lambda: open_library(tmp_path / "a")
    )
    assert "part-00001.parquet: row group 0 cannot be read" in refused(lambda: read_all(library))


def test_a_shard_that_is_not_what_the_manifest_says(tmp_path: Path) -> None:
    library = open_library(write(tmp_path / "a", 50))
    path = str(tmp_path / "a/shards/part-00000.parquet")
    assert "holds 7 rows, the manifest says 6" in refused(lambda: list(read_shard(Shard(path, 0, 6, 0), 5)))
    assert "row group 9 cannot be read" in refused(lambda: list(read_shard(Shard(path, 9, 6, 0), 5)))
    pq.write_table(pa.table({"id": ["a"], "smiles": ["C"]}), path)
    expected = "expected id: string key: fixed_size_binary[16] smiles: string"
    assert expected in refused(lambda: list(read_shard(Shard(path, 0, 6, 0), 5)))
    assert "is not the file that was built" in refused(lambda: read_all(library))


@settings(max_examples=60, deadline=None)
@given(at=st.floats(0, 1, exclude_max=True), length=st.integers(1, 40), cut=st.booleans())
def test_a_damaged_shard_is_refused(
    tmp_path_factory: pytest.TempPathFactory, at: float, length: int, cut: bool
) -> None:
    folder = tmp_path_factory.getbasetemp() / "damage"
    library = open_library(folder if folder.exists() else write(folder, 20))
    path = folder / "shards/part-00000.parquet"
    whole = path.read_bytes()
    start = int(at * len(whole))
    damaged = whole[:start] if cut else whole[:start] + b"\xa5" * length + whole[start + length :]
    path.write_bytes(damaged)
    try:
        if damaged != whole:
            assert "is not the file that was built" in refused(lambda: read_all(library))
        for shard in library.shards():  # and without the sum: refused in one line, or read
            with contextlib.suppress(LibraryError):
                list(read_shard(replace(shard, sha256=""), 10))
    finally:
        path.write_bytes(whole)
