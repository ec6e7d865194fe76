"""Files that wait to be fetched: in a private folder, under names of our own, for a while."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Callable, Hashable
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import mkdtemp
from threading import Lock
from typing import BinaryIO
from weakref import finalize

__all__ = ["Full", "KeptFiles"]


class Full(Exception):
    """As much is kept as may be; what is fetched or grows old makes room. `retry_after` is in seconds."""

    retry_after = 60


@dataclass(frozen=True)
class _Kept:
    path: Path
    size: int
    owner: Hashable
    until: float


class KeptFiles:
    """Contents under random names that nobody can guess; each is there until it is removed or `lifetime` seconds have passed.

    An owner may have a share of the room. A name that is asked for is only looked up among those given out, and a title is only part of the name: neither becomes a path.
    """

    def __init__(
        self,
        lifetime: float = 1800,
        most_bytes: int = 256 << 20,  # the folder may be in memory
        most_of_one: int = 64 << 20,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lifetime, self.clock = lifetime, clock
        self.most_bytes, self.most_of_one = most_bytes, most_of_one
        self._kept: dict[str, _Kept] = {}
        self._lock = Lock()

    @cached_property
    def folder(self) -> Path:
        """For its owner alone; it goes when this object or the process does."""
        folder = mkdtemp(prefix="onmal-")
        self._end = finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return Path(folder)

    def keep(self, content: bytes, title: str = "", *, owner: Hashable, lifetime: float | None = None) -> str:
        """Keeps a content and gives its name, which ends with a dot and the title if it has one. Raises Full."""
        self.forget_old()
        until = self.clock() + (self.lifetime if lifetime is None else lifetime)
        with self._lock:
            sizes = [each.size for each in self._kept.values()]
            of_one = [each.size for each in self._kept.values() if each.owner == owner]
            room = min(self.most_bytes - sum(sizes), self.most_of_one - sum(of_one))
            if len(content) > room:
                raise Full
            secret = secrets.token_hex(16)
            name, path = f"{secret}.{title}" if title else secret, self.folder / secret
            self._kept[name] = _Kept(path, len(content), owner, until)
        try:
            path.write_bytes(content)
        except OSError:  # the disk is full
            self.remove(name)
            raise Full from None
        return name

    def open(self, name: str) -> BinaryIO | None:
        """The file of that name, to be read; None where there is none, or no longer."""
        self.forget_old()
        with self._lock:
            found = self._kept.get(name)
        with suppress(FileNotFoundError):
            return found.path.open("rb") if found else None
        return None

    def read(self, name: str) -> bytes | None:
        """Its content."""
        with self.open(name) or nullcontext() as file:
            return file.read() if file else None

    def remove(self, name: str) -> None:
        """Makes room before the time is over."""
        with self._lock:
            found = self._kept.pop(name, None)
        if found:
            with suppress(OSError):  # on Windows what is being read stays until the folder goes
                found.path.unlink()

    def close(self) -> None:
        """Removes all of them."""
        self._kept.clear()
        if "folder" in vars(self):
            self._end()

    def forget_old(self) -> None:
        """Removes those whose time is over."""
        now = self.clock()
        with self._lock:
            old = [name for name, each in self._kept.items() if each.until <= now]
        for name in old:
            self.remove(name)
