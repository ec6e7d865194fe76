"""Terms in a text: whether it says a word or phrase, with the endings that the language hangs on it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from onmal.text.language import primary, writes_spaces

__all__ = ["folded", "says", "without"]

# After a syllable that ends in a vowel or does not, as of 는 and 은; either where letters are not Hangul (NATO는).
OPEN, RIEUL = ("".join(map(chr, range(ord(first), ord("힣"), 28))) for first in "가갈")
VOWEL, CONSONANT = f"(?:(?<=[{OPEN}])|(?<![가-힣]))", f"(?<![{OPEN}])"
# What others may follow (커피에서만은), the copula, too (커피만이다), or not (과일 is a word); what ends a word; the copula (학생이지만).
LINKS = "에게서?|에서|에다가?|에|한테서?|께서?|더러|하고|처럼|마냥|같이|보다|만큼|만|부터|까지|마다|조차|마저|밖에|뿐|대로|치고|끼리|쯤"
JOINS = rf"{CONSONANT}(?:과|이랑|으로[서써]?)|{VOWEL}(?:와|랑)|(?:{VOWEL}|(?<=[{RIEUL}]))로[서써]?"
LASTS = (
    rf"도|의|커녕|{CONSONANT}(?:은(?:커녕)?|이|을|이나마?|이라도|이야말로|이야|아)|"
    rf"{VOWEL}(?:는(?:커녕)?|가|를|나마?|라도|야말로|야)"
)
COPULA = (
    rf"(?:이|{VOWEL})(?:다|고|며|면서?|지만|지요|죠|네|니까|므로|거나|거든|든[가지]?|던|더라도?|구나|군|잖아|래|"
    r"라(?:고|는|서|면|니|며|든[가지]|기보다)?|란|세요|십니[다까]|시[고며다]|셨[가-힣]*|신데[가-힣]*)(?:[은는도]|요)?|"
    r"이(?:자|니|지|기|신|에요|어서|어야)[는도]?요?|(?:이었|입니|인데)[가-힣]*|"
    rf"{VOWEL}(?:예요|여서|여야|였[가-힣]*)[는도]?요?|인(?:지|가|들)?[는도]?요?|일(?:까|지|수록)?[는도]?요?|임"
)
ENDINGS = {
    "ko": rf"들?(?:(?:{LINKS}|{JOINS}){{0,3}}(?:{LASTS})?요?|(?:(?:{LINKS}|{JOINS}){{0,2}}(?:{LINKS}))?(?:{COPULA}))(?!\w)",
    "en": r"(?:e?s)?(?:['’]s?)?(?!\w)",
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
    return re.compile(ENDINGS.get(primary(language), r"(?!\w)") if writes_spaces(language) else "")
