"""torch's threads on a CPU: lent to several batches at once, or taken away where every last bit counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock, Thread
from typing import TypeVar

import torch

__all__ = ["one_thread", "several_at_once"]

Item = TypeVar("Item")
Result = TypeVar("Result")

_ALONE = Lock()


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for torch; others who ask for it wait, who would set it back."""
    with _ALONE:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)


def several_at_once(
    function: Callable[[Item], Result], items: Sequence[Item], count: int
) -> Iterable[Result]:
    """What the function makes of each item, in their order: `count` at the same time, with torch's threads shared among them."""
    threads, count = torch.get_num_threads(), min(count, len(items))
    if count < 2:
        return map(function, items)

    def begin() -> None:
        # What torch is told holds for this thread, and for those that begin later: they get what is usual.
        with _ALONE:
            torch.get_num_threads()  # else a thread that has never asked is given the usual number after all
            torch.set_num_threads(threads // count)
            later = Thread(target=torch.set_num_threads, args=(threads,))
            later.start()
            later.join()

    with ThreadPoolExecutor(count, "onmal", begin) as pool:
        return list(pool.map(function, items))
