"""An ensemble keeps the contract, and its probabilities are the mean of its members'."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch

from onmal.config import ModelConfig, SearchConfig, Vocabulary
from onmal.decoding.ensemble import Ensemble
from onmal.decoding.search import beam_search
from onmal.models import Seq2Seq, build

VOCABULARY = Vocabulary(source_size=14, target_size=14)


def network(seed: int, **options: Any) -> Seq2Seq:
    torch.manual_seed(seed)
    sizes = {"d_model": 8, "encoder_layers": 1, "decoder_layers": 2}
    heads = {} if "network" in options else {"num_heads": 2, "feed_forward": 12}
    config = ModelConfig(
        **{**sizes, **heads, "tie": "none", "output_bias": True, "max_target_length": 20, **options}
    )
    model = build(config, VOCABULARY).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.4)
        model.output.bias[2] += 1
    return model


def members() -> list[Seq2Seq]:
    """Networks of different kinds, widths, depths and positions."""
    return [
        network(1),
        network(2, d_model=12, decoder_layers=1, source_positions="rotary"),
        network(3, norm_order="post", max_target_length=12),
        network(4, network="gru-attention", input_feeding=True, hidden_size=10),
        network(5, network="gru"),
        network(6, network="convolution"),
    ]


def sources() -> torch.Tensor:
    chance = random.Random(0)
    rows = [torch.tensor([*chance.choices(range(3, 14), k=chance.randint(1, 8)), 2]) for _ in range(6)]
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)


@torch.no_grad()
def test_probabilities_are_the_mean_of_the_members() -> None:
    ensemble, source, target = Ensemble(members()), sources(), torch.randint(3, 14, (6, 5))
    never = torch.tensor([VOCABULARY.pad, VOCABULARY.start])
    votes = [member(source, target).index_fill(-1, never, -torch.inf).softmax(-1) for member in members()]
    mean = torch.stack(votes).mean(0)
    torch.testing.assert_close(ensemble(source, target).exp(), mean)


@torch.no_grad()
def test_step_by_step_is_teacher_forcing_also_after_moving_hypotheses() -> None:
    ensemble, source, target = Ensemble(members()), sources(), torch.randint(3, 14, (12, 6))
    state = ensemble.start(ensemble.encode(source), beams=2)
    rows = torch.tensor([[1, 0]] * 6)
    found = []
    for step in range(6):
        states, state = ensemble.step(target[:, step], state)
        found.append(ensemble.project(states))
        if step == 2:  # both hypotheses of a source change places, and so do their words
            state = state.reorder(rows)
            target = target.view(6, 2, -1).flip(1).flatten(0, 1)
            found = [each.view(6, 2, -1).flip(1).flatten(0, 1) for each in found]
    expected = ensemble(source.repeat_interleave(2, 0), target)
    torch.testing.assert_close(torch.stack(found, 1), expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("beams", [1, 4])
def test_a_network_with_itself_is_itself(beams: int) -> None:
    search = SearchConfig(beam_size=beams, n_best=beams)
    alone, twice = (
        beam_search(model, sources(), search) for model in (network(1), Ensemble([network(1)] * 2))
    )
    for one, other in zip(alone, twice, strict=True):
        assert [each.tokens for each in one] == [each.tokens for each in other]
        for hypothesis, same in zip(one, other, strict=True):
            assert hypothesis.score == pytest.approx(same.score, abs=1e-5)


def test_it_reads_and_writes_what_all_can() -> None:
    ensemble = Ensemble(members())
    assert ensemble.longest_target == 12
    found = beam_search(ensemble, sources(), SearchConfig(max_length_ratio=9.0))
    assert max(len(best.tokens) for [best] in found) <= 12


def test_batch_mates_change_nothing() -> None:
    ensemble, search = Ensemble(members()), SearchConfig(beam_size=3)
    together = beam_search(ensemble, sources(), search)
    for row, [best] in zip(sources(), together, strict=True):
        [[alone]] = beam_search(ensemble, row[row != 0][None], search)
        assert alone.tokens == best.tokens
        assert alone.score == pytest.approx(best.score, abs=1e-5)
