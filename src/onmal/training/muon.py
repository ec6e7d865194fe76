"""Muon (Jordan 2024): for the matrices inside a network, momentum that is made orthogonal; Adam for all other weights.

A gradient has a few strong directions, and a step along it hardly moves a matrix in the others. An orthogonal step moves it
equally far in all of them: fewer updates are needed, each a little dearer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

__all__ = ["Muon", "orthogonal"]

MOMENTUM = 0.95
STEPS = 5
A, B, C = 3.4445, -4.7750, 2.0315
"""Of Jordan's polynomial a x + b x^3 + c x^5, which takes singular values near 1 in few steps."""
SIZE = 0.2
"""Of an update's elements, times the rate: about that of Adam's (Liu 2025), so that one rate fits both."""

Work = Callable[[Tensor], Tensor]


class Muon(torch.optim.AdamW):
    """AdamW, except for the `matrices`, which it moves by their orthogonal momentum (with Nesterov's look ahead).

    `others` are AdamW's groups and `adam` its settings. `orthogonal` stands for the function of that name, perhaps shared
    out among processes. After a step the matrices' gradients are gone.
    """

    def __init__(
        self,
        matrices: Sequence[Tensor],
        others: Sequence[dict[str, Any]],
        *,
        weight_decay: float,
        orthogonal: Work,
        **adam: Any,
    ) -> None:
        super().__init__([{"params": matrices, "weight_decay": weight_decay}, *others], **adam)
        self.orthogonal = orthogonal

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # onmal has no use for closures
        """One update of every weight that has a gradient."""
        group = self.param_groups[0]
        rate, decay = group["lr"], group["weight_decay"]
        alike: dict[tuple[int, ...], list[Tensor]] = defaultdict(list)
        for weight in group["params"]:
            if weight.grad is not None:
                alike[tuple(sorted(weight.shape))].append(weight)
        for (_, longer), weights in alike.items():  # one product for all matrices of a shape
            ahead = torch.stack([_wide(self._momentum(weight)) for weight in weights])
            steps = self.orthogonal(ahead)
            for weight, step in zip(weights, steps, strict=True):
                weight.mul_(1 - rate * decay)
                weight.sub_(step if step.shape == weight.shape else step.mT, alpha=SIZE * longer**0.5 * rate)
                weight.grad = None  # Adam, whose turn is next, passes over it
        super().step()

    def _momentum(self, weight: Tensor) -> Tensor:
        """Take in a weight's gradient; returns where momentum will be, seen from there."""
        state, gradient = self.state[weight], weight.grad
        assert gradient is not None
        if not state:  # named and begun as Adam's are
            state["step"] = torch.zeros(())
            state["exp_avg"] = torch.zeros_like(weight)
        average: Tensor = state["exp_avg"].lerp_(gradient, 1 - MOMENTUM)
        return gradient.lerp(average, MOMENTUM)


def orthogonal(matrices: Tensor) -> Tensor:
    """Matrices [n, rows, columns], no taller than wide, with their singular values drawn to 1 (between 0.6 and 1.2)."""
    x = matrices / (matrices.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(STEPS):
        square = x @ x.mT  # [n, rows, rows]
        x = torch.baddbmm(x, torch.baddbmm(square, square, square, beta=B, alpha=C), x, beta=A)
    return x


def _wide(matrix: Tensor) -> Tensor:
    return matrix if matrix.shape[0] <= matrix.shape[1] else matrix.mT
