"""What one process does with some thousand pairs: clean them, and make numbers of their words."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from onmal.cleaning.clean import CleaningReport, clean, default_filters
from onmal.cleaning.filters import Duplicate, Filter
from onmal.data.pair import Pair
from onmal.text.normalize import normalize
from onmal.text.subword_sampling import joined

__all__ = ["Chunk", "Seen", "fingerprint", "numbered", "read_chunk"]

Numbers = NDArray[np.int64]


class Chunk(NamedTuple):
    """What a process makes of some pairs: those without a fault, each side as numbers of its distinct words."""

    read: int
    fingerprint: str
    """Of the text, as it was read."""
    removed: dict[str, int]
    digests: NDArray[np.uint64]
    """[K] of the pairs that are left, by which a pair that came before is known; none if nobody cleans."""
    sides: list[tuple[list[str], NDArray[np.int32], Numbers]]
    """The distinct words, the numbers of the words of all sentences, and how many each has [K]."""


def read_chunk(languages: tuple[str, str], cleaned: bool, texts: tuple[list[str], list[str]]) -> Chunk:
    """Clean pairs, if asked to, and number their words; `texts` are the sources and the targets."""
    pairs: Iterable[Pair] = map(Pair, *texts)
    report = CleaningReport()
    if cleaned:
        pairs = clean(pairs, _filters(*languages), report)
    kept = list(pairs)
    removed = {name: fault.count for name, fault in report.removed.items()}
    digests = np.frombuffer(b"".join(map(_digest, kept)) if cleaned else b"", np.uint64)
    sides = [numbered([pair.source for pair in kept]), numbered([pair.target for pair in kept])]
    return Chunk(len(texts[0]), fingerprint(texts), removed, digests, sides)


def fingerprint(texts: tuple[list[str], list[str]]) -> str:
    """A few characters that tell these sources and targets from all others."""
    text = "\n".join((*texts[0], *texts[1]))
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).hexdigest()


@cache
def _filters(source_language: str, target_language: str) -> list[Filter]:
    """The default ones but Duplicate, which has to know all of the text."""
    filters = default_filters(source_language, target_language)
    return [check for check in filters if not isinstance(check, Duplicate)]


def _digest(pair: Pair) -> bytes:
    text = f"{pair.source.strip()}\0{pair.target.strip()}"
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest()


class _Numbers(dict[str, int]):
    """A word as it is written -> the number of the word as it is normalised; -1 if that is nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.words: dict[str, int] = {}

    def __missing__(self, written: str) -> int:
        word = normalize(written)
        self[written] = number = self.words.setdefault(word, len(self.words)) if word else -1
        return number


def numbered(texts: Sequence[str]) -> tuple[list[str], NDArray[np.int32], Numbers]:
    """The distinct normalised words of texts, the numbers of all their words, and how many words each text has.

    Normalising word by word gives the words of the normalised text: nothing composes across a space.
    """
    numbers = _Numbers()
    split = [text.split() for text in texts]
    counts = np.fromiter(map(len, split), np.int64, len(split))
    found = np.fromiter(map(numbers.__getitem__, chain.from_iterable(split)), np.int32, int(counts.sum()))
    there = found >= 0
    return list(numbers.words), found[there], np.diff(joined(there.astype(np.int64))[joined(counts)])


class Seen:
    """The digests of all pairs so far, 8 bytes each: sorted runs, each at least twice as long as the next."""

    def __init__(self) -> None:
        self.runs: list[NDArray[np.uint64]] = []

    def add(self, digests: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Remember them; which of them are here for the first time."""
        values, first = np.unique(digests, return_index=True)
        for run in self.runs:
            new = run[np.minimum(np.searchsorted(run, values), len(run) - 1)] != values
            values, first = values[new], first[new]
        if len(values):
            self.runs.append(values)
        while len(self.runs) > 1 and len(self.runs[-2]) < 2 * len(self.runs[-1]):
            last = self.runs.pop()
            both = np.concatenate((self.runs[-1], last))
            self.runs[-1] = np.sort(both, kind="stable")  # which merges sorted runs
        fresh = np.zeros(len(digests), bool)
        fresh[first] = True
        return fresh
