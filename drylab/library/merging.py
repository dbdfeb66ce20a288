"""Runs -> shards: where to cut the order into parts, and for each part one sorted file in which each key stands once.

The rows of a part are those of all runs between two cuts. A part needs nothing but its own rows in memory, so runs of
any size become shards of about the same size, on any number of workers. Rows of one key are always in one part.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drylab.errors import AccountingError
from drylab.library import histograms, layout
from drylab.library.present import present
from drylab.library.runs import (
    BATCH_ROWS,
    DUPLICATE,
    Cut,
    Piece,
    Run,
    duplicates_writer,
    per_source,
    pieces,
    ranked,
    read_duplicates,
    read_piece,
    write_sorted,
)
from drylab.library.writing import whole_file, write_shard

MOST_RUNS = 256  # that a part is read from: each costs it a file to open and up to two batches read in vain
COMPACT_ROWS = 1 << 18  # of a compaction in memory at a time
COMPACT_BYTES = 1 << 26


@dataclass(frozen=True, slots=True)
class Part:
    """All rows of the runs in [low, high), and where to put them; None is open.

    pieces      where they are                       base    shards of an older version that may have their keys
    shard, duplicates, result   the files to write   metadata  of the shard
    """

    number: int
    low: Cut | None
    high: Cut | None
    pieces: tuple[Piece, ...]
    base: tuple[str, ...]
    shard: str
    duplicates: str
    result: str
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Merged:
    """What became of a part.

    entry             of its shard in the manifest; None where no row was left, and then there is no file
    kept, duplicates  source number -> rows in the shard, rows in the duplicates file
    aside             the duplicates file, schema runs.DUPLICATE; "" where there are none
    histograms        of the shard's rows
    """

    number: int
    low: Cut | None
    high: Cut | None
    entry: Mapping[str, Any] | None
    kept: Mapping[int, int]
    duplicates: Mapping[int, int]
    aside: str
    histograms: Mapping[str, list[int]]


def to_json(merged: Merged) -> dict[str, Any]:
    """What ``from_json`` makes the same of."""
    return asdict(merged)


def from_json(data: Mapping[str, Any]) -> Merged:
    """What ``to_json`` wrote."""
    low, high = (None if data[name] is None else (data[name][0], data[name][1]) for name in ("low", "high"))
    kept, duplicates = ({int(source): n for source, n in data[name].items()} for name in ("kept", "duplicates"))
    return Merged(data["number"], low, high, data["entry"], kept, duplicates, data["aside"], data["histograms"])


def cuts(runs: Sequence[Run], rows: int | None = None, size: int | None = None) -> list[Cut]:
    """Where to cut so that each part has about the same share, about ``rows`` rows and ``size`` bytes of text at most.

    Parts are one more than cuts, none is empty, and no rows are one part without cuts. Depends on the runs' marks alone.
    rows, size  layout.SHARD_ROWS and layout.SHARD_BYTES unless given
    """
    rows, size = rows or layout.SHARD_ROWS, size or layout.SHARD_BYTES
    marks = [run.marks for run in runs if run.rows]
    if not marks:
        return []
    # In units of 1 / (rows * size) of a part: 64 bits are enough for 2**37 rows. A mark stands for half of the rows on
    # either side of it: the true number before a cut is then off by half a stride of a run, up or down.
    gaps = [np.diff(one[2:]) * np.array([[size], [rows]], np.uint64) for one in marks]
    costs = [np.append(np.uint64(0), gap.max(axis=0)) for gap in gaps]
    shares = np.concatenate(
        [cost // np.uint64(2) + np.append(cost[1:] - cost[1:] // np.uint64(2), np.uint64(0)) for cost in costs]
    )
    order, high_word = (np.concatenate([one[i] for one in marks]) for i in (0, 1))
    index = np.lexsort((high_word, order))
    before = np.cumsum(shares[index])
    total = int(before[-1])
    n = -(-total // (rows * size))
    at = np.searchsorted(before, np.array([i * total // n for i in range(1, n)], np.uint64), "left")
    found = [(int(order[i]), int(high_word[i])) for i in index[at]]
    least = (int(order[index[0]]), int(high_word[index[0]]))
    return sorted(set(found) - {least})


def parts(
    runs: Sequence[Run],
    at: Sequence[Cut],
    shards: str,
    scratch: str,
    base: Mapping[str, tuple[float, float]],
    metadata: Mapping[str, str],
) -> list[Part]:
    """The parts between cuts, in order, as ``merge_part`` takes them.

    shards    where the shards go; its last ``{:05d}`` is to be the number of the part: ``.../shards/v1-{:05d}.parquet``
    scratch   where the duplicates and the results go, likewise and without a suffix
    base      shards of an older version: file -> the range of their mw; the keys that they have are duplicates
    """
    by_run = [pieces(run, at) for run in runs]
    found = []
    for number, (low, high) in enumerate(zip([None, *at], [*at, None], strict=True)):
        own = tuple(run[number] for run in by_run if run[number].stop > run[number].first)
        daltons = _daltons(low, high)
        near = tuple(file for file, (least, most) in base.items() if most >= daltons[0] and least <= daltons[1])
        shard, name = _numbered(shards, number), _numbered(scratch, number)
        found.append(Part(number, low, high, own, near, shard, f"{name}.duplicates", f"{name}.json", metadata))
    return found


def _numbered(name: str, number: int) -> str:
    """Not str.format: the folders above may have braces in their names."""
    head, _, tail = name.rpartition("{:05d}")
    return f"{head}{number:05d}{tail}"


def _daltons(low: Cut | None, high: Cut | None) -> tuple[float, float]:
    """The weights of rows between two cuts, with room for another version's last bits."""
    least = -np.inf if low is None else float(low[0] >> 32) - 0.001
    return least, np.inf if high is None else float((high[0] >> 32) + 1) + 0.001


def merge_part(part: Part) -> Merged:
    """Write the shard, the duplicates and, last, the result of a part.

    Of the rows with one key the least (source, row) is kept unless a base shard has the key. At its peak this holds the
    rows once, and the column of them that is largest a second time. Raises OSError, and LibraryError for a damaged base.
    """
    columns = _load(part.pieces, part.low, part.high)
    index, kept = ranked(columns)
    if part.base:
        keys = layout.number_keys(columns["key"])[index[kept]]
        kept[np.flatnonzero(kept)] = ~present(keys, part.base, _daltons(part.low, part.high))
    others = pa.table({name: columns[name] for name in DUPLICATE.names}, DUPLICATE).take(pa.array(index[~kept]))
    if others.num_rows:
        with duplicates_writer(part.duplicates) as writer:
            writer.write_table(others, BATCH_ROWS)
    index = index[kept]
    counts = histograms.empty()
    entry = write_shard(part.shard, _groups(columns, index, counts), part.metadata) if len(index) else None
    merged = Merged(
        part.number,
        part.low,
        part.high,
        entry,
        per_source(columns["source"].take(pa.array(index))),
        per_source(others.column("source")),
        part.duplicates if others.num_rows else "",
        counts,
    )
    with whole_file(part.result) as file:
        file.write(json.dumps(to_json(merged)).encode())
    return merged


def finished(part: Part) -> Merged | None:
    """The result of a part that was merged before, in this build or one that was killed; None if it is still to do."""
    try:
        merged = from_json(json.loads(Path(part.result).read_bytes()))
    except (FileNotFoundError, ValueError):  # not there, or cut short when the power failed
        return None
    if (merged.number, merged.low, merged.high) != (part.number, part.low, part.high):
        return None
    return replace(merged, aside=part.duplicates if merged.aside else "")  # the folder may have been moved


def _load(own: Sequence[Piece], low: Cut | None, high: Cut | None) -> dict[str, Any]:
    """The rows of [low, high) in pieces: each column of RUN as one Arrow array."""
    chunks: dict[str, list[Any]] = {field.name: [pa.array([], field.type)] for field in layout.RUN}
    for piece in own:
        for batch in read_piece(piece, low, high):
            for name, column in zip(layout.RUN.names, batch.columns, strict=True):
                chunks[name].append(column)
    columns = {name: pa.concat_arrays(chunks.pop(name)) for name in layout.RUN.names}
    pa.default_memory_pool().release_unused()  # or what was read stays with the process a second time
    return columns


def _groups(columns: Mapping[str, Any], index: NDArray[np.int64], counts: histograms.Counts) -> Iterator[pa.Table]:
    """Rows of a shard, a row group at a time; adds them to the histograms."""
    rows = pa.table({name: columns[name] for name in layout.ROWS.names}, layout.ROWS)
    for start in range(0, len(index), layout.GROUP_ROWS):
        group = rows.take(pa.array(index[start : start + layout.GROUP_ROWS]))
        counts.update(histograms.add([counts, histograms.count(group)]))
        yield group


def groups_to_compact(runs: Sequence[Run], most_runs: int = MOST_RUNS) -> list[list[Run]]:
    """The runs in at most ``most_runs`` groups of neighbours, as even as can be: a group of several is to become one run."""
    n = min(len(runs), most_runs)
    return [list(runs[i * len(runs) // n : (i + 1) * len(runs) // n]) for i in range(n)]


def compact(runs: Sequence[Run], path: str) -> Run:
    """Write several runs as one: the same rows and duplicates as if all their rows had been written as a run.

    About COMPACT_ROWS rows are in memory at a time. The old runs are not needed once this returned. Raises OSError.
    """
    at = cuts(runs, COMPACT_ROWS, COMPACT_BYTES)
    found: list[Mapping[int, int]] = [run.duplicates for run in runs]
    with duplicates_writer(f"{path}.duplicates") as aside:
        for table in _aside((run.aside, run.duplicates) for run in runs):
            aside.write_table(table)
        run = write_sorted(_merged_rows(runs, at, aside, found), path, sum(run.rows for run in runs), {})
    return replace(run, duplicates=total(found))


def _merged_rows(
    runs: Sequence[Run], at: Sequence[Cut], aside: Any, found: list[Mapping[int, int]]
) -> Iterator[pa.Table]:
    """The rows of runs, sorted, each key once; writes the others and adds how many they are."""
    by_run = [pieces(run, at) for run in runs]
    for number, (low, high) in enumerate(zip([None, *at], [*at, None], strict=True)):
        table = pa.table(_load([run[number] for run in by_run], low, high), layout.RUN)
        index, kept = ranked(table)
        others = table.select(DUPLICATE.names).take(pa.array(index[~kept]))
        aside.write_table(others, BATCH_ROWS)
        found.append(per_source(others.column("source")))
        yield table.take(pa.array(index[kept]))


def total(counts: Iterable[Mapping[int, int]]) -> dict[int, int]:
    """The sum of counts by source number, in the order of the numbers."""
    added: dict[int, int] = {}
    for one in counts:
        for source, n in one.items():
            added[source] = added.get(source, 0) + n
    return dict(sorted(added.items()))


def duplicates(merged: Sequence[Merged], runs: Sequence[Run], names: Sequence[str]) -> Iterator[pa.Table]:
    """All duplicates as tables of schema layout.DUPLICATES: those of the parts, in order, then those within each run.

    names  of the sources, by their number
    Raises AccountingError where a file does not hold as many as were counted.
    """
    sources = pa.array(names, pa.string())
    files = [*((part.aside, part.duplicates) for part in merged), *((run.aside, run.duplicates) for run in runs)]
    for table in _aside(files):
        named = table.set_column(
            table.column_names.index("source"), "source", sources.take(table.column("source").combine_chunks())
        )
        yield named.select(layout.DUPLICATES.names)


def _aside(files: Iterable[tuple[str, Mapping[int, int]]]) -> Iterator[pa.Table]:
    for path, counts in files:
        expected, rows = sum(counts.values()), 0
        for table in read_duplicates(path) if expected else ():
            rows += table.num_rows
            yield table
        if rows != expected:
            raise AccountingError(f"{path}: {rows} duplicates, expected {expected}; please report it")
