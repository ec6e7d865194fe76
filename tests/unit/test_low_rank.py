"""LoRA: a network begins as what it was, changes by matrices of low rank alone, and ends as an ordinary one."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

import pytest
import torch
from random_model import random_model, tokenizer
from torch import Tensor, nn

from onmal.config import TrainConfig
from onmal.errors import ConfigError
from onmal.low_rank import LowRankLinear, add_low_rank, merge_low_rank
from onmal.models import Seq2Seq
from onmal.products import Linear
from onmal.saved_model import SavedModel
from onmal.training.loss import TranslationLoss
from onmal.training.optimizer import build_optimizer

RANK = 3
KINDS: list[dict[str, Any]] = [
    {},
    {"tie": "none", "activation": "swiglu", "source_positions": "rotary"},
    {"network": "gru-attention", "input_feeding": True},
    {"network": "gru-attention", "attention": "dot"},
    {"network": "convolution"},
]
SOURCE = torch.tensor([[7, 8, 9, 2], [5, 2, 0, 0]])
TARGET = torch.tensor([[1, 6, 9, 8, 2], [1, 7, 2, 0, 0]])
LENGTHS = torch.tensor([4, 2])


@cache
def subwords() -> Any:
    return tokenizer(joint=True)


def network(kind: dict[str, Any]) -> SavedModel:
    return random_model(subwords(), **kind)


def logits(model: Seq2Seq) -> Tensor:
    with torch.no_grad():
        return model.eval()(SOURCE, TARGET[:, :-1])


def weights(model: Seq2Seq) -> dict[str, Tensor]:
    return {name: weight.detach().clone() for name, weight in model.named_parameters()}


def trained(model: Seq2Seq, optimizer: str = "adam") -> None:
    """A few large steps."""
    config = TrainConfig(max_updates=1, learning_rate=0.05, weight_decay=0.1, optimizer=optimizer)
    stepping = build_optimizer(model, config)
    for _ in range(3):
        TranslationLoss(model.train())(SOURCE, TARGET, LENGTHS).loss.backward()
        stepping.step()
        stepping.zero_grad()


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_it_begins_with_what_the_network_was(kind: dict[str, Any]) -> None:
    model = network(kind).model.requires_grad_(False)  # torch may have other kernels for what is fixed
    before = logits(model)
    add_low_rank(model, RANK)
    assert any(isinstance(part, LowRankLinear) for part in model.modules())
    assert torch.equal(logits(model), before)


@pytest.mark.parametrize("optimizer", ["adam", "muon"])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_only_the_updates_learn_and_they_are_of_low_rank(kind: dict[str, Any], optimizer: str) -> None:
    model = network(kind).model
    before = weights(model)
    add_low_rank(model, RANK)
    learning = {name for name, weight in model.named_parameters() if weight.requires_grad}
    assert {name.rpartition(".")[2] for name in learning} == {"down", "up"}
    trained(model, optimizer)
    moved = weights(model)
    assert all(torch.equal(moved[name], weight) for name, weight in before.items())
    projections = {name.rpartition(".")[0] + ".weight" for name in learning}
    merge_low_rank(model)
    after = weights(model)
    assert after.keys() == before.keys()
    for name, weight in before.items():
        if name in projections:
            difference = after[name] - weight
            assert 1 <= torch.linalg.matrix_rank(difference, rtol=1e-4) <= RANK, name
        else:
            assert torch.equal(after[name], weight), name


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_what_is_merged_says_the_same(kind: dict[str, Any]) -> None:
    model = network(kind).model
    plain = logits(model)
    add_low_rank(model, RANK)
    trained(model)
    apart = logits(model)
    merge_low_rank(model)
    assert not any(isinstance(part, LowRankLinear) for part in model.modules())
    assert all(weight.requires_grad for weight in model.parameters())
    torch.testing.assert_close(logits(model), apart, atol=1e-5, rtol=1e-5)
    assert not torch.allclose(apart, plain, atol=1e-2)


def test_a_merged_network_is_loaded_as_any_other() -> None:
    saved = network({})
    fresh = copy.deepcopy(saved.model)
    add_low_rank(saved.model, RANK)
    trained(saved.model)
    merge_low_rank(saved.model)
    fresh.load_state_dict(saved.model.state_dict())
    assert torch.equal(logits(fresh), logits(saved.model))


@pytest.mark.parametrize("rank", [16, 100])
def test_a_rank_that_is_not_low_is_refused(rank: int) -> None:
    with pytest.raises(
        ConfigError, match=rf"train.lora = {rank} is no low rank: .* has 16; give less than 16"
    ):
        add_low_rank(network({}).model, rank)


def test_products_are_those_that_the_network_had() -> None:
    """With and without updates: large ones may be another library's."""
    model = network({}).model
    kinds = [type(part) for part in model.modules()]
    add_low_rank(model, RANK)
    assert all(isinstance(part, Linear) for part in model.modules() if isinstance(part, nn.Linear))
    merge_low_rank(model)
    assert [type(part) for part in model.modules()] == kinds
