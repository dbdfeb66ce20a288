"""Arrow arrays from NumPy's numbers and Python's text, without ``pa.array``, which loads pandas: a fifth of a second a process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def numbers(values: NDArray[Any], valid: NDArray[np.bool_] | None = None) -> pa.Array:
    """(n,) numbers or truth values of any NumPy type as Arrow's, sharing memory where it can; null where not ``valid``."""
    packed = np.packbits(values, bitorder="little") if values.dtype == bool else np.ascontiguousarray(values)
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), [_bits(valid), pa.py_buffer(packed)])


def floats(column: pa.Array | pa.ChunkedArray) -> NDArray[np.float64]:
    """(n,) float64 of a column of numbers, NaN for null. ``to_numpy`` would load pandas, which takes a fifth of a second."""
    array = (column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column).cast(pa.float64())
    bits, packed = array.buffers()
    if not len(array):
        return np.zeros(0)
    held = slice(array.offset, array.offset + len(array))
    values = np.frombuffer(packed, np.float64)[held].copy()
    if bits is not None:
        values[np.unpackbits(np.frombuffer(bits, np.uint8), bitorder="little")[held] == 0] = np.nan
    return values


def texts(values: Sequence[str | None] | NDArray[np.object_]) -> pa.StringArray:
    """Texts, None for null; less than 2 GB of them."""
    encoded = [b"" if text is None else text.encode() for text in values]
    valid = np.array([text is not None for text in values], bool)
    buffers = [_bits(valid), _offsets([len(text) for text in encoded]), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(values), buffers)


def lists(values: Sequence[NDArray[np.float32] | None]) -> pa.ListArray:
    """A list of float32 in each row, None for null."""
    there = [row for row in values if row is not None]
    inner = numbers(np.concatenate([np.zeros(0, np.float32), *there]))
    valid = np.array([row is not None for row in values], bool)
    buffers = [_bits(valid), _offsets([0 if row is None else len(row) for row in values])]
    return pa.Array.from_buffers(pa.list_(pa.float32()), len(values), buffers, children=[inner])


def _bits(valid: NDArray[np.bool_] | None) -> pa.Buffer | None:
    return None if valid is None or valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little"))


def _offsets(lengths: Sequence[int]) -> pa.Buffer:
    return pa.py_buffer(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32))
