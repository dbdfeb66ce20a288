"""A library that is there: its manifest, opened and checked, the shards that workers read, and the rows it could not use."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from drylab.errors import LibraryError
from drylab.library import places
from drylab.library.layout import MANIFEST, REJECTED, SCHEMA, SHARDS
from drylab.types import Rejected, Shard

PIECE = 1 << 20  # bytes that are read at a time to sum up a file


@dataclass(frozen=True, slots=True)
class Library:
    """An opened library: its folder or address, its manifest, and the SHA-256 of the manifest, which names the exact rows."""

    path: str
    manifest: Mapping[str, Any]
    sha256: str

    @property
    def rows(self) -> int:
        """Molecules in the library."""
        return int(self.manifest["rows"])

    @property
    def version(self) -> int:
        """The newest version: 1, and one more each time that something was added."""
        return int(self.manifest["version"])

    @property
    def recipe(self) -> Mapping[str, str]:
        """How its molecules were standardised: name, version, and the version of RDKit."""
        return self.manifest["recipe"]

    @property
    def shown(self) -> str:
        """Its path for people: an address without its secrets."""
        return places.shown(self.path)

    def sources(self) -> list[dict[str, Any]]:
        """What went in, one entry a source, of all versions: as in the manifest, and its ``version``."""
        return [
            {**entry, "version": version["version"]}
            for version in self.manifest["versions"]
            for entry in version["sources"]
        ]

    def entries(self, since: int = 0) -> list[dict[str, Any]]:
        """The shard files of versions after ``since``: as in the manifest, and ``path``, ``version``, and ``first``.

        path   what a worker can open      first  the number of its first row within the whole library, from 0
        Raises LibraryError for a version that there is not.
        """
        self.check_version(since)
        home, found, first = places.absolute(self.path), [], 0
        for version in self.manifest["versions"]:
            for entry in version["shards"]:
                more = {"path": places.join(home, entry["file"]), "version": version["version"], "first": first}
                found.append({**entry, **more})
                first += sum(entry["groups"])
        return [entry for entry in found if entry["version"] > since]

    def shards(self, since: int = 0, groups: int = 1) -> list[Shard]:
        """Shards of ``groups`` row groups each (fewer at the end of a file), in library order, of versions after ``since``."""
        return [
            shard for entry in self.entries(since) for shard in shards_of(entry, range(len(entry["groups"])), groups)
        ]

    def rows_since(self, since: int) -> int:
        """Molecules of versions after ``since``. Raises LibraryError for a version that there is not."""
        self.check_version(since)
        return sum(version["rows"] for version in self.manifest["versions"] if version["version"] > since)

    def check_version(self, version: int) -> None:
        """Raises LibraryError unless this is a version of the library, or 0."""
        if not 0 <= version <= self.version:
            versions = ", ".join(str(number) for number in range(1, self.version + 1))
            raise LibraryError(f"{self.shown}: has no version {version}; its versions are {versions}")

    def mw_ranges(self) -> dict[str, tuple[float, float]]:
        """Shard file, as a worker can open it -> the least and the greatest weight in it, in Da."""
        return {entry["path"]: tuple(entry["ranges"]["mw"]) for entry in self.entries()}


def shards_of(entry: Mapping[str, Any], wanted: Sequence[int], most: int) -> Iterator[Shard]:
    """Shards of at most ``most`` row groups over the ``wanted`` groups (rising) of an entry of ``Library.entries``."""
    sha256, sizes = entry["sha256"], entry["groups"]
    starts = [entry["first"]]
    for rows in sizes:
        starts.append(starts[-1] + rows)
    for run in _runs(wanted):
        for part in (run[at : at + most] for at in range(0, len(run), most)):
            rows = starts[part[-1] + 1] - starts[part[0]]
            yield Shard(entry["path"], part[0], rows, starts[part[0]], sha256, len(part))
            sha256 = ""  # who reads the first one checks the file


def _runs(numbers: Sequence[int]) -> Iterator[range]:
    """Numbers that rise, as stretches without a gap."""
    start = 0
    for at in range(1, len(numbers) + 1):
        if at == len(numbers) or numbers[at] != numbers[at - 1] + 1:
            yield range(numbers[start], numbers[at - 1] + 1)
            start = at


def file_sha256(place: str | Path) -> str:
    """SHA-256 of a file at a path or address, in hexadecimal. Raises OSError."""
    place = str(place)
    if not places.is_address(place):
        with open(place, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    digest = hashlib.sha256()
    with places.open_stream(place) as stream:
        for piece in iter(partial(stream.read, PIECE), b""):
            digest.update(piece)
    return digest.hexdigest()


def is_library(place: str | Path) -> bool:
    """Whether a folder or address says it is a drylab library. Raises LibraryError where a store does not answer."""
    try:
        return places.info(places.join(str(place), MANIFEST)).kind == "file"
    except (OSError, ValueError) as error:
        if not places.is_address(str(place)):
            return False  # what cannot be a path, or is below a file
        raise _unreadable(str(place), error) from error


def open_library(place: str | Path) -> Library:
    """Open a library. Raises LibraryError if it is missing, not one, of another schema, incomplete or empty."""
    path = str(place)
    shown, file = places.shown(path), places.shown(places.join(path, MANIFEST))
    try:
        text = places.read_bytes(places.join(path, MANIFEST))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise LibraryError(
            f"{shown}: not a drylab library (no {MANIFEST}); make one with `drylab library build`"
        ) from error
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    try:
        manifest = json.loads(text)
    except ValueError as error:  # also bytes that are not text
        raise LibraryError(f"{file}: not JSON ({error}); build the library again") from error
    schema = manifest.get("schema") if isinstance(manifest, dict) else None
    if schema != SCHEMA:
        raise LibraryError(f"{file}: schema is {schema!r}, expected {SCHEMA!r}; build the library again")
    if not _whole(manifest):
        raise LibraryError(f"{file}: not whole, or changed by hand; build the library again")
    library = Library(path, manifest, hashlib.sha256(text).hexdigest())
    _check_files(library)
    if library.rows == 0:
        raise LibraryError(f"{shown}: the library is empty; build it from files that hold molecules")
    return library


def _unreadable(path: str, error: Exception) -> LibraryError:
    said = places.said(error, path)
    return LibraryError(f"{places.shown(path)}: cannot be read ({said}); check its name and permissions")


_FIELDS: Mapping[str, Mapping[str, type]] = {
    "shards": {"file": str, "rows": int, "groups": list, "bytes": int, "sha256": str, "ranges": dict},
    "sources": {"path": str, "sha256": str, "read": int, "kept": int, "duplicates": int, "rejected": dict},
}


def _whole(manifest: Mapping[str, Any]) -> bool:
    """Whether all that this library is read by is there and of its kind, and rows add up."""
    try:
        versions = manifest["versions"]
        whole = [version["version"] for version in versions] == list(range(1, manifest["version"] + 1))
        whole &= manifest["rows"] == sum(version["rows"] for version in versions)
        whole &= bool(versions) and {"name", "version"} <= manifest["recipe"].keys()
        for version in versions:
            whole &= version["rows"] == sum(sum(shard["groups"]) for shard in version["shards"])
            whole &= all(isinstance(version[side]["file"], str) for side in ("duplicates", "rejected"))
            for section, fields in _FIELDS.items():
                for entry in version[section]:
                    whole &= all(isinstance(entry[name], kind) for name, kind in fields.items())
            whole &= isinstance(version.get("drylab", ""), str) and all(map(_is_spread, version["histograms"].values()))
            whole &= all(isinstance(n, int) for entry in version["sources"] for n in entry["rejected"].values())
            whole &= all(len(entry["ranges"]["mw"]) == 2 for entry in version["shards"])
            whole &= all(low <= high for entry in version["shards"] for low, high in entry["ranges"].values())
    except (KeyError, TypeError, ValueError, AttributeError):
        return False
    return whole


def _is_spread(histogram: Mapping[str, Any]) -> bool:
    """Whether this is a histogram: edges, and a count between each two."""
    whole = all(isinstance(n, int) for n in histogram["counts"])
    return whole and len(histogram["counts"]) == len(histogram["edges"]) - 1


def _check_files(library: Library) -> None:
    home = places.absolute(library.path)
    try:
        there = {place for place, _ in places.files_below(places.join(home, SHARDS))}
    except OSError as error:
        raise _unreadable(library.path, error) from error
    missing = [entry["file"] for entry in library.entries() if entry["path"] not in there]
    if missing:
        raise LibraryError(
            f"{library.shown}: {len(missing)} shard files are missing, the first is {missing[0]}; build the library again"
        )


def write_manifest(folder: str | Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest of a library, in place of one that is there, at once: from then on it is what a reader sees.

    The same manifest gives the same bytes. Raises OSError.
    """
    text = json.dumps(manifest, indent=1, sort_keys=True) + "\n"
    places.write_bytes(places.join(str(folder), MANIFEST), text.encode())


def rejected_table(rejected: Sequence[Rejected]) -> pa.Table:
    """Rejected rows as an Arrow table of the schema REJECTED."""
    return pa.table({name: [getattr(row, name) for row in rejected] for name in REJECTED.names}, schema=REJECTED)


def read_rejected(library: Library, most: int) -> tuple[Rejected, ...]:
    """The rows that could not be used when the library was built, the first ``most`` of all versions; no more are read.

    Raises LibraryError for a file that is missing or damaged.
    """
    found: list[Rejected] = []
    for version in library.manifest["versions"]:
        place = places.join(library.path, version["rejected"]["file"])
        try:
            with places.open_file(place) as source, pq.ParquetFile(source) as file:
                for batch in file.iter_batches(min(8192, max(1, most)), columns=REJECTED.names, use_threads=False):
                    found += [Rejected(**row) for row in batch.slice(0, most - len(found)).to_pylist()]
                    if len(found) >= most:
                        return tuple(found)
        except (OSError, pa.ArrowException) as error:
            raise LibraryError(
                f"{places.shown(place)}: cannot be read ({places.said(error, place)}); build the library again"
            ) from error
    return tuple(found)


def write_rejected(path: Path, rejected: Sequence[Rejected]) -> Path:
    """Rejected rows as a Parquet file."""
    pq.write_table(rejected_table(rejected), path, compression="zstd")
    return path
