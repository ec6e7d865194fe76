"""allocator: what it asks of glibc and of the system is what a process then has."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

ASKS = """
from pathlib import Path
from onmal.allocator import keep_freed_memory
assert keep_freed_memory() and keep_freed_memory()
print(Path("/proc/self/smaps").read_text())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another allocator")
def test_the_heap_is_in_large_pages_and_takes_no_memory_for_it() -> None:
    maps = subprocess.run([sys.executable, "-c", ASKS], capture_output=True, text=True, check=True).stdout
    heap = re.search(r"\[heap\]\n(.*?)VmFlags:([^\n]*)", maps, re.DOTALL)
    assert heap
    size, resident = (
        int(re.search(rf"^{name}: +(\d+) kB", heap[1], re.MULTILINE)[1]) for name in ("Size", "Rss")
    )  # type: ignore[index]
    assert size > 1 << 20  # KiB
    assert resident < size / 10
    if Path("/sys/kernel/mm/transparent_hugepage").exists():
        assert "hg" in heap[2].split()
