"""The same network built from torch.nn's own Transformer modules, with the same weights, gives the same logits.

Nothing of the reference comes from onmal: positions, scaling, masks and the order of norms are written here once more.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from onmal.config import ModelConfig, Vocabulary
from onmal.models import Probe, Transformer
from onmal.models.attention import MultiHeadAttention
from onmal.models.sublayer import FeedForward

V, D, H, FF = 23, 16, 4, 24


def network(vocabulary: Vocabulary | None = None, **changes: Any) -> tuple[Transformer, ModelConfig]:
    """A small Transformer none of whose weights is 0 or 1, so that each of them is seen to matter."""
    sizes = {"d_model": D, "num_heads": H, "feed_forward": FF, "encoder_layers": 2, "decoder_layers": 3}
    config = ModelConfig(
        **{**sizes, "dropout": 0.0, "max_source_length": 12, "max_target_length": 10, **changes}
    )
    model = Transformer(config, vocabulary or Vocabulary(source_size=V, target_size=V))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return model, config


def swiglu(both: Tensor) -> Tensor:
    gate, hidden = both.chunk(2, -1)
    return F.silu(gate) * hidden


class Reference(nn.Module):
    """Vaswani's network from nn.TransformerEncoder and nn.TransformerDecoder, filled with another network's weights."""

    def __init__(self, model: Transformer, config: ModelConfig) -> None:
        super().__init__()
        activation: str | Callable[[Tensor], Tensor] = config.activation
        if activation == "swiglu":
            activation = swiglu
        options: dict[str, Any] = {
            "d_model": config.d_model,
            "nhead": config.num_heads,
            "dim_feedforward": config.feed_forward,
            "dropout": 0.0,
            "activation": activation,
            "batch_first": True,
            "norm_first": config.norm_order == "pre",
        }

        def norm() -> nn.Module:
            return nn.LayerNorm(D) if config.norm == "layer" else nn.RMSNorm(D, eps=1e-6)

        def last() -> nn.Module | None:
            return norm() if config.norm_order == "pre" else None

        self.model, self.config = model, config
        self.encoder = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(**options), config.encoder_layers, last(), enable_nested_tensor=False
        )
        self.decoder = nn.TransformerDecoder(
            nn.TransformerDecoderLayer(**options), config.decoder_layers, last()
        )
        for layer in (*self.encoder.layers, *self.decoder.layers):
            for name in ("norm1", "norm2", "norm3"):
                if hasattr(layer, name):
                    setattr(layer, name, norm())
            if config.activation == "swiglu":
                layer.linear1 = nn.Linear(D, 2 * FF)
        with torch.no_grad():
            self.fill()

    def fill(self) -> None:
        for ours, theirs in zip(self.model.encoder.layers, self.encoder.layers, strict=True):
            copy_attention(ours.self_attention, theirs.self_attn)
            copy_feed_forward(ours.feed_forward, theirs)
            theirs.norm1.load_state_dict(ours.self_attention_residual.norm.state_dict())
            theirs.norm2.load_state_dict(ours.feed_forward_residual.norm.state_dict())
        for ours, theirs in zip(self.model.decoder.layers, self.decoder.layers, strict=True):
            copy_attention(ours.self_attention, theirs.self_attn)
            copy_attention(ours.cross_attention, theirs.multihead_attn)
            copy_feed_forward(ours.feed_forward, theirs)
            theirs.norm1.load_state_dict(ours.self_attention_residual.norm.state_dict())
            theirs.norm2.load_state_dict(ours.cross_attention_residual.norm.state_dict())
            theirs.norm3.load_state_dict(ours.feed_forward_residual.norm.state_dict())
        if self.config.norm_order == "pre":
            self.encoder.norm.load_state_dict(self.model.encoder.norm.state_dict())
            self.decoder.norm.load_state_dict(self.model.decoder.norm.state_dict())

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        padding = source == self.model.vocabulary.pad  # torch.nn: True is hidden
        future = torch.ones(target.shape[1], target.shape[1]).triu(1).bool()
        # Called as in training, so that torch's own fused encoder layer stays out of it.
        memory = self.encoder(self.embed(source, "source"), src_key_padding_mask=padding)
        states = self.decoder(
            self.embed(target, "target"), memory, tgt_mask=future, memory_key_padding_mask=padding
        )
        return F.linear(states, self.model.output.weight, self.model.output.bias)

    def embed(self, tokens: Tensor, side: str) -> Tensor:
        part = getattr(self.model, side)
        vectors = part.words.weight[tokens] * math.sqrt(D)
        kind = getattr(self.config, f"{side}_positions")
        if kind == "learned":
            return vectors + part.positions.table[: tokens.shape[1]]
        if kind == "none":
            return vectors
        table = torch.empty(tokens.shape[1], D)
        for t, i in itertools.product(range(tokens.shape[1]), range(D // 2)):
            angle = t / 10000 ** (2 * i / D)
            first, second = (2 * i, 2 * i + 1) if kind == "sinusoidal" else (i, D // 2 + i)
            table[t, first], table[t, second] = math.sin(angle), math.cos(angle)
        return vectors + table


def copy_attention(ours: MultiHeadAttention, theirs: nn.MultiheadAttention) -> None:
    parts = (ours.query, ours.key, ours.value)
    theirs.in_proj_weight.copy_(torch.cat([part.weight for part in parts]))
    theirs.in_proj_bias.copy_(torch.cat([part.bias for part in parts]))
    theirs.out_proj.load_state_dict(ours.output.state_dict())


def copy_feed_forward(ours: FeedForward, theirs: nn.Module) -> None:
    first = [ours.expand] if ours.gate is None else [ours.gate, ours.expand]
    theirs.linear1.weight.copy_(torch.cat([part.weight for part in first]))
    theirs.linear1.bias.copy_(torch.cat([part.bias for part in first]))
    theirs.linear2.load_state_dict(ours.contract.state_dict())


def pairs(padding: bool, longest: tuple[int, int] = (9, 7)) -> tuple[Tensor, Tensor]:
    """Four sources and targets of random words; with padding, of lengths from one word up."""
    sides = []
    for length in longest:
        words = torch.randint(3, V, (4, length))
        if padding:
            for row, words_left in enumerate((length, 1, length - 3, 2)):
                words[row, words_left:] = 0
        sides.append(words)
    sides[1][:, 0] = 1
    return sides[0], sides[1]


def assert_same(model: Transformer, config: ModelConfig, source: Tensor, target: Tensor) -> None:
    reference = Reference(model, config)
    expected = reference(source, target)
    assert expected.std() > 0.3  # logits that say something
    for probe in (None, Probe()):  # fused and explicit
        logits = model.project(model.hidden(source, target, probe=probe))
        assert (logits - expected).abs().max() <= 1e-5


@pytest.mark.parametrize("padding", [False, True], ids=["full", "padded"])
@pytest.mark.parametrize("activation", ["relu", "gelu", "swiglu"])
@pytest.mark.parametrize("norm_order", ["pre", "post"])
@pytest.mark.parametrize("norm", ["layer", "rms"])
def test_logits_are_those_of_torchs_modules(
    norm: str, norm_order: str, activation: str, padding: bool
) -> None:
    model, config = network(norm=norm, norm_order=norm_order, activation=activation)
    assert_same(model, config, *pairs(padding))


@pytest.mark.parametrize("norm_order", ["pre", "post"])
@pytest.mark.parametrize("source_positions", ["learned", "sinusoidal", "sinusoidal-halves", "none"])
@pytest.mark.parametrize("target_positions", ["learned", "sinusoidal", "sinusoidal-halves", "none"])
def test_with_each_kind_of_positions_that_torch_can_add(
    source_positions: str, target_positions: str, norm_order: str
) -> None:
    model, config = network(
        source_positions=source_positions, target_positions=target_positions, norm_order=norm_order
    )
    assert_same(model, config, *pairs(padding=True))


@pytest.mark.parametrize("tie", ["all", "output", "none"])
@pytest.mark.parametrize("output_bias", [False, True])
def test_with_each_way_of_tying(tie: str, output_bias: bool) -> None:
    assert_same(*network(tie=tie, output_bias=output_bias), *pairs(padding=True))


@pytest.mark.parametrize("num_heads", [1, 2, 16])
def test_with_each_number_of_heads(num_heads: int) -> None:
    assert_same(*network(num_heads=num_heads), *pairs(padding=True))


def test_with_the_pad_id_as_start_token() -> None:
    model, config = network(Vocabulary(source_size=V, target_size=V, pad=0, start=0))
    source, target = pairs(padding=True)
    target[:, 0] = 0
    assert_same(model, config, source, target)


def test_to_the_ends_of_both_position_tables() -> None:
    assert_same(*network(), *pairs(padding=True, longest=(12, 10)))


@pytest.mark.parametrize("norm_order", ["pre", "post"])
def test_gradients_are_those_of_torchs_modules(norm_order: str) -> None:
    model, config = network(norm_order=norm_order, tie="none", activation="gelu")
    reference = Reference(model, config)
    source, target = pairs(padding=True)
    wanted = torch.randint(3, V, target.shape)
    tables = [model.source.words.weight, model.target.words.weight, model.output.weight]
    ours = [
        part.weight
        for attention in (model.encoder.layers[0].self_attention, model.decoder.layers[0].cross_attention)
        for part in (attention.query, attention.key, attention.value)
    ]
    theirs = [
        reference.encoder.layers[0].self_attn.in_proj_weight,  # query, key and value in one
        reference.decoder.layers[0].multihead_attn.in_proj_weight,
    ]

    def gradients(logits: Tensor, weights: list[Tensor]) -> Tensor:
        loss = F.cross_entropy(logits.flatten(0, 1), wanted.flatten())
        return torch.cat([part.flatten() for part in torch.autograd.grad(loss, weights)])

    of_ours = gradients(model(source, target), tables + ours)
    of_theirs = gradients(reference(source, target), tables + theirs)
    assert (of_ours - of_theirs).abs().max() <= 1e-5
    assert of_ours.abs().max() > 1e-3
