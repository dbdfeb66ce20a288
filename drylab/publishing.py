"""The last step of a build: what lies in its scratch folder becomes the library, in one step that a reader can see."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drylab.errors import LibraryError
from drylab.intake import Job
from drylab.library import layout, places
from drylab.library.staging import PUBLISHING, Staging, scratch_of, write_whole
from drylab.library.store import file_sha256, is_library, open_library
from drylab.library.writing import whole_file

# In the scratch folder beside a library: a copy of the new one, where it was built on another disk, and the old one.
COPY, OLD = "copy", "old"


def publish(job: Job, staging: Staging, out: str) -> None:
    """Make the finished library, or the finished version, visible at ``out``.

    A new library on a disk is moved there as a folder. What is added is put beside what is there, under names that no
    manifest knows, and the manifest is replaced last. In a store the manifest of a library that is replaced goes first
    and the new one comes last: meanwhile there is no library. Raises OSError, and LibraryError if the library that is
    added to was changed meanwhile.
    """
    if job.base is not None and open_library(out).sha256 != job.base.sha256:
        raise LibraryError(f"{places.shown(out)}: was changed while this build added to it; start again with --force")
    manifest = (staging.library / layout.MANIFEST).read_bytes()
    files = _sums(json.loads(manifest)["versions"][-1])
    write_whole(staging.folder / PUBLISHING, hashlib.sha256(manifest).hexdigest())
    if job.base is None and not places.is_address(out):
        _put(staging.library, {*files, layout.MANIFEST}, Path(os.path.realpath(out)))
        return
    if job.base is None:
        _withdraw(out, staging.folder / "replaced.json", set(files))
    for file, sha256 in files.items():
        _bring(staging.library / file, places.join(out, file), sha256)
    places.write_bytes(places.join(out, layout.MANIFEST), manifest)


def tidy(beside: Path) -> None:
    """Remove what putting a library in its place left beside it."""
    for name in (COPY, OLD):
        shutil.rmtree(beside / name, ignore_errors=True)


def _sums(version: Mapping[str, Any]) -> dict[str, str]:
    """The files that a version of a manifest names, with their SHA-256."""
    return {
        entry["file"]: entry["sha256"] for entry in (*version["shards"], version["duplicates"], version["rejected"])
    }


def _put(library: Path, files: set[str], out: Path) -> None:
    """Make a finished folder the folder ``out``, in place of what is there."""
    for path in library.rglob("*"):
        if path.is_file() and path.relative_to(library).as_posix() not in files:
            path.unlink()  # a worker that was killed left it
    beside = scratch_of(str(out))
    tidy(beside)
    if library.stat().st_dev != beside.stat().st_dev:
        for file in sorted(files):
            (beside / COPY / file).parent.mkdir(parents=True, exist_ok=True)
            _copy(library / file, str(beside / COPY / file))
        library = beside / COPY
    if out.exists():
        os.replace(out, beside / OLD)
    try:
        os.replace(library, out)
    except OSError:
        if (beside / OLD).exists():
            os.replace(beside / OLD, out)
        raise
    tidy(beside)


def _withdraw(out: str, note: Path, new: set[str]) -> None:
    """Take a library out of a store, but for the files that the new one replaces."""
    if is_library(out):
        try:
            old = [file for version in open_library(out).manifest["versions"] for file in _sums(version)]
        except LibraryError:  # of another schema, or broken
            old = []
        write_whole(note, json.dumps(old))
        places.remove(places.join(out, layout.MANIFEST))
    for file in json.loads(note.read_text()) if note.is_file() else ():
        if file not in new:
            places.remove(places.join(out, file))


def _bring(here: Path, there: str, sha256: str) -> None:
    """Move or copy one file into a library that is there."""
    if places.is_address(there):
        places.copy_in(here, there)
    elif here.exists():
        try:
            os.replace(here, there)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            _copy(here, there)  # and stay here: a build that is killed now copies it again
    elif not os.path.isfile(there) or file_sha256(there) != sha256:  # else a build that was killed moved it
        raise LibraryError(f"{there}: was changed while this build added to it; start again with --force")


def _copy(here: Path, there: str) -> None:
    with open(here, "rb") as source, whole_file(there, sync=True) as file:
        shutil.copyfileobj(source, file, 1 << 20)
