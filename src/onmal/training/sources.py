"""What a run learns from and is validated on: pairs that are read, cleaned, counted and encoded; or prepared shards."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from onmal.cleaning.clean import CleaningReport, clean, default_filters
from onmal.config import DataConfig, RunConfig
from onmal.corpora.located import open_pairs
from onmal.data.batching import TrainingText
from onmal.data.corpus import Pair
from onmal.data.prepare import encode_pairs, learn_tokenizer, tags_of
from onmal.data.shards import open_shards, tokenizer_sha256
from onmal.errors import DataError
from onmal.run_report.events import Reporter
from onmal.text.tokenizer import SubwordModel, Tokenizer
from onmal.training.distributed import Team

__all__ = ["Sources", "evenly", "prepare_sources", "training_pairs"]


@dataclass(frozen=True)
class Sources:
    """The text of a run."""

    tokenizer: Tokenizer
    text: TrainingText
    valid: Sequence[Pair]
    pairs: int
    """To train on, of one direction."""
    removed: Mapping[str, int]
    """Filter -> training pairs that it took out."""
    sha256: str
    """A fingerprint of the training text, in its order."""

    @property
    def beside_sha256(self) -> str:
        """One of what else a run learns by: its tokenizer, and its validation text."""
        return fingerprint(self.valid, tokenizer_sha256(self.tokenizer))


def prepare_sources(
    team: Team, config: RunConfig, corpora: Mapping[str, Path], report: Reporter, tokenizer: Tokenizer | None
) -> Sources:
    """Open the shards that the settings name; else read the text and encode it.

    Without a `tokenizer` one is learned from the text, in one process, for all.
    """
    data = config.data
    if data.shards:
        report.note(f"opening {data.shards} ...")
        return _from_shards(data, corpora)
    report.note(f"reading {data.names} ...")
    pairs = training_pairs(data, corpora, config.train.seed)
    count = f"{len(pairs.train):,} pairs"
    if tokenizer is None:
        report.note(f"learning the tokenizer from {count} ...")
        tokenizer = _tokenizer_of_the_first(team, pairs, data)
    report.note(f"encoding {count} ...")
    text = encode_pairs(tokenizer, pairs.train, data, pairs.sizes)
    return Sources(tokenizer, text, pairs.valid, len(pairs.train), pairs.removed, pairs.sha256())


def _from_shards(data: DataConfig, corpora: Mapping[str, Path]) -> Sources:
    shards = open_shards(data.shards, data)
    named = list(open_pairs(data, data.valid, corpora)) if data.valid else []
    valid = evenly(named or shards.held_out, data.valid_size)
    if not valid:
        raise DataError(
            "holds out no validation text", "name some as data.valid, or prepare it anew", path=data.shards
        )
    removed = {name: count for name, count in shards.manifest["removed"].items() if count}
    return Sources(shards.tokenizer, shards.text, valid, shards.text.rows, removed, shards.manifest["sha256"])


def _tokenizer_of_the_first(team: Team, pairs: Pairs, data: DataConfig) -> Tokenizer:
    """Learn the tokenizer in one process, for all."""
    learned = learn_tokenizer(pairs.train, data) if team.leads else None
    sides = (learned.source, learned.target) if learned else (None, None)
    source, target = (
        SubwordModel(team.bytes_of_the_first(side.serialized if side else b"")) for side in sides
    )
    return learned or Tokenizer(source, source if data.joint else target, tags_of(data))


@dataclass(frozen=True)
class Pairs:
    """Training and validation pairs."""

    train: Sequence[Pair]
    """Those of all texts, one text after the other."""
    sizes: Sequence[int]
    """How many are of each text."""
    valid: Sequence[Pair]
    removed: Mapping[str, int]
    """Filter -> training pairs that it took out."""

    def sha256(self) -> str:
        """A fingerprint of the training text, in its order."""
        return fingerprint(self.train)


def fingerprint(pairs: Iterable[Pair], beside: str = "") -> str:
    """SHA-256 of pairs in their order, and of something beside them."""
    digest = hashlib.sha256(beside.encode())
    for pair in pairs:
        digest.update(f"{pair.source}\t{pair.target}\n".encode())
    return digest.hexdigest()


def training_pairs(data: DataConfig, corpora: Mapping[str, Path], seed: int) -> Pairs:
    """Read and clean the training text; without validation text, hold out part of it (of a mix: the first) by `seed`."""
    texts: list[list[Pair]] = []
    removed: Counter[str] = Counter()
    for text in data.texts:
        # A blank side is the cleaner's to remove, and an error where nobody cleans.
        pairs = open_pairs(text, text.train, corpora, empty="keep" if data.clean else "error")
        pairs = islice(pairs, data.max_pairs or None)
        report = CleaningReport()
        if data.clean:
            pairs = clean(pairs, default_filters(data.source_language, data.target_language), report)
        texts.append(list(pairs))
        removed.update({name: fault.count for name, fault in report.removed.items() if fault.count})
    if data.valid:
        valid = evenly(list(open_pairs(data, data.valid, corpora)), data.valid_size)
    else:
        random.Random(seed).shuffle(texts[0])
        size = min(data.valid_size, len(texts[0]) // 10)
        valid, texts[0] = texts[0][:size], texts[0][size:]
    if not all(texts) or not valid:
        sizes = " + ".join(f"{len(text):,}" for text in texts)
        taken = ", ".join(f"{name} {count:,}" for name, count in removed.items())
        raise DataError(
            f"{sizes} sentence pairs to train on and {len(valid):,} to validate on are too few"
            + (f" (removed before: {taken})" if taken else ""),
            "look at the text with: onmal doctor",
        )
    return Pairs(list(chain.from_iterable(texts)), list(map(len, texts)), valid, removed)


def evenly(pairs: Sequence[Pair], size: int) -> Sequence[Pair]:
    """At most `size` pairs from all over a text, which may be grouped by kind."""
    size = min(size, len(pairs))
    return [pairs[number * len(pairs) // size] for number in range(size)]
