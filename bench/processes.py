"""Steps of a benchmark in processes of their own, so that their seconds, their memory and their cores are theirs alone."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
Step = Callable[..., dict[str, Any]]
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class Ended:
    """What a process and all below it came to: seconds of CPU and of the clock, and the peak of its memory in bytes."""

    text: str
    cpu: float
    wall: float
    peak: int


def ran(command: Sequence[str], cores: int | None = None, watched: bool = False) -> Ended:
    """A command, held to the last so many cores and as many threads each (None: as it likes); it must end well.

    ``watched``: the memory of its tree is sampled, which costs some CPU of another process.
    """
    before, begun, peak = _children(), time.perf_counter(), [0]
    with _held_to(cores):
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=_environment(cores)
        )
    with process:
        done = threading.Event()
        watcher = threading.Thread(target=_watch, args=(process.pid, done, peak))
        if watched:
            watcher.start()
        text, errors = process.communicate()
        done.set()
        if watched:
            watcher.join()
    wall = time.perf_counter() - begun
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)}\nended with {process.returncode}:\n{errors[-4000:]}")
    return Ended(text, _children() - before, wall, peak[0])


def step(*said: str, cores: int | None = None, watched: bool = False) -> dict[str, Any]:
    """A step of the script that runs, in a process of its own: what it gives, with the process's "peak" and "wall" seconds.

    A step that says its own "wall" keeps it.
    """
    ended = ran([sys.executable, sys.argv[0], *said], cores, watched)
    return {"peak": ended.peak, "wall": ended.wall, **json.loads(ended.text.splitlines()[-1])}


def run_step(steps: Mapping[str, Step]) -> bool:
    """Whether this process was started by ``step``; then the step is done and what it gives is printed."""
    if len(sys.argv) < 2 or sys.argv[1] not in steps:
        return False
    print(json.dumps(steps[sys.argv[1]](*sys.argv[2:])))
    return True


def cpu() -> float:
    """CPU seconds of this process and of its children that have ended."""
    return time.process_time() + _children()


@dataclass(frozen=True, slots=True)
class Seconds:
    """CPU seconds of this process and of its children that have ended, and of the clock."""

    cpu: float
    wall: float


def timed(work: Callable[[], T]) -> tuple[T, Seconds]:
    """What it gives, and what it took."""
    clock, start = time.perf_counter(), cpu()
    result = work()
    return result, Seconds(cpu() - start, time.perf_counter() - clock)


def pss(root: int) -> int:
    """Proportional set size of a process and all below it, in bytes: pages that are shared count once."""
    total, waiting = 0, [root]
    while waiting:
        pid = waiting.pop()
        try:
            total += sum(
                int(line.split()[1]) * 1024
                for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
                if line.startswith("Pss:")
            )
            waiting += [
                int(child)
                for task in os.listdir(f"/proc/{pid}/task")
                for child in Path(f"/proc/{pid}/task/{task}/children").read_text().split()
            ]
        except (FileNotFoundError, ProcessLookupError):
            continue  # ended meanwhile
    return total


@contextmanager
def _held_to(cores: int | None) -> Iterator[None]:
    """What is started meanwhile is held to the last so many cores."""
    all_cores = os.sched_getaffinity(0)
    if cores is not None and cores > len(all_cores):
        raise SystemExit(f"this measurement takes {cores} cores, and {len(all_cores)} is all there is; leave it out")
    os.sched_setaffinity(0, sorted(all_cores)[-cores:] if cores is not None else all_cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, all_cores)


def _watch(root: int, done: threading.Event, peak: list[int]) -> None:
    while not done.wait(0.05):
        peak[0] = max(peak[0], pss(root))


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _environment(cores: int | None) -> dict[str, str]:
    # A BLAS that is told to be another processor's is not what users have.
    kept = {name: value for name, value in os.environ.items() if name != "OPENBLAS_CORETYPE"}
    return kept if cores is None else {**kept, **dict.fromkeys(THREADS, "1")}
