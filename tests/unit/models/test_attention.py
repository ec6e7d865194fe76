"""Attention: weights are a distribution over what may be seen, and the fused form computes the explicit one's result."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from onmal.models.attention import (
    KeyValueCache,
    MultiHeadAttention,
    causal_mask,
    explicit_attention,
    fused_attention,
)
from onmal.models.contract import DecoderState, Place, Probe
from onmal.models.embedding import RotaryPositions

PLACE = Place("decoder.self", 0)


class Recorder(Probe):
    """Keeps what the last attention showed."""

    def attention(
        self, place: Place, scores: Tensor, mask: Tensor | None, weights: Tensor, values: Tensor
    ) -> Tensor:
        self.place, self.scores, self.mask, self.weights, self.values = place, scores, mask, weights, values
        return weights


def heads_of(queries: int, keys: int, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor, Tensor]:
    """Random query [2,3,T,4], keys and values [2,3,S,4] that want gradients."""
    shapes = ((2, 3, queries, 4), (2, 3, keys, 4), (2, 3, keys, 4))
    query, key, value = (torch.randn(shape, dtype=dtype, requires_grad=True) for shape in shapes)
    return query, key, value


def empty_state(rows: int = 1) -> DecoderState:
    return DecoderState(
        beams=1, position=0, source_mask=torch.ones(rows, 1, dtype=torch.bool), sources={}, rows={}
    )


def test_a_causal_mask_shows_a_word_itself_and_what_came_before() -> None:
    assert causal_mask(3).tolist() == [[True, False, False], [True, True, False], [True, True, True]]


def test_explicit_attention_is_the_formula_of_the_paper() -> None:
    query, keys, values = heads_of(queries=2, keys=3)
    mixed = explicit_attention(query, keys, values, None, probe=None, place=PLACE)
    for index in [(0, 0, 0), (1, 2, 1)]:
        b, h, t = index
        q, k, v = query[b, h, t].tolist(), keys[b, h].tolist(), values[b, h].tolist()
        grown = [math.exp(sum(x * y for x, y in zip(q, key, strict=True)) / math.sqrt(4)) for key in k]
        expected = [
            sum(g * v[s][e] for s, g in enumerate(grown)) / sum(grown)  # softmax, then the mixture
            for e in range(4)
        ]
        assert mixed[index].tolist() == pytest.approx(expected, abs=1e-6)


@given(
    seed=st.integers(0, 2**31),
    queries=st.integers(1, 6),
    keys=st.integers(1, 9),
    visible=st.sampled_from([0.0, 0.3, 0.8, 1.0]),
    size=st.sampled_from([1.0, 30.0]),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
@settings(max_examples=60)
def test_weights_are_a_distribution_over_the_visible_and_both_forms_agree(
    seed: int, queries: int, keys: int, visible: float, size: float, dtype: torch.dtype
) -> None:
    torch.manual_seed(seed)
    inputs = query, key, value = heads_of(queries, keys, dtype)
    mask = torch.rand(2, 1, queries, keys) < visible  # [B,1,T,S]; rows with nothing to see are common
    recorder = Recorder()
    explicit = explicit_attention(query * size, key, value, mask, probe=recorder, place=PLACE)
    fused = fused_attention(query * size, key, value, mask, causal=False, dropout=0.0)

    tolerance = 1e-6 if dtype is torch.float32 else 1e-12
    seen = mask.any(-1).expand(2, 3, queries)
    assert (recorder.weights.sum(-1) - seen.to(dtype)).abs().max() <= tolerance
    assert recorder.weights.min() >= 0
    assert not recorder.weights[~mask.expand_as(recorder.weights)].any()
    assert not explicit[~seen].any()
    assert not fused[~seen].any()
    torch.testing.assert_close(fused, explicit, atol=1e-5, rtol=0)

    direction = torch.randn_like(explicit)
    gradients = [torch.autograd.grad((form * direction).sum(), inputs) for form in (fused, explicit)]
    for of_fused, of_explicit in zip(*gradients, strict=True):
        assert of_fused.isfinite().all()
        torch.testing.assert_close(of_fused, of_explicit, atol=1e-5 * size, rtol=1e-5)


@pytest.mark.parametrize("score", [0.0, -1e4, -1e30, 1e30])
def test_a_masked_cell_is_exactly_zero_beside_any_finite_score(score: float) -> None:
    query, keys = torch.tensor([1.0]).view(1, 1, 1, 1), torch.tensor([score, 7.0]).view(1, 1, 2, 1)
    recorder = Recorder()
    mask = torch.tensor([True, False])
    mixed = explicit_attention(query, keys, torch.ones(1, 1, 2, 1), mask, probe=recorder, place=PLACE)
    assert recorder.weights.flatten().tolist() == [1.0, 0.0]
    assert mixed.item() == 1.0


def test_a_probe_is_shown_the_attention_and_its_answer_is_used() -> None:
    class Last(Recorder):
        """Every word looks at the last key alone."""

        def attention(self, place: Place, scores: Tensor, *others: Tensor) -> Tensor:  # type: ignore[override]
            super().attention(place, scores, *others)
            return torch.zeros_like(scores).index_fill(-1, torch.tensor(scores.shape[-1] - 1), 1.0)

    query, keys, values = heads_of(queries=4, keys=4)
    mask = causal_mask(4)
    probe = Last()
    mixed = explicit_attention(query, keys, values, mask, probe=probe, place=Place("encoder.self", 5))
    torch.testing.assert_close(mixed, values[:, :, -1:].expand_as(mixed))
    assert probe.place == ("encoder.self", 5)
    assert probe.mask is mask
    assert probe.values is values
    torch.testing.assert_close(probe.scores, query @ keys.mT / 2)
    masked = probe.scores.masked_fill(~mask, -torch.inf).softmax(-1)
    torch.testing.assert_close(probe.weights, masked)


def test_heads_split_the_components_evenly_and_in_order() -> None:
    attention = MultiHeadAttention(d_model=6, num_heads=3, dropout=0.0)
    x = torch.arange(12.0).view(1, 2, 6)
    assert attention.split(x).tolist() == [[[[0, 1], [6, 7]], [[2, 3], [8, 9]], [[4, 5], [10, 11]]]]


def test_a_head_sees_its_own_components_alone() -> None:
    attention = MultiHeadAttention(d_model=8, num_heads=2, dropout=0.0)
    keys, values = attention.keys_and_values(torch.randn(1, 5, 8))
    mask = torch.ones(1, 1, 1, 5, dtype=torch.bool)
    with torch.no_grad():
        attention.output.weight.copy_(torch.eye(8))  # lay the heads bare
        x = torch.randn(1, 3, 8)
        before = attention.across(x, keys, values, PLACE, mask=mask)
        attention.query.weight[4:].normal_()  # only the second head's query
        after = attention.across(x, keys, values, PLACE, mask=mask)
    assert torch.equal(before[..., :4], after[..., :4])
    assert not torch.allclose(before[..., 4:], after[..., 4:])


@pytest.mark.parametrize("rotary", [False, True])
@pytest.mark.parametrize("probe", [None, Probe()])
def test_steps_give_the_rows_of_causal_attention(rotary: bool, probe: Probe | None) -> None:
    attention = MultiHeadAttention(d_model=8, num_heads=2, dropout=0.0)
    positions = RotaryPositions(head_size=4)
    rows, length = 3, 35  # the cache grows twice
    x = torch.randn(rows, length, 8)
    with torch.no_grad():
        rotation = positions.rotation(torch.arange(length)) if rotary else None
        whole = attention(x, PLACE, causal=True, rotation=rotation, probe=probe)
        state = empty_state(rows)
        for t in range(length):
            rotation = positions.rotation(torch.tensor([t])) if rotary else None
            cache = KeyValueCache(state, "layer")
            stepped = attention.step(x[:, t : t + 1], cache, PLACE, rotation=rotation, probe=probe)
            torch.testing.assert_close(stepped, whole[:, t : t + 1], atol=1e-5, rtol=0)
            state.position += 1


def test_a_cache_returns_every_word_so_far_in_order() -> None:
    state, words = empty_state(rows=2), torch.randn(2, 3, 40, 4)  # [R,H,T,E]
    for t in range(40):
        new = words[:, :, t : t + 1]
        keys, values = KeyValueCache(state, "layer").append(new, -new)
        assert torch.equal(keys, words[:, :, : t + 1])
        assert torch.equal(values, -words[:, :, : t + 1])
        state.position += 1
    assert set(state.rows) == {"layer.keys", "layer.values"}
    assert all(buffer.shape[0] == 2 for buffer in state.rows.values())


def test_layers_do_not_share_a_cache() -> None:
    state, one, two = empty_state(), torch.ones(1, 1, 1, 2), torch.zeros(1, 1, 1, 2)
    keys, _ = KeyValueCache(state, "first").append(one, one)
    KeyValueCache(state, "second").append(two, two)
    assert torch.equal(keys, one)


def test_attention_dropout_acts_in_training_alone() -> None:
    attention = MultiHeadAttention(d_model=8, num_heads=2, dropout=0.5)
    x = torch.randn(2, 6, 8)
    assert not torch.equal(attention(x, PLACE), attention(x, PLACE))
    attention.eval()
    assert torch.equal(attention(x, PLACE), attention(x, PLACE))
