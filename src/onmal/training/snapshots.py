"""Weights kept at validations, and their mean: a model averaged over its last steps beats each of them (Polyak 1992)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from onmal.training.checkpoint import named_weights, write_atomically

__all__ = ["Snapshots"]


class Snapshots:
    """Keeps the last `count` snapshots and the best one in a run's folder."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder, self.count = folder, count

    def path(self, update: int) -> Path:
        """Where the weights after an update are kept."""
        return self.folder / f"snapshot-{update:09d}.safetensors"

    def add(self, model: nn.Module, update: int, kept: Sequence[int], *, best: int) -> list[int]:
        """Keep a model's weights; returns the updates now kept, oldest first, and removes the files of all others."""
        write_atomically(self.path(update), save(named_weights(model)))
        updates = [*(u for u in kept if u != update), update][-self.count :]
        for old in self.folder.glob("snapshot-*.safetensors"):
            if old not in {self.path(u) for u in (*updates, best)}:
                old.unlink()
        return updates

    def mean(self, updates: Sequence[int]) -> dict[str, Tensor]:
        """The mean of the weights after these updates."""
        total: dict[str, Tensor] = {}
        for update in updates:
            for name, weight in load_file(self.path(update)).items():
                total[name] = total[name] + weight.double() if name in total else weight.double()
        return {name: (weight / len(updates)).float() for name, weight in total.items()}

    @staticmethod
    @torch.no_grad()
    def put(model: nn.Module, weights: dict[str, Tensor]) -> None:
        """Set a model's weights."""
        for name, parameter in model.named_parameters():
            parameter.copy_(weights[name])
