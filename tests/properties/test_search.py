"""Beam search finds what a plain search finds, and asks of a network nothing but the contract."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from onmal.config import OPTIONS, ModelConfig, SearchConfig, Vocabulary
from onmal.decoding.search import Hypothesis, beam_search, closed_up, continuations, in_place
from onmal.models import DecoderState, Memory, Probe, Seq2Seq, build

CASES, PER_TEST = 200, 25
SPECIAL_IDS = ({}, {}, {"start": 0}, {"start": 2}, {"pad": 3, "start": 0, "end": 1})  # Marian's, fairseq's


class TooClose(Exception):
    """Two hypotheses are so alike in score that rounding may decide between them."""


class Case:
    """A random tiny network that ends its sentences at times, random sources and a random way of searching."""

    def __init__(self, seed: int) -> None:
        torch.manual_seed(seed)
        chance = random.Random(seed)
        size = chance.randint(5, 12)
        self.vocabulary = Vocabulary(source_size=size, target_size=size, **chance.choice(SPECIAL_IDS))
        shape: dict[str, Any] = {
            "network": chance.choice(["transformer"] * 3 + ["gru", "gru-attention", "convolution"]),
            "d_model": 8,
            "encoder_layers": 1,
            "decoder_layers": chance.randint(1, 2),
            "dropout": 0.1,  # to be off
            "max_source_length": 8,
            "max_target_length": chance.choice([5, 14]),
            "output_bias": True,
        }
        options: dict[str, Any] = {
            "num_heads": 2,
            "feed_forward": 12,
            "norm_order": chance.choice(["pre", "post"]),
            "source_positions": chance.choice(["learned", "sinusoidal", "rotary", "none"]),
            "target_positions": chance.choice(["learned", "sinusoidal", "rotary", "none"]),
            "attention": chance.choice(["additive", "dot"]),
            "input_feeding": chance.choice([True, False]),
        }
        if shape["network"] != "transformer":
            options["source_positions"] = options["target_positions"] = "learned"
        known = {option: value for option, value in options.items() if option in OPTIONS[shape["network"]]}
        self.model = build(ModelConfig(**shape, **known), self.vocabulary).eval()
        with torch.no_grad():
            for parameter in self.model.parameters():
                parameter.add_(torch.randn_like(parameter) * 0.3)
            self.model.output.bias[self.vocabulary.end] += chance.uniform(-1.0, 2.0)
        words = [word for word in range(size) if word not in (self.vocabulary.pad, self.vocabulary.end)]
        self.sources = [
            [*chance.choices(words, k=chance.randint(0, 7)), self.vocabulary.end]
            for _ in range(chance.randint(1, 4))
        ]
        beams = chance.randint(1, 5)
        self.search = SearchConfig(
            beam_size=beams,
            n_best=chance.randint(1, beams),
            length_penalty=chance.choice([0.0, 0.6, 1.0, 1.5]),
            max_length_ratio=chance.choice([0.5, 1.5, 3.0]),
            max_length_extra=chance.randint(1, 4),
            patience=chance.choice([1.0, 1.0, 1.5, 3.0]),
        )

    def batch(self) -> Tensor:
        rows = [torch.tensor(source) for source in self.sources]
        return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=self.vocabulary.pad)


def log_probabilities(model: Seq2Seq, source: list[int], prefix: list[int]) -> list[float]:
    """Of each next word after the prefix: read everything anew, keep the last position; pad and start are no words.

    They have no part of the probability either.
    """
    hidden = model.hidden(torch.tensor([source]), torch.tensor([[model.vocabulary.start, *prefix]]))
    logits = model.project(hidden)[0, -1].tolist()
    for banned in {model.vocabulary.pad, model.vocabulary.start} - {model.vocabulary.end}:
        logits[banned] = -math.inf
    total = math.log(sum(math.exp(logit) for logit in logits))
    return [logit - total for logit in logits]


def plain_beam_search(model: Seq2Seq, source: list[int], search: SearchConfig) -> list[Hypothesis]:
    """The rule of the search for one sentence, without batches, tensors or caches."""
    end, beams = model.vocabulary.end, search.beam_size
    limit = min(model.longest_target, int(search.max_length_ratio * len(source)) + search.max_length_extra)
    going: list[tuple[float, list[int]]] = [(0.0, [])]
    finished: list[tuple[float, list[int]]] = []
    length = 0
    while len(finished) < (beams * search.patience if beams > 1 else 1) and length < limit:
        length += 1
        candidates = [
            (total + log_probability, [*prefix, word])
            for total, prefix in going
            for word, log_probability in enumerate(log_probabilities(model, source, prefix))
            if log_probability > -math.inf
        ]
        candidates = best_first(candidates, 2 * beams + 1)[: 2 * beams]
        finished += [(total, words[:-1]) for total, words in candidates[:beams] if words[-1] == end]
        going = [candidate for candidate in candidates if candidate[1][-1] != end][:beams]
    ended = bool(finished)
    scored = [
        (total / (len(words) + ended) ** search.length_penalty, total, words)
        for total, words in finished or going
    ]
    return [
        Hypothesis(tuple(words), total, score, ended)
        for score, total, words in best_first(scored, len(scored))[: search.n_best]
    ]


def best_first(candidates: Sequence[tuple[Any, ...]], count: int) -> list[tuple[Any, ...]]:
    """The first `count`, by their first entry."""
    ranked = sorted(candidates, key=lambda candidate: -candidate[0])[:count]
    if any(one[0] - other[0] < 1e-5 for one, other in itertools.pairwise(ranked)):
        raise TooClose
    return ranked


def decided(first_seed: int) -> Iterator[tuple[Case, list[list[Hypothesis]]]]:
    """Random cases in which rounding decides nothing, each with what the plain search finds."""
    for seed in itertools.count(first_seed):
        case = Case(seed)
        try:
            with torch.no_grad():
                found = [plain_beam_search(case.model, source, case.search) for source in case.sources]
        except TooClose:
            continue
        yield case, found


def assert_same(found: list[list[Hypothesis]], expected: list[list[Hypothesis]]) -> None:
    assert [[h.tokens for h in hypotheses] for hypotheses in found] == [
        [h.tokens for h in hypotheses] for hypotheses in expected
    ]
    for one, other in zip(itertools.chain(*found), itertools.chain(*expected), strict=True):
        assert one.ended == other.ended
        assert one.log_probability == pytest.approx(other.log_probability, abs=1e-4)
        assert one.score == pytest.approx(other.score, abs=1e-4)


@pytest.mark.parametrize("first_seed", range(0, CASES * 10, PER_TEST * 10))
def test_a_plain_search_finds_the_same_hypotheses(first_seed: int) -> None:
    for case, expected in itertools.islice(decided(first_seed), PER_TEST):
        assert_same(beam_search(case.model, case.batch(), case.search), expected)


def test_the_random_cases_meet_every_way_of_ending() -> None:
    cases = [Case(seed) for seed in range(60)]
    best = [found[0] for case in cases for found in beam_search(case.model, case.batch(), case.search)]
    assert {hypothesis.ended for hypothesis in best} == {True, False}
    assert {len(hypothesis.tokens) for hypothesis in best} >= {0, 1, 2, 3, 5, 14}
    assert {case.search.beam_size for case in cases} == {1, 2, 3, 4, 5}
    assert {type(case.model).__name__ for case in cases} == {"Transformer", "GRU", "Convolution"}


def test_one_beam_is_greedy() -> None:
    for case, _ in itertools.islice(decided(5000), 25):
        search = case.search.replace(beam_size=1, n_best=1)
        for source, [found] in zip(case.sources, beam_search(case.model, case.batch(), search), strict=True):
            words: list[int] = []
            total = 0.0
            while len(words) < len(found.tokens) + found.ended:
                with torch.no_grad():
                    following = log_probabilities(case.model, source, words)
                total += max(following)
                words.append(following.index(max(following)))
            assert words == [*found.tokens, *[case.vocabulary.end] * found.ended]
            assert found.log_probability == pytest.approx(total, abs=1e-4)
            if not found.ended:
                limit = int(search.max_length_ratio * len(source)) + search.max_length_extra
                assert len(words) == min(limit, case.model.longest_target)


def test_batch_mates_padding_and_their_order_change_nothing() -> None:
    for case, _ in itertools.islice(decided(7000), 25):
        together = beam_search(case.model, case.batch(), case.search)
        for source, expected in zip(case.sources, together, strict=True):
            assert_same(beam_search(case.model, torch.tensor([source]), case.search), [expected])
        backwards = beam_search(case.model, case.batch().flip(0), case.search)
        assert_same(backwards[::-1], together)
        space = 8 - case.batch().shape[1]
        padded = torch.nn.functional.pad(case.batch(), (0, space), value=case.vocabulary.pad)
        assert_same(beam_search(case.model, padded, case.search), together)


def test_hypotheses_come_best_first_and_fewer_are_the_first_of_more() -> None:
    for case in map(Case, range(9000, 9025)):
        every = beam_search(case.model, case.batch(), case.search.replace(n_best=case.search.beam_size))
        for count in range(1, case.search.beam_size + 1):
            some = beam_search(case.model, case.batch(), case.search.replace(n_best=count))
            assert some == [hypotheses[:count] for hypotheses in every]
        for hypotheses in every:
            scores = [hypothesis.score for hypothesis in hypotheses]
            assert scores == sorted(scores, reverse=True)
            assert len({hypothesis.tokens for hypothesis in hypotheses}) == len(hypotheses) > 0
            for hypothesis in hypotheses:
                length = len(hypothesis.tokens) + hypothesis.ended
                expected = hypothesis.log_probability / length**case.search.length_penalty
                assert hypothesis.score == pytest.approx(expected)


# A network without weights, by which single rules can be told apart. Ids: 0 pad, 1 start, 2 end, then the words.
PAD, START, END, A, B = range(5)
Script = Callable[[int, tuple[int, ...]], dict[int, float]]


class Scripted(Seq2Seq):
    """Says what a script tells it: the probability of each next word, given the source's first word and the words so far."""

    def __init__(self, script: Script, longest_target: int = 50) -> None:
        super().__init__()
        self.vocabulary = Vocabulary(source_size=9, target_size=5)
        self.longest_source, self.longest_target = 50, longest_target
        self.script = script
        self.rows: list[int] = []

    def encode(self, source: Tensor, *, probe: Probe | None = None) -> Memory:
        return Memory(source[:, :, None], source != PAD)

    def hidden(self, source: Tensor, target: Tensor, *, probe: Probe | None = None) -> Tensor:
        raise AssertionError("a search goes step by step")

    def project(self, states: Tensor) -> Tensor:
        return states.clone()

    def start(self, memory: Memory, *, beams: int = 1) -> DecoderState:
        rows = memory.states.new_empty(memory.states.shape[0] * beams, 0)
        return DecoderState(beams, 0, memory.mask, {"first": memory.states[:, 0, 0]}, {"words": rows})

    def step(
        self, token: Tensor, state: DecoderState, *, probe: Probe | None = None
    ) -> tuple[Tensor, DecoderState]:
        assert token.shape == (len(state.source_mask) * state.beams,)
        self.rows.append(len(token))
        state.rows["words"] = torch.cat((state.rows["words"], token[:, None]), 1)
        state.position += 1
        logits = torch.full((len(token), 5), -math.inf)
        for row, [start, *words] in enumerate(state.rows["words"].tolist()):
            assert start == START
            first = state.sources["first"][row // state.beams].item()
            for word, probability in self.script(first, tuple(words)).items():
                logits[row, word] = math.log(probability)
        return logits, state


def translations(script: Script, sources: list[list[int]], **search: Any) -> list[list[tuple[int, ...]]]:
    found = beam_search(Scripted(script), torch.tensor(sources), SearchConfig(**search))
    return [[hypothesis.tokens for hypothesis in hypotheses] for hypotheses in found]


def garden_path(first: int, words: tuple[int, ...]) -> dict[int, float]:
    """A looks better at first (.6), B in the end: A A .6 * .5, B A .4 * .9."""
    return {
        (): {A: 0.6, B: 0.4},
        (A,): {A: 0.5, B: 0.5 - 1e-3, END: 1e-3},
        (B,): {A: 0.9, END: 0.1},
    }.get(words, {END: 1.0})


def test_a_wider_beam_sees_past_a_good_beginning() -> None:
    assert translations(garden_path, [[3, 2]], beam_size=1) == [[(A, A)]]
    [[best]] = beam_search(Scripted(garden_path), torch.tensor([[3, 2]]), SearchConfig(beam_size=2))
    assert best.tokens == (B, A)
    assert best.ended
    assert best.log_probability == pytest.approx(math.log(0.36))
    assert best.score == pytest.approx(math.log(0.36) / 3)


def test_the_length_penalty_decides_between_short_and_long() -> None:
    def script(first: int, words: tuple[int, ...]) -> dict[int, float]:
        return {END: 0.4, A: 0.6} if not words else {A: 0.5, END: 0.5} if len(words) == 1 else {END: 1.0}

    for length_penalty, shortest_first in ((0.0, True), (1.0, False)):
        [found] = translations(script, [[3, 2]], beam_size=2, n_best=2, length_penalty=length_penalty)
        assert (found[0] == ()) == shortest_first


def test_what_ends_in_the_last_step_is_ranked_even_beyond_the_beam() -> None:
    def script(first: int, words: tuple[int, ...]) -> dict[int, float]:
        return {A: 0.5, END: 0.3, B: 0.2} if not words else {END: 0.95, A: 0.05}

    # Nothing, then A and B at once: three for a beam of two, and the first found is the worst.
    assert translations(script, [[3, 2]], beam_size=2, n_best=2) == [[(A,), (B,)]]


def test_an_end_that_is_not_among_the_first_waits() -> None:
    def script(first: int, words: tuple[int, ...]) -> dict[int, float]:
        return {A: 0.4, B: 0.35, END: 0.25} if not words else {END: 1.0}

    # The empty translation is third best: looked at, but not finished, though its score would win.
    assert translations(script, [[3, 2]], beam_size=2, n_best=2, length_penalty=0.0) == [[(A,), (B,)]]


@pytest.mark.parametrize(
    ("source", "search", "longest_target", "limit"),
    [
        ([3, 2], {"max_length_ratio": 2.0, "max_length_extra": 1}, 50, 5),
        ([3, 4, 5, 2, 0, 0], {"max_length_ratio": 1.5, "max_length_extra": 2}, 50, 8),
        ([3, 4, 2], {"max_length_ratio": 0.5, "max_length_extra": 1}, 50, 2),
        ([3, 4, 5, 2], {"max_length_ratio": 9.0}, 7, 7),
        ([*[3] * 59, 2], {"max_length_ratio": 1.05, "max_length_extra": 1}, 100, 64),
    ],
)
@pytest.mark.parametrize("beam_size", [1, 3])
def test_what_does_not_end_is_cut_at_its_limit_and_says_so(
    source: list[int], search: dict[str, Any], longest_target: int, limit: int, beam_size: int
) -> None:
    def endless(first: int, words: tuple[int, ...]) -> dict[int, float]:
        return {A: 0.75, B: 0.25}

    config = SearchConfig(beam_size=beam_size, n_best=beam_size, **search)
    model = Scripted(endless, longest_target)
    [found] = beam_search(model, torch.tensor([source]), config)
    assert found[0] == Hypothesis((A,) * limit, found[0].log_probability, found[0].score, ended=False)
    assert found[0].log_probability == pytest.approx(limit * math.log(0.75))
    assert found[0].score == pytest.approx(math.log(0.75))
    assert len(found) == beam_size
    assert len(model.rows) == limit


def test_an_end_in_the_last_step_allowed_counts() -> None:
    def script(first: int, words: tuple[int, ...]) -> dict[int, float]:
        return {A: 0.9, B: 0.1} if len(words) < 4 else {A: 0.6, END: 0.4}

    search = SearchConfig(beam_size=2, max_length_ratio=2.0, max_length_extra=1)
    [[found]] = beam_search(Scripted(script), torch.tensor([[3, 2]]), search)
    assert (found.tokens, found.ended) == ((A,) * 4, True)


def test_pad_and_start_are_never_said() -> None:
    def script(first: int, words: tuple[int, ...]) -> dict[int, float]:
        return {PAD: 0.5, START: 0.3, A: 0.15, END: 0.05}

    for beam_size in (1, 2, 4):
        for tokens in translations(script, [[3, 2]], beam_size=beam_size, n_best=beam_size)[0]:
            assert set(tokens) <= {A}


@pytest.mark.parametrize("ends", [False, True])
def test_a_beam_that_cannot_be_filled_returns_what_there_is(ends: bool) -> None:
    def script(first: int, words: tuple[int, ...]) -> dict[int, float]:
        return {END if ends and len(words) == 2 else A: 1.0}

    [found] = beam_search(Scripted(script, 6), torch.tensor([[3, 2]]), SearchConfig(beam_size=3, n_best=3))
    assert found == [Hypothesis((A,) * (2 if ends else 6), 0.0, 0.0, ended=ends)]


def test_each_source_goes_its_own_way_and_leaves_when_it_is_done() -> None:
    def script(first: int, words: tuple[int, ...]) -> dict[int, float]:
        """As many words as the source's first word says."""
        return {A: 0.8, B: 0.2} if len(words) < first else {END: 1.0}

    model = Scripted(script)
    found = beam_search(model, torch.tensor([[5, 2], [2, 2], [7, 2], [3, 2]]), SearchConfig(beam_size=2))
    assert [hypotheses[0].tokens for hypotheses in found] == [(A,) * 5, (A,) * 2, (A,) * 7, (A,) * 3]
    assert model.rows == [4, 8, 8, 6, 4, 4, 2, 2]  # before the first word all hypotheses are one


@given(seed=st.integers(0, 2**31), length_penalty=st.sampled_from([0.0, 0.5, 1.0]))
@settings(max_examples=20)
def test_a_beam_that_holds_everything_finds_the_best_of_all_translations(
    seed: int, length_penalty: float
) -> None:
    def script(first: int, words: tuple[int, ...]) -> dict[int, float]:
        shares = random.Random(f"{seed} {first} {words}").choices(range(1, 1000), k=3)
        return {word: share / sum(shares) for word, share in zip((A, B, END), shares, strict=True)}

    def score(words: tuple[int, ...]) -> float:
        parts = [script(3, words[:at])[word] for at, word in enumerate((*words, END))]
        return math.log(math.prod(parts)) / len(parts) ** length_penalty

    every = [words for length in range(4) for words in itertools.product((A, B), repeat=length)]
    search = SearchConfig(
        beam_size=24, n_best=24, length_penalty=length_penalty, max_length_ratio=1.0, max_length_extra=2
    )
    [found] = beam_search(Scripted(script), torch.tensor([[3, 2]]), search)
    assert {hypothesis.tokens for hypothesis in found} == set(every)
    for hypothesis in found:
        assert hypothesis.score == pytest.approx(score(hypothesis.tokens), abs=1e-4)
    assert found[0].score == pytest.approx(max(map(score, every)), abs=1e-4)


@given(
    seed=st.integers(0, 1000), count=st.integers(1, 12), beams=st.integers(1, 5), digits=st.integers(0, 6),
    size=st.sampled_from([1, 3, 63, 64, 65, 130, 400]), fresh=st.booleans(),
)  # fmt: skip
def test_the_best_words_are_those_of_the_whole_vocabulary(
    seed: int, count: int, beams: int, digits: int, size: int, fresh: bool
) -> None:
    chance = torch.Generator().manual_seed(seed)
    nexts = torch.randn(3, beams, size, generator=chance).round(decimals=digits)
    nexts[torch.rand(nexts.shape, generator=chance) < 0.2] = -torch.inf
    totals = torch.randn(3, beams, generator=chance)
    totals[:, fresh:] = -torch.inf if fresh else 0.0
    best, rows, tokens = continuations(nexts, totals, count)
    sums = nexts + totals[:, :, None]
    assert torch.equal(best, sums.flatten(1).topk(min(count, beams * size)).values)
    assert torch.equal(best, sums[torch.arange(3)[:, None], rows, tokens])
    assert all(len(set(cells)) == len(cells) for cells in (rows * size + tokens).tolist())


@given(st.lists(st.booleans()))
def test_sources_that_go_on_close_up(going_on: list[bool]) -> None:
    order = closed_up(torch.tensor(going_on, dtype=torch.bool)).tolist()
    assert sorted(order) == [number for number, goes_on in enumerate(going_on) if goes_on]
    assert all(order[place] == place for place in range(len(order)) if going_on[place])


@given(
    st.integers(1, 6).flatmap(
        lambda k: st.lists(st.lists(st.integers(0, k - 1), min_size=k, max_size=k), min_size=1)
    )
)
def test_a_row_that_goes_on_keeps_its_place(rows: list[list[int]]) -> None:
    for parents, order in zip(rows, in_place(torch.tensor(rows)).tolist(), strict=True):
        assert sorted(order) == list(range(len(parents)))
        placed = [parents[continuation] for continuation in order]
        assert all(placed[row] == row for row in parents)
