"""A glossary: terms, and how they are to be translated."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from onmal.errors import DataError
from onmal.formats.lines import read_lines
from onmal.text.normalize import normalize
from onmal.text.terms import folded, says, without

__all__ = ["Glossary"]


class Glossary:
    """Source term -> target term, in the order given; a term within a longer one that was found does not count."""

    def __init__(self, terms: Iterable[tuple[str, str]]) -> None:
        pairs = {folded(normalize(source)): normalize(target) for source, target in terms}
        self.terms = sorted(pairs.items(), key=lambda pair: -len(pair[0]))

    @classmethod
    def read(cls, path: str | Path) -> Glossary:
        """A file of two columns with a tab between; blank lines and those that begin with # say nothing. Raises DataError."""
        terms = []
        for number, line in enumerate(read_lines(path), 1):
            if not line.strip() or line.startswith("#"):
                continue
            source, *targets = (cell.strip() for cell in line.split("\t"))
            if len(targets) != 1 or not source or not targets[0]:
                raise DataError(
                    "is not a term, a tab and its translation",
                    "write one pair per line",
                    path=path,
                    line=number,
                )
            terms.append((source, targets[0]))
        return cls(terms)

    def wanted(self, text: str, language: str) -> list[str]:
        """What the translation of a text in that language has to say."""
        found, whole = [], (text := folded(normalize(text)))
        for source, target in self.terms:  # a quick look first: most of thousands are in no text
            if source in whole and says(text, source, language):
                found.append(target)
                text = without(text, source, language)
        return found
