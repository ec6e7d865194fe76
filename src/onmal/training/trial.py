"""Whether the largest update fits, before the first one is made: all that an update holds at once, of which nothing stays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from onmal.config import TrainConfig
from onmal.errors import TrainingError
from onmal.training.ema import MovingAverage

__all__ = ["all_in_place", "largest_batches", "memory_for"]


def largest_batches(batch_tokens: int, max_length: int) -> list[tuple[int, int]]:
    """Rows, and tokens in each, of the batch with the longest sentences; and of the fullest, where that is another.

    Whatever comes within the budget has no more rows than one of the two, and no longer ones, or else no more tokens.
    """
    rows = max(1, batch_tokens // max_length)
    if rows * max_length >= batch_tokens:
        return [(rows, max_length)]
    return [(rows, max_length), (rows + 1, -(-batch_tokens // (rows + 1)))]


@contextmanager
def all_in_place(optimizer: torch.optim.Optimizer, average: MovingAverage) -> Iterator[None]:
    """Inside, the optimizer remembers what it does in any update; after it, what it did before, and no gradient is left.

    In a run that begins, steps are taken, too: at rate zero, without a gradient, so that weights stay what they are to the bit.
    """
    begins = not optimizer.state
    device = optimizer.param_groups[0]["params"][0].device
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        if begins:
            _stand(optimizer)
            average.follow(1)  # it is in the optimizer's state, too
        yield
        if begins:
            _stand(optimizer)
    optimizer.zero_grad()
    if begins:
        optimizer.state.clear()


def _stand(optimizer: torch.optim.Optimizer) -> None:
    """A step that goes nowhere."""
    for group in optimizer.param_groups:
        group["lr"] = 0.0
        for weight in group["params"]:
            if weight.requires_grad:
                weight.grad = torch.zeros_like(weight)
    optimizer.step()
    optimizer.zero_grad()


@contextmanager
def memory_for(config: TrainConfig) -> Iterator[None]:
    """Where memory runs out inside, that is a TrainingError that names the settings to lower."""
    try:
        yield
    except (torch.OutOfMemoryError, RuntimeError) as error:
        said = ("allocate memory", "out of memory", "enough memory")  # on Linux, of MPS, on Windows
        if not isinstance(error, torch.OutOfMemoryError) and not any(each in str(error) for each in said):
            raise
        raise TrainingError(
            f"memory is too small for batches of train.batch_tokens = {config.batch_tokens}",
            "halve it and double train.accumulate, lower data.max_length, or take a smaller model",
        ) from None
