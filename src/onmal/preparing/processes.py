"""`map` in other processes: results in order, a few at a time, and no process outlives the one that started it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from typing import Protocol, TypeVar

from onmal.ahead import ahead

__all__ = ["Work", "in_processes"]

Item = TypeVar("Item")
Result = TypeVar("Result")


class Work(Protocol):
    """`map`, elsewhere."""

    def __call__(self, function: Callable[[Item], Result], items: Iterable[Item], /) -> Iterator[Result]:
        """The result for each item, in their order."""


@contextmanager
def in_processes(count: int) -> Iterator[Work]:
    """`map` in `count` processes, or here if it is one."""
    if count == 1:
        yield map
        return
    # Spawned on every system: a fork would copy threads that hold locks.
    pool = ProcessPoolExecutor(count, get_context("spawn"), _begin)

    def work(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        return ahead(pool, function, items, 2 * count)

    try:
        yield work
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """Leave Ctrl-C to the process that started this one, and end with it, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
