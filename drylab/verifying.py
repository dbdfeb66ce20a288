"""The verb: look at every byte and every row of a library, and say what is not as it was written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drylab.execute import Executor, in_order, serial
from drylab.library import checks, histograms, layout, places
from drylab.library.accounts import account_troubles, read_manifest
from drylab.library.checks import Finding, Found
from drylab.library.store import Library
from drylab.library.twice import FindTwice, weighed, weight_slices
from drylab.progress import SILENT, Progress
from drylab.rowchecks import End, Seen, Stretch, VerifyRows

RANGES = "the manifest's range of a property is not that of the rows"
HISTOGRAM = "the manifest's histogram is not that of the rows"
ORPHANED = "a duplicate's molecule is not in the library"

GROUPS_A_TASK = 4  # some tenths of a second; one where RDKit writes every row again
EVERY, AT_LEAST = 1000, 200  # one row in so many is written again, and about so many of a small library
LOOKED_UP = 4096  # duplicates whose molecule is looked for, about


@dataclass(frozen=True, slots=True)
class Verified:
    """What was looked at, and what is wrong.

    rows, files  that were looked at        rewritten  rows that RDKit wrote again
    findings     the first 100, in order    counts     what -> how many, of all
    """

    place: str
    rows: int
    files: int
    rewritten: int
    findings: tuple[Finding, ...]
    counts: Mapping[str, int]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.counts


def verify_library(
    library: str | Path | Library, *, deep: bool = False, executor: Executor | None = None, progress: Progress = SILENT
) -> Verified:
    """Compare a library with itself: every file with its checksum, every row with its SMILES, every sum with its parts.

    Looked at are: SHA-256, columns, row groups and statistics of all files; that rows are sorted and no molecule is there
    twice; that each SMILES can be screened, and key and properties are its own, to the last bit; that ranges, histograms
    and counts of the manifest are those of the rows; that molecules of duplicates are there (of some 4,096 of them); and, for one
    row in 1,000 (``deep``: for all), that RDKit writes the same SMILES again, unless the recipe is "none". Memory does
    not grow with the library. Raises LibraryError where there is none; all else that is wrong is in the result.
    """
    place = library.path if isinstance(library, Library) else str(library)
    home, executor = places.absolute(place), executor or serial()
    manifest = read_manifest(home)
    found = Found()
    for finding in account_troubles(manifest):
        found.add(finding)
    aliases = _side_files(home, manifest, found)
    task = VerifyRows(home, manifest["recipe"], _every(manifest, deep), aliases.keys)
    items = list(_stretches(manifest["versions"], 1 if deep else GROUPS_A_TASK))
    progress.stage("verifying", manifest["rows"])
    sums = _Sums(found, np.zeros(len(aliases.keys), bool))
    for stretch, seen in zip(items, in_order(executor, task, items), strict=True):
        sums.add(stretch, seen)
        progress.rows(sum(stretch.groups))
    sums.check(manifest["versions"])
    if sums.rows == manifest["rows"]:  # else the molecule may be among the rows that could not be read
        for at in np.flatnonzero(~sums.known).tolist():
            found.add(Finding(*aliases.places[at], ORPHANED))
    _between_versions(home, manifest["versions"], executor, progress, found)
    files = sum(len(version["shards"]) + 2 for version in manifest["versions"])
    return Verified(places.shown(place), sums.rows, files, sums.rewritten, tuple(found.rows), dict(found.counts))


def _stretches(versions: Sequence[Mapping[str, Any]], size: int) -> Iterator[Stretch]:
    for version, said in enumerate(versions):
        for shard in said["shards"]:
            groups = tuple(shard["groups"])
            for first in range(0, max(1, len(groups)), size):
                whole = None if first else (groups, shard["sha256"])
                yield Stretch(version, shard["file"], first, groups[first : first + size], whole)


def _every(manifest: Mapping[str, Any], deep: bool) -> int:
    """One row in how many RDKit writes again; 0: none, since the text is the vendor's."""
    if manifest["recipe"].get("name") == "none":
        return 0
    return 1 if deep else min(EVERY, max(1, manifest["rows"] // AT_LEAST))


@dataclass(slots=True)
class _Aliases:
    """Some duplicates whose molecule is to be looked for: (m, 2) uint64 keys, and the file, row group and row of each."""

    every: int
    keys: NDArray[np.uint64] = field(default_factory=lambda: np.zeros((0, 2), np.uint64))
    places: list[tuple[str, int, int]] = field(default_factory=list)

    def add(self, file: str, group: int, table: Any) -> None:
        """Every so many rows of a row group of duplicates."""
        rows = range(0, table.num_rows, self.every)
        self.keys = np.concatenate([self.keys, layout.number_keys(table.column("key"))[:: self.every]])
        self.places += [(file, group, row) for row in rows]


def _side_files(home: str, manifest: Mapping[str, Any], found: Found) -> _Aliases:
    """Look at duplicates and rejected rows."""
    recipe = json.dumps(dict(manifest["recipe"]), sort_keys=True)
    aliases = _Aliases(max(1, sum(version["duplicates"]["rows"] for version in manifest["versions"]) // LOOKED_UP))
    for version in manifest["versions"]:
        for entry, schema in ((version["duplicates"], layout.DUPLICATES), (version["rejected"], layout.REJECTED)):
            place = places.join(home, entry["file"])
            trouble = checks.bytes_trouble(place, entry["file"], entry["sha256"])
            if trouble is not None:
                found.add(trouble)
            if trouble is not None and trouble.what == checks.MISSING:
                continue
            with checks.readable(found, entry["file"]), checks.open_parquet(place) as file:
                for finding in checks.head_troubles(file, entry["file"], schema, None, recipe):
                    found.add(finding)
                if file.schema_arrow.equals(schema):
                    _side_rows(file, entry, aliases, found)
    return aliases


def _side_rows(file: Any, entry: Mapping[str, Any], aliases: _Aliases, found: Found) -> None:
    rows = 0
    for group in range(file.metadata.num_row_groups):
        with checks.readable(found, entry["file"], group):
            table = checks.read_group(file, group)
            rows += table.num_rows
            if table.schema.equals(layout.DUPLICATES):
                aliases.add(entry["file"], group, table)
    if rows != entry["rows"]:
        detail = f"it holds {rows} rows, the manifest says {entry['rows']}"
        found.add(Finding(entry["file"], None, None, checks.GROUPS, detail))


@dataclass(slots=True)
class _Sums:
    """What the stretches say together.

    known   (m,) bool: which of the wanted keys were seen      last  of the row group before: its version and last row
    """

    found: Found
    known: NDArray[np.bool_]
    rows: int = 0
    rewritten: int = 0
    last: tuple[int, End] = (-1, ())
    ranges: dict[str, dict[str, tuple[float, float]]] = field(default_factory=dict)
    histograms: dict[int, dict[str, list[int]]] = field(default_factory=dict)

    def add(self, stretch: Stretch, seen: Seen) -> None:
        """One more, in the order of the library."""
        self.found.take(seen.found)
        for group, first, last in seen.ends:
            if self.last[0] == stretch.version and first <= self.last[1]:
                what = checks.TWICE if first == self.last[1] else checks.UNSORTED
                self.found.add(Finding(stretch.file, group, 0, what, "compared with the row group before"))
            self.last = (stretch.version, last)
        self.rows, self.rewritten = self.rows + seen.rows, self.rewritten + seen.rewritten
        self.known |= seen.known
        before = self.ranges.get(stretch.file, {})
        self.ranges[stretch.file] = checks.merged_ranges([before, seen.ranges])
        sofar = self.histograms.get(stretch.version, {})
        self.histograms[stretch.version] = histograms.add([sofar, seen.histograms])

    def check(self, versions: Sequence[Mapping[str, Any]]) -> None:
        """Compare what the rows add up to with the manifest."""
        for number, version in enumerate(versions):
            for shard in version["shards"]:
                self._check_ranges(shard)
            counted = histograms.to_json(self.histograms.get(number, histograms.empty()))
            for name, histogram in counted.items():
                if version["histograms"].get(name) != histogram:
                    self.found.add(Finding(layout.MANIFEST, None, None, HISTOGRAM, f"{name} of version {number + 1}"))

    def _check_ranges(self, shard: Mapping[str, Any]) -> None:
        for name, (low, high) in self.ranges.get(shard["file"], {}).items():
            said = shard["ranges"].get(name)
            if said != [low, high]:
                detail = f"{name} of {shard['file']} is {low:g} to {high:g}, it says {said}"
                self.found.add(Finding(layout.MANIFEST, None, None, RANGES, detail))


def _between_versions(
    home: str, versions: Sequence[Mapping[str, Any]], executor: Executor, progress: Progress, found: Found
) -> None:
    """Molecules that an older version holds already."""
    if len(versions) < 2:
        return
    slices = weight_slices(versions)
    task = FindTwice(home, weighed(versions))
    progress.stage("comparing versions", None)
    for number, part in enumerate(in_order(executor, task, slices), 1):
        found.take(part)
        progress.part(number / len(slices))
