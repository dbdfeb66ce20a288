"""What a run used: processor time of workers that really burn it, memory that they really hold, bytes that they read."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from distributed import LocalCluster

from drylab import execute
from drylab.energy import Counter, Counters
from drylab.execute import Executor
from drylab.measuring import Measured, Used, bytes_read, measured, peak_memory, this_process

NOTHING = Counters((), {"cpu": "no counter", "gpu": "no counter"})
BURN_S, HELD = 0.7, 150_000_000


def burn(seconds: float) -> float:
    """Uses so many seconds of CPU."""
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
    return seconds


def hold(size: int) -> int:
    """Holds so many bytes for a moment."""
    return int(np.ones(size, np.uint8).sum())


def read(path: str) -> int:
    return len(Path(path).read_bytes())


def run(
    executor: Executor, task: object, items: list[object], counted: bool = True
) -> tuple[list[object], Measured, object]:
    with measured(executor, NOTHING) as meter:
        done = list(execute.in_order(meter.executor, task, items))
        return done, meter, meter.spent(7, counted)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with LocalCluster(n_workers=1, threads_per_worker=2, dashboard_address=":0", silence_logs=40) as cluster:
        yield cluster.scheduler_address


@pytest.mark.parametrize("make", [execute.serial, lambda: execute.processes(2), lambda: execute.dask(1)])
def test_processor_time_of_workers_is_counted(make: Callable[[], Executor]) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done, meter, spent = run(make(), burn, [BURN_S] * 4)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done == [BURN_S] * 4
    assert spent.cpu_s >= 4 * BURN_S
    tasks = sum(used.cpu[1] - used.cpu[0] for used in meter.seen.values())
    assert 4 * BURN_S <= tasks <= spent.cpu_s
    if this_process() not in meter.seen:
        # With their start: what the system says of children that ended, which those of Dask have as well.
        assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime > tasks


def test_a_cluster_of_ones_own_tells_what_its_tasks_used(address: str) -> None:
    """Two threads of one worker process: its time is counted once."""
    _, meter, spent = run(execute.dask(address=address), burn, [BURN_S] * 4)
    assert len(meter.seen) == spent.workers == 1
    assert 2 * BURN_S <= spent.cpu_s < 4 * BURN_S
    assert set(spent.not_known) == {"cpu_s", "energy_j.cpu"}
    assert spent.energy_j == {"cpu": None, "gpu": 0.0}


def test_memory_of_the_largest_process_and_of_all() -> None:
    _, meter, spent = run(execute.processes(1), hold, [HELD, HELD])
    worker = next(used.peak for name, used in meter.seen.items() if name != this_process())
    assert worker >= HELD
    assert spent.peak_bytes == max(worker, peak_memory())
    assert spent.all_bytes == worker + peak_memory()


def test_bytes_that_tasks_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 5_000_000)
    if bytes_read() < 0:
        pytest.skip("this system does not count what a process reads")
    for executor in (execute.serial(), execute.processes(1)):
        done, _, spent = run(executor, read, [str(tmp_path / "file")] * 2)
        assert done == [5_000_000] * 2
        assert 10_000_000 <= spent.read_bytes < 11_000_000
    _, _, spent = run(execute.serial(), read, [str(tmp_path / "file")], counted=False)
    assert spent.read_bytes is None
    assert "object store" in spent.not_known["read_bytes"]


def test_what_the_system_does_not_say(tmp_path: Path) -> None:
    assert bytes_read(tmp_path / "io") == -1
    assert peak_memory(tmp_path / "status") > 1_000_000


def test_arithmetic_and_json() -> None:
    _, _, spent = run(execute.serial(), burn, [0.01])
    assert spent.molecules_per_s == pytest.approx(7 / spent.screen_s)
    assert spent.core_hours == pytest.approx(spent.wall_s / 3600)
    assert spent.wall_s == spent.screen_s > 0
    said = json.loads(json.dumps(spent.to_dict()))
    assert said["molecules"] == 7
    assert said["peak_memory_bytes"]["largest_process"] > 0
    assert said["energy_j"] == {"cpu": None, "gpu": 0.0}
    assert said["not_known"] == {"energy_j.cpu": "no counter"}


def test_energy_is_that_of_the_processors_and_of_the_gpus_in_use() -> None:
    """The counters are made up: no machine that runs this need have one. So is the use of a GPU."""
    cpu, one, other = [10.0], [0.0], [5.0]
    names = ("package", cpu, "cpu"), ("0000:01:00.0", one, "gpu"), ("0000:02:00.0", other, "gpu")
    found = Counters(tuple(Counter(kind, name, lambda at=at: at[0]) for name, at, kind in names), {})  # type: ignore[misc]
    with measured(execute.serial(), found) as meter:
        list(meter.executor.results(burn, [0.0]))
        cpu[0], one[0], other[0] = 42.0, 1000.0, 25.0
        assert meter.spent(1, True).energy_j == {"cpu": 32.0, "gpu": 0.0}
        used = meter.seen[this_process()]
        meter.seen["elsewhere:1"] = Used("elsewhere:1", used.cpu, used.read, used.peak, "0000:02:00.0")  # type: ignore[index]
        spent = meter.spent(1, True)
        assert spent.energy_j == {"cpu": 32.0, "gpu": 20.0}
        assert (spent.gpus, spent.gpu_hours) == (1, spent.screen_s / 3600)


def test_a_later_stage_is_added() -> None:
    _, _, one = run(execute.serial(), burn, [0.01])
    two = replace(one, rows=0, screen_s=0.0, gpus=2, peak_bytes=1, read_bytes=None, energy_j={"cpu": 3.0, "gpu": 2.0})
    both = one.then(two)
    assert (both.rows, both.screen_s, both.gpus, both.peak_bytes) == (7, one.screen_s, 2, one.peak_bytes)
    assert (both.wall_s, both.cpu_s) == (2 * one.wall_s, 2 * one.cpu_s)
    assert (both.read_bytes, both.energy_j) == (None, {"cpu": None, "gpu": 2.0})
    assert both.not_known == {"energy_j.cpu": "no counter"}
