"""A paragraph of Word as passages, and its runs written anew around a translation.

Word cuts a sentence into runs wherever its formatting changes, and often where it does not. Runs that look the same are one
here; where they differ from the rest of their paragraph, a pair of marks says so. Links, insertions and content controls are
pairs of marks, fields and pictures are marks.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import Literal

from onmal.documents.message import Mark, Piece, Text, partners, trimmed
from onmal.documents.passages import Passage
from onmal.documents.xml_nodes import Node

__all__ = ["passages_of_paragraph", "word_name"]

_NAMESPACES = (
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main ",
    "http://purl.oclc.org/ooxml/wordprocessingml/main ",
)
_SPACE = "http://www.w3.org/XML/1998/namespace space"
_CONTAINERS = ("hyperlink", "ins", "moveTo", "smartTag", "customXml", "dir", "bdo")
_NO_TEXT = ("pPr", "proofErr", "rPr", "lastRenderedPageBreak")
_CHARACTERS = {"noBreakHyphen": "\u2011", "softHyphen": "\u00ad"}
_BREAKS = ("tab", "ptab", "br", "cr")
_TEXT_FIELDS = ("HYPERLINK", "TOC")
"""Fields whose results are text that somebody has written; those of others are numbers, dates, names."""
_FORMAT = "format"  # the name of marks for runs that look different
# What makes no difference to how text looks: its language, and which of two fonts a letter of both is taken from.
_NO_FORMAT = re.compile(r'<(?:\w+:)?(?:lang|noProof)\b[^>]*/>|\s(?:\w+:)?hint="[^"]*"')
_EMPTY = re.compile(r"<(?:\w+:)?rFonts\s*/>|<(?:\w+:)?rPr\s*/>|<((?:\w+:)?rPr)\s*></\1>")
_ENDS_SENTENCE = re.compile(r"""[.!?…:。！？：][)\]"'”’»」』]*\s*\Z""")
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def word_name(node: Node) -> str:
    """The name of an element of Word's; empty for any other."""
    return next((node.name[len(space) :] for space in _NAMESPACES if node.name.startswith(space)), "")


def passages_of_paragraph(source: str, node: Node) -> Iterator[Passage]:
    """What a paragraph says, in one passage, or in several where tabs and line breaks part it."""
    paragraph = _Paragraph(source, node)
    parts = [trimmed(part) for part in paragraph.parts()]
    if not all(map(_is_whole, parts)):
        parts = [trimmed(paragraph.pieces)]
    return (_Passage(paragraph, part).as_passage() for part in parts if part)


def _is_whole(pieces: Sequence[Piece]) -> bool:
    """Whether what is opened in it is closed in it."""
    return len(partners(pieces)) == sum(
        isinstance(each, Mark) and each.kind in ("open", "close") for each in pieces
    )


class _Paragraph:
    """The pieces of a paragraph, and the runs that they are in."""

    def __init__(self, source: str, node: Node) -> None:
        self.source = source
        self.prefix = re.split(r"[\s/>]", source[node.start + 1 : node.inside], maxsplit=1)[0][
            :-1
        ]  # w: of w:p
        self.runs: dict[int, Node] = {}  # by where a piece begins that is in one
        self.instructions: dict[Mark, str] = {}  # begin, separate, end, or what a field does
        self.fields: dict[Mark, list[Piece]] = {}
        self.looks: dict[str, str] = {}  # of each format, the source of the first run that has it
        self.pieces = self._without_fields(list(self._pieces(node)))

    def _pieces(self, node: Node) -> Iterator[Piece]:
        for child in node.children:
            name = word_name(child)
            content = next((each for each in child.children if word_name(each) == "sdtContent"), child)
            if name in _NO_TEXT:
                continue
            if name == "r":
                yield from self._pieces_of_run(child)
            elif name in _CONTAINERS or content is not child:
                yield Mark("open", name, child.start, content.inside)
                yield from self._pieces(content)
                yield Mark("close", name, content.inner_end, child.end)
            else:
                says = name in ("", "fldSimple") and any(each.text.strip() for each in child.walk())
                yield Mark("word" if says else "alone", name, child.start, child.end)

    def _pieces_of_run(self, run: Node) -> Iterator[Piece]:
        for child in run.children:
            name = word_name(child)
            if name in _NO_TEXT:
                continue
            self.runs[child.start] = run
            said = child.text if child.attributes.get(_SPACE) == "preserve" else child.text.strip()
            if name == "t" or name in _CHARACTERS:
                yield Text(_CHARACTERS.get(name, said), child.start, child.end)
                continue
            kind: Literal["word", "break", "alone"] = "break" if name in _BREAKS else "alone"
            mark = Mark("word" if name == "ruby" else kind, name, child.start, child.end)
            kinds = (
                value for key, value in child.attributes.items() if key.endswith((" fldCharType", " type"))
            )
            self.instructions[mark] = child.text if name == "instrText" else next(kinds, "")
            yield mark

    def _without_fields(self, pieces: Sequence[Piece]) -> list[Piece]:
        """The pieces with a pair of marks for each field around text, and one that stands for words for any other."""
        kept: list[Piece] = []
        begun: list[int] = []
        for piece in pieces:
            kept.append(piece)
            if not isinstance(piece, Mark) or piece.name != "fldChar":
                continue
            if self.instructions[piece] == "begin":
                begun.append(len(kept) - 1)
            elif self.instructions[piece] == "end" and begun:
                first = begun.pop()
                if _is_whole(kept[first:]):
                    kept[first:] = self._as_field(kept[first:])
        return kept

    def _as_field(self, pieces: list[Piece]) -> list[Piece]:
        """The same field with what it does as one mark, and what ends it as another, or with all as one."""
        separate = [n for n, each in enumerate(pieces, 1) if isinstance(each, Mark) and self._separates(each)]
        if separate and self._does(pieces).startswith(_TEXT_FIELDS):
            begins, text, ends = pieces[: separate[0]], pieces[separate[0] : -1], pieces[-1:]
            opens = Mark("open", "field", begins[0].start, begins[-1].end)
            closes = Mark("close", "field", ends[0].start, ends[0].end)
            self.fields |= {opens: begins, closes: ends}
            return [opens, *text, closes]
        field = Mark("word", "field", pieces[0].start, pieces[-1].end)
        self.fields[field] = pieces
        return [field]

    def _separates(self, mark: Mark) -> bool:
        return mark.name == "fldChar" and self.instructions[mark] == "separate"

    def _does(self, field: Sequence[Piece]) -> str:
        told = (
            self.instructions[each] for each in field if isinstance(each, Mark) and each.name == "instrText"
        )
        return "".join(told).strip().upper()

    def parts(self) -> list[list[Piece]]:
        """The pieces between tabs, and between line breaks unless a sentence goes on after one."""
        parts: list[list[Piece]] = [[]]
        for piece in self.pieces:
            if isinstance(piece, Mark) and piece.name in _BREAKS and self._is_between(piece, parts[-1]):
                parts.append([])
            else:
                parts[-1].append(piece)
        return parts

    def _is_between(self, mark: Mark, before: Sequence[Piece]) -> bool:
        if mark.name in ("tab", "ptab") or self.instructions[mark] in ("page", "column"):
            return True
        last = next((each for each in reversed(before) if isinstance(each, Text) and each.said.strip()), None)
        after_break = bool(before) and isinstance(before[-1], Mark) and before[-1].name in _BREAKS
        return last is None or after_break or bool(_ENDS_SENTENCE.search(last.said))

    def look(self, piece: Piece) -> str | None:
        """How the run of a piece looks, by what differs from others; None for what is in no run."""
        run = self.runs.get(piece.start)
        if run is None or (isinstance(piece, Mark) and piece in self.fields):
            return None
        written = self.properties(run)
        look = _EMPTY.sub("", _EMPTY.sub("", _NO_FORMAT.sub("", written)))
        self.looks.setdefault(look, written)
        return look

    def properties(self, run: Node) -> str:
        """The source of what a run looks like."""
        return "".join(
            self.source[child.start : child.end] for child in run.children if word_name(child) == "rPr"
        )


class _Passage:
    """A part of a paragraph, with marks where it looks different."""

    def __init__(self, paragraph: _Paragraph, part: Sequence[Piece]) -> None:
        self.paragraph = paragraph
        self.usual = self._usual_looks(part)
        self.looks: dict[Mark, str] = {}
        self.pieces = list(self._with_looks(part))
        self.first, self.last = self._outermost(part[0], 0), self._outermost(part[-1], -1)

    def as_passage(self) -> Passage:
        """Between the runs that it begins and ends with, or within them if they say more than it."""
        start, before = self._edge(self.first, 0)
        end, after = self._edge(self.last, -1)

        def write(pieces: Sequence[Piece], source_of: Callable[[Mark], str]) -> str:
            return before + "".join(self._runs(pieces, source_of)) + after

        return Passage(start, end, self.pieces, write)

    def _outermost(self, piece: Piece, end: int) -> Piece:
        while isinstance(piece, Mark) and piece in self.paragraph.fields:
            piece = self.paragraph.fields[piece][end]
        return piece

    def _edge(self, piece: Piece, end: int) -> tuple[int, str]:
        """Where the passage begins (0) or ends (-1), and what closes or opens a run there that goes on without it."""
        run, prefix = self.paragraph.runs.get(piece.start), self.paragraph.prefix
        if run is None:
            return (piece.end if end else piece.start), ""
        said = [child for child in run.children if word_name(child) not in _NO_TEXT]
        if said[end].start == piece.start:
            return (run.end if end else run.start), ""
        if end:
            return piece.end, f"<{prefix}r>{self.paragraph.properties(run)}"
        return piece.start, f"</{prefix}r>"

    def _usual_looks(self, part: Sequence[Piece]) -> dict[Mark | None, str]:
        """How most text looks, in the paragraph (None) and in each link or other container."""
        sizes: dict[Mark | None, Counter[str]] = {}
        within: list[Mark | None] = [None]
        for piece in part:
            if isinstance(piece, Text):
                look = self.paragraph.look(piece) or ""
                sizes.setdefault(within[-1], Counter())[look] += len(piece.said.strip())
            elif piece.kind == "open":
                within.append(piece)
            elif piece.kind == "close":
                within.pop()
        return {container: counts.most_common(1)[0][0] for container, counts in sizes.items()}

    def _with_looks(self, part: Sequence[Piece]) -> Iterator[Piece]:
        """The pieces with a pair of marks around text that does not look as usual."""
        within: list[Mark | None] = [None]
        different: Mark | None = None
        for at, piece in enumerate(part):
            look = self.paragraph.look(piece)
            if isinstance(piece, Text) and not piece.said.strip() and different:
                look = self.looks[different]
            if different and look != self.looks[different]:
                yield Mark("close", _FORMAT, different.end, part[at - 1].end)
                different = None
            if isinstance(piece, Mark) and piece.kind == "open":
                within.append(piece)
            elif isinstance(piece, Mark) and piece.kind == "close":
                within.pop()
            elif (
                isinstance(piece, Text)
                and look is not None
                and look != self.usual.get(within[-1])
                and not different
            ):
                different = Mark("open", _FORMAT, piece.start, piece.start)
                self.looks[different] = look
                yield different
            yield piece
        if different:
            yield Mark("close", _FORMAT, different.end, part[-1].end)

    def _runs(self, pieces: Sequence[Piece], source_of: Callable[[Mark], str]) -> Iterator[str]:
        looks = [self.usual.get(None, "")]
        for piece in pieces:
            if isinstance(piece, Text):
                yield self._run(self.paragraph.looks.get(looks[-1], ""), self._words(piece.said))
                continue
            if piece.kind == "close":
                looks.pop()
            elif piece.kind == "open":
                looks.append(self.looks[piece] if piece.name == _FORMAT else self.usual.get(piece, looks[-1]))
            if piece.name != _FORMAT:
                yield from self._mark(piece, source_of)

    def _mark(self, mark: Piece, source_of: Callable[[Mark], str]) -> Iterator[str]:
        run = self.paragraph.runs.get(mark.start)
        if isinstance(mark, Text):
            yield self._run(self.paragraph.properties(run) if run else "", self._words(mark.said))
        elif mark in self.paragraph.fields:
            for piece in self.paragraph.fields[mark]:
                yield from self._mark(piece, source_of)
        elif run:
            yield self._run(self.paragraph.properties(run), source_of(mark))
        else:
            yield source_of(mark)

    def _run(self, properties: str, content: str) -> str:
        prefix = self.paragraph.prefix
        return f"<{prefix}r>{properties}{content}</{prefix}r>"

    def _words(self, said: str) -> str:
        prefix = self.paragraph.prefix
        words = escape(_ILLEGAL.sub("\ufffd", said), quote=False)
        return f'<{prefix}t xml:space="preserve">{words}</{prefix}t>'
