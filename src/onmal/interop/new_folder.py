"""A folder that is there whole or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from onmal.errors import ConfigError, ModelFolderError

__all__ = ["new_folder", "refuse_occupied"]


def refuse_occupied(folder: Path) -> None:
    """ConfigError where something is already there, but for an empty folder."""
    try:
        occupied = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    except OSError as error:
        raise ConfigError(f"{folder} cannot be written ({error.strerror})", "choose another place") from None
    if occupied:
        raise ConfigError(f"{folder} is already there", "choose another place, or remove it first")


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A folder to fill, which becomes `folder` when the block ends without an error.

    Raises ConfigError where something is already there, ModelFolderError where nothing can be written.
    """
    refuse_occupied(folder)
    folder = folder.absolute()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as beside:
            made = Path(beside) / "made"
            made.mkdir()
            yield made
            for file in made.rglob("*"):  # some libraries write files that are their owner's alone
                file.chmod((made.stat().st_mode & 0o777) if file.is_dir() else (made.stat().st_mode & 0o666))
            if folder.exists():
                folder.rmdir()
            made.rename(folder)
    except (OSError, SafetensorError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or error
        raise ModelFolderError(
            f"cannot be written ({reason})", "free some space or choose another place", path=folder
        ) from None
