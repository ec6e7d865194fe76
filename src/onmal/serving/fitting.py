"""Whether what must be said fits: searching for it takes long, and for what cannot be there it would take longest."""

from __future__ import annotations

from collections.abc import Sequence

from onmal.data.batching import pad_rows
from onmal.decoding.search import length_limits
from onmal.errors import ConfigError
from onmal.serving.kinds import Kind
from onmal.translating.plan import Unit

__all__ = ["check_must"]

MOST_TRIED = 256  # tokens: all of them are tried in each sentence of a text, to find where they fit best


def check_must(kind: Kind, texts: Sequence[str]) -> None:
    """Raises ConfigError where a translation of one of the texts has no room for what it must say, or too many places for it."""
    translator, direction = kind.loaded.translator, kind.direction
    saved = translator.saved
    wanted = sum(len(saved.tokenizer.target.encode(phrase)) for phrase in kind.wishes.must)
    for text in texts:
        units: list[Unit] = []
        translator.planner.plan(text, direction[1], units)
        if len(units) > 1 and len(units) * wanted > MOST_TRIED:
            raise ConfigError(
                f"must has {wanted:,} tokens to try in each of {len(units):,} sentences, {MOST_TRIED} are possible",
                "send the sentence alone that has to say them",
            )
        if units:
            source = pad_rows([unit.ids for unit in units], saved.model.vocabulary.pad)
            most = int(length_limits(saved.model, source, kind.search).max())
            if wanted >= most:
                raise ConfigError(
                    f"must has {wanted:,} tokens where a translation of the text has at most {most:,}",
                    "leave some of it away",
                )
