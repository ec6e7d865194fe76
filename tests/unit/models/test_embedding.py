"""Words become vectors, positions are told in four ways, and states become scores of words again."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from onmal.config import PositionKind
from onmal.errors import LengthError
from onmal.models.attention import rotate
from onmal.models.contract import Probe, Side
from onmal.models.embedding import (
    Embedding,
    OutputProjection,
    RotaryPositions,
    build_positions,
    drop_words,
)

KINDS: tuple[PositionKind, ...] = ("learned", "sinusoidal", "sinusoidal-halves", "rotary", "none")
D, HEAD, LONGEST = 12, 6, 20


class Positions(Probe):
    """Answers with other positions, or none, and remembers what it was asked."""

    def __init__(self, answer: Tensor | None) -> None:
        self.answer = answer
        self.asked: list[tuple[Side, list[int]]] = []

    def positions(self, side: Side, ids: Tensor) -> Tensor | None:
        self.asked.append((side, ids.tolist()))
        return self.answer


def embedding_of(kind: PositionKind, side: Side = "source", dropout: float = 0.0) -> Embedding:
    return Embedding(
        side, nn.Embedding(30, D), build_positions(kind, LONGEST, D, HEAD), LONGEST, dropout
    ).eval()


def sinusoid(position: int, component: int, *, interleaved: bool) -> float:
    """Vaswani 2017, 3.5, a component at a time."""
    if interleaved:
        pair, wave = component // 2, (math.sin, math.cos)[component % 2]
    else:
        pair, wave = component % (D // 2), (math.sin, math.cos)[component // (D // 2)]
    return wave(position / 10000 ** (2 * pair / D))


@pytest.mark.parametrize("kind", ["sinusoidal", "sinusoidal-halves"])
def test_sinusoidal_tables_are_the_formula(kind: PositionKind) -> None:
    table = build_positions(kind, 300, D, HEAD).vectors(torch.arange(300))
    assert table is not None
    expected = torch.tensor(
        [[sinusoid(t, d, interleaved=kind == "sinusoidal") for d in range(D)] for t in range(300)]
    )
    assert (table - expected).abs().max() <= 1e-4  # 1e-7 of the largest angle, 300, and a little


def test_learned_positions_are_a_parameter_and_the_others_have_none() -> None:
    sizes = {
        kind: sum(p.numel() for p in build_positions(kind, LONGEST, D, HEAD).parameters()) for kind in KINDS
    }
    assert sizes == {kind: LONGEST * D if kind == "learned" else 0 for kind in KINDS}


def test_sinusoids_are_not_saved_with_the_weights() -> None:
    assert not build_positions("sinusoidal", LONGEST, D, HEAD).state_dict()


@pytest.mark.parametrize("kind", KINDS)
def test_a_position_is_told_by_a_vector_or_by_a_rotation_or_not_at_all(kind: PositionKind) -> None:
    positions = build_positions(kind, LONGEST, D, HEAD)
    ids = torch.arange(3, 8)
    vectors, rotation = positions.vectors(ids), positions.rotation(ids)
    assert (vectors is None) == (kind in ("rotary", "none"))
    assert (rotation is None) == (kind != "rotary")
    if vectors is not None:
        assert vectors.shape == (5, D)
    if rotation is not None:
        assert rotation.shape == (5, HEAD // 2)


@given(
    seed=st.integers(0, 2**31),
    first=st.integers(0, 200),
    second=st.integers(0, 200),
    shift=st.integers(0, 200),
)
def test_rotated_dot_products_depend_on_the_distance_alone(
    seed: int, first: int, second: int, shift: int
) -> None:
    torch.manual_seed(seed)
    query, key = torch.randn(2, 1, 1, 1, HEAD).unbind(0)

    def product(query_at: int, key_at: int) -> float:
        there, here = (rotation_at(position) for position in (query_at, key_at))
        return (rotate(query, there) * rotate(key, here)).sum().item()

    assert product(first, second) == pytest.approx(product(first + shift, second + shift), abs=1e-3)


def rotation_at(*positions: int) -> Tensor:
    return RotaryPositions(HEAD).rotation(torch.tensor(positions))


def test_rotary_turns_each_pair_by_its_angle() -> None:
    heads = torch.randn(2, 3, 50, HEAD)
    turned = rotate(heads, rotation_at(*range(50)))
    frequencies = torch.tensor([10000 ** (-2 * pair / HEAD) for pair in range(HEAD // 2)])
    angles = torch.arange(50)[:, None] * frequencies  # [T,E/2]
    even, odd = heads[..., ::2], heads[..., 1::2]
    expected = torch.empty_like(heads)
    expected[..., ::2] = even * angles.cos() - odd * angles.sin()
    expected[..., 1::2] = odd * angles.cos() + even * angles.sin()
    torch.testing.assert_close(turned, expected, atol=1e-4, rtol=0)
    torch.testing.assert_close(turned.norm(dim=-1), heads.norm(dim=-1))
    assert torch.equal(turned[:, :, 0], heads[:, :, 0])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("first", [0, 4])
def test_an_embedding_is_the_word_times_sqrt_d_plus_the_position(kind: PositionKind, first: int) -> None:
    embedding = embedding_of(kind)
    tokens = torch.randint(30, (2, 5))
    vectors, rotation = embedding(tokens, first=first)
    ids = torch.arange(first, first + 5)
    expected = embedding.words.weight[tokens] * math.sqrt(D)
    added = embedding.positions.vectors(ids)
    torch.testing.assert_close(vectors, expected if added is None else expected + added)
    assert (rotation is None) == (kind != "rotary")
    if kind == "rotary":
        assert torch.equal(rotation, rotation_at(*ids.tolist()))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("side", ["source", "target"])
def test_a_sentence_past_the_last_position_is_refused_by_name(kind: PositionKind, side: Side) -> None:
    embedding = embedding_of(kind, side)
    embedding(torch.zeros(1, LONGEST, dtype=torch.long))
    embedding(torch.zeros(1, 1, dtype=torch.long), first=LONGEST - 1)
    for tokens, first in ((LONGEST + 1, 0), (1, LONGEST)):
        with pytest.raises(LengthError, match=rf"{side} of {LONGEST + 1} .* {LONGEST} .*max_{side}_length"):
            embedding(torch.zeros(1, tokens, dtype=torch.long), first=first)


@pytest.mark.parametrize("kind", KINDS)
def test_a_probe_is_asked_once_and_may_move_positions(kind: PositionKind) -> None:
    embedding = embedding_of(kind, "target")
    tokens = torch.randint(30, (2, 4))
    order = torch.tensor([9, 3, 3, 0])
    probe = Positions(order)
    vectors, rotation = embedding(tokens, first=6, probe=probe)
    assert probe.asked == [("target", [6, 7, 8, 9])]
    added = embedding.positions.vectors(order)
    words = embedding.words(tokens) * math.sqrt(D)
    torch.testing.assert_close(vectors, words if added is None else words + added)
    if kind == "rotary":
        assert torch.equal(rotation, rotation_at(9, 3, 3, 0))


@pytest.mark.parametrize("kind", KINDS)
def test_a_probe_may_switch_positions_off(kind: PositionKind) -> None:
    embedding = embedding_of(kind)
    tokens = torch.randint(30, (2, 4))
    vectors, rotation = embedding(tokens, probe=Positions(None))
    torch.testing.assert_close(vectors, embedding.words(tokens) * math.sqrt(D))
    assert rotation is None


def test_dropout_acts_in_training_alone() -> None:
    embedding, tokens = embedding_of("learned", dropout=0.5), torch.arange(10)[None]
    assert torch.equal(embedding(tokens)[0], embedding(tokens)[0])
    embedding.train()
    dropped = (embedding(tokens)[0] == 0).float().mean()
    assert 0.2 < dropped < 0.8


@pytest.mark.parametrize("kind", KINDS)
def test_a_dropped_word_leaves_its_position(kind: PositionKind) -> None:
    """In training alone, and never the first, which may be what asks for a language."""
    embedding, tokens = embedding_of(kind), torch.randint(30, (400, LONGEST))
    expected, _ = embedding(tokens)
    positions = embedding.positions.vectors(torch.arange(LONGEST))
    added = torch.zeros(LONGEST, D) if positions is None else positions
    drop_words(embedding, 0.25)
    assert torch.equal(embedding(tokens)[0], expected)
    embedding.train()
    words = embedding(tokens)[0] - added
    dropped = (words.abs() < 1e-5).all(-1)  # [B,T]
    assert not dropped[:, 0].any()
    assert 0.22 < dropped[:, 1:].float().mean() < 0.28
    torch.testing.assert_close(words[:, 0], expected[:, 0] - added[0], atol=1e-5, rtol=1e-5)
    kept = ~dropped[:, 1:]
    scaled = (expected - added)[:, 1:][kept] / 0.75  # as with all dropout, so that the mean stays
    torch.testing.assert_close(words[:, 1:][kept], scaled, atol=1e-4, rtol=1e-4)


def test_words_are_dropped_anew_each_time_and_from_the_seed_alone() -> None:
    embedding, tokens = embedding_of("learned").train(), torch.randint(30, (2, 40))[:, :LONGEST]
    drop_words(nn.Sequential(embedding), 0.5)
    found = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        found.append(embedding(tokens)[0])
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])
    drop_words(embedding, 0.0)
    state = torch.get_rng_state()
    assert torch.equal(embedding(tokens)[0], embedding.eval()(tokens)[0])
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("bias", [False, True])
def test_logits_are_products_with_the_word_vectors(bias: bool) -> None:
    projection = OutputProjection(nn.Parameter(torch.randn(30, D)), bias=bias)
    if projection.bias is not None:
        nn.init.normal_(projection.bias)
    states = torch.randn(2, 3, D)
    logits = projection(states)
    expected = torch.einsum("btd,vd->btv", states, projection.weight)
    if projection.bias is not None:
        expected = expected + projection.bias
    torch.testing.assert_close(logits, expected)
    torch.testing.assert_close(projection(states[0, 0]), logits[0, 0])
