"""Which words the network looked at while it translated a sentence, as numbers.

The sentence is translated, then read once more together with its translation (teacher forcing) while a Probe writes down
the weights of every layer and head.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from onmal.config import SearchConfig
from onmal.decoding.search import length_limits
from onmal.errors import ConfigError, DataError, LengthError
from onmal.models.contract import Place, Probe
from onmal.text.fragments import take_out
from onmal.text.language import detect, writes_spaces
from onmal.text.normalize import normalize
from onmal.text.tokenizer import SubwordModel, Tokenizer
from onmal.translating.translator import Translator

__all__ = ["NOTE", "AttentionMap", "Inspection", "Part", "Recorder", "Tokens", "Unit", "inspect"]

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


class Unit(NamedTuple):
    """What stands at one row or column: tokens first up to, not including, last."""

    label: str
    first: int
    last: int
    special: bool
    """Whether this is no word but a sign for the network: start, end, the language asked for."""


@dataclass(frozen=True)
class Tokens:
    """The tokens of one side of the network, and how they join to what people read."""

    pieces: tuple[str, ...]
    """As SentencePiece writes them."""
    words: tuple[Unit, ...]
    """Space-separated words; in a language that writes no spaces the same as `subwords`."""
    subwords: tuple[Unit, ...]
    """The pieces, without the mark for a space, the bytes of one character joined."""


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
            raise ConfigError(f"this network has no {_READINGS[part].title}", "choose another part")
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
            _join(weights, rows, columns),
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


def _join(weights: NDArray[np.float32], rows: Sequence[Unit], columns: Sequence[Unit]) -> NDArray[np.float32]:
    """Tokens to units, [T,S] -> [rows,columns]: sum over keys, mean over queries."""
    summed = np.add.reduceat(weights, [unit.first for unit in columns], axis=1)
    joined = np.add.reduceat(summed, [unit.first for unit in rows], axis=0)
    lengths = np.array([[unit.last - unit.first] for unit in rows], dtype=np.float32)
    return np.asarray(joined / lengths, dtype=np.float32)


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

    special = _special(tokenizer)
    origins = [origin for origin, goal in saved.directions if goal == language]
    source_spaces = writes_spaces(detect(words, origins)[0][0])
    target_spaces = writes_spaces(language)
    return Inspection(
        text,
        translation.text,
        translation.warnings,
        _tokens(tokenizer.source, source, special, source_spaces),
        _tokens(tokenizer.target, target, special, target_spaces),
        _tokens(tokenizer.target, read, special, target_spaces),
        {place: weights.numpy() for place, weights in recorder.weights.items()},
    )


def _special(tokenizer: Tokenizer) -> dict[str, str]:
    """The pieces that are no words, and how they are shown."""
    vocabulary = tokenizer.vocabulary
    signs = tokenizer.target.pieces([vocabulary.pad, vocabulary.start, vocabulary.end])
    shown = dict(zip(signs, ("(pad)", "(start)", "(end)"), strict=True))
    for tag in tokenizer.tags:
        shown[tag] = f"(to {tag[2:-1]})" if tag.startswith("<2") else f"({tag[1:-1]})"
    return shown


_SPACE = "▁"  # how SentencePiece writes a space
_LATER_BYTES = {f"<0x{byte:02X}>" for byte in range(0x80, 0xC0)}  # of a character in UTF-8


def _tokens(subwords: SubwordModel, ids: Sequence[int], special: Mapping[str, str], spaces: bool) -> Tokens:
    """Tokens with their units; `special` names the pieces that are no words."""
    pieces = subwords.pieces(ids)

    def opens_word(at: int) -> bool:
        return pieces[at].startswith(_SPACE)

    def opens_piece(at: int) -> bool:
        return pieces[at] not in _LATER_BYTES and pieces[at - 1] != _SPACE

    def written(first: int, last: int) -> str:
        return subwords.decode(ids[first:last]).strip() or "␣"

    def units(opens: Callable[[int], bool]) -> tuple[Unit, ...]:
        alone = [piece in special for piece in pieces]
        starts = [n for n in range(len(ids)) if n == 0 or alone[n] or alone[n - 1] or opens(n)]
        return tuple(
            Unit(special.get(pieces[first]) or written(first, last), first, last, alone[first])
            for first, last in zip(starts, [*starts[1:], len(ids)], strict=True)
        )

    return Tokens(tuple(pieces), units(opens_word if spaces else opens_piece), units(opens_piece))
