"""Part 7 of the picture: the decoder. Each target word looks at the target words before it, then at the source.

`forward` runs all target positions at once, as in training; `step` runs one, with the earlier words' keys and values
remembered in the state. Both compute the same.
"""

from __future__ import annotations

from torch import Tensor, nn

from onmal.config import ModelConfig
from onmal.models.attention import KeyValueCache, MultiHeadAttention
from onmal.models.contract import DecoderState, Memory, Place, Probe
from onmal.models.sublayer import FeedForward, Residual, build_norm

__all__ = ["Decoder", "DecoderLayer"]


class DecoderLayer(nn.Module):
    """Masked multi-head self-attention, attention over the encoder's output, feed-forward."""

    def __init__(self, config: ModelConfig, layer: int) -> None:
        super().__init__()
        self.name = f"decoder.{layer}"
        self.self_place, self.cross_place = Place("decoder.self", layer), Place("decoder.cross", layer)
        self.self_attention = MultiHeadAttention(config.d_model, config.num_heads, config.attention_dropout)
        self.cross_attention = MultiHeadAttention(config.d_model, config.num_heads, config.attention_dropout)
        self.feed_forward = FeedForward(config)
        self.self_attention_residual = Residual(config)
        self.cross_attention_residual = Residual(config)
        self.feed_forward_residual = Residual(config)

    def forward(self, x: Tensor, memory: Memory, rotation: Tensor | None, probe: Probe | None) -> Tensor:
        """[B,T,D] -> [B,T,D], all target positions at once."""
        keys, values = self.cross_attention.keys_and_values(memory.states)  # [B,H,S,E]
        x = self.self_attention_residual(
            x, lambda y: self.self_attention(y, self.self_place, causal=True, rotation=rotation, probe=probe)
        )
        return self.look(x, keys, values, memory.mask, probe)

    def look(self, x: Tensor, keys: Tensor, values: Tensor, mask: Tensor, probe: Probe | None) -> Tensor:
        """Attention over the source's keys and values [B,H,S,E], mask [B,S], and feed-forward: [B,T,D] -> [B,T,D]."""
        where = mask[:, None, None, :]  # [B,1,1,S]
        x = self.cross_attention_residual(
            x,
            lambda y: self.cross_attention.across(y, keys, values, self.cross_place, mask=where, probe=probe),
        )
        return self.feed_forward_residual(x, self.feed_forward)

    def start(self, memory: Memory, sources: dict[str, Tensor]) -> None:
        """Put the memory's keys and values for this layer among the state's per-source tensors."""
        keys, values = self.cross_attention.keys_and_values(memory.states)  # [B,H,S,E]
        sources[f"{self.name}.cross_keys"], sources[f"{self.name}.cross_values"] = keys, values

    def step(self, x: Tensor, state: DecoderState, rotation: Tensor | None, probe: Probe | None) -> Tensor:
        """[R,1,D] -> [R,1,D], one target position; a source's K hypotheses share its keys and values."""
        keys, values = (state.sources[f"{self.name}.cross_{what}"] for what in ("keys", "values"))
        cache = KeyValueCache(state, self.name)
        x = self.self_attention_residual(
            x, lambda y: self.self_attention.step(y, cache, self.self_place, rotation=rotation, probe=probe)
        )
        beside = x.view(-1, state.beams, x.shape[-1])  # [R,1,D] -> [B,K,D]
        return self.look(beside, keys, values, state.source_mask, probe).view_as(x)


class Decoder(nn.Module):
    """A stack of layers; with pre-norm a last normalisation."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(DecoderLayer(config, layer) for layer in range(config.decoder_layers))
        self.norm = build_norm(config.norm, config.d_model) if config.norm_order == "pre" else nn.Identity()

    def forward(self, x: Tensor, memory: Memory, rotation: Tensor | None, probe: Probe | None) -> Tensor:
        """[B,T,D] -> [B,T,D]."""
        for layer in self.layers:
            x = layer(x, memory, rotation, probe)
        return self.norm(x)

    def start(self, memory: Memory, beams: int) -> DecoderState:
        """A state before the first word: cross keys and values projected once, caches empty."""
        sources: dict[str, Tensor] = {}
        for layer in self.layers:
            assert isinstance(layer, DecoderLayer)
            layer.start(memory, sources)
        return DecoderState(beams=beams, position=0, source_mask=memory.mask, sources=sources, rows={})

    def step(self, x: Tensor, state: DecoderState, rotation: Tensor | None, probe: Probe | None) -> Tensor:
        """[R,1,D] -> [R,D]; the state moves on by one position."""
        for layer in self.layers:
            assert isinstance(layer, DecoderLayer)
            x = layer.step(x, state, rotation, probe)
        state.position += 1
        return self.norm(x[:, 0])
