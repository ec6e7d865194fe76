"""Frames with a question word: what, who, where, when, why, how, which, how many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Final

from onmal.phrasebook.arguments import goal_phrase, place_phrase
from onmal.phrasebook.events import Event, action, transitive
from onmal.phrasebook.frames.speech import (
    PLAIN_ASKED,
    Frame,
    any_event,
    group,
    sentence,
    speak,
    subject,
    tense_of,
    voice,
)
from onmal.phrasebook.grammar import (
    WE,
    YOU,
    Phrase,
    Subject,
    noun_phrase,
    subject_of,
)
from onmal.phrasebook.lexicon import LEXICON, Noun
from onmal.phrasebook.pools import ACTIONS, DESTINATIONS, INTERACTIONS, OBJECTS, VENUES
from onmal.phrasebook.predicates import (
    MAIN,
    Piece,
)
from onmal.phrasebook.splits import Draw, Unavailable


def _asking(korean: str, english: str, stranded: str = "") -> Piece:
    """A question word, which English puts first; a preposition may stay behind (who .. with)."""
    words, lead, left = tuple(korean.split()), tuple(english.split()), tuple(stranded.split())

    def links(part: Sequence[str]) -> tuple[tuple[int, int], ...]:
        return tuple((i, j) for i in range(len(words)) for j in range(len(part)))

    return Piece(words, (left, (), lead), (links(left), (), links(lead)), (len(words) - 1, 0))


_WHAT: Final = _asking("무엇을", "what")
_WHOM: Final = _asking("누구를", "who")
_WITH_WHOM: Final = _asking("누구와", "who", "with")
_WHERE: Final = _asking("어디에서", "where")
_WHERE_TO: Final = _asking("어디에", "where")
_WHEN: Final = _asking("언제", "when")
_WHY: Final = _asking("왜", "why")
_HOW: Final = _asking("어떻게", "how")
_WHO: Final = Subject(Piece.of("누가", "who"), Piece.of("누가", "who"), 2, is_topic=False)


def _ask(
    draw: Draw, event: Event, frame: str, time: Piece | None = None, who: Subject | None = None
) -> Phrase:
    how = voice(draw)
    who = who or subject(draw, PLAIN_ASKED)
    tense = tense_of(draw, event)
    verb = group(event, who, tense=tense, ending="question", style=how.style, inverted=True)
    return speak(sentence(event, who, verb, time, inverted=True), frame, how, "?")


def _told_apart_by_object() -> frozenset[str]:
    """Verbs that share their Korean or their English with another, so that only the object tells which is meant."""
    verbs = LEXICON.transitive
    korean, english = Counter(v.korean.stem for v in verbs), Counter(v.english.base for v in verbs)
    return frozenset(v.key for v in verbs if korean[v.korean.stem] > 1 or english[v.english.base] > 1)


_TOLD_APART_BY_OBJECT: Final = _told_apart_by_object()


def ask_what(draw: Draw) -> Phrase:
    """민수는 시장에서 무엇을 샀어요? What did Minsu buy at the market?"""
    verb, place = VENUES.draw(draw)
    if verb.key in _TOLD_APART_BY_OBJECT:
        raise Unavailable("what")
    arguments = (("place", place_phrase(place, "에서", place.at)), ("patient", _WHAT))
    return _ask(draw, Event("what", verb, arguments, (1, 0)), "ask what")


def ask_whom(draw: Draw) -> Phrase:
    """민수는 누구를 만났어요? Who did Minsu meet?"""
    verb, noun = INTERACTIONS.draw(draw)
    if noun.kind != "name":
        raise Unavailable("whom")
    return _ask(draw, Event("whom", verb, (("patient", _WHOM),), (0,)), "ask whom", who=subject_of(noun))


def ask_who(draw: Draw) -> Phrase:
    """누가 책을 읽었어요? Who read a book?"""
    how = voice(draw)
    event = any_event(draw, YOU) if draw.chance(0.5) else action(draw, WE)
    if any("our" in piece.english[MAIN] or "your" in piece.english[MAIN] for _, piece in event.arguments):
        raise Unavailable("who")
    tense = tense_of(draw, event)
    verb = group(event, _WHO, tense=tense, ending="question", style=how.style)
    return speak(sentence(event, _WHO, verb), "ask who", how, "?")


def ask_where(draw: Draw) -> Phrase:
    """어디에서 책을 읽어요? Where do you read a book?"""
    who = subject(draw, PLAIN_ASKED)
    event = transitive(draw, who)
    return _ask(
        draw, Event("", event.verb, (("place", _WHERE), *event.arguments), (1, 0)), "ask where", who=who
    )


def ask_when(draw: Draw) -> Phrase:
    """언제 학교에 가요? When do you go to school?"""
    who = subject(draw, PLAIN_ASKED)
    return _ask(draw, action(draw, who), "ask when", _WHEN, who)


def ask_why(draw: Draw) -> Phrase:
    """왜 창문을 열었어요? Why did you open the window?"""
    who = subject(draw, PLAIN_ASKED)
    return _ask(draw, any_event(draw, who), "ask why", _WHY, who)


def ask_with_whom(draw: Draw) -> Phrase:
    """누구와 영화를 봤어요? Who did you watch a movie with?"""
    who = subject(draw, PLAIN_ASKED)
    event = transitive(draw, who)
    return _ask(
        draw,
        Event("", event.verb, (("companion", _WITH_WHOM), *event.arguments), (1, 0)),
        "ask with whom",
        who=who,
    )


def ask_how(draw: Draw) -> Phrase:
    """어떻게 학교에 가요? How do you go to school?"""
    verb, place = DESTINATIONS.draw(draw)
    if "to" not in verb.marks:
        raise Unavailable("how")
    arguments = (("means", _HOW), ("goal", goal_phrase(verb, place)))
    return _ask(draw, Event("", verb, arguments, (1, 0)), "ask how")


@cache
def _asked_noun(noun: Noun, determiner: str) -> Piece:
    piece = noun_phrase(noun, "을", determiner, plural=False)
    return Piece(piece.korean, ((), (), piece.english[MAIN]), ((), (), piece.links[MAIN]), piece.head)


def _ask_noun(determiner: str) -> Frame:
    """어느 가방을 샀어요? Which bag did you buy?"""

    def frame(draw: Draw) -> Phrase:
        verb, noun = OBJECTS.draw(draw)
        if noun.kind not in ("count", "mass", "plural") or (
            determiner == "what kind of" and noun.kind == "plural"
        ):
            raise Unavailable(determiner)
        event = Event("", verb, (("patient", _asked_noun(noun, determiner)),), (0,))
        return _ask(draw, event, f"ask {determiner}")

    return frame


def ask_how_many(draw: Draw) -> Phrase:
    """사과를 몇 개 샀어요? How many apples did you buy?"""
    verb, noun = ACTIONS.draw(draw)
    if noun.kind != "count" or not noun.counter:
        raise Unavailable("how many")
    thing = noun_phrase(noun, "을", plural=True)
    korean = (*thing.korean, "몇", noun.counter)
    lead = ("how", "many", *thing.english[MAIN])
    size = len(thing.korean)
    links = ((size, 0), (size, 1), *((i, j + 2) for i, j in thing.links[MAIN]))
    links += tuple((size + 1, j) for j in range(2, len(lead)))
    piece = Piece(korean, ((), (), lead), ((), (), links), (size - 1, len(lead) - 1))
    return _ask(draw, Event("", verb, (("patient", piece),), (0,)), "ask how many")


FRAMES: Final[dict[str, tuple[int, Frame]]] = {
    "ask what": (8, ask_what),
    "ask whom": (6, ask_whom),
    "ask who": (10, ask_who),
    "ask where": (8, ask_where),
    "ask when": (8, ask_when),
    "ask why": (10, ask_why),
    "ask with whom": (6, ask_with_whom),
    "ask how": (6, ask_how),
    "ask which": (6, _ask_noun("which")),
    "ask what kind of": (5, _ask_noun("what kind of")),
    "ask how many": (6, ask_how_many),
}
