"""Where a fold runs: in this process, in processes of this machine, or on a Dask cluster. The only file with dask.

An Executor gives the results of ``task(item)`` as they come, each with its item's number; ``fold`` merges them as they
come, ``in_order`` puts them back in order. The task travels once to each worker, an item (a shard) is ~100 bytes.
"""

from __future__ import annotations

import itertools
import json
import logging
import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from drylab.errors import DeviceError

T = TypeVar("T")
S = TypeVar("S")
SCHEDULER_WITHIN_S = 10
LOOK_EVERY_S = 5
WORKERS_WITHIN_S = 30  # a batch system may start the workers after the scheduler
Results = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[tuple[int, Any]]]


@dataclass(frozen=True, slots=True)
class Executor:
    """kind and workers (None: a cluster's own) are for the record; ``results(task, items)`` yields (number, result) in any order."""

    kind: str
    workers: int | None
    results: Results


def fold(
    executor: Executor,
    task: Callable[[T], S],
    items: Iterable[T],
    merge: Callable[[S, S], S],
    done: Callable[[int, S], None] | None = None,
) -> S | None:
    """merge over task(item) for all items, None if there are none. ``done(number, result)`` is told of each result."""
    state: S | None = None
    for number, result in executor.results(task, items):
        if done is not None:
            done(number, result)
        state = result if state is None else merge(state, result)
    return state


def in_order(executor: Executor, task: Callable[[T], S], items: Iterable[T]) -> Iterator[S]:
    """task(item) for all items, in the order of the items."""
    waiting: dict[int, S] = {}
    following = 0
    for number, result in executor.results(task, items):
        waiting[number] = result
        while following in waiting:
            yield waiting.pop(following)
            following += 1


def serial() -> Executor:
    """Everything in this process, one item after the other."""

    def results(task: Callable[[T], S], items: Iterable[T]) -> Iterator[tuple[int, S]]:
        return ((number, task(item)) for number, item in enumerate(items))

    return Executor("serial", 1, results)


def processes(workers: int | None = None) -> Executor:
    """Processes of this machine, one a core unless said. A script that uses it needs ``if __name__ == "__main__":``."""
    count = _count(workers)

    def results(task: Callable[[T], S], items: Iterable[T]) -> Iterator[tuple[int, S]]:
        coming = iter(items)
        first = list(itertools.islice(coming, 2))
        if len(first) < 2:  # nothing to share out, and a process takes a second of a core to start
            yield from serial().results(task, first)
            return
        items = itertools.chain(first, coming)
        # spawn: a fork would copy the locks of Arrow's and numba's threads
        context = multiprocessing.get_context("spawn")
        with (
            _written(task) as path,
            ProcessPoolExecutor(count, mp_context=context, initializer=_keep_task, initargs=(path,)) as pool,
        ):
            try:
                yield from _windowed(lambda item: _submitted(pool, item), items, 2 * count)
            except BrokenProcessPool as error:
                raise DeviceError(
                    "a worker process ended before its work was done: out of memory, or a script without "
                    'if __name__ == "__main__": around the call; use fewer workers or the serial executor'
                ) from error
            finally:
                pool.shutdown(cancel_futures=True)  # after an error what waits would be done in vain

    return Executor("processes", count, results)


@contextmanager
def _written(task: Callable[[Any], Any]) -> Iterator[Path]:
    """The task in a file: if it went by a pipe, a worker that dies as it starts would leave us writing to it for ever."""
    with TemporaryDirectory(prefix="drylab-") as folder:
        path = Path(folder) / "task"
        path.write_bytes(pickle.dumps(task))
        yield path


_task: Callable[[Any], Any] | None = None


def _submitted(pool: ProcessPoolExecutor, item: Any) -> Future[Any]:
    """A worker that this starts does not hear Ctrl-C, which reaches every process: the parent is the one who stops them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # a child has the mask of who starts it
    try:
        return pool.submit(_run_kept, item)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _keep_task(path: Path) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    global _task  # noqa: PLW0603 (one task a worker process, so that it travels once)
    _task = pickle.loads(path.read_bytes())


def _end_with_parent() -> None:
    """A parent that was killed cannot stop its workers, and they would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run_kept(item: Any) -> Any:
    assert _task is not None
    return _task(item)


def _windowed(submit: Callable[[Any], Future[S]], items: Iterable[Any], window: int) -> Iterator[tuple[int, S]]:
    """At most ``window`` items under way, so that a long row of items is not held in memory."""
    numbered = enumerate(items)
    running = {submit(item): number for number, item in itertools.islice(numbered, window)}
    while running:
        finished, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in finished:
            yield running.pop(future), future.result()
        for number, item in itertools.islice(numbered, window - len(running)):
            running[submit(item)] = number


def dask(workers: int | None = None, address: str | None = None) -> Executor:
    """A Dask cluster: the one at ``address`` ("tcp://host:8786" or a scheduler file), or one made here and closed after."""
    count = _count(workers)

    def results(task: Callable[[T], S], items: Iterable[T]) -> Iterator[tuple[int, S]]:
        from distributed import Client, LocalCluster  # 0.4 s of CPU that only this executor needs

        if address is not None:
            with _connect(Client, address) as client:
                yield from _dask_results(client, task, items)
            return
        with _deaf_children():
            cluster = LocalCluster(
                n_workers=count, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=50
            )
        with cluster, Client(cluster) as client:
            yield from _dask_results(client, task, items)

    return Executor("dask", count, results) if address is None else Executor(f"dask {address}", None, results)


@contextmanager
def _deaf_children() -> Iterator[None]:
    """Processes started inside do not hear Ctrl-C, which reaches every process: the parent is the one who stops them."""
    if threading.current_thread() is not threading.main_thread():  # only there can it be changed
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _connect(client_class: Any, address: str) -> Any:
    from distributed.comm import resolve_address

    try:
        where = address
        if os.path.isfile(address):
            with open(address) as file:
                where = json.load(file)["address"]
        # Given None a Client starts a cluster; given what is no address it is left half made and can hang the next one.
        resolve_address(where)
        return client_class(where, timeout=SCHEDULER_WITHIN_S)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DeviceError(
            f"no Dask scheduler answers at {address} ({error}); start one or leave out the address"
        ) from error


def _dask_results(client: Any, task: Callable[[T], S], items: Iterable[T]) -> Iterator[tuple[int, S]]:
    from distributed import KilledWorker
    from distributed.comm import CommClosedError

    where = client.scheduler.address
    try:
        client.wait_for_workers(1, timeout=WORKERS_WITHIN_S)
    except TimeoutError as error:
        raise DeviceError(
            f"the Dask scheduler {where} has no workers after {WORKERS_WITHIN_S} s; start some"
        ) from error
    # What goes wrong there is said once, by us; distributed would print a traceback before.
    loud = logging.getLogger("distributed.client")
    before = loud.level
    loud.setLevel(logging.CRITICAL + 1)
    try:
        yield from _dask_windowed(client, task, items)
    except KilledWorker as error:
        raise DeviceError(
            f"Dask workers ended while they worked on a shard, out of memory perhaps ({_first_line(error)}); look at their "
            "logs, or use fewer workers a machine"
        ) from error
    except (CancelledError, CommClosedError) as error:
        raise DeviceError(
            f"the Dask scheduler {where} or its last worker is gone ({_first_line(error)}); look at its log, start it again"
        ) from error
    finally:
        loud.setLevel(before)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0][:200]


def _dask_windowed(client: Any, task: Callable[[T], S], items: Iterable[T]) -> Iterator[tuple[int, S]]:
    from distributed import as_completed

    kept = client.scatter(task, broadcast=True)
    numbered = enumerate(items)
    running: dict[Any, int] = {}
    finished = as_completed()

    def fill(window: int) -> None:
        for number, item in itertools.islice(numbered, max(0, window - len(running))):
            submitted = client.submit(_call, kept, item, pure=False)
            running[submitted] = number
            finished.add(submitted)

    window, looked = _window(client), time.monotonic()
    fill(window)
    for future in finished:
        result = future.result()
        number = running.pop(future)
        if time.monotonic() - looked > LOOK_EVERY_S:
            window, looked = _window(client), time.monotonic()
        fill(window)
        yield number, result


def _window(client: Any) -> int:
    """Items under way: a few a thread, and workers may come and go."""
    return 4 * max(1, sum(client.nthreads().values()))


def _call(task: Callable[[T], S], item: T) -> S:
    return task(item)


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def _count(workers: int | None) -> int:
    if workers is not None and workers < 1:
        raise DeviceError(f"{workers} workers cannot do any work; give 1 or more, or none for one a core")
    return workers or cores()


def by_name(name: str, workers: int | None = None, address: str | None = None) -> Executor:
    """ "serial", "processes", "dask", or "auto": processes where there is more than one core. Raises DeviceError."""
    count = _count(workers)
    if address is not None:
        if name not in ("auto", "dask"):
            raise DeviceError(f"an address is for the dask executor, not for {name!r}; use --executor dask")
        if workers is not None:
            raise DeviceError(f"the cluster at {address} has its own workers; leave out the number of workers")
        return dask(address=address)
    if name == "serial" and count > 1 and workers is not None:
        raise DeviceError(f"serial is one worker, not {workers}; leave out the number, or use processes")
    if name == "auto":
        name = "processes" if count > 1 else "serial"
    table: dict[str, Callable[[], Executor]] = {
        "serial": serial,
        "processes": lambda: processes(workers),
        "dask": lambda: dask(workers),
    }
    if name not in table:
        raise DeviceError(f"executor {name!r} is not known; choose one of auto, {', '.join(table)}")
    return table[name]()
