"""What the tokenizer sees of a text: one spelling for what looks and means the same.

Unicode NFC, so that é is one character however it was typed. Never NFKC, which makes ² a 2 and ﬁ an fi:
what differs in meaning stays. Control characters and invisible marks go, every run of white space is one
space, and there is none at either end.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

__all__ = ["normalize", "normalize_with_spans"]

# C0 and C1 controls that are no white space, soft hyphen, zero-width space and BOM, marks that only steer the
# direction or the breaking of lines. The joiners U+200C and U+200D stay: they change letters and emoji.
_INVISIBLE = (
    "\\x00-\\x08\\x0e-\\x1b\\x7f-\\x84\\x86-\\x9f\\u00ad\\u061c\\u200b\\u200e\\u200f\\u202a-\\u202e"
    "\\u2060-\\u2064\\u2066-\\u206f\\ufeff\\ufff9-\\ufffb"
)
_SURROGATE = "\\ud800-\\udfff"

_unclean = re.compile(rf"[{_INVISIBLE}{_SURROGATE}]|[^\S ]|\s\s|^\s|\s\Z")
_invisible = re.compile(f"[{_INVISIBLE}]+")
_surrogate = re.compile(f"[{_SURROGATE}]")
_pieces = re.compile(rf"(?P<space>(?:\s[{_INVISIBLE}]*)+)|(?P<invisible>[{_INVISIBLE}]+)|.", re.DOTALL)


def normalize(text: str) -> str:
    """`text` as the tokenizer reads it; text that is clean already, which most is, comes back as it is.

    Lone surrogates, which no file can hold, become U+FFFD. normalize(normalize(x)) == normalize(x).
    """
    if not _is_clean(text):
        text = _surrogate.sub("\ufffd", _invisible.sub("", text))
        text = " ".join(text.split())
    return _compose(text)


def _is_clean(text: str) -> bool:
    """Whether only its composition may be another: what Python can print holds no white space but " ", and nothing invisible."""
    plain = text.isprintable() and "  " not in text and text == text.strip()  # ten times as fast
    return plain or not _unclean.search(text)


def normalize_with_spans(text: str) -> tuple[str, list[tuple[int, int]]]:
    """The normalised text, and for each of its characters the (start, end) of what it stands for in `text`.

    Spans never run backwards. Characters that were composed together share a span: that of all of them.
    """
    if _is_clean(text):
        characters, spans = text, [(i, i + 1) for i in range(len(text))]
    else:
        characters, spans = _clean_with_spans(text)
    if unicodedata.is_normalized("NFC", characters):
        return characters, spans
    composed: list[str] = []
    composed_spans: list[tuple[int, int]] = []
    for start, end in _clusters(characters):
        before = characters[start:end]
        after = _compose(before)
        composed.append(after)
        if before == after:
            composed_spans += spans[start:end]
        else:
            composed_spans += [(spans[start][0], spans[end - 1][1])] * len(after)
    return "".join(composed), composed_spans


def _clean_with_spans(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Everything but NFC, character by character."""
    characters: list[str] = []
    spans: list[tuple[int, int]] = []
    for piece in _pieces.finditer(text):
        if piece.lastgroup == "invisible":
            continue
        character = " " if piece.lastgroup == "space" else piece[0]
        characters.append("\ufffd" if "\ud800" <= character <= "\udfff" else character)
        spans.append(piece.span())
    first, last = 0, len(characters)
    if characters and characters[0] == " ":
        first = 1
    if last > first and characters[-1] == " ":
        last -= 1
    return "".join(characters[first:last]), spans[first:last]


def _clusters(text: str) -> list[tuple[int, int]]:
    """Cuts `text` where composing the parts gives the same as composing the whole."""
    cuts = [0]
    for i in range(1, len(text)):
        if text[i].isascii() or not (_is_mark(text[i]) or _composes(text[cuts[-1] : i], text[i])):
            cuts.append(i)
    return list(zip(cuts, [*cuts[1:], len(text)], strict=True))


def _composes(before: str, character: str) -> bool:
    """Whether NFC makes one of a character and what stands before it, as of the letters of a syllable."""
    return _compose(before + character) != _compose(before) + _compose(character)


def _is_mark(character: str) -> bool:
    return unicodedata.combining(unicodedata.normalize("NFD", character)[0]) != 0


_LONG_RUN = 64  # combining marks; real text has no more than a handful on a letter


@cache
def _long_run() -> re.Pattern[str]:
    marks = "".join(filter(_is_mark, map(chr, range(0x300, 0x20000))))  # no plane above has any
    return re.compile(f"[{re.escape(marks)}]{{{_LONG_RUN},}}")


def _compose(text: str) -> str:
    """NFC, in linear time.

    Python sorts a run of combining marks by insertion: a run of 200,000, in a file made to do harm, takes
    minutes. So long runs are sorted here first: the result is the same, and the insertion then one pass.
    """
    if text.isascii() or unicodedata.is_normalized("NFC", text):
        return text
    if len(text) > _LONG_RUN:
        text = _long_run().sub(lambda run: _sorted_marks(run[0]), text)
    return unicodedata.normalize("NFC", text)


def _sorted_marks(run: str) -> str:
    apart = "".join(unicodedata.normalize("NFD", mark) for mark in run)
    return "".join(sorted(apart, key=unicodedata.combining))
