"""A run folder appears whole or not at all, and is never overwritten without being told to."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from drylab.errors import OutputError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)


@contextmanager
def new_folder(out: Path, force: bool, marks: tuple[str, ...]) -> Iterator[Path]:
    """A folder to write into, moved to ``out`` when the block ends well and removed when it does not.

    Raises OutputError before any work if ``out`` exists (with ``force``: if it is not one of drylab's, that is, has
    none of the files named by ``marks``), if it cannot be replaced, or if its parent cannot be written.
    """
    check_free(out, force, marks)
    shown, out = out, Path(os.path.realpath(out))  # so that a link stays a link
    # Not the process id: two machines, or two containers, may share the id and the disk.
    partial = out.parent / f".{out.name}.partial-{secrets.token_hex(4)}"
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        partial.mkdir()
    except OSError as error:
        raise OutputError(f"{shown}: cannot be written ({error.strerror}); choose another output folder") from error
    try:
        yield partial
        check_free(out, force, marks)  # once more: another run may have been faster
        _move_into_place(partial, out)
    except OSError as error:
        if error.errno not in _FULL and not str(error.filename or "").startswith(str(out.parent)):
            raise  # not of writing here
        raise OutputError(
            f"{shown}: cannot be written ({error.strerror or error}); free space or choose another output folder"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _move_into_place(partial: Path, out: Path) -> None:
    """Make a finished folder the folder ``out``, in place of what is there. Raises OSError."""
    if not out.exists():
        os.replace(partial, out)
        return
    old = out.parent / f".{out.name}.old-{secrets.token_hex(4)}"
    os.replace(out, old)
    try:
        os.replace(partial, out)
    except OSError:
        os.replace(old, out)
        raise
    shutil.rmtree(old)


def check_free(out: Path, force: bool, marks: tuple[str, ...]) -> None:
    """Raise OutputError unless ``out`` can be made, is an empty folder, or is drylab's and may be replaced."""
    try:
        if not out.exists():
            return
        if not out.is_dir():
            raise OutputError(f"{out}: is a file, and a folder is to be written there; choose another output folder")
        empty = not any(out.iterdir())
        # Whoever stands in a folder does not see the one that takes its place, and a mount point cannot be moved.
        fixed = out.is_mount() or Path.cwd().is_relative_to(os.path.realpath(out))
    except OSError as error:
        raise OutputError(f"{out}: cannot be used ({error.strerror}); choose another output folder") from error
    if not empty and not force:
        raise OutputError(f"{out}: exists already; choose another output folder, or replace it with --force")
    if not empty and not any((out / mark).is_file() for mark in marks):
        raise OutputError(
            f"{out}: was not written by drylab (no {' or '.join(marks)}), so --force does not replace it; remove it yourself"
        )
    if fixed:
        raise OutputError(
            f"{out}: is the folder you are in, or a mount point, and cannot be replaced; choose a new folder in it"
        )


def check_apart(out: Path, inputs: Iterable[str]) -> None:
    """Raise OutputError if one of the files or folders read lies in ``out``: replacing it would remove what is read."""
    home = os.path.realpath(out)
    for name in inputs:
        if Path(os.path.realpath(name)).is_relative_to(home):
            raise OutputError(
                f"{out}: holds {name}, which is read, and would be replaced; choose another output folder"
            )
