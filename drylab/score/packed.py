"""Molecules in few bytes, for files that ship: z in four bits a number, a fingerprint's bit and count in two bytes.

A kernel over z compares sums over a hundred dimensions, in which an error of a tenth of a deviation each is lost; what is fitted is
fitted to z as it is read back, so that nothing changes after the fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drylab.score.similarity import Sparse

Array = NDArray[np.float64]
HIGHEST = 15
REACH = 3.0  # deviations of z around its mean that the 16 levels span; what lies beyond is cut
COUNT_BITS = 5
MOST = 2**COUNT_BITS - 1  # counts above are this


@dataclass(frozen=True, slots=True)
class Grid:
    """The levels of z: low + step * (0 to HIGHEST); low, step (d,) float32."""

    low: NDArray[np.float32]
    step: NDArray[np.float32]

    def pack(self, z: Array) -> NDArray[np.uint8]:
        """z (m, d) as (m, (d + 1) // 2): the even columns in the low halves."""
        level = np.clip(np.rint((z - self.low) / self.step), 0, HIGHEST).astype(np.uint8)
        if level.shape[1] % 2:
            level = np.column_stack([level, np.zeros(len(level), np.uint8)])
        return np.bitwise_or(level[:, ::2], np.left_shift(level[:, 1::2], 4)).astype(np.uint8)

    def unpack(self, packed: NDArray[Any]) -> Array:
        """(m, d) of what ``pack`` gave."""
        both = packed.astype(np.uint8)
        level = np.stack([both & HIGHEST, both >> 4], axis=2).reshape(len(both), -1)[:, : len(self.low)]
        return self.low.astype(np.float64) + self.step.astype(np.float64) * level


def grid_of(z: Array) -> Grid:
    """The grid for z (m, d)."""
    spread = z.std(axis=0) + 1e-6
    low = z.mean(axis=0) - REACH * spread
    return Grid(low.astype(np.float32), (2 * REACH / HIGHEST * spread).astype(np.float32))


def pack_prints(prints: Sparse) -> NDArray[np.uint16]:
    """(c,) one number for each bit that is set, of 2,048: its place above its count."""
    token = (prints.bit.astype(np.int64) << COUNT_BITS) | np.minimum(prints.count, MOST).astype(np.int64)
    return token.astype(np.uint16)


def unpack_prints(token: NDArray[Any]) -> tuple[NDArray[np.uint32], NDArray[np.uint16]]:
    """Bits and counts (c,)."""
    whole = token.astype(np.int64)
    return (whole >> COUNT_BITS).astype(np.uint32), (whole & MOST).astype(np.uint16)
