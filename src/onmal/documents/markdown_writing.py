"""Writes Markdown so that it is read as it is meant.

Beside other letters a mark may mean something else, or a letter be taken for a mark: _책_을 is not emphasised, and *책*을 is.
So a passage is written in one way after another until the parser reads it as it was translated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from onmal.documents.lines import columns, over_lines
from onmal.documents.markdown_inline import inline_pieces, parser
from onmal.documents.message import Mark, Piece, Text
from onmal.documents.passages import CannotBeWritten

__all__ = ["Written", "escaped", "written_width"]

_SPECIAL = re.compile(r"[\\`*_\[\]<>&~$]")
# What would begin something else at the beginning of a line.
_BEGINS_BLOCK = re.compile(
    r"[-+*](?=\s|\Z)|>|#{1,6}(?=\s|\Z)|=+\s*\Z|-+\s*\Z|`{3}|~{3}|\||\d{1,9}(?=[.)](?:\s|\Z))"
)
_EMPHASIS = ("em", "strong", "s")


def escaped(text: str) -> str:
    """Text whose letters are taken for no mark."""
    return _SPECIAL.sub(r"\\\g<0>", text)


def written_width(pieces: Sequence[Piece]) -> int:
    """How wide pieces are in the source, where marks are seen."""
    return sum(columns(each.said) if isinstance(each, Text) else each.end - each.start for each in pieces)


def _plain(text: str) -> str:
    return text


def _with_dollars_escaped(text: str) -> str:
    return text.replace("$", r"\$")


def _as_it_was(mark: Mark, source: str) -> str:
    return source


def _with_stars(mark: Mark, source: str) -> str:
    return source.replace("_", "*") if mark.name in _EMPHASIS else source


def _as_html(mark: Mark, source: str) -> str:
    return f"<{'/' * (mark.kind == 'close')}{mark.name}>" if mark.name in _EMPHASIS else source


@dataclass(frozen=True)
class Written:
    """How a passage stands in its document, and how its translation is written there."""

    names: Mapping[str, Any]
    """What the names of links stand for."""
    in_cell: bool = False
    begins_line: bool = False
    spelled: Mapping[Mark, str] = field(default_factory=dict)
    """Marks as the parser reads them, without what begins each line of a list or a quotation."""
    labels: Mapping[Piece, str] = field(default_factory=dict)
    """Of what closes a link that is named by its own words, [so], the name: translated it is [그래][so]."""
    escapes_dollars: bool = False
    """Whether its author took care that no dollar begins a formula, for readers that we do not know."""
    breaks: Sequence[str] = ()
    """What stands between its lines."""
    widths: Sequence[int] = ()
    """How wide its lines are."""

    def __call__(self, pieces: Sequence[Piece], source_of: Callable[[Mark], str]) -> str:
        """The passage in as many lines as it had. Raises CannotBeWritten."""
        rows = over_lines(pieces, self.widths, written_width)
        as_it_is = _with_dollars_escaped if self.escapes_dollars else _plain
        for way in (_as_it_was, _with_stars, _as_html):
            for words in (as_it_is, escaped):
                spelled = [self._row(row, words, way, self.spelled.__getitem__) for row in rows]
                if self._reads_as("\n".join(spelled), pieces):
                    in_place = _without_bars(words) if self.in_cell else words
                    return self._in_lines([self._row(row, in_place, way, source_of) for row in rows])
        raise CannotBeWritten("Markdown would read its marks otherwise")

    def _row(
        self,
        row: Sequence[Piece],
        words: Callable[[str], str],
        way: Callable[[Mark, str], str],
        source_of: Callable[[Mark], str],
    ) -> str:
        return "".join(
            words(piece.said)
            if isinstance(piece, Text)
            else f"][{label}]"
            if (label := self.labels.get(piece))
            else way(piece, source_of(piece))
            for piece in row
        )

    def _reads_as(self, content: str, pieces: Sequence[Piece]) -> bool:
        [line] = parser().parseInline(content, dict(self.names))
        found = inline_pieces(line.children or (), content)
        return found is not None and list(_meaning(found)) == list(_meaning(pieces))

    def _in_lines(self, rows: Sequence[str]) -> str:
        """The rows one below the other, so that none begins a list, a heading or anything else."""
        first = rows[0]
        if self.begins_line and (block := _BEGINS_BLOCK.match(first)):
            at = block.end() if first[0].isdigit() else 0
            first = f"{first[:at]}\\{first[at:]}"
        joined = [first]
        for between, row in zip(self.breaks, rows[1:], strict=False):
            joined += [" " if _BEGINS_BLOCK.match(row) else between, row]
        return "".join(joined)


def _without_bars(words: Callable[[str], str]) -> Callable[[str], str]:
    return lambda said: words(said).replace("|", "\\|")


def _meaning(pieces: Sequence[Piece]) -> Iterator[tuple[str, str]]:
    """What pieces say and how they are marked up, however it is written."""
    for is_text, some in groupby(pieces, lambda piece: isinstance(piece, Text)):
        if is_text:
            words = " ".join("".join(piece.said for piece in some if isinstance(piece, Text)).split())
            yield from [("text", words)] * bool(words)
        else:
            yield from ((piece.kind, piece.name) for piece in some if isinstance(piece, Mark))
