"""Terms in a text: whether it says a word or phrase, with the endings that the language hangs on it."""

from __future__ import annotations

import re
from functools import lru_cache

from onmal.text.language import primary, writes_spaces

__all__ = ["says", "without"]

PARTICLES = (
    "에게서|에게|에서|에|은|는|이라는|이라고|이라|이란|이랑|이나|이며|이고|이요|이다|이었다|이었어요|이었습니다|이에요|이|가|을|를|의|한테서|한테|께서|께|"
    "으로서|으로써|으로|로서|로써|로|와|과|랑|하고|도|만큼|만|부터|까지|마다|조차|마저|밖에|뿐|처럼|같이|보다|나|란|라는|라고|며|고|요|다|"
    "인|일|입니다|입니까|예요|였다|였어요|였습니다"
)
ENDINGS = {"ko": f"들?(?:{PARTICLES}){{0,2}}", "en": "(?:e?s)?(?:['’]s?)?"}


def says(text: str, term: str, language: str) -> bool:
    """Whether a text says a term: whole words, in any case, and in Korean with particles, in English as plural or possessive.

    Where a language writes no spaces, the term's characters are enough.
    """
    return bool(_pattern(" ".join(term.split()), language).search(" ".join(text.split())))


def without(text: str, term: str, language: str) -> str:
    """A text with a line break in the place of each such term."""
    return _pattern(" ".join(term.split()), language).sub("\n", text)


@lru_cache(maxsize=10_000)
def _pattern(term: str, language: str) -> re.Pattern[str]:
    whole = re.escape(term)
    if writes_spaces(language):
        whole = rf"(?<!\w){whole}{ENDINGS.get(primary(language), '')}(?!\w)"
    return re.compile(whole, re.IGNORECASE)
