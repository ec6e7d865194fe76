"""E9, the exact half: dot products grow with the size of a head, and softmax closes unless they are scaled."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from onmal.lab.experiment import Bench, Experiment, Judgement, Numbers
from onmal.lab.pictures import dots, panels
from onmal.models.attention import MultiHeadAttention
from onmal.models.contract import Place, Probe

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SEEDS, WORDS, SIZES = (1, 2, 3, 4, 5), 32, (16, 64, 256)


class _Scores(Probe):
    def attention(
        self, place: Place, scores: Tensor, mask: Tensor | None, weights: Tensor, values: Tensor
    ) -> Tensor:
        self.scores, self.size = scores, values.shape[-1]
        return weights


@torch.inference_mode()
def measure(bench: Bench) -> Numbers:
    """Attention of one head as it begins, over words whose vectors have unit variance."""
    found: Numbers = {}
    for size in SIZES:
        kinds: dict[str, dict[str, list[float]]] = {"scaled": {}, "not scaled": {}}
        for seed in SEEDS:
            torch.manual_seed(seed)
            probe, attention = _Scores(), MultiHeadAttention(size, 1, 0.0)
            for part in (attention.query, attention.key):
                torch.nn.init.xavier_uniform_(part.weight)
            attention(torch.randn(8, WORDS, size), Place("encoder.self", 0), probe=probe)
            for kind, factor in (("scaled", 1.0), ("not scaled", math.sqrt(probe.size))):
                weights = (probe.scores * factor).softmax(-1)
                entropy = -(weights * weights.clamp_min(1e-30).log()).sum(-1).mean() / math.log(WORDS)
                passed = (1 - weights.square().sum(-1)).mean()
                kinds[kind].setdefault("entropy", []).append(float(entropy))
                kinds[kind].setdefault("gradient", []).append(float(passed))
        found[str(size)] = kinds
        mean = {kind: sum(each["entropy"]) / len(SEEDS) for kind, each in kinds.items()}
        bench.say(
            f"heads of {size}: entropy {mean['scaled']:.2f} scaled, {mean['not scaled']:.2f} not scaled"
        )
    return found


def judge(numbers: Numbers) -> Judgement:
    """Refuted if at 256 components the entropy without scaling is more than nine tenths of that with it."""
    ratios = {
        size: sum(each["not scaled"]["entropy"]) / sum(each["scaled"]["entropy"])
        for size, each in numbers.items()
    }
    told = ", ".join(f"{size}: {ratio:.2f}" for size, ratio in ratios.items())
    decides = f"entropy without scaling / with it, by the size of a head: {told}"
    if ratios["256"] > 0.9:
        return Judgement("not seen at this size", decides, "even large heads begin open without scaling")
    lost = sum(numbers["256"]["not scaled"]["gradient"]) / sum(numbers["256"]["scaled"]["gradient"])
    return Judgement(
        "holds", decides, f"without scaling a head of 256 begins almost closed, and softmax passes {lost:.0%} of the gradient"
    )  # fmt: skip


def draw(numbers: Numbers, figure: Figure) -> None:
    """Every seed a dot."""
    titles = {
        "entropy": "entropy of a row / that of looking at all alike",
        "gradient": "gradient that softmax passes (1 - sum of squares)",
    }
    for axes, (what, _) in zip(panels(figure, list(titles.values())), titles.items(), strict=True):
        groups = {
            f"{size}, {kind}": each[what] for size, kinds in numbers.items() for kind, each in kinds.items()
        }
        dots(axes, groups, what)
        axes.set_ylim(0, 1.05)


EXPERIMENT = Experiment(
    name="scaling",
    number="E9",
    claim="the product of query and key must be divided by the root of their size",
    refuted_if="at heads of 256 components the entropy as the network begins is more than 0.9 of that with scaling",
    setup={"seeds": SEEDS, "words": WORDS, "sizes of a head": SIZES, "trained": False},
    exact=True,
    minutes=0.1,
    measure=measure,
    judge=judge,
    draw=draw,
)
