"""What runs a saved model: ids in, hypotheses out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from onmal.config import SearchConfig
from onmal.decoding.search import Hypothesis

__all__ = ["Engine"]


class Engine(Protocol):
    """Anything that turns source ids into hypotheses."""

    name: str

    def translate(self, sources: Sequence[Sequence[int]], config: SearchConfig) -> list[list[Hypothesis]]:
        """The n best hypotheses of each source (ids, end included), in the order of the sources."""

    def align(self, source: Sequence[int], target: Sequence[int]) -> list[list[float]]:
        """How much each target token (end included) looked at each source token: rows that sum to one."""
