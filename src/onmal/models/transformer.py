"""The Transformer (Vaswani 2017): the seven parts of the picture, in the order in which data flows."""

from __future__ import annotations

from torch import Tensor

from onmal.config import ModelConfig, Vocabulary
from onmal.models.contract import DecoderState, Memory, Probe, Seq2Seq
from onmal.models.decoder import Decoder
from onmal.models.embedding import Embedding, OutputProjection, build_positions, draw, tables
from onmal.models.encoder import Encoder

__all__ = ["Transformer"]


class Transformer(Seq2Seq):
    """Attention alone: an encoder of self-attention, a hand-over, a decoder of masked self- and cross-attention."""

    def __init__(self, config: ModelConfig, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        self.longest_source, self.longest_target = config.max_source_length, config.max_target_length
        d_model, head_size = config.d_model, config.d_model // config.num_heads

        source_words, target_words, output_weight = tables(config, vocabulary)
        source_positions = build_positions(config.source_positions, self.longest_source, d_model, head_size)
        target_positions = build_positions(config.target_positions, self.longest_target, d_model, head_size)

        # (1) source words + (2) source positions
        self.source = Embedding("source", source_words, source_positions, self.longest_source, config.dropout)
        # (3) encoder, whose output is (4) the hand-over
        self.encoder = Encoder(config)
        # (5) target words + (6) target positions
        self.target = Embedding("target", target_words, target_positions, self.longest_target, config.dropout)
        # (7) decoder, and from its states the next target word
        self.decoder = Decoder(config)
        self.output = OutputProjection(output_weight, bias=config.output_bias)
        draw(self, source_words.weight, target_words.weight, output_weight)

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
