"""Paths and addresses (s3://, gs://, ...) -> files, through pyarrow.fs: what reads a library does not ask where it lies.

An address is SCHEME://BUCKET/PATH?OPTIONS. The options are those of pyarrow.fs.FileSystem.from_uri (region,
endpoint_override, scheme, ...), and access_key and secret_key; without these the store finds credentials in its usual
places (environment, files in the home folder, the machine's role). An address carries all that a worker needs; ``shown``
is what people may see of it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import posixpath
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote_plus, urlencode

import pyarrow as pa
from pyarrow import fs

from drylab.errors import InputError

KEYS = ("access_key", "secret_key")
SECRET = re.compile(r"([?&][^=&]*(?:key|secret|token|password|signature|sas)[^=&]*=)([^&]*)", re.IGNORECASE)
USER = re.compile(r"://([^/@?]+)@")
PIECE = 1 << 22  # bytes that are sent to a store at a time


@dataclass(frozen=True, slots=True)
class Info:
    """What is known of a place: whether it is a "file", a "folder" or "" (nothing), and the bytes of a file."""

    kind: str
    size: int = 0


def is_address(place: str) -> bool:
    """Whether this is a URL of an object store rather than a path of this machine."""
    return "://" in place


def join(place: str, *parts: str) -> str:
    """A place below another; what follows ``?`` in an address (options of the store) stays at its end."""
    if not is_address(place):
        return os.path.join(place, *parts)
    head, mark, options = place.partition("?")
    return posixpath.join(head, *parts) + mark + options


def absolute(place: str) -> str:
    """The same place for a worker that runs in another folder."""
    return place if is_address(place) else os.path.abspath(place)


def name(place: str) -> str:
    """What a place is called: the last part of a path or address."""
    return posixpath.basename(place.partition("?")[0].rstrip("/")) if is_address(place) else Path(place).name


def shown(place: str) -> str:
    """A place for messages and records: an address without its keys."""
    if not is_address(place):
        return place
    return SECRET.sub(r"\1***", USER.sub("://***@", place))


def said(error: BaseException | str, place: str = "") -> str:
    """What a store or a disk said, in one line of at most 300 characters, without the keys that an address has."""
    text = " ".join(str(error).split())
    for secret in [value for _, value in SECRET.findall(place)] + USER.findall(place):
        for written in (secret, unquote_plus(secret), quote(unquote_plus(secret), safe="")):
            text = text.replace(written, "***") if len(written) > 3 else text  # less is part of a word
    return text[:300]


def _resolve(place: str) -> tuple[Any, str]:
    """(file system, path in it)"""
    if not is_address(place):
        if "\0" in place or place.encode("utf-8", "replace").decode() != place:
            raise OSError(errno.EINVAL, "not a path that pyarrow can open: rename it in UTF-8", place)
        return fs.LocalFileSystem(), place
    head, _, options = place.partition("?")
    scheme, _, rest = head.partition("://")
    bucket, _, path = rest.partition("/")
    system, base = _store(f"{scheme}://{bucket}", options)
    return system, f"{base}/{path}".rstrip("/")


@lru_cache(maxsize=64)
def _store(root: str, options: str) -> tuple[Any, str]:
    given = parse_qsl(options, keep_blank_values=True)
    keys = dict(pair for pair in given if pair[0] in KEYS)
    others = urlencode([pair for pair in given if pair[0] not in KEYS])
    user = ":".join(quote(keys.get(key, ""), safe="") for key in KEYS)
    signed = root.replace("://", f"://{user}@", 1) if keys else root
    try:
        system, base = fs.FileSystem.from_uri(f"{signed}/?{others}" if others else f"{signed}/")
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputError(
            f"{shown(root)}: no such store ({said(error, f'{root}?{options}')}); known are s3://, gs://, abfs://, hdfs:// "
            "and paths"
        ) from None  # the cause may name a key
    return system, base.rstrip("/")


def info(place: str) -> Info:
    """What lies at a place. Raises OSError where the store does not answer."""
    if not is_address(place):  # also what cannot be a path: nothing is there
        if os.path.isfile(place):
            return Info("file", os.path.getsize(place))
        return Info("folder" if os.path.isdir(place) else "")
    system, path = _resolve(place)
    found = system.get_file_info(path)
    if found.type == fs.FileType.File:
        return Info("file", found.size or 0)
    return Info("folder" if found.type == fs.FileType.Directory else "")


def open_file(place: str) -> Any:
    """A file to read at any position. Raises OSError."""
    system, path = _resolve(place)
    return system.open_input_file(path)


def open_stream(place: str) -> Any:
    """A file to read from its start to its end. Raises OSError."""
    system, path = _resolve(place)
    return system.open_input_stream(path, compression=None)


def read_bytes(place: str) -> bytes:
    """The whole of a small file. Raises OSError."""
    with open_stream(place) as stream:
        return bytes(stream.read())


def write_bytes(place: str, data: bytes) -> None:
    """Write a small file: in a store it appears whole, on a disk it replaces the old one at once. Raises OSError."""
    system, path = _resolve(place)
    if is_address(place):
        with system.open_output_stream(path, compression=None) as stream:
            stream.write(data)
        return
    part = Path(f"{path}.part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)


def copy_in(here: str | Path, there: str) -> None:
    """Copy a file of this machine to an address, where it appears whole. Raises OSError."""
    system, path = _resolve(there)
    with open(here, "rb") as file, system.open_output_stream(path, compression=None) as stream:
        shutil.copyfileobj(file, stream, PIECE)


def remove(place: str) -> None:
    """Remove a file, if it is there. Raises OSError."""
    system, path = _resolve(place)
    with contextlib.suppress(FileNotFoundError):
        system.delete_file(path)


def files_below(place: str) -> Iterator[tuple[str, int]]:
    """(place, bytes) of every file in a folder of a store or disk and in its folders, sorted by name."""
    system, path = _resolve(place)
    found = system.get_file_info(fs.FileSelector(path, recursive=True, allow_not_found=True))
    for one in sorted(found, key=lambda info: info.path):
        if one.type == fs.FileType.File:
            yield join(place, posixpath.relpath(one.path, path)), one.size or 0
