"""The sentence that is looked into, the network as the switches leave it, and what that network makes of the sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from onmal.config import SearchConfig
from onmal.decoding.rules import Prefix, Rule
from onmal.decoding.scoring import next_words
from onmal.decoding.search import beam_search, length_limits
from onmal.errors import ConfigError, DataError, LengthError
from onmal.fragments import take_out
from onmal.inspection.attention import Recorder
from onmal.inspection.beam_tree import BeamTree
from onmal.inspection.question import Question
from onmal.inspection.switches import Anatomy, anatomy_of
from onmal.inspection.words import Tokens, special_pieces, tokens_of
from onmal.models.contract import Place, Seq2Seq
from onmal.text.language import detect, writes_spaces
from onmal.text.normalize import normalize
from onmal.translating.draft import Candidate
from onmal.translating.plan import Unit
from onmal.translating.translator import Translator

__all__ = ["LONGEST", "Found", "Reading", "Sentence"]

LONGEST = 128
"""Tokens of a sentence, and of its translation, that can be looked into."""


@dataclass(frozen=True)
class Sentence:
    """What the network reads."""

    translator: Translator
    unit: Unit
    """As the translator plans it: `unit.read` is the text, without addresses, markup and placeholders."""
    language: str
    """Into which it is translated."""
    source_language: str
    tokens: Tokens
    ids: Tensor
    """[1,S]"""
    anatomy: Anatomy

    @classmethod
    def read(cls, translator: Translator, question: Question) -> Sentence:
        """The sentence of a question; DataError where there is none or several, LengthError where it is too long."""
        saved, subwords = translator.saved, translator.saved.tokenizer.source
        language = translator.target_language(question.text, question.to)
        unit = _one_unit(translator, question.text, language)
        origins = [source for source, target in translator.directions if target == language]
        source_language = detect(unit.read, origins)[0][0]
        special = special_pieces(saved.tokenizer)
        tokens = tokens_of(subwords, unit.ids, special, writes_spaces(source_language))
        ids = torch.tensor([unit.ids], device=next(saved.model.parameters()).device)
        return cls(translator, unit, language, source_language, tokens, ids, anatomy_of(saved.model, ids))


@dataclass(frozen=True)
class Found:
    """What a search came to, and the tree that it grew."""

    tree: BeamTree
    chosen: Candidate
    """The one that the translator would take: the best without a fault, or else the best."""

    @property
    def ids(self) -> list[int]:
        """Its tokens, with the end if there is one."""
        hypothesis = self.chosen.hypothesis
        return [*hypothesis.tokens, *[self.tree.end] * hypothesis.ended]

    @classmethod
    def by_search(
        cls, network: Seq2Seq, source: Tensor, sentence: Sentence, config: SearchConfig, prefix: Sequence[int]
    ) -> Found:
        """The translation of a source [1,S], from a given beginning on; ConfigError where it cannot begin so."""
        saved, guards = sentence.translator.saved, sentence.translator.guards
        subwords, signs = saved.tokenizer.target, special_pieces(saved.tokenizer)
        for token in prefix:
            if not 0 <= token < len(subwords) or subwords.pieces([token])[0] in signs:
                raise ConfigError(
                    f"prefix cannot have the token {token}", "give ids of words of the translation"
                )
        if len(prefix) >= (limit := int(length_limits(network, source, config))):
            raise ConfigError(
                f"prefix has {len(prefix)} tokens where a translation has at most {limit}",
                "give a shorter one",
            )
        tree = BeamTree(config, network.vocabulary.end)
        rules: list[Rule] = [Prefix([prefix], source.device)] if prefix else []
        found = beam_search(network, source, config, [*rules, tree])[0]
        if found[0].score == -torch.inf:
            raise ConfigError("the translation cannot go on from this prefix", "give another one")
        tree.take(found)
        candidates = [Candidate(sentence.unit, each, subwords, guards) for each in found]
        return cls(tree, next((each for each in candidates if not each.faults), candidates[0]))


@dataclass(frozen=True)
class Reading:
    """One pass over a sentence and its translation, with everything written down."""

    ids: list[int]
    """The translation's tokens."""
    read: list[int]
    """What the decoder read to say them: the start, then all but the last."""
    tokens: Tokens
    read_tokens: Tokens
    scores: Tensor
    """Log-probability [T,V] of every next word."""
    weights: dict[Place, NDArray[np.float32]]
    """[H,T,S] of each place."""

    @classmethod
    def of(cls, network: Seq2Seq, source: Tensor, target: Sequence[int], sentence: Sentence) -> Reading:
        """What a network thinks while it says a target for a source [1,S]."""
        if len(target) > LONGEST:
            raise _too_long(len(target), "its translation has")
        recorder, read = Recorder(), [network.vocabulary.start, *target[:-1]]
        states = network.hidden(source, source.new_tensor([read]), probe=recorder)
        scores = next_words(network, states)[0].cpu()
        weights = {place: each.numpy() for place, each in recorder.weights.items()}
        tokenizer = sentence.translator.saved.tokenizer
        special, spaces = special_pieces(tokenizer), writes_spaces(sentence.language)
        tokens, read_tokens = (tokens_of(tokenizer.target, ids, special, spaces) for ids in (target, read))
        return cls(list(target), read, tokens, read_tokens, scores, weights)

    @property
    def logp(self) -> list[float]:
        """Log-probability of each token."""
        said: list[float] = self.scores.gather(1, torch.tensor(self.ids)[:, None]).squeeze(1).tolist()
        return said


def _one_unit(translator: Translator, text: str, language: str) -> Unit:
    """The text as the one piece that the network reads."""
    if not normalize(text):
        raise DataError("there is no text to look into", "give one sentence")
    if len(text.strip().splitlines()) > 1:
        raise DataError(
            "looking inside takes one sentence, and this text has several lines", "give one of them"
        )
    words = take_out(text).text  # what the network reads: no addresses, markup or placeholders
    tokens = len(translator.saved.tokenizer.encode_source(words, language, translator.tag))
    longest = translator.saved.trained_lengths[0]
    if tokens > LONGEST:
        raise _too_long(tokens, "this text has")
    if tokens > longest:
        raise LengthError(
            f"this text has {tokens} tokens where training saw at most {longest}", "give one of its sentences"
        )
    units: list[Unit] = []
    translator.planner.plan(text, language, units)
    if not units:
        raise DataError("there is nothing to translate in this text", "give one sentence")
    if len(units) > 1:
        raise DataError(
            f"looking inside takes one sentence, and this text has {len(units)} cells", "give one of them"
        )
    return units[0]


def _too_long(tokens: int, what: str) -> LengthError:
    return LengthError(
        f"looking inside takes at most {LONGEST} tokens, and {what} {tokens}", "give its first sentence alone"
    )
