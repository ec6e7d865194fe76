"""Stand-ins for a translator that do what one does with markup, and whose translations a person can foresee."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from onmal.fragments import find_fragments, put_back, take_out

WORD = re.compile(r"\S+")


def same(texts: Sequence[str]) -> list[str]:
    """Each text as it is."""
    return list(texts)


def turned(texts: Sequence[str]) -> list[str]:
    """Capitals for small letters, and the other way round: what is translated twice is what it was."""
    return [_outside_of_fragments(text) for text in texts]


def backwards(texts: Sequence[str]) -> list[str]:
    """The words of each line the other way round, with markup beside the words that it was beside, as onmal puts it back."""
    return ["\n".join(map(_backwards, text.split("\n"))) for text in texts]


class Noting:
    """Translates as another does, and keeps what it was asked."""

    def __init__(self, translate: Callable[[Sequence[str]], list[str]] = turned) -> None:
        self.translate = translate
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> list[str]:
        self.asked += texts
        return self.translate(texts)


def _outside_of_fragments(text: str) -> str:
    pieces, done = [], 0
    for _, start, end in find_fragments(text):
        pieces += [text[done:start].swapcase(), text[start:end]]
        done = end
    return "".join([*pieces, text[done:].swapcase()])


def _backwards(line: str) -> str:
    without = take_out(line)
    words = list(WORD.finditer(without.text))
    translation = " ".join(word[0] for word in reversed(words))

    def aligned(place: tuple[int, int]) -> int:
        at = next(n for n, word in enumerate(words) if word.end() > place[0])
        return len(" ".join(word[0] for word in words[at + 1 :])) + (at + 1 < len(words))

    return put_back(without, translation, aligned)
