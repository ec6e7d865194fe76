"""The tokens of a sentence as people read them: pieces joined to words, bytes to characters, signs by their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from onmal.text.normalize import normalize
from onmal.text.tokenizer import SubwordModel, Tokenizer

__all__ = [
    "Span",
    "Tokens",
    "Unit",
    "joined",
    "label",
    "opens_word",
    "read_spans",
    "special_pieces",
    "tokens_of",
    "written_spans",
]

Span = tuple[int, int]


class Unit(NamedTuple):
    """What stands at one row or column: tokens first up to, not including, last."""

    label: str
    first: int
    last: int
    special: bool
    """Whether this is no word but a sign for the network: start, end, the language asked for."""


@dataclass(frozen=True)
class Tokens:
    """The tokens of one side of the network, and how they join to what people read."""

    pieces: tuple[str, ...]
    """As SentencePiece writes them."""
    words: tuple[Unit, ...]
    """Space-separated words; in a language that writes no spaces the same as `subwords`."""
    subwords: tuple[Unit, ...]
    """The pieces, without the mark for a space, the bytes of one character joined."""


def special_pieces(tokenizer: Tokenizer) -> dict[str, str]:
    """The pieces that are no words, and how they are shown."""
    vocabulary = tokenizer.vocabulary
    signs = tokenizer.target.pieces([vocabulary.pad, vocabulary.start, vocabulary.end])
    shown = dict(zip(signs, ("(pad)", "(start)", "(end)"), strict=True))
    for tag in tokenizer.tags:
        shown[tag] = f"(to {tag[2:-1]})" if tag.startswith("<2") else f"({tag[1:-1]})"
    return shown


_SPACE = "▁"  # how SentencePiece writes a space
_LATER_BYTES = {f"<0x{byte:02X}>" for byte in range(0x80, 0xC0)}  # of a character in UTF-8


def tokens_of(subwords: SubwordModel, ids: Sequence[int], special: Mapping[str, str], spaces: bool) -> Tokens:
    """Tokens with their units; `special` names the pieces that are no words."""
    pieces = subwords.pieces(ids)

    def opens_word(at: int) -> bool:
        return pieces[at].startswith(_SPACE)

    def opens_piece(at: int) -> bool:
        return pieces[at] not in _LATER_BYTES and pieces[at - 1] != _SPACE

    def written(first: int, last: int) -> str:
        return subwords.decode(ids[first:last]).strip() or "␣"

    def units(opens: Callable[[int], bool]) -> tuple[Unit, ...]:
        alone = [piece in special for piece in pieces]
        starts = [n for n in range(len(ids)) if n == 0 or alone[n] or alone[n - 1] or opens(n)]
        return tuple(
            Unit(special.get(pieces[first]) or written(first, last), first, last, alone[first])
            for first, last in zip(starts, [*starts[1:], len(ids)], strict=True)
        )

    return Tokens(tuple(pieces), units(opens_word if spaces else opens_piece), units(opens_piece))


def label(subwords: SubwordModel, token: int, special: Mapping[str, str]) -> str:
    """One token alone, as people read it."""
    (piece,) = subwords.pieces([token])
    text = subwords.decode([token]).strip() or "␣"
    # A byte that is but a part of a character.
    return special.get(piece) or (f"(byte {piece[3:5]})" if text == "\ufffd" else text)


def opens_word(subwords: SubwordModel, token: int) -> bool:
    """Whether a word begins with this token."""
    return subwords.pieces([token])[0].startswith(_SPACE)


def joined(
    weights: NDArray[np.float32], rows: Sequence[Unit], columns: Sequence[Unit]
) -> NDArray[np.float32]:
    """Tokens to units, [T,S] -> [rows,columns]: sum over keys, mean over queries."""
    summed = np.add.reduceat(weights, [unit.first for unit in columns], axis=1)
    added = np.add.reduceat(summed, [unit.first for unit in rows], axis=0)
    lengths = np.array([[unit.last - unit.first] for unit in rows], dtype=np.float32)
    return np.asarray(added / lengths, dtype=np.float32)


def read_spans(subwords: SubwordModel, text: str, units: Sequence[Unit], first: int) -> list[Span | None]:
    """The characters of a text that each unit was read from; its own tokens begin with number `first`."""
    spans = subwords.spans(text)
    found: list[Span | None] = []
    for unit in units:
        own = spans[max(unit.first - first, 0) : max(unit.last - first, 0)]
        if unit.special or not own:
            found.append(None)
            continue
        start, end = own[0].start, max(span.end for span in own)
        start += len(text[start:end]) - len(text[start:end].lstrip())
        found.append((start, end))
    return found


def written_spans(
    subwords: SubwordModel, ids: Sequence[int], text: str, units: Sequence[Unit]
) -> list[Span | None]:
    """The characters of a text that each unit of its tokens wrote."""
    found: list[Span | None] = []
    for unit in units:
        if unit.special:
            found.append(None)
            continue
        before, end = (
            min(len(normalize(subwords.decode(ids[:count]))), len(text)) for count in (unit.first, unit.last)
        )
        found.append((before + len(text[before:end]) - len(text[before:end].lstrip()), end))
    return found
