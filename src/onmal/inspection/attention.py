"""Which words the network looked at while it translated a sentence, as numbers.

The sentence is translated, then read once more together with its translation (teacher forcing) while a Probe writes down
the weights of every layer and head.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from onmal.config import SearchConfig
from onmal.decoding.search import length_limits
from onmal.errors import ConfigError, DataError, LengthError
from onmal.fragments import take_out
from onmal.inspection.words import Tokens, joined, special_pieces, tokens_of
from onmal.models.contract import Place, Probe
from onmal.text.language import detect, writes_spaces
from onmal.text.normalize import normalize
from onmal.translating.translator import Translator

__all__ = ["NOTE", "AttentionMap", "Inspection", "Part", "Recorder", "inspect"]

Part = Literal["cross", "encoder", "decoder"]
NOTE = "how much each word was looked at, not how important it was"
"""What attention is; stands under every picture of it."""


class _Reading(NamedTuple):
    """How a part's map is read."""

    place: Literal["encoder.self", "decoder.self", "decoder.cross"]
    title: str
    rows: str
    columns: str


_READINGS: dict[Part, _Reading] = {
    "cross": _Reading("decoder.cross", "cross-attention", "word being made", "source word"),
    "encoder": _Reading("encoder.self", "encoder self-attention", "source word", "source word looked at"),
    "decoder": _Reading("decoder.self", "decoder self-attention", "word being made", "word made so far"),
}


class Recorder(Probe):
    """Writes down the attention weights of every layer and head, and changes nothing."""

    def __init__(self) -> None:
        self.weights: dict[Place, Tensor] = {}
        """[H,T,S] of the first sentence of the batch, by place."""

    def attention(
        self, place: Place, scores: Tensor, mask: Tensor | None, weights: Tensor, values: Tensor
    ) -> Tensor:
        self.weights[place] = weights[0].detach().float().cpu()
        return weights


@dataclass(frozen=True, eq=False)
class AttentionMap:
    """One table of attention weights, ready to be shown."""

    title: str
    """Which part, layer and head, and what is a mean: "cross-attention, layer 2, mean of 4 heads"."""
    row_name: str
    column_name: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    weights: NDArray[np.float32]
    """[T,S]; rows sum to one, and what a row may not see is exactly 0."""
    special_rows: tuple[int, ...] = ()
    """Numbers of the rows that are no words, such as "(end)": shown dimmed."""
    special_columns: tuple[int, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The same as values that JSON knows; weights rounded to 5 digits."""
        return {
            "title": self.title,
            "note": NOTE,
            "row_name": self.row_name,
            "column_name": self.column_name,
            "rows": list(self.rows),
            "columns": list(self.columns),
            "special_rows": list(self.special_rows),
            "special_columns": list(self.special_columns),
            "weights": [[round(float(weight), 5) for weight in row] for row in self.weights],
        }


@dataclass(frozen=True, eq=False)
class Inspection:
    """A sentence, its translation, and every attention weight on the way from one to the other."""

    text: str
    translation: str
    warnings: tuple[str, ...]
    source: Tokens
    """What the encoder read, the end token included."""
    target: Tokens
    """What the decoder made, the end token included unless the translation was cut off."""
    read: Tokens
    """What the decoder read to make it: the start token, then all but the last of `target`."""
    weights: Mapping[Place, NDArray[np.float32]] = field(repr=False)
    """[H,T,S] of each place, also under plain (part, layer) tuples; T and S count tokens, not words."""

    def size(self, part: Part) -> tuple[int, int]:
        """Layers and heads of a part; ConfigError for an unknown part or one that this network does not have."""
        if part not in _READINGS:
            raise ConfigError(f"there is no attention part {part!r}", f"choose one of {', '.join(_READINGS)}")
        heads = [len(w) for place, w in self.weights.items() if place.part == _READINGS[part].place]
        if not heads:
            others = ", ".join(name for name, other in _READINGS.items() if (other.place, 0) in self.weights)
            raise ConfigError(
                f"this network has no {_READINGS[part].title}",
                f"it has {others}" if others else "it has no attention at all; inspect another network",
            )
        return len(heads), heads[0]

    def attention(
        self, part: Part = "cross", layer: int | None = None, head: int | None = None, *, words: bool = True
    ) -> AttentionMap:
        """The weights of a part's layer and head (from 0); None is the mean over them. ConfigError out of range.

        With `words`, pieces are joined to space-separated words: the sum over the pieces looked at (keys), the mean over
        the pieces that look (queries), so rows still sum to one. Without, rows and columns are pieces.
        A row of the decoder's maps is the word being made: what was looked at while it was not there yet.
        """
        layers, heads = self.size(part)
        place, name, row_name, column_name = _READINGS[part]
        chosen_layers, layer_title = _choose("layer", layer, layers, name)
        chosen_heads, head_title = _choose("head", head, heads, name)
        chosen = [self.weights[Place(place, n)][chosen_heads] for n in chosen_layers]
        weights = np.stack(chosen).mean((0, 1))  # [T,S]
        rows, columns = (
            tokens.words if words else tokens.subwords
            for tokens in {
                "cross": (self.target, self.source),
                "encoder": (self.source, self.source),
                "decoder": (self.target, self.read),
            }[part]
        )
        return AttentionMap(
            f"{name}, {layer_title}, {head_title}",
            row_name if words else row_name.replace("word", "piece"),
            column_name if words else column_name.replace("word", "piece"),
            tuple(unit.label for unit in rows),
            tuple(unit.label for unit in columns),
            joined(weights, rows, columns),
            tuple(n for n, unit in enumerate(rows) if unit.special),
            tuple(n for n, unit in enumerate(columns) if unit.special),
        )

    def as_dict(self) -> dict[str, Any]:
        """All but the weights, which `AttentionMap.as_dict` gives, as values that JSON knows."""
        return {
            "text": self.text,
            "translation": self.translation,
            "warnings": list(self.warnings),
            "source_pieces": list(self.source.pieces),
            "target_pieces": list(self.target.pieces),
            "parts": {
                part: dict(zip(("layers", "heads"), self.size(part), strict=True))
                for part, reading in _READINGS.items()
                if (reading.place, 0) in self.weights
            },
        }


def _choose(kind: str, number: int | None, count: int, name: str) -> tuple[list[int], str]:
    """The layers or heads meant, and how a title names them."""
    if number is None:
        return list(range(count)), f"mean of {count} {kind}s" if count > 1 else f"{kind} 1"
    if not 0 <= number < count:
        raise ConfigError(
            f"there is no {kind} {number + 1} in {name}",
            f"{kind}s are 1 to {count} (in Python 0 to {count - 1})",
        )
    return [number], f"{kind} {number + 1}"


def inspect(
    translator: Translator, text: str, *, to: str = "", search: SearchConfig | None = None
) -> Inspection:
    """Translate one sentence and look at every attention on the way.

    Raises DataError for no text and for several lines, LengthError for one longer than the lengths seen in training,
    LanguageError as `translate` does.
    """
    saved, sentence = translator.saved, text.strip()
    search = search or saved.search
    tokenizer, model = saved.tokenizer, saved.model
    words = take_out(sentence).text  # what the network sees: no addresses, markup or placeholders
    if not normalize(words):
        raise DataError("there is no text to inspect", "give one sentence")
    if "\n" in sentence:
        raise DataError("inspect takes one sentence, and this text has several lines", "give one of them")
    language = translator.target_language(sentence, to)
    source = tokenizer.encode_source(words, language, translator.tag)
    longest = saved.trained_lengths[0]
    if len(source) > longest:
        raise LengthError(
            f"inspect takes one sentence, and this text has {len(source)} tokens where training saw at most {longest}",
            "give one of its sentences",
        )
    translation = translator.translate(sentence, to=language, search=search)
    ids = torch.tensor([source], device=next(model.parameters()).device)  # [1,S]
    target = [tokenizer.target.processor.piece_to_id(piece) for piece in translation.tokens]
    if len(target) < length_limits(model, ids, search).item():
        target.append(model.vocabulary.end)
    read = [model.vocabulary.start, *target[:-1]]

    recorder = Recorder()
    with torch.inference_mode():
        model.hidden(ids, ids.new_tensor([read]), probe=recorder)

    special = special_pieces(tokenizer)
    origins = [origin for origin, goal in saved.directions if goal == language]
    source_spaces = writes_spaces(detect(words, origins)[0][0])
    target_spaces = writes_spaces(language)
    return Inspection(
        text,
        translation.text,
        translation.warnings,
        tokens_of(tokenizer.source, source, special, source_spaces),
        tokens_of(tokenizer.target, target, special, target_spaces),
        tokens_of(tokenizer.target, read, special, target_spaces),
        {place: weights.numpy() for place, weights in recorder.weights.items()},
    )
