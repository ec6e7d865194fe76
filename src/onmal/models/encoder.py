"""Part 3 of the picture: the encoder. Every source word looks at every other, layer after layer."""

from __future__ import annotations

from torch import Tensor, nn

from onmal.config import ModelConfig
from onmal.models.attention import MultiHeadAttention
from onmal.models.contract import Place, Probe
from onmal.models.sublayer import FeedForward, Residual, build_norm

__all__ = ["Encoder", "EncoderLayer"]


class EncoderLayer(nn.Module):
    """Multi-head self-attention, then a feed-forward network, each with its residual."""

    def __init__(self, config: ModelConfig, place: Place) -> None:
        super().__init__()
        self.place = place
        self.self_attention = MultiHeadAttention(config.d_model, config.num_heads, config.attention_dropout)
        self.feed_forward = FeedForward(config)
        self.self_attention_residual = Residual(config)
        self.feed_forward_residual = Residual(config)

    def forward(self, x: Tensor, mask: Tensor, rotation: Tensor | None, probe: Probe | None) -> Tensor:
        """[B,S,D] -> [B,S,D]; mask [B,1,1,S] is True where there is a word."""
        x = self.self_attention_residual(
            x, lambda y: self.self_attention(y, self.place, mask=mask, rotation=rotation, probe=probe)
        )
        return self.feed_forward_residual(x, self.feed_forward)


class Encoder(nn.Module):
    """A stack of layers; with pre-norm a last normalisation, since nothing else bounds the residual sum."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            EncoderLayer(config, Place("encoder.self", layer)) for layer in range(config.encoder_layers)
        )
        self.norm = build_norm(config.norm, config.d_model) if config.norm_order == "pre" else nn.Identity()

    def forward(self, x: Tensor, mask: Tensor, rotation: Tensor | None, probe: Probe | None) -> Tensor:
        """[B,S,D] -> [B,S,D]; mask [B,S] is True where there is a word."""
        for layer in self.layers:
            x = layer(x, mask[:, None, None, :], rotation, probe)
        return self.norm(x)
