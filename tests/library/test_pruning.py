"""What is not read is counted as if it had been, and nothing is read that statistics could have spared."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drylab.errors import LibraryError
from drylab.library import layout
from drylab.library.pruning import READ, plan, rule_of
from drylab.library.reading import read_keys, scan
from drylab.library.store import Library, open_library
from tests.library.made_library import in_order, rows, write
from tests.library.test_store import refused, sample

VALUES = {
    "mw": st.floats(10, 14, width=16) | st.just(1e5),
    "clogp": st.sampled_from([-1.5, -0.0, 0.0, 5e-324, 2.0]),
    "charge": st.integers(-2, 2),
}
ENDS = st.sampled_from([-np.inf, -2, -1.5, -0.5, -0.0, 0, 0.5, 1, 2.0, 10, 11, 11.5, 12, 13.3, 14, 1e5, np.inf])
RANGES = st.lists(st.tuples(st.sampled_from([*VALUES]), ENDS, ENDS), max_size=3, unique_by=lambda r: r[0]).map(tuple)
ROWS = st.lists(st.fixed_dictionaries(VALUES), max_size=60)


def library_of(
    folder: Path, versions: list[list[dict[str, Any]]], group: int, file: int, mixed: bool = False
) -> Library:
    tables, start = [], 0
    for own in versions:
        numbers = range(start, start := start + len(own))
        values = {name: [row[name] for row in own] for name in VALUES}
        table = rows([f"i{i}" for i in numbers], [f"[{i + 1}CH4]" for i in numbers], values)
        tables.append(table if mixed else in_order(table))
    return open_library(write(folder, tables, group, file))


def verdict(row: dict[str, Any], ranges: tuple[Any, ...]) -> int:
    """The first range that takes a row out; the rows are what pruning is to agree with."""
    return next((i for i, (name, low, high) in enumerate(ranges) if not low <= row[name] <= high), READ)


def row_groups(library: Library, since: int = 0) -> list[list[dict[str, Any]]]:
    return [table.to_pylist() for shard in library.shards(since) for table in scan([shard])]


def must_read(group: list[dict[str, Any]], ranges: tuple[Any, ...]) -> bool:
    """Whether least and greatest values leave any doubt about a row group."""
    for name, low, high in ranges:
        least, greatest = min(row[name] for row in group), max(row[name] for row in group)
        if greatest < low or least > high:
            return False
        if not (low <= least and greatest <= high):
            return True
    return True


@settings(max_examples=150)
@given(
    data=st.data(),
    ranges=RANGES,
    since=st.integers(0, 1),
    group=st.integers(1, 8),
    files=st.integers(1, 4),
    most=st.integers(1, 4),
    mixed=st.booleans(),
)
def test_counts_are_those_of_reading_everything(
    tmp_path_factory: pytest.TempPathFactory,
    data: st.DataObject,
    ranges: tuple[Any, ...],
    since: int,
    group: int,
    files: int,
    most: int,
    mixed: bool,
) -> None:
    versions = [data.draw(ROWS.filter(bool)), data.draw(ROWS)]
    library = library_of(tmp_path_factory.getbasetemp() / "law", versions, group, group * files, mixed)
    there = row_groups(library, since)
    found = plan(library, ranges, since, most)
    counted = Counter(found.skipped)
    for table in scan(found.read):
        counted.update(verdict(row, ranges) for row in table.to_pylist())
    assert +counted == Counter(verdict(row, ranges) for group in there for row in group)
    wanted = sum(must_read(group, ranges) for group in there)
    account = {"all": len(there), "read": wanted, "skipped": len(there) - wanted, "keys_read": 0}
    assert found.account() == account
    assert all(shard.groups <= most for shard in found.read)
    assert sum(shard.rows for shard in found.read) + sum(found.skipped.values()) == library.rows_since(since)


@settings(max_examples=60)
@given(data=st.data(), ranges=RANGES, group=st.integers(1, 8))
def test_marked_molecules_are_found_in_what_is_not_read(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, ranges: tuple[Any, ...], group: int
) -> None:
    library = library_of(tmp_path_factory.getbasetemp() / "marks", [data.draw(ROWS.filter(bool))], group, 2 * group)
    everything = [row for own in row_groups(library) for row in own]
    marked = [row for row in everything if data.draw(st.booleans())]
    marks = {name: np.array([row[name] for row in marked]) for name in layout.SORTED_BY}
    found = plan(library, ranges, marks=marks)
    seen = {row["key"] for table in scan(found.read, ["key"]) for row in table.to_pylist()}
    for shard in found.look:
        seen |= {row["key"] for row in pa.table({"key": layout.binary_keys(next(read_keys(shard)))}).to_pylist()}
    assert seen >= {row["key"] for row in marked}
    near = [own for own in row_groups(library) if not must_read(own, ranges) and may_hold(own, marked)]
    assert found.account()["keys_read"] == len(near)
    assert sum(bool(shard.sha256) for shard in (*found.read, *found.look)) <= len(library.entries())


def may_hold(group: list[dict[str, Any]], marked: list[dict[str, Any]]) -> bool:
    ends = {name: (min(row[name] for row in group), max(row[name] for row in group)) for name in layout.SORTED_BY}
    return any(all(low <= row[name] <= high for name, (low, high) in ends.items()) for row in marked)


def test_a_mark_without_values_is_looked_for_everywhere(tmp_path: Path) -> None:
    library = open_library(write(tmp_path, [sample(50)]))
    marks = {"mw": np.array([np.nan]), "clogp": np.array([0.0])}
    assert plan(library, (("mw", 0, 1),), marks=marks).account() == {"all": 8, "read": 0, "skipped": 8, "keys_read": 8}


@pytest.mark.parametrize(
    ("bounds", "rule"),
    [
        ({"mw": (1, 2)}, READ),  # nothing is known of clogp
        ({"clogp": (9, 9)}, READ),  # nor of mw, which is counted first
        ({"mw": (3, 4)}, 0),
        ({"mw": (2, 3), "clogp": (9, 9)}, READ),  # some rows count under mw
        ({"mw": (0, 2), "clogp": (5.5, 6)}, 1),
        ({"mw": (0, 2), "clogp": (5, 6)}, READ),
        ({"mw": (0, 2), "clogp": (0, 5)}, READ),
    ],
)
def test_the_rule_of_a_row_group(bounds: Any, rule: int) -> None:
    assert rule_of(bounds, (("mw", 0, 2), ("clogp", 0, 5))) == rule


def test_files_are_opened_only_where_the_manifest_settles_nothing(tmp_path: Path) -> None:
    library = open_library(write(tmp_path, [sample(63)]))  # mw: 100 to 120, to 141, to 162
    for name in ("v1-00000", "v1-00002"):
        (tmp_path / f"shards/{name}.parquet").unlink()
    found = plan(library, (("mw", 125, 400),))
    assert found.account() == {"all": 9, "read": 6, "skipped": 3, "keys_read": 0}
    (tmp_path / "shards/v1-00001.parquet").write_bytes(b"PAR1")
    assert refused(lambda: plan(library, (("mw", 125, 400),))).startswith(
        f"{tmp_path}/shards/v1-00001.parquet: cannot be read ("
    )


def test_a_file_that_is_not_the_one_that_was_built(tmp_path: Path) -> None:
    library = open_library(write(tmp_path, [sample(21)]))
    pq.write_table(sample(21), tmp_path / "shards/v1-00000.parquet", row_group_size=8)
    with pytest.raises(LibraryError, match=r"v1-00000\.parquet: is not the file that was built \(its row groups"):
        plan(library, (("mw", 105, 400),))


@pytest.mark.parametrize("lacking", ["statistics", "nulls", "manifest", "column"])
def test_what_statistics_do_not_say_is_read(tmp_path: Path, lacking: str) -> None:
    """An int16 column and a float64 one; the manifest says what it says of every library, or nothing."""
    table = sample(21)
    library = open_library(write(tmp_path, [table]))
    entry = library.manifest["versions"][0]["shards"][0]
    ranges = (("charge", 50, 60),) if lacking == "column" else (("mw", 0, 90),)
    said = {"nulls": {"mw": [None, 120.0]}, "manifest": {"mw": ["a", "b"]}}.get(lacking, {"mw": [80.0, 200.0]})
    entry["ranges"].clear()
    entry["ranges"].update(said)
    if lacking == "nulls":
        values = [None if i == 8 else 100.0 + i for i in range(21)]
        table = table.set_column(table.schema.get_field_index("mw"), "mw", pa.array(values, pa.float64()))
    columns = table.drop_columns(["charge"]) if lacking == "column" else table
    pq.write_table(columns, tmp_path / entry["file"], row_group_size=7, write_statistics=lacking != "statistics")
    read = {"statistics": 3, "nulls": 1, "manifest": 0, "column": 3}[lacking]
    assert plan(library, ranges).account()["read"] == read
