"""TMX, the exchange format of translation memories, read unit by unit in constant memory.

XML can be made to fill the memory of whoever reads it: entities that multiply ("billion laughs"), texts and
tags without an end, nesting without a bottom. The parser is expat itself, because it reports a document type before reading it:
one that declares anything is refused, and one outside the file is never loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO
from xml.parsers import expat

from onmal.data.pair import Pair
from onmal.errors import DataError
from onmal.formats.by_line import value_for
from onmal.formats.lines import LONGEST_LINE

__all__ = ["read_tmx"]

_CHUNK = 1 << 16
_DEEPEST = 64


def read_tmx(stream: BinaryIO, name: str, source_language: str, target_language: str) -> Iterator[Pair]:
    """The units that have both languages, with the line on which each begins.

    A variant is taken by its exact language, or else by the same primary subtag ("en" finds "en-US"). Text
    inside inline tags is kept. Raises DataError, also when no unit at all has both languages.
    """
    units = _Units(name, source_language, target_language)
    while chunk := stream.read(_CHUNK):
        yield from units.feed(chunk)
    yield from units.feed(b"", final=True)
    if not units.paired:
        found = ", ".join(units.languages) or "none"
        what = f"no unit has both {source_language} and {target_language} (languages in the file: {found})"
        raise DataError(what, "check the languages that you asked for", path=name)


class _Units:
    """Handlers of one parser, and what they have gathered of the unit that is being read."""

    def __init__(self, name: str, source_language: str, target_language: str) -> None:
        self.name = name
        self.source_language, self.target_language = source_language, target_language
        self.languages: dict[str, None] = {}
        self.paired = False
        self._finished: list[Pair] = []
        self._open_tags: list[str] = []
        self._line = 0
        self._unit_begins: int | None = None
        self._variants: dict[str, str] = {}
        self._language = ""
        self._text: list[str] | None = None
        self._fed = 0
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._document_type
        parser.SkippedEntityHandler = self._refuse_skipped
        self._parser = parser

    def feed(self, chunk: bytes, final: bool = False) -> list[Pair]:
        """Parses a piece of the file; returns the pairs that it completed."""
        self._fed += len(chunk)
        self._finished = []
        try:
            self._parser.Parse(chunk, final)
        except expat.ExpatError as error:
            what = f"is not well-formed XML ({expat.ErrorString(error.code)}, column {error.offset + 1})"
            remedy = "repair the file there, or export it again"
            raise DataError(what, remedy, path=self.name, line=error.lineno) from None
        except (LookupError, ValueError) as error:
            remedy = "convert it to UTF-8 with iconv, and name UTF-8 in its first line"
            raise DataError(
                f"has an encoding that XML readers do not know ({error})", remedy, path=self.name
            ) from None
        begins = self._parser.CurrentByteIndex if self._unit_begins is None else self._unit_begins
        if not final and self._fed - begins > LONGEST_LINE + _CHUNK:
            raise self._fault(f"a unit, tag or comment is longer than {LONGEST_LINE:,} bytes")
        return self._finished

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if not self._open_tags and tag != "tmx":
            raise self._fault(f"is XML but not TMX: it begins with <{tag[:40]}>", "export it as TMX")
        if len(self._open_tags) == _DEEPEST:
            raise self._fault(f"its tags are nested more than {_DEEPEST} deep")
        self._open_tags.append(tag)
        if tag == "tu":
            self._line, self._variants = self._parser.CurrentLineNumber, {}
            self._unit_begins = self._parser.CurrentByteIndex
        elif tag == "tuv":
            self._language = attributes.get("xml:lang") or attributes.get("lang") or ""
            if not self._language:
                raise self._fault("a <tuv> does not say its language", "give it an xml:lang")
            if len(self.languages) < 100:
                self.languages[self._language[:20]] = None
        elif tag == "seg" and self._unit_begins is not None:
            self._text = []

    def _characters(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)

    def _end(self, tag: str) -> None:
        self._open_tags.pop()
        if tag == "seg" and self._text is not None:
            self._variants.setdefault(self._language, "".join(self._text))
            self._text = None
        elif tag == "tu":
            self._finish()

    def _finish(self) -> None:
        self._unit_begins = None
        source = value_for(self.source_language, self._variants)
        target = value_for(self.target_language, self._variants)
        if source is None or target is None:
            return
        self.paired = True
        self._finished.append(Pair(source, target, "", self._line))

    def _document_type(
        self, root: str, system: str | None, public: str | None, has_declarations: int
    ) -> None:
        if has_declarations:
            raise self._fault("declares entities or tags of its own", "take the [...] out of its <!DOCTYPE>")

    def _refuse_skipped(self, entity: str, _: bool) -> None:
        raise self._fault(
            f"uses the entity &{entity[:40]};, which XML does not define", "write its character itself"
        )

    def _fault(
        self, what: str, remedy: str = "the file is damaged, or made to do harm: export it again"
    ) -> DataError:
        return DataError(what, remedy, path=self.name, line=self._parser.CurrentLineNumber)
