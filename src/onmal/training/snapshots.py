"""Weights kept at validations, and their mean: a model averaged over its last steps beats each of them (Polyak 1992)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from onmal.errors import TrainingError
from onmal.writing import write_whole

__all__ = ["Snapshots"]


class Snapshots:
    """Weights after chosen updates, a file each in a run's folder; the last `count` of them are averaged."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder, self.count = folder, count

    def path(self, update: int) -> Path:
        """Where the weights after an update are kept."""
        return self.folder / f"snapshot-{update:09d}.safetensors"

    def add(self, weights: dict[str, Tensor], update: int, earlier: Sequence[int]) -> list[int]:
        """Keep a model's weights; returns the last `count` updates, oldest first."""
        write_whole(self.path(update), save(weights))
        return [*(u for u in earlier if u != update), update][-self.count :]

    def keep_only(self, updates: Collection[int]) -> None:
        """Remove the files of all other updates."""
        kept = {self.path(update) for update in updates}
        for path in self.folder.glob("snapshot-*"):
            if path not in kept:
                with suppress(OSError):
                    path.unlink()

    def mean(self, updates: Sequence[int]) -> dict[str, Tensor]:
        """The mean of the weights after these updates; a file that is gone or damaged is a TrainingError."""
        total: dict[str, Tensor] = {}
        for update in updates:
            try:
                weights = load_file(self.path(update))
            except (OSError, SafetensorError) as error:
                raise TrainingError(
                    f"cannot be read, it is missing or damaged ({error})",
                    "put it back, or train again",
                    path=self.path(update),
                ) from None
            for name, weight in weights.items():
                total[name] = total[name] + weight.double() if name in total else weight.double()
        return {name: (weight / len(updates)).float() for name, weight in total.items()}

    @staticmethod
    @torch.no_grad()
    def put(model: nn.Module, weights: dict[str, Tensor]) -> None:
        """Set a model's weights."""
        for name, parameter in model.named_parameters():
            parameter.copy_(weights[name])
