"""Archives and compressed files, unpacked within limits: no name in an archive becomes the name of a file here."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import IO, Any

from onmal.errors import DataError

__all__ = ["unpack"]

_BLOCK = 1 << 20
_ARCHIVES = ("zip", "tar", "tgz")
_COMPRESSED: dict[str, Callable[[Path], Any]] = {
    ".gz": gzip.GzipFile,
    ".xz": lzma.LZMAFile,
    ".bz2": bz2.BZ2File,
}
_TERMS = ("LICENSE", "LICENCE", "COPYING", "README")
_TERMS_BYTES = 1 << 20
_FOLD = 200
"""Times its packed size that a text may have: more is no text."""
_LEAST = 64 << 20
"""Bytes that may come out of any file."""


def unpack(packed: Path, kind: str, members: Sequence[str], place: Path) -> list[Path]:
    """Unpack a file into the folder `place`; the plain files in the order of `members`, patterns that each name one.

    `kind` is what its name would end in: "zip", "tar.gz", "tsv.xz". Licence and readme of an archive go to `place`, too, under
    those names. DataError for a file that is something else, lacks a member, or unpacks to too much.
    """
    largest = max(_LEAST, _FOLD * packed.stat().st_size)
    opener = next((opener for suffix, opener in _COMPRESSED.items() if kind.endswith(suffix)), None)
    try:
        if kind.startswith(_ARCHIVES):
            return _unpack_members(packed, kind, members, place, largest)
        if opener is None:
            return [packed]
        plain = packed.with_name(f"{packed.name}.text")
        with opener(packed) as stream:
            _copy(stream, plain, largest)
        return [plain]
    except (
        zipfile.BadZipFile,
        tarfile.TarError,
        lzma.LZMAError,
        zlib.error,
        EOFError,
        RuntimeError,
    ) as error:
        raise _other(kind, error) from None
    except OSError as error:
        if error.errno:  # the disk's; what is wrong with the content has no number
            raise
        raise _other(kind, error) from None


def _other(kind: str, error: Exception) -> DataError:
    what = f"what was fetched is damaged, or not in the form of {kind} ({error})"
    return DataError(what, "try again; something on the way may have answered in its place")


def _unpack_members(packed: Path, kind: str, members: Sequence[str], place: Path, largest: int) -> list[Path]:
    paths = [place / f"{packed.name}.{number}" for number in range(len(members))]
    found: dict[int, list[str]] = {number: [] for number in range(len(members))}
    for name, stream in _files_in(packed, kind):
        for number, pattern in enumerate(members):
            if fnmatchcase(name, pattern) and (kind == "zip" or name.count("/") == pattern.count("/")):
                found[number].append(name)
                if len(found[number]) == 1:
                    _copy(stream, paths[number], largest)
                break
        _keep_terms(name, stream, place)
    for number, names in found.items():
        if len(names) != 1:
            shown = ", ".join(names[:3]) or "none"
            what = f"the archive should have one file like {members[number]} and has {len(names)}: {shown}"
            raise DataError(
                what, "its maker has changed it: look for another version with onmal corpus --search"
            )
    return paths


def _files_in(packed: Path, kind: str) -> Iterator[tuple[str, IO[bytes]]]:
    if kind == "zip":
        with zipfile.ZipFile(packed) as zipped:
            for entry in zipped.infolist():
                if not entry.is_dir():
                    with zipped.open(entry) as stream:
                        yield entry.filename, stream
        return
    with tarfile.open(packed) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isreg() else None
            if content:
                yield member.name.removeprefix("./"), content


def _keep_terms(name: str, stream: IO[bytes], place: Path) -> None:
    path = PurePosixPath(name)
    kept = place / path.stem.upper()
    if kept.name in _TERMS and len(path.parts) <= 2 and not kept.exists():
        kept.write_bytes(stream.read(_TERMS_BYTES))


def _copy(stream: IO[bytes], path: Path, largest: int) -> None:
    written = 0
    with path.open("wb") as file:
        while block := stream.read(_BLOCK):
            written += file.write(block)
            if written > largest:
                what = f"it unpacks to more than {largest:,} bytes, {_FOLD} times its size"
                raise DataError(what, "that cannot be text")
