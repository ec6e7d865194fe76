"""`map` with other threads or processes: several items at the same time, the results in order, and few of them in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import TypeVar

__all__ = ["ahead"]

Item = TypeVar("Item")
Result = TypeVar("Result")


def ahead(
    pool: Executor, function: Callable[[Item], Result], items: Iterable[Item], most: int
) -> Iterator[Result]:
    """What the function makes of each item, in their order; so many are begun, and not more, before the first result is taken.

    Where the items end with an error, the results of those before come first.
    """
    waiting: deque[Future[Result]] = deque()
    remaining, error = iter(items), None
    while error is None:
        try:
            waiting.append(pool.submit(function, next(remaining)))
        except StopIteration:
            break
        except Exception as caught:
            error = caught
        if len(waiting) >= most:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
    if error is not None:
        raise error
