"""Some rows of a library: a fair sample, or those that vendors' ids name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from drylab.errors import InputError, LibraryError
from drylab.library import layout, places
from drylab.library.reading import scan
from drylab.library.store import Library, open_library

FOUND = pa.schema(
    [
        ("asked", pa.string()),
        ("id", pa.string()),
        ("key", pa.binary(16)),
        ("smiles", pa.string()),
        ("source", pa.string()),
        ("row", pa.int64()),
    ]
)


def sample_library(library: str | Path | Library, n: int, seed: int = 0) -> pa.Table:
    """n rows of a library, each as likely as any other, none twice, in library order; all rows if it has fewer.

    The columns are those of a shard (id, key, smiles, properties). The same library, n and seed give the same rows. Only
    row groups that hold one of them are read. Raises LibraryError, and InputError for a negative n or seed.
    """
    if n < 0:
        raise InputError(f"a sample of {n} rows was asked for; give 0 or more")
    if seed < 0:
        raise InputError(f"the seed is {seed}; give 0 or more")
    opened = _opened(library)
    rows = chosen(opened.rows, n, seed)
    shards = opened.shards()
    bounds = np.searchsorted(rows, [shard.first for shard in shards] + [opened.rows])
    here = {shard.first: rows[low:high] for shard, (low, high) in zip(shards, pairwise(bounds), strict=True)}
    needed = [shard for shard in shards if len(here[shard.first])]
    tables = [
        table.take(pa.array(here[shard.first] - shard.first))
        for shard, table in zip(needed, scan(needed, checked=False), strict=True)
    ]
    return pa.concat_tables([layout.ROWS.empty_table(), *tables])


def chosen(rows: int, n: int, seed: int) -> NDArray[np.int64]:
    """min(n, rows) different numbers below ``rows``, rising. Memory grows with the smaller of n and rows - n, and the result."""
    if n >= rows:
        return np.arange(rows)
    few = min(n, rows - n)
    random = np.random.default_rng(seed)
    drawn = np.zeros(0, np.int64)
    while True:
        drawn = np.concatenate([drawn, random.integers(0, rows, few + 16)])
        numbers, first = np.unique(drawn, return_index=True)
        if len(numbers) >= few:  # the first to come, whatever was drawn after them
            picked = np.sort(drawn[np.sort(first)[:few]])
            break
    return picked if few == n else np.delete(np.arange(rows), picked)


def find_library(library: str | Path | Library, ids: Sequence[str]) -> pa.Table:
    """The molecules that vendors' ids name, also those of rows that were duplicates: a row for each id and molecule.

    asked   the id that was asked for, in the order of ``ids``     id   the id that the molecule has in the library
    key, smiles   the molecule's          source, row   where the duplicate stood; null where the row itself was kept

    An id that is not there has one row, of nulls. Ids are compared as they are, to the letter. All ids of the library
    are read, memory does not grow with it. Raises LibraryError, and InputError for an id that is not text.
    """
    asked = list(dict.fromkeys(ids))
    if isinstance(ids, str) or not all(isinstance(one, str) for one in asked):
        raise InputError("expected a list of ids as text; write [id], or str(id) for each")
    opened = _opened(library)
    wanted = pa.array(asked, pa.string())
    others = _duplicates(opened, wanted)
    keys = pa.array({row["key"] for row in others}, pa.binary(16))
    kept: list[dict[str, Any]] = []
    for table in scan(opened, ["id", "key", "smiles"], checked=False):
        mask = pc.or_(pc.is_in(table["id"], wanted), pc.is_in(table["key"], keys))
        kept += table.filter(mask).to_pylist()
    return _answers(asked, kept, others)


def _duplicates(library: Library, wanted: pa.Array) -> list[dict[str, Any]]:
    """Rows of the duplicates whose id is asked for."""
    found: list[dict[str, Any]] = []
    for version in library.manifest["versions"]:
        place = places.join(library.path, version["duplicates"]["file"])
        try:
            with places.open_file(place) as source, pq.ParquetFile(source) as file:
                for group in range(file.metadata.num_row_groups):
                    table = file.read_row_group(group)
                    found += table.filter(pc.is_in(table["id"], wanted)).to_pylist()
        except (OSError, pa.ArrowException) as error:
            raise LibraryError(
                f"{places.shown(place)}: cannot be read ({places.said(error, place)}); build the library again"
            ) from error
    return found


def _answers(asked: Sequence[str], kept: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]]) -> pa.Table:
    by_id: dict[str, list[dict[str, Any]]] = {one: [] for one in asked}
    by_key = {row["key"]: row for row in kept}
    for row in kept:
        if row["id"] in by_id:
            by_id[row["id"]].append({"asked": row["id"], **row, "source": None, "row": None})
    for row in others:
        molecule = by_key.get(row["key"], {"id": None, "smiles": None})
        by_id[row["id"]].append({**row, "asked": row["id"], "id": molecule["id"], "smiles": molecule["smiles"]})
    nothing = dict.fromkeys(FOUND.names)
    rows = [row for one in asked for row in by_id[one] or [{**nothing, "asked": one}]]
    return pa.Table.from_pylist(rows, FOUND)


def _opened(library: str | Path | Library) -> Library:
    return library if isinstance(library, Library) else open_library(library)
