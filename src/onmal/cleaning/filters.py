"""What can be wrong with a sentence pair: one small object for each fault.

A filter looks at one pair and says in a few words what is wrong, or None. It judges its own fault and nothing
else: whether a blank pair is also too short is not asked. All but Duplicate are without memory.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import ClassVar, Protocol, Self

from onmal.data.pair import Pair
from onmal.text.language import count_scripts, name, script_of

__all__ = [
    "NUMBER_WORD",
    "BrokenEncoding",
    "Duplicate",
    "Empty",
    "Filter",
    "Identical",
    "LengthRatio",
    "NumbersDiffer",
    "SwappedSides",
    "TooLong",
    "UnrelatedNumbers",
    "WrongScript",
]


class Filter(Protocol):
    """One fault that a pair can have."""

    @property
    def name(self) -> str:
        """The fault in snake case, as reports list it."""

    def __call__(self, pair: Pair) -> str | None:
        """What is wrong with the pair, in a few words; None if nothing is."""


def _is_blank(text: str) -> bool:
    return not text or text.isspace()


@dataclass(frozen=True)
class Empty:
    """A side has no text."""

    name: ClassVar[str] = "empty"

    def __call__(self, pair: Pair) -> str | None:
        source, target = _is_blank(pair.source), _is_blank(pair.target)
        if not source and not target:
            return None
        return (
            "both sides are empty"
            if source and target
            else f"the {'source' if source else 'target'} is empty"
        )


@dataclass(frozen=True)
class Duplicate:
    """The pair, white space at the ends aside, came before. One object serves one pass over a corpus.

    Remembers 8 bytes of BLAKE2 per distinct pair (about 70 bytes as Python keeps them): the chance that any
    two of ten million pairs are taken for equal is 3 in a million.
    """

    name: ClassVar[str] = "duplicate"
    _seen: set[int] = field(default_factory=set, repr=False)

    def __call__(self, pair: Pair) -> str | None:
        source, target = pair.source.strip(), pair.target.strip()
        if not source and not target:
            return None
        text = f"{source}\0{target}".encode(errors="surrogatepass")
        digest = int.from_bytes(blake2b(text, digest_size=8).digest(), "big")
        if digest in self._seen:
            return "the pair came before"
        self._seen.add(digest)
        return None


@dataclass(frozen=True)
class Identical:
    """Both sides are the same text. Numbers and signs may be; a text with letters has not been translated."""

    name: ClassVar[str] = "identical"

    def __call__(self, pair: Pair) -> str | None:
        source = pair.source.strip()
        if source == pair.target.strip() and any(map(str.isalpha, source)):
            return "both sides are the same"
        return None


# Letters that each say as much as several of an alphabet: Hangul, kana, ideographs.
_DENSE = re.compile("[\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff]+")


@dataclass(frozen=True)
class LengthRatio:
    """One side is many times as long as the other.

    Lengths are in characters, where a syllable of Hangul, a kana or an ideograph counts as `dense` letters of
    an alphabet; `slack` is added to both, so that short texts may differ more.
    """

    name: ClassVar[str] = "length_ratio"
    limit: float = 4.0
    dense: float = 2.0
    slack: int = 12

    def __call__(self, pair: Pair) -> str | None:
        if _is_blank(pair.source) or _is_blank(pair.target):
            return None
        source, target = self._length(pair.source), self._length(pair.target)
        if source <= target * self.limit and target <= source * self.limit:
            return None
        longer, times = ("source", source / target) if source > target else ("target", target / source)
        return f"the {longer} is {times:.0f} times as long"

    def _length(self, text: str) -> float:
        text = text.strip()
        if text.isascii():
            return len(text) + self.slack
        letters = len(text) - len(_DENSE.sub("", text))
        return len(text) + (self.dense - 1) * letters + self.slack


@dataclass(frozen=True)
class TooLong:
    """A side is longer than any sentence: a paragraph, a table, or lines that ran together."""

    name: ClassVar[str] = "too_long"
    characters: int = 1200
    words: int = 200

    def __call__(self, pair: Pair) -> str | None:
        for side, text in (("source", pair.source), ("target", pair.target)):
            if len(text) > self.characters:
                return f"the {side} has {len(text):,} characters"
            if len(text) > 2 * self.words and (words := len(text.split())) > self.words:
                return f"the {side} has {words:,} words"
        return None


# Every letter up to U+036F is Latin, and so are those of one block further up; punctuation has no script.
_BEYOND_LATIN = re.compile("[\u0370-\u1dff\u2c80-\u2dff\u3005-\u3007\u3021-\U0003ffff]")


@dataclass(frozen=True)
class _Script:
    """The scripts of one side's language; none if nobody knows them, and then every text is right.

    Latin letters are guests in every other script, as names and code. So a text in an alphabet of its own is
    wrong if none of its letters are in it, or most are in a third one; a Latin text, if foreign letters are
    more than half as many as its own. Two letters decide nothing.
    """

    language: str
    scripts: frozenset[str]

    @classmethod
    def of(cls, language: str) -> _Script:
        return cls(name(language), script_of(language))

    def fits(self, text: str) -> bool:
        if not self.scripts or ("Latn" in self.scripts and not _BEYOND_LATIN.search(text)):
            return True
        own = latin = foreign = 0
        for script, letters in count_scripts(text).items():
            if script in self.scripts:
                own += letters
            elif script == "Latn":
                latin += letters
            else:
                foreign += letters
        if own + latin + foreign <= 2:
            return True
        return 2 * foreign <= own if "Latn" in self.scripts else own > 0 and foreign <= own


def _are_swapped(pair: Pair, source: _Script, target: _Script) -> bool:
    if target.fits(pair.target) or source.fits(pair.source):
        return False
    return source.fits(pair.target) and target.fits(pair.source)


@dataclass(frozen=True)
class _ScriptFilter:
    source: _Script
    target: _Script

    @classmethod
    def between(cls, source_language: str, target_language: str) -> Self:
        """The filter for a direction. Raises LanguageError for a code that nobody knows."""
        return cls(_Script.of(source_language), _Script.of(target_language))


@dataclass(frozen=True)
class SwappedSides(_ScriptFilter):
    """Each side is in the other's script. Make it with `between`."""

    name: ClassVar[str] = "swapped_sides"

    def __call__(self, pair: Pair) -> str | None:
        if not _are_swapped(pair, self.source, self.target):
            return None
        return f"the source is in the script of {self.target.language}, the target in that of {self.source.language}"


@dataclass(frozen=True)
class WrongScript(_ScriptFilter):
    """A side is not in the script of its language, and the sides are not just swapped. Make it with `between`."""

    name: ClassVar[str] = "wrong_script"

    def __call__(self, pair: Pair) -> str | None:
        sides = (("source", pair.source, self.source), ("target", pair.target, self.target))
        for side, text, script in sides:
            if not script.fits(text) and not _are_swapped(pair, self.source, self.target):
                return f"the {side} is not in the script of {script.language}"
        return None


# The characters that Windows-1252 shows for the bytes 80 to BF, which continue a character in UTF-8.
_CONTINUES = "[" + bytes(range(0x80, 0xC0)).decode("cp1252", errors="ignore") + "]"

_DAMAGE = (
    ("a replacement character (U+FFFD)", re.compile("\ufffd")),
    ("half of a surrogate pair", re.compile("[\ud800-\udfff]")),
    ("a control character", re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")),
    ("a private-use character", re.compile("[\ue000-\uf8ff\U000f0000-\U0010fffd]")),
    ("replacement characters read in another encoding", re.compile("占쏙옙|锟斤拷|ï¿½")),
    (
        "UTF-8 that was read as Windows-1252",
        re.compile(
            rf"[ÂÃ]{_CONTINUES}|â€|ï»¿"  # accents and punctuation, and the byte order mark
            rf"|(?:[ÎÏÐÑØÙ×]{_CONTINUES}){{3}}"  # Greek, Cyrillic, Arabic, Hebrew
            rf"|(?:[à-í]{_CONTINUES}{{2}}){{2}}"  # kana, ideographs, Hangul
        ),
    ),
    ("Korean in CP949 that was read as Windows-1252", re.compile("(?:[°-È][¡-þ]){3}")),
    # "M채nner", "caf챕s"
    ("UTF-8 that was read as CP949", re.compile("[A-Za-z][채철체챕챔챗횩챌챠챰챈]+[a-z]")),
    ("UTF-8 that was read as Shift JIS", re.compile("(?:[縺繧繝].){2}")),
)
# One of these is in every damaged text, and in few others.
_SUSPECT = re.compile(
    rf"[°-í](?:{_CONTINUES}|[À-þ])|[채철체챕챔챗횩챌챠챰챈](?<=[A-Za-z].)"
    "|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9fï占锟縺繧繝\ud800-\uf8ff\ufffd-\uffff\U000f0000-\U0010fffd]"
)


@dataclass(frozen=True)
class BrokenEncoding:
    """A side has characters that only a wrong encoding or a damaged file brings forth."""

    name: ClassVar[str] = "broken_encoding"

    def __call__(self, pair: Pair) -> str | None:
        for side, text in (("source", pair.source), ("target", pair.target)):
            if not (text.isascii() and text.isprintable()) and _SUSPECT.search(text):
                for damage, pattern in _DAMAGE:
                    if pattern.search(text):
                        return f"the {side} has {damage}"
        return None


_DIGIT = re.compile(r"\d")
_NUMBER = re.compile(r"\d+(?:[.,]\d+|[\u00a0\u202f'’]\d{3}(?!\d))*")
_GROUPING = re.compile(r"[.,]0{1,2}$|\D")  # 2.00 is 2
# Words that stand for digits: 3만 is 30,000, "2 million" is 2,000,000, and "fifty" says what 50 does.
NUMBER_WORD = re.compile(
    r"\d\s?[십백천만억조十百千万萬億亿兆]|[십백천][만억조]|hundred|thousand|million|billion|trillion|dozen|decade"
    r"|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|(?:thir|four|fif|six|seven|eigh|nine)teen"
    r"|hundert|tausend|milliard|dreißig|(?:zwan|vier|fünf|sech|sieb|acht|neun)zig|\bmil(?:le)?\b",
    re.IGNORECASE,
)
_LONGEST = 1000
"""Digits of a number that are compared: Python refuses to read numbers of more than 4,300."""
_SMALL = 31
"""Numbers up to this are often spelled out, or are a month or a day that the other language names."""


def _different_numbers(pair: Pair) -> tuple[set[int], set[int], set[int]] | None:
    """Numbers of the source alone, of the target alone and of both; None where there is nothing to doubt."""
    if not _DIGIT.search(pair.source) and not _DIGIT.search(pair.target):
        return None
    digits = [sorted(map(int, _DIGIT.findall(text))) for text in (pair.source, pair.target)]
    if digits[0] == digits[1] or NUMBER_WORD.search(pair.source) or NUMBER_WORD.search(pair.target):
        return None
    source, target = (
        {int(_GROUPING.sub("", number)[:_LONGEST]) for number in _NUMBER.findall(text)}
        for text in (pair.source, pair.target)
    )
    return source - target, target - source, source & target


def _listed(numbers: set[int]) -> str:
    return ", ".join(map(str, sorted(numbers)[:3])) or "none"


@dataclass(frozen=True)
class NumbersDiffer:
    """A number of one side is missing on the other: a doubt rather than a fault.

    Only digits are compared, of any script, whatever separates or groups them: 1,000 is 1.000 is 1000. Where
    a word stands for digits (3만, 2 million) nothing is said, nor where a number up to 31 is on one side only.
    """

    name: ClassVar[str] = "numbers_differ"

    def __call__(self, pair: Pair) -> str | None:
        numbers = _different_numbers(pair)
        if numbers is None:
            return None
        source, target, _ = numbers
        if (source and target) or any(number > _SMALL for number in source | target):
            return f"numbers of the source alone: {_listed(source)}; of the target alone: {_listed(target)}"
        return None


@dataclass(frozen=True)
class UnrelatedNumbers:
    """Both sides have numbers above 31, compared as NumbersDiffer does, and no number in common."""

    name: ClassVar[str] = "unrelated_numbers"

    def __call__(self, pair: Pair) -> str | None:
        numbers = _different_numbers(pair)
        if numbers is None:
            return None
        source, target, both = numbers
        if both or not source or not target or min(max(source), max(target)) <= _SMALL:
            return None
        return f"the source has the numbers {_listed(source)}, the target {_listed(target)}"
