"""Keys that a library has are found in its shards, by reading no row group that cannot have them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drylab.errors import LibraryError
from drylab.library import layout, present, writing
from tests.library import made_rows

WORD = st.sampled_from([0, 1, 2, 1 << 63, (1 << 64) - 1])
KEYS = st.lists(st.tuples(WORD, WORD), max_size=20, unique=True)
ALL = (-np.inf, np.inf)


def shard(path: Path, molecules: range | list[int]) -> str:
    rows = made_rows.table(made_rows.places([molecules])).sort_by("order")
    writing.write_shard(str(path), [rows.select(layout.ROWS.names)], {})
    return str(path)


def keys(molecules: range | list[int]) -> np.ndarray:
    return layout.number_keys(made_rows.table(made_rows.places([molecules])).column("key"))


@given(here=KEYS, there=KEYS)
def test_positions_are_those_of_equal_keys(here, there) -> None:
    high, low = (np.array([key[i] for key in sorted(here)], np.uint64) for i in (0, 1))
    found = present._positions(high, low, np.array(there, np.uint64).reshape(-1, 2))
    assert sorted(found) == [i for i, key in enumerate(sorted(here)) if key in there]


def test_keys_of_several_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "GROUP_ROWS", 16)
    files = [shard(tmp_path / "a.parquet", range(100)), "file://" + shard(tmp_path / "b.parquet", range(150, 200))]
    found = present.present(keys(range(250)), files, ALL)
    assert found.tolist() == [i < 100 or 150 <= i < 200 for i in range(250)]
    assert not present.present(keys(range(250)), [], ALL).any()
    assert present.present(keys([]), files, ALL).shape == (0,)


def test_row_groups_of_other_weights_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "GROUP_ROWS", 10)
    path = shard(tmp_path / "a.parquet", range(120))  # 30 rows of each of four weights
    with pq.ParquetFile(path) as file:
        column = file.metadata.row_group(6).column(layout.ROWS.get_field_index("key"))
    data = bytearray(Path(path).read_bytes())
    data[column.data_page_offset : column.data_page_offset + column.total_compressed_size] = bytes(
        column.total_compressed_size
    )
    Path(path).write_bytes(data)
    assert present.present(keys(range(120)), [path], (0, 299.99)).sum() == 30
    assert present.present(keys(range(120)), [path], (301, 1e6)).sum() == 30
    with pytest.raises(LibraryError, match=r"a\.parquet: cannot be read \(.*\); check it with") as caught:
        present.present(keys(range(120)), [path], (300, 300.99))
    assert len(str(caught.value).splitlines()) == 1


def test_a_shard_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match=r"gone\.parquet: cannot be read"):
        present.present(keys([1]), [str(tmp_path / "gone.parquet")], ALL)
