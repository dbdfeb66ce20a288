"""Molecules that two versions of a library both hold: the versions' sorted streams, compared in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from drylab.library import layout, places
from drylab.library.checks import TWICE, Finding, Found, open_parquet, order_of

NEEDED = [*layout.SORTED_BY, "key"]
HEAVIEST = 1 << 31  # Da, beyond any molecule


@dataclass(frozen=True, slots=True)
class Rows:
    """n rows of one version on their way through the comparison.

    order  (n,) uint64    keys  (n, 2) uint64    places  (n, 3) int64: number of the file, row group, row in it
    """

    order: NDArray[np.uint64]
    keys: NDArray[np.uint64]
    places: NDArray[np.int64]

    def cut(self, at: int) -> tuple[Rows, Rows]:
        """The first ``at`` rows, and the others."""
        head = Rows(self.order[:at], self.keys[:at], self.places[:at])
        return head, Rows(self.order[at:], self.keys[at:], self.places[at:])


def joined(parts: Sequence[Rows]) -> Rows:
    """Rows one after the other."""
    if len(parts) == 1:
        return parts[0]
    return Rows(*(np.concatenate([getattr(part, name) for part in parts]) for name in Rows.__slots__))


NONE = Rows(np.zeros(0, np.uint64), np.zeros((0, 2), np.uint64), np.zeros((0, 3), np.int64))


def weight_slices(versions: Sequence[Mapping[str, Any]]) -> list[tuple[int, int]]:
    """Ranges of whole daltons, low inclusive, that together hold everything: about as many as the largest version has files."""
    largest = max(versions, key=lambda version: len(version["shards"]))
    lows = {int(entry["ranges"]["mw"][0]) for entry in largest["shards"] if "mw" in entry.get("ranges", {})}
    cuts = [0, *sorted(lows - {0, min(lows, default=0)}), HEAVIEST]
    return list(pairwise(cuts))


def weighed(versions: Sequence[Mapping[str, Any]]) -> tuple[tuple[tuple[str, float, float], ...], ...]:
    """For each version the names of its shards and the weights that the manifest gives them."""
    return tuple(
        tuple((shard["file"], *shard["ranges"].get("mw", (0, HEAVIEST))) for shard in version["shards"])
        for version in versions
    )


@dataclass(frozen=True, slots=True)
class FindTwice:
    """The task: a range of molecular weights -> molecules in it that more than one version holds.

    place   the library    files  for each version its shards, in order: name, least and greatest weight in Da
    """

    place: str
    files: tuple[tuple[tuple[str, float, float], ...], ...]

    def __call__(self, weights: tuple[int, int]) -> Found:
        found = Found()
        names = [file[0] for version in self.files for file in version]
        first = 0
        streams = []
        for version in self.files:
            streams.append(self._stream(version, first, weights))
            first += len(version)
        for rows in together(streams):
            for file, group, row in doubled(rows).tolist():
                found.add(Finding(names[file], group, row, TWICE, "an older version holds it"))
        return found

    def _stream(
        self, files: Sequence[tuple[str, float, float]], first: int, weights: tuple[int, int]
    ) -> Iterator[Rows]:
        for number, (name, least, greatest) in enumerate(files, first):
            if greatest < weights[0] or least >= weights[1]:
                continue
            try:
                with open_parquet(places.join(self.place, name)) as file:
                    yield from _rows(file, number, weights)
            except (OSError, pa.ArrowException, ValueError):
                continue  # reported where each row group is looked at


def _rows(file: pq.ParquetFile, number: int, weights: tuple[int, int]) -> Iterator[Rows]:
    column = file.schema_arrow.names.index("mw")
    for group in range(file.metadata.num_row_groups):
        stored = file.metadata.row_group(group).column(column).statistics
        if stored is not None and stored.has_min_max and (stored.max < weights[0] or stored.min >= weights[1]):
            continue
        table = file.read_row_group(group, columns=NEEDED)
        if any(each.null_count for each in table.columns):
            continue  # reported there too
        sorted_by = order_of(table)
        daltons = sorted_by.order >> np.uint64(32)
        rows = np.flatnonzero((daltons >= weights[0]) & (daltons < weights[1]))
        where = np.stack([np.full(len(rows), number), np.full(len(rows), group), rows], axis=1).astype(np.int64)
        if len(rows):
            yield Rows(sorted_by.order[rows], sorted_by.keys[rows], where)


def together(streams: Sequence[Iterator[Rows]]) -> Iterator[tuple[Rows, ...]]:
    """Sorted streams cut at the same places, so that rows with one order come in one item; a block of each is held."""
    waiting, ended = [NONE] * len(streams), [False] * len(streams)

    def more(at: int) -> None:
        block = next(streams[at], None)
        if block is None:
            ended[at] = True
        else:
            waiting[at] = joined([waiting[at], block])

    while True:
        for at in range(len(streams)):
            if not len(waiting[at].order) and not ended[at]:
                more(at)
        open_ends = [waiting[at].order[-1] for at in range(len(streams)) if not ended[at]]
        if not open_ends:
            yield tuple(waiting)
            return
        horizon = min(open_ends)
        cuts = [rows.cut(int(np.searchsorted(rows.order, horizon))) for rows in waiting]
        if any(len(head.order) for head, _ in cuts):
            yield tuple(head for head, _ in cuts)
            waiting = [rest for _, rest in cuts]
            continue
        for at in range(len(streams)):  # nothing lies before the horizon: what follows may still have its order
            if not ended[at] and waiting[at].order[-1] == horizon:
                more(at)


def doubled(versions: Sequence[Rows]) -> NDArray[np.int64]:
    """(m, 3) places of rows whose key an older version has; rows of every version between the same two orders."""
    version = np.repeat(np.arange(len(versions)), [len(rows.order) for rows in versions])
    rows = joined(versions)
    by_key = np.lexsort((version, rows.keys[:, 1], rows.keys[:, 0]))
    keys = rows.keys[by_key]
    same = (keys[1:] == keys[:-1]).all(axis=1) & (version[by_key][1:] != version[by_key][:-1])
    return rows.places[by_key[1:][same]]
