"""ahead: results in order, few at a time, and what was done before an error is not lost."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import pytest
import torch

from onmal.ahead import ahead
from onmal.threads import in_threads


def test_results_come_in_order_and_no_more_are_begun_than_said() -> None:
    read: list[int] = []

    def items() -> Iterator[int]:
        for number in range(20):
            read.append(number)
            yield number

    with ThreadPoolExecutor(3) as pool:
        for number, found in enumerate(ahead(pool, lambda item: item * item, items(), 4)):
            assert found == number * number
            assert len(read) <= number + 4
    assert len(read) == 20


def test_where_the_items_end_with_an_error_the_results_before_come_first() -> None:
    def items() -> Iterator[int]:
        yield from range(5)
        raise OSError("the disk is gone")

    with ThreadPoolExecutor(2) as pool:
        found = ahead(pool, lambda item: item, items(), 3)
        assert list(islice(found, 5)) == [0, 1, 2, 3, 4]
        with pytest.raises(OSError, match="gone"):
            next(found)


def test_after_a_result_that_is_an_error_nothing_comes() -> None:
    with ThreadPoolExecutor(2) as pool:
        found = ahead(pool, lambda item: 1 / (item - 2), range(9), 3)
        assert list(islice(found, 2)) == [-0.5, -1.0]
        with pytest.raises(ZeroDivisionError):
            next(found)
        assert next(found, None) is None


def test_more_threads_than_torch_has_get_one_each() -> None:
    usual = torch.get_num_threads()
    count = usual + 3
    threads = list(in_threads(lambda _: torch.get_num_threads(), range(9), count, count))
    assert threads == [1] * 9
    assert torch.get_num_threads() == usual
