"""Keep large blocks of memory instead of handing them back to the system after every tensor.

glibc returns freed blocks above a threshold to the kernel at once and faults them in again, page by page, for the next
tensor of the same size; in a training loop on a CPU that costs more than a third of the time. Elsewhere than on glibc
nothing is done.
"""

from __future__ import annotations

import ctypes
import platform

__all__ = ["keep_freed_memory"]

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3  # from glibc's malloc.h


def keep_freed_memory() -> bool:
    """Call before the first large tensor; True where the setting was taken."""
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    gibibyte = 1 << 30
    settings = ((M_MMAP_THRESHOLD, gibibyte), (M_TRIM_THRESHOLD, 2 * gibibyte - 1), (M_TOP_PAD, 64 << 20))
    taken = [mallopt(option, value) for option, value in settings]
    return all(taken)
