"""Frames about what somebody or something is like: descriptions, feelings, pains, weather, trades, origins."""

from __future__ import annotations

from functools import cache
from typing import Final

from onmal.phrasebook.english import EnglishVerb, possessive
from onmal.phrasebook.frames.speech import IT_UNSAID, Frame, Voice, speak, time_for, voice
from onmal.phrasebook.grammar import (
    ME_SAID,
    ME_UNSAID,
    WE,
    YOU,
    Clause,
    Phrase,
    Subject,
    build,
    noun_phrase,
    subject_of,
)
from onmal.phrasebook.korean import Predicate, attach
from onmal.phrasebook.lexicon import LEXICON, Adjective, Noun
from onmal.phrasebook.pools import ATTRIBUTES
from onmal.phrasebook.predicates import (
    IT,
    THEY,
    Agreement,
    Piece,
    Style,
    Tense,
    copula,
    predicate,
)
from onmal.phrasebook.splits import Draw, Pool, Unavailable, ranked

_NOUNS: Final = LEXICON.nouns
_CLASSES: Final = LEXICON.classes
_FEELERS: Final = [("I", ME_UNSAID), ("we", WE)] + [(n.key, subject_of(n)) for n in LEXICON.classes["names"]]
FEELINGS: Final = Pool(
    "feeling",
    [(a, a.key, [(who, key) for key, who in _FEELERS]) for a in LEXICON.feelings],
    head_flatness=6,
    flatness=3,
)

CLIMATE: Final = ranked(list(LEXICON.climate), 4)
FALLING: Final = list(LEXICON.falling)
_RAINING: Final = {verb.key: EnglishVerb(f"be {verb.english.gerund}") for verb in FALLING}


def weather_group(
    key: int, tense: Tense, ending: str, style: Style = "polite", negative: bool = False
) -> Piece:
    """It rains or snows; said of now it is raining."""
    verb = FALLING[key]
    english = _RAINING[verb.key] if tense == "present" and ending not in ("if", "when") else verb.english
    return predicate(
        verb.korean, english, "plain", tense, negative, ending, style, IT, False, ending == "question"
    )


def agreement_of(noun: Noun) -> Agreement:
    """What a verb agrees with that has this noun as its subject."""
    return THEY if noun.kind in ("plural", "own") else IT


def _be(
    adjective: Adjective,
    who: Subject,
    style: Style,
    tense: Tense = "present",
    negative: bool = False,
    *,
    asks: bool = False,
) -> Piece:
    honored = who.is_honored or (who is YOU and style == "formal")
    ending = "question" if asks else "statement"
    return predicate(
        adjective.korean, adjective.be, "plain", tense, negative, ending, style, who.agreement, honored, asks
    )


_DEGREES: Final = ranked([Piece.of(ko, en) for ko, en in LEXICON.degrees], 2)


def _described(
    draw: Draw,
    adjective: Adjective,
    who: Subject,
    frame: str,
    how: Voice,
    role: str = "theme",
) -> Phrase:
    """Somebody or something is so; denied, asked or to some degree now and then."""
    choice = draw.random()
    asks, negative = choice < 0.15 and who is not ME_UNSAID and who is not WE, 0.15 <= choice < 0.3
    tense: Tense = "past" if draw.chance(0.2) else "present"
    degree = draw.pick(_DEGREES) if not asks and not negative and draw.chance(0.3) else None
    verb = _be(adjective, who, how.style, tense, negative, asks=asks)
    clause = build(who, (), (), verb, adverb=degree, inverted=asks, role=role)
    return speak(clause, frame, how, "?" if asks else ".")


@cache
def thing(noun: Noun, determiner: str) -> Subject:
    """A thing as the topic: 이 가방은, this bag."""
    piece = noun_phrase(noun, "은", determiner)
    return Subject(piece, piece, agreement_of(noun), noun)


def description(draw: Draw) -> Phrase:
    """이 가방은 아주 비싸요. This bag is very expensive."""
    how = voice(draw)
    noun, adjective = ATTRIBUTES.draw(draw)
    if noun.kind == "own" or noun in _CLASSES["everybody"]:
        raise Unavailable("description")
    if noun.kind == "the":
        determiner = "the"
    else:
        choice = draw.random()
        determiner = "the" if choice < 0.35 else "this" if choice < 0.6 else "that" if choice < 0.75 else "my"
        if noun.kind == "mass" and determiner == "my":
            determiner = "this"
    return _described(draw, adjective, thing(noun, determiner), "description", how)


def character(draw: Draw) -> Phrase:
    """제 동생은 친절해요. My younger sibling is kind."""
    how, adjective = voice(draw), draw.pick(_CHARACTERS)
    who = _CHARACTER.modifier(draw, adjective.key)
    return _described(draw, adjective, who, "character", how)


_CHARACTERS: Final = [a for a in LEXICON.adjectives if _NOUNS["의사"] in a.takes and a.english != "famous"]
_KNOWN_PEOPLE: Final = [
    *((n.key, subject_of(n)) for n in _CLASSES["names"]),
    *((n.key, subject_of(n, "my" if "family" in n.marks else "the")) for n in _CLASSES["everybody"]),
]

_CHARACTER: Final = Pool(
    "character", [(a, a.key, [(who, key) for key, who in _KNOWN_PEOPLE]) for a in _CHARACTERS], flatness=10
)


def feeling(draw: Draw) -> Phrase:
    """민수는 오늘 피곤해요. Minsu is tired today."""
    how = voice(draw)
    adjective, who = FEELINGS.draw(draw)
    if who is ME_UNSAID and draw.chance(0.25):
        verb = _be(adjective, YOU, how.style, asks=True)
        return speak(build(YOU, (), (), verb, inverted=True, role="experiencer"), "feeling", how, "?")
    return _described(draw, adjective, who, "feeling", how, role="experiencer")


_HURT: Final = Predicate("아프", "adjective")
_SUFFERERS: Final = [("I", ME_UNSAID)] + [(n.key, subject_of(n)) for n in _CLASSES["names"]]
_PAINS: Final = Pool(
    "pain",
    [(n, n.key, [(who, key) for key, who in _SUFFERERS]) for n in LEXICON.pains],
    head_flatness=6,
    flatness=3,
)


def pain(draw: Draw) -> Phrase:
    """민수는 머리가 아파요. Minsu's head hurts."""
    how = voice(draw)
    part, who = _PAINS.draw(draw)
    negative, tense = draw.chance(0.15), draw.pick(_NOW_OR_THEN)
    agreement = IT if part.kind == "hurts" else THEY
    if agreement == THEY and not negative:
        tense = "present"  # "my eyes hurt" would be past as well
    verb = predicate(
        _HURT, EnglishVerb("hurt"), "plain", tense, negative, "statement", how.style, agreement, False, False
    )
    korean = attach(part.korean, "이")
    if who.noun is None:
        whole = Piece.of(korean, f"my {part.english}")
        return speak(Clause([whole, verb], [0, 4, 3], [("theme", 0), ("verb", 1)]), "pain", how)
    sufferer = Piece.of(who.topic.korean[0], possessive(who.noun.english))
    theme = Piece.of(korean, part.english)
    return speak(
        Clause([sufferer, theme, verb], [0, 3, 7, 6], [("experiencer", 0), ("theme", 1), ("verb", 2)]),
        "pain",
        how,
    )


_NOW_OR_THEN: Final[tuple[Tense, ...]] = ("present", "present", "past")
_REGIONS: Final = _CLASSES["cities"] + _CLASSES["countries"]
_CLIMATES: Final = Pool(
    "weather", [(a, a.key, [(n, n.key) for n in _REGIONS]) for a in LEXICON.climate], head_flatness=4
)

_SKIES: Final = Pool(
    "sky",
    [(at, v.key, [(n, n.key) for n in _REGIONS]) for at, v in enumerate(LEXICON.falling)],
    head_flatness=4,
)

_WEATHER: Final = _NOUNS["날씨"]


@cache
def _regional_weather(region: Noun) -> Subject:
    korean = (region.korean, attach(_WEATHER.korean, "이"))
    english = ("the", "weather", "in", *region.english.split())
    links = ((1, 0), (1, 1), *((0, j) for j in range(2, len(english))))
    piece = Piece(korean, (english, (), ()), (links, (), ()), (1, 1))
    return Subject(piece, piece, IT, is_topic=False)


def weather(draw: Draw) -> Phrase:
    """서울 날씨가 추워요. The weather in Seoul is cold."""
    how = voice(draw)
    adjective, region = _CLIMATES.draw(draw)
    return _described(draw, adjective, _regional_weather(region), "weather", how)


def rain(draw: Draw) -> Phrase:
    """어제 서울에 비가 왔어요. It rained in Seoul yesterday."""
    how = voice(draw)
    key, region = _SKIES.draw(draw)
    tense: Tense = draw.pick(("past", "past", "present", "future"))
    asks = draw.chance(0.2)
    negative = not asks and draw.chance(0.15)
    place = Piece.of(f"{region.korean}에", region.at)
    verb = weather_group(key, tense, "question" if asks else "statement", how.style, negative)
    time = time_for(draw, tense, 0.5) if tense != "present" else None
    clause = build(IT_UNSAID, (("place", place),), (0,), verb, time=time, inverted=asks)
    return speak(clause, "rain and snow", how, "?" if asks else ".")


_TRADES: Final = [
    n
    for n in _CLASSES["everybody"]
    if "family" not in n.marks and n.key not in ("아이", "손님", "아기", "남자", "여자", "교수님", "사장님")
]

_BEARERS: Final = [
    ("I", ME_SAID),
    *((n.key, subject_of(n)) for n in _CLASSES["names"]),
    *((n.key, subject_of(n, "my")) for n in _CLASSES["everybody"] if "family" in n.marks),
]

_IDENTITIES: Final = Pool(
    "identity",
    [(n, n.key, [(who, key) for key, who in _BEARERS]) for n in _TRADES],
    head_flatness=8,
    flatness=5,
)


def identity(draw: Draw) -> Phrase:
    """제 아버지는 의사세요. My father is a doctor."""
    how = voice(draw)
    noun, who = _IDENTITIES.draw(draw)
    choice = draw.random()
    asks, negative = choice < 0.2, 0.2 <= choice < 0.35
    if asks and who is ME_SAID:
        who = YOU
    tense: Tense = "past" if draw.chance(0.2) else "present"
    honored_ = who.is_honored or (who is YOU and how.style == "formal")
    be = copula(noun.korean, noun.phrase(), who.agreement, how.style, tense, negative, asks, honored_)
    return speak(build(who, (), (), be, inverted=asks, role="theme"), "identity", how, "?" if asks else ".")


_COME_FROM: Final = Predicate("오", "verb")
_ORIGINS: Final = Pool(
    "origin",
    [(n, n.key, [(who, key) for key, who in _BEARERS if who is ME_SAID or who.owner]) for n in _REGIONS],
    flatness=6,
)


def origin(draw: Draw) -> Phrase:
    """저는 한국에서 왔어요. I came from Korea."""
    how = voice(draw)
    place, who = _ORIGINS.draw(draw)
    asks = draw.chance(0.2)
    if who is ME_SAID:
        who = YOU if asks else ME_UNSAID
    honored_ = who is YOU and how.style == "formal"
    verb = predicate(
        _COME_FROM, EnglishVerb("come"), "plain", "past", False, "question" if asks else "statement", how.style,
        who.agreement, honored_, asks,
    )  # fmt: skip
    source = Piece.of(f"{place.korean}에서", f"from {place.english}")
    return speak(
        build(who, (("source", source),), (0,), verb, inverted=asks), "origin", how, "?" if asks else "."
    )


FRAMES: Final[dict[str, tuple[int, Frame]]] = {
    "description": (75, description),
    "character": (12, character),
    "feeling": (16, feeling),
    "pain": (12, pain),
    "weather": (12, weather),
    "rain and snow": (12, rain),
    "identity": (22, identity),
    "origin": (10, origin),
}
