"""A run is its rows sorted, each key once, whatever order they came in; any range of it is read from few batches."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drylab.library import layout, runs
from drylab.library.writing import PART
from tests.library import made_rows

SOURCES = st.lists(st.lists(st.integers(0, made_rows.MOLECULES - 1), max_size=25), max_size=4)
WORD = st.sampled_from([0, 1, (1 << 63) - 1, 1 << 63, (1 << 64) - 1])
ORDERS = sorted(made_rows.table([(0, 1, m) for m in range(made_rows.MOLECULES)])["order"].unique().to_pylist())
CUTS = st.lists(st.tuples(WORD | st.sampled_from(ORDERS), WORD), max_size=5, unique=True).map(sorted)


@pytest.fixture(autouse=True, scope="module")
def _small() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "BATCH_ROWS", 8)
        patch.setattr(runs, "MARK_ROWS", 4)
        patch.setattr(runs, "LEAST_MARKS", 4)
        yield


def read(path: str) -> pa.Table:
    with pa.OSFile(path) as file, pa.ipc.open_file(file) as reader:
        return reader.read_all()


@given(sources=SOURCES, random=st.randoms(use_true_random=False))
def test_rows_are_sorted_and_each_key_stays_once(tmp_path_factory, sources, random) -> None:
    path = str(tmp_path_factory.getbasetemp() / "law.run")
    rows = made_rows.places(sources)
    random.shuffle(rows)
    run = runs.write_run(made_rows.table(rows), path)
    kept, others = made_rows.reference(rows)
    assert read(path).schema.equals(layout.RUN)
    assert read(path).to_pylist() == kept
    assert (run.path, run.rows) == (path, len(kept))
    assert run.bytes == sum(len(row["id"].encode()) + len(row["smiles"]) for row in kept)
    assert run.duplicates == made_rows.counts(others)
    if others:
        assert read(run.aside).to_pylist() == made_rows.only(others, runs.DUPLICATE.names)
    copy = runs.from_json(json.loads(json.dumps(runs.to_json(run))), os.path.dirname(run.path))
    assert copy == run
    np.testing.assert_array_equal(copy.marks, run.marks)
    assert not list(Path(path).parent.glob("law.run*.part"))


@given(sources=SOURCES, cuts=CUTS)
def test_any_cuts_part_the_rows(tmp_path_factory, sources, cuts) -> None:
    path = str(tmp_path_factory.getbasetemp() / "law.run")
    rows = made_rows.places(sources)
    run = runs.write_run(made_rows.table(rows), path)
    own = runs.pieces(run, cuts)
    assert len(own) == len(cuts) + 1
    found = []
    for piece, low, high in zip(own, [None, *cuts], [*cuts, None], strict=True):
        part = [row for batch in runs.read_piece(piece, low, high) for row in batch.to_pylist()]
        for row in part:
            cut = (row["order"], int.from_bytes(row["key"][:8], "big"))
            assert low is None or cut >= low
            assert high is None or cut < high
        found += part
    assert found == made_rows.reference(rows)[0]


@given(
    rows=st.lists(st.tuples(WORD, WORD, WORD, st.integers(0, 3), st.integers(0, 2**63 - 1)), max_size=60),
)
def test_words_are_compared_as_unsigned_numbers(rows) -> None:
    order, high, low, source, row = (list(column) for column in zip(*rows, strict=True)) if rows else [[]] * 5
    columns = {
        "order": pa.array(order, pa.uint64()),
        "key": layout.binary_keys(np.array([high, low], np.uint64).T.reshape(-1, 2)),
        "source": pa.array(source, pa.int32()),
        "row": pa.array(row, pa.int64()),
    }
    index, first = runs.ranked(columns)
    ranked = [rows[i] for i in index]
    assert ranked == sorted(rows)
    assert sorted(index) == list(range(len(rows)))
    assert first.tolist() == [i == 0 or ranked[i][:3] != ranked[i - 1][:3] for i in range(len(rows))]


@given(pairs=st.lists(st.tuples(WORD, WORD), max_size=30).map(sorted), cut=st.tuples(WORD, WORD))
def test_below_counts_the_pairs_before_a_cut(pairs, cut) -> None:
    order, high = (np.array([pair[i] for pair in pairs], np.uint64) for i in (0, 1))
    assert runs.below(order, high, cut) == sum(pair < cut for pair in pairs)


def test_a_range_is_read_from_the_batches_it_overlaps(tmp_path: Path) -> None:
    rows = made_rows.places([list(range(3000))])
    run = runs.write_run(made_rows.table(rows), str(tmp_path / "a.run"))
    at = [(row["order"], int.from_bytes(row["key"][:8], "big")) for row in made_rows.reference(rows)[0]]
    for low, high in zip(at[:-40:31], at[40::31], strict=False):
        needed = [i // 8 for i, cut in enumerate(at) if low <= cut < high]
        piece = runs.pieces(run, [low, high])[1]
        assert piece.first <= needed[0]
        assert piece.stop > needed[-1]
        assert piece.stop - piece.first <= needed[-1] - needed[0] + 3  # a mark may stand in the batch beside it
    assert runs.pieces(run, [((1 << 64) - 1, 0)])[1].stop == -(-run.rows // 8)


def test_marks_lead_from_the_first_row_to_the_end(tmp_path: Path) -> None:
    run = runs.write_run(made_rows.table(made_rows.places([list(range(1000))])), str(tmp_path / "a.run"))
    assert run.marks[2:, 0].tolist() == [0, 0]
    assert run.marks[2:, -1].tolist() == [run.rows, run.bytes]
    assert np.diff(run.marks[2]).max() <= 4
    assert run.marks.dtype == np.uint64


@pytest.mark.parametrize("suffix", ["", ".duplicates"])
def test_a_full_disk_says_so_and_leaves_nothing(tmp_path: Path, suffix: str) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("needs /dev/full")
    path = tmp_path / "a.run"
    Path(f"{path}{suffix}.{PART}").symlink_to("/dev/full")
    with pytest.raises(OSError, match=r"No space left on device.*a\.run") as caught:
        runs.write_run(made_rows.table(made_rows.places([[1, 2, 2]])), str(path))
    assert caught.value.errno == errno.ENOSPC
    assert not path.exists()
    assert not list(tmp_path.glob("*.part"))


WRITER = """
import sys
from drylab.library import runs
from tests.library import made_rows
table = made_rows.table(made_rows.places([list(range(20000)) * 2]))
number = 0
while True:
    run = runs.write_run(table, f"{sys.argv[1]}/{number}.run")
    print(number, flush=True)
    number += 1
"""


def test_a_named_file_is_whole_after_a_kill(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    for delay in (1, 3):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], cwd=root, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            for _ in range(delay):
                process.stdout.readline()
            process.kill()
        files = [path for path in tmp_path.iterdir() if path.suffix != ".part"]
        assert files
        assert {read(str(path)).num_rows for path in files} == {20000}
