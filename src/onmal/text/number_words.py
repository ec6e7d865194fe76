"""Small numbers in words: 7 is "seven", "seventh" and "July" too."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files

from onmal.text.language import primary

__all__ = ["spelled", "spells"]

_TABLES = tomllib.loads(files("onmal.text").joinpath("number_words.toml").read_text(encoding="utf-8"))
_TENS = {language: [ways.split() for ways in row] for language, row in _TABLES.pop("tens").items()}
_BEFORE = {language: "|".join(words.split()) for language, words in _TABLES.pop("before").items()}


def spelled(number: int, language: str) -> list[str]:
    """The two usual ways to say a small number in a language (BCP 47), or its one way; empty where none is known."""
    forms = _forms(number, language)
    return forms[: 2 if forms and primary(language) in _BEFORE else 1]


def spells(text: str, number: int, language: str) -> bool | None:
    """Whether a text says a number below 100 in words; None where the words of that number or language are not known."""
    if _forms(number, language):
        return bool(_pattern(number, primary(language)).search(text))
    ten, one = divmod(number, 10)
    tens = _TENS.get(primary(language) if language else "", ())
    if not 3 <= ten < 3 + len(tens):
        return None
    said = text.lower()
    ones = _forms(one, language) if one else [""]
    return any(way in said for way in tens[ten - 3]) and any(way in said for way in ones)


def _forms(number: int, language: str) -> list[str]:
    table = _TABLES.get(primary(language) if language else "", ())
    return table[number].split() if 0 <= number < len(table) else []


@cache
def _pattern(number: int, language: str) -> re.Pattern[str]:
    follows, forms = _BEFORE.get(language), _forms(number, language)
    if follows:
        ends = [form if len(form) > 1 else rf"{form}(?:(?:{follows})|(?!\w))" for form in forms]
    else:
        ends = [form if len(form) > 2 else rf"{form}(?!\w)" for form in forms]
    return re.compile(rf"(?<!\w)(?:{'|'.join(ends)})", re.IGNORECASE)
