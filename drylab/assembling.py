"""The steps of a build, each of which goes on where a killed one stopped: read blocks, sort and merge, write the manifest."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from drylab.errors import AccountingError, InputError
from drylab.execute import Executor, serial
from drylab.ingest import Ingest, Ingested, crc_of, piece_name
from drylab.library import histograms, layout, merging, places, runs, sources
from drylab.library.ahead import ahead
from drylab.library.rows import Block, Source
from drylab.library.staging import Staging, write_whole
from drylab.library.store import Library, file_sha256
from drylab.library.writing import read_table_stream, write_table_stream
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

    def blocks(self) -> Iterator[Block]:
        """Blocks that are still to be worked on."""
        if self.job.given is not None:
            yield from self.job.given
            return
        left = [source for source in self.job.sources if not self._whole_before(source)]
        if self.job.limit is None:
            read = ahead([partial(self._of, source, None) for source in left], READERS, WAITING)
            yield from (block for block in read if not self._known(block))
            return
        rows = self.job.limit
        for source in left:  # one after the other: which rows are the first is known only then
            for block in ahead([partial(self._of, source, rows)], 1, WAITING):
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
        size = BLOCK_BYTES[self.job.recipe["name"]]
        for block in sources.blocks(source, size, limit, digest.update):
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
    job.progress.rows(sum(account.rows for account in reading.done.values()))
    for _, account in job.executor.results(task, reading.blocks()):
        reading.done[account.source, account.number] = account
        job.progress.rows(account.rows)
        job.progress.part(reading.share())
    return reading


def _done(staging: Staging) -> dict[tuple[int, int], Ingested]:
    accounts = (Ingested.from_json(json.loads(path.read_text())) for path in sorted(staging.blocks.glob("*.json")))
    return {(account.source, account.number): account for account in accounts}


def assemble(job: Job, staging: Staging, reading: Reading) -> None:
    """Sorted runs -> the files of the library, the manifest last, in the staging's ``library`` folder."""
    accounts = [reading.done[at] for at in sorted(reading.done)]
    sorted_runs = _compacted(job, staging, [account.run for account in accounts if account.run])
    merged = _merged(job, staging, sorted_runs)
    suffix = "" if job.number == 1 else f"-v{job.number}"
    names = [places.shown(source.path) for source in job.sources]
    duplicates = merging.duplicates(merged, sorted_runs, names)
    sides = {
        "duplicates": (layout.DUPLICATES_FILE, layout.DUPLICATES, duplicates),
        "rejected": (layout.REJECTED_FILE, layout.REJECTED, _rejected(staging, accounts)),
    }
    entry: dict[str, Any] = {
        "version": job.number,
        "drylab": version("drylab"),
        "rows": sum(sum(part.kept.values()) for part in merged),
        "sources": list(_sources(job, reading, accounts, sorted_runs, merged)),
        "shards": [part.entry for part in merged if part.entry],
        "histograms": histograms.to_json(histograms.add([part.histograms for part in merged])),
        "by_rdkit": sum(account.by_rdkit for account in accounts),
        "written_alike": {name: sum(getattr(account, name) for account in accounts) for name in ("asked", "alike")},
    }
    for name, (file, schema, tables) in sides.items():
        path = staging.library / file.replace(".", f"{suffix}.")
        entry[name] = write_table_stream(str(path), tables, schema, job.metadata())
    write_whole(staging.library / layout.MANIFEST, json.dumps(_manifest(job, entry), indent=1, sort_keys=True) + "\n")


def _manifest(job: Job, entry: dict[str, Any]) -> dict[str, Any]:
    before: Mapping[str, Any] = job.base.manifest if job.base else {"rows": 0, "versions": []}
    return {
        "schema": layout.SCHEMA,
        "rows": before["rows"] + entry["rows"],
        "version": job.number,
        "recipe": dict(job.recipe),
        "properties": list(layout.PROPERTIES),
        "versions": [*before["versions"], entry],
    }


@dataclass(frozen=True, slots=True)
class Compact:
    """The task that makes several runs into one: the name of that, and the runs."""

    def __call__(self, item: tuple[str, list[runs.Run]]) -> runs.Run:
        path, small = item
        run = merging.compact(small, path)
        write_whole(f"{path}.json", json.dumps(runs.to_json(run)))
        return run


def _compacted(job: Job, staging: Staging, small: list[runs.Run]) -> list[runs.Run]:
    """The same rows in few runs: each one that a part is read from costs a file to open."""
    groups = merging.groups_to_compact(small)
    named = [(str(staging.parts / f"compacted-{i:05d}.run"), group) for i, group in enumerate(groups)]
    made = {path: group[0] for path, group in named if len(group) == 1}
    for path, _ in named:
        if os.path.isfile(f"{path}.json"):
            made[path] = runs.from_json(json.loads(Path(f"{path}.json").read_text()))
    left = [(path, group) for path, group in named if path not in made]
    if left:
        job.progress.stage("sorting", len(left))
    for _, run in _few(job.executor, left).results(Compact(), left):
        made[run.path] = run
        job.progress.rows(1)
    return [made[path] for path, _ in named]


def _merged(job: Job, staging: Staging, sorted_runs: Sequence[runs.Run]) -> list[merging.Merged]:
    """Every shard written, by this build or the one that it goes on from."""
    home = staging.library / layout.SHARDS
    home.mkdir(exist_ok=True)
    base = job.base.mw_ranges() if job.base else {}
    shards, scratch = str(home / f"v{job.number}-{{:05d}}.parquet"), str(staging.parts / "{:05d}")
    parts = merging.parts(sorted_runs, merging.cuts(sorted_runs), shards, scratch, base, job.metadata())
    done = {part.number: before for part in parts if (before := merging.finished(part))}
    job.progress.stage("writing shards", sum(run.rows for run in sorted_runs))
    job.progress.rows(sum(_rows(merged) for merged in done.values()))
    left = [part for part in parts if part.number not in done]
    for _, merged in _few(job.executor, left).results(merging.merge_part, left):
        done[merged.number] = merged
        job.progress.rows(_rows(merged))
    return [done[number] for number in sorted(done)]


def _few(executor: Executor, items: Sequence[Any]) -> Executor:
    """For one item no worker is worth its start."""
    return executor if len(items) > 1 else serial()


def _rows(merged: merging.Merged) -> int:
    return sum(merged.kept.values()) + sum(merged.duplicates.values())


def _rejected(staging: Staging, accounts: Sequence[Ingested]) -> Iterator[Any]:
    for account in accounts:
        if account.rejected:
            yield from read_table_stream(str(staging.blocks / f"{piece_name(account.source, account.number)}.rejected"))


def _sources(
    job: Job,
    reading: Reading,
    accounts: Sequence[Ingested],
    sorted_runs: Sequence[runs.Run],
    merged: Sequence[merging.Merged],
) -> Iterator[dict[str, Any]]:
    """What became of the rows of each source; raises AccountingError where they do not add up."""
    kept = merging.total(part.kept for part in merged)
    found: list[Mapping[int, int]] = [part.duplicates for part in merged]
    duplicates = merging.total([*found, *(run.duplicates for run in sorted_runs)])
    for source in job.sources:
        own = [account for account in accounts if account.source == source.number]
        rejected = Counter[str]()
        for account in own:
            rejected.update(account.rejected)
        entry = {
            "path": places.shown(source.path),  # without keys of a store
            "sha256": reading.sums.get(source.number, ""),  # "": not read to its end, or not a file
            "bytes": source.size,
            "read": sum(account.rows for account in own),
            "kept": kept.get(source.number, 0),
            "duplicates": duplicates.get(source.number, 0),
            "rejected": dict(sorted(rejected.items())),
        }
        accounted = kept.get(source.number, 0) + duplicates.get(source.number, 0) + rejected.total()
        if entry["read"] != accounted:
            raise AccountingError(
                f"{places.shown(source.path)}: rows do not add up: {json.dumps(entry)}; please report it"
            )
        yield entry
