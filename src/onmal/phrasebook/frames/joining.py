"""Frames that join clauses: because, if, when, and then, before, after, while, but; and those longer than training has."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from onmal.phrasebook.arguments import goal_phrase
from onmal.phrasebook.events import Event, action, activity, motion, transitive
from onmal.phrasebook.frames.describing import CLIMATE, FALLING, FEELINGS, weather_group
from onmal.phrasebook.frames.doing import commanded
from onmal.phrasebook.frames.speech import (
    IT_UNSAID,
    NAMED,
    PLAIN,
    Frame,
    again,
    group,
    sentence,
    speak,
    subject,
    time_for,
    unsaid,
    voice,
)
from onmal.phrasebook.grammar import (
    ME_UNSAID,
    Clause,
    Phrase,
    Subject,
    as_piece,
    build,
    joined,
    noun_phrase,
    subject_of,
)
from onmal.phrasebook.lexicon import LEXICON, Adjective, Noun, Verb
from onmal.phrasebook.pools import ACTIONS, OBJECTS, VENUES
from onmal.phrasebook.predicates import (
    FRONT,
    IT,
    MAIN,
    THEY,
    Piece,
    Tense,
    command,
    predicate,
)
from onmal.phrasebook.splits import Draw, Pool, Unavailable

_WEATHER: Final = subject_of(LEXICON.nouns["날씨"])


def _weather(draw: Draw, ending: str, tense: Tense) -> tuple[Clause, str]:
    """It rains; the weather is cold: and what it is."""
    if draw.chance(0.5):
        key = 0 if draw.chance(0.6) else 1
        return build(IT_UNSAID, (), (), weather_group(key, tense, ending)), FALLING[key].english.base
    adjective = draw.pick(CLIMATE)
    verb = predicate(
        adjective.korean, adjective.be, "plain", tense, False, ending, "polite", IT, False, False
    )
    return build(_WEATHER, (), (), verb, as_topic=False, role="theme"), adjective.english


def _feeling(adjective: Adjective, who: Subject, ending: str, tense: Tense) -> Clause:
    verb = predicate(
        adjective.korean, adjective.be, "plain", tense, False, ending, "polite", who.agreement, False, False
    )
    return build(who, (), (), verb, role="experiencer")


def short(draw: Draw, who: Subject, maker: Callable[[Draw, Subject], Event] = action) -> Event:
    """An event of few words, so that the joined sentence stays readable."""
    event = maker(draw, who)
    if sum(len(piece.korean) for _, piece in event.arguments) > 1:
        raise Unavailable("a short event")
    return event


def _only(key: str) -> Pool[Verb, Noun]:
    return Pool(
        "object", [(v, key, [(n, n.key) for n in v.takes]) for v in LEXICON.transitive if v.key == key]
    )


_APPETITES: Final = {
    "hungry": (_only("먹다/eat"), False),
    "full": (_only("먹다/eat"), True),
    "thirsty": (_only("마시다/drink"), False),
}

# What keeps people from doing things: always, or often.
_HINDRANCES: Final = {
    "tired": 1.0,
    "busy": 1.0,
    "sick": 1.0,
    "rain": 0.6,
    "snow": 0.6,
    "cold": 0.6,
    "hot": 0.6,
    "bad": 0.8,
}


def _consequence(draw: Draw, cause: str, who: Subject, *, is_short: bool = True) -> tuple[Event, bool]:
    """What somebody does for this reason, and whether it is rather not done."""
    pool, negative = _APPETITES.get(cause, (None, False))
    maker = action if pool is None else partial(transitive, pool=pool)
    event = short(draw, who, maker) if is_short else maker(draw, who)
    if "mishap" in event.verb.marks:
        raise Unavailable("consequence")
    return event, negative or draw.chance(_HINDRANCES.get(cause, 0.0))


def _inside(outer: Event, inner: Clause) -> Event:
    """The event with a clause inside it: before the arguments in Korean, after them in English."""
    arguments = (("", as_piece(inner, inner.verb)), *outer.arguments)
    return Event(outer.frame, outer.verb, arguments, (*(at + 1 for at in outer.order), 0))


def because(draw: Draw) -> Phrase:
    """민수는 피곤해서 운동하지 않았어요. Minsu didn't exercise because he was tired."""
    how = voice(draw)
    tense: Tense = "past" if draw.chance(0.7) else "present"
    if draw.chance(0.6):
        adjective, who = FEELINGS.draw(draw)
        reason, cause = _feeling(adjective, again(who), "because", tense), adjective.english
    else:
        who = subject(draw, PLAIN)
        reason, cause = _weather(draw, "because", tense)
    event, negative = _consequence(draw, cause, who)
    verb = group(event, who, tense=tense, negative=negative, style=how.style)
    return speak(sentence(_inside(event, reason), who, verb), "because", how)


def since(draw: Draw) -> Phrase:
    """비가 오니까 창문을 닫으세요. Close the window because it is raining."""
    reason, _ = _weather(draw, "since", "present")
    event = commanded(short(draw, _YOU), "instruction")
    name = "instruction" if draw.chance(0.6) else "proposal"
    verb = command(event.verb.korean, event.verb.english, name, "polite")
    event = _inside(event, reason)
    return speak(
        build(None, event.arguments, event.order, verb), "since", mark="?" if name == "proposal" else "."
    )


_YOU: Final = unsaid("you", THEY)


def _with_gerund(name: str) -> Frame:
    def frame(draw: Draw) -> Phrase:
        how, who = voice(draw), subject(draw, PLAIN)
        tense: Tense = "past" if draw.chance(0.6) else "present"
        inner_event = short(draw, who, activity if name == "while" else action)
        main_event = short(draw, who)
        if inner_event.verb is main_event.verb:
            raise Unavailable(name)
        inner = build(
            None,
            inner_event.arguments,
            inner_event.order,
            group(inner_event, who, ending=name),
        )
        event = _inside(main_event, inner)
        verb = group(event, who, tense=tense, style=how.style)
        return speak(sentence(event, who, verb), name, how)

    return frame


def as_soon_as(draw: Draw) -> Phrase:
    """민수는 집에 오자마자 잤어요. Minsu slept as soon as he came home."""
    who = subject(draw, PLAIN)
    arrival = motion(draw, who)
    if "to" not in arrival.verb.marks and "at" not in arrival.verb.marks:
        raise Unavailable("arrival")
    inner = sentence(arrival, again(who), group(arrival, again(who), tense="past", ending="as soon as"))
    event = _inside(short(draw, who, transitive), inner)
    return speak(sentence(event, who, group(event, who, tense="past")), "as soon as")


_GOING: Final = [verb for verb in LEXICON.motion if "to" in verb.marks and verb.korean.stem in ("가", "오")]


def purpose(draw: Draw) -> Phrase:
    """책을 사러 서점에 갔어요. I went to the bookstore to buy a book."""
    how, who = voice(draw), subject(draw, PLAIN)
    verb, place = VENUES.draw(draw)
    noun = ACTIONS.modifier(draw, verb.key)
    if noun.kind == "own":
        raise Unavailable("purpose")
    aim = Event("", verb, (("patient", noun_phrase(noun, "을")),), (0,))
    inner = build(None, aim.arguments, aim.order, group(aim, who, ending="purpose"))
    going = _GOING[0] if draw.chance(0.75) else _GOING[1]
    event = _inside(Event("", going, (("goal", goal_phrase(going, place)),), (0,)), inner)
    tense: Tense = "past" if draw.chance(0.6) else "future"
    group_ = group(event, who, tense=tense, style=how.style)
    return speak(sentence(event, who, group_), "purpose", how)


def conditional(draw: Draw) -> Phrase:
    """비가 오면 집에서 쉴 거예요. If it rains, I will rest at home."""
    how = voice(draw)
    first, who, cause = _circumstance(draw, "if", "present")
    event, negative = _consequence(draw, cause, who)
    tense: Tense = "future" if draw.chance(0.5) else "present"
    verb = group(event, who, tense=tense, negative=negative, style=how.style)
    return speak(joined(first, sentence(event, who, verb), english_first=True, comma=True), "if", how)


def when(draw: Draw) -> Phrase:
    """민수는 집에 갈 때 버스를 타요. When Minsu goes home, he takes a bus."""
    how = voice(draw)
    tense: Tense = "past" if draw.chance(0.4) else "present"
    first, who, cause = _circumstance(draw, "when", tense)
    event, negative = _consequence(draw, cause, who)
    verb = group(event, who, tense=tense, negative=negative, style=how.style)
    return speak(joined(first, sentence(event, who, verb), english_first=True, comma=True), "when", how)


def _circumstance(draw: Draw, ending: str, tense: Tense) -> tuple[Clause, Subject, str]:
    """A subordinate clause that comes first, the subject of what follows, and the cause that it names, if any."""
    choice = draw.random()
    if choice < 0.35:
        clause, cause = _weather(draw, ending, tense)
        return clause, subject(draw, PLAIN), cause
    if choice < 0.65:
        adjective, who = FEELINGS.draw(draw)
        return _feeling(adjective, who, ending, tense), again(who), adjective.english
    who = subject(draw, PLAIN)
    event = short(draw, who, motion if ending == "when" and draw.chance(0.5) else transitive)
    return sentence(event, who, group(event, who, tense=tense, ending=ending)), again(who), ""


def _then_clause(draw: Draw, who: Subject, tense: Tense) -> Clause:
    event = short(draw, who, transitive if draw.chance(0.7) else motion)
    verb = group(event, who, tense=tense, ending="then")
    return build(who, event.arguments, event.order, verb, conjunction_first=False)


def _bare(clause: Clause) -> Clause:
    """The clause as the second of two that share an English auxiliary: (I will read and then) sleep."""
    verb = clause.pieces[clause.verb]
    # What was aligned with the auxiliary goes with the verb.
    main = verb.links[MAIN] + tuple((i, verb.head[1]) for i, _ in verb.links[FRONT])
    clause.pieces[clause.verb] = Piece(verb.korean, (verb.english[MAIN], (), ()), (main, (), ()), verb.head)
    return clause


def and_then(draw: Draw) -> Phrase:
    """숙제를 하고 나서 텔레비전을 봤어요. I did homework and then watched TV."""
    how, who = voice(draw), subject(draw, PLAIN)
    tense: Tense = draw.pick(("past", "past", "present", "future"))
    first = _then_clause(draw, who, tense)
    event = short(draw, who)
    verb = group(event, who, tense=tense, style=how.style)
    second = _bare(build(None, event.arguments, event.order, verb))
    return speak(
        joined(first, second, english_first=True, comma=False, conjunction_between=True), "and then", how
    )


def _two_people(name: str) -> Frame:
    def frame(draw: Draw) -> Phrase:
        """민수는 책을 읽고 지수는 음악을 들었어요. Minsu read a book, and Jisu listened to music."""
        one, other = subject(draw, NAMED), subject(draw, NAMED)
        if one is other:
            raise Unavailable(name)
        tense: Tense = "past" if draw.chance(0.5) else "present"
        first_event, second_event = short(draw, one), short(draw, other)
        # Before 고 the tense is that of the last verb.
        verb = group(first_event, one, tense=tense, ending=name)
        first = build(one, first_event.arguments, first_event.order, verb, conjunction_first=False)
        denied = name == "but" and draw.chance(0.3)
        second = sentence(second_event, other, group(second_event, other, tense=tense, negative=denied))
        return speak(joined(first, second, english_first=True, comma=True, conjunction_between=True), name)

    return frame


def contrast(draw: Draw) -> Phrase:
    """커피는 마시지만 맥주는 마시지 않아요. I drink coffee, but I don't drink beer."""
    verb, one = OBJECTS.draw(draw)
    other = OBJECTS.modifier(draw, verb.key)
    generic = "generic" in verb.marks
    if (
        one is other
        or "known" in verb.marks
        or not all(n.kind in ("mass", "bare") or (generic and n.kind == "count") for n in (one, other))
    ):
        raise Unavailable("contrast")
    who = ME_UNSAID
    clauses = []
    for noun, ending, denied in ((one, "but", False), (other, "statement", True)):
        thing = noun_phrase(noun, "은", plural=generic)
        event = Event("", verb, (("patient", thing),), (0,))
        group_ = group(event, who, negative=denied, ending=ending)
        clauses.append(build(who, event.arguments, event.order, group_, conjunction_first=False))
    return speak(joined(*clauses, english_first=True, comma=True, conjunction_between=True), "contrast")


def long_chain(draw: Draw) -> Phrase:
    """비가 오면 집에서 책을 읽고 나서 자요. If it rains, I read a book at home and then sleep."""
    tense: Tense = draw.pick(("past", "present"))
    ending = "when" if tense == "past" else draw.pick(("if", "when"))
    first, who, _ = _circumstance(draw, ending, tense)
    event = action(draw, who)
    verb = group(event, who, tense=tense, ending="then")
    second = build(who, event.arguments, event.order, verb, conjunction_first=False)
    event = action(draw, who)
    third = build(None, event.arguments, event.order, group(event, who, tense=tense))
    rest = joined(second, third, english_first=True, comma=False, conjunction_between=True)
    return speak(joined(first, rest, english_first=True, comma=True), f"{ending}, and then")


def long_contrast(draw: Draw) -> Phrase:
    """민수는 .. 읽었지만 지수는 피곤해서 .. 잤어요. Minsu read .., but Jisu slept .. because she was tired."""
    one = subject(draw, NAMED)
    adjective, other = FEELINGS.draw(draw)
    if one is other or other.noun is None:
        raise Unavailable("contrast")
    first_event = action(draw, one)
    verb = group(first_event, one, tense="past", ending="but")
    time = time_for(draw, "past", 0.5)
    first = build(one, first_event.arguments, first_event.order, verb, conjunction_first=False, time=time)
    event, negative = _consequence(draw, adjective.english, other, is_short=False)
    event = _inside(event, _feeling(adjective, again(other), "because", "past"))
    second = sentence(event, other, group(event, other, tense="past", negative=negative))
    return speak(
        joined(first, second, english_first=True, comma=True, conjunction_between=True), "but, because"
    )


FRAMES: Final[dict[str, tuple[int, Frame]]] = {
    "because": (20, because),
    "since": (10, since),
    "if": (18, conditional),
    "when": (16, when),
    "and then": (22, and_then),
    "before": (14, _with_gerund("before")),
    "after": (14, _with_gerund("after")),
    "while": (14, _with_gerund("while")),
    "as soon as": (6, as_soon_as),
    "purpose": (10, purpose),
    "and": (22, _two_people("and")),
    "but": (22, _two_people("but")),
    "contrast": (14, contrast),
}

LONG: Final[dict[str, tuple[int, Frame]]] = {
    "chain": (50, long_chain),
    "contrast, because": (50, long_contrast),
}
