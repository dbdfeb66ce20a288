"""A build that is stopped, by anything and at any moment, leaves nothing to be seen, and goes on to the same bytes."""

from __future__ import annotations

import filecmp
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drylab import intake
from drylab.build import BuildOptions, build_library, build_totals
from drylab.errors import DeviceError, DrylabError, InputError, LibraryError, OutputError
from drylab.execute import Executor, processes, serial
from drylab.library import layout
from drylab.library.store import Library, open_library
from drylab.progress import Progress
from drylab.verifying import verify_library
from tests.test_build import alkanes, files_in, stored, table, write

SIZES = {"none": 90, "standard": 90, "tautomer": 90}
# The same sizes in a process of its own, which builds serially so that it can be killed anywhere.
BUILDER = """
import sys
from drylab import build, intake
from drylab.library import layout
intake.BLOCK_BYTES = {sizes!r}
layout.GROUP_ROWS, layout.SHARD_ROWS = 5, 20
print("ready", flush=True)
build.build_library(sys.argv[3:], sys.argv[1], options=build.BuildOptions(max_rejected=1.0), resume=True, add=sys.argv[2] == "add")
print("done", flush=True)
"""


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "BLOCK_BYTES", SIZES)
    monkeypatch.setattr(layout, "GROUP_ROWS", 5)
    monkeypatch.setattr(layout, "SHARD_ROWS", 20)


class Stopped(Exception):
    """What stops a build in these tests, where a signal would do it elsewhere."""


def stops_after(items: int) -> Executor:
    """Does so many items, and then no more."""
    left = [items]

    def results(task: Any, given: Any) -> Iterator[tuple[int, Any]]:
        for number, item in enumerate(given):
            if left[0] == 0:
                raise Stopped
            left[0] -= 1
            yield number, task(item)

    return Executor("stopping", 1, results)


def sources(folder: Path, start: int = 1) -> list[Path]:
    bad = ["C1CC", "[Na+].[Cl-]", "CC(=O)[O-].[Na+]"]
    mixed = [*alkanes(70, start), *bad, *alkanes(50, start + 40)]
    random.Random(1).shuffle(mixed)
    folder.mkdir(exist_ok=True)
    return [
        write(folder / "a.smi", mixed),
        write(folder / "b.csv", mixed[::-1]),
        write(folder / "c.smi.gz", mixed[::3]),
    ]


def build(paths: list[Path], out: Path, **how: Any) -> Library:
    return build_library(paths, out, options=BuildOptions(max_rejected=1.0), **how)


def refused(error: type[DrylabError], match: str, paths: list[Path], out: Path, **how: Any) -> None:
    with pytest.raises(error, match=match) as caught:
        build(paths, out, **how)
    assert len(str(caught.value).splitlines()) == 1


def left_of(folder: Path, name: str = "lib") -> dict[str, bytes]:
    return {file: data for file, data in files_in(folder).items() if file.startswith(f"{name}/")}


def counting() -> tuple[Executor, list[int]]:
    done = [0]

    def results(task: Any, given: Any) -> Iterator[tuple[int, Any]]:
        for number, item in enumerate(given):
            done[0] += 1
            yield number, task(item)

    return Executor("counting", 1, results), done


def test_stopped_after_any_number_of_steps_it_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    paths = sources(tmp_path / "in")
    executor, steps = counting()
    build(paths, tmp_path / "whole", executor=executor)
    want = left_of(tmp_path, "whole")
    for items in range(0, steps[0], 1 + steps[0] // 9):
        with pytest.raises(Stopped):
            build(paths, tmp_path / "lib", executor=stops_after(items))
        assert not (tmp_path / "lib").exists()
        executor, done = counting()
        build(paths, tmp_path / "lib", executor=executor, resume=True)
        assert done[0] <= steps[0] - items + 1  # one may have been done and not told
        assert {name.replace("lib", "whole", 1): data for name, data in left_of(tmp_path).items()} == want
        assert not (tmp_path / ".lib.build").exists()
        for path in sorted((tmp_path / "lib").rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        (tmp_path / "lib").rmdir()


def killed(tmp_path: Path, paths: list[Path], mode: str, after: float) -> bool:
    """Start a build in a process of its own and kill it; whether it had come to its end before."""
    command = [sys.executable, "-c", BUILDER.format(sizes=SIZES), str(tmp_path / "lib"), mode, *map(str, paths)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(after)
        process.send_signal(signal.SIGKILL)
        return "done" in process.stdout.read()


@pytest.mark.parametrize("mode", ["new", "add"])
def test_killed_at_random_moments_it_goes_on_to_the_same_bytes(tmp_path: Path, mode: str) -> None:
    """kill -9, ten times in a row, each time a little later."""
    paths = sources(tmp_path / "in")
    more = [write(tmp_path / "in" / "d.csv", alkanes(60, 55)), write(tmp_path / "in" / "e.smi", alkanes(40, 30))]
    for name in ("whole", "lib") if mode == "add" else ("whole",):
        build(paths, tmp_path / name)
    if mode == "add":
        build(more, tmp_path / "whole", add=True)
    before, want = (
        left_of(tmp_path),
        {name.replace("whole", "lib", 1): data for name, data in left_of(tmp_path, "whole").items()},
    )
    moments = random.Random(2)
    for kill in range(10):
        ended = killed(tmp_path, more if mode == "add" else paths, mode, moments.uniform(0, 0.15 * (kill + 1)))
        there = left_of(tmp_path)
        if mode == "new":
            assert there in ({}, want)
        else:
            assert open_library(tmp_path / "lib").version in (1, 2)
            assert {name: there[name] for name in before if name != "lib/manifest.json"} == {
                name: data for name, data in before.items() if name != "lib/manifest.json"
            }
        if ended:
            break
    build(more if mode == "add" else paths, tmp_path / "lib", resume=True, add=mode == "add")
    assert left_of(tmp_path) == want
    assert not (tmp_path / ".lib.build").exists()


BIG = """
import sys
from drylab import build, execute
print("ready", flush=True)
options = build.BuildOptions("none", max_rejected=1.0)
library = build.build_library(sys.argv[2:], sys.argv[1], options=options, resume=True, executor=execute.processes(2))
print(library.rows, flush=True)
"""


@pytest.mark.slow
def test_millions_of_real_rows_killed_at_random_moments(
    tmp_path: Path, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """kill -9, in turn of the builder with its workers and of the builder alone, whose workers then end by themselves."""
    monkeypatch.undo()  # blocks and shards of the real sizes
    names = [
        "libraries/*_1M.csv.gz",
        "libraries/*.smi.gz",
        "benchmarks/dude_decoys_by_id.tsv.gz",
        "libraries/*.parquet",
    ]
    paths = [str(shared_data / name) for name in names]
    whole = build_library(
        paths, tmp_path / "whole", options=BuildOptions("none", max_rejected=1.0), executor=processes(2)
    )
    totals = build_totals(whole)
    assert totals["read"] == whole.rows + totals["duplicates"] + sum(totals["rejected"].values()) > 2_000_000
    moments, command = random.Random(0), [sys.executable, "-c", BIG, str(tmp_path / "lib"), *paths]
    for kill in range(10):
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=Path(__file__).parents[1],
            start_new_session=True,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(moments.uniform(1, 6))
            if kill % 2:
                process.kill()
            else:
                os.killpg(process.pid, signal.SIGKILL)
            ended = bool(process.stdout.read())
        assert ended == (tmp_path / "lib").exists()
        if ended:
            break
    build_library(
        paths,
        tmp_path / "lib",
        options=BuildOptions("none", max_rejected=1.0),
        executor=processes(2),
        resume=True,
    )
    files = [path.relative_to(tmp_path / "whole") for path in (tmp_path / "whole").rglob("*") if path.is_file()]
    assert sorted(path for path in tmp_path.iterdir()) == [tmp_path / "lib", tmp_path / "whole"]
    assert len([path for path in (tmp_path / "lib").rglob("*") if path.is_file()]) == len(files) > 6
    for file in files:
        assert filecmp.cmp(tmp_path / "whole" / file, tmp_path / "lib" / file, shallow=False), file


def test_an_unfinished_build_is_not_thrown_away_by_mistake(tmp_path: Path) -> None:
    paths = sources(tmp_path / "in")
    with pytest.raises(Stopped):
        build(paths, tmp_path / "lib", executor=stops_after(5))
    refused(
        OutputError,
        "an unfinished build of it is there .*--resume, or start again with --force",
        paths,
        tmp_path / "lib",
    )
    refused(
        OutputError,
        "is another one: its sources is .* give the same, or start again",
        paths[:2],
        tmp_path / "lib",
        resume=True,
    )
    build(paths[:2], tmp_path / "lib", force=True)
    assert len(open_library(tmp_path / "lib").sources()) == 2


def test_a_source_that_changed_is_not_built_in_half(tmp_path: Path) -> None:
    paths = sources(tmp_path / "in")
    with pytest.raises(Stopped):
        build(paths, tmp_path / "lib", executor=stops_after(5))
    status = paths[0].stat()
    text = paths[0].read_text()
    paths[0].write_text(text.replace("C", "N", 1))
    refused(OutputError, "is another one: its sources is", paths, tmp_path / "lib", resume=True)
    os.utime(paths[0], ns=(status.st_atime_ns, status.st_mtime_ns))  # and where the clock does not show it
    refused(
        InputError,
        "is not what it was when the build began .from row 1 on.; start again",
        paths,
        tmp_path / "lib",
        resume=True,
    )
    assert not (tmp_path / ".lib.build").exists()


def test_resume_begins_where_there_is_nothing_and_ends_where_all_is_done(tmp_path: Path) -> None:
    paths = sources(tmp_path / "in")
    build(paths, tmp_path / "lib", resume=True)
    before = files_in(tmp_path)
    build(paths, tmp_path / "lib", resume=True)
    assert files_in(tmp_path) == before
    refused(OutputError, "exists already", paths[:1], tmp_path / "lib", resume=True)


def test_two_builds_of_one_library_at_once(tmp_path: Path) -> None:
    paths = sources(tmp_path / "in")

    def results(task: Any, given: Any) -> Iterator[tuple[int, Any]]:
        for force in (False, True):  # from within the other one
            refused(OutputError, f"is being built by process {os.getpid()} on ", paths, tmp_path / "lib", force=force)
            refused(OutputError, "is being built by", paths, tmp_path / "lib", resume=True, force=force)
        yield from serial().results(task, given)

    build(paths, tmp_path / "lib", executor=Executor("late", 1, results))
    assert build_totals(open_library(tmp_path / "lib"))["read"] > 200


def test_a_full_disk_is_one_line_and_the_build_goes_on_when_there_is_room(tmp_path: Path) -> None:
    """A process may write files of 2,000 bytes at most: the disk says no in the middle of one."""
    paths = sources(tmp_path / "in")
    build(paths, tmp_path / "whole")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (6000, before[1]))
    try:
        refused(OutputError, "cannot be written .File too large.*free space.*--resume", paths, tmp_path / "lib")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert not (tmp_path / "lib").exists()
    build(paths, tmp_path / "lib", resume=True)
    assert left_of(tmp_path) == {n.replace("whole", "lib", 1): data for n, data in left_of(tmp_path, "whole").items()}


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    refused(OutputError, "cannot be written.*choose another output folder", sources(tmp_path / "in"), Path("/proc/lib"))
    build_library(
        sources(tmp_path / "in"), tmp_path / "lib", options=BuildOptions(max_rejected=1, scratch=str(tmp_path / "s"))
    )
    assert list((tmp_path / "s").iterdir()) == []


def test_what_is_added_is_new_and_the_old_stays_as_it_was(tmp_path: Path) -> None:
    first, second = sources(tmp_path / "in"), [write(tmp_path / "in" / "d.csv", alkanes(90, 60))]
    build(first, tmp_path / "lib")
    before = left_of(tmp_path)
    library = build(second, tmp_path / "lib", add=True)
    after = left_of(tmp_path)
    assert {name: after[name] for name in before if name != "lib/manifest.json"} == {
        name: data for name, data in before.items() if name != "lib/manifest.json"
    }
    assert library.version == 2
    keys = [key for _, key, _ in stored(library)]
    assert len(set(keys)) == len(keys)
    at_once = build([*first, *second], tmp_path / "once")
    assert sorted(stored(library)) == sorted(stored(at_once))
    assert build_totals(library) == build_totals(at_once)
    names = ["duplicates", "duplicates-v2"]
    rows = [tuple(row.values()) for name in names for row in table(library, name)]
    assert sorted(rows) == sorted(tuple(row.values()) for row in table(at_once, "duplicates"))
    again = build(second, tmp_path / "lib", add=True)  # nothing new in it, and every row accounted for
    assert (again.version, again.rows, len(again.sources())) == (3, library.rows, 5)
    assert again.sources()[-1]["kept"] == 0


def test_what_cannot_be_added(tmp_path: Path) -> None:
    paths = sources(tmp_path / "in")
    refused(LibraryError, "not a drylab library", paths, tmp_path / "lib", add=True)
    build_library(paths[0], tmp_path / "lib", options=BuildOptions("none", max_rejected=1))
    with pytest.raises(
        LibraryError, match=r"was built with recipe name none, .* so that one molecule could have two keys"
    ):
        build_library(paths[1], tmp_path / "lib", options=BuildOptions("standard"), add=True)
    library = build_library(paths[1], tmp_path / "lib", options=BuildOptions(max_rejected=1), add=True)
    assert library.recipe["name"] == "none"
    (tmp_path / "in" / "bad.smi").write_text("nonsense x\n")
    before = left_of(tmp_path)
    refused(InputError, "1 of 1 rows are rejected", [tmp_path / "in" / "bad.smi"], tmp_path / "lib", add=True)
    assert left_of(tmp_path) == before


def test_resume_finds_a_finished_build_of_the_same_only(tmp_path: Path) -> None:
    path = write(tmp_path / "a.smi", alkanes(40))
    for limit, others in ((None, (20, 40)), (20, (None, 21))):
        out = tmp_path / f"lib-{limit}"
        build_library(path, out, options=BuildOptions(limit=limit))
        assert build_library(path, out, options=BuildOptions(limit=limit), resume=True).rows == (limit or 40)
        for other in others[:1] if limit is None else others:
            with pytest.raises(OutputError, match="exists already"):
                build_library(path, out, options=BuildOptions(limit=other), resume=True)
    library = build_library(path, tmp_path / "lib-None", add=True, resume=True)
    assert (library.version, library.rows) == (2, 40)  # what was built before is not what is added


def test_a_folder_that_was_moved_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    paths = sources(tmp_path / "in")
    executor, steps = counting()
    build(paths, tmp_path / "whole", executor=executor)
    for items in (9, steps[0] - 2):
        with pytest.raises(Stopped):
            build(paths, tmp_path / "old" / "lib", executor=stops_after(items))
        (tmp_path / "old").rename(tmp_path / f"new-{items}")
        build(paths, tmp_path / f"new-{items}" / "lib", resume=True)
        assert files_in(tmp_path / f"new-{items}" / "lib") == files_in(tmp_path / "whole")


def test_what_was_done_before_is_no_progress(tmp_path: Path) -> None:
    paths = sources(tmp_path / "in")
    told: dict[str, int] = {}
    progress = Progress(
        lambda name, rows: told.update({name: 0}), lambda n: told.update({list(told)[-1]: n + told[list(told)[-1]]})
    )
    with pytest.raises(Stopped):
        build(paths, tmp_path / "lib", executor=stops_after(9), progress=progress)
    before = told.pop("reading and standardising")
    library = build(paths, tmp_path / "lib", resume=True, progress=progress)
    assert before > 0
    assert before + told["reading and standardising"] == build_totals(library)["read"]


@pytest.mark.parametrize("done", [0, 5])
def test_a_worker_that_is_lost_leaves_what_was_done(tmp_path: Path, done: int) -> None:
    paths = sources(tmp_path / "in")

    def results(task: Any, given: Any) -> Iterator[tuple[int, Any]]:
        for number, item in enumerate(given):
            if number == done:
                raise DeviceError("a worker process ended")
            yield number, task(item)

    refused(
        DeviceError,
        "a worker process ended; go on with --resume",
        paths,
        tmp_path / "lib",
        executor=Executor("x", 1, results),
    )
    assert (tmp_path / ".lib.build").exists() == (done > 0)
    build(paths, tmp_path / "lib", resume=True)


def test_the_scratch_folder_is_not_in_the_library(tmp_path: Path) -> None:
    path = write(tmp_path / "a.smi", alkanes(9))
    for scratch in ("lib", "lib/below"):
        options = BuildOptions(scratch=str(tmp_path / scratch))
        with pytest.raises(OutputError, match=r"lies in the library's folder .*; choose another --scratch"):
            build_library(path, tmp_path / "lib", options=options)
    assert [path.name for path in tmp_path.iterdir()] == ["a.smi"]


def test_two_builds_of_one_library_with_other_scratch_folders(tmp_path: Path) -> None:
    path = write(tmp_path / "a.smi", alkanes(9))
    elsewhere = [BuildOptions(scratch=str(tmp_path / name)) for name in ("s1", "s2")]

    def results(task: Any, given: Any) -> Iterator[tuple[int, Any]]:
        for options in (elsewhere[1], BuildOptions()):
            with pytest.raises(OutputError, match=f"is being built by process {os.getpid()} on "):
                build_library(path, tmp_path / "lib", options=options, force=True)
        build_library(path, tmp_path / "other" / "lib", options=elsewhere[0])  # of the same name, but not the same
        yield from serial().results(task, given)

    build_library(path, tmp_path / "lib", options=elsewhere[0], executor=Executor("late", 1, results))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.smi", "lib", "other", "s1"]
    assert open_library(tmp_path / "lib").sha256 == open_library(tmp_path / "other" / "lib").sha256


def test_a_version_without_a_new_molecule(tmp_path: Path) -> None:
    first = write(tmp_path / "a.smi", alkanes(30))
    second = write(tmp_path / "b.csv", ["C1CC", *alkanes(5)])
    build([first], tmp_path / "lib")
    library = build([second, second], tmp_path / "lib", add=True)
    assert (library.version, library.rows, library.rows_since(1), library.shards(since=1)) == (2, 30, 0, [])
    assert [(e["read"], e["kept"], e["duplicates"], sum(e["rejected"].values())) for e in library.sources()] == [
        (30, 30, 0, 0),
        (6, 0, 5, 1),
        (6, 0, 5, 1),
    ]
    assert verify_library(tmp_path / "lib").ok
    assert len(stored(library)) == 30
