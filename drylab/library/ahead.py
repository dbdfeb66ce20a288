"""Reading ahead: threads that read and decompress while the caller works on what was read before."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")
LOOK_S = 0.1  # how long a thread waits before it looks whether anybody still listens


@dataclass(frozen=True, slots=True)
class _End:
    """The last thing a thread says: what went wrong, or None."""

    error: BaseException | None


def ahead(makers: Sequence[Callable[[], Iterator[T]]], threads: int = 1, depth: int = 2) -> Generator[T, None, None]:
    """The items of all iterators, made and run in ``threads`` threads, at most ``depth`` items waiting.

    One thread keeps the order; several take the iterators in turn, and items come as they are there. What an iterator
    raises is raised here. Closing the result ends the threads.
    """
    waiting: queue.Queue[Any] = queue.Queue(depth)
    stop = threading.Event()
    left, lock = iter(makers), threading.Lock()

    def put(item: Any) -> bool:
        while not stop.is_set():
            try:
                waiting.put(item, timeout=LOOK_S)
                return True
            except queue.Full:
                pass
        return False

    def read() -> None:
        error: BaseException | None = None
        try:
            while not stop.is_set():
                with lock:
                    make = next(left, None)
                if make is None:
                    break
                for item in make():
                    if not put(item):
                        return
        except BaseException as raised:  # noqa: BLE001 (handed over, not swallowed)
            error = raised
        put(_End(error))

    workers = [threading.Thread(target=read, daemon=True) for _ in range(max(1, min(threads, len(makers))))]
    for worker in workers:
        worker.start()
    try:
        for _ in workers:
            while not isinstance(item := waiting.get(), _End):
                yield item
            if item.error is not None:
                raise item.error
    finally:
        stop.set()
        for worker in workers:
            worker.join()
