"""A run folder appears whole or not at all, and is never overwritten without being told to."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from drylab.errors import OutputError


@contextmanager
def new_folder(out: Path, force: bool, marks: tuple[str, ...]) -> Iterator[Path]:
    """A folder to write into, moved to ``out`` when the block ends well and removed when it does not.

    Raises OutputError before any work if ``out`` exists (with ``force``: if it is not one of drylab's, that is, has
    none of the files named by ``marks``), or if its parent cannot be written.
    """
    check_free(out, force, marks)
    shown, out = out, Path(os.path.realpath(out))  # so that "." has a name, and a link stays a link
    partial = out.parent / f".{out.name}.partial-{os.getpid()}"
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
    except OSError as error:
        raise OutputError(f"{shown}: cannot be written ({error.strerror}); choose another output folder") from error
    try:
        yield partial
        check_free(out, force, marks)  # once more: another run may have been faster
        if out.exists():
            old = out.parent / f".{out.name}.old-{os.getpid()}"
            os.replace(out, old)
            os.replace(partial, out)
            shutil.rmtree(old)
        else:
            os.replace(partial, out)
    except OSError as error:
        raise OutputError(
            f"{shown}: cannot be written ({error}); free space or choose another output folder"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def check_free(out: Path, force: bool, marks: tuple[str, ...]) -> None:
    """Raise OutputError unless ``out`` can be made, is an empty folder, or is drylab's and may be replaced."""
    try:
        if not out.exists():
            return
        if not out.is_dir():
            raise OutputError(f"{out}: is a file, and a folder is to be written there; choose another output folder")
        empty = not any(out.iterdir())
    except OSError as error:
        raise OutputError(f"{out}: cannot be used ({error.strerror}); choose another output folder") from error
    if empty:
        return
    if not force:
        raise OutputError(f"{out}: exists already; choose another output folder, or replace it with --force")
    if not any((out / mark).is_file() for mark in marks):
        raise OutputError(
            f"{out}: was not written by drylab (no {' or '.join(marks)}), so --force does not replace it; remove it yourself"
        )
