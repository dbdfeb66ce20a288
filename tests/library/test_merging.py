"""Runs become shards: whatever the runs, the compactions and the cuts, the rows are those of one sort and one set."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drylab.errors import AccountingError
from drylab.library import histograms, layout, merging, runs
from drylab.library.merging import Merged
from drylab.library.runs import Cut, Run
from tests.library import made_rows
from tests.library.made_rows import Place

NAMES = ["a.smi", "é.smi.gz", "s3://c/d.sdf", "e"]
SOURCES = st.lists(st.lists(st.integers(0, made_rows.MOLECULES - 1), max_size=25), max_size=4)
RANDOM = st.randoms(use_true_random=False)


@pytest.fixture(autouse=True, scope="module")
def _small() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "GROUP_ROWS", 7)
        patch.setattr(layout, "SHARD_ROWS", 16)
        patch.setattr(runs, "BATCH_ROWS", 8)
        patch.setattr(merging, "BATCH_ROWS", 8)
        patch.setattr(runs, "MARK_ROWS", 4)
        patch.setattr(runs, "LEAST_MARKS", 4)
        patch.setattr(merging, "COMPACT_ROWS", 10)
        yield


@dataclass(frozen=True)
class Built:
    """What a build of rows gives."""

    merged: list[Merged]
    shards: list[bytes]
    rows: list[dict[str, Any]]
    others: list[dict[str, Any]]


def write_runs(folder: Path, rows: Sequence[Place], run_of: Sequence[int]) -> list[Run]:
    """Rows as runs; the run of each row is given."""
    folder.mkdir(exist_ok=True)
    groups = [[row for row, own in zip(rows, run_of, strict=True) if own == number] for number in sorted({*run_of})]
    return [runs.write_run(made_rows.table(own), str(folder / f"{i}.run")) for i, own in enumerate(groups)]


def read_run(run: Run) -> list[dict[str, Any]]:
    batches = [runs.read_piece(piece, None, None) for piece in runs.pieces(run, [])]
    return [row for own in batches for batch in own for row in batch.to_pylist()]


def compacted(folder: Path, own: Sequence[Run], most: int) -> list[Run]:
    groups = merging.groups_to_compact(own, most)
    assert [run for group in groups for run in group] == list(own)
    assert len(groups) <= most
    return [
        group[0] if len(group) == 1 else merging.compact(group, str(folder / f"c{i}.run"))
        for i, group in enumerate(groups)
    ]


def merge(
    folder: Path, own: Sequence[Run], cuts: Sequence[Cut], base: Sequence[Merged] = (), version: int = 1
) -> Built:
    """Merge runs; what their files hold."""
    (folder / "shards").mkdir(exist_ok=True)
    old = {str(folder / one.entry["file"]): tuple(one.entry["ranges"]["mw"]) for one in base if one.entry}
    parts = merging.parts(
        own,
        cuts,
        f"{folder}/shards/v{version}-{{:05d}}.parquet",
        f"{folder}/part-{{:05d}}",
        old,
        {"drylab.schema": "2"},
    )
    merged = [merging.merge_part(pickle.loads(pickle.dumps(part))) for part in parts]
    assert [merging.finished(part) for part in parts] == merged
    files = [folder / one.entry["file"] for one in merged if one.entry]
    kept = [row for file in files for row in pq.read_table(file).to_pylist()]
    others = [row for table in merging.duplicates(merged, own, NAMES) for row in table.to_pylist()]
    return Built(merged, [file.read_bytes() for file in files], kept, others)


def as_others(rows: Sequence[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Duplicates of a reference, comparable."""
    return sorted((row["id"], row["key"], NAMES[row["source"]], row["row"]) for row in rows)


def check(built: Built, rows: Sequence[Place]) -> None:
    kept, others = made_rows.reference(rows)
    assert built.rows == made_rows.only(kept, layout.ROWS.names)
    assert sorted(tuple(row.values()) for row in built.others) == as_others(others)
    assert merging.total(one.kept for one in built.merged) == made_rows.counts(kept)
    for counts in histograms.add(one.histograms for one in built.merged).values():
        assert sum(counts) == len(kept)


def any_cuts(random: Any, rows: Sequence[Place]) -> list[Cut]:
    kept = made_rows.reference(rows)[0]
    found = {(row["order"], int.from_bytes(row["key"][:8], "big")) for row in random.sample(kept, min(3, len(kept)))}
    return sorted(found | {(random.getrandbits(64), random.getrandbits(64)) for _ in range(random.randrange(3))})


@given(sources=SOURCES, random=RANDOM, most=st.integers(1, 6))
def test_any_runs_compactions_and_cuts_give_the_same_rows(tmp_path_factory, sources, random, most) -> None:
    folder = tmp_path_factory.getbasetemp() / "law"
    rows = made_rows.places(sources)
    own = write_runs(folder, rows, [random.randrange(6) for _ in rows])
    fewer = compacted(folder, own, most)
    assert sum(run.rows + sum(run.duplicates.values()) for run in fewer) == len(rows)
    built = merge(folder, fewer, any_cuts(random, rows))
    check(built, rows)
    lost = merging.total([*(one.duplicates for one in built.merged), *(run.duplicates for run in fewer)])
    assert lost == made_rows.counts(made_rows.reference(rows)[1])


@given(sources=SOURCES, random=RANDOM)
@settings(max_examples=40)
def test_shards_are_the_same_bytes_however_rows_were_split(tmp_path_factory, sources, random) -> None:
    folder = tmp_path_factory.getbasetemp() / "bytes"
    rows = made_rows.places(sources)
    cuts = any_cuts(random, rows)
    built = [merge(folder, write_runs(folder, rows, [random.randrange(n) for _ in rows]), cuts) for n in (1, 4, 9)]
    assert built[0].shards == built[1].shards == built[2].shards
    assert [one.entry for one in built[0].merged] == [one.entry for one in built[2].merged]
    assert [one.histograms for one in built[0].merged] == [one.histograms for one in built[2].merged]


@given(sources=SOURCES, random=RANDOM)
def test_compaction_is_one_run_of_all_rows(tmp_path_factory, sources, random) -> None:
    folder = tmp_path_factory.getbasetemp() / "compact"
    rows = made_rows.places(sources)
    own = write_runs(folder, rows, [random.randrange(5) for _ in rows])
    whole = runs.write_run(made_rows.table(rows), str(folder / "whole.run"))
    found = merging.compact(own, str(folder / "c.run"))
    assert replace(found, path=whole.path) == whole
    assert read_run(found) == read_run(whole)
    others = [
        sorted(str(row) for table in runs.read_duplicates(run.aside) for row in table.to_pylist())
        if run.duplicates
        else []
        for run in (found, whole)
    ]
    assert others[0] == others[1]


@given(sources=SOURCES, random=RANDOM)
def test_cuts_depend_on_marks_alone_and_leave_no_part_empty(tmp_path_factory, sources, random) -> None:
    folder = tmp_path_factory.getbasetemp() / "cuts"
    rows = made_rows.places(sources)
    own = write_runs(folder, rows, [random.randrange(5) for _ in rows])
    at = merging.cuts(own)
    assert at == sorted(set(at))
    mixed = [
        runs.from_json(json.loads(json.dumps(runs.to_json(run))), os.path.dirname(run.path))
        for run in random.sample(own, len(own))
    ]
    assert merging.cuts(mixed) == at
    assert len(at) <= -(-sum(run.rows for run in own) // 16)
    built = merge(folder, own, at)
    check(built, rows)
    assert all(one.kept for one in built.merged) or not rows


@given(old=SOURCES, new=SOURCES, random=RANDOM)
@settings(max_examples=60)
def test_adding_keeps_what_a_build_of_all_would_keep(tmp_path_factory, old, new, random) -> None:
    folder = tmp_path_factory.getbasetemp() / "add"
    before = made_rows.places(old)
    base = merge(folder, write_runs(folder, before, [random.randrange(3) for _ in before]), any_cuts(random, before))
    rows = made_rows.places(new)
    own = write_runs(folder, rows, [random.randrange(3) for _ in rows])
    built = merge(folder, own, any_cuts(random, rows), base.merged, version=2)
    there = {row["key"] for row in base.rows}
    kept, others = made_rows.reference(rows)
    left = [row for row in kept if row["key"] not in there]
    assert built.rows == made_rows.only(left, layout.ROWS.names)
    assert sorted(tuple(row.values()) for row in built.others) == as_others(
        [*others, *(row for row in kept if row["key"] in there)]
    )
    assert merging.total(one.kept for one in built.merged) == made_rows.counts(left)
    again = [(source + 4, row, molecule) for source, row, molecule in rows]
    together = {row["key"] for row in made_rows.reference([*before, *again])[0]}
    assert {row["key"] for row in [*base.rows, *built.rows]} == together


def test_one_molecule_many_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "GROUP_ROWS", 1000)
    rows = made_rows.places([[5] * 3000, [5, 6] * 1000])
    own = write_runs(tmp_path, rows, [i % 40 for i in range(len(rows))])
    built = merge(tmp_path, compacted(tmp_path, own, 9), merging.cuts(own))
    check(built, rows)
    assert len(built.rows) == 2


def test_one_order_is_cut_by_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "GROUP_ROWS", 1000)
    rows = made_rows.places([[made_rows.MOLECULES + 12 * i for i in range(3000)]])
    assert made_rows.table(rows)["order"].unique().to_pylist() == made_rows.table(rows[:1])["order"].to_pylist()
    own = write_runs(tmp_path, rows, [i % 3 for i in range(len(rows))])
    cuts = merging.cuts(own, rows=500)
    assert len(cuts) == 5
    built = merge(tmp_path, own, cuts)
    check(built, rows)
    assert all(one.entry and 400 < one.entry["rows"] < 600 for one in built.merged)


def test_parts_are_even_in_rows_and_bounded_in_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "GROUP_ROWS", 1000)
    rows = made_rows.places([list(range(made_rows.MOLECULES, made_rows.MOLECULES + 6000))])
    own = write_runs(tmp_path, rows, [i % 7 for i in range(len(rows))])
    total = sum(run.bytes for run in own)
    for limits, n in (({"rows": 1000}, 6), ({"rows": 1001}, 6), ({"rows": 999}, 7), ({"rows": 9000}, 1)):
        shares = [one.entry["rows"] for one in merge(tmp_path, own, merging.cuts(own, **limits)).merged if one.entry]
        assert len(shares) == n
        assert max(shares) - min(shares) < 100
    at = merging.cuts(own, rows=6000, size=total // 4)
    assert 3 <= len(at) <= 4
    sizes = [
        sum(
            len(row["id"].encode()) + len(row["smiles"])
            for row in pq.read_table(tmp_path / one.entry["file"]).to_pylist()
        )
        for one in merge(tmp_path, own, at).merged
        if one.entry
    ]
    assert max(sizes) < 1.1 * total / 4


def test_nothing_is_one_part_without_a_shard(tmp_path: Path) -> None:
    for rows in ([], made_rows.places([[]])):
        own = write_runs(tmp_path, rows, [])
        assert merging.cuts(own) == []
        built = merge(tmp_path, own, [])
        assert [one.entry for one in built.merged] == [None]
        assert (built.rows, built.others) == ([], [])
    empty = runs.write_run(made_rows.table([]), str(tmp_path / "empty.run"))
    assert merging.cuts([empty]) == []
    assert merge(tmp_path, [empty], [(3, 4)]).rows == []
    assert merging.groups_to_compact([]) == []


def test_a_result_is_trusted_for_its_own_part_only(tmp_path: Path) -> None:
    own = write_runs(tmp_path, made_rows.places([list(range(30))]), [0] * 30)
    (tmp_path / "shards").mkdir()
    names = (f"{tmp_path}/shards/v1-{{:05d}}.parquet", f"{tmp_path}/{{:05d}}", {}, {"a": "b"})
    part = merging.parts(own, [], *names)[0]
    assert merging.finished(part) is None
    merged = merging.merge_part(part)
    assert merging.finished(part) == merged
    assert merging.from_json(json.loads(json.dumps(merging.to_json(merged)))) == merged
    assert merging.finished(merging.parts(own, [(5, 5)], *names)[0]) is None
    assert not list(tmp_path.rglob("*.part"))
    Path(part.result).write_bytes(b"")
    assert merging.finished(part) is None


def test_a_folder_may_have_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "{0} {:05d} %d"
    rows = made_rows.places([list(range(40))])
    own = write_runs(folder, rows, [i % 2 for i in range(40)])
    built = merge(folder, own, merging.cuts(own))
    check(built, rows)
    assert sorted(path.name for path in (folder / "shards").iterdir())[:2] == ["v1-00000.parquet", "v1-00001.parquet"]


def test_a_file_of_duplicates_that_lost_rows_is_no_secret(tmp_path: Path) -> None:
    (run,) = write_runs(tmp_path, made_rows.places([[1, 1, 1]]), [0, 0, 0])
    with pytest.raises(AccountingError, match=r"0\.run\.duplicates: 2 duplicates, expected 5; please report it"):
        list(merging.duplicates([], [replace(run, duplicates={0: 5})], NAMES))
