"""Files of a library: the rows that went in, in groups of the size asked for, whole or not there, always the same bytes."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drylab.library import layout, writing
from tests.library import made_rows

GROUP = 7
METADATA = {"drylab.schema": layout.SCHEMA, "drylab.recipe": '{"name": "é"}'}


@pytest.fixture(autouse=True, scope="module")
def _small() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "GROUP_ROWS", GROUP)
        yield


def rows(n: int) -> pa.Table:
    return made_rows.table(made_rows.places([list(range(n))])).select(layout.ROWS.names)


def split(table: pa.Table, at: list[int]) -> list[pa.Table]:
    bounds = [0, *sorted(min(i, table.num_rows) for i in at), table.num_rows]
    return [table.slice(low, high - low) for low, high in pairwise(bounds)]


SPLITS = st.lists(st.integers(0, 40), max_size=6)


@given(n=st.integers(0, 40), at=SPLITS, size=st.integers(1, 12), most=st.none() | st.integers(1, 3000))
def test_regroup_keeps_the_rows(n, at, size, most) -> None:
    tables = list(writing.regroup(split(rows(n), at), size, most))
    assert pa.concat_tables([rows(0), *tables]).to_pylist() == rows(n).to_pylist()
    assert all(0 < table.num_rows <= size for table in tables)
    assert all(column.num_chunks == 1 for table in tables for column in table.columns)
    if most is None:
        assert all(table.num_rows == size for table in tables[:-1])


@given(n=st.integers(1, 40), at=SPLITS)
def test_a_shard_does_not_depend_on_how_rows_arrive(tmp_path_factory, n, at) -> None:
    folder = tmp_path_factory.getbasetemp() / "shards"
    folder.mkdir(exist_ok=True)
    entries = [writing.write_shard(str(folder / "v1-00000.parquet"), split(rows(n), cut), METADATA) for cut in ([], at)]
    assert entries[0] == entries[1]
    entry, path = entries[1], folder / "v1-00000.parquet"
    assert entry["file"] == "shards/v1-00000.parquet"
    assert entry["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert entry["bytes"] == path.stat().st_size
    assert entry["rows"] == sum(entry["groups"]) == n
    assert entry["groups"] == [min(GROUP, n - first) for first in range(0, n, GROUP)]
    with pq.ParquetFile(path) as file:
        assert file.schema_arrow.equals(layout.ROWS)
        assert {key.decode(): value.decode() for key, value in file.schema_arrow.metadata.items()} == METADATA
        assert file.read().to_pylist() == rows(n).to_pylist()
        groups = [file.metadata.row_group(i) for i in range(file.num_row_groups)]
        assert [group.num_rows for group in groups] == entry["groups"]
    for i, name in enumerate(layout.ROWS.names):
        values = rows(n).column(name).to_pylist()
        if name in layout.PROPERTIES:
            assert entry["ranges"][name] == [min(values), max(values)]
            for first, group in zip(range(0, n, GROUP), groups, strict=True):
                own, known = values[first : first + GROUP], group.column(i).statistics
                assert (known.min, known.max, known.null_count) == (min(own), max(own), 0)
        else:
            assert all(group.column(i).statistics is None for group in groups)
        assert all(group.column(i).compression == "ZSTD" for group in groups)


@pytest.mark.parametrize("n", [0, 1, 40])
def test_a_stream_of_tables(tmp_path: Path, n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "STREAM_ROWS", 16)
    path = tmp_path / "duplicates.parquet"
    entry = writing.write_table_stream(str(path), split(rows(n), [3, 20]), layout.ROWS, METADATA)
    assert entry == {"file": path.name, "rows": n, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    again = pa.concat_tables([rows(0), *writing.read_table_stream(str(path))])
    assert again.to_pylist() == rows(n).to_pylist()
    with pq.ParquetFile(path) as file:
        assert file.schema_arrow.equals(layout.ROWS)
        assert file.schema_arrow.metadata[b"drylab.schema"] == layout.SCHEMA.encode()
        assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [
            min(16, n - first) for first in range(0, n, 16)
        ]


WRITERS = {
    "shard": lambda path: writing.write_shard(str(path), [rows(20)], METADATA),
    "stream": lambda path: writing.write_table_stream(str(path), [rows(20)], layout.ROWS, METADATA),
}


@pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS)
def test_a_full_disk_says_so_and_leaves_nothing(tmp_path: Path, writer) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("needs /dev/full")
    path = tmp_path / "a.parquet"
    Path(f"{path}.{writing.PART}").symlink_to("/dev/full")
    with pytest.raises(OSError, match=r"No space left on device.*a\.parquet") as caught:
        writer(path)
    assert caught.value.errno == errno.ENOSPC
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS)
@pytest.mark.parametrize(
    ("place", "numbers"),
    [("no/folder/a", [errno.ENOENT]), ("file/a", [errno.ENOTDIR]), ("locked/a", [errno.EACCES, errno.EROFS])],
)
def test_a_folder_that_cannot_be_written(tmp_path: Path, writer, place: str, numbers: list[int]) -> None:
    (tmp_path / "file").touch()
    # The superuser may write into any folder of a disk, but not there.
    (tmp_path / "locked").symlink_to("/sys") if os.geteuid() == 0 else (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(OSError, match="|".join(map(os.strerror, numbers))) as caught:
        writer(tmp_path / place)
    assert caught.value.errno in numbers


def test_an_old_file_stays_when_the_new_one_fails(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    writing.write_shard(str(path), [rows(9)], METADATA)
    before = path.read_bytes()

    def broken() -> Iterator[pa.Table]:
        yield rows(9)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        writing.write_shard(str(path), broken(), METADATA)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_pages_carry_checksums(tmp_path: Path) -> None:
    """A reader that asks for it sees every changed byte of a page without reading the whole file."""
    entry = writing.write_shard(str(tmp_path / "a.parquet"), [rows(20)], METADATA)
    path = tmp_path / "a.parquet"
    data = bytearray(path.read_bytes())
    with pq.ParquetFile(path) as file:
        column = file.metadata.row_group(0).column(layout.ROWS.get_field_index("key"))
    data[column.data_page_offset + column.total_compressed_size - 1] ^= 1
    path.write_bytes(data)
    assert entry["bytes"] == len(data)
    with (
        pq.ParquetFile(path, page_checksum_verification=True) as file,
        pytest.raises(OSError, match="CRC checksum verification failed"),
    ):
        file.read(columns=["key"])
