"""The experiments that train: networks of one size, trained once; and every verdict that their rules can give."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from onmal.config import ModelConfig, Vocabulary
from onmal.lab import EXPERIMENTS, experiment_named, trained
from onmal.lab.experiment import Bench
from onmal.lab.pictures import sheet
from onmal.lab.roles import reversed_pairs
from onmal.lab.scores import by_length, likelihoods
from onmal.lab.texts import SHORT, english_words, short
from onmal.models import build
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
        "gradient": {"before": fading, "after": fading},
    }


def speeds(at_128: float, other: float) -> dict[str, Any]:
    def by(gru: float) -> dict[str, dict[str, float]]:
        return {
            "self-attention": {"8": 1.0, "128": 1.0, "512": 2.0},
            "GRU": {"8": 1.0, "128": gru, "512": gru},
        }

    written = {"self-attention": 200.0, "GRU": 100.0}
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


def positions(rotary: float, learned_beyond: float) -> dict[str, Any]:
    def one(within: float, beyond: float) -> list[dict[str, dict[str, float]]]:
        return [curve(70, 65, within + change, 50, 40, beyond, 20) for change in (0.0, 3.0)]

    kinds = {
        "learned": one(60, learned_beyond),
        "sinusoidal": one(61, 30),
        "rotary": one(rotary, 35),
        "none": one(20, 10),
    }
    return {"by_length": kinds}


def heads(four: float) -> dict[str, Any]:
    return {
        "chrF": {"1": [50.0, 51.0], "4": [four, four + 2]},
        "without_a_head": {"decoder.cross": [[0.1, 1.0]]},
    }


def unmasked(nll: float, chrf: float) -> dict[str, Any]:
    return {
        "teacher_forced_nll": {"with the mask": [0.4, 0.5], "without the mask": [nll, nll]},
        "chrF": {"with the mask": [70.0, 71.0], "without the mask": [chrf, chrf]},
        "training_nll_without": [[5.0, 1.0, 0.1]],
    }


def importance(first: float, second: float) -> dict[str, Any]:
    def told(value: float) -> dict[str, float]:
        return {"correlation": value, "alignment_error": 0.4}

    return {"Transformer": [{"1.1": told(first), "mean": told(second)}]}


CASES = [
    ("length", lengths([50, 45, 30, 20, 15, 10, 5], [70, 68, 66, 60, 50, 30, 25]), HOLDS),
    ("length", lengths([50, 45, 30, 20, 15, 10, 5], [70, 68, 66, 60, 50, 12, 7]), PARTLY),
    ("length", lengths([50, 48, 46, 20, 15, 10, 5], [70, 68, 66, 60, 50, 30, 25]), NOT),
    ("speed", speeds(3.0, 2.0), HOLDS),
    ("speed", speeds(3.0, 0.9), PARTLY),
    ("speed", speeds(0.9, 0.9), NOT),
    ("attention", attention(20, 0.001), HOLDS),
    ("attention", attention(20, 0.2), NOT),
    ("attention", attention(-1, 0.001), NOT),
    ("roles", roles(50, 80), HOLDS),
    ("roles", roles(50, 55), PARTLY),
    ("roles", roles(60, 80), NOT),
    ("roles", roles(50, 80, usual=60), NOT),
    ("positions", positions(62, 20), HOLDS),
    ("positions", positions(62, 40), PARTLY),
    ("positions", positions(70, 20), PARTLY),
    ("positions", positions(70, 40), NOT),
    ("heads", heads(60), HOLDS),
    ("heads", heads(51), NOT),
    ("unmasked", unmasked(0.01, 5), HOLDS),
    ("unmasked", unmasked(0.01, 60), PARTLY),
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
    assert said == ["training: a network, seed 1"]
    for one, other in zip(first.model.parameters(), again.model.parameters(), strict=True):
        assert torch.equal(one, other)
    trained.trained(bench, "a network", model, 2, **options)
    assert len(list((tmp_path / "networks").glob("*/config.json"))) == 2
