"""Frames about the clock and the calendar."""

from __future__ import annotations

from typing import Final

from onmal.phrasebook.english import EnglishVerb
from onmal.phrasebook.frames.describing import thing
from onmal.phrasebook.frames.speech import IT_UNSAID, Frame, speak, voice
from onmal.phrasebook.grammar import (
    Phrase,
    Subject,
    build,
)
from onmal.phrasebook.korean import Predicate
from onmal.phrasebook.lexicon import LEXICON
from onmal.phrasebook.numbers import clock, date
from onmal.phrasebook.predicates import (
    IT,
    Piece,
    Tense,
    copula,
    predicate,
)
from onmal.phrasebook.splits import Draw, Pool

_NOUNS: Final = LEXICON.nouns
_CLASSES: Final = LEXICON.classes
_TIMES_OF_DAY: Final = Pool(
    "clock",
    [(h, str(h), [(m, str(m)) for m in (0, 30, 10, 20, 15, 5, 40, 50, 45, 25)]) for h in range(1, 13)],
    flatness=4,
)

_NOW: Final = Piece.of("지금", "now")
_TODAY: Final = [
    ("오늘", "today"),
    ("내일", "tomorrow"),
    ("모레", "the day after tomorrow"),
    ("어제", "yesterday"),
    ("그저께", "the day before yesterday"),
]


def clock_time(draw: Draw) -> Phrase:
    """지금 세 시 반이에요. It is half past three now."""
    how = voice(draw)
    hour, minute = _TIMES_OF_DAY.draw(draw)
    reading = clock(hour, minute)
    be = copula(reading.korean, reading.english, IT, how.style)
    return speak(build(IT_UNSAID, (), (), be, time=_NOW), "clock", how)


_DATES: Final = Pool(
    "date", [(m, str(m), [(d, str(d)) for d in range(1, 31)]) for m in range(1, 13)], flatness=12
)


def calendar(draw: Draw) -> Phrase:
    """오늘은 시월 구일이에요. Today is October 9th."""
    how = voice(draw)
    month, day = _DATES.draw(draw)
    reading = date(month, day)
    korean, english = draw.pick(_TODAY)
    tense: Tense = "past" if english.endswith("yesterday") else "present"
    day_piece = Piece.of(f"{korean}{'은' if korean in ('오늘', '내일') else '는'}", english)
    be = copula(reading.korean, reading.english, IT, how.style, tense)
    return speak(build(Subject(day_piece, day_piece, IT), (), (), be, role="theme"), "date", how)


_OCCASIONS: Final = [n for n in _CLASSES["task"] if n.kind == "count"]
_OCCASION_DATES: Final = Pool(
    "date of",
    [(n, n.key, [((m, d), f"{m}-{d}") for m in range(1, 13) for d in range(1, 31)]) for n in _OCCASIONS],
    flatness=60,
)


def occasion(draw: Draw) -> Phrase:
    """시험은 오월 삼일이에요. The exam is on May 3rd."""
    how = voice(draw)
    noun, (month, day) = _OCCASION_DATES.draw(draw)
    reading = date(month, day)
    be = copula(reading.korean, f"on {reading.english}", IT, how.style)
    return speak(build(thing(noun, "the"), (), (), be, role="theme"), "date of an occasion", how)


_START_TIMES: Final = Pool(
    "schedule",
    [(n, n.key, [((h, m), f"{h}:{m}") for m in (0, 30, 10, 20, 15) for h in range(1, 13)]) for n in (*_OCCASIONS, _NOUNS["영화"], _NOUNS["연극"], _NOUNS["경기"])],
    flatness=8,
)  # fmt: skip

_BEGIN: Final = Predicate("시작하", "verb")
_END: Final = Predicate("끝나", "verb")


def schedule(draw: Draw) -> Phrase:
    """회의는 세 시에 시작해요. The meeting starts at three o'clock."""
    how = voice(draw)
    noun, (hour, minute) = _START_TIMES.draw(draw)
    reading = clock(hour, minute)
    asks = draw.chance(0.2)
    starts = draw.chance(0.6)
    tense: Tense = draw.pick(("present", "present", "past", "future"))
    verb = predicate(
        _BEGIN if starts else _END, EnglishVerb("start" if starts else "end"), "plain", tense, False,
        "question" if asks else "statement", how.style, IT, False, asks,
    )  # fmt: skip
    when = Piece.of(f"{reading.korean}에", f"at {reading.english}")
    clause = build(thing(noun, "the"), (("time", when),), (0,), verb, inverted=asks, role="theme")
    return speak(clause, "schedule", how, "?" if asks else ".")


FRAMES: Final[dict[str, tuple[int, Frame]]] = {
    "clock": (10, clock_time),
    "date": (7, calendar),
    "date of an occasion": (6, occasion),
    "schedule": (12, schedule),
}
