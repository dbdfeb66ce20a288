"""Rows come back as they went in, whatever the sizes; what is damaged is one line of text; no thread outlives its reader."""

from __future__ import annotations

import contextlib
import threading
import time
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
from drylab.library import layout, reading
from drylab.library.reading import read_keys, read_shard, scan
from drylab.library.store import Library, open_library
from drylab.types import Shard
from tests.library.made_library import write
from tests.library.test_store import refused, sample


def read_all(library: Library, groups: int = 1) -> None:
    for shard in library.shards(groups=groups):
        list(read_shard(shard, 100))


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return open_library(write(tmp_path / "lib", [sample(50)]))


@settings(max_examples=60)
@given(n=st.integers(1, 66), size=st.integers(1, 30), groups=st.integers(1, 4), group=st.integers(1, 9))
def test_rows_come_back_in_order(
    tmp_path_factory: pytest.TempPathFactory, n: int, size: int, groups: int, group: int
) -> None:
    table = sample(n)
    opened = open_library(write(tmp_path_factory.getbasetemp() / "law", [table], group, 3 * group))
    shards = opened.shards(groups=groups)
    batches = [batch for shard in shards for batch in read_shard(shard, size)]
    assert [text for batch in batches for text in batch.ids.to_pylist()] == table["id"].to_pylist()
    assert [text for batch in batches for text in batch.strings()] == table["smiles"].to_pylist()
    np.testing.assert_array_equal(np.concatenate([b.keys for b in batches]), layout.number_keys(table["key"]))
    assert max(map(len, batches)) <= size
    np.testing.assert_array_equal(
        np.concatenate([keys for shard in shards for keys in read_keys(shard)]), layout.number_keys(table["key"])
    )
    assert pa.concat_tables(scan(opened)).equals(table)
    assert pa.concat_tables(scan(shards, ["mw"], checked=False)).equals(table.select(["mw"]))


def test_a_scan_of_nothing() -> None:
    assert list(scan([])) == []


def test_a_batch_may_be_larger_than_a_row_group(library: Library) -> None:
    shard = library.shards(groups=3)[0]
    assert [len(batch) for batch in read_shard(shard, 14)] == [14, 7]
    assert [len(batch) for batch in read_shard(shard, 1000)] == [21]


def test_no_more_than_two_pieces_are_read_ahead(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "SCAN_GROUPS", 1)
    made: list[int] = []
    real = pq.ParquetFile.read_row_groups

    def counted(*args: Any, **more: Any) -> Any:
        made.append(1)
        return real(*args, **more)

    monkeypatch.setattr(pq.ParquetFile, "read_row_groups", counted)
    for taken, _ in enumerate(scan(library), 1):
        time.sleep(0.02)  # long enough that a reader without bounds would be done
        assert len(made) <= taken + reading.DEPTH + 1


def test_the_reading_thread_ends_with_its_reader(library: Library) -> None:
    before = threading.active_count()
    shard = replace(library.shards(groups=3)[0], sha256="")
    for tables in (read_shard(shard, 1), scan(library.shards()), scan([*library.shards(), replace(shard, path="no")])):
        next(tables)
        tables.close()  # type: ignore[attr-defined]
        assert threading.active_count() == before
    with pytest.raises(LibraryError, match="cannot be read"):
        list(scan([*library.shards(groups=9) * 3, replace(shard, path="no")]))
    assert threading.active_count() == before


def test_a_shard_that_is_not_what_the_manifest_says(library: Library) -> None:
    path = library.shards()[0].path
    assert "row group 0 holds 7 rows, the manifest says 6" in refused(lambda: list(read_shard(Shard(path, 0, 6, 0), 5)))
    wrong = Shard(path, 0, 6, 0, groups=3)
    assert "row group 0 to 2 holds 21 rows, the manifest says 6" in refused(lambda: list(read_shard(wrong, 5)))
    for shard in (Shard(path, 9, 6, 0), Shard(path, 1, 6, 0, groups=9)):
        assert "row group 9 cannot be read (the file has 3)" in refused(lambda shard=shard: list(read_shard(shard, 5)))
    pq.write_table(pa.table({"id": ["a"], "smiles": ["C"]}), path)
    expected = "expected id: string key: fixed_size_binary[16] smiles: string"
    assert expected in refused(lambda: list(read_shard(Shard(path, 0, 6, 0), 5)))
    assert "is not the file that was built" in refused(lambda: read_all(library))
    assert "is not the file that was built" in refused(lambda: list(scan(library)))
    Path(path).unlink()
    assert "v1-00000.parquet: row group 0 cannot be read" in refused(lambda: read_all(library))


@settings(max_examples=60)
@given(at=st.floats(0, 1, exclude_max=True), length=st.integers(1, 40), cut=st.booleans())
def test_a_damaged_shard_is_refused(
    tmp_path_factory: pytest.TempPathFactory, at: float, length: int, cut: bool
) -> None:
    folder = tmp_path_factory.getbasetemp() / "damage"
    opened = open_library(folder if folder.exists() else write(folder, [sample(20)]))
    path = folder / "shards/v1-00000.parquet"
    whole = path.read_bytes()
    start = int(at * len(whole))
    damaged = whole[:start] if cut else whole[:start] + b"\xa5" * length + whole[start + length :]
    path.write_bytes(damaged)
    try:
        if damaged != whole:
            assert "is not the file that was built" in refused(lambda: read_all(opened))
        for shard in opened.shards(groups=2):  # and without the sum: refused in one line, or read
            with contextlib.suppress(LibraryError):
                list(read_shard(replace(shard, sha256=""), 10))
    finally:
        path.write_bytes(whole)
