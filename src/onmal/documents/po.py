"""gettext PO: empty translations are filled; those that are there, the header, comments and obsolete entries stay."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import accumulate

from onmal.documents.message import Mark, Piece, Text
from onmal.documents.passages import CannotBeWritten, Passage
from onmal.errors import DataError
from onmal.formats.po import PoEntry, po_entries
from onmal.fragments import find_fragments

__all__ = ["passages"]

_WIDTH = 76  # columns of a line that msgmerge writes
_ESCAPES = str.maketrans(
    {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\a": "\\a", "\b": "\\b", "\f": "\\f", "\v": "\\v"}
)  # fmt: skip
_CHARSET = re.compile(r'^"Content-Type:[^"]*charset=([\w.:-]+)', re.MULTILINE)
_UTF_8 = ("utf-8", "utf8", "charset")  # the last stands in templates
_PRINTF = ("c-format", "objc-format", "python-format", "php-format", "perl-format", "awk-format")
"""The flags of messages in which %% is a per cent sign."""
_NUMBERED = ("c-format", "objc-format", "php-format")
"""The flags of messages whose directives may say which argument they are: %2$s."""


def passages(text: str) -> Iterator[Passage]:
    """The messages that have no translation. Raises DataError."""
    if (charset := _CHARSET.search(text)) and charset[1].lower() not in _UTF_8:
        raise DataError(f"the header says charset={charset[1]}", "convert it with: msgconv --to-code=UTF-8")
    lines = text.split("\n")
    starts = [0, *accumulate(len(line) + 1 for line in lines)]
    for entry in po_entries(lines, ""):
        forms = [keyword for keyword in entry.texts if keyword.startswith("msgstr")]
        if not entry.texts.get("msgid") or any(entry.texts[keyword] for keyword in forms):
            continue
        for keyword in forms:
            said_in = _source_of_form(entry, keyword, len(forms))
            first, last = (entry.lines[keyword][end] - 1 for end in (0, 1))
            start = starts[first] + lines[first].index('"')
            end = starts[last] + lines[last].rindex('"') + 1
            yield _passage(entry, said_in, (start, end), _layout(entry, said_in, lines))


def _source_of_form(entry: PoEntry, keyword: str, forms: int) -> str:
    """Which text a form says: the plural, or, of the first of several, the singular where it has all that the plural has."""
    if "msgid_plural" not in entry.texts:
        return "msgid"
    same = _placeholders(entry.texts["msgid"]) == _placeholders(entry.texts["msgid_plural"])
    return "msgid" if keyword == "msgstr[0]" and forms > 1 and same else "msgid_plural"


def _placeholders(text: str) -> Counter[str]:
    found = find_fragments(text)
    said = (text[start:end] for kind, start, end in found if kind in ("markup", "placeholder"))
    return Counter(each for each in said if each != "%%")  # which is a per cent sign


def _passage(entry: PoEntry, said_in: str, span: tuple[int, int], lay_out: Callable[[str], str]) -> Passage:
    said = entry.texts[said_in]
    words = said.strip()
    before = said[: len(said) - len(said.lstrip())]
    after = said[len(before) + len(words) :]
    printf = not entry.flags.isdisjoint(_PRINTF)
    pieces = list(_pieces(words, printf))

    def write(translated: Sequence[Piece], source_of: Callable[[Mark], str]) -> str:
        directives = _in_order(pieces, translated, entry.flags)
        text = "".join(
            directives[piece] if isinstance(piece, Mark) else _escaped(piece.said, printf)
            for piece in translated
        )
        plain = "".join(piece.name if isinstance(piece, Mark) else piece.said for piece in translated)
        if changed := _placeholders(words) - _placeholders(plain):
            raise CannotBeWritten(f"{', '.join(changed)} would be missing")
        return lay_out(before + text + after)

    return Passage(*span, pieces, write, f"line {entry.lines[said_in][0]:,}")


def _pieces(words: str, printf: bool) -> Iterator[Piece]:
    """The text, and the directives of printf in it: each is one of its own, though there be several %s."""
    at = 0
    directives = [
        (start, end)
        for kind, start, end in find_fragments(words)
        if kind == "placeholder" and words[start] == "%" and words[end - 1] not in "%}"
    ]
    for number, (start, end) in enumerate([*directives, (len(words), len(words))]):
        if at < start:
            yield Text(words[at:start].replace("%%", "%") if printf else words[at:start])
        if start < end:
            yield Mark("word", words[start:end], number)
        at = end


def _escaped(said: str, printf: bool) -> str:
    return said.replace("%", "%%") if printf else said


def _in_order(
    source: Sequence[Piece], translated: Sequence[Piece], flags: Collection[str]
) -> dict[Mark, str]:
    """How each directive is written: with its number where those without a name have changed places."""
    before, after = (
        [piece for piece in pieces if isinstance(piece, Mark) and not set(piece.name) & set("($")]
        for pieces in (source, translated)
    )
    written = {piece: piece.name for piece in source if isinstance(piece, Mark)}
    if before == after:
        return written
    if set(flags).isdisjoint(_NUMBERED) or len(before) < len(written):
        raise CannotBeWritten(f"{', '.join(mark.name for mark in before)} would change places")
    return {mark: f"%{number}${mark.name[1:]}" for number, mark in enumerate(before, 1)}


def _layout(entry: PoEntry, said_in: str, lines: Sequence[str]) -> Callable[[str], str]:
    """Writes a text in one line if that which it translates is in one, else in lines of a catalogue's usual width."""
    first, last = entry.lines[said_in]
    line_end = '"\r\n"' if lines[first - 1].endswith("\r") else '"\n"'

    def lay_out(text: str) -> str:
        if first == last:
            return f'"{text.translate(_ESCAPES)}"'
        broken = [""]
        for line in text.splitlines(keepends=True):
            broken += _wrapped(line)
        return f'"{line_end.join(broken)}"'

    return lay_out


def _wrapped(line: str) -> Iterator[str]:
    """A line in pieces that are no wider than a catalogue's lines, where its words allow."""
    piece, width = "", 0
    for word in re.findall(r"\S*\s+|\S+", line):
        written = word.translate(_ESCAPES)
        columns = sum(1 + (unicodedata.east_asian_width(each) in "WF") for each in written)
        if piece and width + columns > _WIDTH:
            yield piece
            piece, width = "", 0
        piece, width = piece + written, width + columns
    yield piece
