"""The probe of a plan: a few shards from all over a library, folded as the screen would fold them, with every worker at work.

What a worker does first is kept apart: it loads compiled kernels and touches its memory for the first time, once a run.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from drylab.execute import Executor
from drylab.measuring import measured, peak_memory, resident_memory, this_process
from drylab.types import Shard

S = TypeVar("S")
LEAST = 3  # pieces, whatever time they take, for each worker: one that warms it up, and more to be measured


@dataclass(frozen=True, slots=True)
class Piece:
    """A shard that was folded: by which worker, its rows, wall and CPU seconds of that worker, and bytes it then held."""

    worker: str
    rows: int
    seconds: float
    cpu: float
    memory: int


@dataclass(frozen=True, slots=True)
class Timed:
    """A task that says how long it took."""

    task: Callable[[Shard], Any]

    def __call__(self, shard: Shard) -> tuple[Any, Piece]:
        clock, cpu = time.perf_counter(), time.process_time()
        result = self.task(shard)
        took = time.perf_counter() - clock, time.process_time() - cpu
        return result, Piece(this_process(), shard.rows, *took, resident_memory())


@dataclass(frozen=True, slots=True)
class Probed:
    """What the probe measured.

    first    of each worker, the piece that warmed it up          pieces   all others, in the order they came
    start_s  until every worker had done its first piece          wall_s   of all
    merge_s  of this process, to merge one row's answer           workers
    start_cpu_s  CPU of workers besides their tasks: what they took to start
    here_bytes, worker_bytes  memory of this process, and of the largest worker, at most; 0: the work was done here
    gpus     that tasks ran on         watts  "cpu", "gpu" -> on average, None: not known     not_known  why
    """

    first: tuple[Piece, ...]
    pieces: tuple[Piece, ...]
    start_s: float
    wall_s: float
    merge_s: float
    workers: int
    start_cpu_s: float
    here_bytes: int
    worker_bytes: int
    gpus: int
    watts: dict[str, float | None]
    not_known: dict[str, str]

    @property
    def rows(self) -> int:
        """Rows that were folded."""
        return sum(piece.rows for piece in (*self.first, *self.pieces))


def probe(
    task: Callable[[Shard], S],
    merge: Callable[[S, S], S],
    shards: Sequence[Shard],
    executor: Executor,
    seconds: float,
) -> tuple[S, Probed]:
    """The merged answer of the shards that were folded within about so many seconds, and what that took.

    The time counts from the first result; ``LEAST`` pieces for each worker are done at least. ``shards`` are not empty.
    """
    state: S | None = None
    seen: dict[str, float] = {}  # worker -> when its first piece was done
    first: list[Piece] = []
    pieces: list[Piece] = []
    merging = 0.0
    ends = [math.inf]
    items = _items(shards, LEAST * (executor.workers or 1), lambda: time.perf_counter() > ends[0])
    with measured(executor) as meter:
        begun = time.perf_counter()
        for _, (result, piece) in meter.executor.results(Timed(task), items):
            now = time.perf_counter()
            ends[0] = min(ends[0], now + seconds)
            (pieces if piece.worker in seen else first).append(piece)
            seen.setdefault(piece.worker, now)
            state = result if state is None else merge(state, result)
            merging += time.perf_counter() - now
        wall = time.perf_counter() - begun
        rows = sum(piece.rows for piece in (*first, *pieces))
        spent = meter.spent(rows, True)
        others = [used for name, used in meter.seen.items() if name != this_process()]
        tasks = sum(used.cpu[1] - used.cpu[0] for used in meter.seen.values())
    assert state is not None
    return state, Probed(
        first=tuple(first),
        pieces=tuple(pieces),
        start_s=max(seen.values()) - begun,
        wall_s=wall,
        merge_s=merging / rows,
        workers=executor.workers or len(seen),
        start_cpu_s=max(0.0, spent.cpu_s - tasks - merging) if others else 0.0,
        here_bytes=peak_memory(),
        worker_bytes=max((used.peak for used in others), default=0),
        gpus=spent.gpus,
        watts={kind: None if joules is None else joules / wall for kind, joules in spent.energy_j.items()},
        not_known={name: why for name, why in spent.not_known.items() if name.startswith("energy")},
    )


def _items(shards: Sequence[Shard], least: int, late: Callable[[], bool]) -> Iterator[Shard]:
    """Shards from all over, until it is late; the same ones again only if there are fewer than ``least``."""
    for number, shard in enumerate(itertools.cycle(spread(shards))):
        if number >= least and (number >= len(shards) or late()):
            return
        yield shard


def spread(items: Sequence[S]) -> Iterator[S]:
    """All items, in an order in which the first few, however many, are spread evenly over them.

    By the digits of 0, 1, 2, ... to the base 2, reversed (van der Corput 1935): 0, 1/2, 1/4, 3/4, 1/8, ...
    """
    digits = max(0, (len(items) - 1).bit_length())
    for number in range(1 << digits):
        at = int(f"{number:0{digits}b}"[::-1], 2) if digits else 0
        if at < len(items):
            yield items[at]
