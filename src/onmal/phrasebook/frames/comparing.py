"""Frames that compare: more and most."""

from __future__ import annotations

from functools import cache
from typing import Final

from onmal.phrasebook.english import EnglishVerb, comparative, superlative
from onmal.phrasebook.frames.describing import thing
from onmal.phrasebook.frames.speech import Frame, speak, voice
from onmal.phrasebook.grammar import (
    Phrase,
    Subject,
    build,
    noun_phrase,
    subject_of,
)
from onmal.phrasebook.korean import Predicate
from onmal.phrasebook.lexicon import LEXICON, Adjective, Noun
from onmal.phrasebook.predicates import (
    IT,
    Piece,
    Style,
    Tense,
    predicate,
)
from onmal.phrasebook.splits import Draw, Pool, Unavailable

_NOUNS: Final = LEXICON.nouns
_CLASSES: Final = LEXICON.classes
_GRADED: Final = [
    a for a in LEXICON.adjectives if a.english not in ("red", "white", "black", "yellow", "blue")
]


def _comparable(noun: Noun) -> bool:
    return noun.kind in ("count", "the") and noun not in _CLASSES["everybody"]


_CLASSES_OF: Final = {
    key: {name for name, members in _CLASSES.items() if noun in members and name != "senses"}
    for key, noun in _NOUNS.items()
}

_COMPARED: Final = Pool(
    "comparison", [(a, a.key, [(n, n.key) for n in a.takes if _comparable(n)]) for a in _GRADED], flatness=8
)


@cache
def _comparative(adjective: Adjective, style: Style, tense: Tense) -> Piece:
    return predicate(
        adjective.korean, EnglishVerb(f"be {comparative(adjective.english)}"), "plain", tense, False, "statement", style,
        IT, False, False,
    )  # fmt: skip


def comparison(draw: Draw) -> Phrase:
    """호랑이는 여우보다 커요. The tiger is bigger than the fox."""
    how = voice(draw)
    adjective, one = _COMPARED.draw(draw)
    other = _COMPARED.modifier(draw, adjective.key)
    if one is other or not (_CLASSES_OF[one.key] & _CLASSES_OF[other.key]):
        raise Unavailable("comparison")
    than = noun_phrase(other, "보다", "the", preposition="than")
    clause = build(
        thing(one, "the"),
        (("standard", than),),
        (0,),
        _comparative(adjective, how.style, "present"),
        role="theme",
    )
    return speak(clause, "comparison", how)


_TALL: Final = Adjective("키가 크다/tall", Predicate("키가 크", "adjective"), "tall", EnglishVerb("be tall"))
_RIVALS: Final = Pool(
    "rivalry",
    [
        (a, a.key, [(n, n.key) for n in _CLASSES["names"]])
        for a in (
            _TALL,
            *(x for x in LEXICON.adjectives if x.english in ("smart", "kind", "brave", "diligent", "honest")),
        )
    ],
    head_flatness=4,
)


def rivalry(draw: Draw) -> Phrase:
    """민수는 지수보다 키가 커요. Minsu is taller than Jisu."""
    how = voice(draw)
    adjective, one = _RIVALS.draw(draw)
    other = _RIVALS.modifier(draw, adjective.key)
    if one is other:
        raise Unavailable("rivalry")
    than = noun_phrase(other, "보다", preposition="than")
    clause = build(
        subject_of(one),
        (("standard", than),),
        (0,),
        _comparative(adjective, how.style, "present"),
        role="theme",
    )
    return speak(clause, "comparison of people", how)


def superlative_of(draw: Draw) -> Phrase:
    """이 가방이 제일 비싸요. This bag is the most expensive."""
    how = voice(draw)
    adjective, noun = _COMPARED.draw(draw)
    if noun.kind == "the":
        raise Unavailable("superlative")
    piece = noun_phrase(noun, "이", "this" if draw.chance(0.6) else "that")
    verb = _superlative(adjective, how.style)
    most = Piece(("제일",), (("the",), (), ()), (((0, 0),), (), ()), (0, 0))
    clause = build(Subject(piece, piece, IT, is_topic=False), (), (), verb, adverb=most, role="theme")
    return speak(clause, "superlative", how)


@cache
def _superlative(adjective: Adjective, style: Style) -> Piece:
    return predicate(
        adjective.korean, EnglishVerb(f"be {superlative(adjective.english)}"), "plain", "present", False, "statement",
        style, IT, False, False,
    )  # fmt: skip


FRAMES: Final[dict[str, tuple[int, Frame]]] = {
    "comparison": (14, comparison),
    "comparison of people": (8, rivalry),
    "superlative": (8, superlative_of),
}
