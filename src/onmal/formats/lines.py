"""From a file to lines of text: plain, .gz, .xz or standard input, in constant memory, one line at a time.

Lines end at "\\n" or "\\r\\n" and nowhere else. `str.splitlines` would also cut at U+2028, U+0085 and five other
characters that occur inside sentences, and every later line would stand beside the wrong translation.
Whatever is wrong with a file is a DataError that names the file, the line and what to do.
"""

from __future__ import annotations

import codecs
import gzip
import io
import lzma
import re
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import BinaryIO, cast

from onmal.errors import DataError

__all__ = ["LONGEST_LINE", "open_bytes", "read_lines", "shown_name"]

LONGEST_LINE = 16 << 20
"""Bytes that a line, or one text of a record, may have: a longer one is damage, and could fill the memory."""

_BUFFER = 1 << 18


def read_lines(path: str | PathLike[str], first: int = 0) -> Iterator[str]:
    """The lines of one UTF-8 text without their line ends; "-" reads standard input.

    A byte order mark is skipped. `first` is the byte of a line's beginning to begin at, lines then counted from there.
    Raises DataError.
    """
    name = shown_name(path)
    with open_bytes(path) as stream:
        if first:
            stream.seek(first)
        raw = stream.readline(LONGEST_LINE + 1)
        text = raw if first else raw.removeprefix(codecs.BOM_UTF8)
        number, offset = 1, first + len(raw) - len(text)
        while text:
            if len(text) > LONGEST_LINE:
                raise _endless(text, name, number)
            try:
                line = text.decode()
            except UnicodeDecodeError as error:
                raise _not_utf8(text, error, offset, name, number) from None
            if "\0" in line:
                raise _has_nul(text, name, number)
            if line.endswith("\n"):
                line = line[:-2] if line.endswith("\r\n") else line[:-1]
            yield line
            number += 1
            offset += len(text)
            text = stream.readline(LONGEST_LINE + 1)


def shown_name(path: str | PathLike[str]) -> str:
    """The name of a file as messages show it."""
    return "standard input" if str(path) == "-" else str(path)


@contextmanager
def open_bytes(path: str | PathLike[str]) -> Iterator[BinaryIO]:
    """The bytes of a file, decompressed by its suffix; faults in opening and reading become DataErrors."""
    name = shown_name(path)
    try:
        if str(path) == "-":
            yield sys.stdin.buffer
        else:
            with _opened(Path(path)) as stream:
                yield stream
    except FileNotFoundError:
        raise DataError("there is no such file", "check the name and the folder", path=name) from None
    except IsADirectoryError:
        raise DataError("is a folder, not a file", "name a file in it", path=name) from None
    except PermissionError:
        raise DataError("may not be read", "change its permissions, or read a copy", path=name) from None
    except EOFError:
        remedy = "copy or download it again"
        raise DataError("the compressed data stop in the middle", remedy, path=name) from None
    except (gzip.BadGzipFile, zlib.error, lzma.LZMAError) as error:
        remedy = "copy or download it again; if it is not compressed, take the last suffix off its name"
        raise DataError(f"cannot be decompressed ({error})", remedy, path=name) from None
    except OSError as error:
        remedy = "check the disk and the connection, or read a copy"
        raise DataError(f"cannot be read ({error.strerror or error})", remedy, path=name) from None


def _opened(path: Path) -> BinaryIO:
    if path.is_dir():  # Windows reports a folder as a lack of permission
        raise IsADirectoryError
    decompressed = {".gz": gzip.GzipFile, ".xz": lzma.LZMAFile}.get(path.suffix.lower())
    if decompressed is None:
        return path.open("rb", buffering=_BUFFER)
    return cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, decompressed(path)), _BUFFER))


def _endless(text: bytes, name: str, number: int) -> DataError:
    remedy = "write one sentence per line"
    if b"\r" in text[:-1]:
        remedy = 'its lines end with a lone carriage return: convert it with: tr "\\r" "\\n"'
    return DataError(f"the line is longer than {LONGEST_LINE:,} bytes", remedy, path=name, line=number)


def _has_nul(text: bytes, name: str, number: int) -> DataError:
    if _looks_like_utf16(text):
        return DataError("the text is UTF-16, not UTF-8", _conversion("UTF-16", name), path=name, line=number)
    remedy = "this is no plain text, or a damaged one: save it again as UTF-8 text"
    return DataError("the line has a NUL byte", remedy, path=name, line=number)


def _not_utf8(text: bytes, error: UnicodeDecodeError, offset: int, name: str, number: int) -> DataError:
    for magic, (kind, remedy) in _CONTAINERS.items():
        if number == 1 and text.startswith(magic):
            return DataError(f"is {kind}, not plain text", remedy, path=name)
    what = f"byte {error.start + 1} of the line (offset {offset + error.start:,}) is not UTF-8"
    decoded = text.decode(errors="replace")
    damaged = decoded.count("\ufffd")
    if sum(not character.isascii() for character in decoded) > 4 * damaged:
        remedy = "the text around it is, so a character is damaged: repair or delete the line"
    elif encoding := _guess_encoding(text):
        what = f"{what}; the text looks like {encoding}"
        remedy = _conversion(encoding, name)
    else:
        remedy = "save the file as UTF-8 in your editor, or convert it with iconv"
    return DataError(what, remedy, path=name, line=number)


def _conversion(encoding: str, name: str) -> str:
    codec = encoding.split()[0]
    return f"save the file as UTF-8 in your editor, or convert it with: iconv -f {codec} -t UTF-8 {name}"


_CONTAINERS = {
    b"\x1f\x8b": ("compressed with gzip", "give it a name that ends in .gz"),
    b"\xfd7zXZ": ("compressed with xz", "give it a name that ends in .xz"),
    b"PK\x03\x04": ("a zip archive or an office document", "unpack it, or save it as plain UTF-8 text"),
}

_HANGUL = re.compile("[가-힣]")
_KANA = re.compile("[ぁ-ヿ]")


def _looks_like_utf16(text: bytes) -> bool:
    return text.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or text.count(0) * 3 > len(text)


def _guess_encoding(text: bytes) -> str:
    """The encoding that a line is probably in, under the name that iconv knows; "" where nothing speaks for one."""
    if _looks_like_utf16(text):
        return "UTF-16"
    for codec, name, letters in (("shift_jis", "SHIFT_JIS", _KANA), ("cp949", "CP949 (EUC-KR)", _HANGUL)):
        decoded = text.decode(codec, errors="replace")
        foreign = sum(not character.isascii() for character in decoded)
        if len(letters.findall(decoded)) * 2 > foreign:
            return name
    above_ascii = sum(byte > 127 for byte in text)
    return "WINDOWS-1252" if above_ascii * 4 < len(text) else ""
