"""The task of a worker that verifies: some row groups of a shard in, what is wrong with them out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drylab.featurize.reference import RDKIT_NAMES
from drylab.featurize.route import Routed, route
from drylab.featurize.table import describe
from drylab.featurize.text import as_bytes
from drylab.library import checks, histograms, layout, places
from drylab.library.checks import Finding, Found
from drylab.library.keys import keys
from drylab.library.standardize import recipe as recipe_here
from drylab.library.standardize import standardize
from drylab.types import PARSED

KEY = "the key is not that of the SMILES"
UNUSABLE = "the SMILES cannot be used"
PROPERTY = "a property is not the molecule's"
REWRITTEN = "RDKit writes another SMILES of it"

End = tuple[int, ...]  # order, and the two words of the key


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some row groups of one shard: what travels to a worker.

    version  0-based      file  within the library      first  its first row group      groups  rows of each
    whole    rows of all groups of the file and its SHA-256, with its first stretch: who has that looks at the whole file
    """

    version: int
    file: str
    first: int
    groups: tuple[int, ...]
    whole: tuple[tuple[int, ...], str] | None = None


@dataclass(slots=True)
class Seen:
    """What a worker says of a stretch.

    known      (m,) bool: which of the wanted keys are here      rewritten   rows that RDKit wrote again
    ends       row group, its first and its last row             ranges      property -> least, greatest
    histograms  of the rows
    """

    known: NDArray[np.bool_]
    found: Found = field(default_factory=Found)
    rows: int = 0
    rewritten: int = 0
    ends: list[tuple[int, End, End]] = field(default_factory=list)
    ranges: dict[str, tuple[float, float]] = field(default_factory=dict)
    histograms: dict[str, list[int]] = field(default_factory=histograms.empty)


@dataclass(frozen=True, slots=True)
class VerifyRows:
    """The task.

    place, recipe  the library's      every   one row in so many is written again by RDKit; 0: none is
    wanted         (m, 2) uint64 keys that should be in the library
    """

    place: str
    recipe: Mapping[str, str]
    every: int
    wanted: NDArray[np.uint64]

    def __call__(self, stretch: Stretch) -> Seen:
        seen, place = Seen(np.zeros(len(self.wanted), bool)), places.join(self.place, stretch.file)
        if stretch.whole is not None:
            trouble = checks.bytes_trouble(place, stretch.file, stretch.whole[1])
            if trouble is not None:
                seen.found.add(trouble)
        # What keeps a file from being opened is said once, by who has its first stretch.
        opening = seen.found if stretch.whole is not None else Found()
        if opening.counts[checks.MISSING]:
            return seen
        with checks.readable(opening, stretch.file), checks.open_parquet(place) as file:
            if stretch.whole is not None:
                recipe = json.dumps(dict(self.recipe), sort_keys=True)
                for finding in checks.head_troubles(file, stretch.file, layout.ROWS, stretch.whole[0], recipe):
                    seen.found.add(finding)
            if file.schema_arrow.equals(layout.ROWS):
                last = min(stretch.first + len(stretch.groups), file.metadata.num_row_groups)
                for group in range(stretch.first, last):
                    with checks.readable(seen.found, stretch.file, group):
                        self._group(file, stretch.file, group, seen)
        return seen

    def _group(self, file: Any, name: str, group: int, seen: Seen) -> None:
        table = checks.read_group(file, group)
        for finding in checks.column_troubles(file, name, group, table):
            seen.found.add(finding)
        if not table.num_rows or any(column.null_count for column in table.columns):
            return
        order = checks.order_of(table)
        twice, falling = checks.order_troubles(order)
        seen.found.add_rows(name, group, twice, checks.TWICE)
        seen.found.add_rows(name, group, falling, checks.UNSORTED)
        seen.ends.append((group, *order.ends()))
        seen.known |= checks.in_any(order.keys, self.wanted)
        seen.rows += table.num_rows
        ranges = {name: checks.extremes(table.column(name)) for name in layout.PROPERTIES}
        seen.ranges = checks.merged_ranges([seen.ranges, ranges])
        seen.histograms = histograms.add([seen.histograms, histograms.count(table)])
        data, offsets = as_bytes(table.column("smiles"))
        other = (keys(data, offsets) != order.keys).any(axis=1)
        seen.found.add_rows(name, group, np.flatnonzero(other), KEY)
        _molecules(table, route(data, offsets), (name, group), seen.found)
        if self.every:
            self._written_again(table.column("smiles"), order.keys, (name, group), seen)

    def _written_again(self, smiles: Any, stored: NDArray[np.uint64], place: tuple[str, int], seen: Seen) -> None:
        """Rows chosen by their key: the same ones whoever looks, wherever they stand."""
        rows = np.flatnonzero(stored[:, 1] % np.uint64(self.every) == 0)
        data, offsets = as_bytes(smiles.take(rows))
        again = standardize(data, offsets, "standard")
        other = (keys(again.data, again.offsets) != keys(data, offsets)).any(axis=1)
        here, then = recipe_here("standard")["rdkit"], self.recipe.get("rdkit")
        detail = "" if here == then else f"RDKit is {here} here, the library was built with {then}"
        seen.found.add_rows(*place, rows[other], REWRITTEN, detail)
        seen.rewritten += len(rows)


def _molecules(table: Any, routed: Routed, place: tuple[str, int], found: Found) -> None:
    """Rows that are no molecule to screen, and properties that are not those of the SMILES."""
    parsed = routed.graphs.status == PARSED
    for row in np.flatnonzero(~parsed).tolist():
        found.add(Finding(*place, row, UNUSABLE, routed.trouble(row)))
    names = {name: RDKIT_NAMES[name] for name in layout.PROPERTIES}
    made = describe(routed.graphs, routed.mol, tuple(names.values()))
    for name, theirs in names.items():
        stored = table.column(name).to_numpy()
        other = np.flatnonzero(parsed & ~checks.same_value(stored, made[theirs])).tolist()
        for row in other[: checks.MOST]:
            detail = f"{name} is {stored[row]:g}, that of the SMILES is {made[theirs][row]:g}"
            found.add(Finding(*place, row, PROPERTY, detail))
        found.counts += Counter({PROPERTY: len(other[checks.MOST :])})
