"""The order of an epoch, place by place: exact permutations that are never written down, of one text or of several.

A Feistel network (Luby & Rackoff 1988) permutes the cells of a square that is just large enough; what falls outside the
numbers asked for walks on along its cycle until it falls inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from onmal.text.subword_sampling import joined, uniform

__all__ = ["Mix", "shuffled"]

Ints = NDArray[np.int64]
ROUNDS = 8


def shuffled(count: int, seed: int, epoch: int | Ints, places: Ints) -> Ints:
    """What stands at `places` [P] of range(count) in random order; the order is a function of count, seed and epoch.

    Each place may be asked for in an epoch of its own [P].
    """
    side = isqrt(max(count - 1, 0)) + 1
    found = places.astype(np.int64)
    walking = np.arange(len(found))
    while len(walking):
        cells = _permuted(found[walking], side, seed, epoch if isinstance(epoch, int) else epoch[walking])
        found[walking] = cells
        walking = walking[cells >= count]
    return found


def _permuted(cells: Ints, side: int, seed: int, epoch: int | Ints) -> Ints:
    left, right = np.divmod(cells, side)
    for turn in range(ROUNDS):
        # Negative, so that no word of a sentence has the same chances.
        chances = uniform(seed, epoch, right, np.array([-1 - turn]))
        left, right = right, (left + (chances * side).astype(np.int64)) % side
    return left * side + right


class Mix(NamedTuple):
    """K texts that stand one after the other, each with its share of an epoch; without any, all is one text."""

    sizes: Sequence[int] = ()
    """[K] pairs of each."""
    counts: Sequence[int] = ()
    """[K] pairs that each gives to an epoch; in all as many."""
    tags: Sequence[int] = (-1,)
    """[K] what follows the direction's tag at the beginning of its sources; -1 is nothing."""

    def drawn(self, places: Ints, seed: int, epoch: int) -> Ints:
        """The rows that stand at `places` [P] of an epoch.

        Each text goes through a random order of its pairs, then through another, wherever epochs begin and end: at the end
        of any epoch the pairs of a text have been seen equally often, or some of them once more.
        """
        rows, bounds, begins = places.copy(), joined(self.counts), joined(self.sizes)
        for text, (size, count) in enumerate(zip(self.sizes, self.counts, strict=True)):
            here = (bounds[text] <= places) & (places < bounds[text + 1])
            turns, found = np.divmod(epoch * count + places[here] - bounds[text], size)
            if count != size:  # or else its one turn an epoch is shuffled with all others
                found = shuffled(size, seed, turns * len(self.sizes) + text, found)
            rows[here] = begins[text] + found
        return rows
