"""What is wrong with the files of a library: findings, each with its file, row group and row."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from drylab.library import layout, places

MOST = 100  # findings that are kept; all are counted
PIECE = 1 << 22  # bytes that are read at a time to sum up a file

MISSING = "the file is not there"
BYTES = "the bytes are not those that were written"
UNREADABLE = "cannot be read"
SCHEMA = "the columns are not those of a library"
RECIPE = "the recipe in the file is not the library's"
GROUPS = "the row groups are not those of the manifest"
NULLS = "a value is missing"
UNSORTED = "rows are not in order"
TWICE = "the molecule is there twice"
STATISTICS = "the row group's statistics are not those of its rows"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    file    within the library       group, row  row group of the file and row of the row group, from 0; None: all of it
    what    a short phrase, the same for the same cause      detail  what was expected and what is there
    """

    file: str
    group: int | None
    row: int | None
    what: str
    detail: str = ""

    def __str__(self) -> str:
        group = "" if self.group is None else f", row group {self.group}"
        row = "" if self.row is None else f", row {self.row}"
        return f"{self.file}{group}{row}: {self.what}" + (f" ({self.detail})" if self.detail else "")


@dataclass(slots=True)
class Found:
    """The first MOST findings, and how many there are by what they are."""

    rows: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, finding: Finding) -> None:
        """One more."""
        self.counts[finding.what] += 1
        if len(self.rows) < MOST:
            self.rows.append(finding)

    def add_rows(self, file: str, group: int, rows: NDArray[np.int64], what: str, detail: str = "") -> None:
        """The same thing in several rows of a group."""
        self.rows += [Finding(file, group, int(row), what, detail) for row in rows[: MOST - len(self.rows)]]
        self.counts += Counter({what: len(rows)})

    def take(self, other: Found) -> None:
        """Findings of another part, which come after these."""
        self.rows.extend(other.rows[: MOST - len(self.rows)])
        self.counts += other.counts


@contextmanager
def readable(found: Found, file: str, group: int | None = None) -> Iterator[None]:
    """What cannot be read inside is one finding, and the rest of the block is passed over."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        found.add(Finding(file, group, None, UNREADABLE, places.said(error)))


@contextmanager
def open_parquet(place: str) -> Iterator[pq.ParquetFile]:
    """A Parquet file whose pages are compared with their checksums, where it has some."""
    with places.open_file(place) as source, pq.ParquetFile(source, page_checksum_verification=True) as file:
        yield file


def read_group(file: pq.ParquetFile, group: int) -> pa.Table:
    """All columns of a row group in one chunk, checked to be what they say: a damaged file may hold anything."""
    table = file.read_row_group(group).combine_chunks()
    table.validate(full=True)
    return table


def bytes_trouble(place: str, file: str, sha256: str) -> Finding | None:
    """What is wrong with a file as a whole: missing, unreadable, or other bytes than were written."""
    try:
        if places.info(place).kind != "file":
            return Finding(file, None, None, MISSING)
        found = _sha256(place)
    except OSError as error:
        return Finding(file, None, None, UNREADABLE, places.said(error))
    if found == sha256:
        return None
    return Finding(file, None, None, BYTES, f"SHA-256 {found[:12]}..., the manifest says {sha256[:12]}...")


def _sha256(place: str) -> str:
    digest = hashlib.sha256()
    with places.open_stream(place) as stream:
        while data := stream.read(PIECE):
            digest.update(data)
    return digest.hexdigest()


def head_troubles(
    file: pq.ParquetFile, name: str, schema: pa.Schema, groups: Sequence[int] | None, recipe: str
) -> Iterator[Finding]:
    """What is wrong with what a Parquet file says about itself. ``groups``: rows of each, where the manifest has them."""
    if not file.schema_arrow.equals(schema):
        said = places.said(", ".join(f"{column.name} {column.type}" for column in file.schema_arrow))
        yield Finding(name, None, None, SCHEMA, said)
    metadata = file.schema_arrow.metadata or {}
    if metadata.get(b"drylab.schema", b"").decode() != layout.SCHEMA:
        yield Finding(name, None, None, SCHEMA, f"drylab.schema is not {layout.SCHEMA}")
    if metadata.get(b"drylab.recipe", b"").decode() != recipe:
        yield Finding(name, None, None, RECIPE, places.said(metadata.get(b"drylab.recipe", b"").decode()))
    if groups is None:
        return
    there = [file.metadata.row_group(group).num_rows for group in range(file.metadata.num_row_groups)]
    if there != list(groups):
        at = next(
            (i for i, (a, b) in enumerate(zip(there, groups, strict=False)) if a != b), min(len(there), len(groups))
        )
        sizes = [rows[at] if at < len(rows) else "none" for rows in (there, groups)]
        yield Finding(name, at, None, GROUPS, f"it holds {sizes[0]} rows, the manifest says {sizes[1]}")


def column_troubles(file: pq.ParquetFile, name: str, group: int, table: pa.Table) -> Iterator[Finding]:
    """Missing values, and statistics of a row group that would let a range of a property pass over rows."""
    for column in table.column_names:
        if table.column(column).null_count:
            yield Finding(name, group, None, NULLS, column)
    head = file.metadata.row_group(group)
    for at in range(head.num_columns):
        column, stored = head.column(at).path_in_schema, head.column(at).statistics
        if column not in layout.PROPERTIES or stored is None or not stored.has_min_max:
            continue
        low, high = extremes(table.column(column))
        if (stored.min, stored.max) != (low, high):
            detail = f"{column} is {low:g} to {high:g}, they say {stored.min:g} to {stored.max:g}"
            yield Finding(name, group, None, STATISTICS, detail)


def extremes(column: pa.ChunkedArray) -> tuple[float, float]:
    """The least and the greatest value of a column that has one."""
    values = column.to_numpy()
    return values.min().item(), values.max().item()


@dataclass(frozen=True, slots=True)
class Order:
    """(n,) uint64 order and (n, 2) uint64 key of rows, by which a version is sorted."""

    order: NDArray[np.uint64]
    keys: NDArray[np.uint64]

    def columns(self) -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.uint64]]:
        """What is compared first, second and last."""
        return self.order, self.keys[:, 0], self.keys[:, 1]

    def ends(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The first and the last row."""
        columns = self.columns()
        return tuple(int(each[0]) for each in columns), tuple(int(each[-1]) for each in columns)


def order_of(table: pa.Table) -> Order:
    """By which rows of a table are sorted."""
    mw, clogp = (table.column(name).to_numpy() for name in layout.SORTED_BY)
    with np.errstate(invalid="ignore"):  # a damaged file may hold any number
        return Order(layout.order_of(mw, clogp), layout.number_keys(table.column("key")))


def order_troubles(rows: Order) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows that are the molecule of the row before them, and rows that should stand before it."""
    falling = np.zeros(max(0, len(rows.order) - 1), bool)
    same = ~falling
    for column in rows.columns():
        falling |= same & (column[1:] < column[:-1])
        same &= column[1:] == column[:-1]
    return np.flatnonzero(same) + 1, np.flatnonzero(falling) + 1


def same_value(stored: NDArray[Any], made: NDArray[Any]) -> NDArray[np.bool_]:
    """(n,) bool: equal to the last bit, so that -0 is not 0; whole numbers of any size are compared by value."""
    if stored.dtype == np.float64:
        return stored.view(np.int64) == np.ascontiguousarray(made, np.float64).view(np.int64)
    return stored.astype(np.int64) == np.asarray(made).astype(np.int64)


def in_any(keys: NDArray[np.uint64], wanted: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """(m,) bool: which of the ``wanted`` keys (m, 2) are among ``keys`` (n, 2)."""
    there = np.isin(wanted[:, 0], keys[:, 0])
    if there.any():
        pairs = {row.tobytes() for row in keys[np.isin(keys[:, 0], wanted[there, 0])]}
        there[there] = [row.tobytes() in pairs for row in wanted[there]]
    return there


def merged_ranges(parts: Iterable[Mapping[str, tuple[float, float]]]) -> dict[str, tuple[float, float]]:
    """The least and the greatest of ranges by name."""
    merged: dict[str, tuple[float, float]] = {}
    for part in parts:
        for name, (low, high) in part.items():
            before = merged.get(name, (low, high))
            merged[name] = (min(before[0], low), max(before[1], high))
    return merged
