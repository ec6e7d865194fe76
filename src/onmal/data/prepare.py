"""Corpus + tokenizer -> training text: every distinct word segmented once, every sentence a row of word numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial

import numpy as np

from onmal.config import DataConfig
from onmal.data.batching import TrainingText
from onmal.data.pair import Pair
from onmal.data.shuffle import Mix
from onmal.errors import ConfigError
from onmal.text.language import direction_tag
from onmal.text.normalize import normalize
from onmal.text.subword_sampling import EncodedSide, WordTable
from onmal.text.tokenizer import (
    SubwordModel,
    Tokenizer,
    VocabularySizeError,
    choose_vocabulary_size,
    count_words,
)

__all__ = [
    "encode_pairs",
    "encode_side",
    "learn_from_words",
    "learn_tokenizer",
    "mix_of",
    "source_tags",
    "tags_of",
]


def encode_side(model: SubwordModel, sentences: Iterable[str], sampling: float) -> EncodedSide:
    """Word numbers of normalised sentences, and the segmentations of their distinct words."""
    numbers: dict[str, int] = {}
    words: list[int] = []
    offsets = [0]
    for sentence in sentences:
        words.extend(numbers.setdefault(word, len(numbers)) for word in sentence.split(" ") if word)
        offsets.append(len(words))
    table = WordTable.build(model, list(numbers), sampling)
    return EncodedSide(table, np.array(words, np.int32), np.array(offsets))


def encode_pairs(
    tokenizer: Tokenizer, pairs: Sequence[Pair], data: DataConfig, sizes: Sequence[int] = ()
) -> TrainingText:
    """Training text of sentence pairs; with both directions each pair is there twice, tagged.

    `sizes` says how many pairs are of each text of `data.mix`; without it they are taken as one text.
    """
    sampling, tags, mix = data.subword_sampling, source_tags(tokenizer, data), mix_of(tokenizer, data, sizes)
    source = encode_side(tokenizer.source, (normalize(pair.source) for pair in pairs), sampling)
    target = encode_side(tokenizer.target, (normalize(pair.target) for pair in pairs), sampling)
    return TrainingText(source, target, tags, sampling > 0, data.max_length, mix=mix)


def source_tags(tokenizer: Tokenizer, data: DataConfig) -> list[list[int]]:
    """What begins the sources of each direction: the tag of the language to translate to, if the tokenizer has any."""
    if data.both_directions:
        return [[tokenizer.tag_id(code)] for code in (data.source_language, data.target_language)][::-1]
    return [tokenizer.prefix(data.target_language)]


def mix_of(tokenizer: Tokenizer, data: DataConfig, sizes: Sequence[int]) -> Mix:
    """The texts of `data.mix`, of which so many pairs are there, each at least one.

    ConfigError for a text whose weight is so small that no epoch has any of it.
    """
    if not data.mix or not sizes:
        return Mix()
    tags = [tokenizer.prefix(data.target_language, text.tag)[-1] if text.tag else -1 for text in data.mix]
    counts = data.drawn(sizes)
    if 0 in counts:
        raise ConfigError(
            f"text {counts.index(0) + 1} of data.mix gives none of the {sum(sizes):,} pairs of an epoch",
            "raise its weight, or leave it out",
        )
    return Mix(sizes, counts, tags)


def tags_of(data: DataConfig) -> tuple[str, ...]:
    """The control symbols of a tokenizer for `data`; ConfigError for both directions without a vocabulary for both."""
    if data.both_directions and not data.joint:
        raise ConfigError(
            "data.both_directions needs one vocabulary for both languages", "set data.joint = true"
        )
    codes = (data.source_language, data.target_language)
    directions = map(direction_tag, codes) if data.both_directions else ()
    return (*directions, *dict.fromkeys(f"<{text.tag}>" for text in data.mix if text.tag))


def learn_tokenizer(pairs: Sequence[Pair], data: DataConfig) -> Tokenizer:
    """Learn the subword model(s) that `data` asks for from sentence pairs.

    VocabularySizeError if the text cannot give the size asked for; a size that is chosen is made to fit.
    """
    source = count_words(normalize(pair.source) for pair in pairs)
    target = count_words(normalize(pair.target) for pair in pairs)
    return learn_from_words(source, target, data, pairs=len(pairs))


def learn_from_words(
    source: Counter[str], target: Counter[str], data: DataConfig, *, pairs: int
) -> Tokenizer:
    """The same from the words of each side and how often they are there; `pairs` is how many the whole text has."""
    tags = tags_of(data)

    def learn(words: Counter[str]) -> SubwordModel:
        size = data.vocabulary_size or choose_vocabulary_size(pairs, len(words))
        learn_of = partial(SubwordModel.learn, words, kind=data.tokenizer, control_symbols=tags)
        try:
            return learn_of(size=size)
        except VocabularySizeError as error:
            if data.vocabulary_size:
                raise
            return learn_of(size=error.possible)  # a small text, or one of very many characters

    if data.joint:
        joint = learn(source + target)
        return Tokenizer(joint, joint, tags)
    return Tokenizer(learn(source), learn(target), tags)
