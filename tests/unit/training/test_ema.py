"""The moving average of the weights: the formula, its place in the optimizer's state, and weights that come back."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from onmal.run_report.events import Progress
from onmal.training.checkpoint import load_checkpoint, named_weights, save_checkpoint, training_state
from onmal.training.ema import MovingAverage


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(5, 3)
        self.output = nn.Linear(3, 5)
        self.output.weight = self.table.weight


def begin(decay: float, seed: int = 0) -> tuple[Tied, torch.optim.Optimizer, MovingAverage]:
    torch.manual_seed(seed)
    model = Tied()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, fused=True)
    return model, optimizer, MovingAverage(optimizer, decay)


def learn(
    model: Tied, optimizer: torch.optim.Optimizer, average: MovingAverage, updates: range
) -> list[dict[str, Tensor]]:
    """Updates that depend on their number alone; returns the weights after each."""
    after = []
    for update in updates:
        torch.manual_seed(update)
        optimizer.zero_grad()
        model.output(model.table(torch.randint(5, (4,)))).square().sum().backward()
        optimizer.step()
        average.follow(update)
        after.append({name: weight.clone() for name, weight in named_weights(model).items()})
    return after


def averages(model: Tied, average: MovingAverage) -> dict[str, Tensor]:
    with average.in_place():
        assert model.output.weight is model.table.weight
        return {name: weight.clone() for name, weight in named_weights(model).items()}


def test_it_is_the_formula() -> None:
    """From the first update's weights on, a share 1 - decay of the way; the decay grows up to the one asked for."""
    for decay, updates in ((0.5, 30), (0.999, 30)):
        model, optimizer, average = begin(decay)
        weights = learn(model, optimizer, average, range(1, updates + 1))
        found = averages(model, average)
        for name in found:
            expected = weights[0][name].double()
            for update, after in enumerate(weights, 1):
                share = min(decay, (1 + update) / (10 + update))
                expected = share * expected + (1 - share) * after[name]
            torch.testing.assert_close(found[name], expected.float(), rtol=1e-5, atol=1e-6)
            assert not torch.allclose(found[name], weights[-1][name], atol=1e-3)


@pytest.mark.parametrize("decay", [0.0, 0.9])
def test_before_the_first_update_it_is_the_weights(decay: float) -> None:
    model, _, average = begin(decay)
    found = averages(model, average)
    assert all(torch.equal(weight, found[name]) for name, weight in named_weights(model).items())


def test_without_a_decay_there_is_none() -> None:
    model, optimizer, average = begin(0.0)
    weights = learn(model, optimizer, average, range(1, 4))
    assert all(torch.equal(weight, weights[-1][name]) for name, weight in averages(model, average).items())
    assert {key for state in optimizer.state.values() for key in state} == {"step", "exp_avg", "exp_avg_sq"}


def test_the_weights_come_back_to_the_bit_whatever_happens_inside() -> None:
    model, optimizer, average = begin(0.9)
    weights = learn(model, optimizer, average, range(1, 6))[-1]
    inside = []

    def interrupted() -> None:
        with average.in_place():
            inside.append(model.table.weight.detach().clone())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not torch.equal(inside[0], weights["table.weight"])
    assert all(torch.equal(weight, weights[name]) for name, weight in named_weights(model).items())


def test_it_changes_nothing_of_what_is_learned() -> None:
    with_it, without = (learn(*begin(decay), range(1, 6))[-1] for decay in (0.9, 0.0))
    assert all(torch.equal(weight, without[name]) for name, weight in with_it.items())


def test_a_checkpoint_holds_it(tmp_path: Path) -> None:
    model, optimizer, average = begin(0.9)
    learn(model, optimizer, average, range(1, 4))
    path = save_checkpoint(tmp_path, training_state(model, optimizer), Progress(update=3))
    learn(model, optimizer, average, range(4, 7))
    other, others, resumed = begin(0.9, seed=9)
    load_checkpoint(path, other, others)
    learn(other, others, resumed, range(4, 7))
    found = averages(other, resumed)
    assert all(torch.equal(weight, found[name]) for name, weight in averages(model, average).items())


def test_it_can_begin_in_the_middle_of_a_run(tmp_path: Path) -> None:
    model, optimizer, average = begin(0.0)
    learn(model, optimizer, average, range(1, 4))
    path = save_checkpoint(tmp_path, training_state(model, optimizer), Progress(update=3))
    other, others, resumed = begin(0.9)
    load_checkpoint(path, other, others)
    weights = learn(other, others, resumed, range(4, 5))
    assert all(torch.equal(weight, weights[0][name]) for name, weight in averages(other, resumed).items())
