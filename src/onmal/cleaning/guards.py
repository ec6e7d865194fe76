"""What was lost, changed or invented in a translation: each guard names one fault of a sentence beside its translation.

A guard is a filter of `onmal.cleaning`: what is wrong with a pair in a corpus is wrong with a pair that a network has made.
Where the best hypothesis has a fault and another has none, that one is taken. What is tried where all have is told in
`onmal.translating.draft`; a guard may know how else to search (`Steering`), or what is missing (`Mending`). What is still wrong then
is a warning.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import ClassVar, Protocol, runtime_checkable

from onmal.cleaning.filters import NUMBER_WORD, Empty, Filter, Identical, LengthRatio
from onmal.cleaning.number_words import spelled, spells
from onmal.cleaning.numerals import english_numbers, korean_numbers
from onmal.config import SearchConfig
from onmal.data.pair import Pair
from onmal.text.fragments import find_fragments
from onmal.text.language import count_scripts, primary, script_of
from onmal.text.segment import split_sentences
from onmal.text.terms import says

__all__ = [
    "GUARDS",
    "Broken",
    "Copied",
    "Forbidden",
    "Fragments",
    "Mending",
    "Numbers",
    "Repetition",
    "Sentences",
    "Steering",
    "faults",
    "to_say",
]

DIGITS = re.compile(r"\d+")
GROUPING = re.compile("(?<=\\d)[.,\u00a0\u202f'’](?=\\d{3}(?!\\d))")  # of thousands
WRITTEN = re.compile("\\d+(?:[.,\u00a0\u202f'’]\\d{3}(?!\\d))*")
ONE_OF = re.compile(
    r"(?<!\w)[백천만](?:[이삼사오육칠팔구]| (?=[이삼사오육칠팔구]?[백천]|[원명개년](?!\w)|원))"
)  # 천오백: a thousand and more, without its one
LARGE_WORD = re.compile(
    rf"{NUMBER_WORD.pattern}|[이삼사오육칠팔구십][백천만억]|{ONE_OF.pattern}", NUMBER_WORD.flags
)
READERS: dict[str, Callable[[str], set[int]]] = {"en": english_numbers, "ko": korean_numbers}
WORDED = re.compile(
    r"\d+(?:[.,]\d+)*\s?(?=만(?!큼)|[십백천억조十百千万萬億亿兆]|hundred|thousand|million|billion|trillion|dozen|hundert|tausend"
    r"|milli|mil\b)",
    re.IGNORECASE,
)
SOME = re.compile("dozen|decade|score|다스", re.IGNORECASE)
AFTERNOON = re.compile(r"(?i)\b[ap]\.?m\b|afternoon|evening|noon|night|오[전후]|저녁|밤|정오|새벽|午後|下午")
DATE = re.compile(r"(?<!\d)(\d{4})[-./](\d{1,2})[-./](\d{1,2})(?!\d)")
DECIMAL = re.compile(r"(?<![\d.,:/-])(\d+)[.,](\d+)(?![.,:/-]?\d)")
LEADING_ZERO = re.compile(r"(?<![\d.,:/-])0\d{2,}(?!\d)")
NEGATIVE = re.compile(r"(?<![^\s(])[-−]\d+(?!\s?[-–~])")
MINUS = re.compile("[-−–‐]|minus|negative|below|under|영하|마이너스|moins|unter", re.IGNORECASE)
FEW, SMALL, LONGEST = 3, 31, 100
TIMES, MOST_WORDS, MOST_CHARACTERS = 3, 6, 8
LONG = (
    12  # characters of a word that may be many: a sentence in a language without spaces, or bytes gone wrong
)


@dataclass(frozen=True)
class Numbers:
    """A number of one side is not on the other: stricter than the filter, for which the same digits in any order will do.

    Nothing is said where a word stands for digits (3만, 2 million) and the other side says so many, nor of a small number on one
    side alone where a word or a month says it on the other, or may, in a language whose words for numbers are not known.
    """

    name: ClassVar[str] = "numbers"

    def __call__(self, pair: Pair) -> str | None:
        source, target = _numbers(pair.source), _numbers(pair.target)
        if source == target:
            return _changed(pair) if source else None
        lost = {n for n in source - target if not _in_words(n, pair)}
        invented = {n for n in target - source if not _in_words(n, _turned(pair))}
        if lost and invented and AFTERNOON.search(f"{pair.source} {pair.target}"):  # 3 p.m. is 15 o'clock
            hours = {n + 12 for n in lost if n + 12 in invented} | {n for n in lost if n - 12 in invented}
            lost, invented = (
                lost - hours - {n - 12 for n in hours},
                invented - hours - {n - 12 for n in hours},
            )
        unsaid = any(n and _spells(n, pair) is False for n in lost) or any(
            FEW < n <= SMALL and spells(pair.source, n, pair.source_language) is False for n in invented
        )
        doubtful = (lost and invented) or any(number > SMALL for number in lost | invented)
        if not (doubtful or unsaid):
            return None
        return "; ".join(
            f"{what} {', '.join(map(str, sorted(some)[:3]))}"
            for what, some in (("lost", lost), ("invented", invented))
            if some
        )

    def to_say(self, pair: Pair) -> list[tuple[str, ...]]:
        """The numbers that were lost: as the source writes them, or in words."""
        there = _numbers(pair.target)
        lost = {
            number: n
            for number in WRITTEN.findall(WORDED.sub("", pair.source))
            for n in _numbers(number) - there
            if not _spells(n, pair)
        }
        return [(number, *spelled(n, pair.target_language)) for number, n in lost.items()]


def _spells(number: int, pair: Pair) -> bool | None:
    return spells(pair.target, number, pair.target_language, pair.source)


def _turned(pair: Pair) -> Pair:
    """The same with its sides exchanged."""
    return Pair(pair.target, pair.source, "", 0, pair.target_language, pair.source_language)


def _in_words(number: int, pair: Pair) -> bool:
    """Whether the target may say the number in words, or partly: "three thousand" or "3 thousand" for 3,000."""
    language = pair.target_language
    if number < 100:
        return bool(_spells(number, pair)) or bool(SOME.search(pair.target))
    if not LARGE_WORD.search(pair.target):
        return False
    if language and (read := READERS.get(primary(language))):
        return number in read(pair.target)
    powers = (2, 3, 4, 8, 12) if language and primary(language) in ("ko", "ja", "zh") else (2, 3, 6, 9, 12)
    leads = [lead for power in powers if 0 < (lead := number // 10**power) < 100]
    return not leads or any(
        spells(pair.target, lead, language) is not False
        or str(lead) in pair.target
        or (lead == 1 and ONE_OF.search(pair.target))
        for lead in leads
    )


def _numbers(text: str) -> set[int]:
    """The numbers in figures, but not those that a word makes larger."""
    if not DIGITS.search(text):
        return set()
    return {int(digits[:LONGEST]) for digits in DIGITS.findall(GROUPING.sub("", WORDED.sub("", text)))}


def _changed(pair: Pair) -> str | None:
    """What is wrong with numbers that are the same on both sides one by one: their order in a date, their zeros, their sign."""
    source, target = (GROUPING.sub("", text) for text in (pair.source, pair.target))
    for written in (DATE, DECIMAL):
        sides = [[tuple(map(int, each)) for each in written.findall(text)] for text in (source, target)]
        if all(sides) and sorted(sides[0]) != sorted(sides[1]):
            return f"changed {', '.join(found[0] for found in written.finditer(source))}"
    zeros = [number for number in LEADING_ZERO.findall(source) if number not in target]
    if zeros:
        return f"changed {', '.join(zeros)}"
    below = NEGATIVE.search(source)
    return f"changed {below[0]}" if below and not MINUS.search(target) else None


@dataclass(frozen=True)
class Repetition:
    """The translation says some words three times in a row, or some characters of a word five times; the source does not.

    Of a source that does, a translation may say something as often, and twice more.
    """

    name: ClassVar[str] = "repetition"

    def __call__(self, pair: Pair) -> str | None:
        said, times = _said_again(pair.target)
        _, before = _said_again(pair.source) if said else ("", 0)
        return f"{said!r} again and again" if times > (before + 2 if before else 0) else None

    def steer(self, config: SearchConfig) -> list[SearchConfig]:
        """Searches that say no three words twice, and no two, which a word three times in a row is."""
        most = config.no_repeat_ngram or TIMES
        return [config.replace(no_repeat_ngram=min(most, words)) for words in (TIMES, TIMES - 1)]


def _said_again(text: str) -> tuple[str, int]:
    """What is said most often in a row, and how often; nothing where that is no fault."""
    words = text.split()
    # Of a run all but the first are there already, so there can be none of more words than this.
    longest = (len(words) - len(set(words))) // (TIMES - 1)
    found = [("", 0)]
    for length in range(1, min(longest, MOST_WORDS) + 1):
        times, at = _longest_run(words, length)
        if times >= TIMES:
            found.append((" ".join(words[at : at + length]), times))
    for word in filter(lambda word: len(word) > LONG, words):
        longest = (len(word) - len(set(word))) // (TIMES + 1)
        for length in range(1, min(longest, MOST_CHARACTERS) + 1):
            times, at = _longest_run(word, length)
            if times >= TIMES + 2 and word[at].isalpha():
                found.append((word[at : at + length], times))
    return max(found, key=lambda run: run[1])


def _longest_run(items: Sequence[str], length: int) -> tuple[int, int]:
    """How many times in a row `length` items are there at most, and where that begins."""
    same = most = end = 0
    for at, (item, later) in enumerate(zip(items, islice(items, length, None), strict=False), 1):
        same = same + 1 if item == later else 0
        if same > most:
            most, end = same, at
    return most // length + 1, end - most


@dataclass(frozen=True)
class Sentences:
    """Fewer sentences than the source, where that has several."""

    name: ClassVar[str] = "sentences"

    def __call__(self, pair: Pair) -> str | None:
        said = len(split_sentences(pair.source, pair.source_language))
        told = len(split_sentences(pair.target, pair.target_language)) if said > 1 else said
        return f"{said} became {told}" if told < said else None


@dataclass(frozen=True)
class Copied:
    """All words of the source stand in the translation as they were, or some words are in the source's script, which its language does not have.

    Latin letters are at home everywhere.
    """

    name: ClassVar[str] = "copied"

    def __call__(self, pair: Pair) -> str | None:
        sides = pair.source.casefold(), pair.target.casefold()
        same = all(
            one == other for one, other in zip_longest(*map(_words, sides))
        )  # most differ in the first
        if same and sum(1 for _ in islice(_words(sides[0]), 2)) > 1 and pair.source != pair.target:
            return "the words are those of the source"
        if not pair.source_language or not pair.target_language or pair.target.isascii():
            return None
        at_home = script_of(pair.target_language)  # nothing where any script may be right
        foreign = script_of(pair.source_language) - at_home - {"Latn"} if at_home else frozenset()
        if not foreign:
            return None
        strange = {word for word in _words(pair.target) if foreign & count_scripts(word).keys()}
        return ", ".join(sorted(strange)[:3]) if strange else None


def _words(text: str) -> Iterator[str]:
    return (word[0] for word in re.finditer(r"[^\W\d_]+", text))


@dataclass(frozen=True)
class Fragments:
    """The network says an address, markup or a placeholder, though all of those were taken out of what it read."""

    name: ClassVar[str] = "fragments"

    def __call__(self, pair: Pair) -> str | None:
        said = [pair.target[start:end] for _, start, end in find_fragments(pair.target)]
        invented = [each for each in said if each not in pair.source]
        return f"invented {', '.join(invented[:3])}" if invented else None


@dataclass(frozen=True)
class Broken:
    """The network spells, byte by byte, what is no character; the source has nothing of the kind."""

    name: ClassVar[str] = "broken"

    def __call__(self, pair: Pair) -> str | None:
        if "\ufffd" not in pair.target or "\ufffd" in pair.source:
            return None
        return f"{pair.target.count(chr(0xFFFD))} bytes or more that are no characters"


@dataclass(frozen=True)
class Forbidden:
    """The translation says what it must not say."""

    name: ClassVar[str] = "said"
    never: tuple[str, ...]

    def __call__(self, pair: Pair) -> str | None:
        said = [word for word in self.never if says(pair.target, word, pair.target_language)]
        return ", ".join(said) if said else None


GUARDS: tuple[Filter, ...] = (
    Empty(),
    Identical(),
    Copied(),
    LengthRatio(limit=2.5),
    Numbers(),
    Fragments(),
    Broken(),
    Repetition(),
    Sentences(),
)
"""Those that watch over every translation."""


def faults(guards: Sequence[Filter], pair: Pair) -> list[str]:
    """Each fault of a translation by its name, with what is wrong."""
    return [f"{guard.name}: {what}" for guard in guards if (what := guard(pair))]


@runtime_checkable
class Mending(Protocol):
    """A guard that knows what a translation has to say to be without its fault."""

    def to_say(self, pair: Pair) -> list[tuple[str, ...]]:
        """Words or phrases, each with other ways to say the same."""


@runtime_checkable
class Steering(Protocol):
    """A guard that knows searches which do not lead to its fault."""

    def steer(self, config: SearchConfig) -> Sequence[SearchConfig]:
        """Other searches than this one, those that change less first."""


def to_say(guards: Sequence[Filter], pair: Pair) -> list[tuple[str, ...]]:
    """What would mend a translation, as far as the guards know."""
    return [ways for guard in guards if isinstance(guard, Mending) for ways in guard.to_say(pair)]
