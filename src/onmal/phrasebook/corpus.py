"""The corpus: an endless stream of phrases for each split, the same for the same seed on every machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from onmal.errors import ConfigError
from onmal.phrasebook.events import interaction
from onmal.phrasebook.frames import FRAMES, LONG, Frame, interacting
from onmal.phrasebook.grammar import Phrase
from onmal.phrasebook.lexicon.homonyms import HOMONYMS
from onmal.phrasebook.predicates import Tense
from onmal.phrasebook.splits import Combination, Draw, Part, Unavailable

__all__ = ["FRAMES", "LONGEST", "SPLITS", "generate", "phrases", "sentences"]

SPLITS: Final = ("train", "valid", "test", "long", "roles", "homonyms")

# The longest sentence outside `long`, in Korean and in English words; every sentence of `long` exceeds both.
LONGEST: Final = (9, 13)

Sentence = tuple[Phrase, tuple[Combination, ...]]


def _wheel(frames: dict[str, tuple[int, Frame]]) -> list[Frame]:
    return [frame for share, frame in frames.values() for _ in range(share)]


_ALL: Final = _wheel(FRAMES)
_LONG: Final = _wheel(LONG)


def sentences(split: str = "train", *, seed: int = 0) -> Iterator[Sentence]:
    """Phrases with the combinations (splits.py) that they were built from."""
    if split not in SPLITS:
        raise ConfigError(f"unknown split {split!r} of the phrasebook", f"choose one of {', '.join(SPLITS)}")
    part: Part = split if split in ("train", "valid") else "test"  # type: ignore[assignment]
    draw = Draw(split, part, seed)
    return _STREAMS.get(split, _ordinary)(draw)


def generate(split: str = "train", *, seed: int = 0) -> Iterator[Phrase]:
    """Endless phrases of a split, the same for the same split and seed. ConfigError for an unknown split.

    `train` is for training; `valid` and `test` are built from combinations of words that it never has; `long` is longer than
    anything in it; `roles` are pairs in which two participants change places; `homonyms` have words of several senses.
    """
    stream = sentences(split, seed=seed)
    return (phrase for phrase, _ in stream)


def phrases(split: str, count: int, *, seed: int = 0) -> list[Phrase]:
    """The first `count` phrases of a split; in every split but `train` no phrase occurs twice."""
    stream = generate(split, seed=seed)
    if split == "train":
        return list(islice(stream, count))
    found: dict[str, Phrase] = {}
    while len(found) < count:
        # The two of a reversed pair come and go together.
        together = [next(stream) for _ in range(2 if split == "roles" else 1)]
        if together[0].korean not in found:
            found |= {phrase.korean: phrase for phrase in together}
    return list(found.values())[:count]


def _tries(draw: Draw, wheel: list[Frame]) -> Iterator[Sentence]:
    """Sentences from these frames, in all lengths; one that the part cannot say is given up."""
    random, size = draw.random, len(wheel)
    while True:
        draw.used = []
        try:
            phrase = wheel[int(random() * size)](draw)
        except Unavailable:
            continue
        if draw.used or draw.part == "train":
            yield phrase, tuple(draw.used)


def _fits(phrase: Phrase) -> bool:
    return phrase.korean.count(" ") < LONGEST[0] and phrase.english.count(" ") < LONGEST[1]


def _ordinary(draw: Draw) -> Iterator[Sentence]:
    return (said for said in _tries(draw, _ALL) if _fits(said[0]))


def _long(draw: Draw) -> Iterator[Sentence]:
    for said in _tries(draw, _LONG):
        if said[0].korean.count(" ") >= LONGEST[0] and said[0].english.count(" ") >= LONGEST[1]:
            yield said


_TENSES: Final[tuple[Tense, ...]] = ("past", "past", "present", "future")


def _roles(draw: Draw) -> Iterator[Sentence]:
    """Pairs, one after the other: who acted is acted upon in the second, and all else is the same."""
    while True:
        draw.used = []
        try:
            pair = interaction(draw)
        except Unavailable:
            continue
        tense, negative, used = draw.pick(_TENSES), draw.chance(0.15), tuple(draw.used)
        try:
            both = interacting(pair, tense, negative), interacting(pair.reversed(), tense, negative)
        except Unavailable:
            continue
        yield both[0], used
        yield both[1], used


# Idioms with a homonym inside, and its sense there.
_IDIOMS: Final = {
    "눈이 오다/snow": "눈/snow",
    "배가 고프다/hungry": "배/stomach",
    "배가 부르다/full": "배/stomach",
}


def _sense(used: list[Combination]) -> str:
    """The first homonym among these combinations, with its sense (배/ship); "" if there is none."""
    for _, *keys in used:
        for key in keys:
            if key in _IDIOMS:
                return _IDIOMS[key]
            if key.partition("/")[0] in HOMONYMS:
                return key.removesuffix("/pain")
    return ""


def _homonyms(draw: Draw) -> Iterator[Sentence]:
    """Sentences with a homonym; a sense that has come up too often waits for the others."""
    counts: Counter[str] = Counter()
    for said in _ordinary(draw):
        sense = _sense(draw.used)
        if sense and counts[sense] <= 2 * counts.total() / max(1, len(counts)):
            counts[sense] += 1
            yield said


_STREAMS: Final[dict[str, Callable[[Draw], Iterator[Sentence]]]] = {
    "long": _long,
    "roles": _roles,
    "homonyms": _homonyms,
}
