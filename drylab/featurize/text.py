"""A column of SMILES, however it comes -> bytes and offsets, which is what kernels read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drylab.errors import InputError
from drylab.types import SmilesBatch

Smiles: TypeAlias = Sequence[str] | pa.Array | pa.ChunkedArray | SmilesBatch
MOST_BYTES = 2**31 - 1


def as_bytes(smiles: Smiles | Any) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """(bytes,) uint8 and (n+1,) int32 offsets of a list, array or Series of str, an Arrow array, or a SmilesBatch.

    A SmilesBatch may hold arrays on a GPU and is passed through. A missing value is an empty SMILES, which no molecule
    has. Raises InputError for anything else, with the first row that is not text.
    """
    if isinstance(smiles, SmilesBatch):
        return smiles.data, smiles.offsets
    if isinstance(smiles, pa.Array | pa.ChunkedArray):
        return _from_arrow(smiles)
    if isinstance(smiles, str | bytes):
        raise InputError(f"expected a list of SMILES, got one text ({smiles!r:.40}); write [smiles]")
    rows = list(smiles)
    for row, text in enumerate(rows):
        if not isinstance(text, str) and not _missing(text):
            raise InputError(f"row {row}: expected a SMILES as text, got {type(text).__name__} ({text!r:.40})")
    encoded = [text.encode("utf-8", "surrogatepass") if isinstance(text, str) else b"" for text in rows]
    return np.frombuffer(b"".join(encoded), np.uint8), _offsets([len(text) for text in encoded])


def _missing(value: Any) -> bool:
    """None, NaN, or the null of Arrow or of pandas."""
    return (
        value is None
        or type(value).__name__ in ("NAType", "NullScalar")
        or (isinstance(value, float) and math.isnan(value))
    )


def _from_arrow(column: pa.Array | pa.ChunkedArray) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
        if isinstance(column, pa.ChunkedArray):  # more than 2 GB: one chunk does not hold it
            raise InputError(f"{len(column)} SMILES are more than {MOST_BYTES} bytes; give fewer rows at a time")
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    known = (
        pa.types.is_string,
        pa.types.is_large_string,
        pa.types.is_binary,
        pa.types.is_string_view,
        pa.types.is_null,
    )
    if not any(is_known(column.type) for is_known in known):
        raise InputError(f"expected an Arrow column of SMILES (string), got {column.type}")
    if not (pa.types.is_string(column.type) or pa.types.is_binary(column.type)):
        column = column.cast(pa.string())
    if column.null_count:
        column = column.fill_null("" if pa.types.is_string(column.type) else b"")
    _, where, what = column.buffers()
    offsets = np.frombuffer(where, np.int32, len(column) + 1, column.offset * 4) if where else np.zeros(1, np.int32)
    data = np.frombuffer(what, np.uint8) if what else np.zeros(0, np.uint8)
    first = int(offsets[0])
    return data[first : int(offsets[-1])], offsets - np.int32(first)


def _offsets(lengths: Sequence[int]) -> NDArray[np.int32]:
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    if offsets[-1] > MOST_BYTES:
        raise InputError(
            f"{len(lengths)} SMILES are {offsets[-1]} bytes, more than {MOST_BYTES}; give fewer rows at a time"
        )
    return offsets.astype(np.int32)


def text_of(data: Any, offsets: Any, rows: Sequence[int]) -> list[str]:
    """The SMILES of some rows as Python strings; arrays on the host. Bytes that are no UTF-8 become U+FFFD."""
    return [data[offsets[i] : offsets[i + 1]].tobytes().decode("utf-8", "replace") for i in rows]
