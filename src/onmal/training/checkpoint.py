"""A training run on disk, exact to the bit: weights, optimizer and place, as one safetensors file.

Random numbers need no place in it: the trainer draws them from the seed and the number of the update.

A file is written beside its place and moved there when it is whole, so that a run killed at any moment has its last good
checkpoint. No pickle is ever written or read.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from onmal.errors import TrainingError
from onmal.run_report.events import Progress
from onmal.training.distributed import Team, gathered, shares_of
from onmal.writing import write_whole

__all__ = [
    "all_progress",
    "check_space",
    "checkpoint_of_the_first",
    "latest_checkpoint",
    "load_checkpoint",
    "named_weights",
    "save_checkpoint",
    "training_state",
]

KEPT = 2  # a checkpoint that turns out damaged leaves the one before


def named_weights(model: nn.Module) -> dict[str, Tensor]:
    """Every parameter once and whole, by its stable name; tied tables appear under their first name.

    Of shared-out ones only the first process has anything, and all call this together.
    """
    return {name: gathered(parameter.detach()) for name, parameter in model.named_parameters()}


def training_state(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The tensors of a checkpoint: weights and optimizer. All processes of a run call this together."""
    tensors = {f"model.{name}": weight for name, weight in named_weights(model).items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{key}": gathered(value) for key, value in state.items()}
    return {name: tensor.contiguous() for name, tensor in tensors.items()}


def check_space(folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer, snapshots: int) -> None:
    """Refuse a disk without room for so many snapshots, the checkpoints that stay and one that is being written."""
    weights = sum(parameter.nbytes for parameter in model.parameters())
    beside = sum(value.nbytes for state in optimizer.state.values() for value in state.values())
    free, wanted = shutil.disk_usage(folder).free, (KEPT + 1) * (weights + beside) + snapshots * weights
    if free < wanted:
        raise TrainingError(
            f"the disk has {free / 2**20:,.0f} MiB left, and checkpoints take {wanted / 2**20:,.0f}",
            "free some space, or choose another --out",
            path=folder,
        )


def save_checkpoint(folder: Path, tensors: Mapping[str, Tensor], progress: Progress) -> Path:
    """Write `checkpoint-UPDATE.safetensors`; of all others only the one before stays."""
    path = folder / f"checkpoint-{progress.update:09d}.safetensors"
    write_whole(path, save(dict(tensors), {"progress": json.dumps(asdict(progress))}))
    before = [old for old in _checkpoints(folder) if old < path and _progress(old)][1 - KEPT :]
    for other in _checkpoints(folder):  # older ones, and damaged ones
        if other not in (*before, path):
            with suppress(OSError):
                other.unlink()
    return path


def latest_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint of a run that can be read, or None if there is none at all."""
    found = _checkpoints(folder)
    for path in reversed(found):
        if _progress(path) is not None:
            return path
    if found:
        raise TrainingError("none of the checkpoints can be read", "remove them and train again", path=folder)
    return None


def checkpoint_of_the_first(team: Team, folder: Path) -> Path | None:
    """The newest sound checkpoint that the first process sees, for all: a shared disk may show others an older one."""
    found = latest_checkpoint(folder) if team.leads else None
    name = team.bytes_of_the_first(found.name.encode() if found else b"").decode()
    return folder / name if name else None


def all_progress(folder: Path) -> list[Progress]:
    """Where the run stood at each of its checkpoints that can be read, oldest first."""
    return [progress for path in _checkpoints(folder) if (progress := _progress(path)) is not None]


def load_checkpoint(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> Progress:
    """Put a checkpoint's weights and optimizer in place; returns where the run stood."""
    progress = _progress(path)
    if progress is None:
        raise TrainingError("cannot be read, or is no checkpoint", "resume from an earlier one", path=path)
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    wanted = {name: parameter.detach() for name, parameter in model.named_parameters()}
    stored = {name.removeprefix("model."): t for name, t in tensors.items() if name.startswith("model.")}
    if stored.keys() != wanted.keys() or any(stored[n].shape != wanted[n].shape for n in wanted):
        raise TrainingError(
            "belongs to another network", "resume with the settings it was begun with", path=path
        )
    with torch.no_grad():
        for name, weight in wanted.items():
            weight.copy_(shares_of(stored[name], weight))
    optimizer.load_state_dict(_optimizer_state(optimizer, tensors))
    return progress


def _checkpoints(folder: Path) -> list[Path]:
    """Oldest first: the update in their names has as many digits in each."""
    return sorted(folder.glob("checkpoint-*.safetensors"))


def _progress(path: Path) -> Progress | None:
    """What a checkpoint says of its run; None for a file that is damaged or something else."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata: Mapping[str, str] = file.metadata() or {}
            values = json.loads(metadata["progress"])
    except (SafetensorError, OSError, KeyError, ValueError):
        return None
    known = {f.name for f in fields(Progress)}
    return Progress(**{key: value for key, value in values.items() if key in known})


def _optimizer_state(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimizer."):
            _, index, key = name.split(".")
            state.setdefault(int(index), {})[key] = shares_of(tensor, parameters[int(index)])
    return {"state": state, "param_groups": optimizer.state_dict()["param_groups"]}
