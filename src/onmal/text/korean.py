"""Korean sentences without full stops, told apart by kiwipiepy where the extra `korean` is installed."""

from __future__ import annotations

import re
from functools import cache
from threading import Lock
from typing import Any

from onmal.text.segment import Segment

__all__ = ["split_korean"]

HANGUL = re.compile("[가-힣]")
_LOADING = Lock()  # by one thread, for all


def split_korean(text: str) -> list[Segment]:
    """The sentences of a text that begins and ends with no white space; all of it as one where kiwipiepy is missing."""
    with _LOADING:
        kiwi = _kiwi() if HANGUL.search(text) else None
    spans = [(each.start, each.end) for each in kiwi.split_into_sents(text)] if kiwi else []
    segments: list[Segment] = []
    starts = [0, *(start for start, _ in spans[1:])]
    for start, following in zip(starts, [*starts[1:], len(text)], strict=True):
        words = text[start:following].rstrip()
        segments.append(Segment(words, text[start + len(words) : following]))
    return segments


@cache
def _kiwi() -> Any:
    """kiwipiepy's analyser, which takes some seconds to load, or None."""
    try:
        from kiwipiepy import Kiwi
    except ImportError:
        return None
    return Kiwi()
