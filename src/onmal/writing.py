"""Writing text so that nobody ever sees half of it: beside its place, and moved there when it is whole."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from onmal.errors import DataError
from onmal.lock import lock

__all__ = ["MANIFEST", "one_line", "open_resumable", "open_whole", "write_whole"]

MANIFEST = "manifest.json"

_LINE_BREAKS = re.compile(r"[\r\n]+")


def one_line(text: str) -> str:
    """The text with each run of line breaks as one space, so that it stays one line of a file."""
    return _LINE_BREAKS.sub(" ", text)


@contextmanager
def open_whole(path: str | Path) -> Iterator[TextIO]:
    """A UTF-8 file to write, which takes its place when the block ends without an error; else what was there stays.

    Pipes and devices, which cannot be replaced, are written directly. Raises DataError.
    """
    place = Path(path)
    in_place = place.exists() and not place.is_file()
    if not in_place:
        place = place.resolve()  # the file that a symbolic link stands for
    part = place if in_place else place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8", newline="\n") as file:
            yield file
            if not in_place:
                file.flush()
                os.fsync(file.fileno())
        if not in_place:
            part.replace(place)
    except OSError as error:
        what = f"cannot be written ({error.strerror or error})"
        raise DataError(
            what, "check the folder and the space; what was there before is still there", path=path
        ) from None
    finally:
        if not in_place:
            with suppress(OSError):
                part.unlink()


def write_whole(path: Path, content: bytes) -> None:
    """The same for what is there already. Raises DataError."""
    with open_whole(path) as file:
        file.buffer.write(content)


@contextmanager
def open_resumable(path: str | Path, job: str) -> Iterator[tuple[TextIO, int]]:
    """A UTF-8 file whose lines stay when the program is interrupted or killed; yields it, and how many lines it has already.

    They are kept beside the place, with a note of the `job` that they belong to, until the block ends without an error. Half a
    line at the end is dropped. Raises DataError, also for lines of another job.
    """
    place = Path(path).resolve()
    part, note = (place.with_name(f".{place.name}.{kind}") for kind in ("part", "job"))
    try:
        with part.open("a", encoding="utf-8", newline="\n") as file:
            _claim(file, part)
            if not part.stat().st_size:
                note.write_text(job, "utf-8")
            elif not note.exists() or note.read_text("utf-8") != job:
                raise DataError(
                    "was begun from another text or model, or with other options",
                    f"give the same again, or remove {part}",
                    path=path,
                )
            yield file, _drop_half_a_line(part)
            file.flush()
            os.fsync(file.fileno())
        part.replace(place)
        note.unlink()
    except BlockingIOError:
        raise DataError("is being written by another run", "wait for its end", path=path) from None
    except OSError as error:
        what = f"cannot be written ({error.strerror or error})"
        raise DataError(what, "check the folder and the space, or choose another place", path=path) from None


def _claim(file: TextIO, path: Path) -> None:
    """Raise BlockingIOError where another process writes the file, or has just moved it into place; as long as the file is open."""
    lock(file.fileno())
    if not (path.exists() and os.path.samestat(path.stat(), os.fstat(file.fileno()))):
        raise BlockingIOError


def _drop_half_a_line(path: Path) -> int:
    """Cut a file after its last line end; how many lines it has then."""
    lines = end = at = 0
    with path.open("r+b") as file:
        while block := file.read(1 << 20):
            lines += block.count(b"\n")
            end = at + block.rfind(b"\n") + 1 if b"\n" in block else end
            at += len(block)
        file.truncate(end)
    return lines
