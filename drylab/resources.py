"""What a run used: time, processors, memory, bytes read, energy. Measured around each task, where the task ran.

A plan foretells the same quantities (``drylab.forecast``); run.json has the measured ones under ``resources``.
"""

from __future__ import annotations

import os
import platform
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from math import isnan
from pathlib import Path
from typing import Any

from drylab.device import gpu_in_use
from drylab.energy import Counters, bus_id, counters, metered
from drylab.execute import Executor

STATUS, IO = Path("/proc/self/status"), Path("/proc/self/io")


@dataclass(frozen=True, slots=True)
class Resources:
    """What a screen used, or will use. None: not known, and ``not_known`` says why.

    rows              molecules that were read and put through filters and network
    workers           processes (or threads of a cluster) that worked; None: not known
    wall_s            screening and describing hits, of which screen_s screening      cpu_s  of all processes together
    molecules_per_s   of the screening, all workers together
    core_hours        workers times wall time: what a batch system charges            gpu_hours  the same of GPUs
    peak_bytes        memory of the largest process                                   all_bytes  of all of them together
    read_bytes        what tasks read of files        energy_j  "cpu", "gpu" -> joules, of all that ran there meanwhile
    """

    rows: int
    workers: int | None
    wall_s: float
    screen_s: float
    cpu_s: float | None
    gpus: int
    peak_bytes: int | None
    all_bytes: int | None
    read_bytes: int | None
    energy_j: Mapping[str, float | None]
    not_known: Mapping[str, str] = field(default_factory=dict)

    @property
    def molecules_per_s(self) -> float:
        """Of the screening, with all workers."""
        return self.rows / self.screen_s if self.screen_s > 0 else 0.0

    @property
    def core_hours(self) -> float | None:
        """Cores held, whether they had work or not."""
        return None if self.workers is None else self.workers * self.wall_s / 3600

    @property
    def gpu_hours(self) -> float:
        """GPUs held while the library was screened."""
        return self.gpus * self.screen_s / 3600

    def to_dict(self) -> dict[str, Any]:
        """For run.json and other programs."""
        per_core = self.molecules_per_s / self.workers if self.workers else None
        said: dict[str, Any] = {
            "molecules": self.rows,
            "workers": self.workers,
            "wall_s": round(self.wall_s, 3),
            "cpu_s": None if self.cpu_s is None else round(self.cpu_s, 3),
            "molecules_per_s": round(self.molecules_per_s, 1),
            "molecules_per_s_per_worker": None if per_core is None else round(per_core, 1),
            "core_hours": self.core_hours,
            "gpus": self.gpus,
            "gpu_hours": self.gpu_hours,
            "peak_memory_bytes": {"largest_process": self.peak_bytes, "all_processes": self.all_bytes},
            "read_bytes": self.read_bytes,
            "energy_j": dict(self.energy_j),
            "not_known": dict(self.not_known),
        }
        return said


@dataclass(frozen=True, slots=True)
class Used:
    """One process between the start of its first task and the end of its last, in what it counts since it began.

    cpu  seconds, all threads        read  bytes by system calls, -1 where the system does not say
    peak bytes of memory at most, ever         gpu  PCI address of the GPU it computes on, "" for none
    """

    worker: str
    cpu: tuple[float, float]
    read: tuple[int, int]
    peak: int
    gpu: str

    def merge(self, other: Used) -> Used:
        """Of the same process, from the earlier start to the later end."""
        return Used(
            self.worker,
            (min(self.cpu[0], other.cpu[0]), max(self.cpu[1], other.cpu[1])),
            (min(self.read[0], other.read[0]), max(self.read[1], other.read[1])),
            max(self.peak, other.peak),
            self.gpu or other.gpu,
        )


@dataclass(frozen=True, slots=True)
class Metered:
    """A task that says with its result what its process used meanwhile."""

    task: Callable[[Any], Any]

    def __call__(self, item: Any) -> tuple[Any, Used]:
        cpu, read = time.process_time(), bytes_read()
        result = self.task(item)
        gpu = gpu_in_use()
        used = (cpu, time.process_time()), (read, bytes_read()), peak_memory(), bus_id(gpu) if gpu else ""
        return result, Used(this_process(), *used)


@dataclass(frozen=True, slots=True)
class Measured:
    """executor: the one to work with instead.    seen: process -> what it used, as results come.

    spent(rows, seconds, counted): all of it since the start, for so many molecules; ``seconds`` of each stage ("screen" is
    one), ``counted``: whether what tasks read of files was read by calls that the system counts
    """

    executor: Executor
    seen: Mapping[str, Used]
    joules: Callable[[], dict[str, float]]
    spent: Callable[[int, Mapping[str, float], bool], Resources]


@contextmanager
def measured(executor: Executor, found: Counters | None = None) -> Iterator[Measured]:
    """Measures what the executor's tasks use, and this process, from here on."""
    found = counters() if found is None else found
    seen: dict[str, Used] = {}
    own, children = time.process_time(), _children()

    def results(task: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[tuple[int, Any]]:
        for number, (result, used) in executor.results(Metered(task), items):
            seen[used.worker] = used.merge(seen.get(used.worker, used))
            yield number, result

    def spent(rows: int, seconds: Mapping[str, float], counted: bool) -> Resources:
        cpu = time.process_time() - own
        return _resources(
            _Spent(executor, found, dict(seen), cpu, _children() - children, joules()), rows, seconds, counted
        )

    with metered(found.found) as joules:
        yield Measured(replace(executor, results=results), seen, joules, spent)


@dataclass(frozen=True, slots=True)
class _Spent:
    """As measured: CPU seconds of this process and of its children that ended, joules by counter."""

    executor: Executor
    found: Counters
    seen: Mapping[str, Used]
    own: float
    children: float
    joules: Mapping[str, float]


def _resources(it: _Spent, rows: int, seconds: Mapping[str, float], counted: bool) -> Resources:
    others = [used for worker, used in it.seen.items() if worker != this_process()]
    tasks = sum(used.cpu[1] - used.cpu[0] for used in others)
    peaks = [peak_memory(), *(used.peak for used in others)]
    reads = [used.read[1] - used.read[0] for used in it.seen.values()]
    told = counted and all(used.read[0] >= 0 for used in it.seen.values())
    gpus = {used.gpu for used in it.seen.values() if used.gpu}
    elsewhere = it.executor.workers is None
    energy, not_known = _energy(it, gpus, elsewhere)
    if elsewhere:
        not_known["cpu_s"] = "of the cluster's workers only what the tasks themselves used is counted"
    if not told:
        not_known["read_bytes"] = "reads of an object store are not counted" if not counted else f"{IO} is not here"
    return Resources(
        rows=rows,
        workers=len(others) if elsewhere else it.executor.workers,
        wall_s=sum(seconds.values()),
        screen_s=seconds["screen"],
        # Children that ended are counted whole, with their start; those of a cluster only while they had tasks.
        cpu_s=it.own + max(it.children, tasks),
        gpus=len(gpus),
        peak_bytes=max(peaks),
        all_bytes=sum(peaks),
        read_bytes=sum(reads) if told else None,
        energy_j=energy,
        not_known=not_known,
    )


def _energy(it: _Spent, gpus: set[str], elsewhere: bool) -> tuple[dict[str, float | None], dict[str, str]]:
    """Joules of processors, and of those GPUs that tasks ran on; None with a reason."""
    energy: dict[str, float | None] = {"cpu": None, "gpu": None if gpus else 0.0}
    why = {}
    for kind in [kind for kind, joules in energy.items() if joules is None]:
        asked = [
            counter for counter in it.found.found if counter.kind == kind and (kind == "cpu" or counter.name in gpus)
        ]
        total = sum(it.joules[counter.name] for counter in asked)
        if elsewhere:
            why[f"energy_j.{kind}"] = "the machines of the cluster tell nothing of it here"
        elif asked and not isnan(total) and (kind == "cpu" or len(asked) == len(gpus)):
            energy[kind] = total
        else:
            why[f"energy_j.{kind}"] = it.found.missing.get(kind, "a counter could not be read all the time")
    return energy, why


def this_process() -> str:
    """What tells a process from any other of a cluster."""
    return f"{platform.node()}:{os.getpid()}"


def peak_memory(status: Path = STATUS) -> int:
    """Bytes of memory that this process held at most (resident set), since it began."""
    try:
        # ru_maxrss of a process starts with the memory of the one that started it, until it has more itself.
        lines = status.read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024


def bytes_read(io: Path = IO) -> int:
    """Bytes that this process read by system calls, from a disk or from the page cache; -1 where the system does not say."""
    try:
        return next(int(line.split()[1]) for line in io.read_text().splitlines() if line.startswith("rchar:"))
    except (OSError, StopIteration):
        return -1


def _children() -> float:
    """CPU seconds of this process's children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
