"""What goes with a verb: its objects, places, people, and things told apart by a relative clause."""

from __future__ import annotations

from functools import cache
from typing import Final

from onmal.phrasebook.grammar import ME_SAID, WE, Subject, as_piece, build, counted, noun_phrase, subject_of
from onmal.phrasebook.lexicon import LEXICON, Noun, Verb
from onmal.phrasebook.pools import ATTRIBUTES
from onmal.phrasebook.predicates import FRONT, MAIN, ME, Piece, predicate
from onmal.phrasebook.splits import Draw, Unavailable, ranked

NUMBERS: Final = ranked(range(1, 11), 2)


def object_phrase(draw: Draw, verb: Verb, noun: Noun, subject: Subject, particle: str = "을") -> Piece:
    """The noun as the object of the verb: bare, counted, with an adjective, or somebody's."""
    kind = noun.kind
    if kind == "own":
        return _own(noun, subject.owner, particle)
    if kind == "said":
        return _said(draw, noun, subject, particle)
    if "generic" in verb.marks:
        return noun_phrase(noun, particle, plural=True)
    if kind in ("the", "bare"):
        return noun_phrase(noun, particle)
    choice = draw.random()
    if choice < 0.08 and ATTRIBUTES.has(draw, noun.key):
        return noun_phrase(noun, particle, adjective=ATTRIBUTES.modifier(draw, noun.key))
    if choice < 0.13 and noun.counter:
        return counted(noun, draw.pick(NUMBERS), particle)
    if kind in ("count", "plural") and "fresh" not in verb.marks:
        if choice < 0.18:
            return noun_phrase(noun, particle, "my")
        if choice < 0.23:
            return noun_phrase(noun, particle, "this" if draw.chance(0.5) else "that")
        if choice < 0.25:
            return noun_phrase(noun, particle, owner=draw.pick(_NAMES))
    return noun_phrase(noun, particle)


_NAMES: Final = LEXICON.classes["names"]


@cache
def _own(noun: Noun, owner: str, particle: str) -> Piece:
    if not owner:
        raise Unavailable(noun.key)
    piece = noun_phrase(noun, particle, plural=True)
    words = (owner, *piece.english[MAIN])
    links = tuple((0, j) for j in range(len(words)))
    return Piece(piece.korean, (words, (), ()), (links, (), ()), (0, len(words) - 1))


def _said(draw: Draw, noun: Noun, subject: Subject, particle: str) -> Piece:
    """Somebody's words: mine, unless it is I who hear them."""
    if subject.agreement == ME or draw.chance(0.4):
        return noun_phrase(noun, particle, owner=draw.pick(_NAMES))
    return noun_phrase(noun, particle, "my")


@cache
def place_phrase(place: Noun, particle: str, english: str) -> Piece:
    """A place with its particle and the English that goes with it: 학교에서, at school."""
    return Piece.of(noun_phrase(place, particle).korean[-1], english)


@cache
def manner_phrase(noun: Noun) -> Piece:
    """An adverb of manner."""
    return Piece.of(noun.korean, noun.english)


@cache
def goal_phrase(verb: Verb, place: Noun) -> Piece:
    """Where a motion leads or begins: 학교에, 집으로, 서울에서."""
    particle = next(mark for mark in ("에서", "으로", "에") if mark in verb.marks)
    if "from" in verb.marks:
        english = place.to.removeprefix("to ")
        english = f"from {english}"
    elif "at" in verb.marks:
        english = place.at
    else:
        english = place.to
    return place_phrase(place, particle, english)


TO_ME: Final = Piece.of("저에게", "to me")


def determiner_of(draw: Draw, noun: Noun) -> str:
    """Whose somebody is: mine, or nobody's in particular."""
    return "my" if "family" in noun.marks and not ("loose" in noun.marks and draw.chance(0.5)) else ""


def participant(draw: Draw, noun: Noun) -> tuple[Noun, str]:
    """A noun with a determiner that it can keep as subject and as object."""
    if noun.kind == "name" or "family" in noun.marks:
        return noun, determiner_of(draw, noun)
    return noun, "that" if draw.chance(0.3) else ""


UPON_ME: Final = Piece.of("저를", "me")
_TELLERS: Final = (*(ME_SAID,) * 4, WE, *(subject_of(name) for name in _NAMES[:8]))


def told_clause(draw: Draw, verb: Verb, other: Subject | None = None) -> Piece:
    """Who did it, not `other`: 제가 산, I bought."""
    who = draw.pick(_TELLERS)
    if who is other:
        raise Unavailable("somebody else")
    group = predicate(
        verb.korean, verb.english, "plain", "past", False, "adnominal", "polite", who.agreement, False, False
    )
    clause = build(who, (), (), group, as_topic=False)
    return as_piece(clause, clause.verb)


def relative(draw: Draw, verb: Verb, noun: Noun, particle: str, other: Subject | None = None) -> Piece:
    """The thing that somebody did something to: 제가 산 책을, the book that I bought."""
    return modified(noun_phrase(noun, particle, "the"), told_clause(draw, verb, other), "that")


def modified(head: Piece, clause: Piece, pronoun: str) -> Piece:
    """A noun phrase or a noun as predicate with a relative clause: before it in Korean, after it in English."""
    size, width = len(clause.korean), len(head.english[MAIN])
    main, front, _ = (tuple((i + size, j) for i, j in place) for place in head.links)
    main += ((size - 1, width), *((i, j + width + 1) for i, j in clause.links[MAIN]))
    words = (*head.english[MAIN], pronoun, *clause.english[MAIN])
    return Piece(
        clause.korean + head.korean,
        (words, head.english[FRONT], ()),
        (main, front, ()),
        (size + head.head[0], head.head[1]),
    )
