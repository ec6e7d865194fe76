"""A document as passages that are translated, each as one, and all the rest, which stays as it is."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from operator import attrgetter
from typing import NamedTuple, Protocol

from onmal.documents.message import Mark, Message, Piece, Text
from onmal.writing import one_line

__all__ = [
    "CannotBeWritten",
    "Passage",
    "PlacedWarning",
    "Translate",
    "Translated",
    "Write",
    "translate_passages",
]


class Translated(Protocol):
    """A translation and what could not be kept in it: a `Translation` of onmal is one."""

    @property
    def text(self) -> str: ...

    @property
    def warnings(self) -> Sequence[str]: ...


Translate = Callable[[Sequence[str]], Sequence[str | Translated]]
"""Translates texts in their order. Texts may contain tags (<x1>..</x1>, <x2/>) and placeholders ({x3}), which are to be kept."""
Write = Callable[[Sequence[Piece], Callable[[Mark], str]], str]
"""Writes a translated passage as its format wants it; the function that it is given is the source of a mark."""


class CannotBeWritten(Exception):
    """A translation cannot be said in the document's format; its message is a warning, and the passage stays as it is."""


class PlacedWarning(NamedTuple):
    """What could not be kept, and where: "line 3", "cue 12"."""

    place: str
    warning: str


@dataclass(frozen=True)
class Passage:
    """What is translated as one: the characters [start, end) of a document's source."""

    start: int
    end: int
    pieces: Sequence[Piece]
    write: Write
    place: str = ""
    """Where it is, for people; its line if nothing is said."""


def translate_passages(
    sources: Sequence[tuple[str, Iterable[Passage]]], translate: Translate
) -> list[tuple[str, list[PlacedWarning]]]:
    """Each source with its passages translated, and warnings with their places.

    A passage may lie within a mark of another. Where a translation says the same as the passage, its source stays as it is.
    """
    asked = [
        [
            (passage, message)
            for passage in sorted(passages, key=attrgetter("end"))  # those within others come first
            if (message := Message(passage.pieces)).has_words
        ]
        for _, passages in sources
    ]
    messages = [message for some in asked for _, message in some]
    answers = _ask([message.text for message in messages], translate)
    lost = [message for message in messages if message.read(answers[message.text].text) is None]
    answers |= _ask([text for message in lost for text in _texts(message)], translate)
    return [
        _with_translations(source, some, answers) for (source, _), some in zip(sources, asked, strict=True)
    ]


def _with_translations(
    source: str, asked: Iterable[tuple[Passage, Message]], answers: Mapping[str, _Answer]
) -> tuple[str, list[PlacedWarning]]:
    edits, lines, warnings = _Edits(source), _Lines(source), list[PlacedWarning]()
    for passage, message in asked:
        answer = answers[message.text]
        told = list(answer.warnings)
        pieces = message.read(answer.text)
        if pieces is None:
            pieces = _piece_by_piece(message, answers)
            told = ["markup: its place in the translation is not known, translated piece by piece"]
            told += (warning for text in _texts(message) for warning in answers[text].warnings)
        elif message.emptied(pieces):
            told.append("markup: a link or emphasis is around no word of the translation")
        if answer.text != message.text:
            try:
                edits.replace(passage.start, passage.end, passage.write(pieces, edits.source_of))
            except CannotBeWritten as error:
                told.append(f"not written: {error}")
        place = passage.place or lines.place(passage.start)
        warnings += [PlacedWarning(place, warning) for warning in told]
    return edits.whole(), warnings


class _Answer(NamedTuple):
    text: str
    warnings: Sequence[str]


def _ask(texts: Sequence[str], translate: Translate) -> dict[str, _Answer]:
    """Each text's translation and warnings; what a document says twice is translated once.

    White space at both ends is none of the translator's business, and neither are new lines where there were none.
    """
    words = list(dict.fromkeys(text.strip() for text in texts))
    answers = dict(zip(words, translate(words) if words else (), strict=True))
    found: dict[str, _Answer] = {}
    for text in texts:
        answer = answers[text.strip()]
        said, warnings = (answer, ()) if isinstance(answer, str) else (answer.text, answer.warnings)
        said = said.strip() if "\n" in text else one_line(said).strip()
        if not said:
            said, warnings = (
                text.strip(),
                (*warnings, "empty: there is no translation, the text stays as it is"),
            )
        found[text] = _Answer(text.replace(text.strip(), said), warnings)
    return found


def _texts(message: Message) -> Iterator[str]:
    """What it says between its marks."""
    for piece in message.pieces:
        if isinstance(piece, Text) and any(map(str.isalpha, piece.said)):
            yield piece.said


def _piece_by_piece(message: Message, answers: Mapping[str, _Answer]) -> list[Piece]:
    asked = set(_texts(message))
    return [
        replace(piece, said=answers[piece.said].text)
        if isinstance(piece, Text) and piece.said in asked
        else piece
        for piece in message.pieces
    ]


class _Edits:
    """A source and what takes the place of some of it."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.done: list[tuple[int, int, str]] = []  # none within another, in their order

    def replace(self, start: int, end: int, text: str) -> None:
        """What is replaced within is gone: the text has it where it asked for `source_of`."""
        while self.done and self.done[-1][0] >= start:
            self.done.pop()
        self.done.append((start, end, text))

    def source_of(self, mark: Mark) -> str:
        """The source of a mark, with what was replaced in it."""
        return self._between(mark.start, mark.end)

    def whole(self) -> str:
        """All of it."""
        return self._between(0, len(self.source))

    def _between(self, start: int, end: int) -> str:
        first, last = (bisect_left(self.done, at, key=lambda edit: edit[0]) for at in (start, end))
        within = [(start, start, ""), *self.done[first:last], (end, end, "")]
        return "".join(before[2] + self.source[before[1] : after[0]] for before, after in pairwise(within))


class _Lines:
    """Tells the line of a place in a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.ends: list[int] | None = None

    def place(self, at: int) -> str:
        """The line, counted from 1."""
        if self.ends is None:
            self.ends = [end.start() for end in re.finditer("\n", self.text)]
        return f"line {bisect_left(self.ends, at) + 1:,}"
