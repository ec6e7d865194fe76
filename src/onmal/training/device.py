"""Where a run computes, and in which precision."""

from __future__ import annotations

from typing import Literal

import torch

from onmal.config import TrainConfig
from onmal.errors import ConfigError
from onmal.training.distributed import sharing_cores, size_from_torchrun

__all__ = ["choose_device", "choose_precision", "choose_processes"]

SHARE = 512


def choose_device(name: Literal["auto", "cpu", "cuda", "mps"], rank: int = 0) -> torch.device:
    """The device that is asked for, or the fastest kind present, of a machine's process number `rank`.

    One that is not there is a ConfigError.
    """
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        name = next(kind for kind in ("cuda", "mps", "cpu") if present[kind])
    if not present[name]:
        raise ConfigError(f"train.device = {name!r} is not present on this machine", "use 'auto' or 'cpu'")
    if name == "cuda":
        if rank >= (count := torch.cuda.device_count()):
            raise ConfigError(
                f"this machine has {count} GPU(s), too few for its processes", "set train.processes"
            )
        torch.cuda.set_device(rank)
        return torch.device("cuda", rank)
    return torch.device(name)


def choose_processes(train: TrainConfig, device: torch.device) -> tuple[int, int]:
    """How many processes train together, and with how many threads each.

    Those that torchrun started; else one for each GPU; on a CPU one for each core, as long as each gets SHARE tokens of a
    batch: the products of a small network are too short for two threads to share, and all between them is not shared at all.
    """
    cores = torch.get_num_threads()
    if started := size_from_torchrun():
        return started, train.threads or max(1, cores // sharing_cores())
    if device.type == "cuda":
        processes = train.processes or torch.cuda.device_count()
    elif device.type == "cpu":
        processes = train.processes or max(1, min(cores // (train.threads or 1), train.batch_tokens // SHARE))
    else:
        processes = 1
    return processes, train.threads or max(1, cores // processes)


def choose_precision(name: Literal["auto", "float32", "bfloat16"], device: torch.device) -> torch.dtype:
    """The precision of matrix products: bfloat16 where it is asked for, or on `auto` where units for it are present.

    Measured on a CPU with AVX512-BF16, Transformer-tiny, one thread: 167 ms an update instead of 230.
    """
    if name != "auto":
        return torch.bfloat16 if name == "bfloat16" else torch.float32
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    has_units = getattr(torch.cpu, "_is_avx512_bf16_supported", None)  # not in every torch that we run on
    return torch.bfloat16 if device.type == "cpu" and has_units and has_units() else torch.float32
