"""LoRA (Hu 2021): a trained network changes by low-rank updates of its projections, and all that it was stays fixed.

What is trained is a small share of the weights, so that the optimizer is small, too; it learns less and forgets less (Biderman 2024). When
training is over, the updates are added to the weights they belong to: what is saved is a network like any other.
"""

from __future__ import annotations

import math
from typing import TypeVar

import torch
from torch import Tensor, nn

from onmal.errors import ConfigError
from onmal.products import Linear, linear

__all__ = ["LowRankLinear", "add_low_rank", "merge_low_rank"]

STRENGTH = 16.0
"""An update is scaled by this over its rank, so that one learning rate fits all ranks."""
_Kind = TypeVar("_Kind", bound=nn.Module)


class LowRankLinear(Linear):
    """A projection of fixed weight [O,I] and bias, plus the product of two narrow matrices, `up` [O,r] and `down` [r,I].

    `up` begins at zero, and so the projection with what it was.
    """

    def __init__(self, projection: nn.Linear, rank: int) -> None:
        super().__init__(projection.in_features, projection.out_features, device="meta")
        weight = projection.weight
        self.weight, self.bias = weight, projection.bias
        self.scale = STRENGTH / rank
        self.down = nn.Parameter(weight.new_empty(rank, self.in_features))
        self.up = nn.Parameter(weight.new_zeros(self.out_features, rank))
        nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))

    def forward(self, x: Tensor) -> Tensor:
        """[...,I] -> [...,O]."""
        return super().forward(x) + self.scale * linear(linear(x, self.down), self.up)

    @torch.no_grad()
    def merged(self) -> Linear:
        """The same as one matrix."""
        plain = Linear(self.in_features, self.out_features, device="meta")
        plain.weight = nn.Parameter(self.weight + self.scale * (self.up @ self.down))
        plain.bias = self.bias
        return plain


def add_low_rank(model: nn.Module, rank: int) -> None:
    """Fix all weights of a network, and give every projection in it an update of this rank.

    Tables of words and positions, norms, projections to a single number and what a GRU remembers by stay as they are.
    ConfigError for a rank that is not low.
    """
    model.requires_grad_(False)
    for parent, name, projection in _projections(model, nn.Linear):
        full = min(projection.in_features, projection.out_features)
        if 1 < full <= rank:
            raise ConfigError(
                f"train.lora = {rank} is no low rank: a projection of this network has {full}",
                f"give less than {full}",
            )
        if full > 1:
            setattr(parent, name, LowRankLinear(projection, rank))


def merge_low_rank(model: nn.Module) -> None:
    """Add the updates to the weights they belong to; the network has the names and weights of an ordinary one again."""
    for parent, name, projection in _projections(model, LowRankLinear):
        setattr(parent, name, projection.merged())
    model.requires_grad_(True)


def _projections(model: nn.Module, kind: type[_Kind]) -> list[tuple[nn.Module, str, _Kind]]:
    """Modules of a kind, each with the module that it belongs to and its name there."""
    return [
        (parent, name, child)
        for parent in model.modules()
        for name, child in parent.named_children()
        if isinstance(child, kind)
    ]
