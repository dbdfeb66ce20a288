"""A build that is stopped, by anything and at any moment, leaves nothing to be seen, and goes on to the same bytes."""

from __future__ import annotations

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

from drylab import assembling
from drylab.build import BuildOptions, build_library, build_totals
from drylab.errors import DrylabError, InputError, LibraryError, OutputError
from drylab.execute import Executor, serial
from drylab.library import layout
from drylab.library.store import Library, open_library
from tests.test_build import alkanes, files_in, stored, table, write

SIZES = {"none": 90, "standard": 90, "tautomer": 90}
# The same sizes in a process of its own, which builds serially so that it can be killed anywhere.
BUILDER = """
import sys
from drylab import assembling, build
from drylab.library import layout
assembling.BLOCK_BYTES = {sizes!r}
layout.GROUP_ROWS, layout.SHARD_ROWS = 5, 20
print("ready", flush=True)
build.build_library(sys.argv[3:], sys.argv[1], options=build.BuildOptions(max_rejected=1.0), resume=True, add=sys.argv[2] == "add")
print("done", flush=True)
"""


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assembling, "BLOCK_BYTES", SIZES)
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
