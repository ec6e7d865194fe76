"""A random order of any number of things, place by place: an exact permutation that is never written down.

A Feistel network (Luby & Rackoff 1988) permutes the cells of a square that is just large enough; what falls outside the
numbers asked for walks on along its cycle until it falls inside.
"""

from __future__ import annotations

from math import isqrt

import numpy as np
from numpy.typing import NDArray

from onmal.text.subword_sampling import uniform

__all__ = ["shuffled"]

Ints = NDArray[np.int64]
ROUNDS = 8


def shuffled(count: int, seed: int, epoch: int, places: Ints) -> Ints:
    """What stands at `places` of range(count) in random order; the order is a function of count, seed and epoch."""
    side = isqrt(max(count - 1, 0)) + 1
    found = places.astype(np.int64)
    walking = np.arange(len(found))
    while len(walking):
        cells = _permuted(found[walking], side, seed, epoch)
        found[walking] = cells
        walking = walking[cells >= count]
    return found


def _permuted(cells: Ints, side: int, seed: int, epoch: int) -> Ints:
    left, right = np.divmod(cells, side)
    for turn in range(ROUNDS):
        # Negative, so that no word of a sentence has the same chances.
        chances = uniform(seed, epoch, right, np.array([-1 - turn]))
        left, right = right, (left + (chances * side).astype(np.int64)) % side
    return left * side + right
