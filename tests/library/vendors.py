"""Vendor files for tests: written in any format and compression, and read back as plain rows."""

from __future__ import annotations

import bz2
import gzip
from pathlib import Path

import pyarrow as pa
import pytest

from drylab.errors import InputError
from drylab.library.rows import Columns
from drylab.library.sources import blocks, expand, open_source, read_rows

Row = tuple[int, str, str]
PACKERS = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".zst": lambda raw: pa.compress(raw, codec="zstd", asbytes=True),
}


def write(path: Path, data: str | bytes) -> Path:
    """Write a file, compressed as its suffix says."""
    raw = data if isinstance(data, bytes) else data.encode()
    path.write_bytes(PACKERS.get(path.suffix, bytes)(raw))
    return path


def rows(path: Path | str, columns: Columns | None = None, size: int = 1 << 20, limit: int | None = None) -> list[Row]:
    """(number, id, SMILES) of every row, having looked at what all blocks must be."""
    source = open_source(expand([str(path)])[0], 7, columns or Columns())
    found: list[Row] = []
    for i, block in enumerate(blocks(source, size, limit)):
        assert (block.source, block.number) == (7, i)
        assert block.rows > 0
        read = read_rows(source, block)
        assert len(read) == block.rows
        smiles = [text.decode("utf-8", "backslashreplace") for text in read.smiles().to_pylist()]
        found += zip(read.numbers.tolist(), read.ids.to_pylist(), smiles, strict=True)
        read.ids.validate(full=True)
    return found


def refused(path: Path | str, columns: Columns | None = None) -> str:
    """The one line that says why a file cannot be read."""
    with pytest.raises(InputError, match=r".") as caught:
        rows(path, columns)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert len(message.splitlines()) == 1
    assert len(message) < 700
    return message
