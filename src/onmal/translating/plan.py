"""What of a text the network translates, and what stays: lines, sentences and pieces, and the white space around them.

A line that the network can read whole is translated whole. A longer one is cut into sentences, and a sentence that is
still too long into pieces; what stood between them is put back between their translations, and a warning says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial

from onmal.cleaning.number_words import in_words
from onmal.cleaning.numbers_kept import WORDED
from onmal.data.pair import Pair
from onmal.fragments import Without, split_outside, tags_are_whole, take_out
from onmal.saved_model import SavedModel
from onmal.text.korean import split_korean
from onmal.text.language import detect, writes_spaces
from onmal.text.normalize import normalize
from onmal.text.segment import (
    Segment,
    after_bullet,
    joined_fragments,
    split_long,
    split_sentences,
    within_marks,
)
from onmal.translating.glossary import Glossary

__all__ = ["Plan", "Planner", "Unit"]

WORD = re.compile(r"[^\W_]+")
FIRST_LETTER = re.compile(r"\A[\W_]*[^\W\d_]")
# Of lines, of the cells of a table, and of lines in a string of a program (but not within C:\new).
BETWEEN = re.compile(
    r"(?m)(\n|(?:(?<=\S)[^\S\n]{1,99}|^[^\S\n]{0,99})\|(?:[^\S\n]+|$)|(?<![^\S\n])[^\S\n]*[\t\r\v\f\x1c-\x1e\x85\u2028\u2029][^\S\n]*"
    r"|\\{1,2}[nrt](?![a-z0-9_])|(?<=\w[.!?])\\{1,2}[nrt])"
)
MAY_BE_PARTED = re.compile(r"[\n\t\r\v\f\x1c-\x1e\x85\u2028\u2029\\|]")  # most are not
SURROGATE = re.compile("[\ud800-\udfff]")
LAUGHTER = re.compile(r"([ㄱ-ㅣ가-힣])\1{3,}")
# How a sentence ends where a network, which has hardly seen it, would put a single stop.
ENDING = re.compile(r"(?<=[^\s.!?…:~])(?:[.!?…:~]{2,}|[…:~])\Z")


@dataclass(frozen=True)
class Unit:
    """What the network translates in one piece."""

    text: str
    without: Without
    """The same, and the fragments (addresses, markup, placeholders) that were taken out of it."""
    read: str
    """What the network reads of it: the same, but ㅋㅋㅋㅋㅋ as ㅋㅋㅋ, !!! as !, and in small letters what is all in capitals."""
    ids: list[int]
    source_language: str
    """Empty where the model translates from several to the target's."""
    target_language: str
    ending: str = ""
    """How its translation ends, if not as the network says."""
    calmed: bool = False
    """Whether it is all in capitals and read in small letters."""
    must: list[str] = field(default_factory=list)
    """What its translation has to say."""
    guarded: str = ""
    """What guards see of it, where that is not `without`: its numbers as they are written."""
    begun: str = ""
    """What its translation begins with, fragments and all."""

    def pair(self, translation: str) -> Pair:
        """Source and translation without fragments, as the guards see them."""
        source = self.guarded or self.without.text
        return Pair(source, translation, "", 0, self.source_language, self.target_language)


@dataclass
class Plan:
    """A text as parts: strings that stay as they are, and numbers of units that are translated."""

    source: str
    target_language: str
    parts: list[str | int] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def units(self) -> list[int]:
        """The numbers of its units."""
        return [part for part in self.parts if isinstance(part, int)]


class Planner:
    """Cuts texts for a model: no piece is longer than the sentences that it has seen in training."""

    def __init__(self, saved: SavedModel, tag: str, glossary: Glossary | None) -> None:
        self.saved, self.tag, self.glossary = saved, tag, glossary

    def plan(self, text: str, target: str, units: list[Unit]) -> Plan:
        """Cut a text into what stays and what is translated, and add the latter to `units`."""
        plan, language, unread = Plan(text, target), self._source_language(target), list[str]()
        longest = self.saved.trained_lengths[0]
        encode = partial(self.saved.tokenizer.encode_source, target_language=target, tag=self.tag)

        @lru_cache(maxsize=1)  # what fits is added next
        def read(piece: str) -> Unit:
            without = take_out(piece)
            if without.taken and LAUGHTER.search(without.text):
                without = without.in_other_words(lambda text: [LAUGHTER.sub(r"\1\1\1", text)])[0]
            text = without.text if without.text.isascii() else LAUGHTER.sub(r"\1\1\1", without.text)
            ending = ENDING.search(text) if writes_spaces(target) else None
            if ending and any(ending.start() < offset < ending.end() for offset, _, _ in without.taken):
                ending = None
            if ending:
                text = text[: ending.start()] + (ending[0][0] if ending[0][0] in ".!?" else ".")
            # A token is at most 16 characters: what is far too long need not be tokenised to know it.
            ids = encode(text) if len(text) <= 16 * longest else []
            unit = Unit(piece, without, text, ids, language, target, ending[0] if ending else "")
            return self._calmed(unit) if ids and " " in text and _in_capitals(text) else unit

        def add(piece: str) -> None:
            unit = read(piece)
            if not unit.without.has_words:
                plan.parts.append(SURROGATE.sub("\ufffd", piece))
                return
            plan.parts.append(len(units))
            if not unit.ids:
                unit = replace(unit, ids=encode(unit.read))
            unread.extend(self.saved.tokenizer.source.unread(unit.read, unit.ids))
            if self.glossary:
                written = self.likely_language(unit.without.text, target)
                unit = replace(unit, must=self.glossary.wanted(unit.without.text, written))
            units.append(unit)

        def fits(piece: str) -> bool:
            return 0 < len(read(piece).ids) <= longest

        for line in split_outside(text, BETWEEN) if MAY_BE_PARTED.search(text) else (text,):
            start = len(line) - len(line.lstrip())
            start += after_bullet(line[start:], language)
            start, end = within_marks(line, start)
            before, words = line[:start], line[start:end]
            if not normalize(words) or BETWEEN.fullmatch(line):
                plan.parts.append(line)
                continue
            plan.parts.append(before)
            if fits(words) or not read(words).without.has_words:
                add(words)
            else:
                first = len(units)
                for piece in self._pieces(words, language, fits):
                    if normalize(piece.text):
                        add(piece.text)
                    else:
                        plan.parts.append(piece.text)
                    apart = writes_spaces(target) and read(piece.text).without.has_words
                    plan.parts.append(piece.gap or (" " if apart else ""))
                plan.parts.pop()  # nothing follows the last piece
                plan.warnings.append(
                    f"long_input: longer than the {longest} tokens seen in training, translated in {len(units) - first} pieces"
                )
            plan.parts.append(line[end:])
        if unread:
            plan.warnings.append(f"unknown: the model cannot read {', '.join(dict.fromkeys(unread))}")
        return plan

    def _calmed(self, unit: Unit) -> Unit:
        """The same as the tokenizer has seen its words most often, in small letters or as names, if that is fewer tokens."""
        calm = FIRST_LETTER.sub(lambda first: first[0].upper(), WORD.sub(self._calm, unit.read))
        ids = self.saved.tokenizer.encode_source(calm, unit.target_language, self.tag)
        return (
            replace(unit, read=calm, ids=ids, calmed=True)
            if len(ids) < len(unit.ids) and len(calm) == len(unit.read)
            else unit
        )

    def _calm(self, found: re.Match[str]) -> str:
        """SEOUL as Seoul, NATO as it is, and what is no name in small letters."""
        word, knows_better = found[0], self.saved.tokenizer.source.knows_better
        ways = (word.capitalize(), word)
        return next((way for way in ways if knows_better(way, word.lower())), word.lower())

    def read_otherwise(self, unit: Unit) -> list[Unit]:
        """The same with its small numbers read in words, in each usual way, and without its numbers, which are put back later."""
        base = unit.without if unit.without.taken else Without(unit.read)
        words = base.in_other_words(partial(in_words, language=unit.source_language))
        readings = [replace(unit, without=each, read=each.text, guarded=unit.without.text) for each in words]
        without = take_out(unit.text, numbers=True)
        # Not of "2 million", of which the word would stay.
        able = without.has_words and not (unit.calmed or WORDED.search(unit.text))
        if able and len(without.taken) > len(base.taken):
            readings.append(replace(unit, without=without, read=without.text))
        encode = self.saved.tokenizer.encode_source
        return [replace(each, ids=encode(each.read, unit.target_language, self.tag)) for each in readings]

    def apart(self, unit: Unit, units: list[Unit]) -> Plan | None:
        """A unit's text cut into its sentences, each a unit of its own that is added to `units`.

        None if it is a single one, or if a cut would part what belongs together: a tag, or a pair of them.
        """
        sentences = split_sentences(unit.text, unit.source_language)
        if len(sentences) < 2 or not all(tags_are_whole(sentence.text) for sentence in sentences):
            return None
        plan = Plan(unit.text, unit.target_language)
        for sentence in sentences:
            plan.parts += self.plan(sentence.text, unit.target_language, units).parts
            plan.parts.append(sentence.gap or (" " if writes_spaces(unit.target_language) else ""))
        plan.parts.pop()  # nothing follows the last sentence
        return plan

    def likely_language(self, text: str, target: str) -> str:
        """The one of the languages translated to the target that a text is written in, as far as its script tells."""
        return detect(text, [source for source, to in self.saved.directions if to == target])[0][0]

    def _source_language(self, target: str) -> str:
        """The language of texts that are translated to this one, if there is but one."""
        sources = {source for source, to in self.saved.directions if to == target}
        return sources.pop() if len(sources) == 1 else ""

    def _pieces(self, text: str, language: str, fits: Callable[[str], bool]) -> Iterator[Segment]:
        """Sentences, and pieces of sentences that are still too long, with the white space after each."""
        sentences = partial(split_sentences, language=language)
        return _cut(Segment(text), fits, (sentences, split_korean, partial(split_long, fits=fits)))


def _in_capitals(text: str) -> bool:
    """Whether all its letters are: SEOUL 호텔 is not, whose script has none."""
    return text.isupper() and all(map(str.isupper, filter(str.isalpha, text)))


def _cut(
    piece: Segment, fits: Callable[[str], bool], cutters: Sequence[Callable[[str], list[Segment]]]
) -> Iterator[Segment]:
    """What fits as it is; what does not, cut in the first way, and its parts in the next ways where they do not fit."""
    if fits(piece.text):
        yield piece
    elif not cutters:
        yield from _halves(piece, fits)
    else:
        *parts, last = joined_fragments(piece.text, cutters[0](piece.text))
        for part in (*parts, Segment(last.text, last.gap + piece.gap)):
            yield from _cut(part, fits, cutters[1:])


def _halves(piece: Segment, fits: Callable[[str], bool]) -> Iterator[Segment]:
    """Cuts a letter with more marks than the network can read, which is no real text, rather than fail on it."""
    if fits(piece.text) or len(piece.text) < 2:
        yield piece
        return
    middle = len(piece.text) // 2
    yield from _halves(Segment(piece.text[:middle]), fits)
    yield from _halves(Segment(piece.text[middle:], piece.gap), fits)
