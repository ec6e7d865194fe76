"""Small numbers in words: 7 is "seven", "seventh" and "July" too."""

from __future__ import annotations

import re
import tomllib
from functools import cache, partial
from importlib.resources import files

from onmal.cleaning.numerals import korean_numbers
from onmal.data.pair import Pair
from onmal.text.language import primary

__all__ = ["in_words", "says_another", "spelled", "spells"]

_TABLES = tomllib.loads(files("onmal.cleaning").joinpath("number_words.toml").read_text(encoding="utf-8"))
_TENS = {language: [ways.split() for ways in row] for language, row in _TABLES.pop("tens").items()}
_JOINED = {
    "en": "{ten}-{one}",
    "de": "{one}und{ten}",
    "es": "{ten} y {one}",
    "fr": "{ten}-{one}",
    "ko": "{ten}{one}",
}
_SMALL = re.compile(r"(?<![\d.,:])\d{1,2}(?!(?:[.,:]?\d))")
_BEFORE = {language: rf"(?:{'|'.join(words.split())})" for language, words in _TABLES.pop("before").items()}
_MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december"
_AFTER_NO_MONTH = "".join(f"(?<!{month} )(?<!{month[:3]} )" for month in _MONTHS.split("|"))
_OTHERS = (  # than days and dates, of which an English source has so many
    rf"(?i:(?:half|quarter|minutes) (?:past|to) {{n}}(?!\d)|{_AFTER_NO_MONTH}(?<![\d.,]){{n}}"
    rf" (?!(?:days?|of|in|at|on|to|and|or|is|was|till|until|through|{_MONTHS})\b)[a-z']{{{{2,}}}})"
)
_ENDINGS = (
    r"(?!\w)",
    r"(?:ths?|s|t?e[mnrs]?|mal|fold|ièmes?|jährig\w*|stündig\w*|köpfig\w*)?(?!\w)",
)  # of words of two letters, and of three
_LARGER = ["열", "스물", *(ways[0] for ways in _TENS["ko"])]
_ONES = {
    language: "|".join(
        form for row in table[1:10] for form in row.split()[:2] if len(form) > 2 or language in _BEFORE
    )
    for language, table in _TABLES.items()
}


def spelled(number: int, language: str) -> list[str]:
    """The two usual ways to say a number below 100 in a language (BCP 47), or its one way; empty where none is known."""
    ways = 2 if language and primary(language) in _BEFORE else 1
    if forms := _forms(number, language):
        return forms[:ways]
    ten, one = divmod(number, 10)
    tens = _TENS.get(primary(language) if language else "", ())
    if not 3 <= ten < 3 + len(tens):
        return []
    names = tens[ten - 3][:ways]
    ones = _forms(one, language)[:ways] if one else []
    join = _JOINED[primary(language)].format
    return [join(ten=name, one=unit) for name, unit in zip(names, ones, strict=True)] if one else names


def in_words(text: str, language: str) -> list[str]:
    """The text with its numbers below 100 in words, in each usual way of the language; empty where it has none."""
    ways = 2 if language and primary(language) in _BEFORE else 1

    def words(found: re.Match[str], way: int) -> str:
        spelled_out = spelled(int(found[0]), language)
        return spelled_out[way] if spelled_out else found[0]

    readings = [_SMALL.sub(partial(words, way=way), text) for way in range(ways)]
    return [reading for reading in readings if reading != text]


def spells(text: str, number: int, language: str, source: str = "") -> bool | None:
    """Whether a text says a number below 100 in words; None where the words of that number or language are not known.

    A Korean day or month (육일, 유월) says no number by which an English source counts something else (6 hours).
    """
    pattern = _pattern(number, primary(language)) if language else None
    if pattern is None:
        return None
    if primary(language) == "ko":
        days = _others(number).search(source) is None
        if number in korean_numbers(text, days=days):
            return True
    return bool(pattern.search(text))


def says_another(pair: Pair) -> bool:
    """Whether the target says a number below 100 in words that the source says neither in words nor in figures.

    Not two and twelve, which are a pair, both, a couple, and a dozen.
    """
    return any(
        spells(pair.target, number, pair.target_language)
        and spells(pair.source, number, pair.source_language) is False
        and str(number) not in pair.source
        for number in range(3, 100)
        if number != 12
    )


def _forms(number: int, language: str) -> list[str]:
    table = _TABLES.get(primary(language) if language else "", ())
    return table[number].split() if 0 <= number < len(table) else []


@cache
def _others(number: int) -> re.Pattern[str]:
    """What an English source counts by the number that are neither days nor dates."""
    return re.compile(_OTHERS.format(n=number))


@cache
def _pattern(number: int, language: str) -> re.Pattern[str] | None:
    """What says the number; in Korean, by a word of its own."""
    forms, follows = _forms(number, language), _BEFORE.get(language)
    if not forms:
        ways = _between_tens(number, language)
    elif follows:
        del forms[1:2]  # of Chinese origin
        before = "".join(rf"(?<!{ten} )" for ten in _LARGER)  # "열 오" is no five
        alone = rf"(?!\s?(?:{_ONES[language]}))" if number in (10, 20) else ""  # 스물 is not 스물다섯
        ends = [alone + ("" if len(form) > 1 else rf"(?:{follows}|(?!\w))") for form in forms]
        ways = [before + form + end for form, end in zip(forms, ends, strict=True)]
    else:  # seven begins seventh, but seventeen and seventy are others
        ends = [r"(?!teen|ty|zehn|zig)" if len(form) > 3 else _ENDINGS[len(form) > 2] for form in forms]
        alone = (
            rf"(?![-\s](?:{_ONES[language]})(?!\w))" if number in (20, 30) else ""
        )  # twenty is not twenty-five
        ways = [form + end + alone for form, end in zip(forms, ends, strict=True)]
    return re.compile(rf"(?<![\w-])(?:{'|'.join(ways)})", re.IGNORECASE) if ways else None


def _between_tens(number: int, language: str) -> list[str]:
    """The ways to say a number from 32 on: its tens, and its ones beside them."""
    ten, one = divmod(number, 10)
    names = _TENS.get(language, ())
    if not 3 <= ten < 3 + len(names):
        return []
    tens = "|".join(names[ten - 3][:1] if language in _BEFORE else names[ten - 3])
    if not one:
        return [rf"(?:{tens})(?![-\s]?(?:{_ONES[language]}))"]
    ones = "|".join(form for form in _forms(one, language)[:3] if len(form) > 2 or language in _BEFORE)
    return [rf"(?:{tens})(?:[-\s]|\sy\s|\set\s)?(?:{ones})(?!곱|덟)", rf"(?:{ones})und(?:{tens})"]
