"""Adam, and how its rate rises and falls."""

from __future__ import annotations

import math

import torch
from torch import nn

from onmal.config import TrainConfig

__all__ = ["build_optimizer", "learning_rate"]


def build_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """Adam (Kingma & Ba 2015); decoupled weight decay (Loshchilov & Hutter 2019) on matrices, none on vectors."""
    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() <= 1]
    groups = [
        {"params": matrices, "weight_decay": config.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    betas = (config.beta1, config.beta2)
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=betas, eps=1e-9, fused=True)


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
