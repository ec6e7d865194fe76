"""E1, the exact half: how far a word is seen through convolutions, recurrence and self-attention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from onmal.lab.experiment import Bench, Experiment, Judgement, Numbers
from onmal.lab.pictures import COLOURS, panels
from onmal.lab.small import VOCABULARY, random_sentences, small_network
from onmal.models.contract import Seq2Seq

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SEEDS, WORDS, KERNEL = (1, 2, 3), 31, 3
DEPTHS = (1, 3, 6, 13)
"""Layers; 13 are those of Gehring 2017."""
NETWORKS: dict[str, dict[str, Any]] = {
    **{
        f"convolution, {n} layer{'s' * (n > 1)}": {"network": "convolution", "encoder_layers": n}
        for n in DEPTHS
    },
    "GRU": {"network": "gru", "encoder_layers": 1, "bidirectional": False},
    "GRU from both ends": {"network": "gru", "encoder_layers": 1},
    "self-attention, 1 layer": {"encoder_layers": 1},
}


@torch.inference_mode()
def influence(model: Seq2Seq, source: Tensor) -> Tensor:
    """How much the state of each word moves when another word stands at each place: [changed, looked at]."""
    words = source.shape[1]
    changed = source.repeat(words, 1)
    changed.diagonal().copy_((source[0] - 2) % (VOCABULARY.source_size - 3) + 3)
    states = model.encode(
        torch.cat((source, changed))
    ).states  # one batch: the same products, to the last bit
    return (states[1:] - states[0]).norm(dim=-1)


def measure(bench: Bench) -> Numbers:
    """Of each network: by distance how much moves, which pairs of words meet, and what is seen beyond the windows."""
    found: Numbers = {}
    distance = (torch.arange(WORDS)[:, None] - torch.arange(WORDS)).abs()
    for name, options in NETWORKS.items():
        tables = torch.stack([
            influence(small_network(**{"network": "transformer", **options}, seed=seed), random_sentences(1, WORDS, seed=seed))
            for seed in SEEDS
        ])  # fmt: skip
        reach = WORDS
        if options.get("network") == "convolution":
            reach = options["encoder_layers"] * (KERNEL - 1) // 2
        by_distance = [float(tables[:, distance == far].mean()) for far in range(WORDS)]
        found[name] = {
            "reach": reach,
            "seen_beyond": int((tables[:, distance > reach] > 0).sum()),
            "share_of_pairs_that_meet": float((tables > 0).float().mean()),
            "by_distance": [each / by_distance[0] for each in by_distance],
        }
        bench.say(f"{name}: {found[name]['share_of_pairs_that_meet']:.0%} of all pairs of words meet")
    return found


def judge(numbers: Numbers) -> Judgement:
    """Refuted by any influence beyond the windows; only partly true where a deep stack sees what self-attention sees."""
    convolutions = {name: each for name, each in numbers.items() if name.startswith("convolution")}
    beyond = sum(each["seen_beyond"] for each in convolutions.values())
    decides = f"influences beyond the windows: {beyond}"
    if beyond:
        return Judgement("not seen at this size", decides, "a word was seen from outside of all windows")
    (_, shallow), *_, (deepest, deep) = convolutions.items()
    whole = numbers["self-attention, 1 layer"]["share_of_pairs_that_meet"]
    shares = f"{shallow['share_of_pairs_that_meet']:.0%} of all pairs of words meet in one layer, {deep['share_of_pairs_that_meet']:.0%} in {deepest.split(', ')[1]}"
    if deep["share_of_pairs_that_meet"] > 0.5 * whole:
        return Judgement(
            "holds partly", decides, f"a layer is local, a stack of them much less so: {shares}; in one of self-attention {whole:.0%}"
        )  # fmt: skip
    return Judgement("holds", decides, f"{shares}; in one of self-attention {whole:.0%}")


def draw(numbers: Numbers, figure: Figure) -> None:
    """Influence against distance; a curve ends where nothing is seen any more."""
    (axes,) = panels(
        figure, [f"how much a word's state moves with a word so far away ({len(SEEDS)} networks, untrained)"]
    )
    for colour, (name, each) in zip(COLOURS, numbers.items(), strict=False):
        seen = [(far, value) for far, value in enumerate(each["by_distance"]) if value > 0]
        axes.plot(*zip(*seen, strict=True), ".-", color=colour, label=name)
    axes.set_yscale("log")
    axes.set_xlabel("distance in words")
    axes.set_ylabel("share of its own word's")
    axes.legend(fontsize=7)


EXPERIMENT = Experiment(
    name="reach",
    number="E1",
    claim="a convolution sees only the words of its window",
    refuted_if=(
        "any word moves a state further away than layers x (window - 1) / 2; holds only partly if the deepest stack joins "
        "more than half of the pairs of words that one layer of self-attention joins"
    ),
    setup={"seeds": SEEDS, "words": WORDS, "window": KERNEL, "networks": NETWORKS, "trained": False},
    exact=True,
    minutes=0.1,
    measure=measure,
    judge=judge,
    draw=draw,
)
