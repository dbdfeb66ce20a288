"""What travels from a source file into a library: blocks of its bytes, and the rows that are read from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns hold the SMILES and the ids, by name or by number from 1; "" means: find one by the usual names.

    more  further columns that are wanted, by name
    """

    smiles: str = ""
    id: str = ""
    more: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was opened and understood: what a worker needs to read a block of it.

    path         as given: a path or an address
    number       its place among the sources of a build, from 0
    format       a key of sources.FORMATS
    compression  "", "gzip", "bz2" or "zstd"
    layout       what the format found out about this file (delimiter, positions of columns, ...): small and picklable
    size         bytes on disk, 0 where there is no file
    """

    path: str
    number: int
    format: str
    compression: str
    layout: Any
    size: int


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a source that ends where a row ends. Blocks of a source do not depend on who reads it, or how fast.

    source   number of the source           number  of the block in its source, from 0
    first    line or record number, from 1, that it starts with (sources.FORMATS says which)
    rows     how many rows it holds: as many as ``read_rows`` gives
    data     bytes, or an Arrow table where the format is read as one
    consumed bytes of the source on disk that were read when the block was made: for progress
    """

    source: int
    number: int
    first: int
    rows: int
    data: Any
    consumed: int = 0


@dataclass(frozen=True, slots=True)
class Rows:
    """n rows of one source.

    numbers        (n,) int64: line or record number of each, from 1
    ids            (n,) Arrow string, no nulls; where a row has none, "STEM:NUMBER"
    data, offsets  (bytes,) uint8 and (n+1,) int32: the text of the SMILES cell, trimmed
    troubles       position -> why that row cannot be read; its SMILES is empty or not to be used
    more           further columns that were asked for, (n,) Arrow string each, null where a row ends before it
    """

    numbers: NDArray[np.int64]
    ids: pa.StringArray
    data: NDArray[np.uint8]
    offsets: NDArray[np.int32]
    troubles: Mapping[int, str] = field(default_factory=dict)
    more: Mapping[str, pa.StringArray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.numbers)

    def smiles(self) -> pa.BinaryArray:
        """The SMILES cells as an Arrow column of bytes (they need not be text), without a copy."""
        return pa.Array.from_buffers(
            pa.binary(), len(self), [None, pa.py_buffer(self.offsets), pa.py_buffer(self.data)]
        )

    def take(self, at: NDArray[np.int64]) -> Rows:
        """The rows at these positions, in that order."""
        places, cells = pa.array(at), self.smiles().take(pa.array(at))
        _, offsets, data = cells.buffers()
        found = {int(old): new for new, old in enumerate(at)}
        return Rows(
            self.numbers[at],
            self.ids.take(places),
            # Copies: kernels would be compiled once more for arrays that cannot be written.
            np.frombuffer(data, np.uint8).copy() if data is not None else np.zeros(0, np.uint8),
            np.frombuffer(offsets, np.int32, len(at) + 1).copy(),
            {found[old]: why for old, why in self.troubles.items() if old in found},
            {name: column.take(places) for name, column in self.more.items()},
        )
