"""torch's threads on a CPU: lent to several workers at once, or taken away where every last bit counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock, Thread
from typing import TypeVar

import torch

from onmal.ahead import ahead

__all__ = ["in_threads", "one_thread", "sharing_pool", "so_many_threads"]

Item = TypeVar("Item")
Result = TypeVar("Result")

_ALONE = Lock()


@contextmanager
def so_many_threads(count: int) -> Iterator[None]:
    """Inside, torch has `count` threads; after it, as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for torch; others who ask for it wait, who would set it back."""
    with _ALONE, so_many_threads(1):
        yield


def sharing_pool(count: int) -> ThreadPoolExecutor:
    """`count` threads of Python that share torch's threads evenly, each with one at least."""
    with _ALONE:  # or it is asked while another pool's thread has just set it
        threads = torch.get_num_threads()

    def begin() -> None:
        # What torch is told holds for this thread, and for those that begin later: they get what is usual.
        with _ALONE:
            torch.get_num_threads()  # else a thread that has never asked is given the usual number after all
            torch.set_num_threads(max(1, threads // count))
            later = Thread(target=torch.set_num_threads, args=(threads,))
            later.start()
            later.join()

    return ThreadPoolExecutor(count, "onmal", begin)


def in_threads(
    function: Callable[[Item], Result], items: Iterable[Item], count: int, most: int
) -> Iterator[Result]:
    """What the function makes of each item, in their order: `count` at a time, with torch's threads shared among them.

    `most` of them are begun before the first result is taken.
    """
    pool = sharing_pool(count)
    try:
        yield from ahead(pool, function, items, most)
    finally:  # what nobody will ask for is not begun
        pool.shutdown(cancel_futures=True)
