"""Everything there is to see of one sentence on its way through a network, as values that JSON knows.

    answer = look_inside(translator, Question(text="나는 어제 친구를 만났다", to="en"))

The answer, in which layers, heads, words and tokens are counted from 0, and numbers are nats unless they are probabilities:

    schema      1
    key         a digest of the question and the model: equal keys, equal answers
    question    what was asked, all of it
    model       name, directions, network, d, vocabulary, max_source and max_target [tokens],
                positions {source, target: learned | sinusoidal | sinusoidal-halves | rotary | none},
                parts {enc, dec, cross: {layers, heads}}: only those that this network has
    src, tgt    ids, pieces (as SentencePiece writes them: for programs, not for people), text;
                words and subwords: lists of {text, span, tokens, special}: span are the characters [from, to) of `text`,
                tokens the numbers [from, to) among the ids; special is null, or names a sign that is no word: "end", "start",
                "to en". A word has no spaces in it; subwords are its pieces, the bytes of a character joined.
                A language that writes no spaces has the same words as subwords.
        src     also lang; off: numbers of the words that are switched off
        tgt     also lang, logp: of each token, total: their sum, score: after the length penalty, ended: false if cut off, and
                read: {ids, words, subwords}, what the decoder read to say it: the start, then all but the last token
    baseline    the usual translation, without switches or a prefix: text, ids, total; under_switches: its total with
                them; changed: whether `tgt` says something else
    warnings    what the guards find wrong with the translation
    steps       for each token of tgt: rank (1: no word was likelier), and top: five {token, text, opens, p}, the likeliest next
                words; opens is false for a piece that continues the word before it
    attn        summary {cross: [layers, tgt tokens, src tokens], ...} is the mean of the heads;
                tensors {"cross.2": [heads, tgt tokens, src tokens], "enc.0": [heads, src, src], "dec.1": [heads, tgt, read]};
                rows look, columns are looked at, a row of "dec" and "cross" is the token being made.
                Joined to words: the sum over columns, the mean over rows.
    heads       {cross: [{l, h, entropy, max_mean, eos_mass, agreement, delta}], enc: ..., dec: ...}: means over rows of the
                entropy, the largest weight, and the weight on the end token ("dec": on the start); agreement (cross only) is
                how much of its looking goes to the word that matters most by `effect`; delta is the change of tgt's total when
                this head alone is off (asked for with "heads")
    default     {kind: "cross", layer, head}: what to show first, the head of the highest agreement; head is null for the mean
    effect      [tgt words, src words], how much less likely each word of the translation is without each word of the source
    beam        size, length_penalty, nodes: list of {id, parent, token, text, opens, logp, score, kept, finished} (logp of this
                word; score of all up to here), best: the ids of the path that is `tgt`
    passes      how often the network was run: {search: steps, look, effect, heads}
    time_ms     search, look, effect, heads, total [milliseconds]
    truncated   null, or {tokens, left_out}: what a sentence of so many tokens does not get at once

Tables are packed as `onmal.inspection.packing` says. Up to 24 tokens (of the longer side) all of them come at once, as far as they are
no more than 42 kB when compressed; up to 64 the summary and the layers asked for ("attn:cross:2"); up to 128 none, but single rows
can be asked for. A longer sentence is refused. `onmal.inspection.close_up` has the calls that look closer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import torch

from onmal.inspection.effects import effect_of_heads, effect_of_words, log_probabilities
from onmal.inspection.heads import default_head, facts, tables
from onmal.inspection.packing import pack_signed
from onmal.inspection.question import Question, identity
from onmal.inspection.sentence import Found, Reading, Sentence
from onmal.inspection.switches import PARTS, find_place, under
from onmal.inspection.words import (
    Span,
    Unit,
    label,
    opens_word,
    read_spans,
    special_pieces,
    written_spans,
)
from onmal.translating.translator import Translator

__all__ = ["look_inside"]

TOP = 5
"""Likeliest next words that are told."""


@torch.inference_mode()
def look_inside(translator: Translator, question: Question) -> dict[str, Any]:
    """Translate one sentence and tell everything about it; what the answer holds stands above.

    Raises DataError for no text or several lines, LengthError for a sentence that is too long, LanguageError as `translate`
    does, ConfigError for whatever else of the question cannot be.
    """
    laps, saved = _Laps(), translator.saved
    sentence, asked = Sentence.read(translator, question), question.layers()
    layers = [find_place(kind, layer, sentence.anatomy) for kind, layer in asked]
    network, source = under(
        question.ablate, saved.model, sentence.ids, sentence.tokens.words, sentence.anatomy
    )
    search, prefix = question.search(saved.search), question.prefix
    usual = found = Found.by_search(saved.model, sentence.ids, sentence, search, ())
    passes = {"search": usual.tree.steps, "look": 2, "effect": 0, "heads": 0}
    under_switches = usual.chosen.hypothesis.log_probability
    if question.ablate.any or prefix:
        found = Found.by_search(network, source, sentence, search, prefix)
        under_switches = float(log_probabilities(network, source, usual.ids).sum())
        passes["search"] += found.tree.steps
        passes["look"] += 1
    laps("search")
    reading = Reading.of(network, source, found.ids, sentence)
    rows, columns = reading.tokens.words, sentence.tokens.words
    laps("look")
    effect = deltas = None
    if "effect" in question.include:
        effect = effect_of_words(network, source, reading.ids, rows, columns)
        passes["effect"] = 1 + sum(not unit.special for unit in columns)
        laps("effect")
    if "heads" in question.include:
        deltas = effect_of_heads(network, source, reading.ids, sentence.anatomy)
        passes["heads"] = 1 + len(deltas)
        laps("heads")
    heads = facts(reading.weights, effect, deltas, rows, columns)
    default = default_head(heads)
    attention, truncated = tables(reading.weights, layers, default)
    return {
        "schema": 1,
        "key": question.key(identity(saved)),
        "question": question.model_dump(),
        "model": _model(sentence),
        "src": _source(sentence, question),
        "tgt": _target(sentence, found, reading),
        "baseline": {**_baseline(usual, under_switches), "changed": usual.ids != found.ids},
        "warnings": found.chosen.faults,
        "steps": _steps(sentence, reading) if "topk" in question.include else None,
        "attn": attention,
        "heads": heads,
        "default": default,
        "effect": None if effect is None else {**pack_signed(effect), "unit": "nats"},
        "beam": _beam(sentence, found) if "beam" in question.include else None,
        "passes": passes,
        "time_ms": laps.all(),
        "truncated": truncated,
    }


class _Laps:
    """How long what took, in milliseconds."""

    def __init__(self) -> None:
        self.began = self.last = time.perf_counter()
        self.spent: dict[str, int] = {}

    def __call__(self, name: str) -> None:
        now = time.perf_counter()
        self.spent[name], self.last = round(1000 * (now - self.last)), now

    def all(self) -> dict[str, int]:
        """Each lap, and the total."""
        return {**self.spent, "total": round(1000 * (time.perf_counter() - self.began))}


def _model(sentence: Sentence) -> dict[str, Any]:
    saved = sentence.translator.saved
    config, anatomy = saved.config, sentence.anatomy
    parts = {
        kind: {"layers": len(heads), "heads": heads[0]}
        for kind, part in PARTS.items()
        if (heads := [count for place, count in anatomy.items() if place.part == part])
    }
    return {
        "name": saved.card.get("name", ""),
        "directions": [list(direction) for direction in sentence.translator.directions],
        "network": config.network,
        "d": config.d_model,
        "vocabulary": len(saved.tokenizer.target),
        "max_source": saved.model.longest_source,
        "max_target": saved.model.longest_target,
        "positions": {
            side: getattr(config, f"{side}_positions") if config.knows(f"{side}_positions") else "none"
            for side in ("source", "target")
        },
        "parts": parts,
    }


def _source(sentence: Sentence, question: Question) -> dict[str, Any]:
    translator, unit, tokens = sentence.translator, sentence.unit, sentence.tokens
    tokenizer = translator.saved.tokenizer
    first = len(tokenizer.prefix(sentence.language, translator.tag))

    def spans(units: Sequence[Unit]) -> list[Span | None]:
        return read_spans(tokenizer.source, unit.read, units, first)

    return {
        "lang": sentence.source_language,
        "ids": unit.ids,
        "pieces": list(tokens.pieces),
        "text": unit.read,
        "words": _units(tokens.words, spans(tokens.words)),
        "subwords": _units(tokens.subwords, spans(tokens.subwords)),
        "off": sorted(set(question.ablate.words)),
    }


def _target(sentence: Sentence, found: Found, reading: Reading) -> dict[str, Any]:
    hypothesis, tokens, read = found.chosen.hypothesis, reading.tokens, reading.read_tokens
    subwords, text = sentence.translator.saved.tokenizer.target, found.chosen.text

    def spans(units: Sequence[Unit]) -> list[Span | None]:
        return written_spans(subwords, reading.ids, text, units)

    return {
        "lang": sentence.language,
        "ids": reading.ids,
        "pieces": list(tokens.pieces),
        "text": text,
        "words": _units(tokens.words, spans(tokens.words)),
        "subwords": _units(tokens.subwords, spans(tokens.subwords)),
        "read": {
            "ids": reading.read,
            "words": _units(read.words, [None] * len(read.words)),
            "subwords": _units(read.subwords, [None] * len(read.subwords)),
        },
        "logp": [round(each, 4) for each in reading.logp],
        "total": round(hypothesis.log_probability, 4),
        "score": round(hypothesis.score, 4),
        "ended": hypothesis.ended,
    }


def _baseline(usual: Found, under_switches: float) -> dict[str, Any]:
    return {
        "text": usual.chosen.text,
        "ids": usual.ids,
        "total": round(usual.chosen.hypothesis.log_probability, 4),
        "under_switches": round(under_switches, 4),
    }


def _units(units: Sequence[Unit], spans: Sequence[Span | None]) -> list[dict[str, Any]]:
    return [
        {
            "text": unit.label,
            "span": span and list(span),
            "tokens": [unit.first, unit.last],
            "special": unit.label.strip("()") if unit.special else None,
        }
        for unit, span in zip(units, spans, strict=True)
    ]


def _next_words(sentence: Sentence) -> Callable[[int], dict[str, Any]]:
    """What people are told of a token that may come next."""
    tokenizer = sentence.translator.saved.tokenizer
    subwords, special = tokenizer.target, special_pieces(tokenizer)
    return lambda token: {
        "token": token,
        "text": label(subwords, token, special),
        "opens": opens_word(subwords, token),
    }


def _steps(sentence: Sentence, reading: Reading) -> list[dict[str, Any]]:
    told, steps = _next_words(sentence), []
    for token, scores in zip(reading.ids, reading.scores, strict=True):
        best, tokens = scores.topk(min(TOP, len(scores)))
        steps.append(
            {
                "rank": 1 + int((scores > scores[token]).sum()),
                "top": [
                    {**told(each), "p": round(p, 5)}
                    for each, p in zip(tokens.tolist(), best.exp().tolist(), strict=True)
                ],
            }
        )
    return steps


def _beam(sentence: Sentence, found: Found) -> dict[str, Any]:
    told, tree = _next_words(sentence), found.tree
    return {
        "size": tree.config.beam_size,
        "length_penalty": tree.config.length_penalty,
        "nodes": [
            {
                "id": number,
                "parent": node.parent,
                **told(node.token),
                "logp": round(node.log_probability, 4),
                "score": round(node.score, 4),
                "kept": node.kept,
                "finished": node.finished,
            }
            for number, node in enumerate(tree.nodes)
        ],
        "best": tree.path(found.chosen.hypothesis),
    }
