"""Keep large blocks of memory instead of handing them back to the system after every tensor.

glibc returns freed blocks above a threshold to the kernel at once and faults them in again, page by page, for the next
tensor of the same size. A training loop makes the same large tensors at every update, a search at every word. Elsewhere
than on glibc nothing is done.

Memory that is kept is worth large pages, 2 MiB for 4 KiB, which most Linux systems give to who asks: the processor finds
what it looks for sooner, an update of a small network by 5 %.

glibc gives each thread an arena of its own, eight times as many as there are cores; what is kept in that of a thread that
waits is of use to nobody. So there are as many arenas as threads can run.
"""

from __future__ import annotations

import ctypes
import mmap
import platform
import re
from contextlib import suppress
from pathlib import Path

from onmal.processor import cores

__all__ = ["give_freed_memory_back", "keep_freed_memory"]

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -2, -3, -8  # from glibc's malloc.h
AHEAD = 1 << 30  # bytes by which the heap grows at once; they take no memory before they are used


def keep_freed_memory() -> bool:
    """Call before the first large tensor; True where the setting was taken."""
    if platform.libc_ver()[0] != "glibc":
        return False
    libc = ctypes.CDLL(None)
    mallopt = libc.mallopt
    # Before 2.35, glibc takes no more than 32 MiB; and setting the others alone would leave the threshold at 128 KiB.
    if not (mallopt(M_MMAP_THRESHOLD, 1 << 30) or mallopt(M_MMAP_THRESHOLD, 32 << 20)):
        return False
    others = {M_TRIM_THRESHOLD: (1 << 31) - 1, M_TOP_PAD: AHEAD, M_ARENA_MAX: cores()}
    taken = [mallopt(which, value) for which, value in others.items()]
    with suppress(OSError):
        _ask_for_large_pages(libc)
    return all(taken)


def _ask_for_large_pages(libc: ctypes.CDLL) -> None:
    """For what is on the heap, and for what will be there within AHEAD."""
    libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    libc.free(libc.malloc(ctypes.c_size_t(16 << 20)))  # from now on the heap has so many addresses
    heap = re.search(r"^(\w+)-(\w+) .*\[heap\]$", Path("/proc/self/maps").read_text("utf-8"), re.MULTILINE)
    if heap:
        first, end = int(heap[1], 16), int(heap[2], 16)
        libc.madvise(ctypes.c_void_p(first), ctypes.c_size_t(end - first), mmap.MADV_HUGEPAGE)


def give_freed_memory_back() -> None:
    """Hand what is free to the system now, once; what is freed later is kept as before."""
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)
