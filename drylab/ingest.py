"""The task of a build's worker: a block of a source in, a sorted run on the scratch disk out, and an account of every row."""

from __future__ import annotations

import json
import os
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drylab.errors import AccountingError
from drylab.featurize.reference import RDKIT_NAMES
from drylab.featurize.route import Routed, route
from drylab.featurize.table import describe
from drylab.library import layout, places, runs, sources
from drylab.library.keys import keys
from drylab.library.rows import Block, Rows, Source
from drylab.library.staging import write_whole
from drylab.library.standardize import INORGANIC, Standard, standardize, written_alike
from drylab.library.store import rejected_table
from drylab.library.writing import write_table_stream
from drylab.types import PARSED, Rejected

BATCH = 8192  # molecules parsed at a time: their graphs are some 500 bytes each
CARBON = 6
SAMPLED = 100  # rows of a block that recipe "none" asks RDKit about
TEXT = 200  # characters of a rejected row that are kept


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of a block: read = rows of the run + duplicates in it + rejected.

    source, number, rows  the block's                 run       its rows, sorted on disk; None where none is left
    rejected  reason -> rows                          first     the first of them, None if there is none
    asked, alike  rows of recipe "none" that were compared with RDKit's writing, and how many agree
    by_rdkit  rows that the kernel left to RDKit      crc       of the block's bytes, 0 where it has none
    """

    source: int
    number: int
    rows: int
    run: runs.Run | None
    rejected: Mapping[str, int]
    first: Rejected | None
    asked: int
    alike: int
    by_rdkit: int
    crc: int

    def to_json(self) -> dict[str, Any]:
        """The same for a file, which a build that goes on after a restart reads."""
        run = self.run and runs.to_json(self.run)
        return {**{name: getattr(self, name) for name in self.__slots__}, "run": run, "first": _plain(self.first)}

    @staticmethod
    def from_json(said: Mapping[str, Any], folder: str) -> Ingested:
        """The reverse of ``to_json``, for files that lie in a folder now."""
        run = said["run"] and runs.from_json(said["run"], folder)
        first = said["first"] and Rejected(**said["first"])
        return Ingested(**{**said, "run": run, "first": first})


def _plain(rejected: Rejected | None) -> dict[str, Any] | None:
    return asdict(rejected) if rejected else None


def crc_of(block: Block) -> int:
    """CRC-32 of a block's bytes, 0 where it holds none: enough to see that a source was changed by mistake."""
    return zlib.crc32(block.data) if isinstance(block.data, bytes | bytearray | memoryview) else 0


def piece_name(source: int, number: int) -> str:
    """The stem of all files that a block makes; sorts as blocks do."""
    return f"s{source:05d}-b{number:08d}"


@dataclass(frozen=True, slots=True)
class Ingest:
    """The task: ``scratch`` is a folder that every worker sees."""

    sources: tuple[Source, ...]
    recipe: str
    scratch: str

    def __call__(self, block: Block) -> Ingested:
        source = self.sources[block.source]
        rows = sources.read_rows(source, block)
        if len(rows) != block.rows:
            raise AccountingError(
                f"{places.shown(source.path)}: {block.rows} rows were counted from row {block.first} on, {len(rows)} were read; please report it"
            )
        stem = os.path.join(self.scratch, piece_name(block.source, block.number))
        read = read_block(source, rows, self.recipe)
        run = runs.write_run(read.table, f"{stem}.run") if read.table.num_rows else None
        if read.rejected:
            write_table_stream(f"{stem}.rejected", [rejected_table(read.rejected)], layout.REJECTED, {})
        done = Ingested(
            source=block.source,
            number=block.number,
            rows=block.rows,
            run=run,
            rejected=dict(sorted(Counter(row.reason for row in read.rejected).items())),
            first=read.rejected[0] if read.rejected else None,
            asked=read.asked,
            alike=read.alike,
            by_rdkit=read.by_rdkit,
            crc=crc_of(block),
        )
        write_whole(f"{stem}.json", json.dumps(done.to_json()))  # last: who finds it may trust the others
        return done


@dataclass(frozen=True, slots=True)
class Read:
    """The rows of a block, apart: those that go on (schema layout.RUN, in the order of the source), and the rejected ones."""

    table: pa.Table
    rejected: Sequence[Rejected]
    asked: int
    alike: int
    by_rdkit: int


def read_block(source: Source, rows: Rows, recipe: str) -> Read:
    """Standardise, parse, describe and name the rows of a block."""
    made = standardize(rows.data, rows.offsets, recipe)
    refused: dict[int, tuple[str, str]] = {at: ("standardise", why) for at, why in made.reasons.items()}
    refused |= {at: ("read", why) for at, why in rows.troubles.items()}
    tables, by_rdkit = [], 0
    for start in range(0, len(rows), BATCH):
        here = slice(start, min(start + BATCH, len(rows)))
        offsets = made.offsets[here.start : here.stop + 1]
        text, offsets = made.data[offsets[0] : offsets[-1]], offsets - offsets[0]
        routed = route(text, offsets)
        by_rdkit += sum(routed.declined().values())
        for at, why in _troubles(routed, recipe):
            refused.setdefault(start + at, ("parse", why))
        good = np.array([at for at in range(here.start, here.stop) if at not in refused], np.int64)
        if len(good):
            tables.append(_table(source, rows, made, routed, good, start))
    table = pa.concat_tables(tables) if tables else layout.RUN.empty_table()
    asked, alike = written_alike(rows.data, rows.offsets, SAMPLED, seed=0) if recipe == "none" else (0, 0)
    return Read(table, list(_rejected(source, rows, refused)), asked, alike, by_rdkit)


def _troubles(routed: Routed, recipe: str) -> Iterator[tuple[int, str]]:
    """(position, why) of what cannot be used: no molecule, too many atoms, or no carbon, which other recipes look at before."""
    graphs = routed.graphs
    parsed = graphs.status == PARSED
    for at in np.flatnonzero(~parsed).tolist():
        yield at, routed.trouble(at)
    if recipe == "none":
        carbons = np.concatenate([[0], np.cumsum(graphs.element == CARBON)])
        without = carbons[graphs.atom_ptr[1:]] == carbons[graphs.atom_ptr[:-1]]
        yield from ((at, INORGANIC) for at in np.flatnonzero(without & parsed).tolist())


def _table(source: Source, rows: Rows, made: Standard, routed: Routed, good: NDArray[np.int64], start: int) -> pa.Table:
    """The rows at ``good`` of the block; ``routed`` has those of the batch that begins at ``start``."""
    here = good - start
    wanted = {name: RDKIT_NAMES[name] for name in layout.PROPERTIES}
    described = describe(routed.graphs, routed.mol, tuple(wanted.values()))
    values = {name: described[theirs][here] for name, theirs in wanted.items()}
    columns: dict[str, Any] = {
        "order": layout.order_of(values["mw"].astype(np.float64), values["clogp"].astype(np.float64)),
        "source": np.full(len(good), source.number, np.int32),
        "row": rows.numbers[good],
        "id": rows.ids.take(pa.array(good)),
        "key": layout.binary_keys(keys(routed.data, routed.offsets)[here]),
        "smiles": _texts(routed.data, routed.offsets).take(pa.array(here)),
        **values,
    }
    arrays = [pa.array(columns[field.name]).cast(field.type) for field in layout.RUN]
    return pa.Table.from_arrays(arrays, schema=layout.RUN)


def _texts(data: NDArray[np.uint8], offsets: NDArray[np.int32]) -> pa.StringArray:
    return pa.Array.from_buffers(
        pa.string(), len(offsets) - 1, [None, pa.py_buffer(np.ascontiguousarray(offsets)), pa.py_buffer(data)]
    )


def _rejected(source: Source, rows: Rows, refused: Mapping[int, tuple[str, str]]) -> Iterator[Rejected]:
    cells = rows.smiles()
    for at in sorted(refused):
        stage, why = refused[at]
        text = cells[at].as_buffer().slice(0, min(len(cells[at].as_buffer()), 4 * TEXT)).to_pybytes()
        shown = text.decode("utf-8", "backslashreplace")[:TEXT]
        yield Rejected(places.shown(source.path), int(rows.numbers[at]), rows.ids[at].as_py(), shown, stage, why)
