"""Optimizer: how the rate rises and falls, and which weights decay."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import nn

from onmal.config import ModelConfig, TrainConfig, Vocabulary
from onmal.models import build
from onmal.training.optimizer import build_optimizer, learning_rate

RATE, WARMUP, UPDATES = 0.002, 100, 2000
SCHEDULES = ("inverse-sqrt", "cosine", "linear")


def rates(**settings: Any) -> list[float]:
    """The rate of each update of a run."""
    config = TrainConfig(
        **{"learning_rate": RATE, "warmup": WARMUP, "max_updates": UPDATES, **settings}
    )  # what is done before an update is a share of the run
    return [learning_rate(config, update, (update - 1) / UPDATES) for update in range(1, UPDATES + 1)]


@pytest.mark.parametrize("cooldown", [0.0, 0.2, 1.0])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_rate_never_jumps_and_is_never_negative(schedule: str, cooldown: float) -> None:
    found = rates(schedule=schedule, cooldown=cooldown)
    assert min(found) >= 0
    assert max(found) <= RATE
    assert max(abs(b - a) for a, b in pairwise(found)) <= RATE / WARMUP * (1 + 1e-9)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_it_rises_while_warming_up_and_then_only_falls(schedule: str) -> None:
    found = rates(schedule=schedule)
    assert found[0] == pytest.approx(RATE / WARMUP)
    assert all(a < b for a, b in pairwise(found[:WARMUP]))
    assert all(a >= b for a, b in pairwise(found[WARMUP:]))


def test_a_run_shorter_than_ten_warm_ups_is_warm_after_its_first_tenth() -> None:
    found = rates(schedule="inverse-sqrt", warmup=10 * UPDATES)
    assert found[UPDATES // 20] == pytest.approx(RATE / 2)
    assert found[UPDATES // 10] == found[-1] == pytest.approx(RATE)


def test_a_short_run_warms_up_in_its_first_tenth() -> None:
    found = rates(warmup=UPDATES)
    assert all(a < b for a, b in pairwise(found[: UPDATES // 10 + 1]))
    assert set(found[UPDATES // 10 :]) == {RATE}


def test_inverse_square_root() -> None:
    found = rates(schedule="inverse-sqrt")
    assert found[WARMUP - 1] == pytest.approx(RATE)
    assert found[4 * WARMUP - 1] == pytest.approx(RATE / 2)
    assert found[9 * WARMUP - 1] == pytest.approx(RATE / 3)


def test_linear_halves_in_the_middle_and_cosine_too() -> None:
    for schedule in ("linear", "cosine"):
        assert rates(schedule=schedule)[UPDATES // 2] == pytest.approx(RATE / 2)


@pytest.mark.parametrize(
    ("schedule", "cooldown"), [("cosine", 0.0), ("linear", 0.0), *((name, 0.3) for name in SCHEDULES)]
)
def test_a_run_that_ends_ends_at_nothing(schedule: Any, cooldown: float) -> None:
    config = TrainConfig(schedule=schedule, cooldown=cooldown, warmup=WARMUP, max_updates=UPDATES)
    assert learning_rate(config, UPDATES, 1.0) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_cooldown_changes_nothing_before_it_begins_and_ends_in_a_line(schedule: str) -> None:
    without, found = rates(schedule=schedule), rates(schedule=schedule, cooldown=0.25)
    begin = UPDATES * 3 // 4
    assert found[: begin + 1] == without[: begin + 1]
    assert found[begin + UPDATES // 8] == pytest.approx(without[begin + UPDATES // 8] / 2)


def test_without_warmup_the_inverse_square_root_has_nothing_to_fall_from() -> None:
    assert set(rates(schedule="inverse-sqrt", warmup=0)) == {RATE}
    assert rates(schedule="linear", warmup=0)[0] == RATE


# What decays


def network(tie: str) -> nn.Module:
    config = ModelConfig(
        d_model=8, num_heads=2, feed_forward=8, encoder_layers=1, decoder_layers=1, tie=tie, output_bias=True
    )
    return build(config, Vocabulary(source_size=9, target_size=9))


@pytest.mark.parametrize(("tie", "tables"), [("all", 1), ("output", 2), ("none", 3)])
def test_every_parameter_is_there_once_tied_or_not(tie: str, tables: int) -> None:
    model = network(tie)
    optimizer = build_optimizer(model, TrainConfig(max_updates=1))
    held = [id(p) for group in optimizer.param_groups for p in group["params"]]
    assert len(held) == len(set(held))
    assert set(held) == {id(p) for p in model.parameters()}
    assert sum(p.shape == (9, 8) for group in optimizer.param_groups for p in group["params"]) == tables


def test_matrices_decay_and_vectors_do_not() -> None:
    model = network("all")
    config = TrainConfig(learning_rate=0.01, weight_decay=0.5, max_updates=1)
    optimizer = build_optimizer(model, config)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    for name, parameter in model.named_parameters():
        share = 1 - 0.01 * 0.5 if parameter.dim() > 1 else 1
        torch.testing.assert_close(parameter.detach(), before[name] * share)


def test_the_first_step_is_adams() -> None:
    """Whatever its size, a constant gradient moves each weight by the rate (Kingma & Ba 2015)."""
    model = network("all")
    optimizer = build_optimizer(model, TrainConfig(learning_rate=0.01, max_updates=1))
    before = [p.detach().clone() for p in model.parameters()]
    for number, parameter in enumerate(model.parameters(), 1):
        parameter.grad = torch.full_like(parameter, float(number))
    optimizer.step()
    for parameter, old in zip(model.parameters(), before, strict=True):
        torch.testing.assert_close(parameter.detach(), old - 0.01)
