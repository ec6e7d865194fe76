"""Frames about what people do: statements, questions, moods, requests."""

from __future__ import annotations

from typing import Final

from onmal.phrasebook.events import Event, Participants, action, activity, interaction, upon_me
from onmal.phrasebook.frames.speech import (
    ASKED,
    PLAIN,
    PLAIN_ASKED,
    POLITE,
    Frame,
    any_event,
    group,
    sentence,
    speak,
    subject,
    tense_of,
    time_for,
    voice,
)
from onmal.phrasebook.grammar import (
    ME_UNSAID,
    WE,
    YOU,
    Phrase,
    build,
)
from onmal.phrasebook.lexicon import LEXICON
from onmal.phrasebook.predicates import (
    COMMANDS,
    MAIN,
    Piece,
    Tense,
    command,
)
from onmal.phrasebook.splits import Draw, Unavailable

_FREQUENCIES: Final = [Piece.of(korean, english) for korean, english in LEXICON.frequencies]


def statement(draw: Draw) -> Phrase:
    """민수는 어제 책을 읽었어요. Minsu read a book yesterday."""
    how, who = voice(draw), subject(draw)
    event = any_event(draw, who)
    tense = tense_of(draw, event)
    negative = draw.chance(0.14)
    adverb = None
    if tense == "present" and not negative and "state" not in event.verb.marks and draw.chance(0.25):
        adverb = draw.pick(_FREQUENCIES)
    time = time_for(draw, tense) if adverb is None and "state" not in event.verb.marks else None
    verb = group(event, who, tense=tense, negative=negative, style=how.style)
    clause = build(who, event.arguments, event.order, verb, time=time, adverb=adverb)
    return speak(clause, event.frame, how)


def between(draw: Draw) -> Phrase:
    """고양이가 개를 쫓았어요. A cat chased a dog."""
    tense, negative = draw.pick(_INTERACTION_TENSES), draw.chance(0.12)
    if draw.chance(0.25):
        who, event = upon_me(draw)
        verb = group(event, who, tense=tense, negative=negative)
        return speak(sentence(event, who, verb, time_for(draw, tense, 0.15)), "interaction")
    return interacting(interaction(draw), tense, negative, time_for(draw, tense, 0.15))


def interacting(pair: Participants, tense: Tense, negative: bool, time: Piece | None = None) -> Phrase:
    """One sentence about two participants."""
    who, event = pair.subject(), pair.event()
    verb = group(event, who, tense=tense, negative=negative)
    return speak(sentence(event, who, verb, time), "interaction")


_INTERACTION_TENSES: Final[tuple[Tense, ...]] = ("past", "past", "past", "present", "present", "future")


def progressive(draw: Draw) -> Phrase:
    """민수는 지금 책을 읽고 있어요. Minsu is reading a book now."""
    how, who = voice(draw), subject(draw)
    event = action(draw, who)
    tense: Tense = "present" if draw.chance(0.7) else "past"
    time = time_for(draw, "progressive", 0.35) if tense == "present" else None
    verb = group(event, who, "progressive", tense, draw.chance(0.1), "statement", how.style)
    return speak(sentence(event, who, verb, time), "progressive", how)


def question(draw: Draw) -> Phrase:
    """민수는 책을 읽었어요? Did Minsu read a book?"""
    how, who = voice(draw), subject(draw, ASKED)
    event = any_event(draw, who)
    tense = tense_of(draw, event)
    time = time_for(draw, tense, 0.25) if "state" not in event.verb.marks else None
    verb = group(event, who, tense=tense, ending="question", style=how.style, inverted=True)
    return speak(sentence(event, who, verb, time, inverted=True), "yes-no question", how, "?")


# mood -> (tenses, share of denials, share of questions)
_MOODS: Final[dict[str, tuple[tuple[Tense, ...], float, float]]] = {
    "wish": (("present", "present", "past"), 0.15, 0.25),
    "ability": (("present",), 0.3, 0.25),
    "failure": (("past",), 0.0, 0.0),
    "obligation": (("present", "present", "past"), 0.0, 0.2),
    "intention": (("present",), 0.0, 0.2),
    "attempt": (("past", "past", "future"), 0.0, 0.2),
    "experience": (("present",), 0.25, 0.3),
    "skill": (("present",), 0.3, 0.25),
    "pleasure": (("present",), 0.2, 0.25),
    "beginning": (("past", "past", "future"), 0.0, 0.1),
}

# 보다 is not followed by 보다, and nobody tries to arrive.
_NOT_TRIED: Final = frozenset(("watch", "show", "arrive", "return", "come"))


def _in_mood(mood: str) -> Frame:
    tenses, denials, questions = _MOODS[mood]

    def frame(draw: Draw) -> Phrase:
        how, asks = voice(draw), draw.chance(questions)
        who = subject(draw, PLAIN_ASKED if asks else PLAIN)
        event = activity(draw, who) if mood in ("skill", "pleasure", "beginning") else action(draw, who)
        base = event.verb.english.base
        if (mood == "skill" and "skill" not in event.verb.marks) or (
            mood == "attempt" and base in _NOT_TRIED
        ):
            raise Unavailable(mood)
        tense = draw.pick(tenses)
        named = "wish of another" if mood == "wish" and who.noun is not None else mood
        ending = "question" if asks else "statement"
        negative = not asks and draw.chance(denials)
        verb = group(event, who, named, tense, negative, ending, how.style, asks)
        time = time_for(draw, tense, 0.12) if mood in ("obligation", "failure", "intention") else None
        return speak(sentence(event, who, verb, time, inverted=asks), mood, how, "?" if asks else ".")

    return frame


def _allowed(mood: str) -> Frame:
    """여기에서 사진을 찍어도 돼요. You may take photos here."""

    def frame(draw: Draw) -> Phrase:
        how = voice(draw)
        event = action(draw, YOU)
        return speak(
            sentence(event, YOU, group(event, YOU, mood, "present", False, "statement", how.style)), mood, how
        )

    return frame


_TOGETHER: Final = Piece.of("같이", "together")

# What is not asked of people.
_NOT_ASKED: Final = frozenset(("arrive", "hurt", "fall down"))


def commanded(event: Event, name: str) -> Event:
    """The event, if one may ask for it: nobody is told to lose things, only not to."""
    if name != "prohibition" and ("mishap" in event.verb.marks or event.verb.english.base in _NOT_ASKED):
        raise Unavailable(name)
    return event


def _is_own(event: Event) -> bool:
    """Whether it is done to a part of the doer's body: in a request (팔을 긁어 주세요) it would be mine."""
    return any("your" in piece.english[MAIN] for _, piece in event.arguments)


def _commanded(name: str) -> Frame:
    _, formal, _ = COMMANDS[name]
    asks = name in ("proposal", "invitation")
    frame_mark = "?" if asks else "."

    def frame(draw: Draw) -> Phrase:
        how = voice(draw, to_many=name == "suggestion") if formal else POLITE
        doer = WE if name in ("suggestion", "proposal") else ME_UNSAID if name == "offer" else YOU
        event = commanded(action(draw, doer), name)
        if name == "request" and (event.verb.korean.honorific or _is_own(event)):
            raise Unavailable(name)
        verb = command(event.verb.korean, event.verb.english, name, how.style)
        arguments, order = event.arguments, event.order
        if name == "suggestion":
            if event.frame in ("intransitive in a manner", "transitive with a companion"):
                raise Unavailable(name)
            arguments, order = (("", _TOGETHER), *arguments), (*(at + 1 for at in order), 0)
        time = time_for(draw, "future", 0.12) if name in ("proposal", "instruction", "suggestion") else None
        clause = build(None, arguments, order, verb, time=time)
        return speak(clause, name, how, frame_mark)

    return frame


FRAMES: Final[dict[str, tuple[int, Frame]]] = {
    "statement": (380, statement),
    "interaction": (90, between),
    "progressive": (70, progressive),
    "yes-no question": (60, question),
    **{mood: (16, _in_mood(mood)) for mood in _MOODS},
    "wish": (30, _in_mood("wish")),
    "permission": (10, _allowed("permission")),
    "ban": (10, _allowed("ban")),
    **{name: (12, _commanded(name)) for name in COMMANDS},
    "request": (25, _commanded("request")),
}
