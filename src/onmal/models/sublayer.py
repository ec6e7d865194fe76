"""What surrounds and follows attention in every layer: the residual connection, normalisation, and the feed-forward net."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from onmal.config import ModelConfig
from onmal.products import Linear

__all__ = ["Dropout", "FeedForward", "Residual", "build_norm"]


def build_norm(kind: Literal["layer", "rms"], d_model: int) -> nn.Module:
    """LayerNorm (Ba 2016) or RMSNorm (Zhang & Sennrich 2019) over the last dimension."""
    return nn.LayerNorm(d_model) if kind == "layer" else nn.RMSNorm(d_model, eps=1e-6)


class Dropout(nn.Module):
    """Each component is zero with probability p in training, the others are scaled up to keep the mean (Srivastava 2014).

    On a CPU one random byte decides each component, and p is rounded to a multiple of 1/256.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """Any shape, unchanged."""
        if not self.training or self.p == 0:
            return x
        if x.device.type != "cpu":
            return F.dropout(x, self.p)
        return x * dropout_mask(x.shape, self.p)


def dropout_mask(shape: torch.Size, p: float) -> Tensor:
    """Zeros, and instead of ones the factor that makes the mean one."""
    dropped = min(255, round(256 * p))  # of the 256 bytes
    size = shape.numel()
    # Eight bytes a draw, compared in place (a comparison into bool takes nine times as long).
    draws = torch.empty(-(-size // 8), dtype=torch.int64).random_(torch.iinfo(torch.int64).min, None)
    kept = draws.view(torch.uint8)[:size].ge_(dropped)
    return kept.float().mul_(256 / (256 - dropped)).view(shape)


class Residual(nn.Module):
    """x plus what a sublayer makes of it, normalised before (pre) or after (post, Vaswani 2017) the sublayer."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.norm = build_norm(config.norm, config.d_model)
        self.dropout = Dropout(config.dropout)
        self.order = config.norm_order

    def forward(self, x: Tensor, sublayer: Callable[[Tensor], Tensor]) -> Tensor:
        """[B,T,D] -> [B,T,D]."""
        if self.order == "pre":
            return x + self.dropout(sublayer(self.norm(x)))
        return self.norm(x + self.dropout(sublayer(x)))


class FeedForward(nn.Module):
    """Two linear layers with a non-linearity between, applied to each word alone: [B,T,D] -> [B,T,F] -> [B,T,D]."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        named: dict[str, Callable[[Tensor], Tensor]] = {"relu": F.relu, "gelu": F.gelu}
        self.activation = named.get(config.activation, F.silu)  # swish, also that of swiglu
        self.expand = Linear(config.d_model, config.feed_forward)
        self.gate = Linear(config.d_model, config.feed_forward) if config.activation == "swiglu" else None
        self.dropout = Dropout(config.feed_forward_dropout)
        self.contract = Linear(config.feed_forward, config.d_model)

    def forward(self, x: Tensor) -> Tensor:
        """[B,T,D] -> [B,T,D]."""
        hidden = self.expand(x)  # [B,T,F]
        hidden = self.activation(hidden) if self.gate is None else self.activation(self.gate(x)) * hidden
        return self.contract(self.dropout(hidden))
