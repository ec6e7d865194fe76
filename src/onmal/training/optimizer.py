"""What turns gradients into updates, and how its rate rises and falls."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from onmal.config import TrainConfig
from onmal.training.distributed import Team
from onmal.training.muon import Muon, orthogonal

__all__ = ["build_optimizer", "learning_rate"]


def build_optimizer(
    model: nn.Module, config: TrainConfig, *, team: Team | None = None, precision: torch.dtype = torch.float32
) -> torch.optim.Optimizer:
    """Adam (Kingma & Ba 2015) or Muon; decoupled weight decay (Loshchilov & Hutter 2019) on matrices, none on vectors.

    Muon moves the matrices inside the network. Those at its ends, the tables of words and positions, are Adam's: of them
    an update touches a few rows. `team` and `precision` say how Muon's products are shared out and computed.
    """
    inner = {id(module.weight) for module in model.modules() if isinstance(module, nn.Linear)}
    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() <= 1]
    adam: dict[str, Any] = {
        "lr": config.learning_rate, "betas": (config.beta1, config.beta2), "eps": 1e-9, "fused": True,
    }  # fmt: skip
    decayed = {"params": matrices, "weight_decay": config.weight_decay}
    others = {"params": vectors, "weight_decay": 0.0}
    if config.optimizer == "adam":
        return torch.optim.AdamW([decayed, others], **adam)
    decayed["params"] = [p for p in matrices if id(p) not in inner]
    return Muon(
        [p for p in matrices if id(p) in inner],
        [decayed, others],
        weight_decay=config.weight_decay,
        orthogonal=lambda stack: (team or Team()).shared_out(orthogonal, stack.to(precision)),
        **adam,
    )


def learning_rate(config: TrainConfig, update: int, progress: float) -> float:
    """The rate of update 1, 2, ... when a share `progress` in [0, 1] of the run is done.

    Warm-up takes no more than the first tenth of the run, so that a short run gets to learn. The inverse square root
    falls from the end of warm-up on; without warm-up there is nothing to fall from.
    """
    warm = min(1.0, max(update / config.warmup, 10 * progress)) if config.warmup else 1.0
    match config.schedule:
        case "inverse-sqrt":
            fall = math.sqrt(config.warmup / update) if update > config.warmup > 0 else 1.0
        case "cosine":
            fall = (1 + math.cos(math.pi * progress)) / 2
        case "linear":
            fall = 1 - progress
    if config.cooldown and progress > 1 - config.cooldown:
        fall *= (1 - progress) / config.cooldown
    return config.learning_rate * warm * fall
