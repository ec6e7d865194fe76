"""The experiments that train: networks of one size, trained once; and every verdict that their rules can give."""

from __future__ import annotations

import random
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from onmal.config import ModelConfig, Vocabulary
from onmal.lab import EXPERIMENTS, experiment_named, run, trained
from onmal.lab.experiment import Bench
from onmal.lab.importance import least_error, ranks, said_on_both_sides, spearman
from onmal.lab.length import FAR, gradients
from onmal.lab.pictures import sheet
from onmal.lab.roles import reversed_pairs
from onmal.lab.scores import by_length, likelihoods, recall
from onmal.lab.senses import NETWORKS, OTHERS, encoder, parameters, sentences
from onmal.lab.speed import networks, steps_that_wait
from onmal.lab.texts import SHORT, english_words, short
from onmal.lab.unmasked import SeesTheFuture, WithoutMask, repeats
from onmal.models import Transformer, build
from onmal.phrasebook import phrases

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from random_model import random_model, tokenizer

TRAINED = [name for name in EXPERIMENTS if not experiment_named(name).exact]
HOLDS, PARTLY, NOT = "holds", "holds partly", "not seen at this size"


def curve(*chrf: float) -> dict[str, dict[str, float]]:
    buckets = ("3-4", "5-6", "7-8", "9-10", "11-13", "14-16", "17-24")
    return {
        bucket: {"sentences": 10, "exact": 1.0, "chrF": value}
        for bucket, value in zip(buckets, chrf, strict=True)
    }


def lengths(without: list[float], beside: list[float]) -> dict[str, Any]:
    networks = {"Transformer": beside, "GRU": without, "GRU with attention": beside}
    fading = [[1.0, 0.5, 0.1]]
    return {
        "by_length": {name: [curve(*values)] * 2 for name, values in networks.items()},
        "recall": {"8": {"sentences": 10, **{name: [[90.0, 50.0]] for name in networks}}},
        "gradient": {"before": fading, "after": fading},
    }


def senses(beyond: float, deep: float, whole: float = 95.0) -> dict[str, Any]:
    def network(reach: int, within: float) -> dict[str, Any]:
        right = [within] * reach + [beyond] * (20 - reach)
        return {"reach": reach, "right": [right, right], "within": within, "beyond": beyond}

    return {
        "convolution, 1 layer": network(1, 99.0),
        "convolution, 6 layers": network(6, deep),
        "self-attention, 1 layer": {"reach": 20, "right": [[whole] * 20], "within": whole},
    }


def speeds(at_128: float, other: float) -> dict[str, Any]:
    def by(gru: float) -> dict[str, dict[str, list[float]]]:
        return {
            "self-attention": {"8": [1.0, 0.9, 7.0], "128": [1.0], "512": [2.0]},
            "GRU": {"8": [1.0], "128": [gru], "512": [gru]},
        }

    written = {"self-attention": {"64": [200.0]}, "GRU": {"64": [100.0]}}
    return {
        "reading": {"1 thread": by(at_128), "2 threads": by(other)},
        "writing": {"1 thread": written, "2 threads": written},
    }


def attention(gain: float, p: float) -> dict[str, Any]:
    chrf = {
        "Transformer": [60.0, 61.0],
        "GRU": [40.0, 41.0],
        "GRU with attention": [40.0 + gain, 41.0 + gain],
    }
    return {"scores": {"chrF": chrf}, "p_values_of_chrF": {"GRU with attention against GRU": [0.001, p]}}


def roles(english: float, korean: float, usual: float = 95.0) -> dict[str, Any]:
    def kinds(off: float) -> dict[str, list[float]]:
        return {"both sides": [usual], "source off": [off], "target off": [usual], "both off": [off]}

    return {"accuracy": {"ko-en": kinds(korean), "en-ko": kinds(english)}}


def positions(rotary: float, *beyond: float) -> dict[str, Any]:
    def one(within: float, beyond: float) -> list[dict[str, dict[str, float]]]:
        return [curve(70, 65, within + change, 50, 40, beyond + change, 20) for change in (0.0, 3.0)]

    kinds = {
        "learned": one(60, beyond[0]),
        "sinusoidal": one(61, beyond[1]),
        "rotary": one(rotary, beyond[2]),
        "no positions": one(20, 10),
    }
    return {"by_length": kinds}


def heads(four: float) -> dict[str, Any]:
    return {
        "chrF": {"1": [50.0, 51.0], "4": [four, four + 2]},
        "without_a_head": {"decoder.cross": [[0.1, 1.0]]},
    }


def unmasked(nll: float, chrf: float) -> dict[str, Any]:
    on_the_way = {"training": [[20, 5.0], [40, 1.0]], "validation": [[50, 1.1, 20.0]]}
    return {
        "teacher_forced_nll": {"with the mask": [0.4, 0.5], "without the mask": [nll, nll]},
        "chrF": {"with the mask": [70.0, 71.0], "without the mask": [chrf, chrf]},
        "curves": {"with the mask": [on_the_way], "without the mask": [on_the_way]},
    }


def importance(first: float, second: float) -> dict[str, Any]:
    def told(value: float) -> dict[str, float]:
        return {"correlation": value, "alignment_error": 0.4}

    return {
        "heads": {"Transformer": [{"1.1": told(first), "mean": told(second)}]},
        "least_alignment_error": 0.2,
        "weights_and_effects": [[0.1, 0.2], [0.9, 3.0]],
    }


CASES = [
    ("length", lengths([50, 45, 30, 20, 15, 10, 5], [70, 68, 66, 60, 50, 30, 25]), HOLDS),
    ("length", lengths([50, 45, 30, 20, 15, 10, 5], [70, 68, 66, 60, 50, 12, 7]), PARTLY),
    ("length", lengths([50, 48, 46, 20, 15, 10, 5], [70, 68, 66, 60, 50, 30, 25]), NOT),
    ("senses", senses(50.5, 80), HOLDS),
    ("senses", senses(50.5, 93), PARTLY),
    ("senses", senses(60, 80), NOT),
    ("senses", senses(50.5, 70, whole=70), NOT),
    ("speed", speeds(3.0, 2.0), HOLDS),
    ("speed", speeds(3.0, 0.9), PARTLY),
    ("speed", speeds(0.9, 0.9), NOT),
    ("attention", attention(20, 0.001), HOLDS),
    ("attention", attention(20, 0.2), NOT),
    ("attention", attention(-1, 0.001), NOT),
    ("roles", roles(50, 80), HOLDS),
    ("roles", roles(50, 55), NOT),
    ("roles", roles(60, 80), NOT),
    ("roles", roles(50, 80, usual=60), NOT),
    ("positions", positions(62, 20, 30, 35), HOLDS),
    ("positions", positions(62, 29, 30, 30), PARTLY),
    ("positions", positions(62, 40, 30, 35), NOT),
    ("positions", positions(70, 20, 30, 35), NOT),
    ("positions", positions(70, 40, 30, 35), NOT),
    ("heads", heads(60), HOLDS),
    ("heads", heads(51), NOT),
    ("unmasked", unmasked(0.01, 5), HOLDS),
    ("unmasked", unmasked(0.01, 60), NOT),
    ("unmasked", unmasked(0.4, 60), NOT),
    ("importance", importance(0.5, 0.6), HOLDS),
    ("importance", importance(0.95, 0.6), PARTLY),
    ("importance", importance(0.95, 0.95), NOT),
]


@pytest.mark.parametrize(
    ("name", "numbers", "verdict"), CASES, ids=[f"{n}-{v}-{i}" for i, (n, _, v) in enumerate(CASES)]
)
def test_a_rule_judges_by_the_numbers_alone_and_they_can_be_drawn(
    name: str, numbers: dict[str, Any], verdict: str, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib")
    experiment = experiment_named(name)
    found = experiment.judge(numbers)
    assert found.verdict == verdict
    assert found.decides
    assert found.because
    with sheet(tmp_path / "x.svg", "x") as figure:
        experiment.draw(numbers, figure)
    assert (tmp_path / "x.svg").read_text().startswith("<?xml")


def test_every_trained_experiment_has_its_verdicts_tried() -> None:
    assert {name for name, _, _ in CASES} == set(TRAINED)


def test_networks_that_are_compared_have_as_many_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nn.init, "orthogonal_", lambda weights: weights)  # not done on the meta device
    vocabulary = Vocabulary(source_size=2000, target_size=2000)
    sizes = []
    for model in trained.MODELS.values():
        with torch.device("meta"):
            sizes.append(sum(each.numel() for each in build(ModelConfig(**model), vocabulary).parameters()))
    assert max(sizes) <= 1.02 * min(sizes)


def test_reversed_roles_are_of_the_same_english_words() -> None:
    for one, other in reversed_pairs():
        assert one.english != other.english
        assert sorted(one.english.rstrip(".").split()) == sorted(other.english.rstrip(".").split())
        assert one.korean != other.korean


def test_only_short_sentences_are_trained_on() -> None:
    kept = list(filter(short, phrases("train", 200)))
    assert kept
    assert max(map(english_words, kept)) <= SHORT


def test_a_likelihood_is_that_of_each_sentence_alone() -> None:
    saved = random_model(tokenizer(joint=True))
    pairs = [("abcd efgh", "ij abcd"), ("aaaa", "jihg fedc bacd ebdc"), ("ef gh ij ab", "c")]
    together = likelihoods(saved, pairs, "en")
    assert together == pytest.approx([likelihoods(saved, [pair], "en")[0] for pair in pairs], abs=1e-4)
    assert all(each < 0 for each in together)


def test_scores_are_told_by_the_length_of_the_source() -> None:
    pairs = [("a b", "x y"), ("a b c", "x y z"), ("a b c d e", "w")]
    found = by_length(lambda texts: ["x y" for _ in texts], pairs, [(1, 2), (3, 4), (9, 12)], "en")
    assert list(found) == ["1-2", "3-4"]
    assert found["1-2"]["exact"] == 100
    assert found["3-4"]["exact"] == 0


@pytest.mark.slow
def test_a_network_is_trained_once_under_the_hash_of_its_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onmal.lab.texts.PAIRS", 300)
    said: list[str] = []
    bench, model = (
        Bench(tmp_path, said.append),
        {**trained.SHAPE, "num_heads": 2, "feed_forward": 32, "d_model": 32},
    )
    options: dict[str, Any] = {
        "data": {"vocabulary_size": 800}, "more": {"max_updates": 3, "validate_every": 3, "processes": 1},
    }  # fmt: skip
    first = trained.trained(bench, "a network", model, 1, **options)
    again = trained.trained(bench, "a network", model, 1, **options)
    assert [line for line in said if "training" in line.split(":")[0]] == ["training: a network, seed 1"]
    for one, other in zip(first.model.parameters(), again.model.parameters(), strict=True):
        assert torch.equal(one, other)
    trained.trained(bench, "a network", model, 2, **options)
    assert len(list((tmp_path / "networks").glob("*/config.json"))) == 2
    assert bench.facts["text"]["pairs"] == 300
    hidden = trained.trained(bench, "without the mask", model, 1, origin=WithoutMask, **options)
    assert type(hidden.model) is Transformer
    assert len(list((tmp_path / "networks").glob("*/config.json"))) == 3
    monkeypatch.setattr("onmal.lab.texts.PAIRS", 301)  # another text, another network
    trained.trained(bench, "a network", model, 1, **options)
    assert len(list((tmp_path / "networks").glob("*/config.json"))) == 4


def test_without_the_mask_words_to_come_are_seen_and_padding_is_not() -> None:
    saved = random_model(tokenizer(joint=True))
    blind = SeesTheFuture(saved.config, saved.model.vocabulary).eval()
    blind.load_state_dict(saved.model.state_dict())
    source, pad = torch.tensor([[5, 6, 2]]), saved.model.vocabulary.pad
    target, other = torch.tensor([[1, 7, 8, 9]]), torch.tensor([[1, 7, 8, 10]])
    padded = torch.cat((target, torch.full((1, 3), pad)), 1)
    with torch.inference_mode():
        for model, sees in ((blind, True), (saved.model, False)):
            first = model.hidden(source, target)[:, 0]
            assert torch.allclose(first, model.hidden(source, padded)[:, 0], atol=1e-6)
            assert torch.allclose(first, model.hidden(source, other)[:, 0], atol=1e-6) is not sees
        assert torch.allclose(
            *(m.project(m.step(target[:, 0], m.start(m.encode(source)))[0]) for m in (blind, saved.model))
        )


def test_recall_goes_by_the_place_of_the_english_word() -> None:
    few = [each for each in phrases("test", 2000) if english_words(each) == 6][:20]
    right = [each.korean for each in few]
    assert set(recall(lambda _: right, few)) == {100.0}
    assert set(recall(lambda texts: ["" for _ in texts], few)) == {0.0}
    lost = [" ".join(each.korean.split()[:-1]) for each in few]
    assert 0 < min(recall(lambda _: lost, few)) < 100


def test_no_alignment_of_one_link_a_word_is_better_than_the_least_error() -> None:
    chance = random.Random(1)
    for phrase in phrases("test", 50):
        gold = said_on_both_sides(phrase)
        best = dict(sorted(gold))
        words = phrase.english.count(" ") + 1
        by_chance = {korean: chance.randrange(words) for korean in best if chance.random() < 0.8}
        for links, least in ((best, True), (by_chance, False)):
            error = 1 - 2 * len(set(links.items()) & gold) / (len(links) + len(gold))
            assert error == pytest.approx(least_error(phrase)) if least else error >= least_error(phrase)


def test_what_waits_is_counted_and_grows_with_the_sentence_for_a_gru_alone() -> None:
    found = networks()
    few, many = ({n: steps_that_wait(model, length) for n, model in found.items()} for length in (4, 12))
    assert few["self-attention"] == many["self-attention"]
    assert many["GRU"] - few["GRU"] >= 8


def test_a_meaning_is_told_by_one_word_at_its_distance() -> None:
    ids, homonym, sense = sentences(50, 7, torch.Generator().manual_seed(1))
    telling = (ids >= 7) & (ids < OTHERS)
    assert telling.sum() == 50
    assert (telling.nonzero()[:, 1] - 20).abs().unique().tolist() == [7]
    assert torch.equal(ids[:, 20] - 3, homonym)
    assert torch.equal((ids[telling] - 7) // 3, 2 * homonym + sense)


def test_gradients_are_followed_in_sentences_that_are_long_enough() -> None:
    saved = random_model(tokenizer(joint=True), network="gru")
    long = "abcd efgh ijab cdef ghij abcd efgh"
    torch.manual_seed(1)
    fading = gradients(saved.tokenizer, saved.model, [long, "ab"])
    assert len(fading) == FAR
    assert fading[0] == pytest.approx(1)
    assert all(each > 0 for each in fading)


def test_ctrl_c_says_how_to_go_on(tmp_path: Path) -> None:
    def stopped(bench: Bench) -> dict[str, Any]:
        bench.facts["text"] = "what networks are trained on"
        raise KeyboardInterrupt

    said: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        run(replace(experiment_named("length"), measure=stopped), tmp_path, said.append)
    assert said[-1] == f"   stopped; go on with: onmal lab length --out {tmp_path}"
    assert "   with seeds: (1, 2, 3)" in said


def test_the_same_four_times_running_is_repeating() -> None:
    assert all(map(repeats, ("네 네 네 네", "가가가가", "저는 요요요요요 갑니다.", "ab ab ab ab ab")))
    assert not any(map(repeats, ("네 네 네", "저는 가가 가요.", "", "1 2 1 2")))


def test_ranks_are_shared_by_what_is_alike() -> None:
    one, other = np.array([0.1, 0.3, 0.3, 0.9]), np.array([1.0, 2.0, 2.0, 5.0])
    assert ranks(one).tolist() == [1, 2.5, 2.5, 4]
    assert spearman(one, other) == pytest.approx(1)
    assert spearman(one, -other) == pytest.approx(-1)
    assert spearman(one, np.ones(4)) == 0


def test_readers_of_senses_have_as_many_parameters() -> None:
    sizes = [parameters(encoder(name, 1)) for name in NETWORKS]
    assert max(sizes) <= 1.02 * min(sizes)


def test_what_senses_has_measured_is_not_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, int]] = []

    def right(name: str, seed: int) -> list[float]:
        if len(asked) == 4:
            raise KeyboardInterrupt
        asked.append((name, seed))
        return [50.0 + seed] * 20

    monkeypatch.setattr("onmal.lab.senses.told_right", right)
    bench, measure = Bench(tmp_path, lambda _: None), experiment_named("senses").measure
    with pytest.raises(KeyboardInterrupt):
        measure(bench)
    first = list(asked)
    asked.clear()
    for _ in range(5):
        try:
            found = measure(bench)
        except KeyboardInterrupt:
            assert not set(first) & set(asked)
            first += asked
            asked.clear()
    assert len(set(first) | set(asked)) == len(NETWORKS) * 3
    assert found["GRU from both ends"]["right"] == [[51.0] * 20, [52.0] * 20, [53.0] * 20]
