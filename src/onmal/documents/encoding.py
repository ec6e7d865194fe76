"""Bytes of a file as text, and back to the same bytes: byte order marks, encodings that a page declares."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from onmal.errors import DataError

__all__ = ["Decoded", "decode"]

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What a page means that says one of these (WHATWG Encoding Standard): Python's own are smaller.
_LARGER = {
    "ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254", "euc_kr": "cp949", "ks_c_5601-1987": "cp949",
    "shift_jis": "cp932", "gb2312": "gb18030", "gbk": "gb18030", "utf-16": "utf-8", "utf-16-le": "utf-8",
    "utf-16-be": "utf-8", "windows-949": "cp949", "windows-31j": "cp932", "x-sjis": "cp932",
}  # fmt: skip
# No other: Python knows codecs that are none of text files, and some that take quadratic time.
_KNOWN = re.compile(r"utf-8|cp949|cp932|euc_jp|gb18030|big5(?:hkscs)?|koi8-[ru]|cp125[0-8]|iso8859-\d{1,2}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_META = re.compile(rb"""<meta\s[^>]*?charset\s*=\s*["']?\s*([A-Za-z0-9_:.-]{1,40})""", re.IGNORECASE)
_XML = re.compile(rb"""<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z0-9_.-]{1,40})""")


@dataclass(frozen=True)
class Decoded:
    """The text of a file, and how it was encoded."""

    text: str
    mark: bytes
    encoding: str
    errors: str = "strict"

    def encode(self, text: str) -> bytes:
        """Another text, encoded as this one was."""
        # A translation may have half a character where its source had; no file can.
        sound = _SURROGATE.sub("\ufffd", text)
        return self.mark + sound.encode(self.encoding, self.errors)


def decode(content: bytes, *, page: bool = False) -> Decoded:
    """The text of a file in UTF-8, in UTF-16 with a byte order mark, or, of a `page`, in the encoding that it declares.

    Raises DataError.
    """
    mark, encoding = next(((mark, name) for mark, name in _MARKS if content.startswith(mark)), (b"", ""))
    declared = (_XML.match(content) or _META.search(content[:4096])) if page and not mark else None
    encoding = encoding or (_known(declared[1].decode("ascii")) if declared else "utf-8")
    try:
        text = content[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, len(mark) + error.start) + 1
        remedy = "save the file as UTF-8 and give it again"
        raise DataError(f"the text is not {encoding.upper()}", remedy, line=line) from None
    decoded = Decoded(text, mark, encoding, "xmlcharrefreplace" if page else "strict")
    if decoded.encode(text) != content:
        remedy = "save the file as UTF-8 and give it again"
        raise DataError(f"some characters in {encoding.upper()} would not stay as they are", remedy)
    return decoded


def _known(label: str) -> str:
    label = label.lower()
    try:
        name = _LARGER.get(label) or codecs.lookup(label).name
    except LookupError:
        name = label
    name = _LARGER.get(name, name)
    if not _KNOWN.fullmatch(name):
        raise DataError(f"the page says that its encoding is {label!r}", "save it as UTF-8 and give it again")
    return name
