"""Libraries on disk for tests of what reads them: rows of any kind, in as many versions, files and row groups as wanted."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from drylab.library import layout, writing
from drylab.library.store import rejected_table, write_manifest
from drylab.types import Rejected

RECIPE = {"name": "standard", "version": "1", "rdkit": "x"}


def rows(ids: Sequence[str], smiles: Sequence[str], values: Mapping[str, Sequence[float]] | None = None) -> pa.Table:
    """A table of schema ROWS; properties that are not given are made up from the row's number."""
    n = len(ids)
    keys = [hashlib.blake2b(text.encode(), digest_size=16).digest() for text in smiles]
    columns: dict[str, Any] = {"id": ids, "key": keys, "smiles": smiles}
    columns |= {name: [i % 7 for i in range(n)] for name in layout.PROPERTIES} | {"mw": [100.0 + i for i in range(n)]}
    columns |= values or {}
    return pa.table({field.name: pa.array(columns[field.name], field.type) for field in layout.ROWS}, layout.ROWS)


def in_order(table: pa.Table) -> pa.Table:
    """Rows as a build sorts them."""
    order = layout.order_of(table["mw"].to_numpy(), table["clogp"].to_numpy())
    keys = layout.number_keys(table["key"])
    return table.take(pa.array(np.lexsort((keys[:, 1], keys[:, 0], order))))


def write(
    folder: Path, versions: Sequence[pa.Table], group: int = 7, file: int = 21, rejected: Sequence[Rejected] = ()
) -> Path:
    """A library whose versions hold these rows, as they are, in files of ``file`` rows and row groups of ``group``."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / layout.SHARDS).mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "GROUP_ROWS", group)
        entries = [_version(folder, number, table, file, rejected) for number, table in enumerate(versions, 1)]
    manifest = {
        "schema": layout.SCHEMA,
        "rows": sum(table.num_rows for table in versions),
        "version": len(versions),
        "recipe": RECIPE,
        "properties": list(layout.PROPERTIES),
        "versions": entries,
    }
    write_manifest(folder, manifest)
    return folder


def _version(folder: Path, number: int, table: pa.Table, file: int, rejected: Sequence[Rejected]) -> dict[str, Any]:
    cuts = pairwise([*range(0, table.num_rows, file), table.num_rows])
    shards = [
        writing.write_shard(str(folder / layout.SHARDS / f"v{number}-{at:05d}.parquet"), [table.slice(i, j - i)], {})
        for at, (i, j) in enumerate(cuts)
    ]
    no_rows, refused = layout.DUPLICATES.empty_table(), rejected_table(rejected)
    source = {"path": f"{number}.smi", "sha256": "", "bytes": 0, "read": table.num_rows, "kept": table.num_rows}
    return {
        "version": number,
        "drylab": "0",
        "rows": table.num_rows,
        "sources": [{**source, "duplicates": 0, "rejected": {}}],
        "shards": shards,
        "duplicates": writing.write_table_stream(
            str(folder / f"duplicates-{number}.parquet"), [no_rows], layout.DUPLICATES, {}
        ),
        "rejected": writing.write_table_stream(
            str(folder / f"rejected-{number}.parquet"), [refused], layout.REJECTED, {}
        ),
        "histograms": {},
    }
