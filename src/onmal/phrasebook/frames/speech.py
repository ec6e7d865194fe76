"""What every frame needs: who speaks to whom and in which style, who acts, when, and the verb in its form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from onmal.phrasebook.events import Event, action, state, upon_somebody
from onmal.phrasebook.grammar import (
    ME_UNSAID,
    WE,
    YOU,
    Clause,
    Phrase,
    Subject,
    build,
    joined,
    phrase,
    subject_of,
)
from onmal.phrasebook.lexicon import LEXICON
from onmal.phrasebook.numbers import MONTHS, WEEKDAYS, clock
from onmal.phrasebook.predicates import (
    IT,
    THEY,
    Piece,
    Style,
    Tense,
    predicate,
)
from onmal.phrasebook.splits import Draw, Unavailable, ranked

Frame = Callable[[Draw], Phrase]

_FORMAL_SHARE: Final = 0.12


@dataclass(frozen=True, slots=True)
class Voice:
    """The style of a sentence; a formal one names the person addressed, so that English shows it."""

    style: Style
    address: Piece | None


_ADDRESSES: Final = ranked([Piece.of(f"{ko},", f"{en},") for ko, en in LEXICON.addresses], 3)
_CROWDS: Final = [piece for piece in _ADDRESSES if piece.korean[-1] == "여러분,"]
POLITE: Final = Voice("polite", None)


def voice(draw: Draw, *, to_many: bool = False) -> Voice:
    """Polite style mostly; formal style with somebody addressed (`to_many`: a crowd)."""
    if draw.random() >= _FORMAL_SHARE:
        return POLITE
    return Voice("formal", draw.pick(_CROWDS if to_many else _ADDRESSES))


def speak(clause: Clause, frame: str, how: Voice = POLITE, mark: str = ".") -> Phrase:
    """The sentence in this voice."""
    if how.address is not None:
        clause = joined(Clause([how.address], [0], []), clause, english_first=True, comma=False)
    return phrase(clause, frame, how.style, mark)


_NAMES: Final = ranked([subject_of(noun) for noun in LEXICON.classes["names"]], 5)
_FAMILY: Final = ranked([subject_of(n, "my") for n in LEXICON.classes["everybody"] if "family" in n.marks], 5)
_ELDERS: Final = [subject_of(n, "the") for n in LEXICON.classes["everybody"] if n.marks == {"elder"}]
_TRADES: Final = [n for n in LEXICON.classes["people"] if "family" not in n.marks]
_KNOWN: Final = ranked([subject_of(noun, "the") for noun in _TRADES], 6)
_SOME: Final = ranked([subject_of(noun) for noun in _TRADES], 6)
_THAT: Final = ranked([subject_of(noun, "that") for noun in _TRADES], 6)
_ANYONE: Final = (
    *((ME_UNSAID,),) * 38,
    *((WE,),) * 7,
    *(_NAMES,) * 28,
    *(_FAMILY,) * 12,
    *(_KNOWN,) * 6,
    *(_ELDERS,) * 2,
    *(_SOME,) * 4,
    *(_THAT,) * 3,
)

_OTHERS: Final = _ANYONE[38:]
ASKED: Final = (*((YOU,),) * 30, *_OTHERS)
PLAIN: Final = (*((ME_UNSAID,),) * 20, *((WE,),) * 4, *(_NAMES,) * 20)
PLAIN_ASKED: Final = (*((YOU,),) * 20, *(_NAMES,) * 20)


def subject(draw: Draw, choices: Sequence[Sequence[Subject]] = _ANYONE) -> Subject:
    """Somebody who can act."""
    return draw.pick(draw.pick(choices))


def _times(tense: str) -> list[Piece]:
    said = [Piece.of(time.korean, time.english) for time in LEXICON.times if tense in time.tenses]
    common = ranked(said, 4)
    if tense == "progressive":
        return common
    hours = [clock(hour, minute) for hour in range(1, 13) for minute in (0, 30)]
    clocks = [Piece.of(f"{r.korean}에", f"at {r.english}") for r in hours]
    days = [Piece.of(f"{r.korean}에", f"on {r.english}") for r in WEEKDAYS]
    months = [Piece.of(f"{r.korean}에", f"in {r.english}") for r in MONTHS]
    size = len(common)
    return common * 6 + (clocks * size)[: size * 2] + (days * size)[:size] + (months * size)[: size // 2]


_TIMES: Final = {tense: _times(tense) for tense in ("past", "present", "future", "progressive")}


def time_for(draw: Draw, tense: str, share: float = 0.22) -> Piece | None:
    """Sometimes a time that goes with the tense."""
    return draw.pick(_TIMES[tense]) if draw.random() < share else None


_TENSES: Final[tuple[Tense, ...]] = (*("past",) * 5, *("present",) * 3, *("future",) * 3)
_STATE_TENSES: Final[tuple[Tense, ...]] = (*("present",) * 3, "past")


def group(
    event: Event,
    who: Subject,
    mood: str = "plain",
    tense: Tense = "present",
    negative: bool = False,
    ending: str = "statement",
    style: Style = "polite",
    inverted: bool = False,
) -> Piece:
    """The event's verb in this form, honoured where its subject is, or is asked in formal style.

    Unavailable where English would not show the tense.
    """
    english, korean = event.verb.english, event.verb.korean
    if "mishap" in event.verb.marks and (mood != "plain" or tense != "past"):
        raise Unavailable(english.base)
    if negative and mood == "plain" and event.verb.denial is not None:
        korean, mood = event.verb.denial, "lack"
    finite_alone = mood == "plain" and tense == "present" and not (negative or inverted) and ending != "if"
    if finite_alone and who.agreement != IT and english.base == english.past:
        raise Unavailable(english.base)  # "I read" would be past as well
    honored = who.is_honored or (who is YOU and style == "formal" and ending == "question")
    return predicate(korean, english, mood, tense, negative, ending, style, who.agreement, honored, inverted)


def sentence(
    event: Event, who: Subject, verb: Piece, time: Piece | None = None, *, inverted: bool = False
) -> Clause:
    """The event as a clause of this subject."""
    return build(who, event.arguments, event.order, verb, time=time, inverted=inverted)


def tense_of(draw: Draw, event: Event) -> Tense:
    return draw.pick(_STATE_TENSES if "state" in event.verb.marks else _TENSES)


def any_event(draw: Draw, who: Subject) -> Event:
    """Any event. What one does to somebody is said here of me, us and you alone.

    Two who are both named take turns equally often, so they are left to `interaction`: who did it to whom must not be guessed.
    """
    choice = draw.random()
    if choice < 0.3 and who.noun is None:
        return upon_somebody(draw, who)
    return state(draw, who) if choice < 0.25 else action(draw, who)


def unsaid(english: str, agreement: int, owner: str = "") -> Subject:
    piece = Piece((), ((english,), (), ()), ((), (), ()), (-1, 0))
    return Subject(piece, piece, THEY if agreement == THEY else IT, owner=owner)


IT_UNSAID: Final = unsaid("it", IT)
_UNSAID: Final = {
    "his": unsaid("he", IT, "his"),
    "her": unsaid("she", IT, "her"),
    "our": unsaid("we", THEY, "our"),
}


def again(who: Subject) -> Subject:
    """The same person once more: unsaid in Korean, a pronoun in English."""
    return who if who is ME_UNSAID else _UNSAID[who.owner]


NAMED: Final = [ranked([subject_of(n) for n in LEXICON.classes["names"]], 5)]
