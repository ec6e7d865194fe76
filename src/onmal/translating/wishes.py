"""What a person asks of a translation beyond the search: how it begins, and what it says or does not say.

What must not be said, and a beginning, the engine is told at once. What must be said is looked for in the hypotheses first; only
where none says it is there another, slower search for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from onmal.config import SearchConfig
from onmal.decoding.search import Hypothesis
from onmal.text.normalize import normalize
from onmal.text.terms import says
from onmal.text.tokenizer import SubwordModel
from onmal.translating.engine import NONE, Constraints, Engine
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


NO_WISHES = Wishes()


def missing(unit: Unit, translation: str) -> list[str]:
    """What a unit's translation should say and does not."""
    return [word for word in unit.must if not says(translation, word, unit.target_language)]


class Wishing:
    """Has an engine say what was wished for."""

    def __init__(self, engine: Engine, subwords: SubwordModel) -> None:
        self.engine, self.subwords = engine, subwords

    def search(
        self, plans: Sequence[Plan], units: Sequence[Unit], config: SearchConfig, wishes: Wishes
    ) -> list[list[Hypothesis]]:
        """The hypotheses of each unit; those that say what they must are before those that do not."""
        constraints = self.constraints(plans, units, wishes)
        found = self.engine.translate([unit.ids for unit in units], config, constraints)

        def says_all(number: int) -> bool:
            return any(not missing(units[number], self._text(hypothesis)) for hypothesis in found[number])

        def again(wanted: Mapping[int, Sequence[str]]) -> dict[int, list[Hypothesis]]:
            return self.saying(units, wanted, config, constraints)

        for plan in plans if wishes.must else ():
            said = " ".join(self._text(found[number][0]) for number in plan.units)
            lacking = [word for word in wishes.must if not says(said, word, plan.target_language)]
            if lacking and plan.units:
                tried = (
                    again(dict.fromkeys(plan.units, lacking))
                    if len(plan.units) > 1
                    else {plan.units[0]: found[plan.units[0]]}
                )
                fits = max(tried, key=lambda number: tried[number][0].score - found[number][0].score)
                units[fits].must.extend(lacking)
        asked = {n: unit.must for n, unit in enumerate(units) if unit.must and not says_all(n)}
        for number, hypotheses in again(asked).items():
            found[number] = hypotheses + found[number]
        return found

    def saying(
        self,
        units: Sequence[Unit],
        wanted: Mapping[int, Sequence[str]],
        config: SearchConfig,
        constraints: Constraints = NONE,
    ) -> dict[int, list[Hypothesis]]:
        """The hypotheses of the units of these numbers, where each says what is wanted of it."""
        if not wanted:
            return {}
        prefixes = [constraints.prefixes[n] for n in wanted] if constraints.prefixes else ()
        must = [tuple(tuple(self.subwords.encode(word)) for word in words) for words in wanted.values()]
        asked = replace(constraints, prefixes=prefixes, must=must)
        found = self.engine.translate([units[n].ids for n in wanted], config, asked)
        return dict(zip(wanted, found, strict=True))

    def constraints(self, plans: Sequence[Plan], units: Sequence[Unit], wishes: Wishes) -> Constraints:
        prefixes: list[tuple[int, ...]] = []
        if wishes.prefix:
            prefix = tuple(self.subwords.encode(wishes.prefix))
            first = {number for plan in plans for number in plan.units[:1]}
            prefixes = [prefix if number in first else () for number in range(len(units))]
        spelled = {
            form for word in wishes.never for form in (word, word.lower(), word[:1].upper() + word[1:])
        }
        return Constraints(prefixes, never=[tuple(self.subwords.encode(word)) for word in sorted(spelled)])

    def _text(self, hypothesis: Hypothesis) -> str:
        return normalize(self.subwords.decode(hypothesis.tokens))
