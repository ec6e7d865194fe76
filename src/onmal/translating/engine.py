"""What runs a saved model: ids in, hypotheses out; and how the fastest one that can do what is asked is chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from onmal.config import SearchConfig
from onmal.decoding.search import Hypothesis

__all__ = ["NONE", "Auto", "Constraints", "Engine", "Phrase", "Precision"]

Precision = Literal["float32", "bfloat16", "int8"]
"""Of the products: exact, with half the bits, with a quarter of them."""


Phrase = tuple[int, ...]


@dataclass(frozen=True)
class Constraints:
    """What translations have to say, as ids: one entry for each source, or none at all."""

    prefixes: Sequence[Phrase] = ()
    """With what each begins."""
    must: Sequence[tuple[Phrase, ...]] = ()
    """The phrases that each says somewhere."""
    never: Sequence[tuple[Phrase, ...]] = ()
    """The phrases that each does not say."""
    watchers: Sequence[Callable[..., None]] = ()
    """Called before each word that torch searches for; one that raises an error ends the search."""


NONE = Constraints()


class Engine(Protocol):
    """Anything that turns source ids into hypotheses."""

    def at_once(self, config: SearchConfig, constraints: Constraints = NONE) -> int:
        """How many calls of `translate` for such a search it is best given at the same time; of several the last is in advance."""

    def describe(self, config: SearchConfig, constraints: Constraints = NONE) -> str:
        """What runs such a search, and how; and why nothing faster, if there is a reason."""

    def refuses(self, config: SearchConfig, constraints: Constraints = NONE) -> str:
        """The option that it cannot follow; empty if it can do all that is asked."""

    def translate(
        self, sources: Sequence[Sequence[int]], config: SearchConfig, constraints: Constraints = NONE
    ) -> list[list[Hypothesis]]:
        """The n best hypotheses of each source (ids, end included), in the order of the sources."""

    def align(self, source: Sequence[int], target: Sequence[int]) -> list[list[float]]:
        """How much each target token (end included) looked at each source token: rows that sum to one."""


@dataclass(frozen=True)
class Auto:
    """Several engines, the fastest first: each call goes to the first that can do all that is asked of it.

    The last one can do everything.
    """

    engines: Sequence[Engine]
    missing: str = ""
    """What a faster engine would need."""

    def at_once(self, config: SearchConfig, constraints: Constraints = NONE) -> int:
        """As many as the engine likes that is chosen."""
        return self.choose(config, constraints)[0].at_once(config, constraints)

    def choose(self, config: SearchConfig, constraints: Constraints = NONE) -> tuple[Engine, list[str]]:
        """The engine for a search, and why not a faster one."""
        *faster, last = self.engines
        reasons = [self.missing] if self.missing else []
        for engine in faster:
            what = engine.refuses(config, constraints)
            if not what:
                return engine, reasons
            reasons.append(f"a faster engine has no {what}")
        return last, reasons

    def describe(self, config: SearchConfig, constraints: Constraints = NONE) -> str:
        """The engine that is chosen, and why not a faster one."""
        engine, reasons = self.choose(config, constraints)
        return "; ".join([engine.describe(config, constraints), *reasons])

    def refuses(self, config: SearchConfig, constraints: Constraints = NONE) -> str:
        """Nothing."""
        return ""

    def translate(
        self, sources: Sequence[Sequence[int]], config: SearchConfig, constraints: Constraints = NONE
    ) -> list[list[Hypothesis]]:
        """As the engine does that is chosen."""
        return self.choose(config, constraints)[0].translate(sources, config, constraints)

    def align(self, source: Sequence[int], target: Sequence[int]) -> list[list[float]]:
        """As the last engine does."""
        return self.engines[-1].align(source, target)
