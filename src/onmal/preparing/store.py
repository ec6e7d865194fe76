"""A folder of growing files that can be cut off at any moment and gone on with."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from onmal.data.shards import FORMAT, STATE, TYPES
from onmal.errors import ConfigError, DataError
from onmal.lock import locked_folder
from onmal.writing import MANIFEST, open_whole

__all__ = ["Store", "open_store"]


@contextmanager
def open_store(folder: Path, settings: Mapping[str, Any]) -> Iterator[Store]:
    """A `Store` closed to others: what two processes append to one file is lost. DataError where another has it."""
    with ExitStack() as held:
        if not folder.exists():
            folder.mkdir(parents=True, exist_ok=True)
        if folder.is_dir():
            try:
                held.enter_context(locked_folder(folder))
            except BlockingIOError:
                raise DataError(
                    "another onmal prepare is at work in this folder",
                    "wait until it has ended, or choose another --out",
                    path=folder,
                ) from None
        yield held.enter_context(closing(Store(folder, settings)))


class Store:
    """A folder in the making: files that only grow, and a state that says how much of each counts.

    What a killed process wrote after its last `commit` is cut off by the next one, which goes on from there.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        """Begin in an empty folder, or go on in one that was begun with the same settings; DataError for any other."""
        self.folder = folder
        self.state: dict[str, Any] = {"settings": settings, "sizes": {}}
        self._files: dict[str, BinaryIO] = {}
        path = folder / STATE
        if path.exists() and not (folder / MANIFEST).exists():
            self.state = _read_state(path, settings)
            for name, size in self.sizes.items():
                if not (folder / name).is_file() or (folder / name).stat().st_size < size:
                    raise DataError(
                        "has been cut off", "remove the folder and prepare it anew", path=folder / name
                    )
                os.truncate(folder / name, size)
        elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise DataError("exists already", "choose another --out, or remove it", path=folder)
        else:
            self.commit()

    @property
    def sizes(self) -> dict[str, int]:
        """Bytes of each file that count."""
        sizes: dict[str, int] = self.state["sizes"]
        return sizes

    def append(self, side: str, name: str, content: bytes | NDArray[Any]) -> None:
        """Add to SIDE.NAME, an array as the type that it has there."""
        file = f"{side}.{name}"
        if file not in self._files:
            self._files[file] = (self.folder / file).open("ab" if file in self.sizes else "wb")
        if not isinstance(content, bytes):
            content = np.ascontiguousarray(content, TYPES[name]).tobytes()
        self._files[file].write(content)

    def length(self, side: str, name: str) -> int:
        """Numbers in an array, as of the last commit."""
        return self.sizes.get(f"{side}.{name}", 0) // np.dtype(TYPES[name]).itemsize

    def commit(self, *whole: str) -> None:
        """Make all that was appended count, and the state with it, and files that were written `whole`."""
        for name, file in self._files.items():
            file.flush()
            os.fsync(file.fileno())
            self.sizes[name] = file.tell()
        for name in whole:
            self.sizes[name] = (self.folder / name).stat().st_size
        with open_whole(self.folder / STATE) as state:
            json.dump(self.state, state, ensure_ascii=False)

    def finish(self, facts: Mapping[str, Any], scratch: str) -> dict[str, Any]:
        """Write the manifest, and clear away what only the making needed."""
        self.close()
        files = {name: size for name, size in sorted(self.sizes.items()) if name != scratch}
        manifest = {"format": FORMAT, **facts, "files": files}
        with open_whole(self.folder / MANIFEST) as file:
            json.dump(manifest, file, ensure_ascii=False, indent=2)
            file.write("\n")
        for name in (scratch, STATE):
            (self.folder / name).unlink(missing_ok=True)
        return manifest

    def close(self) -> None:
        """Let go of the files."""
        for file in self._files.values():
            file.close()
        self._files.clear()


def _read_state(path: Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    try:
        state: dict[str, Any] = json.loads(path.read_text("utf-8"))
        before = state["settings"]
    except (OSError, ValueError, KeyError, TypeError):
        raise DataError("cannot be read", "remove the folder and prepare it anew", path=path) from None
    for key, value in settings.items():
        if before.get(key) != value:
            what = f"was begun with other {'text' if key == 'sources' else 'settings'}"
            raise ConfigError(what, "choose another --out, or remove it", path=path.parent)
    return state
