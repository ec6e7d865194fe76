"""The Transformer as a whole: its parts, what is tied, how it begins, and what a layer's pieces compute."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from onmal.config import ModelConfig, Vocabulary
from onmal.errors import ConfigError
from onmal.models import Transformer, build
from onmal.models.sublayer import FeedForward, Residual, build_norm

V, D, FF = 30, 16, 40
VOCABULARY = Vocabulary(source_size=V, target_size=V)
TIES = ("all", "output", "none")


def settings(**changes: Any) -> ModelConfig:
    sizes = {"d_model": D, "num_heads": 4, "feed_forward": FF, "encoder_layers": 2, "decoder_layers": 3}
    return ModelConfig(**{**sizes, "dropout": 0.0, **changes})


def transformer(vocabulary: Vocabulary = VOCABULARY, **changes: Any) -> Transformer:
    return Transformer(settings(**changes), vocabulary)


def count(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def test_the_configuration_names_the_network() -> None:
    assert isinstance(build(ModelConfig(d_model=D, num_heads=4), VOCABULARY), Transformer)


def test_the_parts_stand_in_the_order_in_which_data_flows() -> None:
    parts = [name for name, _ in transformer().named_children()]
    assert parts == ["source", "encoder", "target", "decoder", "output"]


def test_three_way_tying_is_one_tensor_with_one_name() -> None:
    model = transformer(tie="all")
    table = model.source.words.weight
    assert model.target.words.weight is table
    assert model.output.weight is table
    assert [name for name, parameter in model.named_parameters() if parameter is table] == [
        "source.words.weight"
    ]
    model(torch.tensor([[3, 2]]), torch.tensor([[1, 4]])).sum().backward()
    assert table.grad is not None
    assert table.grad.abs().sum(1).all()  # the projection touches every word, read or not


def test_output_tying_leaves_the_source_alone() -> None:
    model = transformer(tie="output")
    assert model.output.weight is model.target.words.weight
    assert model.source.words.weight is not model.target.words.weight


def test_each_untied_table_adds_its_size() -> None:
    sizes = [count(transformer(tie=tie)) for tie in TIES]
    assert [size - sizes[0] for size in sizes] == [0, V * D, 2 * V * D]


def test_the_number_of_parameters_is_the_papers() -> None:
    attention, feed_forward, norm = 4 * (D * D + D), 2 * D * FF + FF + D, 2 * D
    encoder = 2 * (attention + feed_forward + 2 * norm)
    decoder = 3 * (2 * attention + feed_forward + 3 * norm)
    post = transformer(norm_order="post", source_positions="none", target_positions="sinusoidal")
    assert count(post) == encoder + decoder + V * D
    pre = transformer(norm_order="pre", max_source_length=50, max_target_length=60, output_bias=True)
    assert count(pre) == count(post) + 2 * norm + 110 * D + V


@pytest.mark.parametrize("tie", ["output", "none"])
def test_two_vocabularies_may_differ_in_size(tie: str) -> None:
    model = transformer(Vocabulary(source_size=11, target_size=23), tie=tie)
    assert model(torch.full((1, 4), 10), torch.full((1, 5), 22)).shape == (1, 5, 23)


def test_three_way_tying_of_two_vocabularies_is_refused_with_a_remedy() -> None:
    with pytest.raises(ConfigError, match=r"11 source and 23 target.*tie = 'output'"):
        transformer(Vocabulary(source_size=11, target_size=23), tie="all")


@pytest.mark.parametrize("tie", TIES)
def test_the_seed_alone_decides_how_a_network_begins(tie: str) -> None:
    def begun(seed: int) -> dict[str, torch.Tensor]:
        torch.manual_seed(seed)
        return transformer(tie=tie).state_dict()

    first, again, other = begun(7), begun(7), begun(8)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["output.weight"], other["output.weight"])


@pytest.mark.parametrize("tie", TIES)
def test_word_vectors_begin_with_unit_variance_and_logits_near_it(tie: str) -> None:
    model = transformer(
        Vocabulary(source_size=500, target_size=500), tie=tie, d_model=64, output_bias=True
    ).eval()
    for table in (model.source.words.weight, model.target.words.weight, model.output.weight):
        assert (table * math.sqrt(64)).std().item() == pytest.approx(1, abs=0.05)
    assert not any(p.any() for name, p in model.named_parameters() if name.endswith("bias"))
    logits = model(torch.randint(3, 500, (4, 9)), torch.randint(3, 500, (4, 9)))
    assert logits.std().item() == pytest.approx(1, abs=0.3)


@pytest.mark.parametrize("field", ["dropout", "attention_dropout", "feed_forward_dropout"])
def test_each_dropout_acts_in_training_alone(field: str) -> None:
    model = transformer(**{field: 0.4})
    pair = torch.randint(3, V, (2, 6)), torch.randint(3, V, (2, 6))
    assert not torch.equal(model(*pair), model(*pair))
    model.eval()
    assert torch.equal(model(*pair), model(*pair))


def test_without_dropout_training_and_translating_compute_the_same() -> None:
    model = transformer()
    pair = torch.randint(3, V, (2, 6)), torch.randint(3, V, (2, 6))
    assert torch.equal(model(*pair), model.eval()(*pair))


def test_layers_are_counted_from_zero_by_their_places() -> None:
    model = transformer()
    assert [layer.place for layer in model.encoder.layers] == [("encoder.self", 0), ("encoder.self", 1)]
    assert [layer.cross_place for layer in model.decoder.layers] == [("decoder.cross", n) for n in range(3)]


def test_a_last_norm_closes_a_pre_norm_stack_alone() -> None:
    for order, kind in (("pre", nn.LayerNorm), ("post", nn.Identity)):
        model = transformer(norm_order=order)
        assert type(model.encoder.norm) is type(model.decoder.norm) is kind


def test_layer_norm_and_rms_norm_are_their_formulas() -> None:
    x = torch.randn(2, 3, D) * 5 + 1
    layer, rms = build_norm("layer", D), build_norm("rms", D)
    assert {name: p.shape for name, p in layer.named_parameters()} == {"weight": (D,), "bias": (D,)}
    assert {name: p.shape for name, p in rms.named_parameters()} == {"weight": (D,)}
    centred = x - x.mean(-1, keepdim=True)
    torch.testing.assert_close(layer(x), centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt())
    torch.testing.assert_close(rms(x), x / (x.square().mean(-1, keepdim=True) + 1e-6).sqrt())


@pytest.mark.parametrize("norm", ["layer", "rms"])
def test_every_norm_of_a_network_is_the_one_that_was_asked_for(norm: str) -> None:
    model = transformer(norm=norm)
    norms = [module for module in model.modules() if isinstance(module, nn.LayerNorm | nn.RMSNorm)]
    wanted = nn.LayerNorm if norm == "layer" else nn.RMSNorm
    assert len(norms) == 2 * 2 + 3 * 3 + 2
    assert all(type(module) is wanted for module in norms)


@pytest.mark.parametrize("activation", ["relu", "gelu", "swish", "swiglu"])
def test_feed_forward_networks_are_their_formulas(activation: str) -> None:
    network = FeedForward(settings(activation=activation))
    shapes = {name: tuple(p.shape) for name, p in network.named_parameters() if name.endswith("weight")}
    expected = {"expand.weight": (FF, D), "contract.weight": (D, FF)}
    assert shapes == (expected if activation != "swiglu" else {**expected, "gate.weight": (FF, D)})
    x = torch.randn(2, 3, D)
    hidden = x @ network.expand.weight.T + network.expand.bias
    if network.gate is not None:
        gate = x @ network.gate.weight.T + network.gate.bias
        hidden = gate * gate.sigmoid() * hidden  # Shazeer 2020: the gate is what Swish bends
    elif activation == "relu":
        hidden = hidden.clamp(min=0)
    elif activation == "swish":
        hidden = hidden * hidden.sigmoid()
    else:
        hidden = hidden * 0.5 * (1 + torch.erf(hidden / math.sqrt(2)))
    torch.testing.assert_close(network(x), hidden @ network.contract.weight.T + network.contract.bias)


def test_a_residual_normalises_before_or_after() -> None:
    norm, x = nn.LayerNorm(D), torch.randn(2, 3, D)
    sublayer = nn.Linear(D, D)
    before, after = (Residual(settings(norm_order=order)) for order in ("pre", "post"))
    torch.testing.assert_close(before(x, sublayer), x + sublayer(norm(x)))
    torch.testing.assert_close(after(x, sublayer), norm(x + sublayer(x)))


def test_a_residual_drops_only_what_the_sublayer_adds() -> None:
    added = Residual(settings(dropout=0.5))(torch.ones(2, 50, D), torch.ones_like) - 1
    assert set(added.unique().tolist()) == {0.0, 2.0}


def test_a_few_updates_teach_a_tiny_network_to_copy() -> None:
    model = transformer(d_model=32, feed_forward=64, encoder_layers=1, decoder_layers=1)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(200):
        words = torch.randint(3, 9, (32, 4))
        ends, starts = torch.full((32, 1), 2), torch.full((32, 1), 1)
        source, given = torch.cat((words, ends), 1), torch.cat((starts, words), 1)
        loss = F.cross_entropy(model(source, given).flatten(0, 1), source.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.3
