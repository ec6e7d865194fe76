"""Encoded pairs to batches: sentences of like length together, a fixed budget of tokens each.

An epoch is a random order of all pairs, cut into pools; within a pool pairs are sorted by length, cut into batches, and the
batches shuffled. All of it is a function of seed and epoch alone, so that a run can stop after any batch and go on with the
next; and no more than a pool is ever in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from onmal.data.shuffle import Mix, shuffled
from onmal.text.subword_sampling import EncodedSide, joined, spread

if TYPE_CHECKING:
    import torch
    from torch import Tensor

__all__ = ["POOL", "Batch", "EncodedSide", "Lengths", "Pool", "TrainingText", "pad_rows"]

Ids = NDArray[np.int32]
Ints = NDArray[np.int64]
POOL = 1 << 18
"""Pairs that are sorted by length together, at most: made within about a second, trained on for minutes."""


@dataclass(frozen=True)
class Batch:
    """Sentence pairs as padded rows of ids."""

    source: Tensor
    """[B,S], each row [tags] words end."""
    target: Tensor
    """[B,T+1], each row start words end: the decoder reads all but the last column and predicts all but the first."""
    lengths: Tensor
    """[B] target tokens to predict, end included; at most T."""
    pairs: Ints
    """[B] which pairs of the corpus these are."""

    @property
    def target_tokens(self) -> int:
        """Tokens to predict, without padding."""
        return int(self.lengths.sum())

    def to(self, device: torch.device) -> Batch:
        """The same on another device."""
        source, target, lengths = (
            tensor.to(device, non_blocking=True) for tensor in (self.source, self.target, self.lengths)
        )
        return Batch(source, target, lengths, self.pairs)


class Lengths(NamedTuple):
    """What training sees of a text, by the best segmentations [tokens, end included]."""

    source: int
    """Longest source."""
    target: int
    """Longest target."""
    left_out: int
    """Pairs that are longer than `max_length` on a side."""


@dataclass(frozen=True)
class TrainingText:
    """The whole training text as word numbers; ids are made anew for each pool."""

    source: EncodedSide
    target: EncodedSide
    tags: Sequence[Sequence[int]]
    """What begins the sources of each direction, a tag or nothing; a second direction reads targets, writes sources."""
    sampled: bool
    """Whether words are segmented anew each epoch."""
    max_length: int
    """Longer sentences [tokens, end included] are left out."""
    held_out: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    """Rows that are not trained on, ascending."""
    known_lengths: Lengths | None = None
    """Spares a pass over the text, where somebody knows."""
    mix: Mix = field(default_factory=Mix)
    """The texts that this one is made of, where they have shares and tags of their own."""

    def __len__(self) -> int:
        return len(self.tags) * self.rows

    @property
    def rows(self) -> int:
        """Pairs of one direction."""
        return len(self.source) - len(self.held_out)

    @cached_property
    def lengths(self) -> Lengths:
        """The longest sentences, and how many pairs are longer than allowed."""
        if self.known_lengths is not None:
            return self.known_lengths
        longest, left_out = np.zeros(2, np.int64), 0
        for begin in range(0, self.rows, POOL):
            rows = np.arange(begin, min(begin + POOL, self.rows))
            sides = [side.lengths(self._stored(rows)) + 1 for side in (self.source, self.target)]
            prefixes = (self._prefixes(rows) >= 0).sum(2).T
            for prefix, (source, target) in zip(prefixes, (sides, sides[::-1]), strict=False):
                both = np.stack((source + prefix, target))
                fits = (both <= self.max_length).all(0)
                longest = np.maximum(longest, both[:, fits].max(1, initial=0))
                left_out += int((~fits).sum())
        return Lengths(int(longest[0]), int(longest[1]), left_out)

    def longest(self) -> dict[str, int]:
        """Longest source and target that training sees [tokens, end included], best segmentation."""
        return {"source": self.lengths.source, "target": self.lengths.target}

    @property
    def pools(self) -> int:
        """How many pools an epoch has: as few as can be, all of like size."""
        return max(1, -(-len(self) // POOL))

    def pool(
        self, seed: int, epoch: int, number: int, batch_tokens: int, *, start: int, end: int, pad: int
    ) -> Pool:
        """The batches of one pool of an epoch, in their order."""
        begin, stop = (len(self) * n // self.pools for n in (number, number + 1))
        numbers = shuffled(len(self), seed, epoch, np.arange(begin, stop))
        ways, places = np.divmod(numbers, max(self.rows, 1))
        rows = self.mix.drawn(places, seed, epoch)
        tags = self._prefixes(rows)[np.arange(len(rows)), ways]
        source, target = self._sides(numbers, rows, seed, epoch)
        source_lengths = source.lengths + 1 + (tags >= 0).sum(1)
        target_lengths = target.lengths + 1
        order = np.flatnonzero((source_lengths <= self.max_length) & (target_lengths <= self.max_length))
        order = order[np.lexsort((source_lengths[order], target_lengths[order]))]
        cuts = budget_cuts(source_lengths[order], target_lengths[order], batch_tokens)
        batches = [order[a:b] for a, b in pairwise(cuts)]
        np.random.default_rng((seed, epoch, number)).shuffle(batches)
        return Pool(batches, rows + ways * self.rows, tags, source, target, start, end, pad)

    def _prefixes(self, rows: Ints) -> Ints:
        """[P, directions, 1 or 2] what begins the sources of rows [P] in each direction; -1 is nothing."""
        texts = np.searchsorted(np.cumsum(self.mix.sizes)[:-1], rows, side="right")
        return np.array([[[*tag, own] for tag in self.tags] for own in self.mix.tags], np.int64)[texts]

    def _sides(self, numbers: Ints, rows: Ints, seed: int, epoch: int) -> Iterator[Sentences]:
        """The sources of `rows` [P], then the targets, sampled by their `numbers` [P] in the epoch.

        A number of the second direction has its sides exchanged.
        """
        salts = ((2 * seed, epoch), (2 * seed + 1, epoch)) if self.sampled else (None, None)
        exchanged = numbers >= self.rows
        order = np.argsort(exchanged, kind="stable")
        back = np.argsort(order)
        both = np.stack((self._stored(rows), numbers))[:, order]
        forward, backward = np.split(both, [len(rows) - np.count_nonzero(exchanged)], axis=1)
        for salt, own, other in zip(
            salts, (self.source, self.target), (self.target, self.source), strict=True
        ):
            ids, lengths = own.segmented(forward[0], forward[1], salt)
            more, more_lengths = other.segmented(backward[0], backward[1], salt)
            lengths = np.concatenate((lengths, more_lengths))
            yield Sentences(np.concatenate((ids, more)), joined(lengths)[:-1][back], lengths[back])

    def _stored(self, rows: Ints) -> Ints:
        """Where the rows that are trained on stand among all of them."""
        before = np.searchsorted(self.held_out - np.arange(len(self.held_out)), rows, side="right")
        return rows + before


def budget_cuts(source_lengths: Ints, target_lengths: Ints, budget: int) -> list[int]:
    """Where to cut sorted sentences so that no padded side of a batch has more than `budget` tokens.

    A sentence longer than the budget is a batch of its own.
    """
    cuts, first, widest = [0], 0, 0
    longer = np.maximum(source_lengths, target_lengths).tolist()
    for index, length in enumerate(longer):
        widest = max(widest, length)
        if index > first and widest * (index - first + 1) > budget:
            cuts.append(index)
            first, widest = index, length
    return [*cuts, len(longer)] if longer else cuts


@dataclass(frozen=True)
class Sentences:
    """Ids of P sentences, end to end in any order."""

    ids: Ids
    begins: Ints
    """[P] where each begins."""
    lengths: Ints
    """[P] ids of each."""

    def padded(self, rows: Ints, before: Ints, end: int, pad: int) -> Tensor:
        """Some sentences [B] as rows of what stands `before` them [B,any], -1 left away, their ids, end, and padding."""
        lengths, own = self.lengths[rows], (before >= 0).sum(1)
        index, places = spread(self.begins[rows], lengths)
        filled = np.full((len(rows), int((own + lengths).max()) + 1), pad, np.int64)
        every = np.arange(len(rows))
        row, column = np.nonzero(before >= 0)
        filled[row, column] = before[row, column]
        filled[np.repeat(every, lengths), np.repeat(own, lengths) + places] = self.ids[index]
        filled[every, own + lengths] = end
        return _tensor(filled)


@dataclass(frozen=True)
class Pool:
    """Sentence pairs that are sorted by length together and cut into batches."""

    batches: Sequence[Ints]
    """Which of the pool's P pairs each batch has."""
    pairs: Ints
    """[P] their numbers in the text."""
    tags: Ints
    """[P,1 or 2] what begins the sources; -1 is nothing."""
    source: Sentences
    target: Sentences
    start: int
    end: int
    pad: int

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[Batch]:
        return (self[number] for number in range(len(self)))

    def __getitem__(self, number: int) -> Batch:
        rows = self.batches[number]
        source = self.source.padded(rows, self.tags[rows], self.end, self.pad)
        target = self.target.padded(rows, np.full((len(rows), 1), self.start), self.end, self.pad)
        return Batch(source, target, _tensor(self.target.lengths[rows] + 1), self.pairs[rows])


def pad_rows(rows: Sequence[Sequence[int]], pad: int, narrowest: int = 0) -> Tensor:
    """Ids of unequal length as one tensor, as wide as the longest and no narrower than that, padded at the right."""
    padded = np.full((len(rows), max(narrowest, *map(len, rows))), pad, np.int64)
    for index, row in enumerate(rows):
        padded[index, : len(row)] = row
    return _tensor(padded)


def _tensor(numbers: NDArray[Any]) -> Tensor:
    import torch  # which takes seconds to load, and text is prepared without it

    return torch.from_numpy(numbers)
