"""E8, the exact half: the mask keeps the decoder from seeing the future."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from onmal.lab.experiment import Bench, Experiment, Judgement, Numbers
from onmal.lab.pictures import grid, panels
from onmal.lab.small import VOCABULARY, random_sentences, small_network
from onmal.models.contract import Place, Probe, Seq2Seq

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SEEDS, WORDS = (1, 2, 3, 4, 5), 12


class Unmasked(Probe):
    """Lets every word of the target see all of them, later ones too."""

    def attention(
        self, place: Place, scores: Tensor, mask: Tensor | None, weights: Tensor, values: Tensor
    ) -> Tensor:
        return scores.softmax(-1) if place.part == "decoder.self" else weights


@torch.inference_mode()
def influence(model: Seq2Seq, source: Tensor, target: Tensor, probe: Probe) -> Tensor:
    """How much the logits at each place move when another word stands at each place: [changed, looked at]."""
    words = target.shape[1]
    changed = target.repeat(words, 1)
    # The next word of the vocabulary, special ones left out.
    changed.diagonal().copy_((target[0] - 2) % (VOCABULARY.target_size - 3) + 3)
    together = torch.cat((target, changed))  # in one batch: the same products, to the last bit
    states = model.project(model.hidden(source.expand(words + 1, -1), together, probe=probe))
    return (states[1:] - states[0]).abs().amax(-1)


def measure(bench: Bench) -> Numbers:
    """Change one word of the target after another and look at all places."""
    found: Numbers = {}
    for name, probe in (("with the mask", Probe()), ("without the mask", Unmasked())):
        tables = []
        for seed in SEEDS:
            source, target = (
                random_sentences(1, WORDS, seed=seed),
                random_sentences(1, WORDS, seed=seed + 100),
            )
            tables.append(influence(small_network(seed=seed), source, target, probe))
        table = torch.stack(tables)
        earlier = table.tril(-1)  # what a later word does to the places before it
        found[name] = {
            "largest_change_at_an_earlier_place": float(earlier.max()),
            "each_seed": earlier.amax((1, 2)).tolist(),
            "table": table.mean(0).tolist(),
        }
        bench.say(f"{name}: a later word moves earlier logits by {float(earlier.max()):.1e}")
    return found


def judge(numbers: Numbers) -> Judgement:
    """Refuted by any change of an earlier logit under the mask, or by none without it."""
    leak = numbers["with the mask"]["largest_change_at_an_earlier_place"]
    without = min(numbers["without the mask"]["each_seed"])
    decides = f"change of earlier logits under the mask: {leak:g}"
    if leak > 0 or without == 0:
        return Judgement("not seen at this size", decides, "the mask leaks, or nothing leaks without it")
    return Judgement(
        "holds", decides, f"with the mask exactly nothing; without it a later word moves earlier logits by {without:.1g} or more"
    )  # fmt: skip


def draw(numbers: Numbers, figure: Figure) -> None:
    """Which place notices which changed word."""
    for axes, each in zip(panels(figure, list(numbers)), numbers.values(), strict=True):
        drawn = grid(axes, each["table"], "changed word", "place whose logits move")
        figure.colorbar(drawn, ax=axes)


EXPERIMENT = Experiment(
    name="mask",
    number="E8",
    claim="the mask keeps the decoder from looking at words that are not yet written",
    refuted_if="a changed word moves any earlier logit under the mask, or none without it",
    setup={
        "seeds": SEEDS,
        "words": WORDS,
        "network": "transformer, 2 + 2 layers, 4 heads, width 64",
        "trained": False,
    },
    exact=True,
    minutes=0.1,
    measure=measure,
    judge=judge,
    draw=draw,
)
