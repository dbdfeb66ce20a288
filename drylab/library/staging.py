"""The scratch folder of a build: one builder at a time, and what a killed one finished is not done again.

``.NAME.build/`` lies beside the library NAME (or where the caller says), and holds

    lock         held by the process that builds; the system lets it go when that process ends, however it ends
    build.json   what is being built; a build that goes on has to be of the same. Without it there is no build
    blocks/      a sorted run, rejected rows and an account of each block that was read
    parts/       an account of each shard that was written
    library/     the library, as far as it is there; moved to NAME in one step at the end
    publishing   written last: the SHA-256 of the manifest that NAME is about to get
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import itertools
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drylab.errors import OutputError
from drylab.library import layout, places
from drylab.library.writing import whole_file

LOCK, WHAT, PUBLISHING = "lock", "build.json", "publishing"
FOLDERS = ("blocks", "parts", "library")
# Some network disks have no locks. There an unfinished build is still not touched unless --resume or --force is said.
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


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


def scratch_of(out: str, scratch: str = "") -> Path:
    """Where a library at ``out`` is built: beside it, so that it can be moved in one step, or in the folder ``scratch``.

    What is for an address lies in the system's folder for temporary files. There, and in ``scratch``, the name tells
    libraries of the same name apart.
    """
    away = places.is_address(out)
    place = places.shown(out).partition("?")[0].rstrip("/") if away else os.path.realpath(out)
    if not scratch and not away:
        return Path(place).parent / f".{Path(place).name}.build"
    own = hashlib.sha256((places.shown(out) if away else place).encode("utf-8", "surrogateescape")).hexdigest()[:12]
    return Path(os.path.abspath(scratch or tempfile.gettempdir())) / f".{places.name(place)}-{own}.build"


def begun(folder: Path) -> bool:
    """Whether an unfinished build lies in a scratch folder."""
    return (folder / WHAT).is_file()


def published(folder: Path, out: str) -> bool:
    """Whether what lies in a scratch folder has become the library at ``out``: it is of no more use then."""
    note, manifest = folder / PUBLISHING, places.join(out, layout.MANIFEST)
    if not begun(folder) or not note.is_file() or places.info(manifest).kind != "file":
        return False
    return hashlib.sha256(places.read_bytes(manifest)).hexdigest() == note.read_text()


@contextmanager
def staged(folder: Path, shown: str, what: Mapping[str, Any], resume: bool, force: bool) -> Iterator[Staging]:
    """Hold the scratch folder of the library ``shown`` while it is built, and remove it when the block ends well.

    ``what`` (JSON-ready) is written there and compared when a build goes on. A block that ends with an error leaves the
    folder as it is: ``discard`` removes it. Raises OutputError if another build holds it, if an unfinished build is
    there and neither ``resume`` nor ``force`` (which throws it away) is said, and if that was a build of something else.
    """
    with held(folder, shown):
        before = begun(folder)
        if before and not resume and not force:
            raise OutputError(
                f"{shown}: an unfinished build of it is there ({folder}); finish it with --resume, or start again with --force"
            )
        if before and resume:
            _check_same(folder, shown, what)
        else:
            _clear(folder)
            for name in FOLDERS:
                (folder / name).mkdir()
            write_whole(folder / WHAT, json.dumps(what, indent=1, sort_keys=True))
        yield Staging(folder, before and resume)
        discard(folder)


def discard(folder: Path) -> None:
    """Empty a scratch folder that this process holds: first what makes it a build, so that a half emptied one is none."""
    (folder / WHAT).unlink(missing_ok=True)
    _clear(folder, forgiving=True)  # a worker whose parent was killed may not have ended yet


def write_whole(path: str | Path, text: str) -> None:
    """A small file that appears whole."""
    with whole_file(str(path)) as file:
        file.write(text.encode())


@contextmanager
def held(folder: Path, shown: str) -> Iterator[None]:
    """The lock of a folder, which is made if it is not there, and goes if it holds nothing else then.

    Raises OutputError if another process has it.
    """
    handle = _locked(folder, shown)
    try:
        try:
            yield
        finally:
            _leave(folder, handle)
    finally:
        os.close(handle)


def _leave(folder: Path, handle: int) -> None:
    if _same_file(handle, folder / LOCK) and os.listdir(folder) == [LOCK]:
        (folder / LOCK).unlink()
        with contextlib.suppress(OSError):  # another process has made its lock there since: the folder is its own
            folder.rmdir()


def _locked(folder: Path, shown: str) -> int:
    """A handle of the folder's lock, which this process has as long as the handle is open."""
    while True:
        handle = _opened(folder, shown)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in NO_LOCKS:
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


def _opened(folder: Path, shown: str) -> int:
    """A handle of the folder's lock file; both are made if they are not there."""
    while True:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            try:
                return os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
            except FileNotFoundError:
                continue  # who held it was done, and removed the folder just now
        except OSError as error:
            raise OutputError(
                f"{shown}: cannot be written: {folder}: {error.strerror}; choose another output folder, or another --scratch"
            ) from error


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
            old, new = (json.dumps(each)[:300] for each in _first_of(before.get(name), now.get(name)))
            raise OutputError(
                f"{shown}: the unfinished build there ({folder}) is another one: its {name} is {old}, now it is {new}; "
                "give the same, or start again with --force"
            )


def _first_of(old: Any, new: Any) -> tuple[Any, Any]:
    """Of two lists the first items that differ, of all else both."""
    if isinstance(old, list) and isinstance(new, list):
        return next((pair for pair in itertools.zip_longest(old, new) if pair[0] != pair[1]), (old, new))
    return old, new


def _clear(folder: Path, forgiving: bool = False) -> None:
    for path in folder.iterdir():
        if path.name == LOCK:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=forgiving)
        else:
            path.unlink(missing_ok=True)
