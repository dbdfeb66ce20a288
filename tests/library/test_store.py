"""A library on disk: its manifest says what is there, version by version, and damage is one line of text."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drylab.errors import LibraryError
from drylab.library.store import (
    Library,
    file_sha256,
    is_library,
    open_library,
    read_rejected,
    shards_of,
    write_manifest,
)
from drylab.types import Rejected
from tests.library.made_library import rows, write

REFUSED = [Rejected("f.smi", i, f"i{i}", "x\ny", "standardise", "why") for i in range(5)]


def sample(n: int, start: int = 0) -> Any:
    numbers = range(start, start + n)
    return rows([f"Ж {i} 🧪"[: 3 + i % 4] for i in numbers], ["C" * (i % 9 + 1) + f"[{i + 1}CH4]" for i in numbers])


def refused(action: Any) -> str:
    with pytest.raises(LibraryError, match=r".") as caught:
        action()
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


@pytest.fixture
def three(tmp_path: Path) -> Library:
    """A library of 50 + 10 + 0 rows: the last version brought nothing new."""
    return open_library(write(tmp_path / "three", [sample(50), sample(10, 50), sample(0)], rejected=REFUSED))


def test_what_a_library_says_of_itself(three: Library) -> None:
    assert (three.rows, three.version, three.recipe["name"]) == (60, 3, "standard")
    assert [(entry["path"], entry["version"]) for entry in three.sources()] == [
        ("1.smi", 1),
        ("2.smi", 2),
        ("3.smi", 3),
    ]
    assert three.sha256 == hashlib.sha256((Path(three.path) / "manifest.json").read_bytes()).hexdigest()
    for entry in three.entries():
        assert entry["sha256"] == file_sha256(entry["path"])
        assert entry["rows"] == sum(entry["groups"])
    assert [(entry["version"], entry["first"]) for entry in three.entries()] == [(1, 0), (1, 21), (1, 42), (2, 50)]
    assert list(three.mw_ranges().values()) == [(100.0, 120.0), (121.0, 141.0), (142.0, 149.0), (100.0, 109.0)]


def test_shards_name_every_row_once(three: Library) -> None:
    shards = three.shards()
    assert [shard.rows for shard in shards] == [7, 7, 7, 7, 7, 7, 7, 1, 7, 3]
    assert [shard.first for shard in shards] == [0, 7, 14, 21, 28, 35, 42, 49, 50, 57]
    assert [bool(shard.sha256) for shard in shards] == [
        True,
        False,
        False,
        True,
        False,
        False,
        True,
        False,
        True,
        False,
    ]
    assert [(shard.group, shard.groups, shard.rows) for shard in three.shards(groups=2)] == [
        (0, 2, 14), (2, 1, 7), (0, 2, 14), (2, 1, 7), (0, 2, 8), (0, 2, 10)
    ]  # fmt: skip
    assert [shard.first for shard in three.shards(since=1, groups=9)] == [50]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.sets(st.integers(0, 11)), st.integers(1, 5))
def test_shards_of_any_row_groups(sizes: list[int], chosen: set[int], most: int) -> None:
    wanted = sorted(group for group in chosen if group < len(sizes))
    entry = {"path": "p", "groups": sizes, "first": 1000, "sha256": "s"}
    shards = list(shards_of(entry, wanted, most))
    assert [group for shard in shards for group in range(shard.group, shard.group + shard.groups)] == wanted
    for shard in shards:
        assert shard.groups <= most
        assert shard.rows == sum(sizes[shard.group : shard.group + shard.groups])
        assert shard.first == 1000 + sum(sizes[: shard.group])
    assert [shard.sha256 for shard in shards] == ["s", *[""] * (len(shards) - 1)][: len(shards)]


def test_versions(three: Library) -> None:
    assert [three.rows_since(since) for since in range(4)] == [60, 10, 0, 0]
    assert three.shards(since=3) == []
    for since in (4, -1):
        say = f"{three.path}: has no version {since}; its versions are 1, 2, 3"
        assert refused(lambda since=since: three.shards(since)) == say


@settings(max_examples=20)
@given(most=st.integers(0, 20))
def test_rejected_rows_are_read_as_far_as_wanted(tmp_path_factory: pytest.TempPathFactory, most: int) -> None:
    folder = tmp_path_factory.getbasetemp() / "rejected"
    library = open_library(folder if folder.exists() else write(folder, [sample(3), sample(2, 3)], rejected=REFUSED))
    assert read_rejected(library, most) == (*REFUSED, *REFUSED)[:most]


def test_rejected_rows_that_cannot_be_read(three: Library) -> None:
    file = Path(three.path) / "rejected-2.parquet"
    file.write_bytes(b"PAR1")
    assert refused(lambda: read_rejected(three, 9)).startswith(f"{file}: cannot be read (")
    file.unlink()
    assert refused(lambda: read_rejected(three, 9)).startswith(f"{file}: cannot be read (")
    assert read_rejected(three, 5) == tuple(REFUSED)  # those of version 1


def test_a_manifest_replaces_another_at_once(three: Library) -> None:
    file = Path(three.path) / "manifest.json"
    before = file.read_bytes()
    write_manifest(three.path, dict(reversed(three.manifest.items())))
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir() if path.suffix == ".part"] == []


GOOD = {"schema": "drylab.library/2", "rows": 0, "version": 1, "recipe": {"name": "n", "version": "1"}}
SIDES = {"duplicates": {"file": "d"}, "rejected": {"file": "r"}}
EMPTY = {"version": 1, "rows": 0, "sources": [], "shards": [], "histograms": {}, **SIDES}
NO_ROWS = {"path": "x", "sha256": "", "read": 0, "kept": 0, "duplicates": 0, "rejected": {"why": None}}


@pytest.mark.parametrize(
    ("text", "say"),
    [
        (b"", "not JSON"),
        (b'{"schema":', "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[1]", "schema is None"),
        (
            b'{"schema": "drylab.library/1", "rows": 1}',
            "schema is 'drylab.library/1', expected 'drylab.library/2'; build the library again",
        ),
        ({"schema": "drylab.library/2"}, "not whole"),
        ({**GOOD, "versions": [3]}, "not whole"),
        ({**GOOD, "versions": []}, "not whole"),
        ({**GOOD, "version": "1", "versions": [EMPTY]}, "not whole"),
        ({**GOOD, "rows": 3, "versions": [EMPTY]}, "not whole"),
        ({**GOOD, "versions": [{**EMPTY, "version": 2}]}, "not whole"),
        ({**GOOD, "version": 2, "versions": [EMPTY]}, "not whole"),
        ({**GOOD, "versions": [{**EMPTY, "rows": 1}]}, "not whole"),
        ({**GOOD, "versions": [{**EMPTY, "shards": [{"file": "x", "rows": 0, "groups": []}]}]}, "not whole"),
        ({**GOOD, "versions": [{**EMPTY, "sources": [{"path": "x"}]}]}, "not whole"),
        ({**GOOD, "versions": [{**EMPTY, "rejected": None}]}, "not whole"),
        ({**GOOD, "recipe": {}, "versions": [EMPTY]}, "not whole"),
        ({**GOOD, "versions": [{**EMPTY, "histograms": None}]}, "not whole"),
        ({**GOOD, "versions": [{**EMPTY, "histograms": {"mw": {"edges": [0, 1], "counts": [1, 2]}}}]}, "not whole"),
        ({**GOOD, "versions": [{**EMPTY, "sources": [NO_ROWS]}]}, "not whole"),
    ],
)
def test_a_bad_manifest(tmp_path: Path, text: bytes | dict[str, Any], say: str) -> None:
    (tmp_path / "manifest.json").write_bytes(text if isinstance(text, bytes) else json.dumps(text).encode())
    assert refused(lambda: open_library(tmp_path)).startswith(f"{tmp_path}/manifest.json: {say}")


def test_an_empty_library(tmp_path: Path) -> None:
    assert "is empty" in refused(lambda: open_library(write(tmp_path, [sample(0)])))


def test_not_a_library(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothing", Path(__file__), tmp_path / ("x" * 300)):
        assert not is_library(path)
    for path in (tmp_path, tmp_path / "nothing", Path(__file__)):
        assert "not a drylab library" in refused(lambda path=path: open_library(path))
    for name in ("\0", "\udcff", "x" * 300):
        assert not is_library(name)
        assert "cannot be read" in refused(lambda name=name: open_library(name))


def test_missing_shard_files(three: Library) -> None:
    (Path(three.path) / "shards/v1-00001.parquet").unlink()
    (Path(three.path) / "shards/v2-00000.parquet").unlink()
    say = "2 shard files are missing, the first is shards/v1-00001.parquet"
    assert say in refused(lambda: open_library(three.path))
