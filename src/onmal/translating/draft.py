"""What the network says of each unit, and what else is tried where every candidate has a fault."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import Any

from onmal.cleaning.filters import Filter
from onmal.cleaning.guards import Numbers, Steering, faults, to_say
from onmal.cleaning.number_words import says_another
from onmal.config import SearchConfig
from onmal.data.pair import Pair
from onmal.decoding.search import Hypothesis
from onmal.text.normalize import normalize
from onmal.text.tokenizer import SubwordModel
from onmal.translating.engine import Phrase
from onmal.translating.plan import Planner, Unit
from onmal.translating.wishes import Wishing, missing

__all__ = ["Candidate", "Draft"]

# What ends a sentence, and is no part of an abbreviation.
STOP = re.compile(
    r"(?i)\b(?!(?:usw|etc|bzw|vgl|bspw|ltd|inc|corp|prof|dept|tel|jan|feb|aug|sept|oct|okt|nov|dec|dez|\w*str)\.\Z)([^\W\d_]{3,}|[^\W\d_]*[가-힣])\.\Z"
)
# The end of a source without such a stop, in a script that has them: a title, a cell, a label.
BARE = re.compile(r"[^\W\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]\Z")
SPELLINGS = 4  # of what must not be said that are looked for

Found = list[list[Hypothesis]]


@dataclass
class Candidate:
    """One hypothesis for a unit: its text, and what is wrong with it."""

    unit: Unit
    hypothesis: Hypothesis
    subwords: SubwordModel
    guards: Sequence[Filter]

    @cached_property
    def text(self) -> str:
        """What it says."""
        text = self.first(len(self.hypothesis.tokens))
        ended = text.rstrip(" .!?…:~;") + self.unit.ending if text and self.unit.ending else text
        return STOP.sub(r"\1", ended) if BARE.search(self.unit.read) else ended

    def first(self, count: int) -> str:
        """What so many tokens say; a network can spell a line break in bytes, though no text that it learned had any."""
        text = normalize(self.subwords.decode(self.hypothesis.tokens[:count]))
        return text.upper() if self.unit.calmed else text

    @cached_property
    def faults(self) -> list[str]:
        """What the guards find, what should have been said, and an end that did not come."""
        found = faults(self.guards, self.pair)
        found += [f"missing: {word}" for word in missing(self.unit, self.text)]
        if not self.hypothesis.ended:
            found.append(f"unfinished: cut off after {len(self.hypothesis.tokens)} tokens")
        return found

    @property
    def pair(self) -> Pair:
        """Source and translation, as the guards see them."""
        return self.unit.pair(self.text)


class Draft:
    """The candidates of all units, best first, once they were searched for."""

    def __init__(
        self, wishing: Wishing, planner: Planner, guards: Sequence[Filter], config: SearchConfig
    ) -> None:
        self.wishing, self.planner, self.guards, self.config = wishing, planner, guards, wishing.room(config)
        self.units = wishing.units
        hypotheses = wishing.search(self.config, glossary=bool(planner.glossary))
        self.found = self._candidates(self.units, hypotheses)

    def mended(self) -> list[list[Candidate]]:
        """The same after all that was tried; what has no fault comes first."""
        wishes = self.wishing.wishes
        if self.guards and self._faulty():
            if not (wishes.prefix or wishes.must):  # which belong to the whole
                self._apart()
                self._otherwise()
                self._read_otherwise()
            self._unsaid()
            self._again()
        return [_sound_first(candidates) for candidates in self.found]

    def _candidates(
        self, units: Iterable[Unit], hypotheses: Iterable[Iterable[Hypothesis]]
    ) -> list[list[Candidate]]:
        return [
            [Candidate(unit, each, self.wishing.subwords, self.guards) for each in some]
            for unit, some in zip(units, hypotheses, strict=True)
        ]

    def _apart(self) -> None:
        """Sentences are translated one by one where that leaves fewer faults."""
        whole = len(self.units)
        tried = [
            (plan, n, sentences)
            for plan in self.wishing.plans
            for n in plan.units
            if all(each.faults for each in self.found[n])
            and (sentences := self.planner.apart(self.units[n], self.units))
        ]
        added = self.units[whole:]
        self.found += self._candidates(added, self.wishing.others(added, self.config))
        unsaid = {
            n: unit.must
            for n, unit in enumerate(added, whole)
            if all(missing(unit, each.text) for each in self.found[n])
        }
        self._put_first([*unsaid], self.wishing.saying([*unsaid.items()], self.config))
        for plan, n, sentences in tried:
            best = {part: _sound_first(self.found[part])[0] for part in sentences.units}
            said = "".join(part if isinstance(part, str) else best[part].text for part in sentences.parts)
            of_parts = [fault for each in best.values() for fault in each.faults]
            names = {fault.partition(":")[0] for fault in of_parts}
            pair = self.units[n].pair(said)
            of_all = [each for each in faults(self.guards, pair) if each.partition(":")[0] not in names]
            if len(of_parts) + len(of_all) < len(self.found[n][0].faults):
                at = plan.parts.index(n)
                plan.parts[at : at + 1] = sentences.parts
                plan.warnings += of_all

    def _otherwise(self) -> None:
        """Another search is tried where a guard knows one."""
        for guard in self.guards:
            for steered in guard.steer(self.config) if isinstance(guard, Steering) else ():
                if steered == self.config or self.wishing.engine.refuses(steered):
                    continue
                best = self._faulty().items()
                faulty = [n for n, each in best if guard(each.pair) or not each.hypothesis.ended]
                self._put_first(faulty, self.wishing.others([self.units[n] for n in faulty], steered))

    def _unsaid(self) -> None:
        """What must not be said, and is in a spelling that was not forbidden, is searched for without that one."""
        said: dict[int, list[Phrase]] = defaultdict(list)
        for _ in range(SPELLINGS if self.wishing.wishes.never else 0):
            again = []
            for n, best in self._faulty().items():
                if spelling := self.wishing.spelling(best.hypothesis, self.units[n].target_language):
                    said[n].append(spelling)
                    again.append(n)
            wanted = [(n, self.units[n].must) for n in again]
            tried = self.wishing.saying(wanted, self.config, [said[n] for n in again])
            for n, hypotheses in zip(again, tried, strict=True):
                self.found[n][:0] = self._candidates([self.units[n]], [hypotheses])[0]

    def _read_otherwise(self) -> None:
        """Where a number is wrong, small ones are read in words, which the network may know better than figures, or none at all."""
        readings = [
            (n, reading)
            for n, best in self._faulty().items()
            if any(fault.startswith(Numbers.name) for fault in best.faults)
            for reading in self.planner.read_otherwise(self.units[n])
        ]
        units = [reading for _, reading in readings]
        sound: dict[int, list[Candidate]] = {n: [] for n, _ in readings}
        tried = self._candidates(units, self._as_long([n for n, _ in readings], self.wishing.others, units))
        for (n, _), candidates in zip(readings, tried, strict=True):
            sound[n] += [each for each in candidates if not each.faults and not _made_up(each)]
        for n, candidates in sound.items():
            # Those that say the number themselves before those in which it is put beside its word.
            candidates.sort(key=lambda each: (len(each.unit.without.taken), -each.hypothesis.score))
            self.found[n][:0] = candidates

    def _again(self) -> None:
        """What was lost and is known is searched for, in each way of saying it, all at once; the first comes before the others."""
        faulty = self._faulty()
        lost = {n: ways for n, best in faulty.items() if (ways := to_say(self.guards, best.pair))}
        if not lost:
            return
        said = [
            (n, [*faulty[n].unit.must, *(ways[min(attempt, len(ways) - 1)] for ways in each)])
            for n, each in lost.items()
            for attempt in range(max(map(len, each)))
        ]
        tried = self._as_long([n for n, _ in said], self.wishing.saying, said)
        self._put_first([n for n, _ in reversed(said)], tried[::-1])

    def _faulty(self) -> dict[int, Candidate]:
        """The best candidates of the units all of whose candidates have faults."""
        used = [n for plan in self.wishing.plans for n in plan.units]
        return {n: self.found[n][0] for n in used if all(each.faults for each in self.found[n])}

    def _as_long(
        self, numbers: Sequence[int], search: Callable[[Any, SearchConfig], Found], asked: Sequence[Any]
    ) -> Found:
        """What is found for each that is asked of the unit of this number, not much longer than its translation or its source."""
        lengths = [(len(self.found[n][0].hypothesis.tokens), len(self.units[n].ids)) for n in numbers]
        ratios = [ceil(4 * target / source) / 4 for target, source in lengths]  # so that many are alike
        found: dict[int, list[Hypothesis]] = {}
        for ratio in {*ratios}:
            places = [place for place, each in enumerate(ratios) if each == ratio]
            config = self.config.replace(max_length_ratio=min(self.config.max_length_ratio, max(1.0, ratio)))
            found.update(zip(places, search([asked[place] for place in places], config), strict=True))
        return [found[place] for place in range(len(ratios))]

    def _put_first(self, numbers: Sequence[int], tried: Iterable[Iterable[Hypothesis]]) -> None:
        """Candidates of the units of these numbers that have no fault come before those that there are."""
        candidates = self._candidates([self.units[n] for n in numbers], tried)
        for n, some in zip(numbers, candidates, strict=True):
            self.found[n][:0] = [each for each in some if not each.faults]


def _made_up(candidate: Candidate) -> bool:
    """Whether a number is said in words for one in figures that the network did not get to read."""
    return not candidate.unit.guarded and says_another(candidate.pair)


def _sound_first(candidates: list[Candidate]) -> list[Candidate]:
    """The candidates with the first one that has no fault before the others."""
    sound = next((rank for rank, each in enumerate(candidates) if not each.faults), 0)
    return [candidates[sound], *candidates[:sound], *candidates[sound + 1 :]]
