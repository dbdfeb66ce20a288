"""A folder appears whole or not at all, and nothing that was there is lost by a failure or by --force."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from drylab.errors import InputError, OutputError
from drylab.report.folder import check_free, new_folder

MARKS = ("run.json", "other.parquet")
OLD = {"run.json": "old", "sub/a": "kept"}
NEW = {"run.json": "new", "deep/er/b": "new"}


def fill(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def files_in(folder: Path) -> dict[str, str]:
    """Every file below a folder, hidden ones too: what a failure left behind is seen."""
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def write(out: Path, force: bool = False, then: Callable[[Path], object] = str) -> None:
    with new_folder(out, force, MARKS) as folder:
        fill(folder, NEW)
        then(folder)


def refused(out: Path, force: bool = False) -> str:
    with pytest.raises(OutputError, match=r"; |remove it yourself") as caught, new_folder(out, force, MARKS):
        pytest.fail("the work was started")
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_it_appears_at_the_end_of_the_block(tmp_path: Path) -> None:
    out = tmp_path / "a" / "b" / "run"
    with new_folder(out, False, MARKS) as folder:
        fill(folder, NEW)
        assert not out.exists()
        assert folder.parent == out.parent, "a move from another disk would be a copy"
    assert files_in(tmp_path / "a" / "b") == {f"run/{name}": text for name, text in NEW.items()}


@pytest.mark.parametrize("error", [InputError, KeyboardInterrupt, SystemExit, RuntimeError])
@pytest.mark.parametrize("there", [{}, OLD])
def test_what_fails_leaves_everything_as_it_was(
    tmp_path: Path, there: dict[str, str], error: type[BaseException]
) -> None:
    def stop(folder: Path) -> None:
        raise error("stop")

    out = fill(tmp_path / "run", there)
    with pytest.raises(error, match="stop"):
        write(out, True, stop)
    assert files_in(tmp_path) == {f"run/{name}": text for name, text in there.items()}
    assert out.exists() == bool(there)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a full disk is /dev/full")
def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    out = fill(tmp_path / "run", OLD)
    with pytest.raises(OutputError, match=r"run: cannot be written \(.*No space left.*free space or choose another"):
        write(out, True, lambda folder: Path("/dev/full").write_bytes(b"x"))
    assert files_in(tmp_path) == {f"run/{name}": text for name, text in OLD.items()}


def test_a_move_that_fails_puts_the_old_folder_back(tmp_path: Path) -> None:
    """The new folder is taken away, as a cleaner of old files would do."""
    out = fill(tmp_path / "run", OLD)
    with pytest.raises(OutputError, match="cannot be written"):
        write(out, True, shutil.rmtree)
    assert files_in(tmp_path) == {f"run/{name}": text for name, text in OLD.items()}


def test_a_folder_that_exists_is_replaced_only_with_force(tmp_path: Path) -> None:
    out = fill(tmp_path / "run", OLD)
    assert "exists already; choose another output folder, or replace it with --force" in refused(out)
    assert files_in(out) == OLD
    write(out, force=True)
    assert files_in(tmp_path) == {f"run/{name}": text for name, text in NEW.items()}


@pytest.mark.parametrize("mark", MARKS)
def test_any_one_mark_says_that_the_folder_is_drylabs(tmp_path: Path, mark: str) -> None:
    write(fill(tmp_path / "run", {mark: ""}), force=True)
    assert files_in(tmp_path / "run") == NEW


@pytest.mark.parametrize("name", ["thesis.txt", "run.json/inside", "sub/run.json", "RUN.JSON", ".hidden"])
def test_force_leaves_a_folder_without_a_mark(tmp_path: Path, name: str) -> None:
    out = fill(tmp_path / "run", {name: "years of work"})
    assert "no run.json or other.parquet), so --force does not replace it" in refused(out, force=True)
    assert files_in(tmp_path) == {f"run/{name}": "years of work"}


@pytest.mark.parametrize("force", [False, True])
def test_an_empty_folder_may_be_filled(tmp_path: Path, force: bool) -> None:
    (tmp_path / "run").mkdir()
    write(tmp_path / "run", force)
    assert files_in(tmp_path) == {f"run/{name}": text for name, text in NEW.items()}


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_that_somebody_makes_meanwhile_stays(tmp_path: Path, force: bool) -> None:
    out = tmp_path / "run"
    with pytest.raises(OutputError, match=r"exists already|was not written by drylab"):
        write(out, force, lambda folder: fill(out, {"theirs": "x"}))
    assert files_in(tmp_path) == {"run/theirs": "x"}


def test_what_fails_for_another_reason_keeps_its_name(tmp_path: Path) -> None:
    """A cluster that does not answer is no reason to free space."""

    def fail(folder: Path) -> None:
        raise TimeoutError("the scheduler does not answer")

    with pytest.raises(TimeoutError, match="the scheduler does not answer"):
        write(tmp_path / "run", False, fail)
    assert files_in(tmp_path) == {}


@pytest.mark.parametrize("force", [False, True])
def test_a_file_is_not_a_folder(tmp_path: Path, force: bool) -> None:
    file = tmp_path / "run.json"
    file.write_text("mine")
    assert refused(file, force).startswith(f"{file}: is a file, and a folder is to be written there")
    assert f"{file}/sub/run: cannot be" in refused(file / "sub" / "run", force)
    assert files_in(tmp_path) == {"run.json": "mine"}


@pytest.mark.parametrize("length", [250, 300])
def test_a_name_that_is_too_long(tmp_path: Path, length: int) -> None:
    assert "File name too long" in refused(tmp_path / ("x" * length))


@contextmanager
def nobody() -> Iterator[None]:
    """As a user who may not write to / and may not read pytest's folders; root may do both."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_a_place_that_cannot_be_written() -> None:
    with nobody():
        assert refused(Path("/drylab-test/run")).startswith("/drylab-test/run: cannot be written (Permission denied)")
    assert not Path("/drylab-test").exists()


def test_a_place_that_cannot_be_looked_at(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    with nobody():
        assert "run: cannot be used (Permission denied)" in refused(tmp_path / "closed" / "run")


@pytest.mark.parametrize("there", [{}, OLD])
def test_the_folder_one_is_in_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: dict[str, str]
) -> None:
    """A replaced folder is another one: who stands in it would see no result, and no relative path would work."""
    here = fill(tmp_path / "run" / "in", there)
    here.mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(here)
    for out in (Path(), here):
        assert "is the folder you are in" in refused(out, force=True)
    fill(here.parent, {"run.json": ""})
    assert "is the folder you are in" in refused(Path(".."), force=True)
    assert files_in(here) == there
    write(Path("new"))
    assert files_in(here / "new") == NEW
    write(Path("../beside"))
    assert files_in(tmp_path / "run" / "beside") == NEW


@pytest.mark.skipif(not os.path.ismount("/proc"), reason="/proc is the mount point that every Linux has")
def test_a_mount_point_is_refused_before_the_work() -> None:
    """It cannot be moved, as a folder that a container is given: the work would be lost at its end."""
    with pytest.raises(
        OutputError, match=r"^/proc: is the folder you are in, or a mount point, .*; choose a new folder"
    ):
        check_free(Path("/proc"), True, ("version",))


def test_the_place_is_fixed_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    monkeypatch.chdir(tmp_path)
    with new_folder(Path("run"), False, MARKS) as folder:
        os.chdir("a")
        fill(folder, NEW)
    assert files_in(tmp_path) == {f"run/{name}": text for name, text in NEW.items()}


def test_a_slash_at_the_end(tmp_path: Path) -> None:
    write(Path(f"{tmp_path}/run//"))
    assert files_in(tmp_path) == {f"run/{name}": text for name, text in NEW.items()}


@pytest.mark.parametrize("there", [None, {}, OLD])
def test_a_link_stays_a_link(tmp_path: Path, there: dict[str, str] | None) -> None:
    disk, link = tmp_path / "disk" / "run", tmp_path / "home" / "run"
    link.parent.mkdir()
    link.symlink_to(disk)
    if there is not None:
        disk.mkdir(parents=True)
        fill(disk, there)
    write(link, force=True)
    assert link.is_symlink()
    assert files_in(tmp_path / "disk") == {f"run/{name}": text for name, text in NEW.items()}


def test_a_link_to_itself(tmp_path: Path) -> None:
    (tmp_path / "run").symlink_to("run")
    with pytest.raises(OutputError, match="cannot be"):
        write(tmp_path / "run")
    assert (tmp_path / "run").is_symlink()
    assert len(list(tmp_path.iterdir())) == 1


def test_check_free_makes_nothing(tmp_path: Path) -> None:
    check_free(tmp_path / "a" / "run", False, MARKS)
    assert not list(tmp_path.iterdir())
