"""Which row groups a screen need not read, since their statistics say that a range takes out every row of them.

Rows that are not read are still counted, under the very rule that reading them would have counted them under: a row
group is passed over for a rule only if each of its rows breaks that rule and keeps all rules before it. Rows that the
statistics cannot settle so are read. Build gives every row a value of each property and keeps only rows that can be
screened, so no other account is lost with them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from drylab.errors import LibraryError
from drylab.library import places
from drylab.library.store import Library, shards_of
from drylab.types import Shard

Range = tuple[str, float, float]  # property, lowest and highest value allowed
Bounds = Mapping[str, tuple[float, float]]  # property -> least and greatest value there; without those not known
Marks = Mapping[str, NDArray[np.float64]]
READ = -1
READERS = 16  # footers fetched at a time: a store answers each request in tens of milliseconds
LOOK_GROUPS = 64  # row groups of a shard of which only the keys are read


@dataclass(frozen=True, slots=True)
class Plan:
    """What is read of a library.

    read     shards whose rows are screened        look     shards of which the keys alone are looked at
    groups   row groups in all                     skipped  number of a range -> rows that are counted, not read
    """

    read: tuple[Shard, ...]
    look: tuple[Shard, ...]
    groups: int
    skipped: Mapping[int, int]

    def account(self) -> dict[str, int]:
        """Row groups by what is done with them; those whose keys are looked at are among the skipped ones."""
        read, keys = (sum(shard.groups for shard in shards) for shards in (self.read, self.look))
        return {"all": self.groups, "read": read, "skipped": self.groups - read, "keys_read": keys}


def plan(
    library: Library,
    ranges: Sequence[Range],
    since: int = 0,
    groups: int = 1,
    marks: Marks | None = None,
) -> Plan:
    """The shards of versions after ``since`` that a screen with these ranges, counted in this order, has to read.

    groups  row groups of a shard at most
    marks   property -> (m,) float64, NaN where not known: molecules that are to be found even in row groups that are not
            screened; the keys of those that may hold one are looked at
    Raises LibraryError for a file that cannot be read, and a version that there is not.
    """
    return plans(library, [ranges], since, groups, marks)[0]


def plans(
    library: Library,
    asked: Sequence[Sequence[Range]],
    since: int = 0,
    groups: int = 1,
    marks: Marks | None = None,
) -> list[Plan]:
    """The same for several screens in one pass: what one of them has to read is read, and only what none has is skipped.

    So the shards and the account are one; ``skipped`` is each screen's own, by the numbers of its own ranges.
    """
    entries, marks = library.entries(since), marks or {}
    sets = list(dict.fromkeys(map(tuple, asked)))
    bounds = _bounds(entries, sets, marks)
    read: list[Shard] = []
    look: list[Shard] = []
    skipped: list[Counter[int]] = [Counter() for _ in sets]
    for entry, known in zip(entries, bounds, strict=True):
        rules = [[rule_of(group, ranges) for ranges in sets] for group in known]
        wanted = [group for group, found in enumerate(rules) if READ in found]
        marked = [group for group, found in enumerate(rules) if READ not in found and _may_hold(known[group], marks)]
        read += shards_of(entry, wanted, groups)
        # The file is checked once, by who reads rows of it if there is one.
        look += shards_of({**entry, "sha256": ""} if wanted else entry, marked, LOOK_GROUPS)
        for group, found in enumerate(rules):
            if READ not in found:
                for counts, rule in zip(skipped, found, strict=True):
                    counts[rule] += entry["groups"][group]
    whole = sum(len(entry["groups"]) for entry in entries)
    return [Plan(tuple(read), tuple(look), whole, dict(skipped[sets.index(tuple(ranges))])) for ranges in asked]


def rule_of(bounds: Bounds, ranges: Sequence[Range]) -> int:
    """The number of the range that each row within these bounds is taken out by, as the first; READ if that is not sure."""
    for number, (name, low, high) in enumerate(ranges):
        if name not in bounds:
            return READ
        least, greatest = bounds[name]
        if greatest < low or least > high:
            return number
        if not (low <= least and greatest <= high):
            return READ
    return READ


def _may_break(bounds: Bounds, ranges: Sequence[Range]) -> bool:
    """Whether there may be a row within these bounds that a range takes out."""
    return not all(name in bounds and low <= bounds[name][0] and bounds[name][1] <= high for name, low, high in ranges)


def _may_hold(bounds: Bounds, marks: Marks) -> bool:
    """Whether one of the marked molecules may be among rows with these bounds."""
    if not marks:
        return False
    near = np.ones(len(next(iter(marks.values()))), bool)
    for name, values in marks.items():
        if name in bounds:
            least, greatest = bounds[name]
            near &= ((least <= values) & (values <= greatest)) | np.isnan(values)
    return bool(near.any())


def _bounds(entries: Sequence[Mapping[str, Any]], sets: Sequence[Sequence[Range]], marks: Marks) -> list[list[Bounds]]:
    """Of each file, the bounds of each row group. A file is opened only if its own, in the manifest, do not settle it."""
    names = {name for ranges in sets for name, _, _ in ranges} | set(marks)
    known = [_of_file(entry, names) for entry in entries]
    found = [[own] * len(entry["groups"]) for own, entry in zip(known, entries, strict=True)]
    unsettled = [at for at, own in enumerate(known) if _unsettled(own, sets, marks)]
    with ThreadPoolExecutor(READERS) as pool:
        footers = pool.map(lambda at: _of_groups(entries[at], names), unsettled)
        for at, groups in zip(unsettled, footers, strict=True):
            found[at] = groups
    return found


def _unsettled(own: Bounds, sets: Sequence[Sequence[Range]], marks: Marks) -> bool:
    """Whether row groups of a file with these bounds may have to be told apart."""
    read = [ranges for ranges in sets if rule_of(own, ranges) == READ]
    if not read:
        return _may_hold(own, marks)
    return all(_may_break(own, ranges) for ranges in read)


def _of_file(entry: Mapping[str, Any], names: Iterable[str]) -> Bounds:
    """What the manifest says of a file, as far as it makes sense."""
    said = {name: entry["ranges"].get(name) for name in names}
    return {
        name: (ends[0], ends[1])
        for name, ends in said.items()
        if isinstance(ends, list) and [type(end) in (int, float) for end in ends] == [True, True] and ends[0] <= ends[1]
    }


def _of_groups(entry: Mapping[str, Any], names: Iterable[str]) -> list[Bounds]:
    """What the footer of a file says of each row group."""
    path = entry["path"]
    try:
        with places.open_file(path) as source:
            footer = pq.read_metadata(source)
    except (OSError, pa.ArrowException) as error:
        raise LibraryError(
            f"{places.shown(path)}: cannot be read ({places.said(error, path)}); build the library again"
        ) from error
    groups = [footer.row_group(group) for group in range(footer.num_row_groups)]
    if [group.num_rows for group in groups] != entry["groups"]:
        raise LibraryError(
            f"{places.shown(path)}: is not the file that was built (its row groups are not those of the manifest); "
            "build the library again"
        )
    columns = {footer.schema.column(at).name: at for at in range(footer.num_columns)}
    here = [(name, columns[name]) for name in names if name in columns]
    return [_of_group(group, here) for group in groups]


def _of_group(group: Any, columns: Sequence[tuple[str, int]]) -> Bounds:
    found = {}
    for name, at in columns:
        said = group.column(at).statistics
        # A row without a value breaks a range that the others may keep. A NaN would be in no statistics: build has none.
        if (
            said is not None
            and said.has_min_max
            and said.has_null_count
            and not said.null_count
            and said.min <= said.max
        ):
            found[name] = (said.min, said.max)
    return found
