"""What the files of a library are called and hold: schemas, sizes, and the order of rows.

LIBRARY/manifest.json        written last: what it does not name is not part of the library
LIBRARY/shards/*.parquet     ROWS: the molecules, one each, in the order of ``order_of`` and then of the key; zstd
LIBRARY/duplicates*.parquet  DUPLICATES: rows whose molecule is there already; their ids still find it by its key
LIBRARY/rejected*.parquet    REJECTED: rows that could not be used, with stage and reason
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

SCHEMA = "drylab.library/2"
MANIFEST = "manifest.json"
SHARDS = "shards"
DUPLICATES_FILE = "duplicates.parquet"  # a name that only drylab uses: --force goes by it
REJECTED_FILE = "rejected.parquet"

GROUP_ROWS = 8192  # one task: seconds of work on a CPU, so that progress shows and workers share evenly
SHARD_ROWS = 1 << 19  # of one file, about: what a worker sorts in memory at a time
SHARD_BYTES = 1 << 27  # of ids and SMILES in one file, about: rows may be long
LONGEST_ID = 1000  # characters
MOST_ATOMS = 255  # more are rejected: no screen could score them

# What target.yaml may set ranges for, by its names there. Units: mw in Da, tpsa in square angstrom, the rest are counts or
# dimensionless; values are RDKit's to the last bit. fsp3 is the fraction of carbons that are sp3.
PROPERTIES: Mapping[str, pa.DataType] = {
    "mw": pa.float64(),
    "clogp": pa.float64(),
    "tpsa": pa.float64(),
    "fsp3": pa.float64(),
    "hbd": pa.int16(),
    "hba": pa.int16(),
    "rotatable": pa.int16(),
    "rings": pa.int16(),
    "aromatic_rings": pa.int16(),
    "heavy_atoms": pa.int16(),
    "charge": pa.int16(),
}
SORTED_BY = ("mw", "clogp")  # ranges of these skip most row groups

ROWS = pa.schema([("id", pa.string()), ("key", pa.binary(16)), ("smiles", pa.string()), *PROPERTIES.items()])
DUPLICATES = pa.schema([("id", pa.string()), ("key", pa.binary(16)), ("source", pa.string()), ("row", pa.int64())])
REJECTED = pa.schema(
    [
        (name, pa.int64() if name == "row" else pa.string())
        for name in ("source", "row", "id", "text", "stage", "reason")
    ]
)
# A row on its way into a library: which source it came from (its number among the sources) and where it stands there.
RUN = pa.schema([("order", pa.uint64()), ("source", pa.int32()), ("row", pa.int64()), *ROWS])


def order_of(mw: NDArray[np.float64], clogp: NDArray[np.float64]) -> NDArray[np.uint64]:
    """(n,) uint64, by which rows are sorted: whole daltons, then logP in single precision.

    Molecules of like weight stand together, so batches hold molecules of like size and a range of mw reads one stretch of
    the library; where a dalton holds many row groups, each of them has a narrow range of logP as well. Both values are
    computed from the molecule, so two rows of one molecule have the same order.
    """
    bits = clogp.astype(np.float32).view(np.uint32)
    rising = np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31))  # IEEE 754: negative numbers count backwards
    return (np.floor(mw).astype(np.uint64) << np.uint64(32)) | rising.astype(np.uint64)


def binary_keys(keys: NDArray[np.uint64]) -> pa.Array:
    """(n, 2) uint64 keys as an Arrow column of 16 bytes each, high word first, big-endian: bytes sort as numbers do."""
    return pa.Array.from_buffers(pa.binary(16), len(keys), [None, pa.py_buffer(keys.astype(">u8").tobytes())])


def number_keys(column: Any) -> NDArray[np.uint64]:
    """The reverse of ``binary_keys``, without a copy of the text: (n, 2) uint64."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(whole, pa.ChunkedArray):
        whole = pa.concat_arrays(whole.chunks)
    data = whole.buffers()[1]
    if data is None or not len(whole):
        return np.zeros((0, 2), np.uint64)
    return np.frombuffer(data, ">u8", 2 * len(whole), 16 * whole.offset).astype(np.uint64).reshape(-1, 2)
