"""Encoded pairs to batches: sentences of like length together, a fixed budget of tokens each.

The order of an epoch is a function of seed and epoch alone, so that a run can stop after any batch and go on with the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from onmal.text.subword_sampling import WordTable, uniform

__all__ = ["Batch", "EncodedSide", "Pool", "TrainingText", "pad_rows"]

Ids = NDArray[np.int32]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Batch:
    """Sentence pairs as padded rows of ids."""

    source: Tensor
    """[B,S], each row [tag] words end."""
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


@dataclass(frozen=True)
class EncodedSide:
    """One side of N sentence pairs: which distinct words each sentence has, and how words are segmented."""

    table: WordTable
    words: Ids
    """Word numbers of all sentences, end to end."""
    offsets: Ints
    """[N+1] where each sentence begins in `words`."""

    def segmented(self, chances: tuple[int, int] | None) -> tuple[Ids, Ints]:
        """Ids of all sentences end to end and their offsets [N+1]; `chances` = (seed, epoch) samples segmentations."""
        words = self.words.astype(np.int64)
        drawn = None
        if chances is not None:
            counts = np.diff(self.offsets)
            pairs = np.repeat(np.arange(len(counts)), counts)
            drawn = uniform(*chances, pairs, np.arange(len(words)) - self.offsets[pairs])
        ids, lengths = self.table.gather(self.table.choose(words, drawn))
        ends = np.concatenate(([0], np.cumsum(lengths)))
        return ids, ends[self.offsets]


@dataclass(frozen=True)
class TrainingText:
    """The whole training text as word numbers; ids are made anew for each epoch."""

    source: EncodedSide
    target: EncodedSide
    prefixes: Ids
    """[N] tag that begins each source, -1 for none."""
    sampled: bool
    """Whether words are segmented anew each epoch."""
    max_length: int
    """Longer sentences [tokens, end included] are left out."""

    def __len__(self) -> int:
        return len(self.prefixes)

    def longest(self) -> dict[str, int]:
        """Longest source and target that training sees [tokens, end included], best segmentation."""
        source = np.diff(self.source.segmented(None)[1]) + 1 + (self.prefixes >= 0)
        target = np.diff(self.target.segmented(None)[1]) + 1
        fits = (source <= self.max_length) & (target <= self.max_length)
        longest = (side[fits].max(initial=0) for side in (source, target))
        return dict(zip(("source", "target"), map(int, longest), strict=True))

    @property
    def pools(self) -> int:
        """How many pools an epoch has."""
        return 1

    def pool(
        self, seed: int, epoch: int, number: int, batch_tokens: int, *, start: int, end: int, pad: int
    ) -> Pool:
        """The batches of one pool of an epoch, in their order."""
        salts = ((2 * seed, epoch), (2 * seed + 1, epoch)) if self.sampled else (None, None)
        source_ids, source_offsets = self.source.segmented(salts[0])
        target_ids, target_offsets = self.target.segmented(salts[1])
        source_lengths = np.diff(source_offsets) + 1 + (self.prefixes >= 0)
        target_lengths = np.diff(target_offsets) + 1
        fits = (source_lengths <= self.max_length) & (target_lengths <= self.max_length)
        random = np.random.default_rng((seed, epoch))
        order = random.permutation(np.flatnonzero(fits))
        order = order[np.lexsort((source_lengths[order], target_lengths[order]))]
        cuts = budget_cuts(source_lengths[order], target_lengths[order], batch_tokens)
        batches = [order[a:b] for a, b in pairwise(cuts)]
        random.shuffle(batches)
        return Pool(
            batches, source_ids, source_offsets, target_ids, target_offsets, self.prefixes, start, end, pad
        )


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
class Pool:
    """Sentence pairs that are sorted by length together and cut into batches."""

    batches: Sequence[Ints]
    source_ids: Ids
    source_offsets: Ints
    target_ids: Ids
    target_offsets: Ints
    prefixes: Ids
    start: int
    end: int
    pad: int

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[Batch]:
        return (self[number] for number in range(len(self)))

    def __getitem__(self, number: int) -> Batch:
        pairs = self.batches[number]
        source = [
            ([self.prefixes[p]] if self.prefixes[p] >= 0 else [])
            + [*self.source_ids[self.source_offsets[p] : self.source_offsets[p + 1]], self.end]
            for p in pairs
        ]
        target = [
            [self.start, *self.target_ids[self.target_offsets[p] : self.target_offsets[p + 1]], self.end]
            for p in pairs
        ]
        lengths = torch.tensor([len(row) - 1 for row in target])
        return Batch(pad_rows(source, self.pad), pad_rows(target, self.pad), lengths, pairs)


def pad_rows(rows: Sequence[Sequence[int]], pad: int) -> Tensor:
    """Ids of unequal length as one [B,longest] tensor, padded at the right."""
    longest = max(map(len, rows))
    padded = np.full((len(rows), longest), pad, np.int64)
    for index, row in enumerate(rows):
        padded[index, : len(row)] = row
    return torch.from_numpy(padded)
