"""Cells of a file as Arrow text, by their buffers; only what is not plain ASCII goes through Python."""

from __future__ import annotations

import posixpath
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drylab.kernels.gather import filled
from drylab.library.layout import LONGEST_ID

LONG_ID = f"id longer than {LONGEST_ID} characters"


def stem_of(path: str) -> str:
    """What stands for a file in the ids of its rows that have none."""
    return posixpath.basename(path.partition("?")[0] if "://" in path else path).split(".")[0]


def plain(raw: bytes) -> str:
    """Text of bytes from anywhere: what is not UTF-8, and NUL, stays visible as \\xNN."""
    return raw.decode("utf-8", "backslashreplace").replace("\0", "\\x00").strip()


def idents(
    text: NDArray[np.uint8], offsets: NDArray[np.int32], numbers: NDArray[np.int64], path: str
) -> tuple[pa.StringArray, dict[int, str]]:
    """Ids of n rows, and position -> trouble. ``text``, ``offsets``: the cells; an empty one becomes "STEM:NUMBER"."""
    troubles: dict[int, str] = {}
    told: dict[int, bytes] = {}
    stem = stem_of(path).encode("utf-8", "backslashreplace")
    for i, said in _odd(text, offsets):
        if len(said) > LONGEST_ID:
            troubles[i] = LONG_ID
        told[i] = said[:LONGEST_ID].encode() or b"%s:%d" % (stem, numbers[i])
    if len(numbers) and (offsets[1:] == offsets[:-1]).any():
        text, ends = filled(text, offsets, numbers, np.frombuffer(stem, np.uint8))
        assert ends[-1] < 2**31, "ids of a block hold fewer than 2**31 bytes; use smaller blocks"
        offsets = ends.astype(np.int32)
    return _array(text, offsets, told, None), troubles


def optional(text: NDArray[np.uint8], offsets: NDArray[np.int32], there: NDArray[np.bool_]) -> pa.StringArray:
    """Cells of n rows, null where ``there`` is false."""
    told = {i: said.encode() for i, said in _odd(text, offsets)}
    return _array(text, offsets, told, None if there.all() else there)


def _odd(text: NDArray[np.uint8], offsets: NDArray[np.int32]) -> list[tuple[int, str]]:
    """(position, text) of the cells that are not ASCII, hold a NUL, or are long."""
    wrong = np.diff(offsets) > LONGEST_ID
    if len(text) and (text.max() > 127 or text.min() == 0):
        at = np.flatnonzero((text > 127) | (text == 0))
        wrong[np.searchsorted(offsets, at, "right") - 1] = True
    return [(int(i), plain(text[offsets[i] : offsets[i + 1]].tobytes())) for i in np.flatnonzero(wrong)]


def _array(text: Any, offsets: Any, told: dict[int, bytes], there: NDArray[np.bool_] | None) -> pa.StringArray:
    n = len(offsets) - 1
    valid = None if there is None else pa.py_buffer(np.packbits(there, bitorder="little"))
    buffers = [valid, pa.py_buffer(offsets), pa.py_buffer(text)]
    if not told:
        return pa.Array.from_buffers(pa.string(), n, buffers)
    mask = np.zeros(n, bool)
    mask[list(told)] = True
    found = pa.Array.from_buffers(pa.binary(), n, buffers)
    return pc.replace_with_mask(found, mask, pa.array(list(told.values()), pa.binary())).cast(pa.string())
