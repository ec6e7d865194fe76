"""The guard of numbers: which of them a translation has lost or invented."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from onmal.cleaning.figures import GROUPING, WITH_COMMAS, changed
from onmal.cleaning.filters import NUMBER_WORD
from onmal.cleaning.number_words import spelled, spells
from onmal.cleaning.numerals import english_numerals, european_numerals, korean_numerals
from onmal.data.pair import Pair
from onmal.text.language import primary

__all__ = ["Numbers"]

DIGITS = re.compile(r"\d+")
WRITTEN = re.compile("\\d+(?:[.,\u00a0\u202f'’]\\d{3}(?!\\d))*")
ONE_OF = re.compile(
    r"(?<!\w)[백천만](?:[이삼사오육칠팔구]| (?=[이삼사오육칠팔구]?[백천]|[원명개년](?!\w)|원))"
)  # 천오백: a thousand and more, without its one
LARGE_WORD = re.compile(
    rf"{NUMBER_WORD.pattern}|[이삼사오육칠팔구십][백천만억]|{ONE_OF.pattern}", NUMBER_WORD.flags
)
Reader = Callable[[str], Iterator[tuple[int, int]]]
READERS: dict[str, Reader] = {"en": english_numerals, "ko": korean_numerals}
FIGURE_READERS: dict[str, Reader] = READERS | dict.fromkeys(("de", "es", "fr"), european_numerals)
"""Those that read at least figures with a word."""
WORDED = re.compile(
    r"(?<![a-z\d])(?<!\d[.,])\d+(?:[.,]\d+)*\s?(?=만(?!큼)|[십백천억조十百千万萬億亿兆]|hundred|thousand|million|billion|trillion"
    r"|dozen|hundert|tausend|milli(?:on|[ae]r)|[mb]ill[oó]n|billiard|mil\b|(?:tsd|mio|mrd)\b)",
    re.IGNORECASE,
)
REST = re.compile(r"(?<=[\d십백천][만억조])\s?\d[\d,]*+(?=\s?(?:[원명개]|달러))")  # 3만 5,000원
RANGE = re.compile(
    r"(?<![\w.,:/-])(\d+(?:[.,]\d+)*)\s?(?:[-–~∼]|to|bis)\s?(\d+(?:[.,]\d+)*)"
    r"(\s?(?:[십백천만억조]+|(?:hundred|thousand|million|billion|trillion|tausend|milliard)))",
    re.IGNORECASE,
)
MORE_THAN = re.compile(r"(?<=\d)여(?=\s?[십백천만억조])")  # 10여만
SCALE = re.compile(
    r"[十百千万萬億亿兆]|hundert|tausend|mill(?:ion|iard|[oó]n|ier)|\b(?:mil|mille|miles|cien|cientos?|cents?|tsd|mio|mrd)\b"
    r"|billion|centaine|dutzend|douzaine|docena",
    re.IGNORECASE,
)
# 3만 is "3 only" and 6조 an article, but not before a unit.
PERHAPS_BARE = re.compile(
    r"(?<!\d)(\d+(?:[.,]\d+)*)\s?"
    r"(?:만(?!\s?(?:\d|[천여원명개년권대]|달러|유로|마리|킬로|미터|톤))|조(?!\s?(?:원|달러|\d+억)))"
)
SOME = re.compile("dozen|decade|score|다스", re.IGNORECASE)
AFTERNOON = re.compile(r"(?i)\b[ap]\.?m\b|afternoon|evening|noon|night|오[전후]|저녁|밤|정오|새벽|午後|下午")
FEW, SMALL, LONGEST = 3, 31, 100


@dataclass(frozen=True)
class Numbers:
    """A number of one side is not on the other: stricter than the filter, for which the same digits in any order will do.

    Figures with a word (3만, 2 million) are the number that they make together. Nothing is said of a small number on one side alone
    where a word or a month says it on the other, or may, in a language whose words for numbers are not known.
    """

    name: ClassVar[str] = "numbers"
    asked: tuple[str, ...] = ()
    """What the translation was asked to say."""

    def __call__(self, pair: Pair) -> str | None:
        if not DIGITS.search(pair.source) and not DIGITS.search(pair.target):
            return None
        written, pair = pair, _each_with_its_word(pair)
        source, target, turned = _numbers(pair.source), _numbers(pair.target), _turned(pair)
        lost = {n for n in source - target - _perhaps(turned) if not _in_words(n, pair)}
        lost |= _lost_with_word(pair)
        invented = {n for n in target - source - _perhaps(pair) if not _in_words(n, turned)}
        invented |= _lost_with_word(turned)
        invented -= {number for text in self.asked for number in _numbers(text)}
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
            return changed(written)
        return "; ".join(
            f"{what} {', '.join(map(str, sorted(some)[:3]))}"
            for what, some in (("lost", lost), ("invented", invented))
            if some
        )

    def to_say(self, pair: Pair) -> list[tuple[str, ...]]:
        """The numbers that were lost: as the source writes them, or in words; in figures what it has a word for."""
        pair = _each_with_its_word(pair)
        there = _numbers(pair.target)
        lost = {
            number: n
            for number in WRITTEN.findall(_without_worded(pair.source))
            for n in _numbers(number) - there
            if not _spells(n, pair)
        }
        large = "{:,}" if primary(pair.target_language or "x-any") in WITH_COMMAS else "{}"
        return [
            *((number, *spelled(n, pair.target_language)) for number, n in lost.items()),
            *((large.format(n),) for n in sorted(_lost_with_word(pair))),
        ]


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
        return any(n == number for _, n in read(pair.target))
    return _begins(number, pair)


def _begins(number: int, pair: Pair) -> bool:
    """Whether the target may say the two first digits of a large number, or the first one."""
    language = pair.target_language
    powers = (2, 3, 4, 8, 12) if language and primary(language) in ("ko", "ja", "zh") else (2, 3, 6, 9, 12)
    leads = [lead for power in powers if 0 < (lead := number // 10**power) < 100]
    return not leads or any(
        spells(pair.target, lead, language) is not False
        or str(lead) in pair.target
        or (lead == 1 and ONE_OF.search(pair.target))
        for lead in leads
    )


def _lost_with_word(pair: Pair) -> set[int]:
    """The numbers that the source makes of figures and a word, and that the target says in neither way.

    One that may be meant in several ways is kept if one of them is; the lost one is then the largest.
    """
    starts = {found.start() for found in WORDED.finditer(pair.source)}
    if not starts or not pair.target_language:
        return set()
    language = pair.source_language and primary(pair.source_language)
    readers = [FIGURE_READERS[language]] if language in FIGURE_READERS else []
    meant: dict[int, set[int]] = {}
    for read in readers if language else READERS.values():
        for start, value in read(pair.source):
            if start in starts:
                meant.setdefault(start, set()).add(value)
    there = _numbers(pair.target)
    return {
        max(values)
        for start, values in meant.items()
        if not values & there and not _said(values, pair) and not _bare(start, there, pair)
    }


def _bare(start: int, there: set[int], pair: Pair) -> bool:
    """Whether the figures that begin there are meant without their word, and the target says them."""
    found = PERHAPS_BARE.match(pair.source, start)
    return found is not None and all(n in there or _in_words(n, pair) for n in _numbers(found[1]))


def _perhaps(pair: Pair) -> set[int]:
    """Figures of the source that a word need not make larger."""
    return {n for found in PERHAPS_BARE.finditer(pair.source) for n in _numbers(found[1])}


def _said(values: set[int], pair: Pair) -> bool:
    """Whether the target says one of these numbers with a word that makes it large, or may, in a language whose words are not known."""
    language = primary(pair.target_language)
    if any(value < 100 and _in_words(value, pair) for value in values):
        return True
    if read := READERS.get(language):
        return not values.isdisjoint(n for _, n in read(pair.target))
    if language not in (*FIGURE_READERS, "ja", "zh"):
        return True
    if read := FIGURE_READERS.get(language):
        if not values.isdisjoint(n for _, n in read(pair.target)):
            return True
        # What it says in figures has been read; there may be others in words.
        pair = Pair(pair.source, WORDED.sub("", pair.target), "", 0, pair.source_language, language)
    scales = {found[0].lower() for found in SCALE.finditer(pair.target)}
    if language in FIGURE_READERS and max(values) < 10**12:
        scales.discard("billion")  # which is so many there
    return bool(scales) and any(_begins(value, pair) for value in values)


def _numbers(text: str) -> set[int]:
    """The numbers in figures, but not those that a word makes larger."""
    if not DIGITS.search(text):
        return set()
    return {int(digits[:LONGEST]) for digits in DIGITS.findall(GROUPING.sub("", _without_worded(text)))}


def _without_worded(text: str) -> str:
    return WORDED.sub("", REST.sub("", text))


def _each_with_its_word(pair: Pair) -> Pair:
    """The same with 1~2만 as 1만~2만, and 10여만 as 10만."""
    source, target = (RANGE.sub(r"\1\3~\2\3", MORE_THAN.sub("", text)) for text in (pair.source, pair.target))
    return Pair(source, target, "", 0, pair.source_language, pair.target_language)
