"""What is handed over to be translated: a sentence with its markup as short tags, which are markup again afterwards.

`Click <a href="/x" class="y">here</a> to run <code>pip</code>.` is handed over as `Click <x1>here</x1> to run {x2}.` The
translator takes tags and placeholders out and puts them back beside the translations of their words
(`onmal.fragments`), so that no sentence is cut where its markup begins or ends.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, count
from typing import Literal

__all__ = ["Mark", "Message", "Piece", "Text", "ends_sentence", "partners", "texts", "trimmed"]

_ENDS_SENTENCE = re.compile(r"""[.!?…:。！？：][)\]"'”’»」』]*\s*\Z""")


@dataclass(frozen=True)
class Text:
    """Words of a document, and the characters of its source that say them."""

    said: str
    start: int = 0
    end: int = 0


@dataclass(frozen=True)
class Mark:
    """Markup within a sentence, by the characters of the source that it consists of.

    One that opens and one that closes are a pair if their names are the same. A "word" stands for words that are not
    translated (code, a name); what is "alone" stands for none (a comment, a picture), and neither does a "break", which
    parts words as white space does.
    """

    kind: Literal["open", "close", "alone", "word", "break"]
    name: str = ""
    start: int = 0
    end: int = 0


Piece = Text | Mark


def texts(
    source: str, start: int, end: int, read: Callable[[str], str] = lambda said: said
) -> Iterator[Text]:
    """What the characters [start, end) of a source say, the white space at both ends by itself; `read` decodes them."""
    said = source[start:end]
    first = end - len(said.lstrip())
    last = max(first, start + len(said.rstrip()))
    for at, to in ((start, first), (first, last), (last, end)):
        if at < to:
            yield Text(read(source[at:to]), at, to)


def partners(pieces: Sequence[Piece]) -> dict[int, int]:
    """The place of each mark that is one of a pair, and the place of the other; pairs never cross."""
    opened: list[tuple[str, int]] = []
    names: Counter[str] = Counter()
    found: dict[int, int] = {}
    for at, piece in enumerate(pieces):
        if not isinstance(piece, Mark):
            continue
        if piece.kind == "open":
            opened.append((piece.name, at))
            names[piece.name] += 1
        elif piece.kind == "close" and names[piece.name]:
            name = ""
            while name != piece.name:  # those in between are never closed
                name, first = opened.pop()
                names[name] -= 1
            found[first], found[at] = at, first
    return found


def ends_sentence(pieces: Sequence[Piece]) -> bool:
    """Whether a line break after these is between two sentences, as one after another is, rather than within one."""
    for piece in reversed(pieces):
        if isinstance(piece, Mark) and piece.kind == "break":
            return True
        if isinstance(piece, Text) and piece.said.strip():
            return bool(_ENDS_SENTENCE.search(piece.said))
    return True


def trimmed(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces without white space and markup at both ends, and without pairs of marks around all of them."""
    pair = partners(pieces)
    # How many of those before each say something.
    said = list(accumulate(map(_says_something, pieces), initial=0))
    first, last = 0, len(pieces)
    while first < last:
        head, tail = pair.get(first, first), pair.get(last - 1, last - 1)
        if head >= first and said[first] == said[head + 1]:
            first = head + 1
        elif tail < last and said[tail] == said[last]:
            last = tail
        elif pair.get(first) == last - 1:
            first, last = first + 1, last - 1
        else:
            break
    return list(pieces[first:last])


def _says_something(piece: Piece) -> bool:
    return bool(piece.said.strip()) if isinstance(piece, Text) else piece.kind == "word"


class Message:
    """The text of some pieces with a tag or placeholder for each mark, and the way back."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.pieces = pieces
        words = "".join(piece.said for piece in pieces if isinstance(piece, Text))
        prefix = next(each for each in _prefixes() if not re.search(rf"[<{{]/?{each}\d", words))
        pair = partners(pieces)
        names = {at: f"{prefix}{n}" for n, at in enumerate(_named(pieces, pair), 1)}
        self.tags: dict[str, Mark] = {}
        self.closing: dict[str, str] = {}  # of a tag that opens, the one that closes
        said: list[str] = []
        for at, piece in enumerate(pieces):
            if isinstance(piece, Text):
                said.append(piece.said)
                continue
            other = pair.get(at, at)
            name = names[min(at, other)]
            tag = f"{{{name}}}" if piece.kind == "word" else f"<{name}/>"
            if other > at:
                tag = f"<{name}>"
                self.closing[tag] = f"</{name}>"
            elif other < at:
                tag = f"</{name}>"
            self.tags[tag] = piece
            said.append(tag)
        # A translator puts a tag beside a word, and its white space beside the tag: <x1>dear </x1> is <x1>dear</x1> .
        text = re.sub(rf"(<{prefix}\d+>)(\s+)", r"\2\1", "".join(said))
        text = re.sub(rf"(?<!\s)(\s++)(</{prefix}\d+>)", r"\2\1", text)
        self.text = re.sub(rf"(?<!\s)\s*+(<{prefix}\d+/>)\s*+", self._apart, text)
        self._tag = re.compile(rf"</?{prefix}\d+/?>|\{{{prefix}\d+\}}")

    @property
    def has_words(self) -> bool:
        """Whether anything in it can be translated."""
        return any(isinstance(piece, Text) and any(map(str.isalpha, piece.said)) for piece in self.pieces)

    def read(self, translation: str) -> list[Piece] | None:
        """A translation as pieces again; None where a mark is missing or doubled, or where pairs of them cross."""
        pieces: list[Piece] = []
        waiting, opened, at = set(self.tags), list[str](), 0
        for found in self._tag.finditer(translation):
            tag = found[0]
            if tag not in waiting:
                return None
            waiting.remove(tag)
            if tag in self.closing:
                opened.append(self.closing[tag])
            elif tag.startswith("</") and (not opened or opened.pop() != tag):
                return None
            pieces += [Text(translation[at : found.start()]), self.tags[tag]]
            at = found.end()
        pieces.append(Text(translation[at:]))
        return None if waiting else list(_without_space_at_breaks(pieces))

    def emptied(self, translated: Sequence[Piece]) -> bool:
        """Whether a pair of marks that was around words is around none any more."""
        return not _around_words(self.pieces) <= _around_words(translated)

    def _apart(self, found: re.Match[str]) -> str:
        return f" {found[1]} " if self.tags[found[1]].kind == "break" else found[0]


def _prefixes() -> Iterator[str]:
    """Names to number tags by: one of the first few unless the text is about such tags itself."""
    yield from "xyz"
    yield from (f"x{n}-" for n in count())


def _named(pieces: Sequence[Piece], pair: Mapping[int, int]) -> Iterator[int]:
    """The places of the marks that get a name: all but those that close a pair."""
    return (at for at, piece in enumerate(pieces) if isinstance(piece, Mark) and pair.get(at, at) >= at)


def _around_words(pieces: Sequence[Piece]) -> set[Piece]:
    """Those marks that open a pair around words."""
    said = list(accumulate(map(_says_something, pieces), initial=0))
    return {pieces[first] for first, last in partners(pieces).items() if said[last] > said[first]}


def _without_space_at_breaks(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """The pieces without empty texts, and without the white space that was put around breaks."""
    breaks = [isinstance(piece, Mark) and piece.kind == "break" for piece in pieces]
    for at, piece in enumerate(pieces):
        if isinstance(piece, Text):
            said = piece.said.lstrip() if at and breaks[at - 1] else piece.said
            said = said.rstrip() if at + 1 < len(pieces) and breaks[at + 1] else said
            piece = Text(said)
        if isinstance(piece, Mark) or piece.said:
            yield piece
