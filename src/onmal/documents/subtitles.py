"""Subtitles, SubRip (.srt) and WebVTT (.vtt): sentences are translated whole, over lines and cues, and laid out again.

Numbers, timings, settings, notes and styles are no passages, so they stay. A sentence that does not end with its line goes
on in the next; it goes on in the next cue if it ends within a few.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape, unescape
from itertools import accumulate, groupby, islice, pairwise
from typing import Literal

from onmal.documents.lines import columns, over_lines, width
from onmal.documents.message import Mark, Piece, Text, partners, texts, trimmed
from onmal.documents.passages import Passage
from onmal.errors import DataError
from onmal.text.segment import split_sentences

__all__ = ["passages"]

_LINE = re.compile(r"([^\r\n]*)(?:\r\n|\r|\n|\Z)")
_TIME = r"(?:\d{1,4}:)?\d{1,2}:\d{2}[.,:]\d{1,3}"
_TIMING = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}")
_NUMBER = re.compile(r"\s*\d+\s*")
_MARK = re.compile(r"<(?P<close>/?)(?P<name>[A-Za-z]\w*)[^<>]*>|<\d[\d:.]*>|\{\\[^{}]*\}|\\[Nh]")
_SPEAKER = re.compile(r"\s*(?:\{\\[^{}]*\}\s*)*(<v[\s.][^<>]*>|[-–—♪#>\[(【（])")
_ENDS = re.compile(r"""[.!?…~。！？)\]】♪♫][)\]"'”’»」』]*\s*\Z|[다요죠까네]\s*\Z""")
_MOST_LINES = 8
"""Lines that one sentence may run over; if it does not end then, its writer does not use full stops."""


@dataclass(frozen=True)
class _Line:
    """A line of a cue, and who says it where it tells: <v Kim>, a dash."""

    cue: int
    pieces: list[Piece]
    speaker: str

    @property
    def said(self) -> str:
        """Its text alone."""
        return "".join(piece.said for piece in self.pieces if isinstance(piece, Text)).strip()


def passages(text: str, suffix: str) -> Iterator[Passage]:
    """What is said in subtitles; raises DataError for a file that has none."""
    web = suffix == ".vtt"
    if web and not text.startswith("WEBVTT"):
        raise DataError("WebVTT begins with WEBVTT, and this does not", "give SubRip the suffix .srt", line=1)
    lines = [_line(text, cue, start, end, web) for cue, start, end in _lines_of_cues(text, web)]
    lines = [line for line in lines if any(map(str.isalpha, line.said))]
    if text.strip() and not web and not any(map(_TIMING.match, text.splitlines())):
        raise DataError("there is no cue in it", "a cue has a line as 00:00:01,000 --> 00:00:02,500")
    at = 0
    while at < len(lines):
        count = _sentence(lines, at)
        yield from _passage(text, lines[at : at + count], web)
        at += count


def _lines_of_cues(text: str, web: bool) -> Iterator[tuple[int, int, int]]:
    """The cue, counted from 1, and the characters of each line that is said."""
    spans = [match.span(1) for match in _LINE.finditer(text)]
    timings = {n for n, span in enumerate(spans) if _TIMING.match(text, *span)}
    cue, ended, after_blank = 0, True, False
    for n, (start, end) in enumerate(spans):
        if n in timings:
            cue, ended = cue + 1, False
        elif not text[start:end].strip():
            after_blank, ended = True, ended or web
            continue
        elif not ended and not (_NUMBER.fullmatch(text, start, end) and (after_blank or n + 1 in timings)):
            yield cue, start, end
        after_blank = False


def _line(text: str, cue: int, start: int, end: int, web: bool) -> _Line:
    speaker = _SPEAKER.match(text, start, end)
    return _Line(cue, list(_pieces(text, start, end, web)), speaker[1] if speaker else "")


def _pieces(text: str, start: int, end: int, web: bool) -> Iterator[Piece]:
    at, read = start, unescape if web else str
    for mark in _MARK.finditer(text, start, end):
        yield from texts(text, at, mark.start(), read)
        kind: Literal["open", "close", "alone"] = "close" if mark["close"] else "open"
        name = (mark["name"] or "").lower()
        yield Mark(kind if name and name != "v" else "alone", name, *mark.span())
        at = mark.end()
    yield from texts(text, at, end, read)


def _sentence(lines: Sequence[_Line], at: int) -> int:
    """How many of the lines from `at` on belong to one sentence, or to several of one line."""
    count = 1
    last = min(len(lines), at + _MOST_LINES)
    while at + count < last and _goes_on(lines[at + count - 1], lines[at + count]):
        count += 1
    sentence = lines[at : at + count]
    if _ENDS.search(sentence[-1].said):
        return count
    return sum(1 for line in sentence if line.cue == sentence[0].cue)


def _goes_on(line: _Line, following: _Line) -> bool:
    """Whether a sentence goes on in the line that follows."""
    if following.cue > line.cue:
        same = following.speaker in ("", line.speaker) and following.speaker[:1] in ("", "<")
        return same and following.cue == line.cue + 1 and not _ENDS.search(line.said)
    sentences = split_sentences(f"{line.said} {following.said}")
    ends = accumulate(len(each.text) + len(each.gap) for each in sentences)
    return not following.speaker and len(line.said) + 1 not in ends


@dataclass(frozen=True)
class _Break:
    """What stands between a line and the next: a line end, or the number and the timing of the next cue."""

    between: Mark
    closes: bool = False
    """Whether tags are closed before it and opened again after it."""
    tags: tuple[tuple[Mark, Mark], ...] = ()
    """Those that the source opened before, by what opens them, and what closes them here."""


_END = _Break(Mark("alone"))


def _passage(text: str, lines: Sequence[_Line], web: bool) -> Iterator[Passage]:
    joined, breaks = _joined(text, lines)
    pieces = trimmed(joined)
    around = set(joined) - set(pieces)
    widths = [[columns(line.said) for line in cue] for _, cue in groupby(lines, key=lambda line: line.cue)]

    def write(translated: Sequence[Piece], source_of: Callable[[Mark], str]) -> str:
        def written(piece: Piece) -> str:
            if isinstance(piece, Mark):
                return source_of(piece)
            return escape(piece.said, quote=False) if web else piece.said.replace("-->", "→")

        rows = _rows(translated, widths, breaks)
        return "".join(map(written, _with_tags(rows, translated, around)))

    yield Passage(pieces[0].start, pieces[-1].end, pieces, write)


def _joined(text: str, lines: Sequence[_Line]) -> tuple[list[Piece], list[_Break]]:
    """The pieces of lines as of one, and what stands between each of them and the next.

    Tags that end with a line and begin again with the next (</i> and <i>) are around both of them. What stands alone at the
    beginning of a cue, as its position, is no part of the sentence that goes on in it.
    """
    pieces, breaks = _bare(lines[0].pieces), list[_Break]()
    for before, line in pairwise(lines):
        following, tags = deque(_bare(line.pieces)), list[tuple[Mark, Mark]]()
        new_cue = line.cue > before.cue
        while new_cue and isinstance(first := following[0], Mark) and first.kind == "alone":
            following.popleft()
        between = Mark("alone", "", pieces[-1].end, following[0].start)
        while (opened := partners(pieces).get(len(pieces) - 1)) is not None:
            opening, closing, again = pieces[opened], pieces[-1], following[0]
            if not (isinstance(opening, Mark) and isinstance(closing, Mark) and isinstance(again, Mark)):
                break
            if text[again.start : again.end] != text[opening.start : opening.end]:
                break
            tags.append((opening, closing))
            pieces = pieces[:-1]
            following.popleft()
        breaks.append(_Break(between, new_cue or bool(tags), tuple(tags)))
        pieces = [*pieces, Text(" "), *following]
    return pieces, [*breaks, _END]


def _bare(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces of a line without the white space at its ends."""
    kept = list(pieces)
    while isinstance(kept[0], Text) and not kept[0].said.strip():
        kept = kept[1:]
    while isinstance(kept[-1], Text) and not kept[-1].said.strip():
        kept = kept[:-1]
    return kept


def _rows(
    pieces: Sequence[Piece], widths: Sequence[Sequence[int]], breaks: Sequence[_Break]
) -> Iterator[tuple[list[Piece], _Break]]:
    """The lines of each cue and what follows each: as many as there were, or one if that is no wider than they were."""
    parts = over_lines(pieces, [sum(cue) for cue in widths])
    parts += [parts[-1]] * (len(widths) - len(parts))  # shown all the time, rather than an empty cue
    remaining = iter(breaks)
    for cue, part in zip(widths, parts, strict=True):
        ends = list(islice(remaining, len(cue)))
        rows = over_lines(part, [1] * (len(cue) if width(part) > max(cue) else 1))
        yield from zip(rows, [*ends[: len(rows) - 1], ends[-1]], strict=True)


def _with_tags(
    rows: Iterable[tuple[list[Piece], _Break]], whole: Sequence[Piece], around: Collection[Piece]
) -> Iterator[Piece]:
    """Rows one after the other, with tags closed and opened again between them as the source does, and in each cue."""
    closing = {whole[first]: whole[last] for first, last in partners(whole).items() if first < last}
    opened: list[Piece] = []
    for row, end in rows:
        for piece in row:
            if piece in closing:
                opened.append(piece)
            elif opened and piece == closing[opened[-1]]:
                opened.pop()
        outer = [pair for pair in end.tags if pair[0] in around]
        yield from row
        yield from (closing[piece] for piece in reversed(opened) if end.closes)
        yield from (closes for _, closes in outer)
        yield end.between
        yield from (opens for opens, _ in reversed(outer))
        yield from (piece for piece in opened if end.closes)
