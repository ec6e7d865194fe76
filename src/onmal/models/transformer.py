"""The Transformer (Vaswani 2017): the seven parts of the picture, in the order in which data flows."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from onmal.config import ModelConfig, Vocabulary
from onmal.errors import ConfigError
from onmal.models.contract import DecoderState, Memory, Probe, Seq2Seq
from onmal.models.decoder import Decoder
from onmal.models.embedding import Embedding, OutputProjection, build_positions
from onmal.models.encoder import Encoder

__all__ = ["Transformer"]


class Transformer(Seq2Seq):
    """Attention alone: an encoder of self-attention, a hand-over, a decoder of masked self- and cross-attention."""

    def __init__(self, config: ModelConfig, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        self.longest_source, self.longest_target = config.max_source_length, config.max_target_length
        d_model, head_size = config.d_model, config.d_model // config.num_heads

        source_words = nn.Embedding(vocabulary.source_size, d_model)
        target_words = source_words
        if config.tie != "all":
            target_words = nn.Embedding(vocabulary.target_size, d_model)
        elif vocabulary.source_size != vocabulary.target_size:
            raise ConfigError(
                f"model.tie = 'all' needs one vocabulary, not {vocabulary.source_size} source and "
                f"{vocabulary.target_size} target pieces",
                "set data.joint = true or model.tie = 'output'",
            )
        source_positions = build_positions(config.source_positions, self.longest_source, d_model, head_size)
        target_positions = build_positions(config.target_positions, self.longest_target, d_model, head_size)
        output_weight = target_words.weight
        if config.tie == "none":
            output_weight = nn.Parameter(torch.empty(vocabulary.target_size, d_model))

        # (1) source words + (2) source positions
        self.source = Embedding("source", source_words, source_positions, self.longest_source, config.dropout)
        # (3) encoder, whose output is (4) the hand-over
        self.encoder = Encoder(config)
        # (5) target words + (6) target positions
        self.target = Embedding("target", target_words, target_positions, self.longest_target, config.dropout)
        # (7) decoder, and from its states the next target word
        self.decoder = Decoder(config)
        self.output = OutputProjection(output_weight, bias=config.output_bias)
        self._initialise(d_model)

    def encode(self, source: Tensor, *, probe: Probe | None = None) -> Memory:
        mask = source != self.vocabulary.pad  # [B,S]
        x, rotation = self.source(source, probe=probe)  # [B,S,D]
        return Memory(self.encoder(x, mask, rotation, probe), mask)

    def decode(self, memory: Memory, target: Tensor, *, probe: Probe | None = None) -> Tensor:
        """States [B,T,D] of all target positions, given the memory."""
        x, rotation = self.target(target, probe=probe)  # [B,T,D]
        return self.decoder(x, memory, rotation, probe)

    def hidden(self, source: Tensor, target: Tensor, *, probe: Probe | None = None) -> Tensor:
        return self.decode(self.encode(source, probe=probe), target, probe=probe)

    def start(self, memory: Memory, *, beams: int = 1) -> DecoderState:
        return self.decoder.start(memory, beams)

    def step(
        self, token: Tensor, state: DecoderState, *, probe: Probe | None = None
    ) -> tuple[Tensor, DecoderState]:
        x, rotation = self.target(token[:, None], first=state.position, probe=probe)  # [R,1,D]
        return self.decoder.step(x, state, rotation, probe), state

    def _initialise(self, d_model: int) -> None:
        """Xavier for projections (Glorot 2010); word vectors so that sqrt(D) times them has unit variance."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
        tables = (self.source.words.weight, self.target.words.weight, self.output.weight)
        for weight in dict.fromkeys(tables):  # a tied table is drawn once
            nn.init.normal_(weight, std=d_model**-0.5)
