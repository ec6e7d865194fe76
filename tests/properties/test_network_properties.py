"""What must hold of every network, whatever its weights: who sees whom, and that all ways of running it agree."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from onmal.config import ModelConfig, PositionKind, Vocabulary
from onmal.errors import LengthError
from onmal.models import DecoderState, Memory, Place, Probe, Seq2Seq, build
from onmal.models.contract import Side

V, D, H = 23, 16, 2
LONGEST = 40  # more than twice what a fresh cache holds
KINDS: tuple[PositionKind, ...] = ("learned", "sinusoidal", "sinusoidal-halves", "rotary", "none")
ORDERED = KINDS[:-1]
NETWORKS: dict[str, dict[str, Any]] = {
    **{kind: {"source_positions": kind, "target_positions": kind} for kind in KINDS},
    "post-norm": {"norm_order": "post", "activation": "gelu"},
    "rms-swiglu": {"norm": "rms", "activation": "swiglu", "tie": "output"},
    "mixed": {"source_positions": "none", "target_positions": "rotary", "output_bias": True, "tie": "none"},
}
TRANSFORMERS = tuple(NETWORKS)
CLASSICAL: dict[str, dict[str, Any]] = {
    "gru": {"network": "gru"},
    "gru-one-way": {"network": "gru", "bidirectional": False, "hidden_size": 10, "tie": "none"},
    "gru-additive": {"network": "gru-attention"},
    "gru-dot": {"network": "gru-attention", "attention": "dot", "hidden_size": 10, "output_bias": True},
    "gru-feeding": {"network": "gru-attention", "input_feeding": True, "tie": "output"},
    "convolution": {"network": "convolution"},
    "convolution-wide": {
        "network": "convolution", "kernel_size": 5, "hidden_size": 12, "tie": "none", "source_positions": "none",
        "target_positions": "sinusoidal",
    },
}  # fmt: skip
NETWORKS.update(CLASSICAL)
RECURRENT = [name for name in CLASSICAL if name.startswith("gru")]
PLACES = {
    Place(part, layer) for part in ("encoder.self", "decoder.self", "decoder.cross") for layer in (0, 1)
}

every_network = pytest.mark.parametrize("name", NETWORKS)
every_transformer = pytest.mark.parametrize("name", TRANSFORMERS)
every_classical = pytest.mark.parametrize("name", CLASSICAL)
every_kind = pytest.mark.parametrize("kind", KINDS)
seeds = st.integers(0, 2**31)


class Recorder(Probe):
    """Keeps the weights of every attention by its place, and fails if a place is visited twice."""

    def __init__(self) -> None:
        self.weights: dict[Place, Tensor] = {}
        self.masks: dict[Place, Tensor | None] = {}
        self.values: dict[Place, Tensor] = {}

    def attention(
        self, place: Place, scores: Tensor, mask: Tensor | None, weights: Tensor, values: Tensor
    ) -> Tensor:
        assert place not in self.weights
        assert scores.shape == weights.shape
        self.weights[place], self.masks[place], self.values[place] = weights, mask, values
        return weights


class Moved(Probe):
    """Positions of one side, by a table: position t stands where table[t] says; None switches them off."""

    def __init__(self, side: Side, table: Tensor | None) -> None:
        self.side, self.table = side, table

    def positions(self, side: Side, ids: Tensor) -> Tensor | None:
        if side != self.side:
            return ids
        return None if self.table is None else self.table[ids]


def network(vocabulary: Vocabulary | None = None, **changes: Any) -> Any:
    """A small network whose weights all differ from 0 and 1."""
    sizes = {"d_model": D, "encoder_layers": 2, "decoder_layers": 2, "dropout": 0.0}
    heads = {} if "network" in changes else {"num_heads": H, "feed_forward": 24}
    lengths = {"max_source_length": LONGEST, "max_target_length": LONGEST}
    config = ModelConfig(**{**sizes, **heads, **lengths, **changes})
    model = build(config, vocabulary or Vocabulary(source_size=V, target_size=V)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            noise = (
                0.05 if changes.get("network") == "convolution" else 0.2
            )  # whose windows add up more products
            parameter.add_(torch.randn_like(parameter) * noise)
    return model


def words(*shape: int) -> Tensor:
    return torch.randint(3, V, shape)


def sources(*lengths: int) -> Tensor:
    """One row of random words per length, padded at the right."""
    rows = [torch.cat((words(n - 1), torch.tensor([2]))) if n else words(0) for n in lengths]
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)


def gap(one: Tensor, other: Tensor) -> float:
    assert one.shape == other.shape
    return (one - other).abs().max().item()


@every_network
@given(seed=seeds, length=st.integers(2, 9), data=st.data())
@settings(max_examples=10)
def test_a_changed_future_word_changes_no_earlier_logit(
    name: str, seed: int, length: int, data: st.DataObject
) -> None:
    torch.manual_seed(seed)
    model, source, target = network(**NETWORKS[name]), sources(4, 6), words(2, length)
    at = data.draw(st.integers(1, length - 1), label="first changed word")
    changed = torch.cat((target[:, :at], (target[:, at:] - 2) % (V - 3) + 3), 1)  # each word becomes the next
    assert (changed != target)[:, at:].all()
    with torch.no_grad():
        for probe in (None, Probe()):
            before, after = (model.hidden(source, ids, probe=probe) for ids in (target, changed))
            assert gap(before[:, :at], after[:, :at]) <= 1e-6
            assert gap(before[:, at:], after[:, at:]) > 1e-3


@every_network
@given(seed=seeds, more_source=st.integers(0, 5), more_target=st.integers(0, 5))
@settings(max_examples=10)
def test_padding_at_the_right_changes_nothing(
    name: str, seed: int, more_source: int, more_target: int
) -> None:
    torch.manual_seed(seed)
    model, source, target = network(**NETWORKS[name]), sources(3, 6), words(2, 5)
    with torch.no_grad():
        expected = model(source, target)
        logits = model(F.pad(source, (0, more_source)), F.pad(target, (0, more_target)))
    assert gap(logits[:, :5], expected) <= 1e-5


@pytest.mark.parametrize("name", ["none", "mixed", *RECURRENT])
@given(seed=seeds, places=st.lists(st.integers(0, 9), min_size=6, max_size=6, unique=True))
@settings(max_examples=20)
def test_without_source_positions_padding_anywhere_changes_nothing(
    name: str, seed: int, places: list[int]
) -> None:
    torch.manual_seed(seed)
    model, source, target = network(**NETWORKS[name]), sources(6), words(1, 5)
    spread = torch.zeros(1, 10, dtype=torch.long)
    spread[0, sorted(places)] = source[0]
    with torch.no_grad():
        assert gap(model(spread, target), model(source, target)) <= 1e-5


@every_network
@given(seed=seeds, lengths=st.lists(st.integers(1, 9), min_size=2, max_size=5))
@settings(max_examples=10)
def test_batch_mates_change_nothing(name: str, seed: int, lengths: list[int]) -> None:
    torch.manual_seed(seed)
    model, source, target = network(**NETWORKS[name]), sources(*lengths), words(len(lengths), 5)
    with torch.no_grad():
        together = model(source, target)
        for row, length in enumerate(lengths):
            alone = model(source[row : row + 1, :length], target[row : row + 1])
            assert gap(together[row : row + 1], alone) <= 1e-5


@every_kind
@given(seed=seeds, order=st.permutations(range(6)))
@settings(max_examples=15)
def test_the_order_of_source_words_matters_unless_there_are_no_positions(
    kind: PositionKind, seed: int, order: list[int]
) -> None:
    torch.manual_seed(seed)
    model, target = network(source_positions=kind), words(1, 4)
    source = torch.randperm(V - 3)[None, :6] + 3  # all different
    with torch.no_grad():
        moved = gap(model(source, target), model(source[:, order], target))
    if kind == "none" or order == sorted(order):
        assert moved <= 1e-5
    else:
        assert moved > 1e-4


@every_network
def test_attention_rows_sum_to_one_and_hidden_cells_are_exactly_zero(name: str) -> None:
    model, source, target = network(**NETWORKS[name]), sources(5, 8, 1), words(3, 6)
    recorder = Recorder()
    with torch.no_grad():
        model.hidden(source, target, probe=recorder)
    hidden = {
        "encoder.self": (source == 0)[:, None, None, :],
        "decoder.cross": (source == 0)[:, None, None, :],
    }
    hidden["decoder.self"] = torch.ones(6, 6, dtype=torch.bool).triu(1)
    for place, weights in recorder.weights.items():
        cells = hidden[place.part].expand_as(weights)
        assert cells.any()
        assert not weights[cells].any()
        assert (weights[~cells] > 0).all()
        assert (weights.sum(-1) - 1).abs().max() <= 1e-6
        assert torch.equal(~recorder.masks[place].expand_as(weights), cells)


@every_network
def test_a_source_of_padding_alone_is_attended_to_by_zeros_and_gives_numbers(name: str) -> None:
    model, source, target = network(**NETWORKS[name]), sources(4, 0), words(2, 5)
    recorder = Recorder()
    fused, explicit = model.hidden(source, target), model.hidden(source, target, probe=recorder)
    for place, weights in recorder.weights.items():
        if place.part != "decoder.self":
            assert not weights[1].any()
            assert weights[0].any()
    assert fused.isfinite().all()
    assert gap(fused, explicit) <= 1e-5
    for states in (fused, explicit):
        gradients = torch.autograd.grad(states[1].square().sum(), list(model.parameters()), allow_unused=True)
        assert all(gradient.isfinite().all() for gradient in gradients if gradient is not None)
    stepped, _ = model.step(target[:, 0], model.start(model.encode(source)))
    assert gap(stepped, fused[:, 0]) <= 1e-5


@every_network
@given(seed=seeds, lengths=st.lists(st.integers(0, 9), min_size=1, max_size=3).filter(any))
@settings(max_examples=8)
def test_fused_and_explicit_attention_agree_forward_and_backward(
    name: str, seed: int, lengths: list[int]
) -> None:
    torch.manual_seed(seed)
    model, source, target = network(**NETWORKS[name]), sources(*lengths), words(len(lengths), 6)
    wanted = words(len(lengths), 6).flatten()
    results = []
    for probe in (None, Probe()):
        model.zero_grad()
        logits = model.project(model.hidden(source, target, probe=probe))
        F.cross_entropy(logits.flatten(0, 1), wanted).backward()
        gradients = {name: parameter.grad.clone() for name, parameter in model.named_parameters()}
        results.append((logits, gradients))
    (fused, of_fused), (explicit, of_explicit) = results
    assert gap(fused, explicit) <= 1e-5
    assert of_fused.keys() == of_explicit.keys()
    for parameter, gradient in of_fused.items():
        assert gap(gradient, of_explicit[parameter]) <= 1e-5, parameter


class Walk:
    """Steps a model through a hypothesis's life, and remembers in plain lists what each row was fed and answered."""

    def __init__(self, model: Seq2Seq, source: Tensor, beams: int, probe: Probe | None, seed: int) -> None:
        self.model, self.source, self.beams, self.probe = model, source, beams, probe
        self.chance = random.Random(seed)
        self.state = model.start(model.encode(source), beams=beams)
        self.kept = list(range(len(source)))  # which sources are left
        self.fed: list[list[int]] = [[] for _ in range(len(source) * beams)]
        self.answers: list[list[Tensor]] = [[] for _ in range(len(source) * beams)]

    def step(self) -> None:
        if self.state.position == LONGEST:
            return
        tokens = [self.chance.randrange(V) if self.state.position else 1 for _ in self.fed]
        states, self.state = self.model.step(torch.tensor(tokens), self.state, probe=self.probe)
        self.fed = [[*fed, token] for fed, token in zip(self.fed, tokens, strict=True)]
        self.answers = [[*told, answer] for told, answer in zip(self.answers, states, strict=True)]

    def reorder(self, beams: int = 0) -> None:
        rows = [[self.chance.randrange(self.beams) for _ in range(beams or self.beams)] for _ in self.kept]
        self.state = self.state.reorder(torch.tensor(rows))
        self.select([b * self.beams + k for b, chosen in enumerate(rows) for k in chosen])
        self.beams = len(rows[0])

    def widen(self) -> None:
        self.reorder(self.chance.randint(1, 4))

    def keep(self) -> None:
        left = sorted(self.chance.sample(range(len(self.kept)), self.chance.randint(1, len(self.kept))))
        self.state = self.state.keep(torch.tensor(left))
        self.select([b * self.beams + k for b in left for k in range(self.beams)])
        self.kept = [self.kept[b] for b in left]

    def branch(self) -> None:
        """Copy the state, go on with one of the two, and only then lead the other astray."""
        if self.state.position == LONGEST:
            return
        pair = [self.state, self.state.copy()]
        self.chance.shuffle(pair)
        self.state, astray = pair
        self.step()
        count = len(self.kept)
        tokens = torch.tensor([self.chance.randrange(V) for _ in range(count * self.beams)])
        _, astray = self.model.step(tokens, astray)
        astray.reorder(torch.full((count, self.beams), self.beams - 1)).keep(torch.tensor([0]))

    def select(self, rows: list[int]) -> None:
        self.fed, self.answers = [self.fed[row] for row in rows], [self.answers[row] for row in rows]

    def check(self) -> None:
        """What each row was answered is what teacher forcing says of what it was fed."""
        assert self.state.position == len(self.fed[0])
        if not self.fed[0]:
            return
        mine = self.source[[b for b in self.kept for _ in range(self.beams)]]
        expected = self.model.hidden(mine, torch.tensor(self.fed))
        assert gap(torch.stack([torch.stack(told) for told in self.answers]), expected) <= 1e-5


@every_network
@given(
    seed=seeds,
    beams=st.integers(1, 4),
    lengths=st.lists(st.integers(1, 7), min_size=1, max_size=3),
    actions=st.lists(
        st.sampled_from(["step"] * 4 + ["reorder"] * 2 + ["keep", "branch", "widen"]), max_size=LONGEST + 20
    ),
    explicit=st.booleans(),
)
@settings(max_examples=20)
@torch.no_grad()
def test_step_by_step_is_teacher_forcing_whatever_became_of_the_rows(
    name: str, seed: int, beams: int, lengths: list[int], actions: list[str], explicit: bool
) -> None:
    torch.manual_seed(seed)
    walk = Walk(network(**NETWORKS[name]), sources(*lengths), beams, Probe() if explicit else None, seed)
    for action in actions:
        getattr(walk, action)()
    walk.check()


@every_network
@pytest.mark.parametrize("beams", [1, 3])
@torch.no_grad()
def test_step_by_step_is_teacher_forcing_to_the_last_position(name: str, beams: int) -> None:
    walk = Walk(network(**NETWORKS[name]), sources(5, 2, 7, 3), beams, None, seed=3)
    for t in range(LONGEST):
        walk.step()
        walk.reorder()
        if t in (7, 20):
            walk.keep()
        if t in (4, 15, 16, 31):  # around the steps at which the cache grows
            walk.branch()
    walk.check()
    assert walk.state.position == LONGEST


@torch.no_grad()
def test_both_branches_of_a_copy_live_on() -> None:
    model, source, target = network(), sources(4, 6), words(2, 6)
    other = torch.cat((target[:, :2], words(2, 4)), 1)  # begins alike
    state = model.start(model.encode(source))
    for t in range(2):
        _, state = model.step(target[:, t], state)
    branch = state.copy()
    for t in range(2, 6):
        one, state = model.step(target[:, t], state)
        two, branch = model.step(other[:, t], branch)
        assert gap(one, model.hidden(source, target)[:, t]) <= 1e-5
        assert gap(two, model.hidden(source, other)[:, t]) <= 1e-5


@every_network
@torch.no_grad()
def test_a_start_token_that_is_the_pad_id_is_seen_like_any_other(name: str) -> None:
    """The pad id says where a source ends and nothing about a target."""
    marian = network(Vocabulary(source_size=V, target_size=V, pad=0, start=0), **NETWORKS[name])
    plain = network(Vocabulary(source_size=V, target_size=V, pad=V - 1, start=0), **NETWORKS[name])
    plain.load_state_dict(marian.state_dict())
    source, target = words(2, 5) - 1, words(2, 6)  # no source word is a pad id of either
    target[:, 0] = target[0, 3] = 0
    recorder = Recorder()
    states = marian.hidden(source, target, probe=recorder)
    assert gap(states, plain.hidden(source, target)) <= 1e-5
    if name in TRANSFORMERS:
        assert (recorder.weights[Place("decoder.self", 0)][..., 0] > 0).all()
    state = marian.start(marian.encode(source))
    for t in range(6):
        stepped, state = marian.step(target[:, t], state)
        assert gap(stepped, states[:, t]) <= 1e-5


@every_kind
@torch.no_grad()
def test_what_is_longer_than_the_positions_is_refused_with_the_limit(kind: PositionKind) -> None:
    model = network(source_positions=kind, target_positions=kind, max_source_length=7, max_target_length=5)
    model(sources(7), words(1, 5))
    with pytest.raises(LengthError, match=r"source of 8 tokens .* 7 positions"):
        model.encode(sources(8))
    with pytest.raises(LengthError, match=r"target of 6 tokens .* 5 positions"):
        model.hidden(sources(7), words(1, 6))
    state = model.start(model.encode(sources(7)))
    for _ in range(5):
        _, state = model.step(words(1), state)
    with pytest.raises(LengthError, match=r"target of 6 tokens .* 5 positions"):
        model.step(words(1), state)


@every_classical
@torch.no_grad()
def test_a_classical_network_refuses_what_is_longer_than_it_can_read(name: str) -> None:
    model = network(**{**CLASSICAL[name], "max_source_length": 7, "max_target_length": 5})
    model(sources(7), words(1, 5))
    with pytest.raises(LengthError, match=r"source of 8 tokens .* 7 positions"):
        model.encode(sources(8))
    with pytest.raises(LengthError, match=r"target of 6 tokens .* 5 positions"):
        model.hidden(sources(7), words(1, 6))


@every_classical
@torch.no_grad()
def test_a_classical_network_knows_the_order_of_words_without_positions(name: str) -> None:
    model, source, target = network(**CLASSICAL[name]), words(1, 6), words(1, 4)
    source = torch.randperm(V - 3)[None, :6] + 3  # all different
    probe = Moved("source", None)
    expected = model.hidden(source, target, probe=probe)
    assert gap(model.hidden(source.flip(1), target, probe=probe), expected) > 1e-4


@every_classical
@torch.no_grad()
def test_a_probe_sees_and_changes_the_only_attention_of_a_classical_network(name: str) -> None:
    class LooksAtTheFirstWord(Probe):
        def attention(self, place: Place, scores: Any, mask: Any, weights: Tensor, values: Any) -> Tensor:
            return torch.zeros_like(weights).index_fill(3, torch.tensor(0), 1.0)

    model, source, target = network(**CLASSICAL[name]), sources(5, 8, 4), words(3, 6)
    whole = Recorder()
    usual = model.hidden(source, target, probe=whole)
    layers = {"gru": 0, "gru-one-way": 0, "convolution": 2, "convolution-wide": 2}.get(name, 1)
    assert set(whole.weights) == {Place("decoder.cross", layer) for layer in range(layers)}
    assert all(weights.shape == (3, 1, 6, 8) for weights in whole.weights.values())
    assert all(values.shape[:3] == (3, 1, 8) for values in whole.values.values())

    state = model.start(model.encode(source), beams=2)
    for t in range(6):
        probe = Recorder()
        _, state = model.step(target[:, t].repeat_interleave(2), state, probe=probe)
        assert probe.weights.keys() == whole.weights.keys()
        for place, weights in probe.weights.items():
            assert gap(weights, whole.weights[place][:, :, t : t + 1].expand(-1, -1, 2, -1)) <= 1e-5

    changed = model.hidden(source, target, probe=LooksAtTheFirstWord())
    assert (gap(changed, usual) > 1e-4) == (layers > 0)
    check_steps(model, source, target, LooksAtTheFirstWord(), changed)


@every_transformer
@torch.no_grad()
def test_a_probe_visits_every_attention_once_with_the_shapes_of_the_contract(name: str) -> None:
    model, source, target = network(**NETWORKS[name]), sources(5, 8, 4), words(3, 6)
    probe = Recorder()
    memory = model.encode(source, probe=probe)
    assert set(probe.weights) == {place for place in PLACES if place.part == "encoder.self"}

    probe = Recorder()
    model.hidden(source, target, probe=probe)
    assert set(probe.weights) == PLACES
    shapes = {"encoder.self": (3, H, 8, 8), "decoder.self": (3, H, 6, 6), "decoder.cross": (3, H, 6, 8)}
    assert {place: weights.shape for place, weights in probe.weights.items()} == {
        place: shapes[place.part] for place in PLACES
    }
    assert all(
        values.shape == (3, H, shapes[place.part][-1], D // H) for place, values in probe.values.items()
    )

    whole, state = probe, model.start(memory, beams=2)
    for t in range(6):
        probe = Recorder()
        _, state = model.step(target[:, t].repeat_interleave(2), state, probe=probe)
        assert set(probe.weights) == {place for place in PLACES if place.part != "encoder.self"}
        for place, weights in probe.weights.items():
            expected = whole.weights[place][:, :, t : t + 1]
            if place.part == "decoder.self":
                assert weights.shape == (6, H, 1, t + 1)
                expected = expected[..., : t + 1].repeat_interleave(2, 0)
                assert probe.values[place].shape == (6, H, t + 1, D // H)
            else:
                assert weights.shape == (3, H, 2, 8)
                expected = expected.expand(-1, -1, 2, -1)
                assert probe.values[place].shape == (3, H, 8, D // H)
            assert gap(weights, expected) <= 1e-5


@pytest.mark.parametrize("place", sorted(PLACES))
@pytest.mark.parametrize("head", range(H))
@torch.no_grad()
def test_a_probe_can_change_any_head_of_any_layer(place: Place, head: int) -> None:
    class HeadOff(Probe):
        """Gives one head nothing to say."""

        def attention(self, where: Place, scores: Tensor, mask: Any, weights: Tensor, values: Any) -> Tensor:
            if where != place:
                return weights
            return weights.index_fill(1, torch.tensor(head), 0.0)

    model, source, target = network(), sources(5, 8), words(2, 6)
    before, probed = model.hidden(source, target), model.hidden(source, target, probe=HeadOff())
    assert gap(probed, before) > 1e-3

    state = model.start(model.encode(source, probe=HeadOff()))
    for t in range(6):
        stepped, state = model.step(target[:, t], state, probe=HeadOff())
        assert gap(stepped, probed[:, t]) <= 1e-5

    part = model.encoder if place.part == "encoder.self" else model.decoder
    layer = part.layers[place.layer]
    attention = layer.cross_attention if place.part == "decoder.cross" else layer.self_attention
    own = slice(head * D // H, (head + 1) * D // H)
    attention.output.weight[:, own] = 0  # the same, done to the weights of the network
    assert gap(probed, model.hidden(source, target)) <= 1e-5


@every_kind
@pytest.mark.parametrize("side", ["source", "target"])
@torch.no_grad()
def test_positions_that_a_probe_switches_off_are_no_positions(kind: PositionKind, side: Side) -> None:
    model, source, target = network(**{f"{side}_positions": kind}), sources(5, 8), words(2, 6)
    without = network(**{f"{side}_positions": "none"})
    without.load_state_dict(model.state_dict(), strict=False)
    probe = Moved(side, None)
    states = model.hidden(source, target, probe=probe)
    assert gap(states, without.hidden(source, target)) <= 1e-5
    if kind in ORDERED:
        assert gap(states, model.hidden(source, target)) > 1e-4
    check_steps(model, source, target, probe, states)


@every_kind
@torch.no_grad()
def test_words_and_positions_that_move_together_change_nothing(kind: PositionKind) -> None:
    """In the encoder, which sees all words at once, a word is known by its position and not by its column."""
    model, source, target = network(source_positions=kind), words(2, 7), words(2, 6)
    order = torch.randperm(7)
    probe = Moved("source", order)
    states = model.hidden(source[:, order], target, probe=probe)
    assert gap(states, model.hidden(source, target)) <= 1e-5
    if kind in ORDERED:
        assert gap(states, model.hidden(source[:, order], target)) > 1e-4


@every_kind
@torch.no_grad()
def test_a_probe_can_move_the_positions_of_the_target(kind: PositionKind) -> None:
    model, source, target = network(target_positions=kind), sources(5, 8), words(2, 6)
    probe = Moved("target", torch.tensor([4, 0, 9, 1, 1, 2]))
    states = model.hidden(source, target, probe=probe)
    assert (gap(states, model.hidden(source, target)) > 1e-4) == (kind in ORDERED)
    check_steps(model, source, target, probe, states)


@pytest.mark.parametrize("side", ["source", "target"])
@torch.no_grad()
def test_rotary_networks_know_distances_alone(side: Side) -> None:
    model, source, target = network(**NETWORKS["rotary"]), sources(5, 8), words(2, 6)
    far = Moved(side, torch.arange(LONGEST) + 17)
    assert gap(model.hidden(source, target, probe=far), model.hidden(source, target)) <= 1e-5


@pytest.mark.parametrize("name", NETWORKS)
@torch.no_grad()
def test_a_network_of_half_precision_says_about_the_same(name: str) -> None:
    model, source, target = network(**NETWORKS[name]), sources(5, 8), words(2, 6)
    expected = model.hidden(source, target)
    model.bfloat16()
    for probe in (None, Probe()):
        states = model.hidden(source, target, probe=probe)
        assert states.dtype is torch.bfloat16
        assert gap(states.float(), expected) <= 0.05 * expected.abs().max()
        stepped, _ = model.step(target[:, 0], model.start(model.encode(source)), probe=probe)
        assert gap(stepped.float(), expected[:, 0]) <= 0.05 * expected.abs().max()


def check_steps(model: Seq2Seq, source: Tensor, target: Tensor, probe: Probe, expected: Tensor) -> None:
    """With the same probe, steps give the expected states [B,T,D] of teacher forcing."""
    memory: Memory = model.encode(source, probe=probe)
    state: DecoderState = model.start(memory)
    for t in range(target.shape[1]):
        states, state = model.step(target[:, t], state, probe=probe)
        assert gap(states, expected[:, t]) <= 1e-5
