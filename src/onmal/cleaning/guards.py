"""What was lost, changed or invented in a translation: each guard names one fault of a sentence beside its translation.

A guard is a filter of `onmal.cleaning`: what is wrong with a pair in a corpus is wrong with a pair that a network has made.
Where the best hypothesis has a fault and another has none, that one is taken. What is tried where all have is told in
`onmal.translating.draft`; a guard may know how else to search (`Steering`), or what is missing (`Mending`). What is still wrong then
is a warning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import ClassVar, Protocol, runtime_checkable

from onmal.cleaning.filters import Empty, Filter, Identical, LengthRatio
from onmal.cleaning.numbers_kept import Numbers
from onmal.config import SearchConfig
from onmal.data.pair import Pair
from onmal.fragments import find_fragments
from onmal.text.language import count_scripts, script_of
from onmal.text.segment import split_sentences
from onmal.text.terms import says

__all__ = [
    "GUARDS",
    "Broken",
    "Copied",
    "Forbidden",
    "Fragments",
    "Mending",
    "Names",
    "Numbers",
    "Repetition",
    "Sentences",
    "Steering",
    "faults",
    "to_say",
]

WORD = re.compile(r"[^\W\d_]+")
LATIN_WORD = re.compile(r"[A-Za-z\u00c0-\u024f]{3,}")
TIMES, MOST_WORDS, MOST_CHARACTERS = 3, 20, 8
LONG = (
    12  # characters of a word that may be many: a sentence in a language without spaces, or bytes gone wrong
)


@dataclass(frozen=True)
class Repetition:
    """The translation says some words three times in a row, or some characters of a word five times; the source does not.

    Of a source that does, a translation may say as many, and twice more where they are other characters: ㅋㅋㅋ is hahaha.
    """

    name: ClassVar[str] = "repetition"

    def __call__(self, pair: Pair) -> str | None:
        said, times = _said_again(pair.target)
        _, before = _said_again(pair.source) if said else ("", 0)
        same = f"{said} {said}" in pair.target or said.casefold() in pair.source.casefold()
        more = 0 if same else 2  # words are as many in any language
        return f"{said!r} again and again" if times > (before + more if before else 0) else None

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
    for word in (word for word in words if len(word) > LONG):
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
    return (word[0] for word in WORD.finditer(text))


@dataclass(frozen=True)
class Names:
    """A name in Latin letters (iPhone, NATO) is lost, between a source in another script and a translation in Latin letters.

    It counts as one if it has three letters or more and a capital. In another case, with endings or cut in two it is kept, and so is
    NATO where as many words begin with its letters.
    """

    name: ClassVar[str] = "names"

    def __call__(self, pair: Pair) -> str | None:
        lost = self._lost(pair)
        return f"lost {', '.join(lost[:3])}" if lost else None

    def to_say(self, pair: Pair) -> list[tuple[str, ...]]:
        """The names that were lost."""
        return [(word,) for word in self._lost(pair)]

    def _lost(self, pair: Pair) -> list[str]:
        if not pair.source_language or not pair.target_language:
            return []
        at_home = script_of(pair.source_language)
        if not at_home or "Latn" in at_home or "Latn" not in script_of(pair.target_language):
            return []
        names = [word for word in LATIN_WORD.findall(pair.source) if not word.islower()]
        if not names:
            return []
        words = list(_words(pair.target.casefold()))
        told, initials = "".join(words), "".join(word[0] for word in words)
        return [
            name
            for name in dict.fromkeys(names)
            if (said := name.casefold()) not in initials
            and said[: max(4, len(said) - 1)] not in told  # canaries
        ]


@dataclass(frozen=True)
class Fragments:
    """The network says an address, markup or a placeholder, though all of those were taken out of what it read.

    It may say m² for square metres, and what was asked of it.
    """

    name: ClassVar[str] = "fragments"
    asked: tuple[str, ...] = ()

    def __call__(self, pair: Pair) -> str | None:
        found = find_fragments(pair.target)
        said = [pair.target[start:end] for kind, start, end in found if kind != "symbol"]
        invented = [each for each in said if not any(each in text for text in (pair.source, *self.asked))]
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
    Names(),
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
