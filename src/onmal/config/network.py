"""`[model]`: which network translates, how large it is, and what it is made of."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from onmal.settings import Settings

__all__ = ["OPTIONS", "SIZES", "ModelConfig", "Network", "PositionKind", "Size", "Vocabulary"]

Size = Literal["tiny", "small", "base", "big"]
PositionKind = Literal["learned", "sinusoidal", "sinusoidal-halves", "rotary", "none"]
Activation = Literal["relu", "gelu", "swish", "swiglu"]
Network = Literal["transformer", "gru", "gru-attention", "convolution"]

_POSITIONS = {"source_positions", "target_positions"}
_RECURRENT = {"hidden_size", "bidirectional"}
OPTIONS: dict[Network, set[str]] = {
    "transformer": {
        *_POSITIONS, "num_heads", "feed_forward", "norm", "norm_order", "activation", "attention_dropout",
        "feed_forward_dropout",
    },
    "gru": _RECURRENT,
    "gru-attention": {*_RECURRENT, "attention", "input_feeding"},
    "convolution": {*_POSITIONS, "hidden_size", "kernel_size"},
}  # fmt: skip
"""What each network has of the settings that not all of them have; a network refuses those of the others."""


class Vocabulary(Settings):
    """What a network must know of its tokenizers: sizes and special ids, no strings."""

    source_size: int = Field(gt=0)
    target_size: int = Field(gt=0)
    pad: int = 0
    """Fills rows up to the longest; the source mask is `source != pad`."""
    start: int = 1
    """First token fed to the decoder; may be the pad id (Marian)."""
    end: int = 2
    """Ends every source and target sentence."""


class ModelConfig(Settings):
    """The network. Sizes are in units of vector components, tokens or layers."""

    network: Network = "transformer"
    """Which network translates."""
    d_model: int = Field(default=256, gt=0)
    """Width of every word vector, and of the states that words are chosen by."""
    num_heads: int = Field(default=4, gt=0)
    """Attention heads; d_model is split evenly among them."""
    feed_forward: int = Field(default=1024, gt=0)
    """Width of the hidden layer of each feed-forward network."""
    encoder_layers: int = Field(default=4, ge=1, le=1000)
    """Layers of the encoder."""
    decoder_layers: int = Field(default=4, ge=1, le=1000)
    """Layers of the decoder."""
    source_positions: PositionKind = "learned"
    """How the encoder is told the order of words."""
    target_positions: PositionKind = "learned"
    """How the decoder is told the order of words."""
    max_source_length: int = Field(default=256, gt=1)
    """Longest source sentence in tokens, its end token included: the size of the position table."""
    max_target_length: int = Field(default=256, gt=1)
    """Longest target sentence in tokens, its end token included: the size of the position table."""
    norm: Literal["layer", "rms"] = "layer"
    """Normalisation: LayerNorm (Ba 2016) or RMSNorm (Zhang 2019)."""
    norm_order: Literal["pre", "post"] = "pre"
    """Normalise before each sublayer (pre) or after the residual sum (post, as in Vaswani 2017)."""
    activation: Activation = "relu"
    """Non-linearity of the feed-forward networks; swiglu has a gate beside it (Shazeer 2020)."""
    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Dropout on embeddings and on what each sublayer adds to its residual."""
    attention_dropout: float = Field(default=0.0, ge=0, lt=1)
    """Dropout on attention weights."""
    feed_forward_dropout: float = Field(default=0.0, ge=0, lt=1)
    """Dropout on the hidden layer of the feed-forward networks."""
    tie: Literal["all", "output", "none"] = "all"
    """Shared tables: source + target embedding + output projection, only the latter two, or none."""
    output_bias: bool = False
    """Add a learned bias to the logits."""
    hidden_size: int = Field(default=0, ge=0)
    """Width inside a GRU (of each direction) or a convolutional network; 0 takes d_model."""
    bidirectional: bool = True
    """Whether a GRU reads the source from both ends."""
    attention: Literal["additive", "dot"] = "additive"
    """How gru-attention compares: by a small network (Bahdanau 2015), or by a scaled product (Luong 2015)."""
    input_feeding: bool = False
    """Whether gru-attention reads with each word what it made of the word before (Luong 2015)."""
    kernel_size: int = Field(default=3, ge=1)
    """Words that a convolution sees at once; odd."""

    @model_validator(mode="after")
    def _only_options_of_the_network(self) -> Self:
        for option in ModelConfig.model_fields:
            if option in self.model_fields_set and not self.knows(option):
                owners = " or ".join(network for network, options in OPTIONS.items() if option in options)
                raise ValueError(
                    f"{option} is no option of network = {self.network!r}; leave it away, or take {owners}"
                )
        return self

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        if self.knows("num_heads") and self.d_model % self.num_heads:
            raise ValueError(
                f"d_model = {self.d_model} cannot be split evenly into num_heads = {self.num_heads}; "
                "make d_model a multiple of num_heads"
            )
        if self.d_model % 2:
            raise ValueError(f"d_model = {self.d_model} is odd; make it even")
        rotary = "rotary" in (self.source_positions, self.target_positions)
        if rotary and not self.knows("num_heads"):
            raise ValueError(
                f"rotary positions turn queries and keys, which {self.network} does not have; choose others"
            )
        if rotary and (self.d_model // self.num_heads) % 2:
            raise ValueError("rotary positions turn pairs of components; make d_model / num_heads even")
        if self.kernel_size % 2 == 0:
            raise ValueError(f"kernel_size = {self.kernel_size} has no word in its middle; make it odd")
        return self

    @model_serializer(mode="wrap")
    def _own_options(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {option: value for option, value in dump(self).items() if self.knows(option)}

    @property
    def width(self) -> int:
        """Of what is inside a GRU or a convolutional network."""
        return self.hidden_size or self.d_model

    @property
    def compares_by_products(self) -> bool:
        """Whether attention's scores are products of queries and keys, divided by the root of their size."""
        return not (self.knows("attention") and self.attention == "additive")

    def knows(self, option: str) -> bool:
        """Whether a setting means anything to this network."""
        return option in OPTIONS[self.network] or not any(option in own for own in OPTIONS.values())


SIZES: dict[str, dict[str, Any]] = {
    "tiny": {"d_model": 128, "num_heads": 4, "feed_forward": 256, "encoder_layers": 4, "decoder_layers": 4},
    "small": {"d_model": 256, "num_heads": 4, "feed_forward": 1024, "encoder_layers": 4, "decoder_layers": 4},
    "base": {"d_model": 512, "num_heads": 8, "feed_forward": 2048, "encoder_layers": 6, "decoder_layers": 6},
    "big": {"d_model": 1024, "num_heads": 16, "feed_forward": 4096, "encoder_layers": 6, "decoder_layers": 6},
}
"""The one dial for newcomers; every field stays open beside it. A network takes of it what it knows."""
