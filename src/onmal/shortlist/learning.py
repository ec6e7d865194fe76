"""Which words stand for which, from parallel text: the first of IBM's models (Brown 1993), by expectation and maximisation.

Each target word was said for one of the source words beside it. How often a source word is said as each target word is guessed again and
again from the guess before: a target word is divided among the words of its source by p(t|s), and p(t|s) is what t got of all that s got.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain

import numpy as np
import torch
from numpy.typing import NDArray

from onmal.config import Vocabulary
from onmal.data.batching import TrainingText
from onmal.shortlist.table import Shortlist
from onmal.text.tokenizer import Tokenizer

__all__ = ["learn_shortlist", "lexical_shortlist"]

PER_WORD = 50  # target words that a source word suggests at most
COMMON = 500  # of the target words, or a sixteenth, are frequent enough to be at hand for every source
ROUNDS = 5  # of guesses
MOST_CELLS = 30_000_000  # pairs of a source and a target word within a sentence that are counted; of more text a part is

Ids = Sequence[Sequence[int]]
Ints = NDArray[np.int64]


def lexical_shortlist(tokenizer: Tokenizer, text: TrainingText) -> Shortlist:
    """The shortlist of parallel text, or of its first pool; figures and signs are at hand for every source, names as they are written."""
    special, source, target = tokenizer.vocabulary, tokenizer.source.written, tokenizer.target.written
    batches = replace(text, sampled=False).pool(
        0, 0, 0, 1024, start=special.start, end=special.end, pad=special.pad
    )
    rows = [(batch.source.tolist(), batch.target[:, 1:].tolist()) for batch in batches]
    sources, targets = (list(chain.from_iterable(side)) for side in zip(([], []), *rows, strict=True))
    alike = [(number, target[piece]) for piece, number in source.items() if piece in target]
    signs = [number for piece, number in target.items() if not any(map(str.isalpha, piece))]
    always = [*signs, tokenizer.target.unknown]
    return learn_shortlist(sources, targets, special, alike=alike, always=always)


def learn_shortlist(
    sources: Ids,
    targets: Ids,
    vocabulary: Vocabulary,
    *,
    alike: Iterable[tuple[int, int]] = (),
    always: Iterable[int] = (),
    per_word: int = PER_WORD,
    common: int | None = None,
) -> Shortlist:
    """The shortlist of parallel sentences, as ids; padding does not count.

    `alike` are source and target words that are written alike, and suggest each other. `always` are target words that are at hand for
    every source.
    """
    of_source, of_target, share = _lexicon(sources, targets, vocabulary)
    order = np.lexsort((-share, of_source))
    of_source, of_target, share = of_source[order], of_target[order], share[order]
    begins = np.searchsorted(of_source, of_source)  # where the words of the same source word begin
    kept = np.arange(len(of_source)) - begins < per_word
    same = np.array([*alike], dtype=np.int64).reshape(-1, 2)
    pairs = np.unique(np.concatenate((np.stack((of_source[kept], of_target[kept]), 1), same)), axis=0)
    starts = np.searchsorted(pairs[:, 0], np.arange(vocabulary.source_size + 1))
    words = np.concatenate([np.zeros(0, np.int64), *map(np.asarray, targets)]).astype(np.int64)
    counts = np.bincount(words[words != vocabulary.pad], minlength=vocabulary.target_size)
    common = min(COMMON, vocabulary.target_size // 16) if common is None else common
    frequent = counts.argsort(kind="stable")[::-1][:common]
    special = {vocabulary.pad, vocabulary.start, vocabulary.end}
    at_hand = sorted({*always, *special, *frequent.tolist()})
    return Shortlist(torch.tensor(at_hand), torch.from_numpy(pairs[:, 1].copy()), torch.from_numpy(starts))


def _lexicon(sources: Ids, targets: Ids, vocabulary: Vocabulary) -> tuple[Ints, Ints, NDArray[np.float64]]:
    """Source words, target words and p(target|source), for each two that stand in the same sentence somewhere."""
    size, padding, nothing = vocabulary.target_size, [vocabulary.pad], np.zeros(0, np.int64)
    distinct = [
        (np.setdiff1d(source, padding), np.setdiff1d(target, padding))
        for source, target in zip(sources, targets, strict=True)
    ]
    cells = sum(len(source) * len(target) for source, target in distinct)
    distinct = distinct[:: max(1, -(-cells // MOST_CELLS))]
    s = np.concatenate([nothing, *(np.tile(source, len(target)) for source, target in distinct)])
    t = np.concatenate([nothing, *(np.repeat(target, len(source)) for source, target in distinct)])
    widths = np.concatenate([nothing, *(np.full(len(target), len(source)) for source, target in distinct)])
    # Which target word of all the text each cell is of.
    said = np.repeat(np.arange(len(widths)), widths.astype(np.int64))
    entries, entry = np.unique(s.astype(np.int64) * size + t.astype(np.int64), return_inverse=True)
    of_source, of_target, share = entries // size, entries % size, np.ones(len(entries))
    for _ in range(ROUNDS):
        guess = share[entry]
        guess /= np.bincount(said, guess)[said]
        count = np.bincount(entry, guess, len(entries))
        share = count / np.bincount(of_source, count)[of_source]
    return of_source, of_target, share
