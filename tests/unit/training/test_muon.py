"""Muon: updates that are orthogonal, torch's own where torch has it, and Adam's for what is not inside the network."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from onmal.config import ModelConfig, TrainConfig, Vocabulary
from onmal.models import build
from onmal.training.muon import SIZE, Muon, orthogonal
from onmal.training.optimizer import build_optimizer


def matrices(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(16, 16), (16, 40)], ids=str)
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16], ids=str)
def test_singular_values_come_near_one_and_directions_stay(
    shape: tuple[int, int], precision: torch.dtype
) -> None:
    stack = matrices(3, *shape)
    found = orthogonal(stack.to(precision)).float()
    left, values, right = torch.linalg.svd(stack, full_matrices=False)
    kept = left.mT @ found @ right.mT  # in the basis of the old directions: diagonal
    strong = values > values.amax(1, keepdim=True) / 10
    assert kept.diagonal(dim1=1, dim2=2)[strong].aminmax()[0] > 0.6
    assert kept.diagonal(dim1=1, dim2=2).abs().amax() < 1.25
    assert (kept - torch.diag_embed(kept.diagonal(dim1=1, dim2=2))).abs().amax() < 0.1


def test_each_matrix_is_taken_by_itself_and_its_size_does_not_matter() -> None:
    stack = matrices(3, 8, 12)
    together = orthogonal(stack)
    for matrix, found in zip(stack, together, strict=True):
        torch.testing.assert_close(orthogonal(matrix[None] * 1000)[0], found, atol=1e-4, rtol=1e-4)


def test_nothing_to_go_by_moves_nothing() -> None:
    assert torch.equal(orthogonal(torch.zeros(2, 4, 6)), torch.zeros(2, 4, 6))


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="this torch has none")
def test_it_moves_as_torchs_own() -> None:
    """Which takes one matrix at a time, in bfloat16."""
    shapes = [(8, 8), (8, 12), (12, 8), (8, 8)]
    ours = [nn.Parameter(matrices(*shape, seed=seed)) for seed, shape in enumerate(shapes)]
    theirs = [nn.Parameter(weight.detach().clone()) for weight in ours]
    mine = Muon(ours, [], weight_decay=0.3, orthogonal=orthogonal, lr=0.02)
    reference = torch.optim.Muon(theirs, lr=0.02, weight_decay=0.3, adjust_lr_fn="match_rms_adamw")
    for update in range(5):
        for seed, (weight, other) in enumerate(zip(ours, theirs, strict=True)):
            weight.grad = matrices(*weight.shape, seed=100 + 10 * update + seed)
            other.grad = weight.grad.clone()
        mine.step()
        reference.step()
    for weight, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(weight, other, atol=5 * 0.02 * 0.03, rtol=0)


def network() -> nn.Module:
    config = ModelConfig(d_model=8, num_heads=2, feed_forward=12, encoder_layers=1, decoder_layers=1)
    torch.manual_seed(1)
    return build(config, Vocabulary(source_size=9, target_size=9))


def test_the_tables_at_the_ends_and_all_vectors_are_adams() -> None:
    """A first step: Adam's moves each weight by the rate, Muon's by SIZE of it on average."""
    model, rate = network(), 0.01
    optimizer = build_optimizer(model, TrainConfig(optimizer="muon", learning_rate=rate, max_updates=1))
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    for seed, weight in enumerate(model.parameters()):
        weight.grad = matrices(*weight.shape, seed=seed)
    optimizer.step()
    for name, weight in model.named_parameters():
        moved = (weight.detach() - before[name]).square().mean().sqrt() / rate
        inside = weight.dim() == 2 and not name.startswith(("source.", "target.", "output."))
        assert moved == pytest.approx(SIZE if inside else 1.0, rel=0.3 if inside else 1e-3), name


def test_matrices_decay_and_vectors_do_not() -> None:
    model = network()
    config = TrainConfig(optimizer="muon", learning_rate=0.01, weight_decay=0.5, max_updates=1)
    optimizer = build_optimizer(model, config)
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    for weight in model.parameters():
        weight.grad = torch.zeros_like(weight)
    optimizer.step()
    for name, weight in model.named_parameters():
        share = 1 - 0.01 * 0.5 if weight.dim() > 1 else 1
        torch.testing.assert_close(weight.detach(), before[name] * share)


def test_what_has_no_gradient_stays() -> None:
    model = network()
    optimizer = build_optimizer(model, TrainConfig(optimizer="muon", weight_decay=0.5, max_updates=1))
    before = [weight.detach().clone() for weight in model.parameters()]
    optimizer.step()
    assert all(torch.equal(weight, old) for weight, old in zip(model.parameters(), before, strict=True))
    assert not optimizer.state
