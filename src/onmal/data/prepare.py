"""Corpus + tokenizer -> training text: every distinct word segmented once, every sentence a row of word numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

import numpy as np

from onmal.config import DataConfig
from onmal.data.batching import EncodedSide, TrainingText
from onmal.data.pair import Pair
from onmal.errors import ConfigError
from onmal.text.language import direction_tag
from onmal.text.normalize import normalize
from onmal.text.subword_sampling import WordTable
from onmal.text.tokenizer import SubwordModel, Tokenizer, VocabularySizeError, choose_vocabulary_size

__all__ = ["encode_pairs", "encode_side", "learn_tokenizer"]


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
    tokenizer: Tokenizer,
    pairs: Sequence[Pair],
    *,
    sampling: float,
    max_length: int,
    languages: tuple[str, str],
    both_directions: bool = False,
) -> TrainingText:
    """Training text of sentence pairs; with both directions each pair is there twice, tagged."""
    sources = [normalize(pair.source) for pair in pairs]
    targets = [normalize(pair.target) for pair in pairs]
    prefixes = [tokenizer.tag_id(languages[1]) if tokenizer.tags else -1] * len(pairs)
    if both_directions:
        sources, targets = sources + targets, targets + sources
        prefixes += [tokenizer.tag_id(languages[0])] * len(pairs)
    return TrainingText(
        source=encode_side(tokenizer.source, sources, sampling),
        target=encode_side(tokenizer.target, targets, sampling),
        prefixes=np.array(prefixes, np.int32),
        sampled=sampling > 0,
        max_length=max_length,
    )


def learn_tokenizer(pairs: Sequence[Pair], config: DataConfig) -> Tokenizer:
    """Learn the subword model(s) that `config` asks for from sentence pairs.

    VocabularySizeError if the text cannot give the size asked for; a size that is chosen is made to fit.
    """
    sides = [normalize(pair.source) for pair in pairs], [normalize(pair.target) for pair in pairs]
    languages = (config.source_language, config.target_language)
    tags = tuple(direction_tag(code) for code in languages) if config.both_directions else ()
    if config.both_directions and not config.joint:
        raise ConfigError(
            "data.both_directions needs one vocabulary for both languages", "set data.joint = true"
        )

    def learn(sentences: Sequence[str]) -> SubwordModel:
        words = len({word for sentence in sentences for word in sentence.split(" ")})
        size = config.vocabulary_size or choose_vocabulary_size(len(pairs), words)
        learn_of = partial(SubwordModel.learn, sentences, kind=config.tokenizer, control_symbols=tags)
        try:
            return learn_of(size=size)
        except VocabularySizeError as error:
            if config.vocabulary_size:
                raise
            return learn_of(size=error.possible)  # a small text, or one of very many characters

    if config.joint:
        joint = learn([sentence for pair in zip(*sides, strict=True) for sentence in pair])
        return Tokenizer(joint, joint, tags)
    return Tokenizer(learn(sides[0]), learn(sides[1]), tags)
