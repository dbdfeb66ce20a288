"""Vendor files -> blocks -> rows. A format is a line of ``FORMATS``.

A build opens each source once, cuts it into blocks in its own process, and reads the rows of a block in any other: blocks
hold whole rows, and which rows there are does not depend on how large the blocks are.
"""

from __future__ import annotations

import glob
import os
import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from drylab.errors import InputError
from drylab.library import delimited, places, sdf, tables
from drylab.library.places import said, shown
from drylab.library.rows import Block, Columns, Rows, Source
from drylab.library.streams import FAILURES, Seen, squeezed
from drylab.library.tables import memory_blocks, memory_source

__all__ = [
    "COMPRESSIONS",
    "FORMATS",
    "Columns",
    "Format",
    "blocks",
    "expand",
    "memory_blocks",
    "memory_source",
    "open_source",
    "read_rows",
    "squeezed",
]


@dataclass(frozen=True, slots=True)
class Format:
    """open: (path, compression, columns) -> what a Source holds as its layout; blocks and read: as below.

    Rows are numbered from 1: those of text by the line they start on, those of .sdf and .parquet one by one.
    """

    open: Callable[[str, str, Columns], Any]
    blocks: Callable[[Source, int, int | None, Seen | None], Iterator[Block]]
    read: Callable[[Source, Block], Rows]


_CSV = Format(partial(delimited.open_delimited, expected=","), delimited.blocks, delimited.read)
_TSV = Format(partial(delimited.open_delimited, expected="\t"), delimited.blocks, delimited.read)
FORMATS: dict[str, Format] = {
    ".smi": Format(delimited.open_words, delimited.blocks, delimited.read),
    ".cxsmiles": Format(delimited.open_cxsmiles, delimited.blocks, delimited.read),
    ".csv": _CSV,
    ".tsv": _TSV,
    ".txt": _TSV,
    ".sdf": Format(sdf.open_sdf, sdf.blocks, sdf.read),
    ".parquet": Format(tables.open_parquet, tables.parquet_blocks, tables.read),
}
COMPRESSIONS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}


def expand(patterns: Sequence[str]) -> list[str]:
    """Files that paths, addresses and globs name, sorted within a glob. Raises InputError where there is none, or no reader.

    In an address only ``*`` and ``[`` make a glob: ``?`` starts the options of the store.
    """
    files: list[str] = []
    if not patterns:
        raise InputError("no source files are given; give at least one file or glob")
    for pattern in patterns:
        found = _matching(pattern)
        if not found:
            raise InputError(f"{shown(pattern)}: no file matches; check the path")
        files.extend(found)
    for name in files:
        kind = _info(name).kind
        if kind == "folder":
            raise InputError(f"{shown(name)}: is a folder; give files or a glob such as {shown(name)}/*.smi")
        if kind != "file" and not places.is_address(name) and os.path.exists(name):
            raise InputError(
                f"{shown(name)}: is a pipe or a device, which cannot be read twice; write it to a file first"
            )
        if kind != "file":
            raise InputError(f"{shown(name)}: no such file; check the path")
        kind_of(name)
    return files


def _info(place: str) -> places.Info:
    try:
        return places.info(place)
    except FAILURES as error:
        raise InputError(
            f"{shown(place)}: cannot be looked up ({said(error, place)}); check the path and the store"
        ) from error


def _matching(pattern: str) -> list[str]:
    if not places.is_address(pattern):
        magic = glob.has_magic(pattern) and not os.path.exists(pattern)
        return sorted(glob.glob(pattern, recursive=True)) if magic else [pattern]
    address, mark, options = pattern.partition("?")
    if not re.search(r"[*\[]", address) or _info(pattern).kind == "file":
        return [pattern]
    base = re.split(r"[*\[]", address)[0].rpartition("/")[0]
    wanted = address.split("/")
    try:
        found = [place for place, _ in places.files_below(base + mark + options)]
    except FAILURES as error:
        raise InputError(f"{shown(pattern)}: cannot be listed ({said(error, pattern)}); check the address") from error
    return sorted(place for place in found if _fits(place.partition("?")[0].split("/"), wanted))


def _fits(parts: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether a path fits a glob, part by part; ``**`` stands for any number of parts."""
    if not wanted:
        return not parts
    if wanted[0] == "**":
        return any(_fits(parts[i:], wanted[1:]) for i in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], wanted[0]) and _fits(parts[1:], wanted[1:])


def kind_of(path: str) -> tuple[str, str]:
    """(key of FORMATS, name of the compression) by the suffixes. Raises InputError where there is no reader."""
    name = posixpath.basename(path.partition("?")[0] if places.is_address(path) else path).lower()
    stem, last = os.path.splitext(name)
    compression = COMPRESSIONS.get(last, "")
    suffix = os.path.splitext(stem)[1] if compression else last
    if suffix not in FORMATS or (suffix == ".parquet" and compression):
        raise InputError(
            f"{shown(path)}: no reader for this kind of file; readable are {', '.join(FORMATS)} and, but for .parquet, "
            f"{', '.join(COMPRESSIONS)} of these"
        )
    return suffix, compression


def open_source(path: str, number: int, columns: Columns) -> Source:
    """Look at the start of a file: its columns, delimiter and header. Raises InputError where it cannot be understood."""
    suffix, compression = kind_of(path)
    layout = FORMATS[suffix].open(path, compression, columns)
    return Source(path, number, suffix, compression, layout, _info(path).size)


def blocks(source: Source, block_bytes: int, limit: int | None = None, seen: Seen | None = None) -> Iterator[Block]:
    """Pieces of about ``block_bytes`` of text that end where a row ends, of at most ``limit`` rows together.

    ``seen`` is given the bytes of the file as they lie on the disk: all of them where the source is read to its end, and
    at least what was read where ``limit`` ends it before (nothing of Parquet). Raises InputError naming file and row where
    the file breaks, a quote or record has no end, or there are no rows.
    """
    return FORMATS[source.format].blocks(source, block_bytes, limit, seen)


def read_rows(source: Source, block: Block) -> Rows:
    """The rows of a block: as many as ``block.rows``."""
    read = tables.read if source.format == "memory" else FORMATS[source.format].read
    rows = read(source, block)
    assert len(rows) == block.rows == len(rows.ids) == len(rows.offsets) - 1
    return rows
