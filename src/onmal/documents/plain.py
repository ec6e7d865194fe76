"""Plain text: each line is a passage; blank lines, indentation and line ends stay."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from onmal.documents.message import Mark, Piece, Text
from onmal.documents.passages import Passage

__all__ = ["passages"]

_LINE = re.compile(r"\S(?:[^\r\n]*\S)?")


def passages(text: str) -> Iterator[Passage]:
    """The lines that say something."""
    for line in _LINE.finditer(text):
        yield Passage(*line.span(), [Text(line[0], *line.span())], _write)


def _write(pieces: Sequence[Piece], source_of: Callable[[Mark], str]) -> str:
    return "".join(piece.said for piece in pieces if isinstance(piece, Text))
