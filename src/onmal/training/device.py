"""Where a run computes, and in which precision."""

from __future__ import annotations

import platform
import re
from pathlib import Path
from typing import Literal

import torch

from onmal.errors import ConfigError

__all__ = ["choose_device", "choose_precision", "processor"]


def choose_device(name: Literal["auto", "cpu", "cuda", "mps"]) -> torch.device:
    """The device that is asked for, or the fastest kind present; one that is not there is a ConfigError."""
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(kind for kind, here in present.items() if here))
    if not present[name]:
        raise ConfigError(f"train.device = {name!r} is not present on this machine", "use 'auto' or 'cpu'")
    return torch.device(name)


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


def processor() -> str:
    """The processor's name, as its maker gives it."""
    cpuinfo = Path("/proc/cpuinfo")  # platform.processor() is empty on most Linux systems
    found = cpuinfo.exists() and re.search(r"^model name\s*:\s*(.+)$", cpuinfo.read_text(), re.MULTILINE)
    return found[1] if found else platform.processor() or platform.machine()
