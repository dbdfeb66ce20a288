"""The dry run of a build: what would be read, how many rows that is about, what would be refused, and how long it takes."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from drylab.build import BuildOptions, recipe_for, within
from drylab.execute import Executor, cores, serial
from drylab.ingest import read_block
from drylab.library.rows import Block, Rows, Source
from drylab.library.sources import blocks, expand, open_source, read_rows
from drylab.library.store import open_library
from drylab.quantities import duration

BLOCK, BLOCKS = 1 << 20, 4  # bytes and number of the blocks that are counted
SAMPLE = 400  # rows a source that are put through the recipe
ROW_SECONDS = 8e-6  # sorting, writing and merging a row, after it was standardised (bench/bench_library.py)
SCRATCH_BYTES, LIBRARY_BYTES = 160, 60  # of a row, on the disk: while it is built, and then


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """One source: how it would be read, ``rows`` it holds (``exact``, or by its size), and what a sample came to.

    first     id and SMILES of its first row
    seconds   of one core for all its rows            rejected  reason -> rows of the sample of ``sampled`` rows
    """

    source: Source
    rows: int
    exact: bool
    first: tuple[str, str]
    sampled: int
    rejected: dict[str, int]
    seconds: float


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """What a build would do; ``str(plan)`` is for people."""

    sources: tuple[SourcePlan, ...]
    recipe: str
    workers: int

    @property
    def rows(self) -> int:
        """Rows of all sources, about."""
        return sum(plan.rows for plan in self.sources)

    @property
    def seconds(self) -> float:
        """Wall time of the build, about."""
        return sum(plan.seconds for plan in self.sources) / self.workers

    def __str__(self) -> str:
        lines = [line for plan in self.sources for line in _lines(plan)]
        disk = f"{self.rows * SCRATCH_BYTES / 1e9:.2g} GB of scratch disk, {self.rows * LIBRARY_BYTES / 1e9:.2g} GB of library"
        return "\n".join(
            [
                *lines,
                f"in all {_about(all(plan.exact for plan in self.sources))}{self.rows:,} rows with recipe {self.recipe} on "
                f"{self.workers} worker(s): about {duration(self.seconds)}, {disk}",
            ]
        )


def _about(exact: bool) -> str:
    return "" if exact else "about "


def _lines(plan: SourcePlan) -> list[str]:
    source = plan.source
    kind = f"{source.format}{f', {source.compression}' if source.compression else ''}"
    bad = ", ".join(f"{reason}: {n}" for reason, n in plan.rejected.items()) or "none"
    return [
        f"{source.path}: {kind}, {source.size / 1e6:,.1f} MB, {_about(plan.exact)}{plan.rows:,} rows",
        f"  read as: {source.layout}",
        f"  first row: {plan.first[0]}  {plan.first[1][:80]}",
        f"  rejected of {plan.sampled} rows tried: {bad}",
    ]


def plan_build(
    sources: str | Path | Sequence[str | Path],
    options: BuildOptions | None = None,
    executor: Executor | None = None,
    onto: str | Path | None = None,
) -> BuildPlan:
    """Open every source, count and try its first rows, and say what building them would take. Writes nothing.

    ``onto`` is the library that they would be added to. Raises InputError and LibraryError for what a build would refuse
    before it starts: a missing file, a column that is not there, another recipe than the library's.
    """
    options = options or BuildOptions()
    recipe = recipe_for(options, None if onto is None else open_library(onto))["name"]
    given = [str(source) for source in ([sources] if isinstance(sources, str | Path) else sources)]
    plans, left = [], options.limit
    for number, path in enumerate(expand(given)):
        if left == 0:
            break
        plan = _plan(open_source(path, number, options.columns), recipe, left)
        left = None if left is None else left - min(left, plan.rows)
        plans.append(plan)
    chosen = within(executor or serial(), options.memory)
    return BuildPlan(tuple(plans), recipe, chosen.workers or cores())


def _plan(source: Source, recipe: str, limit: int | None) -> SourcePlan:
    read = list(itertools.islice(blocks(source, BLOCK, limit), BLOCKS + 1))
    exact = len(read) <= BLOCKS
    counted = sum(block.rows for block in read)
    # The first block shows how much of the file a row takes; what is read ahead of it counts too, so take all of them.
    rows = counted if exact else round(counted * source.size / max(1, read[-1].consumed))
    rows = rows if limit is None else min(rows, limit)
    tried = _tried(source, read)
    read_block(source, tried, recipe)  # the first call compiles, or loads what was compiled
    clock = time.perf_counter()
    done = read_block(source, tried, recipe)
    cost = (time.perf_counter() - clock) / max(1, len(tried)) + ROW_SECONDS
    reasons = Counter(row.reason for row in done.rejected)
    first = (tried.ids[0].as_py(), tried.smiles()[0].as_py().decode("utf-8", "backslashreplace"))
    return SourcePlan(source, rows, exact, first, len(tried), dict(reasons.most_common()), rows * cost)


def _tried(source: Source, read: Sequence[Block]) -> Rows:
    """Rows spread over the first block: those on top of a file are often alike."""
    rows = read_rows(source, read[0])
    at = np.unique(np.linspace(0, len(rows) - 1, min(SAMPLE, len(rows))).astype(np.int64))
    return rows.take(at)
