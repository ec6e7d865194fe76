"""E2: a network that keeps a sentence in one state forgets its beginning as the sentence grows."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import torch

from onmal.lab.experiment import Bench, Experiment, Judgement, Numbers
from onmal.lab.pictures import COLOURS, panels
from onmal.lab.scores import by_length, mean
from onmal.lab.texts import SHORT
from onmal.lab.trained import MODELS, trained, translations
from onmal.models import build
from onmal.models.gru import GRU
from onmal.phrasebook import phrases
from onmal.saved_model import SavedModel

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SEEDS = (1, 2, 3)
BUCKETS = ((3, 4), (5, 6), (7, 8), (9, 10), (11, 13), (14, 16), (17, 24))
FIRST, LAST = "3-4", "7-8"
"""Within what was trained on: the shortest and the longest."""
NOTICEABLE = 5.0
"""Points of chrF."""


def measure(bench: Bench) -> Numbers:
    """chrF and exact matches by length of the source, English to Korean; and how gradients fade in the GRU."""
    test = [(each.english, each.korean) for split in ("test", "long") for each in phrases(split, 1000)]
    found: Numbers = {"by_length": {}, "gradient": {"before": [], "after": []}}
    for name, model in MODELS.items():
        for seed in SEEDS:
            saved = trained(bench, name, model, seed)
            scores = by_length(partial(translations, saved), test, BUCKETS, "ko")
            found["by_length"].setdefault(name, []).append(scores)
            if name == "GRU":
                sentences = [english for english, _ in test if len(english.split()) > SHORT][:50]
                torch.manual_seed(seed)
                found["gradient"]["before"].append(
                    gradients(saved, build(saved.config, saved.model.vocabulary), sentences)
                )
                found["gradient"]["after"].append(gradients(saved, saved.model, sentences))
        curve = {
            bucket: mean(each[bucket]["chrF"] for each in found["by_length"][name])
            for bucket in found["by_length"][name][0]
        }
        bench.say(
            f"{name}: chrF " + ", ".join(f"{bucket} words {value:.0f}" for bucket, value in curve.items())
        )
    return found


def gradients(saved: SavedModel, model: object, sentences: list[str]) -> list[float]:
    """How much the last state from the left still depends on the word t tokens before it, beside its own word: [16]."""
    assert isinstance(model, GRU)
    total = torch.zeros(16)
    for text in sentences:
        ids = torch.tensor([saved.tokenizer.encode_source(text, "ko")])
        with torch.no_grad():
            words, _ = model.eval().source(ids)
        words.requires_grad_(True)
        last = model.encoder(words, torch.ones_like(ids, dtype=torch.bool))[0, -1, : saved.config.width]
        (found,) = torch.autograd.grad((last * torch.randn_like(last)).sum(), words)
        norms = found[0].norm(dim=1).flip(0)[:16]
        total[: len(norms)] += norms / norms[0]
    return [float(each) / len(sentences) for each in total]


def lost(curves: list[dict[str, dict[str, float]]]) -> list[float]:
    """Points of chrF from the shortest to the longest sentences that were trained on, of each seed."""
    return [each[FIRST]["chrF"] - each[LAST]["chrF"] for each in curves]


def judge(numbers: Numbers) -> Judgement:
    """Refuted unless the curve without attention falls more within the lengths trained on; partly if not beyond them."""
    curves = numbers["by_length"]
    without, beside = lost(curves["GRU"]), lost(curves["GRU with attention"])
    decides = f"chrF lost from {FIRST} to {LAST} words: {mean(without):.1f} without attention, {mean(beside):.1f} with it"
    if any(one <= other for one, other in zip(without, beside, strict=True)):
        return Judgement(
            "not seen at this size",
            decides,
            "for some seed quality does not fall faster with length without attention",
        )
    beyond = [bucket for bucket in curves["GRU"][0] if int(bucket.split("-")[0]) > SHORT]
    gaps = {
        bucket: mean(each[bucket]["chrF"] for each in curves["GRU with attention"])
        - mean(each[bucket]["chrF"] for each in curves["GRU"])
        for bucket in beyond
    }
    longest, gap = list(gaps.items())[-1]
    if gap < NOTICEABLE:
        return Judgement(
            "holds partly", decides,
            f"within the lengths trained on the GRU without attention falls behind; at {longest} words all have lost their way (gap {gap:.0f} points)",
        )  # fmt: skip
    return Judgement("holds", decides, f"and at {longest} words attention is {gap:.0f} points of chrF ahead")


def draw(numbers: Numbers, figure: Figure) -> None:
    """chrF by length, every seed a line; and what is left of a word's gradient."""
    scores, fading = panels(
        figure, ["chrF by words of the source", "GRU: gradient of the last state by distance"]
    )
    for colour, (name, seeds) in zip(COLOURS, numbers["by_length"].items(), strict=False):
        for n, curve in enumerate(seeds):
            scores.plot(
                list(curve),
                [each["chrF"] for each in curve.values()],
                ".-",
                color=colour,
                alpha=0.7,
                label=None if n else name,
            )
    scores.axvline(2.5, color="#999999", linestyle=":")
    scores.tick_params("x", rotation=30)
    scores.legend(fontsize=7)
    for colour, (when, seeds) in zip(COLOURS, numbers["gradient"].items(), strict=False):
        for n, each in enumerate(seeds):
            fading.plot(each, ".-", color=colour, alpha=0.7, label=None if n else f"{when} training")
    fading.set_yscale("log")
    fading.set_xlabel("tokens before the last")
    fading.legend(fontsize=7)


EXPERIMENT = Experiment(
    name="length",
    number="E2",
    claim="a recurrent network blurs what it read long ago",
    refuted_if=(
        f"for any seed the GRU without attention loses no more chrF from {FIRST} to {LAST} words than the one with it; "
        f"holds only partly if at the longest sentences, beyond those trained on, they are within {NOTICEABLE:g} points"
    ),
    setup={
        "seeds": SEEDS,
        "networks": MODELS,
        "trained on": f"up to {SHORT} English words",
        "buckets": BUCKETS,
    },
    exact=False,
    minutes=9,
    measure=measure,
    judge=judge,
    draw=draw,
)
