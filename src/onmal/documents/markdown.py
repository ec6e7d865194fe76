"""Markdown: paragraphs, headings, items and cells are passages; code, formulas, addresses and front matter are none."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, groupby, pairwise
from typing import TYPE_CHECKING, Any, TypeGuard

from onmal.documents import html
from onmal.documents.markdown_inline import inline_pieces, parser
from onmal.documents.markdown_writing import Written, escaped, written_width
from onmal.documents.message import Mark, Piece, Text, ends_sentence, partners, trimmed
from onmal.documents.passages import CannotBeWritten, Passage

if TYPE_CHECKING:
    from markdown_it.token import Token

__all__ = ["passages"]

_FRONT_MATTER = re.compile(
    r"(---|\+\+\+)[ \t]*(?:\r\n?|\n)(?:.*?(?:\r\n?|\n))??\1[ \t]*(?:\r\n?|\n|\Z)", re.DOTALL
)
_LINE_END = re.compile(r"\r\n?|\n")
_HEADING = re.compile(r"#{1,6}[ \t]+")
_PICTURE = re.compile(r"!\[([^\[\]\\*_`<&]*)\](?=\(|\[[^\]])")  # not ![name] alone, which names its address


@dataclass(frozen=True)
class _Source:
    """A document, and where its lines begin."""

    text: str
    starts: Sequence[int]

    def line(self, number: int) -> tuple[int, str]:
        """Where a line begins, and the line without its end."""
        start, end = self.starts[number], self.starts[number + 1]
        return start, self.text[start:end].rstrip("\r\n")


def passages(text: str) -> Iterator[Passage]:
    """What a document says, in its order."""
    front = _FRONT_MATTER.match(text)
    # The parser sees blank lines in its place.
    body = "\n" * len(_LINE_END.findall(front[0])) + text[front.end() :] if front else text
    names: dict[str, Any] = {}
    blocks = parser().parse(body, names)
    starts = [0, *(end.end() for end in _LINE_END.finditer(text)), len(text), len(text)]
    source = _Source(text, starts)
    row, at, quotations = -1, 0, 0
    for before, block in pairwise([None, *blocks]):
        if block is None or not block.map:
            quotations -= block is not None and block.type == "blockquote_close"
        elif block.type == "blockquote_open":
            quotations += 1
        elif block.type == "html_block" and not quotations:  # in which each of its lines begins with >
            start, end = starts[block.map[0]], starts[min(block.map[1], len(starts) - 1)]
            yield from (_moved(passage, start) for passage in html.passages(text[start:end]))
        elif block.type == "inline" and block.content and before:
            cell = before.type in ("td_open", "th_open")
            if block.map[0] != row:
                row, at = block.map[0], 0
            places = _places_in_cell(source, block, at) if cell else _places(source, block, before)
            at = places[-1] - starts[row] if places else at
            begins_line = before.type == "paragraph_open"
            yield from _passages_of(source, block, places, Written(names, cell, begins_line))


def _places(source: _Source, block: Token, before: Token) -> list[int] | None:
    """Where in the source each character of a block's content is, and where the content ends."""
    places: list[int] = []
    for number, line in enumerate(block.content.split("\n"), block.map[0] if block.map else 0):
        start, written = source.line(number)
        heading = _HEADING.search(written) if before.markup.startswith("#") else None
        bare = line.rstrip()
        first = written.find(bare, heading.end()) if heading else len(written.rstrip()) - len(bare)
        if first < 0 or not written.startswith(bare, first):
            return None
        places += range(start + first, start + first + len(line) + 1)
    return places


def _places_in_cell(source: _Source, block: Token, at: int) -> list[int] | None:
    """The same for a cell of a table, where the row is looked at from `at` on."""
    start, written = source.line(block.map[0] if block.map else 0)
    first = written.find(block.content.replace("|", r"\|"), at)
    lengths = (1 + (character == "|") for character in block.content)
    return list(accumulate(lengths, initial=start + first)) if first >= 0 else None


def _passages_of(
    source: _Source, block: Token, places: Sequence[int] | None, written: Written
) -> Iterator[Passage]:
    found = inline_pieces(block.children or (), block.content) if places else None
    if places is None or found is None:
        start, line = source.line(block.map[0] if block.map else 0)
        yield Passage(start, start + len(line), [Text(block.content)], _not_found)
        return
    located = [replace(piece, start=places[piece.start], end=places[piece.end]) for piece in found]
    spelled = {
        place: block.content[piece.start : piece.end]
        for place, piece in zip(located, found, strict=True)
        if isinstance(place, Mark)
    }
    labels: dict[Piece, str] = {
        mark: block.content[found[first].end : found[last].start]
        for first, last in partners(found).items()
        if first < last and isinstance(mark := located[last], Mark) and spelled[mark] in ("]", "][]")
    }
    written = replace(written, spelled=spelled, labels=labels, escapes_dollars=r"\$" in block.content)
    run: list[Piece] = []
    depth = 0
    for piece in located:
        if isinstance(piece, Mark):
            yield from _alternative_text(source, piece)
            depth += {"open": 1, "close": -1}.get(piece.kind, 0)
        if isinstance(piece, Mark) and piece.kind == "break" and not depth and ends_sentence(run):
            yield from _passage(source, run, written)
            run = []
        else:
            run.append(piece)
    yield from _passage(source, run, written)


def _passage(source: _Source, run: Sequence[Piece], written: Written) -> Iterator[Passage]:
    pieces = trimmed(run)
    if not pieces:
        return
    first, last = run.index(pieces[0]), run.index(pieces[-1])
    for opens, closes in partners(run).items():
        is_around = opens < first and last < closes
        if is_around and run[closes] in written.labels:  # what the link says is its address, too
            first, last = opens, closes
    pieces = list(run[first : last + 1])
    lines = [list(line) for is_end, line in groupby(pieces, _is_line_end) if not is_end]
    breaks = [source.text[piece.start : piece.end] for piece in pieces if _is_line_end(piece)]
    begins_line = written.begins_line and not any(isinstance(piece, Mark) for piece in run[:first])
    write = replace(
        written, breaks=breaks, widths=[written_width(line) for line in lines], begins_line=begins_line
    )
    said: list[Piece] = [replace(piece, said=" ") if _is_line_end(piece) else piece for piece in pieces]
    yield Passage(pieces[0].start, pieces[-1].end, said, write)


def _is_line_end(piece: Piece) -> TypeGuard[Text]:
    return isinstance(piece, Text) and piece.said == "\n"


def _alternative_text(source: _Source, mark: Mark) -> Iterator[Passage]:
    """What a picture's text says, where it is no more than text."""
    if mark.name == "img" and (found := _PICTURE.match(source.text, mark.start, mark.end)):
        yield Passage(*found.span(1), [Text(found[1].strip(), *found.span(1))], _write_alternative_text)


def _write_alternative_text(pieces: Sequence[Piece], source_of: Callable[[Mark], str]) -> str:
    return escaped("".join(piece.said for piece in pieces if isinstance(piece, Text)))


def _not_found(pieces: Sequence[Piece], source_of: Callable[[Mark], str]) -> str:
    raise CannotBeWritten("its characters are not where Markdown says that they are")


def _moved(passage: Passage, by: int) -> Passage:
    pieces = [replace(piece, start=piece.start + by, end=piece.end + by) for piece in passage.pieces]
    return replace(passage, start=passage.start + by, end=passage.end + by, pieces=pieces)
