"""One sentence and its translation, as every reader of parallel text yields them."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Pair"]


class Pair(NamedTuple):
    """A sentence pair, its label (kind or domain, "" if the file has none) and its line in the first file.

    Lines count from 1; 0 says that the pair comes from no file. The languages (BCP 47) stand there where a
    translation is looked at.
    """

    source: str
    target: str
    label: str = ""
    line: int = 0
    source_language: str = ""
    target_language: str = ""

    def swapped(self) -> Pair:
        """The same pair for the other direction."""
        return Pair(self.target, self.source, self.label, self.line)
