"""E10: the importances of all words that a word looks at sum to one, and what is hidden has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from onmal.lab.experiment import Bench, Experiment, Judgement, Numbers
from onmal.lab.pictures import panels
from onmal.models.attention import mix
from onmal.models.contract import Place, Probe

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CASES = 400
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
NOT_SEEN = -1e9
"""What older programs put in the place of a hidden score; half precision has no such number."""


class _Weights(Probe):
    def attention(
        self, place: Place, scores: torch.Tensor, mask: torch.Tensor | None, weights: torch.Tensor, values: torch.Tensor
    ) -> torch.Tensor:  # fmt: skip
        self.seen = weights
        return weights


def measure(bench: Bench) -> Numbers:
    """Attention over random scores, lengths and masks, in three precisions."""
    found: Numbers = {}
    for name, dtype in DTYPES.items():
        chance, probe = torch.Generator().manual_seed(0), _Weights()
        worst, hidden, blank, finite, naive = 0.0, 0.0, 0.0, True, 0
        for _ in range(CASES):
            rows, columns = torch.randint(1, 40, (2,), generator=chance).tolist()
            scores = torch.randn(1, 1, rows, columns, generator=chance) * 10 ** torch.rand(
                1, generator=chance
            )
            mask = torch.rand(1, 1, rows, columns, generator=chance) > torch.rand(1, generator=chance)
            scores, sees = scores.to(dtype), mask.any(-1)
            mix(
                scores,
                torch.ones(1, 1, columns, 2, dtype=dtype),
                mask,
                probe=probe,
                place=Place("decoder.cross", 0),
            )
            weights = probe.seen.double()
            worst = max(worst, float((weights.sum(-1) - 1)[sees].abs().max()) if sees.any() else 0.0)
            hidden = max(hidden, float(weights[~mask].max()) if (~mask).any() else 0.0)
            blank = max(blank, float(weights[~sees].max()) if (~sees).any() else 0.0)
            finite &= bool(weights.isfinite().all())
            naive += bool(
                torch.where(mask, scores, torch.tensor(NOT_SEEN).to(dtype)).softmax(-1).isnan().any()
            )
        found[name] = {
            "furthest_sum_from_one": worst, "allowed": max(1e-6, 2 * torch.finfo(dtype).eps),
            "largest_hidden_weight": hidden, "largest_weight_where_nothing_is_seen": blank, "all_finite": finite,
            "cases_not_a_number_with_-1e9": naive,
        }  # fmt: skip
        bench.say(f"{name}: sums within {worst:.1e} of one")
    return found


def judge(numbers: Numbers) -> Judgement:
    """Any failure refutes."""
    failed = [
        name
        for name, each in numbers.items()
        if each["furthest_sum_from_one"] > each["allowed"]
        or each["largest_hidden_weight"] > 0
        or each["largest_weight_where_nothing_is_seen"] > 0
        or not each["all_finite"]
    ]
    worst = numbers["float32"]["furthest_sum_from_one"]
    decides = f"furthest sum from one, float32: {worst:.1e}"
    if failed:
        return Judgement("not seen at this size", decides, f"sums or masks fail in {', '.join(failed)}")
    naive = numbers["float16"]["cases_not_a_number_with_-1e9"]
    return Judgement(
        "holds", decides,
        f"sums are one, hidden words have exactly nothing; with -1e9 for a mask {naive} of {CASES} cases of float16 are no numbers",
    )  # fmt: skip


def draw(numbers: Numbers, figure: Figure) -> None:
    """How far sums are from one, beside what the precision allows."""
    (axes,) = panels(figure, ["furthest sum of a row's weights from one"])
    for at, each in enumerate(numbers.values()):
        axes.bar(at, max(each["furthest_sum_from_one"], 1e-9), width=0.5, color="#0b5394")
        axes.plot([at - 0.3, at + 0.3], [each["allowed"]] * 2, color="#b45f06")
    axes.set_yscale("log")
    axes.set_xticks(range(len(numbers)), list(numbers))
    axes.set_ylabel("distance from 1 (line: allowed)")


EXPERIMENT = Experiment(
    name="softmax",
    number="E10",
    claim="softmax turns scores into importances that sum to one, and a hidden word gets none",
    refuted_if="a sum is off by more than 1e-6 (half precision: two of its steps), or anything hidden has a weight",
    setup={
        "cases": CASES,
        "seed": 0,
        "precisions": list(DTYPES),
        "rows and columns": "1 to 39",
        "scores": "up to about 30",
    },
    exact=True,
    minutes=0.1,
    measure=measure,
    judge=judge,
    draw=draw,
)
