"""The contract: what a decoder's state does when hypotheses move, end or branch, and what every network promises."""

from __future__ import annotations

import inspect

import pytest
import torch
from torch import Tensor

from onmal.config import ModelConfig, Vocabulary
from onmal.models import DecoderState, Memory, Place, Probe, Seq2Seq, Transformer, build
from onmal.models.contract import Side

VOCABULARY = Vocabulary(source_size=20, target_size=20)
CONFIG = ModelConfig(d_model=8, num_heads=2, feed_forward=12, encoder_layers=2, decoder_layers=2, dropout=0.0)


@pytest.fixture
def model() -> Seq2Seq:
    return build(CONFIG, VOCABULARY).eval()


@pytest.fixture
def source() -> Tensor:
    return torch.tensor([[5, 6, 7, 2], [8, 9, 2, 0], [4, 2, 0, 0]])


def state_of(sources: int, beams: int) -> DecoderState:
    """A state whose tensors hold their own row numbers."""
    numbers = torch.arange(sources)
    return DecoderState(
        beams=beams,
        position=3,
        source_mask=numbers[:, None] > 0,
        sources={"keys": numbers[:, None] * 10},
        rows={"cache": torch.arange(sources * beams)[:, None], "flat": torch.arange(sources * beams)},
    )


def test_reorder_moves_hypotheses_within_their_source() -> None:
    state = state_of(sources=3, beams=2)
    keys, mask = state.sources["keys"], state.source_mask
    same = state.reorder(torch.tensor([[1, 0], [1, 1], [0, 1]]))
    assert same is state
    assert state.rows["cache"].flatten().tolist() == [1, 0, 3, 3, 4, 5]
    assert state.rows["flat"].tolist() == [1, 0, 3, 3, 4, 5]
    assert state.sources["keys"] is keys  # what is per source is not even copied
    assert state.source_mask is mask
    assert (state.beams, state.position) == (2, 3)


def test_reorder_makes_as_many_hypotheses_as_there_are_rows() -> None:
    state = state_of(sources=2, beams=2)
    assert state.reorder(torch.tensor([[1, 0, 0], [1, 1, 0]])).beams == 3
    assert state.rows["flat"].tolist() == [1, 0, 0, 3, 3, 2]
    assert state.rows["cache"].flatten().tolist() == [1, 0, 0, 3, 3, 2]
    assert state.sources["keys"].tolist() == [[0], [10]]


def test_keep_drops_sources_with_all_their_hypotheses() -> None:
    state = state_of(sources=4, beams=3)
    same = state.keep(torch.tensor([1, 3]))
    assert same is state
    assert state.rows["flat"].tolist() == [3, 4, 5, 9, 10, 11]
    assert state.sources["keys"].tolist() == [[10], [30]]
    assert state.source_mask.tolist() == [[True], [True]]
    assert (state.beams, state.position) == (3, 3)


def test_reorder_after_keep_counts_sources_anew() -> None:
    state = state_of(sources=3, beams=2).keep(torch.tensor([0, 2])).reorder(torch.tensor([[0, 0], [1, 0]]))
    assert state.rows["flat"].tolist() == [0, 0, 5, 4]


def test_hypotheses_that_stay_are_not_copied() -> None:
    state = state_of(sources=2, beams=2)
    places = {name: tensor.data_ptr() for name, tensor in state.rows.items()}
    state.reorder(torch.tensor([[0, 1], [1, 1]]))
    assert state.rows["flat"].tolist() == [0, 1, 3, 3]
    assert {name: tensor.data_ptr() for name, tensor in state.rows.items()} == places


def test_a_copy_goes_its_own_way() -> None:
    state = state_of(sources=2, beams=2)
    branch = state.copy()
    branch.rows["flat"][0] = 99
    branch.rows["new"], branch.sources["new"] = torch.zeros(4), torch.zeros(2)
    branch.position += 1
    branch.reorder(torch.tensor([[1, 1], [1, 1]])).keep(torch.tensor([1]))
    assert state.rows["flat"].tolist() == [0, 1, 2, 3]
    assert state.sources["keys"].tolist() == [[0], [10]]
    assert set(state.rows) == {"cache", "flat"}
    assert set(state.sources) == {"keys"}
    assert state.position == 3
    assert state.source_mask.shape == (2, 1)


def test_a_copy_shares_what_is_per_source() -> None:
    state = state_of(sources=2, beams=2)
    assert state.copy().sources["keys"] is state.sources["keys"]


def test_the_base_probe_changes_nothing() -> None:
    probe, weights, ids = Probe(), torch.rand(1, 1, 2, 2), torch.arange(2)
    assert probe.attention(Place("decoder.cross", 0), weights, None, weights, weights) is weights
    sides: tuple[Side, ...] = ("source", "target")
    assert all(probe.positions(side, ids) is ids for side in sides)


def test_a_network_must_keep_every_promise() -> None:
    assert Seq2Seq.__abstractmethods__ == {"encode", "hidden", "start", "step"}
    with pytest.raises(TypeError, match="abstract"):
        Seq2Seq()  # type: ignore[abstract]
    for name in ("encode", "hidden", "step"):
        assert inspect.signature(getattr(Transformer, name)).parameters["probe"].default is None


def test_shapes(model: Seq2Seq, source: Tensor) -> None:
    memory = model.encode(source)
    assert isinstance(memory, Memory)
    assert memory.states.shape == (3, 4, 8)
    assert memory.mask.dtype is torch.bool
    assert torch.equal(memory.mask, source != 0)
    target = torch.randint(3, 20, (3, 5))
    states = model.hidden(source, target)
    assert states.shape == (3, 5, 8)
    assert model.project(states).shape == (3, 5, 20)
    assert model.step(target[:, 0], model.start(memory))[0].shape == (3, 8)


def test_forward_projects_the_hidden_states(model: Seq2Seq, source: Tensor) -> None:
    target = torch.randint(3, 20, (3, 5))
    assert torch.equal(model(source, target), model.project(model.hidden(source, target)))


def test_the_state_is_flat_named_tensors_of_sources_and_of_rows(model: Seq2Seq, source: Tensor) -> None:
    state = model.start(model.encode(source), beams=4)
    before = dict(state.sources)
    assert (state.beams, state.position, state.rows) == (4, 0, {})
    _, after = model.step(torch.full((12,), 1), state)
    assert after is state  # the state given is the state returned, moved on
    assert state.position == 1
    assert state.rows
    assert all(isinstance(tensor, Tensor) and tensor.shape[0] == 12 for tensor in state.rows.values())
    assert all(isinstance(tensor, Tensor) and tensor.shape[0] == 3 for tensor in state.sources.values())
    assert state.source_mask.shape == source.shape
    assert state.sources.keys() == before.keys()
    assert all(state.sources[name] is tensor for name, tensor in before.items())


def test_the_memory_is_projected_once_and_not_copied_for_each_hypothesis(source: Tensor) -> None:
    model = Transformer(CONFIG, VOCABULARY).eval()
    seen: list[torch.Size] = []
    for layer in model.decoder.layers:
        for projection in (layer.cross_attention.key, layer.cross_attention.value):
            projection.register_forward_hook(lambda _module, inputs, _output: seen.append(inputs[0].shape))
    state = model.start(model.encode(source), beams=5)
    for _ in range(3):
        _, state = model.step(torch.full((15,), 1), state)
        state = state.reorder(torch.zeros(3, 5, dtype=torch.long))
    assert seen == [(3, 4, 8)] * 4  # keys and values of two layers


@pytest.mark.parametrize(("longest_source", "longest_target"), [(9, 5), (5, 9)])
def test_a_network_says_how_much_it_can_read_and_write(longest_source: int, longest_target: int) -> None:
    config = CONFIG.replace(max_source_length=longest_source, max_target_length=longest_target)
    model = build(config, VOCABULARY).eval()
    assert (model.longest_source, model.longest_target) == (longest_source, longest_target)
    assert model.vocabulary is VOCABULARY
    longest = torch.ones(1, longest_source, dtype=torch.long), torch.ones(1, longest_target, dtype=torch.long)
    assert model(*longest).shape == (1, longest_target, 20)
