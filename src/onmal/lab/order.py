"""E5, the exact half: without positions, attention cannot tell one order of the words from another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from onmal.lab.experiment import Bench, Experiment, Judgement, Numbers
from onmal.lab.pictures import dots, panels
from onmal.lab.small import random_sentences, small_network

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SEEDS, WORDS, ORDERS, SAME = (1, 2, 3, 4, 5), 12, 20, 1e-5
NETWORKS: dict[str, dict[str, Any]] = {
    "no positions": {"source_positions": "none"},
    "learned": {"source_positions": "learned"},
    "sinusoidal": {"source_positions": "sinusoidal"},
    "rotary": {"source_positions": "rotary"},
    "convolution, none": {"network": "convolution", "source_positions": "none"},
    "GRU with attention": {"network": "gru-attention"},
}


@torch.inference_mode()
def measure(bench: Bench) -> Numbers:
    """How far the probabilities of the next words move when the source's words change places."""
    found: Numbers = {}
    for name, options in NETWORKS.items():
        found[name] = []
        for seed in SEEDS:
            model = small_network(**{"network": "transformer", **options}, seed=seed)
            chance = torch.Generator().manual_seed(seed)
            source, target = random_sentences(1, WORDS, seed=seed), random_sentences(1, 6, seed=seed + 100)
            orders = [torch.randperm(WORDS, generator=chance) for _ in range(ORDERS)]
            usual = model(source, target).log_softmax(-1)
            moved = model(torch.cat([source[:, order] for order in orders]), target.expand(ORDERS, -1))
            found[name].append(float((moved.log_softmax(-1) - usual).abs().max()))
        bench.say(f"{name}: up to {max(found[name]):.1e} nats")
    return found


def judge(numbers: Numbers) -> Judgement:
    """Refuted if a network without positions notices, or one with positions does not."""
    blind, *others = numbers.values()
    worst = max(blind)
    decides = f"largest change without positions: {worst:.1e} nats"
    if worst >= SAME or min(map(min, others)) < SAME:
        return Judgement(
            "not seen at this size", decides, "the order shows without positions, or is lost with them"
        )
    return Judgement(
        "holds", decides,
        f"without positions all orders of a sentence give the same probabilities; with them, or with windows or recurrence, they differ by {min(map(min, others)):.1e} nats or more",
    )  # fmt: skip


def draw(numbers: Numbers, figure: Figure) -> None:
    """Every seed a dot."""
    (axes,) = panels(figure, ["largest change of a log-probability when the source's words change places"])
    dots(
        axes,
        {name: [max(each, 1e-9) for each in seeds] for name, seeds in numbers.items()},
        "nats",
        line=SAME,
    )
    axes.set_yscale("log")


EXPERIMENT = Experiment(
    name="order",
    number="E5",
    claim="without position embeddings the Transformer does not know the order of the words",
    refuted_if="without source positions any order moves a log-probability by 1e-5 or more, or with them by less",
    setup={"seeds": SEEDS, "words": WORDS, "orders": ORDERS, "networks": NETWORKS, "trained": False},
    exact=True,
    minutes=0.1,
    measure=measure,
    judge=judge,
    draw=draw,
)
