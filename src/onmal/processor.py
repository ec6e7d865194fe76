"""Which processor this is, and how much of it may be used."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

__all__ = ["cores", "processor"]


def processor() -> str:
    """Its name, as its maker gives it."""
    cpuinfo = Path("/proc/cpuinfo")  # platform.processor() is empty on most Linux systems
    told = cpuinfo.read_text("utf-8", "replace") if cpuinfo.is_file() else ""
    found = re.search(r"^model name\s*:\s*(.+)$", told, re.MULTILINE)
    return found[1] if found else platform.processor() or platform.machine()


def cores() -> int:
    """How many this process, and what it starts, may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
