"""Numbers that are written out, read exactly: "three thousand" is 3,000, 삼만 오천 is 35,000 and 3만 is 30,000."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

__all__ = ["english_numbers", "english_numerals", "european_numerals", "korean_numbers", "korean_numerals"]

_SYLLABLES = "일이삼사오육칠팔구"
_SIZES = {"십": 10, "백": 100, "천": 1000, "만": 10**4, "억": 10**8, "조": 10**12}
_LONGEST = 100
_FIGURES = r"\d+(?:,\d{3})*(?:\.\d+)?"
_NO_OWN_TEN = "".join(f"(?<!{ten} )" for ten in "열 스물 서른 마흔 쉰 예순 일흔 여든 아흔".split())  # noqa: SIM905
_RUN = re.compile(
    rf"(?<![\w.,-]){_NO_OWN_TEN}"
    rf"(?:{_FIGURES}(?=[십백천만억조])|[{_SYLLABLES}십백천만억조])"
    rf"(?:(?:(?<=[만억조])\s|(?<=[백천])\s(?=\d[십백]))?{_FIGURES}|(?<=[만억조])\s(?=[{_SYLLABLES}](?:[십백천]|\s?[원명개])|[십백천])|[{_SYLLABLES}십백천만억조])*"
)
_PART = re.compile(rf"({_FIGURES})|(\S)")
_IS = re.compile("에요|다|고|며|지|야|었|라|나|니")  # after 이, which is no 2 then
_UNITS = re.compile(
    r"\s?(?:번|분|개월|월|년|주|층|원|도|회|위|호|학년|등|점|초|인|편|부|면|과|단계|차|세기|쪽|킬로|미터|퍼센트)"
)
_OF_HUNDREDS = re.compile(rf"{_UNITS.pattern}|\s?[명개]")


def korean_numbers(text: str, *, days: bool = True) -> set[int]:
    """The numbers that a Korean text may say by words of Chinese origin, and by those after figures (3만).

    A word of one syllable is a number before a unit alone. 십일 is 11 or, where `days` may be meant, the tenth day; 삼월 is 3 where they may.
    """
    return {value for _, value in korean_numerals(text, days=days)}


def korean_numerals(text: str, *, days: bool = True) -> Iterator[tuple[int, int]]:
    """Where each of these numbers begins, and one of its readings."""
    return ((found.start(), value) for found in _RUN.finditer(text) for value in _readings(found, days))


def _readings(found: re.Match[str], days: bool) -> Iterator[int]:
    run, text, end = found[0], found.string, found.end()
    if not days and text.startswith(("월", " 월"), end):
        return
    # 이 is no 2 before an ending, and seldom after figures: 3만이 넘는다.
    is_ending = run[-1] == "이" and (_IS.match(text, end) or run[0].isdigit())
    stems = [run, run[:-1]] if is_ending else [run]
    stems += [stem[:-1] for stem in stems if stem[1:] and stem[-1] == "일" and days]
    for stem in stems:
        units = _OF_HUNDREDS if stem in _SIZES else _UNITS
        followed = units.match(text, end) or (stem in _SIZES and stem != run) or (run[1:2] == "일" and days)
        if (len(stem) > 1 or followed) and (value := _korean_value(stem)) is not None:
            yield value


def _figure(figures: str) -> float:
    """Of endless figures the first ones, for no float holds more than 308."""
    return float(figures.replace(",", "")[:_LONGEST])


def _korean_value(run: str) -> int | None:
    """None where sizes do not fall, or digits stand side by side."""
    total = group = 0.0
    digit: float | None = None
    least, last = 10**4, 10**16  # the sizes before, within ten thousand and above
    for figures, syllable in _PART.findall(run):
        size = _SIZES.get(syllable, 0)
        if figures or not size:
            if digit is not None:
                return None
            digit = _figure(figures) if figures else 1.0 + _SYLLABLES.index(syllable)
        elif size < 10**4:
            if size >= least:
                return None
            group, digit, least = group + (1 if digit is None else digit) * size, None, size
        else:
            if size >= last:
                return None
            total += (group + (digit or 0) or 1) * size
            group, digit, least, last = 0.0, None, 10**4, size
    return round(total + group + (digit or 0))


_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen"
)
_WORDS = {word: number for number, word in enumerate(_ONES.split())} | {
    word: 10 * ten
    for ten, word in enumerate(
        ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"), 2
    )
}
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_ENGLISH = re.compile(rf"{_FIGURES}|[a-z]+|[^\sa-z\d-]", re.IGNORECASE)


def english_numbers(text: str) -> set[int]:
    """The numbers from 100 on that an English text says in words, and by words after figures (3 thousand)."""
    return {number for _, number in english_numerals(text)}


def english_numerals(text: str) -> Iterator[tuple[int, int]]:
    """Where each of these numbers begins, and its value."""
    total = group = 0.0
    before = start = 0  # the small word before, and where the number begins
    words = [(found.start(), found[0].lower()) for found in _ENGLISH.finditer(text)]
    for (at, word), (_, following) in pairwise([*words, (0, "."), (0, ".")]):
        said = round(total + group)
        if not (total or group):
            start = at
        if word in _WORDS:
            value = _WORDS[word]
            if 10 <= group < 100 and value >= 10:  # nineteen ninety-nine
                group *= 100
            elif group % 100 and not (before >= 20 and value < 10):
                if said >= 100:
                    yield start, said
                total, group, start = 0.0, 0.0, at
            group, before = group + value, value
        elif word in ("a", "an") and following in ("hundred", *_SCALES):
            group = 1.0
        elif word[0].isdigit():
            total, group, start = 0.0, _figure(word), at
        elif word == "hundred":
            group = (group or 1) * 100
        elif word in _SCALES:
            total, group = total + (group or 1) * _SCALES[word], 0.0
        elif not (word in ("and", ",") and (total or group >= 100) and following in _WORDS):
            if said >= 100:
                yield start, said
            total = group = 0.0


_EUROPEAN = {"hundert": 100, "tausend": 10**3, "tsd": 10**3, "mil millones": 10**9, "mil": 10**3}
_EUROPEAN |= {
    "milliard": 10**9,
    "mrd": 10**9,
    "billion": 10**12,
    "billón": 10**12,
    "billon": 10**12,
    "billiard": 10**15,
    "million": 10**6,
    "millon": 10**6,
    "millón": 10**6,
    "mio": 10**6,
}
_FIGURES_AND_WORD = re.compile(
    rf"(?<!\d)(?<!\d\.)(\d{{1,3}}(?:[.\u00a0\u202f]\d{{3}})+|\d+)(?:,(\d+))?\s?({'|'.join(sorted(_EUROPEAN, key=len, reverse=True))})",
    re.IGNORECASE,
)


def european_numerals(text: str) -> Iterator[tuple[int, int]]:
    """Where figures with a word begin in German, French or Spanish, and their value: 2,5 Millionen."""
    for found in _FIGURES_AND_WORD.finditer(text):
        whole, fraction, word = found.groups(default="0")
        if not text.startswith(("li", "le"), found.end()) or word.lower() != "mil":  # millimètre, mille
            whole = re.sub(r"\D", "", whole)
            value = float(f"{whole[:_LONGEST]}.{fraction[:_LONGEST]}")
            yield found.start(), round(value * _EUROPEAN[word.lower()])
