"""Which processor this is."""

from __future__ import annotations

import platform
import re
from pathlib import Path

__all__ = ["processor"]


def processor() -> str:
    """Its name, as its maker gives it."""
    cpuinfo = Path("/proc/cpuinfo")  # platform.processor() is empty on most Linux systems
    told = cpuinfo.read_text("utf-8", "replace") if cpuinfo.is_file() else ""
    found = re.search(r"^model name\s*:\s*(.+)$", told, re.MULTILINE)
    return found[1] if found else platform.processor() or platform.machine()
