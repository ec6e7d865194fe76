"""Greetings, with a name or whole."""

from __future__ import annotations

from functools import cache
from typing import Final

from onmal.phrasebook.frames.speech import Frame, speak
from onmal.phrasebook.grammar import (
    Clause,
    Phrase,
)
from onmal.phrasebook.lexicon import LEXICON
from onmal.phrasebook.predicates import (
    Piece,
    Style,
)
from onmal.phrasebook.splits import Draw, Pool, Unavailable, ranked

_NOUNS: Final = LEXICON.nouns
_CLASSES: Final = LEXICON.classes
_GREETINGS: Final = [
    ("안녕하세요?", "hello", "?"),
    ("안녕히 가세요.", "goodbye", "."),
    ("고마워요.", "thank you", "."),
    ("미안해요.", "sorry", "."),
    ("축하해요.", "congratulations", "."),
    ("어서 오세요.", "welcome", "."),
    ("생일 축하해요.", "happy birthday", "."),
]

_GREETED: Final = Pool(
    "greeting",
    [((ko, en), ko, [(n, n.key) for n in _CLASSES["names"]]) for ko, en, _ in _GREETINGS],
    head_flatness=3,
)


def greeting(draw: Draw) -> Phrase:
    """민수 씨, 안녕하세요? Hello, Minsu."""
    (korean, english), noun = _GREETED.draw(draw)
    name = Piece((noun.korean, "씨,"), ((noun.english,), (), ()), (((0, 0), (1, 0)), (), ()), (0, 0))
    mark = korean[-1]
    words = Piece.of(korean[:-1], english)
    clause = Clause([name, words], [3, -1, 0], [("addressee", 0)])
    said = speak(clause, "greeting", mark=".")
    if mark == ".":
        return said
    return Phrase(said.korean[:-1] + mark, said.english, said.alignment, said.roles, said.frame, said.style)


@cache
def _saying(korean: str, english: str) -> Phrase:
    left, right = korean.split(), english.split()
    links = tuple((i, j) for i in range(len(left)) for j in range(len(right)))
    style: Style = "formal" if "습니" in korean or "합니" in korean or "십니" in korean else "polite"
    return Phrase(korean, english, links, (), "saying", style)


_SAYINGS: Final = ranked(LEXICON.sayings, 15)


def saying(draw: Draw) -> Phrase:
    """안녕하세요? Hello."""
    if draw.part != "train":
        raise Unavailable("saying")
    return _saying(*draw.pick(_SAYINGS))


FRAMES: Final[dict[str, tuple[int, Frame]]] = {
    "greeting": (10, greeting),
    "saying": (20, saying),
}
