"""Killed at any step on the disk or in a store, a build leaves a library that is whole, and goes on to the same bytes."""

from __future__ import annotations

import gzip
import os
import random
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from drylab import intake
from drylab.build import BuildOptions, build_library, build_totals
from drylab.errors import InputError, OutputError
from drylab.execute import processes
from drylab.library import layout, places
from drylab.library.store import Library, open_library
from drylab.verifying import verify_library
from tests.test_build import alkanes, files_in, stored, write

STEPS = ("replace", "unlink", "mkdir", "rmdir")  # of the module os: all that gives a name on a disk or takes one
SENT = ("copy_in", "write_bytes", "remove")  # and in a store
ALL = BuildOptions(max_rejected=1.0)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "BLOCK_BYTES", {"none": 2500, "standard": 2500, "tautomer": 2500})
    monkeypatch.setattr(intake, "READERS", 1)
    monkeypatch.setattr(layout, "GROUP_ROWS", 10)
    monkeypatch.setattr(layout, "SHARD_ROWS", 60)


class Killed(BaseException):
    """Instead of a signal: nothing that would clean up afterwards reaches the disk either."""


@contextmanager
def killed_after(steps: int, where: Mapping[Any, tuple[str, ...]]) -> Iterator[list[int]]:
    """Does so many steps, and from then on none; counts them. ``where``: the functions of modules that are steps."""
    done = [0]

    def counted(step: Any) -> Any:
        def take(*args: Any, **options: Any) -> Any:
            if done[0] >= steps:
                raise Killed
            done[0] += 1
            return step(*args, **options)

        return take

    with pytest.MonkeyPatch.context() as patch:
        for module, names in where.items():
            for name in names:
                patch.setattr(module, name, counted(getattr(module, name)))
        yield done


def rows_of(out: Path | str) -> list[tuple[str, bytes, str]] | None:
    """What a reader finds: nothing, or every row of a library whose files are as its manifest says."""
    if places.info(places.join(str(out), layout.MANIFEST)).kind != "file":
        return None
    assert verify_library(str(out)).ok
    return stored(open_library(out))


def survives(folder: Path, out: str, build: Any, seen: list[Any]) -> None:
    """``build(resume=True)``, killed after any number of steps, leaves what is ``seen`` by readers, and goes on to the end.

    ``folder`` is put back before each; the last of ``seen`` is what a whole build makes.
    """
    shutil.copytree(folder, f"{folder}-before")
    with killed_after(1 << 30, {os: STEPS}) as steps:
        build(resume=True)
    want, taken = files_in(folder), steps[0]
    assert rows_of(out) == seen[-1]
    for number in range(taken):
        shutil.rmtree(folder)
        shutil.copytree(f"{folder}-before", folder)
        with killed_after(number, {os: STEPS}), pytest.raises(Killed):
            build(resume=True)
        assert rows_of(out) in seen, number
        build(resume=True)
        assert files_in(folder) == want, number
    shutil.rmtree(f"{folder}-before")


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, Path, Library, Library]:
    """Two sources, and a library of each."""
    first = write(tmp_path / "a.smi", [*alkanes(60), "C1CC", *alkanes(20, 40)])
    second = write(tmp_path / "b.csv", [*alkanes(50, 30), "[Na+].[Cl-]"])
    libraries = [build_library(path, tmp_path / f"of-{path.stem}", options=ALL) for path in (first, second)]
    return first, second, libraries[0], libraries[1]


@pytest.fixture(params=["beside", "scratch", "another disk"])
def scratch(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where the work lies."""
    if request.param == "another disk":
        other = Path("/dev/shm")
        if not other.is_dir() or other.stat().st_dev == tmp_path.stat().st_dev:
            pytest.skip("needs a second disk")
        with TemporaryDirectory(dir=other) as folder:
            yield folder
    elif request.param == "scratch":
        (tmp_path / "scratch").mkdir()
        yield str(tmp_path / "scratch")
    else:
        yield ""


def test_a_new_library(tmp_path: Path, made: tuple[Path, Path, Library, Library], scratch: str) -> None:
    home = tmp_path / "home"
    home.mkdir()

    def build(**how: Any) -> None:
        build_library(made[0], home / "lib", options=BuildOptions(max_rejected=1.0, scratch=scratch), **how)

    survives(home, str(home / "lib"), build, [None, stored(made[2])])
    assert sorted(path.name for path in home.iterdir()) == ["lib"]
    assert not scratch or not list(Path(scratch).iterdir())
    shutil.rmtree(home)


def test_a_library_that_is_replaced(tmp_path: Path, made: tuple[Path, Path, Library, Library], scratch: str) -> None:
    home = tmp_path / "home"
    build_library(made[0], home / "lib", options=ALL)

    def build(**how: Any) -> None:
        options = BuildOptions(max_rejected=1.0, scratch=scratch)
        build_library(made[1], home / "lib", options=options, force=True, **how)

    survives(home, str(home / "lib"), build, [None, stored(made[2]), stored(made[3])])
    assert sorted(path.name for path in home.iterdir()) == ["lib"]


def test_a_library_that_is_added_to(tmp_path: Path, made: tuple[Path, Path, Library, Library], scratch: str) -> None:
    home = tmp_path / "home"
    build_library(made[0], home / "lib", options=ALL)
    shutil.copytree(home / "lib", tmp_path / "whole")
    both = stored(build_library(made[1], tmp_path / "whole", options=ALL, add=True))

    def build(**how: Any) -> None:
        options = BuildOptions(max_rejected=1.0, scratch=scratch)
        build_library(made[1], home / "lib", options=options, add=True, **how)

    survives(home, str(home / "lib"), build, [stored(made[2]), both])
    assert sorted(path.name for path in home.iterdir()) == ["lib"]


# -- in a store


def sent(there: str) -> dict[str, bytes]:
    """Every file below an address."""
    return {place: places.read_bytes(place) for place, _ in places.files_below(there)}


@pytest.fixture
def bucket(store: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An address of this test's own, and a folder of its own for what lies on the disk meanwhile."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    return f"s3://lab/{request.node.name}/lib?{store}"


def survives_there(there: str, build: Any, seen: list[Any]) -> None:
    """As ``survives``: only what is sent or removed is a step."""
    before = sent(there)
    with killed_after(1 << 30, {places: SENT}) as steps:
        build()
    want, taken = sent(there), steps[0]
    assert rows_of(there) == seen[-1]
    for number in range(taken):
        for place in sent(there):
            places.remove(place)
        for place, data in before.items():
            places.write_bytes(place, data)
        with killed_after(number, {places: SENT}), pytest.raises(Killed):
            build()
        assert rows_of(there) in seen, number
        build(resume=True)
        assert sent(there) == want, number


def test_a_library_in_a_store(tmp_path: Path, made: tuple[Path, Path, Library, Library], bucket: str) -> None:
    first, second, of_first, of_second = made

    def build(**how: Any) -> None:
        build_library(first, bucket, options=ALL, **how)

    survives_there(bucket, build, [None, stored(of_first)])
    assert {place.partition("?")[0].partition("/lib/")[2]: data for place, data in sent(bucket).items()} == files_in(
        Path(of_first.path)
    )
    with pytest.raises(OutputError, match=r"a library is there already; choose another address, or replace it with"):
        build()
    both = stored(build_library(second, of_first.path, options=ALL, add=True))
    whole = sent(bucket)

    def add(**how: Any) -> None:
        build_library(second, bucket, options=ALL, add=True, **how)

    survives_there(bucket, add, [stored(open_library(bucket)), both])
    assert {place: data for place, data in sent(bucket).items() if place in whole and "manifest" not in place} == {
        place: data for place, data in whole.items() if "manifest" not in place
    }

    def replace(**how: Any) -> None:
        build_library(second, bucket, options=ALL, force=True, **how)

    survives_there(bucket, replace, [both, None, stored(of_second)])
    assert {place.partition("?")[0].partition("/lib/")[2] for place in sent(bucket)} == set(
        files_in(Path(of_second.path))
    )
    assert not list((tmp_path / "tmp").iterdir())


def test_from_a_store_into_a_store_by_processes(tmp_path: Path, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # other processes have the real sizes
    paths = [write(tmp_path / "a.smi.gz", alkanes(60)), write(tmp_path / "b.parquet", alkanes(50, 30))]
    for path in paths:
        places.copy_in(path, places.join(bucket, "..", path.name).replace("lib/../", ""))
    here = build_library(paths, tmp_path / "here", options=ALL)
    away = [places.join(bucket, path.name).replace("/lib/", "/") for path in paths]
    there = build_library(away, bucket, options=ALL, executor=processes(2))
    assert stored(there) == stored(here)
    assert build_totals(there) == build_totals(here)
    assert [(entry["path"].partition("?")[0], entry["sha256"]) for entry in there.sources()] == [
        (address.partition("?")[0], entry["sha256"]) for address, entry in zip(away, here.sources(), strict=True)
    ]
    assert "key=reader" not in str(there.manifest)


def test_force_does_not_replace_what_is_no_library_in_a_store(tmp_path: Path, bucket: str) -> None:
    places.write_bytes(places.join(bucket, "manifest.json"), b"{}")
    with pytest.raises(OutputError, match=r"was not written by drylab .no duplicates.parquet., so --force does not"):
        build_library(write(tmp_path / "a.smi", ["CCO"]), bucket, force=True)
    assert list(sent(bucket).values()) == [b"{}"]


def test_a_store_that_fails_in_the_middle_does_not_undo_hours_of_work(tmp_path: Path, bucket: str) -> None:
    """A cut file stands for it: from here, the two look the same."""
    noise = random.Random(0)
    data = gzip.compress("".join(f"{'C' * (i % 50 + 1)}O {noise.random()}\n" for i in range(3000)).encode())
    away = places.join(bucket, "a.smi.gz").replace("/lib/", "/")
    places.write_bytes(away, data[: len(data) // 2])
    with pytest.raises(
        InputError, match=r"cannot be read past row .*; or, if it was the store that failed, go on with"
    ):
        build_library(away, tmp_path / "lib")
    assert list((tmp_path / ".lib.build" / "blocks").glob("*.json"))
