"""`[search]`: how the best translation is looked for."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, model_validator

from onmal.errors import ConfigError
from onmal.settings import Settings

__all__ = ["SearchConfig"]


class SearchConfig(Settings):
    """How the best translation is looked for."""

    beam_size: int = Field(default=4, ge=1, le=256)
    """Hypotheses kept per sentence; 1 is greedy."""
    patience: float = Field(default=1.0, ge=1)
    """A sentence is done with so many times beam_size finished translations; more may find a better one (Kasai 2022). Greedy search has none."""
    length_penalty: float = Field(default=1.0, ge=0)
    """Scores are divided by length ** this; 0 favours short, 1 is the mean log-probability."""
    max_length_ratio: float = Field(default=2.0, gt=0)
    """A translation ends at this many times the source's tokens, plus `max_length_extra`."""
    max_length_extra: int = Field(default=16, ge=1)
    """Tokens granted beyond the ratio."""
    n_best: int = Field(default=1, ge=1)
    """Translations returned per sentence; at most beam_size."""
    min_length_ratio: float = Field(default=0.0, ge=0)
    """A translation has at least this many times the source's tokens."""
    coverage_penalty: float = Field(default=0.0, ge=0)
    """Scores fall with every source token that the translation hardly looked at (Wu 2016, equation 14)."""
    diversity: float = Field(default=0.0, ge=0)
    """How much [nats] a hypothesis' second continuation is set back behind its first, the third behind the second."""
    no_repeat_ngram: int = Field(default=0, ge=0)
    """No run of this many tokens comes twice in a translation; 0 allows it."""
    sample: bool = False
    """Draw the words by chance instead: beam_size translations per sentence, of which the n_best are returned."""
    temperature: float = Field(default=1.0, gt=0)
    """Below 1 the likely words are drawn more often than the network says, above 1 less."""
    top_k: int = Field(default=0, ge=0)
    """Draw among the k likeliest words only; 0 among all."""
    top_p: float = Field(default=1.0, gt=0, le=1)
    """Draw among the likeliest words that have this probability together."""
    shortlist: bool = False
    """Look only among the words that the source suggests, by the folder's shortlist (`onmal shortlist`)."""
    seed: int = Field(default=0, ge=0)
    """Of the drawing: the same sentence and seed give the same translations."""

    @model_validator(mode="after")
    def _n_best_fits(self) -> Self:
        if self.n_best > self.beam_size:
            raise ValueError(
                f"n_best = {self.n_best} is more than beam_size = {self.beam_size}; raise beam_size"
            )
        return self

    def asked(self, **changes: Any) -> Self:
        """The same with changes that somebody asked for; ConfigError for one that would have no effect."""
        found, usual = self.replace(**changes), type(self)()
        for name in ("temperature", "top_k", "top_p", "seed"):
            if name in changes and changes[name] != getattr(usual, name) and not found.sample:
                raise ConfigError(
                    f"{name} says how words are drawn, and none are", "ask for sample = true, too"
                )
        if found.sample and found.diversity:
            if "diversity" in changes:
                raise ConfigError("what is drawn differs anyway", "leave sample or diversity away")
            return found.replace(diversity=0.0)
        return found
