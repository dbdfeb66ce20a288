"""Measures what a run uses, around each task, where the task runs; run.json has it under ``resources``."""

from __future__ import annotations

import os
import platform
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import isnan
from pathlib import Path
from typing import Any

from drylab.device import gpu_in_use
from drylab.energy import Counters, bus_id, counters, metered
from drylab.execute import Executor
from drylab.resources import Resources

STATUS, IO = Path("/proc/self/status"), Path("/proc/self/io")


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

    spent(rows, counted): all of it since the start, for so many molecules screened, 0 if this is another stage;
    ``counted``: whether files were read by calls that the system counts
    """

    executor: Executor
    seen: Mapping[str, Used]
    spent: Callable[[int, bool], Resources]


@contextmanager
def measured(executor: Executor, found: Counters | None = None) -> Iterator[Measured]:
    """Measures what the executor's tasks use, and this process, from here on. ``found`` default: all counters here."""
    found = counters() if found is None else found
    seen: dict[str, Used] = {}
    clock, own, children = time.perf_counter(), time.process_time(), _children()

    def results(task: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[tuple[int, Any]]:
        for number, (result, used) in executor.results(Metered(task), items):
            seen[used.worker] = used.merge(seen.get(used.worker, used))
            yield number, result

    def spent(rows: int, counted: bool) -> Resources:
        times = (time.perf_counter() - clock, time.process_time() - own, _children() - children)
        return _resources(_Spent(executor, found, dict(seen), *times, joules()), rows, counted)

    with metered(found.found) as joules:
        yield Measured(replace(executor, results=results), seen, spent)


@dataclass(frozen=True, slots=True)
class _Spent:
    """As measured: wall time, CPU seconds of this process and of its children that ended, joules by counter."""

    executor: Executor
    found: Counters
    seen: Mapping[str, Used]
    wall: float
    own: float
    children: float
    joules: Mapping[str, float]


def _resources(it: _Spent, rows: int, counted: bool) -> Resources:
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
        not_known["read_bytes"] = f"{IO} is not here" if counted else "reads of an object store are not counted"
    return Resources(
        rows=rows,
        workers=it.executor.workers or len(others),
        wall_s=it.wall,
        screen_s=it.wall if rows else 0.0,
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
    most = _memory("VmHWM", status)
    if most is None:
        # Elsewhere than on Linux. There, this starts with the memory of the process that started this one.
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return most


def resident_memory(status: Path = STATUS) -> int:
    """Bytes of memory that this process holds; 0 where the system does not say."""
    return _memory("VmRSS", status) or 0


def _memory(name: str, status: Path) -> int | None:
    try:
        lines = status.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:")), None)


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
