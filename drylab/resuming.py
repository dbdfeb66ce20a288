"""What a build finds of one before it: an unfinished one to go on with, a finished one, or what a kill left to sweep up."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from importlib.metadata import version
from pathlib import Path
from typing import Any

from drylab.intake import Job
from drylab.library import layout, places
from drylab.library.rows import Columns
from drylab.library.staging import begun, discard, held, published, scratch_of
from drylab.library.store import is_library, open_library


def sweep(out: str, scratch: str) -> None:
    """Remove what a build left that was killed after its library had come into its place."""
    for folder in {scratch_of(out), scratch_of(out, scratch)}:
        if folder.is_dir() and _useless(folder, out):
            with held(folder, places.shown(out)):
                if _useless(folder, out):  # now that nobody else is at it
                    discard(folder)


def _useless(folder: Path, out: str) -> bool:
    return not begun(folder) or published(folder, out)


def finished(out: str, job: Job, scratch: str) -> bool:
    """Whether the build that is to go on was finished, and only its caller was stopped: nothing unfinished is there."""
    if not is_library(out) or begun(scratch_of(out, scratch)):
        return False
    library = open_library(out)
    last = library.manifest["versions"][-1]["sources"]
    before, now = [[entry["path"], entry["bytes"]] for entry in last], [each[:2] for each in _sources(job)]
    read, whole = sum(entry["read"] for entry in last), all(entry["sha256"] for entry in last)
    same = library.recipe == job.recipe and (library.version > 1) == (job.base is not None)
    return same and before == now and (whole if job.limit is None else read == job.limit)


def beside(out: str, scratch: str) -> AbstractContextManager[None]:
    """The lock beside the library, also where the work lies elsewhere: one build at a time, whatever their --scratch."""
    here = scratch_of(out)
    return held(here, places.shown(out)) if here != scratch_of(out, scratch) else nullcontext()


def what(job: Job, columns: Columns) -> dict[str, Any]:
    """What tells one build from another: a build goes on only as the same."""
    return {
        "drylab": version("drylab"),
        "recipe": dict(job.recipe),
        "columns": [columns.smiles, columns.id],
        "limit": job.limit,
        "sources": _sources(job),
        "onto": job.base.sha256 if job.base else "",
        "sizes": [job.block_bytes, layout.GROUP_ROWS, layout.SHARD_ROWS, layout.SHARD_BYTES],
        "pyarrow": version("pyarrow"),  # which writes the bytes
    }


def _sources(job: Job) -> list[list[Any]]:
    return [[places.shown(source.path), source.size, _changed(source.path)] for source in job.sources]


def _changed(path: str) -> int:
    return os.stat(path).st_mtime_ns if os.path.isfile(path) else 0
