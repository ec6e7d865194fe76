"""torch_engine: whatever the batches, each source gets its own translation, in its place."""

from __future__ import annotations

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

import onmal.translating.torch_engine
from onmal.config import ModelConfig, SearchConfig, Vocabulary
from onmal.decoding.search import Hypothesis
from onmal.models import Seq2Seq, build
from onmal.threads import in_threads
from onmal.translating.engine import Constraints, Engine
from onmal.translating.torch_engine import ExactEngine, TorchEngine

VOCABULARY = Vocabulary(source_size=30, target_size=20)
LAYERS, LONGEST = 3, 24


def random_network(seed: int) -> Seq2Seq:
    """One that ends its sentences at times."""
    torch.manual_seed(seed)
    config = ModelConfig(
        d_model=16, num_heads=2, feed_forward=16, encoder_layers=1, decoder_layers=LAYERS, tie="none",
        max_source_length=LONGEST, max_target_length=LONGEST, output_bias=True,
    )  # fmt: skip
    network = build(config, VOCABULARY).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
        network.output.bias[VOCABULARY.end] += 0.5 * seed
    return network


@pytest.fixture(params=range(3))
def model(request: pytest.FixtureRequest) -> Seq2Seq:
    return random_network(request.param)


def sources(count: int) -> list[list[int]]:
    chance = random.Random(count)
    return [[*chance.choices(range(3, 30), k=chance.randint(0, LONGEST - 1)), 2] for _ in range(count)]


def assert_same(found: Sequence[Sequence[Hypothesis]], expected: Sequence[Sequence[Hypothesis]]) -> None:
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert [(h.tokens, h.ended) for h in one] == [(h.tokens, h.ended) for h in other]
        for hypothesis, alike in zip(one, other, strict=True):
            assert hypothesis.score == pytest.approx(alike.score, abs=1e-4)
            assert hypothesis.log_probability == pytest.approx(alike.log_probability, abs=1e-4)


def test_nothing_to_translate(model: Seq2Seq) -> None:
    assert TorchEngine(model).translate([], SearchConfig()) == []


@pytest.mark.parametrize(
    "search", [SearchConfig(beam_size=1), SearchConfig(beam_size=3, n_best=2)], ids=["greedy", "beam"]
)
@pytest.mark.parametrize("cells", [100, 100_000])
def test_order_is_restored_whatever_the_batches(
    model: Seq2Seq, search: SearchConfig, cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine: Engine = TorchEngine(model)
    rows = sources(20)
    alone = [hypotheses for row in rows for hypotheses in engine.translate([row], search)]
    monkeypatch.setattr(onmal.translating.torch_engine, "BATCH_CELLS", cells)
    monkeypatch.setattr(onmal.translating.torch_engine, "FEW_CELLS", 1)
    assert_same(engine.translate(rows, search), alone)
    order = random.Random(0).sample(range(20), 20)
    assert_same(engine.translate([rows[n] for n in order], search), [alone[n] for n in order])
    assert len({round(hypotheses[0].score, 3) for hypotheses in alone}) > 10  # so a wrong place would be seen


def test_a_batch_holds_no_more_cells_than_allowed(model: Seq2Seq, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        torch, "get_num_threads", lambda: 1
    )  # one batch after the other: their order is looked at
    monkeypatch.setattr(onmal.translating.torch_engine, "BATCH_CELLS", 200)
    monkeypatch.setattr(onmal.translating.torch_engine, "FEW_CELLS", 1)
    shapes: list[tuple[int, int]] = []
    encode = model.encode

    def encode_and_note(source: torch.Tensor) -> object:
        words = (source != model.vocabulary.pad).sum(1)
        shapes.append((len(source), int(words.max())))
        return encode(source)

    monkeypatch.setattr(model, "encode", encode_and_note)
    TorchEngine(model).translate(sources(40), SearchConfig(beam_size=4))
    assert sum(rows for rows, _ in shapes) == 40
    assert all(rows * length * 4 <= 200 or rows == 1 for rows, length in shapes)
    assert shapes[0][1] == max(length for _, length in shapes)  # what needs most memory comes first


def greedy(model: Seq2Seq, source: list[int], limit: int) -> tuple[tuple[int, ...], bool]:
    """The likeliest next word, again and again; pad and start are no words."""
    words: list[int] = []
    while len(words) < limit:
        with torch.no_grad():
            logits = model(torch.tensor([source]), torch.tensor([[VOCABULARY.start, *words]]))[0, -1]
        logits[[VOCABULARY.pad, VOCABULARY.start]] = -torch.inf
        word = int(logits.argmax())
        if word == VOCABULARY.end:
            return tuple(words), True
        words.append(word)
    return tuple(words), False


def test_one_beam_is_greedy() -> None:
    search = SearchConfig(beam_size=1, max_length_ratio=1.0, max_length_extra=4)
    rows = sources(12)
    ends = set()
    for model in map(random_network, range(3)):
        for row, [found] in zip(rows, TorchEngine(model).translate(rows, search), strict=True):
            assert (found.tokens, found.ended) == greedy(model, row, min(LONGEST, len(row) + 4))
            ends.add(found.ended)
    assert ends == {True, False}


def test_alignment_is_a_distribution_over_the_source_for_each_token(model: Seq2Seq) -> None:
    engine = TorchEngine(model)
    for row in sources(10):
        [best] = engine.translate([row], SearchConfig(beam_size=2))[0]
        target = [*best.tokens, *[VOCABULARY.end] * best.ended]
        rows = engine.align(row, target)
        assert len(rows) == len(target)
        assert {len(weights) for weights in rows} == {len(row)}
        assert all(sum(weights) == pytest.approx(1, abs=1e-5) for weights in rows)
        # A token is aligned before it is known: the last one changes nothing.
        assert engine.align(row, [*target[:-1], 5]) == rows


def test_batches_searched_at_once_are_those_searched_in_turn(
    model: Seq2Seq, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onmal.translating.torch_engine, "BATCH_CELLS", 40)
    monkeypatch.setattr(onmal.translating.torch_engine, "FEW_CELLS", 1)
    texts, search, threads = sources(40), SearchConfig(beam_size=2, n_best=2), torch.get_num_threads()
    in_turn = TorchEngine(model).translate(texts, search)
    try:
        torch.set_num_threads(3)
        at_once = TorchEngine(model).translate(texts, search)
        assert list(in_threads(lambda _: torch.get_num_threads(), [1, 2, 3], 3, 3)) == [1] * 3
        with ThreadPoolExecutor(1) as pool:  # one that has begun later
            assert pool.submit(torch.get_num_threads).result() == torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(threads)
    assert_same(at_once, in_turn)


def test_the_exact_engine_gives_the_same_to_the_bit_whatever_it_is_given_with(model: Seq2Seq) -> None:
    texts, search = sources(24), SearchConfig(beam_size=3, n_best=3)
    engine, threads = ExactEngine(model), torch.get_num_threads()
    together = engine.translate(texts, search)
    try:
        torch.set_num_threads(3 - min(2, threads))
        order = random.Random(1).sample(range(len(texts)), len(texts))
        shuffled = engine.translate([texts[n] for n in order], search)
        assert torch.get_num_threads() == 3 - min(2, threads)
    finally:
        torch.set_num_threads(threads)
    assert [together[n] for n in order] == shuffled
    assert [engine.translate([text], search)[0] for text in texts] == together
    assert_same(together, TorchEngine(model).translate(texts, search))


def test_the_exact_engine_knows_what_is_asked_of_each_source(model: Seq2Seq) -> None:
    texts, search = sources(3), SearchConfig(beam_size=2)
    asked = Constraints(
        prefixes=[(5,), (), (6, 7)], must=[(), ((8,),), ()], never=[(), ((9,), (7, 8)), ((9,),)]
    )
    found = ExactEngine(model).translate(texts, search, asked)
    assert_same(found, TorchEngine(model).translate(texts, search, asked))
