"""Which language a text is in, offline: its script first, and py3langid where languages share a script."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
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

    A language is as likely as the share of the text that is in its scripts, which alone tells Korean from English. Between those that
    share a script py3langid decides, a naive Bayes over byte n-grams. It takes n-grams that overlap for independent, and so would be
    certain after a word or two: its `norm_probs` divides log-probabilities by the root of the text's length in bytes before they
    become probabilities. They would still be too sure among two or three languages only: French would be English where nobody
    speaks French. So they are shares among all languages that it knows, those asked for being expected EXPECTED times as often.
    """

    def __init__(self, languages: Iterable[str]) -> None:
        self.languages = list(dict.fromkeys(map(canonical, languages)))

    def __call__(self, text: str) -> list[Detected]:
        """The languages, best first. Their confidences sum to 1 at most; all are 0 for a text without letters."""
        text = text[:LOOKED_AT]
        by_scripts = {script_of(code): code for code in self.languages}
        shares = {scripts: detect(text, [code])[0][1] for scripts, code in by_scripts.items()}
        fits = {
            code: shares[script_of(code)] for code in self.languages
        }  # how much of the text is in its scripts
        possible = [code for code, fit in fits.items() if fit]
        if len(possible) == 1 and _is_the_only_one(possible[0]):
            found = {possible[0]: 1.0}
        else:
            found = self._weighed(text, {code: fits[code] for code in possible}) if possible else {}
        order = sorted(self.languages, key=lambda code: (-found.get(code, 0.0), -fits[code]))
        return [Detected(code, found.get(code, 0.0)) for code in order]

    def prepare(self) -> None:
        """Read py3langid's tables now, which takes half a second. Raises MissingExtraError."""
        _ = self._identifier

    def _weighed(self, text: str, fits: dict[str, float]) -> dict[str, float]:
        """How likely each of some languages is, given how well its scripts fit; together less than 1 where it may be another."""
        likely = dict(self._identifier.rank(text))
        average = 1 / len(likely)  # for what it does not know
        same = Counter(map(primary, fits))  # zh and zh-Hant are one to it
        weights = {
            code: fit * EXPECTED * likely.get(primary(code), average) / same[primary(code)]
            for code, fit in fits.items()
        }
        others = sum(share for code, share in likely.items() if code not in same)
        total = sum(weights.values()) + others
        return {code: weight / total for code, weight in weights.items()}

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
