"""Text -> the 128-bit key of a molecule: BLAKE2b of its canonical SMILES. Two rows with one key are one molecule.

A hash of 128 bits: among 10 billion molecules the chance that any two share a key by accident is 1.5e-19.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from drylab.kernels.blake2b import blake2b


def keys(data: NDArray[np.uint8], offsets: NDArray[np.int32]) -> NDArray[np.uint64]:
    """(n, 2) uint64, high word first, of n texts: data (bytes,) uint8 and offsets (n+1,) int32 (RFC 7693)."""
    return blake2b(data, offsets)


def keys_of(texts: Sequence[str]) -> NDArray[np.uint64]:
    """(n, 2) uint64 keys of a list of canonical SMILES."""
    return keys(*flat(texts))


def flat(texts: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """(bytes,) uint8 and (n+1,) int32 offsets of n texts, as UTF-8; a lone surrogate becomes the bytes it would have."""
    rows = [text.encode("utf-8", "surrogatepass") for text in texts]
    offsets = np.zeros(len(rows) + 1, np.int64)
    np.cumsum([len(row) for row in rows], out=offsets[1:])
    assert offsets[-1] < 2**31, "a batch holds fewer than 2**31 bytes of text; use smaller batches"
    return np.frombuffer(b"".join(rows), np.uint8), offsets.astype(np.int32)
