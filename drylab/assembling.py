"""The middle of a build: sorted runs -> shards, side files and the manifest; goes on where a killed one stopped."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from drylab.errors import AccountingError
from drylab.execute import Executor, serial
from drylab.ingest import Ingested, piece_name
from drylab.intake import Job, Reading
from drylab.library import histograms, layout, merging, places, runs
from drylab.library.staging import Staging, write_whole
from drylab.library.writing import read_table_stream, write_table_stream


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
            made[path] = runs.from_json(json.loads(Path(f"{path}.json").read_text()), str(staging.parts))
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
    done = {part.number: merged for part in parts if (merged := merging.finished(part))}
    rows = sum(run.rows for run in sorted_runs) - sum(_rows(merged) for merged in done.values())
    job.progress.stage("writing shards", rows)
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
