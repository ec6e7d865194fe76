"""Convolutions over words (Gehring 2017): each layer sees a few neighbours, and a stack of them sees further.

    source words + positions -> ENCODER: L layers, each word from k words around it  -> what attention compares, and takes
    target words + positions -> DECODER: L layers, each word from itself and the k-1 before it,
                                         and in every layer a look at the source     -> next target word

All positions run at once, as in the Transformer; but a word has to go through L layers to be seen L(k-1)/2 places away. Each
layer is a window, a gate that lets half of it pass (GLU), and its residual. Unlike the paper, weights are not normalised and
scores are scaled as the Transformer's are.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from onmal.config import ModelConfig, Vocabulary
from onmal.models.attention import explicit_attention, fused_attention
from onmal.models.contract import DecoderState, Memory, Place, Probe, Seq2Seq
from onmal.models.embedding import Embedding, OutputProjection, build_positions, draw, tables
from onmal.models.sublayer import Dropout
from onmal.products import Linear

__all__ = ["Convolution"]

HALF = math.sqrt(0.5)
"""Keeps the variance of a sum of two (Gehring 2017, 3.4)."""


class Convolution(Seq2Seq):
    """Gated convolutions on both sides, with attention in every layer of the decoder."""

    def __init__(self, config: ModelConfig, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        self.longest_source, self.longest_target = config.max_source_length, config.max_target_length
        source_words, target_words, output_weight = tables(config, vocabulary)
        d_model = config.d_model
        source_positions = build_positions(config.source_positions, self.longest_source, d_model, d_model)
        target_positions = build_positions(config.target_positions, self.longest_target, d_model, d_model)
        self.source = Embedding("source", source_words, source_positions, self.longest_source, config.dropout)
        self.encoder = ConvolutionEncoder(config)
        self.target = Embedding("target", target_words, target_positions, self.longest_target, config.dropout)
        self.decoder = ConvolutionDecoder(config)
        self.output = OutputProjection(output_weight, bias=config.output_bias)
        draw(self, source_words.weight, target_words.weight, output_weight)
        for module in self.modules():
            if isinstance(module, Window):
                module.draw()

    def encode(self, source: Tensor, *, probe: Probe | None = None) -> Memory:
        mask = source != self.vocabulary.pad  # [B,S]
        words, _ = self.source(source, probe=probe)  # [B,S,D]
        return Memory(self.encoder(words, mask), mask)

    def hidden(self, source: Tensor, target: Tensor, *, probe: Probe | None = None) -> Tensor:
        memory = self.encode(source, probe=probe)
        words, _ = self.target(target, probe=probe)  # [B,T,D]
        return self.decoder(words, self.start(memory), probe)

    def start(self, memory: Memory, *, beams: int = 1) -> DecoderState:
        return self.decoder.start(memory, beams)

    def step(
        self, token: Tensor, state: DecoderState, *, probe: Probe | None = None
    ) -> tuple[Tensor, DecoderState]:
        word, _ = self.target(token[:, None], first=state.position, probe=probe)  # [R,1,D]
        states = self.decoder(word, state, probe)
        state.position += 1
        return states[:, 0], state


class Window(nn.Module):
    """What one layer adds to each word: the k words of its window, through a gate."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.size = config.kernel_size
        self.dropout = Dropout(config.dropout)
        self.product = Linear(self.size * config.width, 2 * config.width)

    def draw(self) -> None:
        """Weights whose gated output has about the variance of what came in (Gehring 2017, 3.5)."""
        kept = 1 - self.dropout.p
        nn.init.normal_(self.product.weight, std=math.sqrt(4 * kept / self.product.in_features))

    def forward(self, x: Tensor) -> Tensor:
        """What windows of k words of x [B,T+k-1,G] make of T words: [B,T,G], without the residual."""
        count = x.shape[1] - self.size + 1
        x = self.dropout(x)
        windows = torch.cat([x[:, at : at + count] for at in range(self.size)], 2)  # [B,T,kG]
        return F.glu(self.product(windows), 2)


class ConvolutionEncoder(nn.Module):
    """L windows over the source, each centred on its word; outside the sentence, and where there is no word, are zeros."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.expand = Linear(config.d_model, config.width)
        self.layers = nn.ModuleList(Window(config) for _ in range(config.encoder_layers))
        self.contract = Linear(config.width, config.d_model)

    def forward(self, words: Tensor, mask: Tensor) -> Tensor:
        """Words [B,S,D], mask [B,S] -> [B,S,2D]: what attention compares, and what it takes (Gehring 2017, 3.3)."""
        real = mask[:, :, None]
        x = self.expand(words).to(words.dtype)  # [B,S,G]; sums keep the precision of words
        for layer in self.layers:
            assert isinstance(layer, Window)
            x = x * real
            half = layer.size // 2
            x = (layer(F.pad(x, (0, 0, half, half))) + x) * HALF
        keys = self.contract(x)  # [B,S,D]
        return torch.cat((keys, (keys + words) * HALF), 2) * real


class ConvolutionDecoder(nn.Module):
    """L windows over the target that end at their word, and after each a look at the source."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.width, layers = config.width, range(config.decoder_layers)
        self.places = [Place("decoder.cross", layer) for layer in layers]
        self.expand = Linear(config.d_model, config.width)
        self.layers = nn.ModuleList(Window(config) for _ in layers)
        self.looks = nn.ModuleList(Look(config) for _ in layers)
        self.contract = Linear(config.width, config.d_model)
        self.dropout = Dropout(config.dropout)

    def start(self, memory: Memory, beams: int) -> DecoderState:
        """What attention compares and takes, shared by all layers; before the first word, windows hold zeros."""
        keys, values = memory.states[:, None].chunk(2, 3)  # [B,1,S,D]
        nothing = memory.states.new_zeros
        rows = {
            f"window.{number}": nothing(len(keys) * beams, layer.size - 1, self.width)  # [R,k-1,G]
            for number, layer in enumerate(self.layers)
            if isinstance(layer, Window)
        }
        return DecoderState(beams, 0, memory.mask, {"keys": keys, "values": values}, rows)

    def forward(self, words: Tensor, state: DecoderState, probe: Probe | None) -> Tensor:
        """States [R,T,D] of the next words [R,T,D]; the state keeps the last k-1 words that each layer has seen."""
        x = self.expand(words).to(words.dtype)  # [R,T,G]
        for number, (layer, look) in enumerate(zip(self.layers, self.looks, strict=True)):
            assert isinstance(layer, Window)
            seen = torch.cat((state.rows[f"window.{number}"], x), 1)  # [R,k-1+T,G]
            state.rows[f"window.{number}"] = seen[:, seen.shape[1] - layer.size + 1 :].clone()
            made = layer(seen)
            x = (look(made, words, state, self.places[number], probe) + x) * HALF
        return self.dropout(self.contract(x))


class Look(nn.Module):
    """Attention of one layer: a word's state and its vector ask; what comes back is added to the state."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.query = Linear(config.width, config.d_model)
        self.output = Linear(config.d_model, config.width)

    def forward(
        self, made: Tensor, words: Tensor, state: DecoderState, place: Place, probe: Probe | None
    ) -> Tensor:
        """made [R,T,G], words [R,T,D] -> [R,T,G]."""
        keys, values, mask = state.sources["keys"], state.sources["values"], state.source_mask[:, None, None]
        query = (self.query(made) + words) * HALF  # [R,T,D]
        query = query.reshape(len(keys), 1, -1, query.shape[2])  # [B,1,T,D], or [B,1,K,D]
        if probe is None:
            mixed = fused_attention(query, keys, values, mask, causal=False, dropout=0.0)
        else:
            mixed = explicit_attention(query, keys, values, mask, probe=probe, place=place)
        # A mean of m words has 1/m of their variance, if it takes them alike (Gehring 2017, 3.4).
        words_read = state.source_mask.sum(1).clamp(min=1).sqrt()  # [B]
        mixed = (mixed.squeeze(1) * words_read[:, None, None]).to(made.dtype)
        return (self.output(mixed.reshape(*made.shape[:2], -1)) + made) * HALF
