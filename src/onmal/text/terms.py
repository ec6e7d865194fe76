"""Terms in a text: whether it says a word or phrase, with the endings that the language hangs on it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import lru_cache, reduce
from pathlib import Path

from onmal.text.language import primary, writes_spaces

__all__ = ["folded", "says", "without"]

ENDINGS = tomllib.loads(Path(__file__).with_name("endings.toml").read_text("utf-8"))
SYLLABLES = {
    name: "".join(map(chr, range(ord(first), ord("힣"), 28)))
    for name, first in (("OPEN", "가"), ("RIEUL", "갈"))
}


def folded(text: str) -> str:
    """A text as terms are compared: without differences of case (Straße as STRASSE) and of white space."""
    return " ".join(text.casefold().split())


def says(text: str, term: str, language: str) -> bool:
    """Whether a text says a term: whole words, in any case, and in Korean with particles, in English as plural or possessive.

    Where a language writes no spaces, the term's characters are enough.
    """
    return any(_places(folded(text), folded(term), language))


def without(text: str, term: str, language: str) -> str:
    """A text, folded, with a line break in the place of each such term."""
    text = folded(text)
    for start, end in reversed([*_places(text, folded(term), language)]):
        text = f"{text[:start]}\n{text[end:]}"
    return text


def _places(text: str, term: str, language: str) -> Iterator[tuple[int, int]]:
    """Where each begins and ends."""
    beginning, ending = _pattern(term, language), _ending(language)
    for found in beginning.finditer(text):
        if end := ending.match(text, found.end()):
            yield found.start(), end.end()


@lru_cache(maxsize=10_000)
def _pattern(term: str, language: str) -> re.Pattern[str]:
    return re.compile((r"(?<!\w)" if writes_spaces(language) else "") + re.escape(term))


@lru_cache
def _ending(language: str) -> re.Pattern[str]:
    if not writes_spaces(language):
        return re.compile("")
    whole, parts = r"WORD(?!\w)", ENDINGS.get(primary(language), {"WORD": ""})
    for name, part in parts.items():
        whole = whole.replace(name, f"(?:{''.join(part.split())})")
    return re.compile(reduce(lambda found, each: found.replace(*each), SYLLABLES.items(), whole))
