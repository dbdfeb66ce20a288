"""The verb: rows of a library as a file for other programs."""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from drylab.errors import InputError, OutputError
from drylab.execute import Executor, in_order, serial
from drylab.library import exports, layout, places
from drylab.library.pruning import Range, plan
from drylab.library.reading import scan
from drylab.library.store import Library, open_library, shards_of
from drylab.library.writing import write_table_stream
from drylab.progress import SILENT, Progress
from drylab.report.depict import one_line, sdf
from drylab.types import Shard

# Row groups of a task: some tenths of a second; seconds where RDKit draws every molecule.
FORMATS: Mapping[str, int] = {".smi": 8, ".csv": 4, ".tsv": 4, ".sdf": 1, ".parquet": 4}


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: where (an address without its keys), rows, and how many ids were changed as the format cannot hold them."""

    place: str
    rows: int
    changed_ids: int


def export_library(
    library: str | Path | Library,
    out: str | Path,
    *,
    ranges: Sequence[Range] = (),
    since: int = 0,
    limit: int | None = None,
    executor: Executor | None = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> Exported:
    """Write rows of a library, in its order, to a file: .smi, .csv, .tsv (also .gz, .bz2, .zst), .sdf (the same) or .parquet.

    out       a path or an address; the file appears there whole, or not at all
    ranges    (property, low, high), both ends included: only rows within all of them; others are not read where the
              statistics of a row group settle it
    since     only rows of versions after this one      limit   at most so many rows      force   replace a file

    Memory does not grow with the library. Raises InputError for a suffix, a property or a limit that there is not;
    OutputError for a file that is there or cannot be written; LibraryError for the library.
    """
    ranges = tuple(ranges)  # read more than once
    target = _checked(str(out), ranges, limit)
    opened = library if isinstance(library, Library) else open_library(library)
    _check_free(str(out), opened, force)
    shards = list(_needed(opened, ranges, since, FORMATS[target.suffix]))
    progress.stage("exporting", sum(shard.rows for shard in shards))
    task = Export(target.suffix, ranges)
    with closing(_parts(task, shards, executor or serial(), limit, progress)) as parts:
        return _written(parts, target, opened.recipe)


def write_rows(table: Any, out: str | Path, *, force: bool = False) -> Exported:
    """Write rows that are in memory (columns of a shard, as ``sample_library`` gives them) to a file, as an export does."""
    target = _checked(str(out), (), None)
    _check_free(str(out), None, force)
    return _written(iter([part_of(table, target.suffix)]), target, {})


@dataclass(frozen=True, slots=True)
class Target:
    """A file to write: its place, a key of FORMATS, and the name of the compression, "" for none."""

    place: str
    suffix: str
    codec: str


def _checked(place: str, ranges: Sequence[Range], limit: int | None) -> Target:
    name = places.name(place).lower()
    stem, last = os.path.splitext(name)
    codec = exports.CODECS.get(last, "")
    suffix = os.path.splitext(stem)[1] if codec else last
    if suffix not in FORMATS or (suffix == ".parquet" and codec):
        raise InputError(
            f"{places.shown(place)}: no such kind of file can be written; choose one of {', '.join(FORMATS)} and, but for "
            f".parquet, {', '.join(exports.CODECS)} of these"
        )
    for name, low, high in ranges:
        if name not in layout.PROPERTIES:
            raise InputError(f"{name!r} is no property of a library; choose one of {', '.join(layout.PROPERTIES)}")
        if math.isnan(low) or math.isnan(high) or low > high:
            raise InputError(f"{name} from {low:g} to {high:g} is no range; give the lower end first")
    if limit is not None and limit < 0:
        raise InputError(f"limit is {limit}, expected 0 rows or more")
    return Target(place, suffix, codec)


def _check_free(out: str, library: Library | None, force: bool) -> None:
    shown = places.shown(out)
    try:
        there = places.info(out).kind
    except OSError as error:
        raise OutputError(f"{shown}: cannot be used ({places.said(error, out)}); choose another output file") from error
    if there == "folder":
        raise OutputError(f"{shown}: is a folder, and a file is to be written there; choose another output file")
    if not places.is_address(out) and not os.path.isdir(os.path.dirname(os.path.abspath(out))):
        raise OutputError(f"{shown}: its folder is not there; make it, or choose another output file")
    if there and not force:
        raise OutputError(f"{shown}: exists already; choose another output file, or replace it with --force")
    if library is not None and _absolute(out).startswith(_absolute(library.path).rstrip("/") + "/"):
        raise OutputError(f"{shown}: lies in the library that is read; choose another output file")


def _absolute(place: str) -> str:
    return place.partition("?")[0] if places.is_address(place) else os.path.realpath(place)


def _needed(library: Library, ranges: Sequence[Range], since: int, most: int) -> Iterator[Shard]:
    """The row groups that may hold a row within all ranges."""
    entries = library.entries(since)
    kept = [{(shard.path, shard.group) for shard in plan(library, [one], since).read} for one in ranges]
    for entry in entries:
        groups = range(len(entry["groups"]))
        wanted = [group for group in groups if all((entry["path"], group) in some for some in kept)]
        yield from shards_of(entry, wanted, most)


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of a shard within the ranges: text, or a table for Parquet."""

    rows: int
    changed_ids: int
    data: Any


@dataclass(frozen=True, slots=True)
class Export:
    """The task of a worker."""

    suffix: str
    ranges: tuple[Range, ...]

    def __call__(self, shard: Shard, most: int | None = None) -> Part:
        """At most the first ``most`` rows of a shard within the ranges."""
        table = exports.within(scan([shard]), self.ranges)
        return part_of(table if most is None else table.slice(0, most), self.suffix)


def part_of(table: Any, suffix: str) -> Part:
    """Rows in a format of FORMATS."""
    if suffix == ".parquet":
        return Part(table.num_rows, 0, table)
    if suffix == ".sdf":
        ids = table.column("id").to_pylist()
        text = sdf(table.select(exports.COLUMNS).to_pylist()).encode()
        return Part(table.num_rows, sum(one_line(one) != one for one in ids), text)
    changed = exports.changed_ids(table.column("id")) if suffix == ".smi" else 0
    return Part(table.num_rows, changed, exports.TEXTS[suffix](table))


def _parts(
    task: Export, shards: Sequence[Shard], executor: Executor, limit: int | None, progress: Progress
) -> Generator[Part, None, None]:
    """What the workers made, in the order of the library, as far as the limit goes."""
    left = limit
    if left == 0:
        return
    for shard, part in zip(shards, in_order(executor, task, shards), strict=True):
        progress.rows(shard.rows)
        if left is None or part.rows < left:
            yield part
            left = None if left is None else left - part.rows
            continue
        yield part if part.rows == left else task(shard, left)
        return


def _written(parts: Iterable[Part], target: Target, recipe: Mapping[str, str]) -> Exported:
    counts: Counter[str] = Counter()

    def counted() -> Iterator[Any]:
        for part in parts:
            counts.update(rows=part.rows, changed=part.changed_ids)
            yield part.data

    with _at(target.place) as path:
        if target.suffix == ".parquet":
            metadata = {"drylab.recipe": json.dumps(dict(recipe), sort_keys=True)}
            write_table_stream(path, counted(), layout.ROWS, metadata)
        else:
            exports.write_text(path, target.codec, chain([exports.header(target.suffix)], counted()))
    return Exported(places.shown(target.place), counts["rows"], counts["changed"])


@contextmanager
def _at(place: str) -> Iterator[str]:
    """A path to write to: for an address one on this machine, which is sent there when the block ends well."""
    try:
        if not places.is_address(place):
            yield place
            return
        with TemporaryDirectory(prefix="drylab-") as folder:
            path = os.path.join(folder, "export")
            yield path
            places.copy_in(path, place)
    except OSError as error:
        raise OutputError(
            f"{places.shown(place)}: cannot be written ({places.said(error, place)}); free space, or choose another output file"
        ) from error
