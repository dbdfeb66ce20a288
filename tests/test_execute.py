"""The same fold wherever it runs: equal results, errors that keep their type, and no more items drawn than needed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import dask as dask_package
import pytest
from distributed import LocalCluster
from hypothesis import given, settings
from hypothesis import strategies as st

from drylab import execute
from drylab.errors import AccountingError, DeviceError, DrylabError, InputError
from drylab.execute import Executor, by_name, fold, in_order
from drylab.library.rows import Block


@dataclass(frozen=True)
class Power:
    """A task with a parameter, which travels to the workers."""

    exponent: int

    def __call__(self, item: int) -> tuple[int, ...]:
        return (item**self.exponent,)


def slow_first(item: int) -> int:
    """The first items come last."""
    time.sleep(0.2 if item < 2 else 0)
    return item


def fail_at(bad: int, error: type[Exception], item: int) -> int:
    if item == bad:
        raise error(f"file.smi:{item}: says what is wrong; and what to do")
    return item


def die_at(bad: int, item: int) -> int:
    if item == bad:
        os._exit(3)
    return item


def process_of(item: int) -> int:
    return os.getpid()


def joined(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(a + b))


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=40) as cluster:
        yield cluster.scheduler_address


@pytest.fixture(params=["serial", "processes", "dask"])
def executor(request: pytest.FixtureRequest) -> Executor:
    """Every executor there is; Dask's is a cluster that runs already."""
    name = request.param
    return (
        by_name(name, address=request.getfixturevalue("address"))
        if name == "dask"
        else by_name(name, {"processes": 2}.get(name))
    )


def test_results_are_those_of_a_loop(executor: Executor) -> None:
    items = list(range(40))
    told: dict[int, tuple[int, ...]] = {}
    result = fold(executor, Power(3), items, joined, lambda number, part: told.update({number: part}))
    assert result == tuple(item**3 for item in items)
    assert told == {number: (item**3,) for number, item in enumerate(items)}
    assert list(in_order(executor, slow_first, reversed(items))) == items[::-1]


def test_few_items(executor: Executor) -> None:
    assert fold(executor, Power(2), iter(()), joined) is None
    assert fold(executor, Power(2), [7], joined) == (49,)
    assert list(in_order(executor, Power(2), [])) == []


def test_work_is_done_where_it_was_asked_for(executor: Executor) -> None:
    where = set(in_order(executor, process_of, range(20)))
    assert (os.getpid() in where) == (executor.kind == "serial")


@pytest.mark.parametrize("error", [InputError, AccountingError, ZeroDivisionError, MemoryError])
def test_an_error_of_a_task_keeps_its_type_and_words(executor: Executor, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"^file\.smi:3: says what is wrong; and what to do$") as caught:
        fold(executor, partial(fail_at, 3, error), range(100), max)
    assert type(caught.value) is error


def broken_after(n: int) -> Iterator[int]:
    yield from range(n)
    raise InputError("items.smi:5: cannot be read")


def test_an_error_of_the_items_comes_through(executor: Executor) -> None:
    with pytest.raises(InputError, match=r"^items\.smi:5: cannot be read$"):
        fold(executor, Power(1), broken_after(5), joined)
    with pytest.raises(InputError, match=r"^items\.smi"):
        list(in_order(executor, Power(1), broken_after(0)))


def test_items_are_drawn_as_they_are_needed(executor: Executor) -> None:
    """A billion rows are never listed: not when the work starts, not as it goes on, and it can be left."""
    window = {"serial": 1, "processes": 2 * 2}.get(executor.kind, 4 * 2)
    drawn = 0

    def endless() -> Iterator[int]:
        nonlocal drawn
        while True:
            drawn += 1
            yield drawn

    results = executor.results(Power(1), endless())
    assert drawn == 0
    with closing(results) as open_results:  # type: ignore[type-var]
        for received, _ in enumerate(open_results, 1):
            assert received <= drawn <= received + window
            if received == 50:
                break


def test_blocks_of_rows_travel_whole(executor: Executor) -> None:
    blocks = [
        Block(0, 0, 1, 2, "C Ж\0 🧪\nCC \xff\n".encode("latin-1", "replace"), 9),
        Block(1, 1 << 40, 1 << 40, 0, b""),
    ]
    assert list(in_order(executor, whole, blocks)) == blocks


def whole(block: Block) -> Block:
    return block


ORPHANS = """
import os, sys, time
from drylab.execute import processes
def work(item):
    print(os.getpid(), flush=True)
    time.sleep(600)
if __name__ == "__main__":
    list(processes(2).results(work, range(2)))
"""


def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    (tmp_path / "orphans.py").write_text(ORPHANS)
    command = [sys.executable, str(tmp_path / "orphans.py")]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout is not None
        workers = [int(parent.stdout.readline()) for _ in range(2)]
        parent.kill()
    for _ in range(200):
        left = [pid for pid in workers if Path(f"/proc/{pid}").exists()]
        if not left:
            return
        time.sleep(0.05)
    pytest.fail(f"workers {left} outlive their parent")


def test_executors_can_be_used_again(executor: Executor) -> None:
    for exponent in (1, 2):  # the task of the first fold must not stay in a worker
        assert fold(executor, Power(exponent), [3, 4], joined) == (3**exponent, 4**exponent)


@settings(max_examples=50)
@given(order=st.permutations(range(8)), cut=st.integers(0, 8))
def test_in_order_gives_each_result_as_early_as_it_can(order: list[int], cut: int) -> None:
    """Whatever the order in which results come, after each one everything before the first gap is given."""
    came = 0

    def results(task: object, items: object) -> Iterator[tuple[int, str]]:
        nonlocal came
        for number in order[:cut]:
            came += 1
            yield number, str(number)

    ordered = in_order(Executor("shuffled", 1, results), str, [])
    for position, result in enumerate(ordered):
        assert result == str(position)
        assert came == min(i + 1 for i in range(8) if set(range(position + 1)) <= set(order[: i + 1]))


def test_a_process_that_dies_is_one_line() -> None:
    with pytest.raises(
        DeviceError, match=r"^a worker process ended before its work was done.*use fewer workers"
    ) as caught:
        fold(by_name("processes", 2), partial(die_at, 5), range(1000), max)
    assert len(str(caught.value).splitlines()) == 1


def own_process(_: int) -> set[int]:
    return {os.getpid()}


@pytest.mark.parametrize(("items", "here"), [(1, True), (2, False)])
def test_one_item_alone_starts_no_process(items: int, here: bool) -> None:
    ran_in = fold(execute.processes(2), own_process, range(items), lambda a, b: a | b)
    assert ran_in is not None
    assert (os.getpid() in ran_in) is here


def test_a_script_without_its_guard_is_told_so(tmp_path: Path) -> None:
    """Each worker dies as it starts, before it has read a task that is larger than a pipe."""
    lines = ("import operator", "from functools import partial", "from drylab.execute import fold, processes")
    call = 'fold(processes(2), partial(operator.contains, b"x" * 2_000_000), [b"x", b"y"], max)'
    script = tmp_path / "script.py"
    script.write_text("\n".join((*lines, call)))
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=100, check=False)
    assert done.stderr.count("drylab.errors.DeviceError: a worker process ended") == 1
    assert 'a script without if __name__ == "__main__"' in done.stderr


def test_a_dask_worker_that_dies_is_one_line() -> None:
    """Also the only test in which the executor makes its own cluster; one death is enough, to save time."""
    with (
        dask_package.config.set({"distributed.scheduler.allowed-failures": 0}),
        pytest.raises(DeviceError, match=r"^Dask workers ended while they worked|or its last worker is gone") as caught,
    ):
        fold(by_name("dask", 1), partial(die_at, 2), range(1000), max)
    assert len(str(caught.value).splitlines()) == 1


def test_a_scheduler_that_goes_away_is_one_line() -> None:
    cluster = LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0", silence_logs=50)

    def items() -> Iterator[int]:
        yield from range(20)
        cluster.close()
        yield from range(20, 1000)

    with pytest.raises(
        DeviceError, match=r"^the Dask scheduler tcp://.* or its last worker is gone .*start it again"
    ) as caught:
        fold(by_name("dask", address=cluster.scheduler_address), Power(1), items(), joined)
    assert len(str(caught.value).splitlines()) == 1


def test_a_scheduler_file(tmp_path: Path, address: str) -> None:
    (tmp_path / "scheduler.json").write_text(json.dumps({"address": address, "workers": {}}))
    assert fold(by_name("auto", address=f"{tmp_path}/scheduler.json"), Power(2), [2, 3], joined) == (4, 9)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"address": null}', '{"address": "?://x"}', "\x00\xff"])
def test_a_scheduler_file_that_is_none(tmp_path: Path, text: str) -> None:
    file = tmp_path / "scheduler.json"
    file.write_text(text, encoding="latin-1")
    nobody_there(str(file))


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execute, "SCHEDULER_WITHIN_S", 0.5)
    monkeypatch.setattr(execute, "WORKERS_WITHIN_S", 0.5)


def nobody_there(address: str) -> None:
    with pytest.raises(DeviceError, match=r"^no Dask scheduler answers at ") as caught:
        fold(by_name("dask", address=address), Power(1), [1], joined)
    message = str(caught.value)
    assert message.startswith(f"no Dask scheduler answers at {address} (")
    assert message.endswith("; start one or leave out the address")
    assert len(message.splitlines()) == 1


@pytest.mark.usefixtures("_impatient")
def test_no_scheduler_at_the_address() -> None:
    with socket.socket() as taken:  # bound, so that nobody else listens there, and closed to callers
        taken.bind(("127.0.0.1", 0))
        nobody_there(f"tcp://127.0.0.1:{taken.getsockname()[1]}")


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize("address", ["nowhere.json", "what://localhost:1", "tcp://localhost:port", "tcp://[::1"])
def test_an_address_that_is_none(address: str) -> None:
    nobody_there(address)


@pytest.mark.usefixtures("_impatient")
def test_a_scheduler_without_workers() -> None:
    with LocalCluster(n_workers=0, dashboard_address=":0", silence_logs=40) as cluster:
        where = cluster.scheduler_address
        with pytest.raises(DeviceError, match=f"^the Dask scheduler {where} has no workers after 0.5 s; start some$"):
            fold(by_name("dask", address=where), Power(1), [1], joined)


@pytest.mark.parametrize(
    ("arguments", "say"),
    [
        (("gpu",), "executor 'gpu' is not known; choose one of auto, serial, processes, dask"),
        (("",), "executor '' is not known"),
        (("Serial",), "executor 'Serial' is not known"),
        (("processes", 0), "0 workers cannot do any work; give 1 or more"),
        (("serial", 0), "0 workers cannot do any work"),
        (("dask", -1), "-1 workers cannot do any work"),
        (("serial", None, "tcp://x:1"), "an address is for the dask executor, not for 'serial'"),
        (("processes", 2, "tcp://x:1"), "an address is for the dask executor, not for 'processes'"),
    ],
)
def test_what_is_asked_for_and_is_not_there(arguments: tuple[Any, ...], say: str) -> None:
    with pytest.raises(DeviceError, match=r".") as caught:
        by_name(*arguments)
    assert str(caught.value).startswith(say)


def hears_ctrl_c(_: int) -> bool:
    return signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_workers_are_deaf_to_ctrl_c_from_their_start() -> None:
    assert [heard for _, heard in execute.processes(2).results(hears_ctrl_c, range(4))] == [False] * 4
    assert hears_ctrl_c(0)


@pytest.mark.parametrize("make", [execute.processes, execute.dask])
@pytest.mark.parametrize("workers", [0, -1])
def test_no_workers_are_not_taken_for_all_workers(make: Callable[[int], Executor], workers: int) -> None:
    with pytest.raises(DrylabError, match=f"^{workers} workers cannot do any work"):
        make(workers)


def test_names_and_records() -> None:
    for name, workers, kind, count in (
        ("serial", None, "serial", 1),
        ("auto", 1, "serial", 1),
        ("auto", 3, "processes", 3),
        ("processes", 1, "processes", 1),
        ("processes", None, "processes", execute.cores()),
        ("dask", 5, "dask", 5),
    ):
        made = by_name(name, workers)
        assert (made.kind, made.workers) == (kind, count)
    for name in ("auto", "dask"):
        assert by_name(name, address="tcp://x:1").kind == "dask tcp://x:1"
    assert by_name("auto").kind == ("processes" if execute.cores() > 1 else "serial")
