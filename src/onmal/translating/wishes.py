"""What a person asks of a translation beyond the search: how it begins, and what it says or does not say.

What must not be said, and a beginning, the engine is told at once. What must be said is looked for in the hypotheses first; only
where none says it is there another, slower search for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from onmal.config import SearchConfig
from onmal.decoding.search import Hypothesis
from onmal.errors import ConfigError
from onmal.fragments import take_out
from onmal.text.language import writes_spaces
from onmal.text.normalize import normalize
from onmal.text.terms import says
from onmal.text.tokenizer import SubwordModel
from onmal.translating.engine import Constraints, Engine, Phrase
from onmal.translating.plan import Plan, Unit

__all__ = ["NO_WISHES", "Wishes", "Wishing", "missing"]


@dataclass(frozen=True)
class Wishes:
    """What the translation of a text should be like."""

    prefix: str = ""
    """How it begins: the network goes on from here."""
    must: tuple[str, ...] = ()
    """Words or phrases that it says, wherever they fit."""
    never: tuple[str, ...] = ()
    """Words or phrases that it does not say."""
    watchers: tuple[Callable[..., None], ...] = ()
    """Called before each word that torch searches for; one that raises an error ends it: nobody wishes for it any more."""

    def __post_init__(self) -> None:
        """Raises ConfigError for a word that is blank, which every text says, or none."""
        if not all(map(normalize, (*self.must, *self.never))):
            raise ConfigError(
                "what must be said, or must not, is blank", "leave away must and never, or say what"
            )


NO_WISHES = Wishes()


def missing(unit: Unit, translation: str) -> list[str]:
    """What a unit's translation should say and does not."""
    return [word for word in unit.must if not says(translation, word, unit.target_language)]


@dataclass
class Wishing:
    """Has an engine translate some texts as was wished for; `able` does where that one has no search for what must be said."""

    engine: Engine
    able: Engine
    subwords: SubwordModel
    plans: Sequence[Plan]
    units: list[Unit]
    wishes: Wishes

    def __post_init__(self) -> None:
        """Put into the words of the network what is wished for."""
        self.never = {each: self._spellings(each) for each in {plan.target_language for plan in self.plans}}
        self.constraints = Constraints(self._prefixes(), (), self._never(self.units), self.wishes.watchers)

    def room(self, config: SearchConfig) -> SearchConfig:
        """The same search for translations that may be longer by what they begin with."""
        given = max(map(len, self.constraints.prefixes), default=0)
        return config.replace(max_length_extra=config.max_length_extra + given) if given else config

    def search(self, config: SearchConfig, *, glossary: bool = False) -> list[list[Hypothesis]]:
        """The hypotheses of each unit; those that say what they must are before those that do not.

        Raises ConfigError for a search that cannot look for words, where there are any or could be, by a glossary.
        """
        bound = self.wishes.must or glossary
        if bound and (config.sample or config.diversity or config.coverage_penalty):
            raise ConfigError(
                "what must be said has a search of its own",
                "leave away must and the glossary, or else sample, diversity and coverage_penalty",
            )
        found = self.engine.translate([unit.ids for unit in self.units], config, self.constraints)
        for plan in self.plans if self.wishes.must else ():
            taken = [fragment for n in plan.units for _, _, fragment in self.units[n].without.taken]
            said = " ".join([*(self._text(found[number][0]) for number in plan.units), *taken])
            lacking = [word for word in self.wishes.must if not says(said, word, plan.target_language)]
            if lacking and plan.units:
                self._fits_best(plan.units, lacking, found, config).must.extend(lacking)
        unsaid = {
            number: unit.must
            for number, unit in enumerate(self.units)
            if unit.must and all(missing(unit, self._text(each)) for each in found[number])
        }
        for number, hypotheses in zip(unsaid, self.saying([*unsaid.items()], config), strict=True):
            found[number] = hypotheses + found[number]
        return found

    def others(self, units: Sequence[Unit], config: SearchConfig) -> list[list[Hypothesis]]:
        """The hypotheses of further units, of which nothing is wished but what they must not say."""
        asked = replace(self.constraints, prefixes=(), never=self._never(units))
        return self.engine.translate([unit.ids for unit in units], config, asked) if units else []

    def saying(
        self,
        wanted: Sequence[tuple[int, Sequence[str]]],
        config: SearchConfig,
        unsaid: Sequence[Sequence[Phrase]] = (),
    ) -> list[list[Hypothesis]]:
        """The hypotheses of the units of these numbers, where each says what is wanted of it, and all else as wished.

        `unsaid` are more spellings for each of what it must not say.
        """
        if not wanted:
            return []
        must = [
            tuple(phrase for word in words if (phrase := self._phrase(word, self.units[n].target_language)))
            for n, words in wanted
        ]
        prefixes = [self.constraints.prefixes[n] for n, _ in wanted] if self.constraints.prefixes else ()
        never = self._never([self.units[n] for n, _ in wanted], unsaid)
        asked = replace(self.constraints, prefixes=prefixes, must=must, never=never)
        engine = self.able if self.engine.refuses(config, asked) else self.engine
        return engine.translate([self.units[n].ids for n, _ in wanted], config, asked)

    def _fits_best(
        self,
        numbers: Sequence[int],
        words: Sequence[str],
        found: Sequence[Sequence[Hypothesis]],
        config: SearchConfig,
    ) -> Unit:
        """The unit of a text whose score falls least when it has to say the words."""
        if len(numbers) == 1:
            return self.units[numbers[0]]
        tried = self.saying([(n, words) for n in numbers], config)
        gains = [best[0].score - found[n][0].score for n, best in zip(numbers, tried, strict=True)]
        return self.units[numbers[max(range(len(numbers)), key=gains.__getitem__)]]

    def _prefixes(self) -> list[Phrase]:
        """How the translation of each unit begins; marks that stand before the first one (- and quotes) are there already."""
        if not (prefix := self.wishes.prefix.strip()):
            return []
        for plan in self.plans:
            for number in plan.units[:1]:
                marks = "".join(map(str, plan.parts[: plan.parts.index(number)])).strip()
                self.units[number] = replace(self.units[number], begun=prefix.removeprefix(marks).lstrip())
        return [tuple(self.subwords.encode(take_out(unit.begun).text)) for unit in self.units]

    def _never(
        self, units: Sequence[Unit], more: Sequence[Sequence[Phrase]] = ()
    ) -> list[tuple[Phrase, ...]]:
        """What the translation of each unit does not say, and more for each."""
        if not self.wishes.never:
            return []
        usual = [self.never[unit.target_language] for unit in units]
        return [(*phrases, *others) for phrases, others in zip(usual, more or [()] * len(units), strict=True)]

    def _spellings(self, language: str) -> list[Phrase]:
        """All that are known of what must not be said in a language."""
        never = self.wishes.never
        forms = {
            form for word in never for form in (word, word.lower(), word.upper(), word[:1].upper() + word[1:])
        }
        spelled = {self._phrase(form, language) for form in forms}
        spelled |= {tuple(self.subwords.encode(form)) for form in forms}  # as a sentence begins with it
        for piece, number in self.subwords.written.items() if never else ():
            text = piece.replace("▁", " ")  # "(coffee", 커피를
            if any(word.casefold() in text.casefold() for word in never) and self.forbidden(text, language):
                spelled.add((number,))
        return sorted(spelled)

    def _phrase(self, word: str, language: str) -> Phrase:
        """A word's ids within a sentence of a language."""
        encode = self.subwords.encode if writes_spaces(language) else self.subwords.encode_within
        return tuple(encode(word))

    def forbidden(self, text: str, language: str) -> bool:
        """Whether a text in a language says what must not be said."""
        return any(says(text, word, language) for word in self.wishes.never)

    def spelling(self, hypothesis: Hypothesis, language: str) -> Phrase:
        """The last tokens of a hypothesis that say what must not be said, no more than that takes; none where it does not."""
        tokens = hypothesis.tokens
        if not self.forbidden(self.subwords.decode(tokens), language):
            return ()
        for shorter in (slice(1, None), slice(None, -1)):
            while self.forbidden(self.subwords.decode(tokens[shorter]), language):
                tokens = tokens[shorter]
        return tokens

    def _text(self, hypothesis: Hypothesis) -> str:
        return normalize(self.subwords.decode(hypothesis.tokens))
