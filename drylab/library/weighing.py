"""How many bytes of a library a screen reads, told from the manifest and a few footers."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

from drylab.library import places
from drylab.library.reading import BATCH
from drylab.library.store import PIECE
from drylab.types import Shard

FOOTERS = 4  # files of which the footers are read: columns take much the same share of each
PIECES = 16  # of a file that is summed up to tell how fast that is


@dataclass(frozen=True, slots=True)
class Weight:
    """Bytes that a screen reads: whole files, to compare their SHA-256, and then the columns that it needs."""

    files: int
    checked: int
    columns: int


def weigh(entries: Sequence[Mapping[str, Any]], read: Sequence[Shard]) -> Weight:
    """What reading these shards costs; ``entries`` are those of ``Library.entries``. Raises OSError."""
    groups: Counter[str] = Counter()
    for shard in read:
        groups[shard.path] += shard.groups
    mine = [entry for entry in entries if groups[entry["path"]]]
    share = _share([entry["path"] for entry in mine[:: max(1, len(mine) // FOOTERS)][:FOOTERS]])
    parts = (entry["bytes"] * groups[entry["path"]] / len(entry["groups"]) for entry in mine)
    return Weight(len(mine), sum(entry["bytes"] for entry in mine), round(share * sum(parts)))


def _share(paths: Sequence[str]) -> float:
    """The share of these files that the columns of a screen take."""
    needed = total = 0
    for path in paths:
        with places.open_file(path) as source:
            footer = pq.read_metadata(source)
        for group in (footer.row_group(at) for at in range(footer.num_row_groups)):
            for column in (group.column(at) for at in range(footer.num_columns)):
                total += column.total_compressed_size
                needed += column.total_compressed_size if column.path_in_schema in BATCH else 0
    return needed / total if total else 0.0


def checking_speed(path: str) -> float:
    """Bytes a second at which the start of a file is read and summed up. Raises OSError."""
    digest, done = hashlib.sha256(), 0
    clock = time.perf_counter()
    with places.open_stream(path) as stream:
        for _ in range(PIECES):
            piece = stream.read(PIECE)
            digest.update(piece)
            done += len(piece)
    return done / max(time.perf_counter() - clock, 1e-9)
