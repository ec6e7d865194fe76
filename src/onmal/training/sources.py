"""The sentence pairs that a run learns from and is validated on, read, cleaned and counted."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from onmal.config import DataConfig
from onmal.data.clean import CleaningReport, clean, default_filters
from onmal.data.corpora import find
from onmal.data.corpus import Pair, read_pairs
from onmal.errors import DataError

__all__ = ["Sources", "open_pairs", "training_pairs"]


@dataclass(frozen=True)
class Sources:
    """Training and validation pairs."""

    train: Sequence[Pair]
    valid: Sequence[Pair]
    removed: Mapping[str, int]
    """Filter -> training pairs that it took out."""

    def sha256(self) -> str:
        """A fingerprint of the training text, in its order."""
        digest = hashlib.sha256()
        for pair in self.train:
            digest.update(f"{pair.source}\t{pair.target}\n".encode())
        return digest.hexdigest()


def open_pairs(
    data: DataConfig,
    names: Sequence[str],
    corpora: Mapping[str, Path],
    *,
    empty: Literal["keep", "error"] = "error",
) -> Iterable[Pair]:
    """The pairs of corpus splits, or of files, that `names` name; `empty` says what a file's blank side is."""
    source, target = data.source_language, data.target_language
    if not data.corpus:
        return read_pairs(names, source_language=source, target_language=target, empty=empty)
    corpus = find(data.corpus, corpora.get(data.corpus))
    return (pair for split in names for pair in corpus.pairs(split, source, target))


def training_pairs(data: DataConfig, corpora: Mapping[str, Path], seed: int) -> Sources:
    """Read and clean the training text; without validation text, hold out part of it by `seed`."""
    # A blank side is the cleaner's to remove, and an error where nobody cleans.
    pairs = open_pairs(data, data.train, corpora, empty="keep" if data.clean else "error")
    pairs = islice(pairs, data.max_pairs) if data.max_pairs else pairs
    removed: dict[str, int] = {}
    if data.clean:
        report = CleaningReport()
        train = list(clean(pairs, default_filters(data.source_language, data.target_language), report))
        removed = {name: fault.count for name, fault in report.removed.items() if fault.count}
    else:
        train = list(pairs)
    if data.valid:
        valid = evenly(list(open_pairs(data, data.valid, corpora)), data.valid_size)
    else:
        random.Random(seed).shuffle(train)
        size = min(data.valid_size, len(train) // 10)
        valid, train = train[:size], train[size:]
    if not train or not valid:
        taken = ", ".join(f"{name} {count:,}" for name, count in removed.items())
        raise DataError(
            f"{len(train):,} sentence pairs to train on and {len(valid):,} to validate on are too few"
            + (f" (removed before: {taken})" if taken else ""),
            "look at the text with: onmal doctor",
        )
    return Sources(train, valid, removed)


def evenly(pairs: Sequence[Pair], size: int) -> Sequence[Pair]:
    """At most `size` pairs from all over a text, which may be grouped by kind."""
    size = min(size, len(pairs))
    return [pairs[number * len(pairs) // size] for number in range(size)]
