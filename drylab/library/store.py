"""What a library looks like on disk, written once and read by shard.

LIBRARY/manifest.json        schema, recipe, rows, one entry a shard file with its SHA-256, one entry a source
LIBRARY/shards/*.parquet     id string, key fixed_size_binary(16), smiles string; zstd; row groups of GROUP_ROWS
LIBRARY/duplicates.parquet   rows whose molecule is already there: their ids still find it by its key
LIBRARY/rejected.parquet     rows that could not be used: source, row, id, text, stage, reason
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from drylab.errors import LibraryError
from drylab.library.sources import squeezed
from drylab.types import Rejected, Shard, SmilesBatch

SCHEMA = "drylab.library/1"
GROUP_ROWS = 8192  # one task: seconds of work on a CPU, so that progress shows and workers share evenly
FILE_ROWS = 1 << 20
MANIFEST = "manifest.json"
DUPLICATES = "duplicates.parquet"  # a name that only drylab uses: --force goes by it

_ROWS = pa.schema([("id", pa.string()), ("key", pa.binary(16)), ("smiles", pa.string())])
_DUPLICATES = pa.schema([("id", pa.string()), ("key", pa.binary(16)), ("source", pa.string()), ("row", pa.int64())])
REJECTED = pa.schema(
    [
        (name, pa.int64() if name == "row" else pa.string())
        for name in ("source", "row", "id", "text", "stage", "reason")
    ]
)


@dataclass(frozen=True, slots=True)
class Library:
    """An opened library: its folder, its manifest, and the SHA-256 of the manifest, which names the exact rows."""

    path: str
    manifest: Mapping[str, Any]
    sha256: str

    @property
    def rows(self) -> int:
        """Molecules in the library."""
        return int(self.manifest["rows"])

    def shards(self) -> list[Shard]:
        """One Shard a row group, in library order."""
        shards, first = [], 0
        for entry in self.manifest["shards"]:
            file = os.path.abspath(os.path.join(self.path, entry["file"]))  # workers may run in other folders
            for group, rows in enumerate(entry["groups"]):
                shards.append(Shard(file, group, rows, first, "" if group else entry["sha256"]))
                first += rows
        return shards


def file_sha256(path: str | Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_library(path: str) -> bool:
    """Whether a folder says it is a drylab library."""
    return os.path.isfile(os.path.join(path, MANIFEST))


def open_library(path: str | Path) -> Library:
    """Open a library folder. Raises LibraryError if it is missing, not one, of another schema, incomplete or empty."""
    file = Path(path) / MANIFEST
    try:
        text = file.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise LibraryError(
            f"{path}: not a drylab library (no {MANIFEST}); make one with `drylab library build`"
        ) from error
    except (OSError, ValueError) as error:
        raise LibraryError(f"{path}: cannot be read ({squeezed(error)}); check its name and permissions") from error
    try:
        manifest = json.loads(text)
    except ValueError as error:  # also bytes that are not text
        raise LibraryError(f"{file}: not JSON ({error}); build the library again") from error
    schema = manifest.get("schema") if isinstance(manifest, dict) else None
    if schema != SCHEMA:
        raise LibraryError(f"{file}: schema is {schema!r}, expected {SCHEMA!r}; build the library again")
    _check_manifest(file, manifest)
    missing = [entry["file"] for entry in manifest["shards"] if not os.path.isfile(os.path.join(path, entry["file"]))]
    if missing:
        raise LibraryError(
            f"{path}: {len(missing)} shard files are missing, the first is {missing[0]}; build the library again"
        )
    if manifest["rows"] == 0:
        raise LibraryError(f"{path}: the library is empty; build it from files that hold molecules")
    return Library(str(path), manifest, hashlib.sha256(text).hexdigest())


_ENTRIES: Mapping[str, Mapping[str, type]] = {
    "shards": {"file": str, "groups": list, "sha256": str},
    "sources": {"path": str, "read": int, "kept": int, "duplicates": int, "rejected": dict},
}


def _check_manifest(file: Path, manifest: Mapping[str, Any]) -> None:
    try:
        rows = sum(sum(entry["groups"]) for entry in manifest["shards"])
        whole = rows == manifest["rows"] and {"name", "version"} <= manifest["recipe"].keys()
        for section, fields in _ENTRIES.items():
            for entry in manifest[section]:
                whole &= all(isinstance(entry[name], kind) for name, kind in fields.items())
    except (KeyError, TypeError, AttributeError):
        whole = False
    if not whole:
        raise LibraryError(f"{file}: not whole, or changed by hand; build the library again")


def read_shard(shard: Shard, batch_size: int) -> Iterator[SmilesBatch]:
    """The rows of a shard in batches of at most ``batch_size``, in order. Raises LibraryError on a damaged file."""
    try:
        _check_bytes(shard)
        with pq.ParquetFile(shard.path) as file:
            if not file.schema_arrow.equals(_ROWS):
                raise LibraryError(
                    f"{shard.path}: columns are {squeezed(str(file.schema_arrow))}, expected {squeezed(str(_ROWS))}; "
                    "build the library again"
                )
            table = file.read_row_group(shard.group, columns=["id", "key", "smiles"]).combine_chunks()
    except (OSError, pa.ArrowException) as error:
        raise LibraryError(
            f"{shard.path}: row group {shard.group} cannot be read ({squeezed(error)}); build the library again"
        ) from error
    if table.num_rows != shard.rows:
        raise LibraryError(
            f"{shard.path}: row group {shard.group} holds {table.num_rows} rows, the manifest says {shard.rows}; build the library again"
        )
    whole = _smiles_batch(table)
    for start in range(0, len(whole), batch_size):
        yield whole.slice(start, min(start + batch_size, len(whole)))


def _check_bytes(shard: Shard) -> None:
    if not shard.sha256:
        return
    found = file_sha256(shard.path)
    if found != shard.sha256:
        raise LibraryError(
            f"{shard.path}: is not the file that was built (SHA-256 {found[:12]}..., the manifest says "
            f"{shard.sha256[:12]}...); build the library again"
        )


def _smiles_batch(table: pa.Table) -> SmilesBatch:
    smiles = table.column("smiles").combine_chunks()
    ids = table.column("id").combine_chunks()
    if isinstance(smiles, pa.ChunkedArray):
        smiles, ids = smiles.chunk(0), ids.chunk(0)
    _, offsets, data = smiles.buffers()
    first = smiles.offset
    ends = np.frombuffer(offsets, np.int32)[first : first + len(smiles) + 1]
    flat = np.frombuffer(data, np.uint8)[ends[0] : ends[-1]] if data is not None else np.zeros(0, np.uint8)
    keys = np.frombuffer(b"".join(table.column("key").to_pylist()), ">u8").astype(np.uint64).reshape(-1, 2)
    return SmilesBatch(keys, ids, flat, ends - ends[0])


class Writer:
    """Appends rows to the Parquet files of a new library folder; ``close`` writes the manifest last."""

    def __init__(self, folder: Path, recipe: Mapping[str, str]) -> None:
        self._folder, self._recipe = folder, recipe
        self._metadata = {"drylab.schema": SCHEMA, "drylab.recipe": json.dumps(dict(recipe), sort_keys=True)}
        (folder / "shards").mkdir(parents=True)
        self._shards: list[dict[str, Any]] = []
        self._pending: list[pa.Table] = []
        self._file: pq.ParquetWriter | None = None
        self._duplicates = self._parquet(DUPLICATES, _DUPLICATES)
        self._rejected = self._parquet("rejected.parquet", REJECTED)

    def _parquet(self, name: str, schema: pa.Schema) -> pq.ParquetWriter:
        return pq.ParquetWriter(self._folder / name, schema.with_metadata(self._metadata), compression="zstd")

    def add(self, ids: Sequence[str], keys: NDArray[np.uint64], smiles: Sequence[str]) -> None:
        """Rows of the library, in order."""
        self._pending.append(
            pa.table([pa.array(ids, pa.string()), _binary(keys), pa.array(smiles, pa.string())], schema=_ROWS)
        )
        while sum(table.num_rows for table in self._pending) >= GROUP_ROWS:
            self._flush()

    def add_duplicates(self, source: str, rows: Sequence[int], ids: Sequence[str], keys: NDArray[np.uint64]) -> None:
        """Rows whose key the library already has."""
        table = pa.table(
            [pa.array(ids, pa.string()), _binary(keys), [source] * len(rows), pa.array(rows, pa.int64())],
            schema=_DUPLICATES,
        )
        self._duplicates.write_table(table.replace_schema_metadata(self._metadata))

    def add_rejected(self, rejected: Sequence[Rejected]) -> None:
        """Rows that could not be used."""
        self._rejected.write_table(rejected_table(rejected).replace_schema_metadata(self._metadata))

    def _flush(self) -> None:
        table = pa.concat_tables(self._pending)
        group, rest = table.slice(0, GROUP_ROWS), table.slice(GROUP_ROWS)
        self._pending = [rest] if rest.num_rows else []
        if self._file is None:
            name = f"shards/part-{len(self._shards):05d}.parquet"
            self._file = self._parquet(name, _ROWS)
            self._shards.append({"file": name, "groups": []})
        self._file.write_table(group.replace_schema_metadata(self._metadata), row_group_size=GROUP_ROWS)
        self._shards[-1]["groups"].append(group.num_rows)
        if sum(self._shards[-1]["groups"]) >= FILE_ROWS:
            self._file.close()
            self._file = None

    def close(self, sources: Sequence[Mapping[str, Any]]) -> None:
        """Write what is left, then the manifest: a folder without one is not a library."""
        while self._pending:
            self._flush()
        for file in (self._file, self._duplicates, self._rejected):
            if file is not None:
                file.close()
        for entry in self._shards:
            entry["rows"] = sum(entry["groups"])
            entry["sha256"] = file_sha256(self._folder / entry["file"])
        manifest = {
            "schema": SCHEMA,
            "rows": sum(entry["rows"] for entry in self._shards),
            "recipe": dict(self._recipe),
            "shards": self._shards,
            "sources": list(sources),
        }
        (self._folder / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")


def _binary(keys: NDArray[np.uint64]) -> pa.Array:
    data = keys.astype(">u8").tobytes()
    return pa.Array.from_buffers(pa.binary(16), len(keys), [None, pa.py_buffer(data)])


def rejected_table(rejected: Sequence[Rejected]) -> pa.Table:
    """Rejected rows as an Arrow table of the schema REJECTED."""
    return pa.table({name: [getattr(row, name) for row in rejected] for name in REJECTED.names}, schema=REJECTED)


def read_rejected(library: Library) -> tuple[Rejected, ...]:
    """The rows that could not be used when the library was built."""
    table = pq.read_table(Path(library.path) / "rejected.parquet", columns=REJECTED.names)
    return tuple(Rejected(**row) for row in table.to_pylist())


def write_rejected(path: Path, rejected: Sequence[Rejected]) -> Path:
    """Rejected rows as a Parquet file."""
    pq.write_table(rejected_table(rejected), path, compression="zstd")
    return path
