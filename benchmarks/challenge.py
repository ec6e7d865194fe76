"""A generated challenge set: sentences with something in them that a translation must keep, and how to tell whether it did.

Sentences of the phrasebook's test in both directions, with their gold alignment; or those of any parallel text, without it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from zlib import crc32

from onmal import phrasebook
from onmal.fragments import tags_are_whole
from onmal.phrasebook.english import cardinal
from onmal.phrasebook.lexicon import LEXICON
from onmal.phrasebook.numbers import native, sino
from onmal.text.segment import split_sentences

FRAGMENTS = {
    "placeholders": ("{name}", "%s", "{{ user.id }}", "${count}", "%1$d", "$HOME"),
    "addresses": ("https://example.com/a_b?c=1&d=2#e", "www.example.org/x", "me.you@mail.example.com"),
    "tags": ('<x id="1"/>', "<br/>", "&nbsp;"),
}
PAIRS = 250  # sentences of a direction in each class
SENTENCES = 8  # of a paragraph
MARKS = ("- ", "• ", "2) ", "③ ", "(4) ", "\t5. ", "* ")
CELL = "\t"
LONG_TAG = '<span style="color: red; margin: 0. 5em">'
SPACE = ("  ", "\t", "\u3000", " ")
TRAPS = {
    "ko": (
        "하하하하하하하하하하하하",
        "정말 정말 정말 정말 정말 정말",
        "ㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋ",
        "와아아아아아아아아아아",
    ),
    "": (
        "hahahahahahahahahaha",
        "very very very very very very",
        "no no no no no no no no",
        "Sooooooooooooooo",
    ),
}


@dataclass(frozen=True)
class Case:
    """A text, and what of it must stay."""

    kind: str
    to: str
    text: str
    base: str
    """The same without."""
    kept: Callable[[str], bool]
    """Whether a translation has all of it."""
    reference: str = ""
    """Of what is around it; empty where that is another with it."""
    fragment: str = ""
    beside: frozenset[int] = frozenset()
    """Words of the reference beside which the fragment should stand."""


@dataclass(frozen=True)
class Sentence:
    """A sentence, its translation, and the links between their words where they are known."""

    to: str
    source: str
    reference: str
    links: tuple[tuple[int, int], ...] = ()


def phrases() -> Iterator[Case]:
    """The set made of the phrasebook's test."""
    for to in ("en", "ko"):
        drawn = phrasebook.phrases("test", PAIRS)
        yield from with_fragments([_sentence(phrase, to) for phrase in drawn])
    many = phrasebook.phrases("test", 12 * PAIRS)
    for to in ("en", "ko"):
        yield from islice(_in_figures(many, to), PAIRS)
        yield from islice(_names(many, to), PAIRS)


def with_fragments(sentences: Sequence[Sentence]) -> Iterator[Case]:
    """The classes that any sentences will do for."""
    for number, sentence in enumerate(sentences):
        to, source, reference = sentence.to, sentence.source, sentence.reference
        words = source.split()
        at = crc32(source.encode()) % len(words)
        beside = frozenset(j for i, j in sentence.links if i in (at - 1, at))
        for kind, fragments in FRAGMENTS.items():
            fragment = fragments[number % len(fragments)]
            text = " ".join((*words[:at], fragment, *words[at:]))
            yield Case(kind, to, text, source, _has(fragment), reference, fragment, beside)
        word = re.fullmatch(r"(.*?)([.?!,]*)", words[at])
        assert word is not None
        text = " ".join((*words[:at], f"<b>{word[1]}</b>{word[2]}", *words[at + 1 :]))
        yield Case("pairs of tags", to, text, source, _has_pair, reference)
        if len(words) > 2:
            middle = len(words) // 2
            marked = f"<b>{' '.join(words[:middle])}</b> <i>{' '.join(words[middle:])}</i>"
            yield Case("two pairs of tags", to, marked, source, _has_two_pairs, reference)
        mark = MARKS[number % len(MARKS)]
        yield Case("marks of lists", to, mark + source, source, _has_mark(mark), reference, mark)
        before, after = SPACE[number % 4], SPACE[number // 4 % 4]
        yield Case("white space", to, before + source + after, source, _has_space(before, after), reference)
        trap = TRAPS["ko" if re.search("[가-힣]", source) else ""][number % 4]
        text = " ".join((*words[:at], trap, *words[at:]))
        yield Case("repetition", to, text, source, _stops(text, reference))
        capitals = source.upper()
        if capitals != source.lower():
            cased = reference.upper() != reference.lower()
            yield Case(
                "capitals",
                to,
                capitals,
                source,
                str.isupper if cased else _has_none_of(capitals),
                "" if cased else reference,
            )
    for first in range(0, len(sentences), SENTENCES):
        chosen = sentences[first : first + SENTENCES]
        source, reference = (
            " ".join(each) for each in zip(*((s.source, s.reference) for s in chosen), strict=True)
        )
        yield Case("paragraphs", chosen[0].to, source, source, _has_ends(source), reference)
        middle = source.index(" ", len(source) // 2)
        tagged = f"{source[:middle]} {LONG_TAG}{source[middle:]}"
        yield Case("tags of long lines", chosen[0].to, tagged, source, _has(LONG_TAG), reference, LONG_TAG)
        row, translated = (
            CELL.join(each) for each in zip(*((s.source, s.reference) for s in chosen), strict=True)
        )
        yield Case("cells of tables", chosen[0].to, row, source, _has_cells(len(chosen)), translated)


def _sentence(phrase: phrasebook.Phrase, to: str) -> Sentence:
    if to == "en":
        return Sentence(to, phrase.korean, phrase.english, phrase.alignment)
    return Sentence(to, phrase.english, phrase.korean, tuple((j, i) for i, j in phrase.alignment))


_CARDINALS = {cardinal(n): n for n in (*range(1, 100), *range(100, 100_000, 100))}
_CARDINAL = re.compile(
    rf"\b(?:{'|'.join(sorted(map(re.escape, _CARDINALS), key=len, reverse=True))})\b", re.IGNORECASE
)


def _in_figures(drawn: Sequence[phrasebook.Phrase], to: str) -> Iterator[Case]:
    """Sentences with one number, which the source has in figures instead of words."""
    for phrase in drawn:
        said = _CARDINAL.findall(phrase.english)
        if len(said) != 1:
            continue
        n = _CARDINALS[said[0].lower()]
        ways = [sino(n), *(native(n, adnominal=adnominal) for adnominal in (True, False) if n < 100)]
        korean = re.compile(rf"(?<![가-힣])(?:{'|'.join(ways)})(?![가-힣])")
        if len(korean.findall(phrase.korean)) != 1:
            continue
        sentence = _sentence(phrase, to)
        pattern = korean if to == "en" else _CARDINAL
        text = pattern.sub(f"{n:,}", sentence.source)
        words = (said[0], *(("a", "an") if n == 1 else ())) if to == "en" else tuple(ways)
        yield Case("numbers", to, text, sentence.source, _says(n, words, to))


def _names(drawn: Sequence[phrasebook.Phrase], to: str) -> Iterator[Case]:
    names = [(noun.korean, noun.english) for noun in LEXICON.classes["names"]]
    for phrase in drawn:
        here = [(k, e) for k, e in names if k in phrase.korean and re.search(rf"\b{e}\b", phrase.english)]
        if here:
            sentence = _sentence(phrase, to)
            wanted = [pair[to == "en"] for pair in here]
            yield Case("names", to, sentence.source, sentence.source, _has_all(wanted))


def _has(fragment: str) -> Callable[[str], bool]:
    return lambda translation: translation.count(fragment) == 1


def _has_none_of(text: str) -> Callable[[str], bool]:
    """No word in capitals was copied."""
    words = set(re.findall(r"[A-Z]{2,}", text))
    return lambda translation: (
        bool(translation.strip()) and words.isdisjoint(re.findall(r"[A-Z]{2,}", translation))
    )


def _has_all(words: Sequence[str]) -> Callable[[str], bool]:
    return lambda translation: all(word in translation for word in words)


def _has_pair(translation: str) -> bool:
    return re.fullmatch(r"[^<>]*<b>[^<>]+</b>[^<>]*", translation) is not None


def _has_two_pairs(translation: str) -> bool:
    """Both, around something, and neither cut by the other."""
    whole = tags_are_whole(translation) and not re.search(r"<(.)></\1>", translation)
    return whole and all(translation.count(tag) == 1 for tag in ("<b>", "</b>", "<i>", "</i>"))


def _has_mark(mark: str) -> Callable[[str], bool]:
    return lambda translation: translation.startswith(mark) and bool(translation[len(mark) :].strip())


def _has_cells(count: int) -> Callable[[str], bool]:
    return lambda translation: len([cell for cell in translation.split(CELL) if cell.strip()]) == count


def _has_space(before: str, after: str) -> Callable[[str], bool]:
    return lambda translation: (
        translation.startswith(before)
        and translation.endswith(after)
        and translation == before + translation.strip() + after
    )


def _has_ends(source: str) -> Callable[[str], bool]:
    wanted = len(split_sentences(source))
    return lambda translation: len(split_sentences(translation)) == wanted


def _says(n: int, words: Sequence[str], to: str) -> Callable[[str], bool]:
    """The number in figures, or one of its words that is not part of another."""
    figures = rf"(?<![\d,.])(?:{n:,}|{n})(?![\d,.]*\d)"
    letters, larger = ("가-힣", "") if to == "ko" else (r"\w-", r"(?!\s+(?:hundred|thousand|million))")
    spelled = rf"(?<![{letters}])(?:{'|'.join(map(re.escape, words))})(?![{letters}]){larger}"
    pattern = re.compile(f"{figures}|{spelled}", re.IGNORECASE)
    return lambda translation: bool(pattern.search(translation))


def _stops(text: str, reference: str) -> Callable[[str], bool]:
    """It says something, not twice what one would expect, and no word more often in a row than the source does."""
    most = 2 * len(reference) + 40
    return lambda translation: (
        bool(translation.strip())
        and len(translation) <= most
        and _longest_run(translation) <= max(2, _longest_run(text))
    )


def _longest_run(text: str) -> int:
    """How often a word, or a part of it, comes in a row."""
    words = [len(list(run)) for _, run in groupby(text.lower().split())]
    parts = [len(run[0]) // len(run[1]) for run in re.finditer(r"(\S{1,4}?)\1+", text)]
    return max([*words, *parts, 0])
