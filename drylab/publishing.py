"""The last step of a build: what lies in its scratch folder becomes the library, in one step that a reader can see."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from drylab.assembling import Job
from drylab.errors import LibraryError
from drylab.library import layout, places
from drylab.library.staging import Staging
from drylab.library.store import open_library
from drylab.report.folder import move_into_place


def publish(job: Job, staging: Staging, out: str) -> None:
    """Make the finished library, or the finished version, visible at ``out``.

    A new library on a disk is moved there as a folder. Everything else is put beside what is there, under names that no
    manifest knows, and the manifest is replaced last. Raises OSError, and LibraryError if the library that is added to
    was changed meanwhile.
    """
    if job.base is None and not places.is_address(out):
        move_into_place(staging.library, Path(os.path.realpath(out)))
        return
    if job.base is not None and open_library(out).sha256 != job.base.sha256:
        raise LibraryError(f"{places.shown(out)}: was changed while this build added to it; start again with --force")
    manifest = (staging.library / layout.MANIFEST).read_bytes()
    for file in new_files(manifest):
        _bring(staging.library / file, places.join(out, file))
    places.write_bytes(places.join(out, layout.MANIFEST), manifest)


def new_files(manifest: bytes) -> list[str]:
    """The files of the newest version that a manifest names."""
    newest = json.loads(manifest)["versions"][-1]
    return [*(shard["file"] for shard in newest["shards"]), newest["duplicates"]["file"], newest["rejected"]["file"]]


def _bring(here: Path, there: str) -> None:
    """Move or copy one file; done before, by a build that was killed, is as good."""
    if places.is_address(there):
        places.copy_in(here, there)
    elif here.exists():
        part = f"{there}.part"  # a scratch folder may be on another disk
        shutil.move(here, part)
        os.replace(part, there)
