"""Subword sampling: one word, many segmentations, so that a network sees a small corpus anew each epoch (Kudo 2018).

Pieces never cross a space, so a sentence's segmentations are the product of its words'. Each distinct word's best
segmentations are therefore listed once, with their probabilities; drawing for many sentences is then a few array
operations, and what is drawn is a function of seed, epoch, pair and word alone. Every array may be memory-mapped.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from operator import add

import numpy as np
from numpy.typing import NDArray

from onmal.text.tokenizer import MARK, SubwordModel, hide_mark

__all__ = ["EncodedSide", "WordTable", "joined", "spread", "uniform"]

Ids = NDArray[np.int32]
Ints = NDArray[np.int64]
MOST = 32  # segmentations listed per word
AT_ONCE = 1 << 14  # sentences whose intermediate results are in memory together
LONGEST = 256  # characters of a word that merges are left out of: the work grows with their square


@dataclass(frozen=True)
class WordTable:
    """The segmentations of W distinct words: C candidates in all, each word's best first."""

    pieces: Ids
    """Ids of all candidates, end to end."""
    starts: Ints
    """[C+1] where each candidate begins in `pieces`."""
    first: Ints
    """[W+1] each word's first candidate."""
    shares: NDArray[np.float64]
    """[C] cumulative probability within the word."""

    @classmethod
    def build(cls, model: SubwordModel, words: Sequence[str], strength: float) -> WordTable:
        """List segmentations of `words`; strength 0 lists only the best.

        For a unigram model, strength is the temperature: probabilities are raised to 1 / (10 * strength), so that 0.1
        is the model's own distribution and 0.5 Kudo's alpha of 0.2. For BPE it is the probability with which a merge is
        left out (Provilkov 2020).
        """
        segment = _segmenter(model, strength)
        pieces: list[int] = []
        lengths, counts, shares = [], [], [np.empty(0)]
        for word in words:
            candidates, weights = segment(hide_mark(word))
            for candidate in candidates:
                pieces += candidate
                lengths.append(len(candidate))
            counts.append(len(candidates))
            shares.append(np.cumsum(weights) / np.sum(weights))
        return cls(np.array(pieces, np.int32), joined(lengths), joined(counts), np.concatenate(shares))

    def choose(self, words: Ints, chance: NDArray[np.float64] | None) -> Ints:
        """A candidate for each word [N]: the best, or the one that chance [N] in [0, 1) falls on."""
        low, high = self.first[words], self.first[words + 1] - 1
        while chance is not None and (low < high).any():  # a binary search in each word
            middle = (low + high) // 2
            beyond = (self.shares[middle] <= chance) & (low < high)
            low, high = np.where(beyond, middle + 1, low), np.where(beyond, high, middle)
        return low

    def lengths(self, candidates: Ints) -> Ints:
        """Number of pieces of each candidate [N]."""
        return self.starts[candidates + 1] - self.starts[candidates]

    def gather(self, candidates: Ints) -> tuple[Ids, Ints]:
        """Pieces of the candidates [N] end to end, and the number of pieces of each [N]."""
        lengths = self.lengths(candidates)
        return self.pieces[spread(self.starts[candidates], lengths)[0]], lengths


@dataclass(frozen=True)
class EncodedSide:
    """One side of N sentence pairs: which distinct words each sentence has, and how words are segmented."""

    table: WordTable
    words: Ids
    """Word numbers of all sentences, end to end."""
    offsets: Ints
    """[N+1] where each sentence begins in `words`."""

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def segmented(self, rows: Ints, pairs: Ints, chances: tuple[int, int] | None) -> tuple[Ids, Ints]:
        """Ids of the sentences `rows` [R] end to end, and how many each has [R].

        `chances` = (seed, epoch) samples the segmentation of each word, for the pair numbers `pairs` [R].
        """
        ids, totals = [np.empty(0, np.int32)], [np.empty(0, np.int64)]
        for begin in range(0, len(rows), AT_ONCE):
            some = slice(begin, begin + AT_ONCE)
            words, places, counts = self._words(rows[some])
            drawn = None if chances is None else uniform(*chances, np.repeat(pairs[some], counts), places)
            pieces, lengths = self.table.gather(self.table.choose(words, drawn))
            ids.append(pieces)
            totals.append(_sums(lengths, counts))
        return np.concatenate(ids), np.concatenate(totals)

    def lengths(self, rows: Ints) -> Ints:
        """How many ids the best segmentations of the sentences `rows` have."""
        words, _, counts = self._words(rows)
        return _sums(self.table.lengths(self.table.choose(words, None)), counts)

    def _words(self, rows: Ints) -> tuple[Ints, Ints, Ints]:
        """Word numbers of the sentences end to end, the place of each in its sentence, and how many each has."""
        begins = self.offsets[rows]
        counts = self.offsets[rows + 1] - begins
        index, places = spread(begins, counts)
        return self.words[index].astype(np.int64), places, counts


def joined(lengths: Ints | Sequence[int]) -> Ints:
    """[N+1] where each of N parts begins, and the last one ends, when they are put end to end."""
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)))


def spread(begins: Ints, lengths: Ints) -> tuple[Ints, Ints]:
    """The index of every element of the spans that begin at `begins`, and its place in its span."""
    ends = np.cumsum(lengths)
    places = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - lengths, lengths)
    return np.repeat(begins, lengths) + places, places


def _sums(values: Ints, counts: Ints) -> Ints:
    """The sum of each run of `counts` values."""
    return np.diff(joined(values)[joined(counts)])


def uniform(seed: int, epoch: int | Ints, pairs: Ints, words: Ints) -> NDArray[np.float64]:
    """Numbers in [0, 1) that depend on their arguments alone: SplitMix64 of (seed, epoch, pair, word)."""
    with np.errstate(over="ignore"):
        x = np.array([seed], np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.asarray(epoch, np.uint64)
        x = _mix(_mix(x) + pairs.astype(np.uint64))
        x = _mix(x + words.astype(np.uint64))
    return np.multiply(x >> np.uint64(11), 2.0**-53, dtype=np.float64)


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


Segmenter = Callable[[str], tuple[list[list[int]], list[float]]]
"""A word's candidates, the best first, and their weights."""


def _segmenter(model: SubwordModel, strength: float) -> Segmenter:
    if strength == 0:
        return lambda word: ([model.processor.encode(word)], [1.0])
    if model.kind == "bpe":
        return partial(_bpe, model, strength)
    return partial(_unigram, model, strength)


def _unigram(model: SubwordModel, strength: float, word: str) -> tuple[list[list[int]], list[float]]:
    """The n best segmentations, each as probable as the product of its pieces."""
    processor = model.processor
    best = processor.encode(word)
    candidates = [best, *(ids for ids in processor.nbest_encode(word, nbest_size=MOST) if ids != best)]
    scores = np.array([sum(processor.get_score(i) for i in ids) for ids in candidates])
    weights = np.exp((scores - scores.max()) / (10 * strength))
    return candidates, weights.tolist()


def _bpe(model: SubwordModel, drop: float, word: str) -> tuple[list[list[int]], list[float]]:
    """Merge with drop-out `MOST` times, by chances that depend on the word alone; equal results add up."""
    best = model.processor.encode(word)
    if len(word) > LONGEST:
        return [best], [1.0]
    chances = _chances(zlib.crc32(word.encode()))
    tally = {tuple(best): 0}
    for _ in range(MOST):
        drawn = tuple(_merge(model, MARK + word, drop, chances))
        tally[drawn] = tally.get(drawn, 0) + 1
    return [list(ids) for ids in tally], [max(count, 1e-9) for count in tally.values()]


def _chances(seed: int) -> Iterator[float]:
    random = np.random.default_rng(seed)
    while True:
        yield from random.random(256).tolist()


def _merge(model: SubwordModel, text: str, drop: float, chances: Iterator[float]) -> list[int]:
    """Byte-pair encoding in which each possible merge is left out with probability `drop`, at each step anew."""
    written = model.written  # merges were learned in the order of their ids
    parts = list(text)
    while True:
        allowed = [
            (written[joined], at)
            for at, joined in enumerate(map(add, parts, parts[1:]))
            if joined in written and next(chances) >= drop
        ]
        if not allowed:
            break
        _, at = min(allowed)
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    ids: list[int] = []
    for part in parts:
        spelled = [part] if part in written else [f"<0x{byte:02X}>" for byte in part.encode()]
        ids += map(model.processor.piece_to_id, spelled)
    return ids
