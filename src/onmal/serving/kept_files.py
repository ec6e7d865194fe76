"""Files that wait to be fetched: in a private folder, under names of our own, for a while."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

__all__ = ["Full", "KeptFiles"]


class Full(Exception):
    """As much is kept as may be; what is fetched or grows old makes room."""


@dataclass(frozen=True)
class _Kept:
    path: Path
    size: int
    until: float


class KeptFiles:
    """Contents under random names that nobody can guess; each is there until it is removed or `lifetime` seconds have passed.

    A name that is asked for is only looked up among those given out: it never becomes a path.
    """

    def __init__(
        self,
        lifetime: float = 1800,
        most_bytes: int = 1 << 30,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lifetime, self.most_bytes, self.clock = lifetime, most_bytes, clock
        self._folder = TemporaryDirectory(prefix="onmal-", ignore_cleanup_errors=True)  # for its owner alone
        self._kept: dict[str, _Kept] = {}
        self._lock = Lock()

    def keep(self, content: bytes) -> str:
        """Keeps a content and gives its name. Raises Full."""
        self.forget_old()
        with self._lock:
            if sum(each.size for each in self._kept.values()) + len(content) > self.most_bytes:
                raise Full
            name = secrets.token_hex(16)
            path = Path(self._folder.name, name)
            self._kept[name] = _Kept(path, len(content), self.clock() + self.lifetime)
        try:
            path.write_bytes(content)
        except OSError:  # the disk is full
            self.remove(name)
            raise Full from None
        return name

    def read(self, name: str) -> bytes | None:
        """The content of that name; None where there is none, or no longer."""
        self.forget_old()
        with self._lock:
            found = self._kept.get(name)
        with suppress(FileNotFoundError):
            return found.path.read_bytes() if found else None
        return None

    def remove(self, name: str) -> None:
        """Makes room before the time is over."""
        with self._lock:
            found = self._kept.pop(name, None)
        if found:
            found.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Removes all of them."""
        self._kept.clear()
        self._folder.cleanup()

    def forget_old(self) -> None:
        """Removes those whose time is over."""
        now = self.clock()
        with self._lock:
            old = [name for name, each in self._kept.items() if each.until <= now]
        for name in old:
            self.remove(name)
