"""Frames about where things and people are, and what people have."""

from __future__ import annotations

from typing import Final

from onmal.phrasebook.english import EnglishVerb, ordinal
from onmal.phrasebook.frames.describing import agreement_of
from onmal.phrasebook.frames.speech import Frame, speak, time_for, voice
from onmal.phrasebook.grammar import (
    ME_UNSAID,
    YOU,
    Clause,
    Phrase,
    Subject,
    build,
    noun_phrase,
    subject_of,
)
from onmal.phrasebook.korean import EXIST, LACK
from onmal.phrasebook.lexicon import LEXICON
from onmal.phrasebook.numbers import sino
from onmal.phrasebook.predicates import (
    MAIN,
    Agreement,
    Piece,
    Style,
    Tense,
    predicate,
)
from onmal.phrasebook.splits import Draw, Pool, Unavailable, ranked

_NOUNS: Final = LEXICON.nouns
_CLASSES: Final = LEXICON.classes
_THERE_BE: Final = EnglishVerb("be there")


def _existence(agreement: Agreement, tense: Tense, negative: bool, asks: bool, style: Style) -> Piece:
    """There is; there isn't."""
    return predicate(
        LACK if negative else EXIST, _THERE_BE, "lack" if negative else "plain", tense, negative,
        "question" if asks else "statement", style, agreement, False, asks,
    )  # fmt: skip


_SPOTS: Final = Pool(
    "spot", [((ko, en), ko, [(n, n.key) for n in takes]) for ko, en, takes in LEXICON.spots], flatness=5
)


def _beside(landmark: Piece, side: str, preposition: str) -> Piece:
    """A place by a landmark: 책상 위에, on the desk."""
    before, at = tuple(preposition.split()), len(landmark.korean)
    size = len(before)
    links = tuple((at, j) for j in range(size)) + tuple((i, j + size) for i, j in landmark.links[MAIN])
    english = before + landmark.english[MAIN]
    return Piece(
        (*landmark.korean, f"{side}에"), (english, (), ()), (links, (), ()), (at - 1, len(english) - 1)
    )


def existence(draw: Draw) -> Phrase:
    """책상 위에 책이 있어요. There is a book on the desk."""
    how = voice(draw)
    (korean, english), noun = _SPOTS.draw(draw)
    choice = draw.random()
    asks, negative = choice < 0.2, 0.2 <= choice < 0.35
    tense: Tense = "past" if draw.chance(0.2) else "present"
    landmark, side = korean.split()
    preposition, _, place = english.rpartition(" the ")
    spot = _beside(Piece.of(landmark, f"the {place}"), side, preposition)
    theme = noun_phrase(noun, "이")
    verb = _existence(agreement_of(noun), tense, negative, asks, how.style)
    front, main = (7, 6)
    order = [front, main, 3, 0] if asks else [main, front, 3, 0]
    clause = Clause([spot, theme, verb], order, [("place", 0), ("theme", 1), ("verb", 2)])
    return speak(clause, "existence", how, "?" if asks else ".")


_OWNED: Final = [
    *LEXICON.find(
        "goods gadget animals furniture 친구 형 누나 동생 아들 딸 사촌 조카 삼촌 이모 아내 남편 돈 시간 차/car 집 자전거"
    ),
    *LEXICON.find("여권 표 약 약속 숙제 회의 시험 비밀 수업 오토바이 안경 질문"),
]
_OWNERS: Final = [("I", ME_UNSAID), *((n.key, subject_of(n)) for n in _CLASSES["names"])]
_POSSESSIONS: Final = Pool(
    "possession",
    [(n, n.key, [(who, key) for key, who in _OWNERS]) for n in _OWNED],
    head_flatness=10,
    flatness=3,
)

_HAVE: Final = EnglishVerb("have")


def possession(draw: Draw) -> Phrase:
    """민수는 자전거가 있어요. Minsu has a bicycle."""
    how = voice(draw)
    noun, who = _POSSESSIONS.draw(draw)
    choice = draw.random()
    asks, negative = choice < 0.25, 0.25 <= choice < 0.45
    if asks and who is ME_UNSAID:
        who = YOU
    if asks and who is YOU and how.style == "formal":
        raise Unavailable("possession")
    tense: Tense = "past" if draw.chance(0.15) else "present"
    verb = predicate(
        LACK if negative else EXIST, _HAVE, "lack" if negative else "plain", tense, negative,
        "question" if asks else "statement", how.style, who.agreement, False, asks,
    )  # fmt: skip
    thing = noun_phrase(noun, "이")
    return speak(
        build(who, (("theme", thing),), (0,), verb, inverted=asks, role="possessor"),
        "possession",
        how,
        "?" if asks else ".",
    )


_SITES: Final = [n for n in _CLASSES["places"] if n.key not in ("바다", "산")]
_NEIGHBOURS: Final = Pool(
    "position",
    [(n, n.key, [(m, m.key) for m in _SITES if m is not n]) for n in _SITES],
    head_flatness=8,
    flatness=4,
)

_SIDES: Final = ranked(LEXICON.positions, 2)


def position(draw: Draw) -> Phrase:
    """약국은 은행 옆에 있어요. The pharmacy is next to the bank."""
    how = voice(draw)
    site, other = _NEIGHBOURS.draw(draw)
    korean, english = draw.pick(_SIDES)
    spot = _beside(noun_phrase(other, ""), korean, english)
    asks, who = draw.chance(0.2), subject_of(site, "the")
    verb = _located(who, how.style, asks=asks)
    clause = build(who, (("place", spot),), (0,), verb, inverted=asks, role="theme")
    return speak(clause, "position", how, "?" if asks else ".")


_BE: Final = EnglishVerb("be")


def _located(who: Subject, style: Style, tense: Tense = "present", *, asks: bool = False) -> Piece:
    """있어요 of where somebody or something is: is."""
    ending = "question" if asks else "statement"
    honored = who is YOU and style == "formal"
    return predicate(EXIST, _BE, "plain", tense, False, ending, style, who.agreement, honored, asks)


_WHEREABOUTS: Final = Pool(
    "whereabouts",
    [
        (n, n.key, [(who, key) for key, who in _OWNERS])
        for g in ("places", "home", "rooms", "cities")
        for n in _CLASSES[g]
    ],
    flatness=4,
)


def whereabouts(draw: Draw) -> Phrase:
    """민수는 어제 집에 있었어요. Minsu was at home yesterday."""
    how = voice(draw)
    place, who = _WHEREABOUTS.draw(draw)
    asks = draw.chance(0.2)
    if asks and who is ME_UNSAID:
        who = YOU
    tense: Tense = draw.pick(("present", "past", "past", "future"))
    time = time_for(draw, tense, 0.4) if tense != "present" else None
    verb = _located(who, how.style, tense, asks=asks)
    spot = Piece.of(f"{place.korean}에", place.at)
    clause = build(who, (("place", spot),), (0,), verb, inverted=asks, time=time, role="theme")
    return speak(clause, "whereabouts", how, "?" if asks else ".")


_WHERE: Final = Piece(("어디에",), ((), (), ("where",)), ((), (), ((0, 0),)), (0, 0))


def ask_site(draw: Draw) -> Phrase:
    """우체국은 어디에 있어요? Where is the post office?"""
    if draw.part != "train":
        raise Unavailable("a question without combinations")
    how, who = voice(draw), subject_of(draw.pick(_SITES), "the")
    verb = _located(who, how.style, asks=True)
    clause = build(who, (("place", _WHERE),), (), verb, inverted=True, role="theme")
    return speak(clause, "ask a place", how, "?")


_ROOMS: Final = LEXICON.find("사무실 교실 식당 카페 서점 약국 미용실 체육관 수영장 도서관 은행 빵집")
_FLOORS: Final = Pool("floor", [(n, n.key, [(k, str(k)) for k in range(1, 13)]) for n in _ROOMS], flatness=6)


def floor(draw: Draw) -> Phrase:
    """사무실은 삼 층에 있어요. The office is on the third floor."""
    how = voice(draw)
    room, number = _FLOORS.draw(draw)
    english = ("on", "the", ordinal(number), "floor")
    spot = Piece(
        (sino(number), "층에"), (english, (), ()), (((1, 0), (1, 1), (0, 2), (1, 3)), (), ()), (1, 3)
    )
    who = subject_of(room, "the")
    clause = build(who, (("place", spot),), (0,), _located(who, how.style), role="theme")
    return speak(clause, "floor", how)


FRAMES: Final[dict[str, tuple[int, Frame]]] = {
    "existence": (30, existence),
    "possession": (24, possession),
    "position": (14, position),
    "whereabouts": (16, whereabouts),
    "ask a place": (6, ask_site),
    "floor": (8, floor),
}
