"""The search does what it is told: lengths, n-grams, beginnings, words that must or must not come, chance, diversity, coverage."""

from __future__ import annotations

import math
import random
from collections import Counter
from typing import Any

import pytest
import torch

from onmal.config import ModelConfig, SearchConfig, Vocabulary
from onmal.decoding.constrained import MOST_BEAMS, constrained_search
from onmal.decoding.ensemble import Ensemble
from onmal.decoding.rules import Never, Prefix, Rule
from onmal.decoding.search import Hypothesis, beam_search
from onmal.errors import ConfigError
from onmal.models import Seq2Seq, build
from onmal.translating.torch_engine import TorchEngine

VOCABULARY = Vocabulary(source_size=14, target_size=14)
PAD, START, END = 0, 1, 2


def network(seed: int, kind: str = "transformer") -> Seq2Seq:
    """One that has learned nothing, and ends its sentences at times."""
    if kind == "ensemble":
        return Ensemble([network(seed), network(seed, "gru-attention"), network(seed, "convolution")])
    torch.manual_seed(seed)
    heads = {"num_heads": 2, "feed_forward": 12} if kind == "transformer" else {"network": kind}
    config = ModelConfig(
        d_model=8, encoder_layers=1, decoder_layers=2, tie="none",
        max_source_length=16, max_target_length=24, output_bias=True, **heads,
    )  # fmt: skip
    model = build(config, VOCABULARY).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.4)
        model.output.bias[END] += 1
    return model


def rows(count: int, seed: int = 0) -> torch.Tensor:
    """Sources [B,S] of 1 to 10 words."""
    chance = random.Random(seed)
    found = [[*chance.choices(range(3, 14), k=chance.randint(1, 10)), END] for _ in range(count)]
    return torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row in found], batch_first=True)


def search(
    network_seed: int, *rules: Rule, kind: str = "transformer", **config: Any
) -> list[list[Hypothesis]]:
    return beam_search(network(network_seed, kind), rows(6), SearchConfig(**config), rules)


def teacher_forced(model: Seq2Seq, source: torch.Tensor, hypothesis: Hypothesis) -> float:
    """Log-probability of a hypothesis, all its words at once."""
    words = [*hypothesis.tokens, *[END] * hypothesis.ended]
    with torch.no_grad():
        logits = model(source[source != PAD][None], torch.tensor([[START, *words[:-1]]]))[0]
    logits[:, [PAD, START]] = -torch.inf
    return float(logits.log_softmax(-1)[range(len(words)), words].sum())


SEEDS = range(8)
OTHERS = ("gru-attention", "convolution", "ensemble")
NETWORKS = [*((seed, "transformer") for seed in SEEDS), *((0, kind) for kind in OTHERS)]
STEERED: list[dict[str, Any]] = [
    {"min_length_ratio": 1.0},
    {"no_repeat_ngram": 2},
    {"diversity": 1.0},
    {"coverage_penalty": 0.5},
    {"sample": True},
    {"sample": True, "temperature": 0.5, "top_k": 5, "top_p": 0.8, "no_repeat_ngram": 1},
]


@pytest.mark.parametrize("options", STEERED, ids=str)
@pytest.mark.parametrize(("seed", "kind"), NETWORKS)
def test_a_log_probability_stays_the_networks_own_and_batch_mates_change_nothing(
    seed: int, kind: str, options: dict[str, Any]
) -> None:
    model, sources, config = network(seed, kind), rows(6), SearchConfig(beam_size=3, n_best=3, **options)
    together = beam_search(model, sources, config)
    for source, found in zip(sources, together, strict=True):
        for hypothesis in found:
            expected = teacher_forced(model, source, hypothesis)
            assert hypothesis.log_probability == pytest.approx(expected, abs=1e-3)
        [alone] = beam_search(model, source[source != PAD][None], config)
        assert [each.tokens for each in alone] == [each.tokens for each in found]


@pytest.mark.parametrize("seed", SEEDS)
def test_no_translation_is_shorter_than_asked(seed: int) -> None:
    free = search(seed, beam_size=3)
    long = search(seed, beam_size=3, min_length_ratio=1.5)
    for source, [before], [after] in zip(rows(6), free, long, strict=True):
        least = 1.5 * (int((source != PAD).sum()) - 1)
        assert len(after.tokens) >= min(least, 24)
        if len(before.tokens) >= least:
            assert after.score >= before.score - 1e-5


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("seed", SEEDS)
def test_no_n_words_come_twice(seed: int, n: int) -> None:
    def windows(tokens: tuple[int, ...]) -> list[tuple[int, ...]]:
        return [tokens[at : at + n] for at in range(len(tokens) - n + 1)]

    for found in search(seed, beam_size=4, n_best=4, no_repeat_ngram=n):
        for hypothesis in found:
            assert len(set(windows(hypothesis.tokens))) == len(windows(hypothesis.tokens))


def test_left_to_themselves_they_come_twice() -> None:
    said = [best.tokens for seed in SEEDS for [best] in search(seed, beam_size=4)]
    for n in (1, 2, 3):
        windows = [[tokens[at : at + n] for at in range(len(tokens) - n + 1)] for tokens in said]
        assert any(len(set(each)) < len(each) for each in windows)


@pytest.mark.parametrize("beams", [1, 4])
@pytest.mark.parametrize(("seed", "kind"), NETWORKS)
def test_each_translation_begins_as_asked(seed: int, kind: str, beams: int) -> None:
    prefixes = [(5, 6), (), (7,), (5, 6, 7, 8), (), (9, 9)]
    found = search(seed, Prefix(prefixes, torch.device("cpu")), beam_size=beams, kind=kind)
    free = search(seed, beam_size=beams, kind=kind)
    for prefix, [best], [usual] in zip(prefixes, found, free, strict=True):
        assert best.tokens[: len(prefix)] == prefix
        assert prefix or best.tokens == usual.tokens


@pytest.mark.parametrize(("seed", "kind"), NETWORKS)
def test_what_must_not_be_said_is_not(seed: int, kind: str) -> None:
    free = search(seed, beam_size=3, kind=kind)
    said = Counter(word for [best] in free for word in best.tokens)
    word = said.most_common(1)[0][0]
    pair = next(best.tokens[:2] for [best] in free if len(best.tokens) > 1)
    everywhere = search(seed, Never([(word,), pair]), beam_size=3, kind=kind)
    for [best] in everywhere:
        assert word not in best.tokens
        assert pair not in zip(best.tokens, best.tokens[1:], strict=False)
    rules = Never([(word,), pair], only=[1]), Never([(word,)], only=[5])
    some = search(seed, *rules, beam_size=3, kind=kind)
    usual = [found[n][0].tokens for n, found in ((0, free), (1, everywhere), (2, free), (3, free))]
    assert [best.tokens for [best] in some[:4]] == usual
    assert word not in some[5][0].tokens


def test_what_must_be_said_is_and_mostly_as_well_as_by_trying_every_place() -> None:
    config, chance = SearchConfig(beam_size=4, max_length_ratio=1.0, max_length_extra=4), random.Random(0)
    as_good = []
    for seed in SEEDS:
        model = network(seed)
        for row in rows(3, seed):
            source = row[row != PAD][None]
            phrases = tuple(tuple(chance.choices(range(3, 14), k=length)) for length in (1, 2))
            [[best]] = constrained_search(model, source, config, [phrases])
            for phrase in phrases:
                assert any(best.tokens[at : at + len(phrase)] == phrase for at in range(len(best.tokens)))
            assert best.log_probability == pytest.approx(teacher_forced(model, row, best), abs=1e-3)
            [[usual]] = beam_search(model, source, config)
            as_good.append(best.score >= best_put_in(model, row, usual.tokens, phrases) - 1e-4)
    assert sum(as_good) >= 0.75 * len(as_good)  # a beam proves nothing


def test_each_source_says_its_phrases_whatever_it_is_searched_with() -> None:
    config = SearchConfig(beam_size=3, n_best=3)
    for seed, kind in NETWORKS:
        model, chance, source = network(seed, kind), random.Random(seed), rows(8, seed)
        phrases = [
            tuple(
                tuple(chance.choices(range(3, 14), k=chance.randint(1, 3)))
                for _ in range(chance.randint(1, 2))
            )
            for _ in source
        ]
        together = constrained_search(model, source, config, phrases, [Never([(7, 7)])])
        for row, each, found in zip(source, phrases, together, strict=True):
            [alone] = constrained_search(model, row[row != PAD][None], config, [each], [Never([(7, 7)])])
            assert [h.tokens for h in found] == [h.tokens for h in alone]
            assert [h.score for h in found] == pytest.approx([h.score for h in alone], abs=1e-4)


def test_however_much_must_be_said_there_are_only_so_many_hypotheses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, source, widths = network(1), rows(1), set[int]()
    step, phrase = model.step, tuple(range(3, 14)) * 2

    def counted(token: torch.Tensor, state: Any) -> Any:
        widths.add(len(token))
        return step(token, state)

    monkeypatch.setattr(model, "step", counted)
    [[found]] = constrained_search(model, source, SearchConfig(beam_size=3), [(phrase,)])
    assert widths == {MOST_BEAMS}
    assert any(found.tokens[at : at + len(phrase)] == phrase for at in range(len(found.tokens)))


def best_put_in(
    model: Seq2Seq, source: torch.Tensor, words: tuple[int, ...], phrases: tuple[tuple[int, ...], ...]
) -> float:
    """The score of the best translation that is the usual one with two phrases put in somewhere."""
    tried = []
    for one, other in (phrases, phrases[::-1]):
        for first in range(len(words) + 1):
            for second in range(first, len(words) + 1):
                said = (*words[:first], *one, *words[first:second], *other, *words[second:])
                whole = Hypothesis(said, 0, 0, ended=True)
                tried.append(teacher_forced(model, source, whole) / (len(said) + 1))
    return max(tried)


def test_where_the_rules_leave_no_word_the_search_ends() -> None:
    model, source = network(1), rows(2)
    everything = Never([(word,) for word in range(14)])
    for beams in (1, 3):
        for [found] in beam_search(model, source, SearchConfig(beam_size=beams), [everything]):
            assert (found.tokens, found.ended) == ((), False)
    [[found]] = constrained_search(model, source[:1], SearchConfig(beam_size=2), [((5,),)], [everything])
    assert (found.tokens, found.ended) == ((), False)


# Chance


def test_words_are_drawn_as_often_as_the_network_says() -> None:
    model, source = network(1), rows(1)
    config = SearchConfig(beam_size=256, n_best=256, sample=True, max_length_ratio=0.01, max_length_extra=1)
    drawn: Counter[int] = Counter()
    for seed in range(40):
        for hypothesis in beam_search(model, source, config.replace(seed=seed))[0]:
            drawn[hypothesis.tokens[0] if hypothesis.tokens else END] += 1
    with torch.no_grad():
        expected = model(source, torch.tensor([[START]]))[0, -1].softmax(-1).tolist()
    total = sum(drawn.values())
    assert total == 40 * 256
    allowed = 1 - expected[PAD] - expected[START]
    for word in range(2, 14):
        share = expected[word] / allowed
        assert drawn[word] / total == pytest.approx(share, abs=5 * math.sqrt(share / total) + 1e-3)


def test_cold_or_among_one_is_greedy_and_another_seed_is_another_draw() -> None:
    for seed in SEEDS:
        greedy = [best.tokens for [best] in search(seed, beam_size=1)]
        assert [best.tokens for [best] in search(seed, beam_size=1, sample=True, top_k=1)] == greedy
        assert [best.tokens for [best] in search(seed, beam_size=1, sample=True, top_p=1e-6)] == greedy
        assert [best.tokens for [best] in search(seed, beam_size=1, sample=True, temperature=1e-4)] == greedy
    draws = [[best.tokens for [best] in search(1, beam_size=1, sample=True, seed=seed)] for seed in (0, 0, 1)]
    assert draws[0] == draws[1] != draws[2]


def test_only_the_likeliest_words_are_drawn() -> None:
    model, source = network(1), rows(1)
    with torch.no_grad():
        logits = model(source, torch.tensor([[START]]))[0, -1]
    logits[[PAD, START]] = -torch.inf
    ordered = logits.softmax(-1).sort(descending=True)
    config = SearchConfig(beam_size=256, n_best=256, sample=True, max_length_ratio=0.01, max_length_extra=1)

    def first_words(**options: Any) -> set[int]:
        found = beam_search(model, source, config.replace(**options))[0]
        return {hypothesis.tokens[0] if hypothesis.tokens else END for hypothesis in found}

    assert first_words(top_k=3, temperature=5.0) == set(ordered.indices[:3].tolist())
    nucleus = int((ordered.values.cumsum(0) < 0.5).sum()) + 1
    assert first_words(top_p=0.5) == set(ordered.indices[:nucleus].tolist())


# Diversity and coverage


def test_diversity_gives_more_different_beginnings() -> None:
    def beginnings(**options: Any) -> float:
        found = [
            hypotheses for seed in SEEDS for hypotheses in search(seed, beam_size=4, n_best=4, **options)
        ]
        return sum(len({h.tokens[:1] for h in hypotheses}) for hypotheses in found) / len(found)

    assert beginnings(diversity=0.0) < beginnings(diversity=20.0)


def test_coverage_is_refused_where_a_network_does_not_look_at_its_source() -> None:
    gru = build(ModelConfig(network="gru", d_model=8, tie="none"), VOCABULARY).eval()
    with pytest.raises(ConfigError, match="does not look back at its source; leave away coverage_penalty"):
        beam_search(gru, rows(2), SearchConfig(coverage_penalty=0.1))


def test_coverage_lowers_a_score_by_what_was_hardly_looked_at() -> None:
    for seed in SEEDS:
        model = network(seed)
        engine, source = TorchEngine(model), [5, 9, 4, 11, 3, END]
        config = SearchConfig(beam_size=3, n_best=3, coverage_penalty=0.7)
        for hypothesis in engine.translate([source], config)[0]:
            target = [*hypothesis.tokens, *[END] * hypothesis.ended]
            looks = torch.tensor(engine.align(source, target)).sum(0).clamp(1e-9, 1.0)
            length = len(target)
            expected = hypothesis.log_probability / length + 0.7 * float(looks.log().sum())
            assert hypothesis.score == pytest.approx(expected, abs=1e-4)
