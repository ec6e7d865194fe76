"""Sums through shared memory are what plain sums are, for any number of processes; here each is a thread."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
import torch

from onmal import shared_memory
from onmal.shared_memory import SharedMemory

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory with a name is Linux's")


class Together:
    """Processes that add a number up, as Team.sum does."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.barrier, self.numbers = Barrier(size, timeout=30), [0.0] * size

    def total(self, rank: int) -> Callable[[float], float]:
        def total(number: float) -> float:
            self.numbers[rank] = number
            self.barrier.wait()
            found = sum(self.numbers)
            self.barrier.wait()
            return found

        return total

    def play(self, part: Callable[[int, SharedMemory | None], object]) -> list[object]:
        def act(rank: int) -> object:
            return part(rank, SharedMemory.among(rank, self.size, "onmal-test", self.total(rank)))

        with ThreadPoolExecutor(self.size) as pool:
            return list(pool.map(act, range(self.size)))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(shared_memory, "FOLDER", tmp_path)
    monkeypatch.setattr(shared_memory, "CELLS", 100)
    return tmp_path


@pytest.mark.parametrize("size", [2, 3, 7])
@pytest.mark.parametrize("length", [0, 1, 5, 33, 34, 250])
def test_all_have_the_same_sum_and_all_parts(size: int, length: int, folder: Path) -> None:
    def part(rank: int, memory: SharedMemory | None) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        assert memory
        own = torch.randn(length, generator=torch.Generator().manual_seed(rank))
        mean, table = own.clone(), own.to(torch.bfloat16)[:, None].repeat(1, 3)
        memory.add_up(own)
        return own, memory.mean(mean).wait(), memory.join(table)

    given = [torch.randn(length, generator=torch.Generator().manual_seed(rank)) for rank in range(size)]
    answers = Together(size).play(part)
    for found, mean, joined in answers:  # type: ignore[misc]
        assert torch.allclose(found, torch.stack(given).sum(0), atol=1e-6)
        assert torch.equal(found, answers[0][0])  # type: ignore[index]
        assert torch.equal(mean, found / size)
        assert torch.equal(joined, torch.cat(given).to(torch.bfloat16)[:, None].repeat(1, 3))
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES])
def test_where_memory_is_short_there_is_none_and_nothing_stays(
    code: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "posix_fallocate", full)
    assert Together(2).play(lambda _, memory: memory) == [None, None]
    assert list(folder.iterdir()) == []


def test_where_one_cannot_see_it_there_is_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = SharedMemory.__init__

    def blind(self: SharedMemory, path: Path, rank: int, size: int, wait: Callable[[], object]) -> None:
        if rank:
            raise RuntimeError("no such file")
        begin(self, path, rank, size, wait)

    monkeypatch.setattr(SharedMemory, "__init__", blind)
    assert Together(2).play(lambda _, memory: memory) == [None, None]
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("last", [1, 2])
def test_where_a_process_is_lost_nothing_stays(last: int, folder: Path) -> None:
    calls = iter(range(1, 3))

    def total(number: float) -> float:
        if next(calls) == last:
            raise RuntimeError("connection closed by peer")
        return number

    with pytest.raises(RuntimeError, match="peer"):
        SharedMemory.among(0, 2, "onmal-test", total)
    assert list(folder.iterdir()) == []
