"""A moving average of the weights: it forgets each update's noise, and often does better than the weights (Polyak 1992)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["MovingAverage"]

KEY = "average"


class MovingAverage:
    """Follows the weights of an optimizer, each update by a share 1 - decay of the way; with decay 0 it is not there.

    It lives in the optimizer's state, next to Adam's averages of the gradient, and so in every checkpoint.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, decay: float) -> None:
        self.optimizer, self.decay = optimizer, decay

    @torch.no_grad()
    def follow(self, update: int) -> None:
        """Take in the weights after update 1, 2, ...; among the first ones the decay is lower, for the beginning to fade."""
        if not self.decay:
            return
        decay = min(self.decay, (1 + update) / (10 + update))
        for weight, state in self.optimizer.state.items():
            if KEY not in state:
                state[KEY] = weight.detach().clone()
            state[KEY].lerp_(weight, 1 - decay)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Inside, the weights are the average; after it they are to the bit what they were."""
        averages = [(w.detach(), s[KEY]) for w, s in self.optimizer.state.items() if self.decay and KEY in s]
        before = [weight.clone() for weight, _ in averages]
        try:
            for weight, average in averages:
                weight.copy_(average)
            yield
        finally:
            for (weight, _), own in zip(averages, before, strict=True):
                weight.copy_(own)
