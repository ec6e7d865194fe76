"""E2: a network that keeps a sentence in one state forgets its beginning as the sentence grows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import torch

from onmal.lab.experiment import Bench, Experiment, Judgement, Numbers
from onmal.lab.pictures import COLOURS, panels
from onmal.lab.scores import by_length, mean, recall
from onmal.lab.texts import SHORT, english_words
from onmal.lab.trained import MODELS, trained, translations
from onmal.models import build
from onmal.models.gru import GRU
from onmal.phrasebook import phrases
from onmal.text.tokenizer import Tokenizer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SEEDS = (1, 2, 3)
BUCKETS = ((3, 4), (5, 6), (7, 8), (9, 10), (11, 13), (14, 16), (17, 24))
FIRST, LAST = "3-4", "7-8"
"""Within what was trained on: the shortest and the longest."""
NOTICEABLE = 5.0
"""Points of chrF."""
RECALLED = {8: 150, 12: 100}
"""English words of a sentence, and how many such sentences, in which it is counted which words are not lost."""
FAR, FADING = 16, 50
"""Tokens back to which gradients are followed, and in how many sentences, none of which is shorter."""


def measure(bench: Bench) -> Numbers:
    """chrF and exact matches by length of the source, English to Korean; which words are kept; how gradients fade in the GRU."""
    test = [(each.english, each.korean) for split in ("test", "long") for each in phrases(split, 1000)]
    many = phrases("test", 20_000)
    kept = {
        words: [each for each in many if english_words(each) == words][:count]
        for words, count in RECALLED.items()
    }
    found: Numbers = {
        "by_length": {},
        "recall": {str(words): {"sentences": len(few)} for words, few in kept.items()},
        "gradient": {"before": [], "after": []},
    }
    for name, model in MODELS.items():
        for seed in SEEDS:
            saved = trained(bench, name, model, seed)
            translate = partial(translations, saved)
            found["by_length"].setdefault(name, []).append(by_length(translate, test, BUCKETS, "ko"))
            for words, few in kept.items():
                found["recall"][str(words)].setdefault(name, []).append(recall(translate, few))
            if name == "GRU":
                torch.manual_seed(seed)
                fresh = build(saved.config, saved.model.vocabulary)
                for when, network in (("before", fresh), ("after", saved.model)):
                    found["gradient"][when].append(
                        gradients(saved.tokenizer, network, [source for source, _ in test])
                    )
        curve = {
            bucket: mean(each[bucket]["chrF"] for each in found["by_length"][name])
            for bucket in found["by_length"][name][0]
        }
        bench.say(
            f"{name}: chrF " + ", ".join(f"{bucket} words {value:.0f}" for bucket, value in curve.items())
        )
    return found


def gradients(tokenizer: Tokenizer, model: object, texts: Sequence[str]) -> list[float]:
    """How much the state at the last word, read from the left, depends on the token t before it, beside that word itself: [16].

    The full stop and the sign of the end are left away: they are nearly always the same, so a network learns to make nothing of them.
    """
    assert isinstance(model, GRU)
    cuts = (tokenizer.encode_source(text.rstrip(".?!"), "ko")[:-1] for text in texts)
    long = [cut for cut in cuts if len(cut) >= FAR][-FADING:]
    total = torch.zeros(FAR)
    for sentence in long:
        ids = torch.tensor([sentence])
        with torch.no_grad():
            words, _ = model.eval().source(ids)
        words.requires_grad_(True)
        states = model.encoder(words, torch.ones_like(ids, dtype=torch.bool))  # [1,S,2G]
        last = states[0, -1, : states.shape[2] // 2]  # [G] from the left
        (found,) = torch.autograd.grad((last * torch.randn_like(last)).sum(), words)
        norms = found[0].norm(dim=1).flip(0)[:FAR]
        total += norms / norms[0]
    return [float(each) / len(long) for each in total]


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
    figure.set_size_inches(12, 3.4)
    scores, *kept, fading = panels(
        figure,
        [
            "chrF by words of the source",
            *(f"kept of sentences of {words} words" for words in numbers["recall"]),
            "GRU: gradient of the last state",
        ],
    )
    for axes, networks in zip(kept, numbers["recall"].values(), strict=True):
        for colour, name in zip(COLOURS, numbers["by_length"], strict=False):
            for each in networks[name]:
                axes.plot(range(1, len(each) + 1), each, ".-", color=colour, alpha=0.7)
        axes.set_ylim(0, 100)
        axes.locator_params("x", integer=True)
        axes.set_xlabel("word of the source")
        axes.set_ylabel("percent")
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
        "recalled (words: sentences)": RECALLED,
    },
    exact=False,
    minutes=9,
    measure=measure,
    judge=judge,
    draw=draw,
)
