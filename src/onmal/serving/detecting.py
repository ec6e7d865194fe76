"""Which language a text is in, offline: its script first, and py3langid where languages share a script."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from onmal.errors import MissingExtraError
from onmal.text.language import canonical, detect, known, primary, script_of

__all__ = ["Detected", "Detector"]

LOOKED_AT = 2_000  # characters: more would make it no surer
EXPECTED = (
    20.0  # how many times as likely a text is in a language that it can be translated from as in any other
)


@dataclass(frozen=True)
class Detected:
    """A language that a text may be in."""

    language: str
    confidence: float
    """From 0 (no idea) to 1 (certain)."""


class Detector:
    """Ranks languages for a text.

    The script alone decides between Korean and English. Between languages that share one py3langid does, a naive Bayes over byte
    n-grams, which takes n-grams that overlap for independent, and so would be certain after a word or two. Its `norm_probs` divides
    log-probabilities by the root of the text's length in bytes before they become probabilities. They would still be too sure
    among two or three languages only: French would be English where nobody speaks French. So they are shares among all languages
    that it knows, of which those asked for are expected EXPECTED times as often as others.
    """

    def __init__(self, languages: Iterable[str]) -> None:
        self.languages = list(dict.fromkeys(map(canonical, languages)))

    def __call__(self, text: str) -> list[Detected]:
        """The languages, best first. Their confidences sum to 1 at most; all are 0 for a text without letters."""
        text = text[:LOOKED_AT]
        fits = {
            code: detect(text, [code])[0][1] for code in self.languages
        }  # share of the text in its scripts
        best = max(fits.values(), default=0.0)
        alike = [code for code in self.languages if math.isclose(fits[code], best)] if best else []
        by_script = best - max((fit for code, fit in fits.items() if code not in alike), default=0.0)
        shares = self._shares(text, alike) if alike else {}
        order = sorted(
            self.languages, key=lambda code: (code not in alike, -shares.get(code, 0.0), -fits[code])
        )
        return [Detected(code, by_script * shares.get(code, 0.0)) for code in order]

    def prepare(self) -> None:
        """Read py3langid's tables now, which takes half a second. Raises MissingExtraError."""
        _ = self._identifier

    def _shares(self, text: str, alike: Sequence[str]) -> dict[str, float]:
        """How likely each of some languages that share a script is; together less than 1 where it may be another."""
        if len(alike) == 1 and _is_the_only_one(alike[0]):
            return {alike[0]: 1.0}
        likely = dict(self._identifier.rank(text))
        expected = {primary(code) for code in alike}
        weights = {code: share * (EXPECTED if code in expected else 1.0) for code, share in likely.items()}
        total = sum(weights.values())
        same = [primary(code) for code in alike]  # zh and zh-Hant are one to it
        return {code: weights.get(primary(code), 0.0) / total / same.count(primary(code)) for code in alike}

    @cached_property
    def _identifier(self) -> Any:
        try:
            from py3langid.langid import MODEL_FILE, LanguageIdentifier  # type: ignore[import-untyped]
        except ImportError:
            raise MissingExtraError("py3langid", "serve", "telling languages of one script apart") from None
        return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


@lru_cache
def _is_the_only_one(code: str) -> bool:
    """Whether no other language is written in its scripts."""
    return not any(script_of(code) & script_of(other) for other in known() if other != primary(code))
