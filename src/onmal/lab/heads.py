"""E7: several heads beside each other, and what is missed when one of them is switched off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from onmal.evaluation import score
from onmal.inspection.switches import SwitchedOff, anatomy_of
from onmal.lab.experiment import Bench, Experiment, Judgement, Numbers
from onmal.lab.pictures import dots, panels
from onmal.lab.scores import likelihoods, mean
from onmal.lab.texts import short
from onmal.lab.trained import MODELS, trained, translations
from onmal.phrasebook import phrases
from onmal.saved_model import SavedModel

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SEEDS, HEADS = (1, 2, 3, 4, 5), (1, 2, 4, 8)
SENTENCES = 300


def measure(bench: Bench) -> Numbers:
    """chrF with 1, 2, 4 and 8 heads in the same width; then the best network of 4 with each head off."""
    test = list(filter(short, phrases("test", 2 * SENTENCES)))[:SENTENCES]
    sources, references = [each.english for each in test], [each.korean for each in test]
    found: dict[str, list[float]] = {}
    best: tuple[float, SavedModel] | None = None
    for heads in HEADS:
        for seed in SEEDS:
            model = {**MODELS["Transformer"], "num_heads": heads}
            saved = trained(bench, f"{heads} heads", model, seed)
            (chrf,) = score(
                translations(saved, sources), references, target_language="ko", metrics=["chrF"], bootstrap=0
            )
            found.setdefault(str(heads), []).append(chrf.value)
            if heads == 4 and (best is None or chrf.value > best[0]):
                best = chrf.value, saved
        bench.say(f"{heads} heads: chrF {mean(found[str(heads)]):.1f}")
    assert best is not None
    return {
        "chrF": found,
        "without_a_head": knock_out(best[1], list(zip(sources, references, strict=True))[:100]),
    }


def knock_out(saved: SavedModel, pairs: list[tuple[str, str]]) -> dict[str, list[list[float]]]:
    """By how much a target sentence's log-probability falls [nats] without one head: part -> [layers][heads]."""
    usual = mean(likelihoods(saved, pairs, "ko"))
    anatomy = anatomy_of(saved.model, torch.tensor([saved.tokenizer.encode_source(pairs[0][0], "ko")]))
    found: dict[str, list[list[float]]] = {}
    for place, count in sorted(anatomy.items()):
        lost = [
            usual - mean(likelihoods(saved, pairs, "ko", SwitchedOff({place: [head]})))
            for head in range(count)
        ]
        found.setdefault(place.part, []).append(lost)
    return found


def judge(numbers: Numbers) -> Judgement:
    """Refuted if one head is within the spread of the seeds of four."""
    one, four = numbers["chrF"]["1"], numbers["chrF"]["4"]
    gain, allowed = mean(four) - mean(one), max(four) - min(four)
    decides = f"chrF of 4 heads over 1: {gain:+.1f}; seeds of 4 heads differ by {allowed:.1f}"
    lost = [each for layers in numbers["without_a_head"].values() for heads in layers for each in heads]
    needed = sum(each > 0.5 for each in lost)
    told = f"of {len(lost)} heads of the best network, {needed} cost more than half a nat a sentence when they are off"
    if gain <= allowed:
        return Judgement("not seen at this size", decides, f"no measurable gain; {told}")
    return Judgement("holds", decides, told)


def draw(numbers: Numbers, figure: Figure) -> None:
    """Every seed a dot; and each head's cost when it is off."""
    scores, lost = panels(figure, ["chrF by heads", "nats a sentence loses without a head"])
    dots(scores, numbers["chrF"], "chrF")
    groups = {
        f"{part} {layer + 1}": heads
        for part, layers in numbers["without_a_head"].items()
        for layer, heads in enumerate(layers)
    }
    dots(lost, groups, "nats", line=0)


EXPERIMENT = Experiment(
    name="heads",
    number="E7",
    claim="several heads see several features: they do better than one of the same width",
    refuted_if="the mean chrF of four heads is not further above that of one than the seeds of four heads differ",
    setup={"seeds": SEEDS, "heads": HEADS, "network": MODELS["Transformer"], "sentences": SENTENCES},
    exact=False,
    minutes=12,
    measure=measure,
    judge=judge,
    draw=draw,
)
