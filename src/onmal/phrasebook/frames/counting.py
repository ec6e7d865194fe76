"""Frames with numbers: prices, orders, ages, lines, durations."""

from __future__ import annotations

from typing import Final

from onmal.phrasebook.english import cardinal
from onmal.phrasebook.events import Event
from onmal.phrasebook.frames.describing import thing
from onmal.phrasebook.frames.speech import Frame, group, sentence, speak, subject, time_for, voice
from onmal.phrasebook.grammar import (
    Clause,
    Phrase,
    Subject,
    build,
    counted,
    noun_phrase,
    subject_of,
)
from onmal.phrasebook.korean import attach
from onmal.phrasebook.lexicon import LEXICON
from onmal.phrasebook.numbers import count, native, price_in_words, sino
from onmal.phrasebook.pools import ATTRIBUTES
from onmal.phrasebook.predicates import (
    IT,
    Piece,
    Tense,
    command,
    copula,
)
from onmal.phrasebook.splits import Draw, Pool, Unavailable

_NOUNS: Final = LEXICON.nouns
_CLASSES: Final = LEXICON.classes


def _steps(unit: int, *, halves: bool = False) -> list[int]:
    whole = [n * unit for n in range(1, 10)]
    return whole + [n + unit // 2 for n in whole] if halves else whole


# What things cost, in won.
_PRICE_RANGES: Final = (
    (("stationery", "fruit", "kitchenware", "bathroom"), [*_steps(1000, halves=True), *_steps(100)]),
    (("goods", "clothes", "footwear", "book", "headwear"), [*_steps(10_000, halves=True), *_steps(1000)]),
    (("gadget", "furniture"), [*_steps(100_000), *_steps(1_000_000)]),
)

_FORTUNES: Final = [*_steps(10_000_000), *_steps(100_000_000)]
_PRICED: Final = {
    noun: amounts
    for groups, amounts in _PRICE_RANGES
    for group in groups
    for noun in _CLASSES[group]
    if noun.kind in ("count", "plural")
} | {_NOUNS[key]: _FORTUNES for key in ("집", "건물", "배/ship", "차/car")}

_PRICES: Final = Pool(
    "price",
    [(n, n.key, [(a, str(a)) for a in amounts]) for n, amounts in _PRICED.items()],
    head_flatness=15,
    flatness=8,
)


def price(draw: Draw) -> Phrase:
    """이 가방은 삼만 원이에요. This bag is thirty thousand won."""
    how = voice(draw)
    noun, amount = _PRICES.draw(draw)
    determiner = "this" if draw.chance(0.6) else "that"
    who = thing(noun, determiner)
    reading = price_in_words(amount)
    be = copula(reading.korean, reading.english, who.agreement, how.style)
    return speak(build(who, (), (), be, role="theme"), "price", how)


_COST: Final = Piece(("얼마예요",), ((), ("is",), ("how", "much")), ((), ((0, 0),), ((0, 0), (0, 1))), (0, 0))
_COSTS: Final = Piece(
    ("얼마예요",), ((), ("are",), ("how", "much")), ((), ((0, 0),), ((0, 0), (0, 1))), (0, 0)
)


def ask_price(draw: Draw) -> Phrase:
    """이 빨간 가방은 얼마예요? How much is this red bag?"""
    noun, adjective = ATTRIBUTES.draw(draw)
    if noun not in _PRICED:
        raise Unavailable("price")
    piece = noun_phrase(noun, "은", "this" if draw.chance(0.6) else "that", adjective)
    who = Subject(piece, piece, IT)
    cost = _COSTS if noun.kind == "plural" else _COST
    return speak(build(who, (), (), cost, inverted=True, role="theme"), "ask a price", mark="?")


def buy_for(draw: Draw) -> Phrase:
    """모자를 만 원에 샀어요. I bought a hat for ten thousand won."""
    how, who = voice(draw), subject(draw)
    noun, amount = _PRICES.draw(draw)
    buy = next(v for v in LEXICON.transitive if v.key == "사다/buy")
    if noun not in buy.takes:
        raise Unavailable("purchase")
    draw.use(("object", buy.key, noun.key))
    reading = price_in_words(amount)
    sum_ = Piece.of(f"{reading.korean}에", f"for {reading.english}")
    event = Event("", buy, (("patient", noun_phrase(noun, "을")), ("price", sum_)), (0, 1))
    return speak(
        sentence(event, who, group(event, who, tense="past", style=how.style)),
        "buy for a price",
        how,
    )


def order(draw: Draw) -> Phrase:
    """커피 두 잔 주세요. Two cups of coffee, please."""
    noun, number = _ORDERS.draw(draw)
    things = counted(noun, number, "")
    verb = Piece(("주세요",), (("please",), (), ()), (((0, 0),), (), ()), (0, 0))
    clause = Clause([things, verb], [0, -1, 3], [("patient", 0), ("verb", 1)])
    return speak(clause, "order")


_SERVED: Final = [
    noun
    for noun in LEXICON.find("drink dish sweet fruit vegetable 차/tea 배/pear 밤/chestnut 꽃 표 우표")
    if noun.counter
]
_ORDERS: Final = Pool("order", [(n, n.key, [(k, str(k)) for k in range(1, 11)]) for n in _SERVED], flatness=2)
_OLD_ENOUGH: Final = ("아내", "남편", "삼촌", "이모", "아버지", "어머니")
_YOUNG: Final = ("아들", "딸", "조카", "동생")


def _possible_ages(key: str) -> range:
    return range(28, 61) if key in _OLD_ENOUGH else range(2, 28) if key in _YOUNG else range(2, 61)


_AGED: Final = [
    *((n, subject_of(n)) for n in _CLASSES["names"]),
    *((n, subject_of(n, "my")) for n in _CLASSES["people"] if "family" in n.marks),
]

_AGES: Final = Pool(
    "age",
    [(who, n.key, [(years, str(years)) for years in _possible_ages(n.key)]) for n, who in _AGED],
    flatness=12,
)


def age(draw: Draw) -> Phrase:
    """제 동생은 열두 살이에요. My younger sibling is twelve years old."""
    how = voice(draw)
    who, years = _AGES.draw(draw)
    be = copula(f"{native(years, adnominal=True)} 살", f"{cardinal(years)} years old", IT, how.style)
    return speak(build(who, (), (), be, role="theme"), "age", how)


_LINES: Final = Pool("bus number", [("버스", "버스", [(k, str(k)) for k in range(1, 100)])], flatness=15)
_TAKE: Final = next(v for v in LEXICON.transitive if v.key == "타다/take")


def line(draw: Draw) -> Phrase:
    """이십일 번 버스를 타세요. Take bus number twenty-one."""
    vehicle, number = _LINES.draw(draw)
    english = ("bus", "number", cardinal(number))
    bus = Piece(
        (sino(number), "번", attach(vehicle, "을")),
        (english, (), ()),
        (((2, 0), (1, 1), (0, 2)), (), ()),
        (2, 0),
    )
    verb = command(_TAKE.korean, _TAKE.english, "instruction", "polite")
    return speak(build(None, (("patient", bus),), (0,), verb), "bus number")


_LASTING: Final = [verb for verb in LEXICON.intransitive if "lasting" in verb.marks]
_HOURS: Final = [((n, "시간", "hour"), f"{n} h") for n in range(1, 13)]
_MINUTES: Final = [((n, "분(minute)", "minute"), f"{n} min") for n in (10, 30, 20, 5, 40, 50)]
_SPANS: Final = Pool("duration", [(v, v.key, _HOURS + _MINUTES) for v in _LASTING], flatness=8)


def duration(draw: Draw) -> Phrase:
    """두 시간 동안 공부했어요. I studied for two hours."""
    how, who = voice(draw), subject(draw)
    verb, (number, unit, word) = _SPANS.draw(draw)
    korean = (*count(number, unit).split(), "동안")
    english = ("for", cardinal(number), word + ("s" if number > 1 else ""))
    span = Piece(korean, (english, (), ()), (((2, 0), (0, 1), (1, 2)), (), ()), (1, 2))
    event = Event("", verb, (("duration", span),), (0,))
    tense: Tense = draw.pick(("past", "past", "future"))
    group_ = group(event, who, tense=tense, style=how.style)
    return speak(sentence(event, who, group_, time_for(draw, tense, 0.15)), "duration", how)


FRAMES: Final[dict[str, tuple[int, Frame]]] = {
    "price": (18, price),
    "ask a price": (8, ask_price),
    "buy for a price": (8, buy_for),
    "order": (14, order),
    "age": (12, age),
    "bus number": (6, line),
    "duration": (10, duration),
}
