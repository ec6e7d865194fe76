"""Parts 1, 2, 5 and 6 of the picture: word embeddings, position embeddings; and the way back from states to words.

Four ways to tell a network the order of words stand behind one small interface: what is added to a word's vector, and by
which angles attention turns its queries and keys.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from onmal.config import ModelConfig, PositionKind, Vocabulary
from onmal.errors import ConfigError, LengthError
from onmal.models.contract import Probe, Side
from onmal.models.sublayer import Dropout
from onmal.products import linear

__all__ = ["Embedding", "OutputProjection", "Positions", "build_positions", "draw", "drop_words", "tables"]


class Positions(nn.Module):
    """No positions at all: attention then sees a bag of words. The other kinds override one of the two methods."""

    def vectors(self, ids: Tensor) -> Tensor | None:
        """What is added to the word vectors at positions ids [T] -> [T,D]."""
        return None

    def rotation(self, ids: Tensor) -> Tensor | None:
        """What turns the queries and keys of self-attention at positions ids [T]: complex numbers [T,E/2] of length one."""
        return None


class LearnedPositions(Positions):
    """A dense vector per position, learned like a word's (Gehring 2017; the introduction's choice)."""

    def __init__(self, max_length: int, d_model: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.empty(max_length, d_model).normal_(std=d_model**-0.5))

    def vectors(self, ids: Tensor) -> Tensor:
        return self.table[ids]


class SinusoidalPositions(Positions):
    """Sines and cosines of geometrically growing wavelengths, interleaved or in two halves (Vaswani 2017, 3.5)."""

    table: Tensor

    def __init__(self, max_length: int, d_model: int, *, interleaved: bool) -> None:
        super().__init__()
        angles = _angles(torch.arange(max_length, dtype=torch.float64), d_model)  # [T,D/2]
        waves = [angles.sin().float(), angles.cos().float()]
        table = torch.stack(waves, -1).flatten(1) if interleaved else torch.cat(waves, -1)  # [T,D]
        self.register_buffer("table", table, persistent=False)

    def vectors(self, ids: Tensor) -> Tensor:
        return self.table[ids]


class RotaryPositions(Positions):
    """Nothing is added; queries and keys are turned by an angle that grows with the position (Su 2021)."""

    def __init__(self, head_size: int) -> None:
        super().__init__()
        self.head_size = head_size

    def rotation(self, ids: Tensor) -> Tensor:
        angles = _angles(ids, self.head_size)  # [T,E/2]
        return torch.polar(torch.ones_like(angles), angles)


def _angles(ids: Tensor, size: int) -> Tensor:
    """Position times frequency [T,size/2], frequencies 1 ... 1/10000 in geometric steps."""
    exponents = torch.arange(0, size, 2, dtype=ids.dtype, device=ids.device) / size
    return ids[:, None] * torch.exp(-math.log(10000.0) * exponents)


def build_positions(kind: PositionKind, max_length: int, d_model: int, head_size: int) -> Positions:
    """The positions that a configuration names."""
    match kind:
        case "learned":
            return LearnedPositions(max_length, d_model)
        case "sinusoidal" | "sinusoidal-halves":
            return SinusoidalPositions(max_length, d_model, interleaved=kind == "sinusoidal")
        case "rotary":
            return RotaryPositions(head_size)
        case "none":
            return Positions()


class Embedding(nn.Module):
    """Word vector times sqrt(D), plus position vector, then dropout.

    In training some words may be left out whole, their positions kept: see `drop_words`.
    """

    def __init__(
        self, side: Side, words: nn.Embedding, positions: Positions, max_length: int, dropout: float
    ) -> None:
        super().__init__()
        self.side = side
        self.words = words
        self.positions = positions
        self.max_length = max_length
        self.dropout = Dropout(dropout)
        self.word_dropout = Dropout(0.0)

    def forward(
        self, tokens: Tensor, *, first: int = 0, probe: Probe | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Vectors [B,T,D] of tokens [B,T] that stand at positions first, first+1, ..., and their rotation if any.

        Raises LengthError past the last position.
        """
        last = first + tokens.shape[1]
        if last > self.max_length:
            raise LengthError(
                f"a {self.side} of {last} tokens is longer than the network's {self.max_length} positions",
                f"split the text, or train with a larger max_{self.side}_length",
            )
        present = torch.arange(first, last, device=tokens.device)  # [T]
        ids = present if probe is None else probe.positions(self.side, present)
        vectors = self.words(tokens) * math.sqrt(self.words.embedding_dim)  # [B,T,D]
        if self.training and self.word_dropout.p:
            kept = self.word_dropout(vectors.new_ones(*tokens.shape, 1))  # [B,T,1]
            kept[:, 0] = 1  # the start, or what asks for a language
            vectors = vectors * kept
        if ids is None:
            return self.dropout(vectors), None
        added = self.positions.vectors(ids)  # [T,D]
        if added is not None:
            vectors = vectors + added  # [B,T,D]
        return self.dropout(vectors), self.positions.rotation(ids)


def drop_words(model: nn.Module, p: float) -> None:
    """In training, set the vector of each word read, but a sentence's first, to zero with probability p (Sennrich 2016)."""
    for part in model.modules():
        if isinstance(part, Embedding):
            part.word_dropout.p = p


class OutputProjection(nn.Module):
    """From decoder states back to words: one score for each word of the target vocabulary."""

    def __init__(self, weight: Tensor, *, bias: bool) -> None:
        super().__init__()
        self.weight = weight  # [V,D], often the target embedding itself
        self.bias = nn.Parameter(torch.zeros(weight.shape[0])) if bias else None

    def forward(self, states: Tensor) -> Tensor:
        """Logits [...,V] of states [...,D]."""
        return linear(states, self.weight, self.bias)


def tables(config: ModelConfig, vocabulary: Vocabulary) -> tuple[nn.Embedding, nn.Embedding, Tensor]:
    """Source words, target words and output weight [V,D], shared as the configuration says.

    Raises ConfigError for two vocabularies of different sizes that are to share one table.
    """
    if config.tie == "all" and vocabulary.source_size != vocabulary.target_size:
        raise ConfigError(
            f"model.tie = 'all' needs one vocabulary, not {vocabulary.source_size} source and "
            f"{vocabulary.target_size} target pieces",
            "set data.joint = true or model.tie = 'output'",
        )
    source = nn.Embedding(vocabulary.source_size, config.d_model)
    target = source if config.tie == "all" else nn.Embedding(vocabulary.target_size, config.d_model)
    return source, target, nn.Parameter(target.weight.clone()) if config.tie == "none" else target.weight


def draw(model: nn.Module, *weights: Tensor) -> None:
    """Xavier for projections (Glorot 2010); word vectors so that sqrt(D) times them has unit variance."""
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    for weight in dict.fromkeys(weights):  # a tied table is drawn once
        nn.init.normal_(weight, std=weight.shape[1] ** -0.5)
