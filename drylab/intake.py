"""The first step of a build: every source is read in blocks, each of which becomes a sorted run in its scratch folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from drylab.errors import InputError
from drylab.execute import Executor
from drylab.ingest import Ingest, Ingested, crc_of, piece_name
from drylab.library import layout, places, sources
from drylab.library.ahead import ahead
from drylab.library.rows import Block, Source
from drylab.library.staging import Staging, write_whole
from drylab.library.store import Library, file_sha256
from drylab.progress import Progress

READERS, WAITING = 4, 4  # threads that decompress sources, and blocks that wait for a worker
# Text of a block: some seconds of work, so that workers share evenly and a restart loses little.
BLOCK_BYTES = {"none": 8 << 20, "standard": 1 << 20, "tautomer": 1 << 14}


@dataclass(frozen=True, slots=True)
class Job:
    """What is built: sources (or, for ``given``, blocks that lie in memory already), how, and onto what.

    base    the library that sources are added to, or None        memory rows have no file that could be read again
    number  the version that is made, from 1
    """

    sources: tuple[Source, ...]
    recipe: Mapping[str, str]
    limit: int | None
    executor: Executor
    progress: Progress
    base: Library | None = None
    given: Iterable[Block] | None = None

    @property
    def number(self) -> int:
        """The version that is made."""
        return 1 + (self.base.version if self.base else 0)

    @property
    def block_bytes(self) -> int:
        """Text of a block, about."""
        return BLOCK_BYTES[self.recipe["name"]]

    def metadata(self) -> dict[str, str]:
        """What every file of the library says about itself."""
        return {"drylab.schema": layout.SCHEMA, "drylab.recipe": json.dumps(dict(self.recipe), sort_keys=True)}


@dataclass(slots=True)
class Reading:
    """The sources while they are read.

    done      (source, block) -> account, of this build and of the one it goes on from
    sums      source -> SHA-256, of those read to their end      consumed  source -> bytes read so far
    """

    job: Job
    staging: Staging
    done: dict[tuple[int, int], Ingested]
    sums: dict[int, str] = field(default_factory=dict)
    consumed: dict[int, int] = field(default_factory=dict)

    def blocks(self) -> Generator[Block, None, None]:
        """Blocks that are still to be worked on."""
        if self.job.given is not None:
            yield from self.job.given
            return
        left = [source for source in self.job.sources if not self._whole_before(source)]
        if self.job.limit is None:
            with closing(ahead([partial(self._of, source, None) for source in left], READERS, WAITING)) as read:
                yield from (block for block in read if not self._known(block))
            return
        rows = self.job.limit
        for source in left:  # one after the other: which rows are the first is known only then
            with closing(ahead([partial(self._of, source, rows)], 1, WAITING)) as read:
                for block in read:
                    rows -= block.rows
                    if not self._known(block):
                        yield block
            if rows <= 0:
                return

    def share(self) -> float:
        """How much of the sources' bytes has been read."""
        return sum(self.consumed.values()) / max(1, sum(source.size for source in self.job.sources))

    def _of(self, source: Source, limit: int | None) -> Iterator[Block]:
        digest, blocks = _Digest(), 0
        for block in sources.blocks(source, self.job.block_bytes, limit, digest.update):
            blocks += 1
            self.consumed[source.number] = block.consumed
            yield block
        self.consumed[source.number] = source.size
        if limit is None:
            # What was read was not a stream of bytes where nothing was shown (Parquet).
            self.sums[source.number] = digest.hexdigest() if digest.bytes else file_sha256(source.path)
            said = {"sha256": self.sums[source.number], "blocks": blocks}
            write_whole(self._whole(source), json.dumps(said))

    def _whole(self, source: Source) -> Path:
        return self.staging.blocks / f"{piece_name(source.number, 0)}.whole"

    def _whole_before(self, source: Source) -> bool:
        """Whether a build before this one read the source to its end and did all its blocks."""
        if self.job.limit is not None or not self._whole(source).is_file():
            return False
        said = json.loads(self._whole(source).read_text(encoding="utf-8"))
        if any((source.number, block) not in self.done for block in range(said["blocks"])):
            return False
        self.sums[source.number], self.consumed[source.number] = said["sha256"], source.size
        return True

    def _known(self, block: Block) -> bool:
        """Whether a build before this one did the block; raises InputError if it held something else then."""
        before = self.done.get((block.source, block.number))
        if before is None:
            return False
        if (before.crc, before.rows) != (crc_of(block), block.rows):
            raise InputError(
                f"{places.shown(self.job.sources[block.source].path)}: is not what it was when the build began (from row {block.first} on); "
                "start again with --force"
            )
        return True


class _Digest:
    """SHA-256 of what was shown, and how many bytes that were."""

    def __init__(self) -> None:
        self._sha, self.bytes = hashlib.sha256(), 0

    def update(self, data: bytes) -> None:
        self._sha.update(data)
        self.bytes += len(data)

    def hexdigest(self) -> str:
        return self._sha.hexdigest()


def read_sources(job: Job, staging: Staging) -> Reading:
    """Every block of every source in a sorted run: the long part of a build, and all of RDKit's work in it."""
    reading = Reading(job, staging, _done(staging))
    task = Ingest(job.sources, job.recipe["name"], str(staging.blocks))
    job.progress.stage("reading and standardising", None)
    with closing(reading.blocks()) as blocks:  # closed here: no thread reads on while an error removes the folder
        for _, account in job.executor.results(task, blocks):
            reading.done[account.source, account.number] = account
            job.progress.rows(account.rows)
            job.progress.part(reading.share())
    return reading


def _done(staging: Staging) -> dict[tuple[int, int], Ingested]:
    home = str(staging.blocks)
    accounts = (Ingested.from_json(json.loads(path.read_text()), home) for path in staging.blocks.glob("*.json"))
    return {(account.source, account.number): account for account in accounts}
