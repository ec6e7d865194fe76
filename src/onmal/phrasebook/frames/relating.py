"""Frames with relative clauses: the bag that I bought."""

from __future__ import annotations

from typing import Final

from onmal.phrasebook.arguments import modified, relative, told_clause
from onmal.phrasebook.events import Event, transitive
from onmal.phrasebook.frames.describing import agreement_of
from onmal.phrasebook.frames.joining import short
from onmal.phrasebook.frames.speech import IT_UNSAID, NAMED, Frame, group, sentence, speak, subject, voice
from onmal.phrasebook.grammar import (
    Phrase,
    Subject,
    as_piece,
    build,
    noun_phrase,
)
from onmal.phrasebook.lexicon import LEXICON
from onmal.phrasebook.pools import ACTIONS, ATTRIBUTES, TOLD
from onmal.phrasebook.predicates import (
    IT,
    Piece,
    Tense,
    copula,
    predicate,
)
from onmal.phrasebook.splits import Draw, Unavailable


def relative_described(draw: Draw) -> Phrase:
    """제가 산 가방은 비싸요. The bag that I bought is expensive."""
    how = voice(draw)
    verb, noun = TOLD.draw(draw)
    adjective = ATTRIBUTES.modifier(draw, noun.key)
    piece = relative(draw, verb, noun, "은")
    agreement = agreement_of(noun)
    who = Subject(piece, piece, agreement)
    negative = draw.chance(0.2)
    group_ = predicate(
        adjective.korean,
        adjective.be,
        "plain",
        "present",
        negative,
        "statement",
        how.style,
        agreement,
        False,
        False,
    )
    return speak(build(who, (), (), group_, role="theme"), "relative, described", how)


def relative_object(draw: Draw) -> Phrase:
    """민수는 제가 만든 빵을 먹었어요. Minsu ate the bread that I made."""
    how, who = voice(draw), subject(draw, NAMED)
    verb, noun = ACTIONS.draw(draw)
    if noun.kind not in ("count", "mass", "plural"):
        raise Unavailable("relative")
    teller = TOLD.head(draw, noun.key)
    if teller is verb:
        raise Unavailable("relative")
    event = Event("", verb, (("patient", relative(draw, teller, noun, "을", who)),), (0,))
    tense: Tense = "past" if draw.chance(0.7) else "future"
    return speak(
        sentence(event, who, group(event, who, tense=tense, style=how.style)),
        "relative object",
        how,
    )


_THIS: Final = Subject(Piece.of("이것은", "this"), Piece.of("이것이", "this"), IT)


def relative_identity(draw: Draw) -> Phrase:
    """이것은 제가 산 가방이에요. This is the bag that I bought."""
    how = voice(draw)
    verb, noun = TOLD.draw(draw)
    if noun.kind == "plural":
        raise Unavailable("this")
    negative = draw.chance(0.2)
    thing = copula(noun.korean, f"the {noun.english}", IT, how.style, negative=negative)
    piece = modified(thing, told_clause(draw, verb), "that")
    return speak(build(_THIS, (), (), piece, role="theme"), "relative identity", how)


_PERSON: Final = LEXICON.nouns["사람"]


def relative_subject(draw: Draw) -> Phrase:
    """책을 읽은 사람은 민수예요. The person who read a book is Minsu."""
    name = draw.pick(LEXICON.classes["names"])
    event = short(draw, IT_UNSAID, transitive)
    verb = group(event, IT_UNSAID, tense="past", ending="adnominal")
    inner = build(None, event.arguments, event.order, verb)
    who = modified(noun_phrase(_PERSON, "은", "the"), as_piece(inner, inner.verb), "who")
    be = copula(name.korean, name.english, IT, "polite")
    return speak(build(Subject(who, who, IT), (), (), be, role="theme"), "relative subject")


FRAMES: Final[dict[str, tuple[int, Frame]]] = {
    "relative, described": (16, relative_described),
    "relative object": (12, relative_object),
    "relative identity": (8, relative_identity),
    "relative subject": (10, relative_subject),
}
