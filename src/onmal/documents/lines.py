"""Lays translated text out over lines again, at places where words may be parted."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, pairwise

from onmal.documents.message import Piece, Text

__all__ = ["between_lines", "columns", "over_lines", "width"]

_NO_SPACES = "\u3040-\u30ff\u3400-\u9fff"
_MAY_END = re.compile(rf"(?<=\s)(?=\S)|(?<=[、。，！？])(?=\w)|(?<=[{_NO_SPACES}])(?=[{_NO_SPACES}])")
_PAUSE = re.compile(r"[.,;:!?…、。，！？]\s*\Z")
_WORTH = 4  # columns away from where a line would end that a pause may be


def columns(text: str) -> int:
    """How wide a text is; letters of East Asia take two columns."""
    return sum(1 + (unicodedata.east_asian_width(character) in "WF") for character in text)


def between_lines(line: str, following: str) -> str:
    """What stands between two lines that become one: a space, but not in a script that has none."""
    return "" if re.fullmatch(f"[{_NO_SPACES}、。]{{2}}", line[-1:] + following[:1]) else " "


def width(pieces: Sequence[Piece]) -> int:
    """How wide the text of these pieces is."""
    return columns("".join(piece.said for piece in pieces if isinstance(piece, Text)))


def over_lines(
    pieces: Sequence[Piece], shares: Sequence[int], measure: Callable[[Sequence[Piece]], int] = width
) -> list[list[Piece]]:
    """The pieces in as many lines as there are shares, or as there are words; each as wide as its share of the whole."""
    parts = [part for piece in pieces for part in _parts(piece)]
    at = list(accumulate((measure([part]) for part in parts), initial=0))
    places = [n for n, part in enumerate(parts[:-1], 1) if isinstance(part, Text) and _may_end(part.said)]
    pauses = {n for n in places if isinstance(part := parts[n - 1], Text) and _PAUSE.search(part.said)}
    widths = [at[place] for place in places]
    whole = max(1, sum(shares))
    wanted = [at[-1] * share / whole for share in accumulate(shares)][:-1][: len(places)]
    ends, first = [0], 0
    for n, end in enumerate(wanted):
        last = len(places) - (len(wanted) - n - 1)  # one is left for each line after
        near = bisect_left(widths, end, first, last)
        some = range(max(first, min(near, last) - _WORTH), min(last, near + _WORTH))
        best = min(some, key=lambda n: abs(widths[n] - end) - _WORTH * (places[n] in pauses))
        ends.append(places[best])
        first = best + 1
    return [_stripped(parts[start:end]) for start, end in pairwise([*ends, len(parts)])]


def _parts(piece: Piece) -> Iterator[Piece]:
    """A text cut after each of its words."""
    if not isinstance(piece, Text):
        yield piece
        return
    cuts = [0, *(found.start() for found in _MAY_END.finditer(piece.said)), len(piece.said)]
    for start, end in pairwise(cuts):
        yield Text(piece.said[start:end])


def _may_end(said: str) -> bool:
    return said[-1:].isspace() or bool(re.search(rf"[、。，！？{_NO_SPACES}]\Z", said))


def _stripped(line: Sequence[Piece]) -> list[Piece]:
    """A line without the white space at its ends, be it within tags."""
    kept = list(line)
    for places, strip in ((range(len(kept)), str.lstrip), (range(len(kept) - 1, -1, -1), str.rstrip)):
        for place in places:
            piece = kept[place]
            if isinstance(piece, Text):
                kept[place] = piece = Text(strip(piece.said))
            if piece.said if isinstance(piece, Text) else piece.kind not in ("open", "close"):
                break
    return [piece for piece in kept if not isinstance(piece, Text) or piece.said]
