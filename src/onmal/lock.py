"""One process at a time: a lock of the system on a file or a folder, which goes with the process that has it.

On Windows, and on file systems without such locks, nobody is kept out.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["lock", "locked_folder"]


def lock(descriptor: int, *, wait: bool = False) -> None:
    """Until the open file is closed; raises BlockingIOError where another process has it, unless it may wait for that one."""
    if sys.platform == "win32":
        return
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        raise
    except OSError:
        pass  # a file system without locks


@contextmanager
def locked_folder(folder: Path, *, wait: bool = False) -> Iterator[None]:
    """The same for a folder, in which nothing is left behind. Raises OSError where it cannot be opened."""
    if sys.platform == "win32":
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        lock(descriptor, wait=wait)
        yield
    finally:
        os.close(descriptor)
