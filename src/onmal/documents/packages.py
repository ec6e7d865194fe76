"""Documents that are ZIP packages: read within limits, and written anew with some of their parts changed.

Nothing is unpacked to the disk, so no name in a package is ever a path.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from copy import copy
from typing import NoReturn

from onmal.errors import DataError

__all__ = ["Package"]

MOST_PARTS = 5_000
LARGEST_PART = 64 << 20  # bytes, unpacked
LARGEST = 256 << 20  # the same for all parts together
HIGHEST_RATIO = 300  # of a part's size unpacked to packed; text of Word has 10 to 50
_ANY_RATIO = 1 << 20  # bytes that do no harm
_COMPRESSIONS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_FAULTS = (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, struct.error)
_ENCRYPTED = 0x1  # of a part's flags
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")  # what old documents of Office begin with, and encrypted ones


class Package:
    """The parts of a document, by name. Raises DataError for what is no package, encrypted, or unpacks to too much."""

    def __init__(self, content: bytes) -> None:
        if content.startswith(_OLE):
            raise DataError(
                "the document is encrypted, or of an old version of Office",
                "save it as .docx without a password",
            )
        self.content = content
        try:
            self.archive = zipfile.ZipFile(io.BytesIO(content))
        except _FAULTS as error:
            _broken(error)
        parts = self.archive.infolist()
        self.names = [part.filename for part in parts]
        if (
            len(parts) > MOST_PARTS
            or sum(part.file_size for part in parts) > LARGEST
            or any(map(_is_bomb, parts))
        ):
            what = "the document unpacks to more than a document has"
            raise DataError(what, f"a part may have {LARGEST_PART:,} bytes, all together {LARGEST:,}")
        if any(part.flag_bits & _ENCRYPTED for part in parts):
            raise DataError("the document is encrypted", "save it without a password")
        compressions = {part.compress_type for part in parts}
        if (
            len(set(self.names)) < len(parts)
            or any(map(_leads_out, self.names))
            or compressions - _COMPRESSIONS
        ):
            raise DataError("the package is none that Word writes", "open the document in Word and save it")

    def read(self, name: str) -> bytes:
        """A part. Raises DataError."""
        try:
            return self.archive.read(name)
        except (*_FAULTS, zlib.error, EOFError, RuntimeError) as error:
            _broken(error)

    def with_parts(self, changed: Mapping[str, bytes]) -> bytes:
        """The same package with other contents of some parts; the order of parts and all that is said of them stay."""
        if not changed:
            return self.content
        written = io.BytesIO()
        with zipfile.ZipFile(written, "w") as archive:
            archive.comment = self.archive.comment
            for part in self.archive.infolist():
                name = part.filename
                archive.writestr(copy(part), changed[name] if name in changed else self.read(name))
        return written.getvalue()


def _is_bomb(part: zipfile.ZipInfo) -> bool:
    return part.file_size > min(LARGEST_PART, max(_ANY_RATIO, HIGHEST_RATIO * part.compress_size))


def _leads_out(name: str) -> bool:
    return name.startswith(("/", "\\")) or ":" in name or ".." in name.replace("\\", "/").split("/")


def _broken(error: Exception) -> NoReturn:
    raise DataError(
        f"the document is broken ({error})", "get it again, or open and save it in Word"
    ) from None
