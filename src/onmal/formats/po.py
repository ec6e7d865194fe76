"""gettext PO: messages with their translations, flags, and the lines that they stand on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from onmal.errors import DataError
from onmal.formats.lines import LONGEST_LINE

__all__ = ["PoEntry", "po_entries"]


@dataclass
class PoEntry:
    """A message and its translations."""

    line: int = 0
    flags: set[str] = field(default_factory=set)
    keyword: str = ""
    """The latest one; text in quotes alone goes on with it."""
    texts: dict[str, str] = field(default_factory=dict)
    lines: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Of each keyword, the first line of its text and the last."""

    @property
    def fuzzy(self) -> bool:
        """Whether somebody should look at its translation."""
        return "fuzzy" in self.flags

    @property
    def has_translation(self) -> bool:
        """Whether its msgstr has begun."""
        return self.keyword.startswith("msgstr")

    def translation(self, index: int) -> str:
        """One of its plural forms, or the only one there is."""
        forms = [text for keyword, text in self.texts.items() if keyword.startswith("msgstr")]
        return forms[index] if forms else ""

    def add(self, keyword: str, text: str, line: int) -> None:
        """Text that stands on a line, of a keyword that begins there or goes on."""
        self.line = self.line or line
        self.keyword = keyword
        self.lines[keyword] = (self.lines.get(keyword, (line, line))[0], line)
        self.texts[keyword] = self.texts.get(keyword, "") + text


_PO_LINE = re.compile(r'(?:(msgctxt|msgid|msgid_plural|msgstr(?:\[\d+\])?)\s*)?"((?:[^"\\]|\\.)*)"')
_PO_ESCAPE = re.compile(r"\\([0-7]{1,3}|x[0-9a-fA-F]{2}|.)")
_PO_CHARACTERS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def po_entries(lines: Iterable[str], name: str) -> Iterator[PoEntry]:
    """The entries of a catalogue, its header among them, without the obsolete ones. Raises DataError."""
    entry = PoEntry()
    for number, line in enumerate(lines, 1):
        line = line.strip()
        found = _PO_LINE.fullmatch(line)
        if not found and line and not line.startswith("#"):
            remedy = 'a line is blank, a comment (#), or a keyword (msgid, msgstr) and a text in "quotes"'
            raise DataError("the line is not gettext PO", remedy, path=name, line=number)
        if entry.has_translation and (not found or found[1] in ("msgctxt", "msgid")):
            yield entry
            entry = PoEntry()
        if found:
            keyword = found[1] or entry.keyword
            if not keyword or (found[1] == "msgid" and "msgid" in entry.texts):
                what = "the msgid before has no msgstr" if keyword else "the text has no msgid or msgstr"
                raise DataError(what, "repair the entry", path=name, line=number)
            entry.add(keyword, _PO_ESCAPE.sub(_po_character, found[2]), number)
            if len(entry.texts[keyword]) > LONGEST_LINE:
                what = f"the message is longer than {LONGEST_LINE:,} characters"
                raise DataError(what, "look for a missing msgstr or msgid", path=name, line=number)
        elif not entry.texts and (not line or line.startswith("#~")):
            entry = PoEntry()  # the flags above were those of an obsolete entry
        elif line.startswith("#,"):
            entry.flags.update(flag.strip() for flag in line[2:].split(","))
    if entry.texts and not entry.has_translation:
        raise DataError("the last msgid has no msgstr", "the file was cut off: copy it again", path=name)
    if entry.texts:
        yield entry


def _po_character(escape: re.Match[str]) -> str:
    code = escape[1]
    if code[0] in "01234567":
        return chr(int(code, 8))
    if code[0] == "x" and len(code) == 3:
        return chr(int(code[1:], 16))
    return _PO_CHARACTERS.get(code, code)
