"""The scratch folder of a build: one builder at a time, and what a killed one finished is not done again.

``.NAME.build/`` lies beside the library NAME (or where the caller says), and holds

    lock         held by the process that builds; the system lets it go when that process ends, however it ends
    build.json   what is being built; a build that goes on has to be of the same
    blocks/      a sorted run, rejected rows and an account of each block that was read
    parts/       an account of each shard that was written
    library/     the library, as far as it is there; moved to NAME in one step at the end
"""

from __future__ import annotations

import fcntl
import json
import os
import platform
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drylab.errors import OutputError

LOCK, WHAT = "lock", "build.json"
FOLDERS = ("blocks", "parts", "library")


@dataclass(frozen=True, slots=True)
class Staging:
    """A scratch folder that this process holds; ``resumed`` if a build had begun there."""

    folder: Path
    resumed: bool

    @property
    def blocks(self) -> Path:
        """Runs, rejected rows and accounts of blocks."""
        return self.folder / "blocks"

    @property
    def parts(self) -> Path:
        """Accounts of shards."""
        return self.folder / "parts"

    @property
    def library(self) -> Path:
        """The library, as far as it is there."""
        return self.folder / "library"


def scratch_of(out: Path, scratch: str = "") -> Path:
    """Where a library at ``out`` is built: beside it, so that it can be moved in one step, or in the folder ``scratch``."""
    home = Path(os.path.realpath(out))
    return (Path(os.path.abspath(scratch)) if scratch else home.parent) / f".{home.name}.build"


@contextmanager
def staged(folder: Path, shown: str, what: Mapping[str, Any], resume: bool, force: bool) -> Iterator[Staging]:
    """Hold the scratch folder of the library ``shown`` while it is built, and remove it when the block ends well.

    ``what`` (JSON-ready) is written there and compared when a build goes on. A block that ends with an error leaves the
    folder as it is: ``discard`` removes it. Raises OutputError if another build holds it, if an unfinished build is
    there and neither ``resume`` nor ``force`` (which throws it away) is said, and if that was a build of something else.
    """
    handle = _held(folder, shown)
    try:
        begun = (folder / WHAT).is_file()
        if begun and not resume and not force:
            raise OutputError(
                f"{shown}: an unfinished build of it is there ({folder}); finish it with --resume, or start again with --force"
            )
        if begun and resume:
            _check_same(folder, shown, what)
        else:
            _clear(folder)
            for name in FOLDERS:
                (folder / name).mkdir()
            write_whole(folder / WHAT, json.dumps(what, indent=1, sort_keys=True))
        yield Staging(folder, begun and resume)
        shutil.rmtree(folder)
    finally:
        os.close(handle)


def discard(folder: Path) -> None:
    """Remove a scratch folder whose build cannot be finished. Held while it goes: nobody builds in half a folder."""
    shutil.rmtree(folder, ignore_errors=True)


def write_whole(path: str | Path, text: str) -> None:
    """A small file that appears whole."""
    part = Path(f"{path}.part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


def _held(folder: Path, shown: str) -> int:
    """The lock of the folder, which is made if it is not there."""
    while True:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise OutputError(
                f"{shown}: cannot be written: {folder}: {error.strerror}; choose another output folder, or another --scratch"
            ) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(handle, 200).decode("utf-8", "replace").strip() or "another process"
            os.close(handle)
            raise OutputError(
                f"{shown}: is being built by {holder}; wait for it, or choose another output folder"
            ) from error
        if _same_file(handle, folder / LOCK):
            os.truncate(handle, 0)
            os.write(handle, f"process {os.getpid()} on {platform.node()}".encode())
            return handle
        os.close(handle)  # who held it was done, and removed the folder meanwhile


def _same_file(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False


def _check_same(folder: Path, shown: str, what: Mapping[str, Any]) -> None:
    before = json.loads((folder / WHAT).read_text(encoding="utf-8"))
    now = json.loads(json.dumps(what))
    for name in sorted(before.keys() | now.keys()):
        if before.get(name) != now.get(name):
            old, new = (json.dumps(each.get(name))[:120] for each in (before, now))
            raise OutputError(
                f"{shown}: the unfinished build there ({folder}) is another one: its {name} is {old}, now it is {new}; "
                "give the same, or start again with --force"
            )


def _clear(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name == LOCK:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
