"""E4: what attention adds to a recurrent network, at equal parameters and equal text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onmal.evaluation import compare, score
from onmal.lab.experiment import Bench, Experiment, Judgement, Numbers
from onmal.lab.pictures import dots, panels
from onmal.lab.scores import mean
from onmal.lab.texts import short
from onmal.lab.trained import MODELS, trained, translations
from onmal.phrasebook import phrases

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SEEDS = (1, 2, 3)
SENTENCES = 400


def measure(bench: Bench) -> Numbers:
    """BLEU and chrF of each network and seed on the same sentences, English to Korean, and paired tests of neighbours."""
    test = list(filter(short, phrases("test", 2 * SENTENCES)))[:SENTENCES]
    sources, references = [each.english for each in test], [each.korean for each in test]
    said: dict[str, list[list[str]]] = {}
    scores: dict[str, dict[str, list[float]]] = {}
    signatures: dict[str, str] = {}
    for name, model in MODELS.items():
        for seed in SEEDS:
            found = translations(trained(bench, name, model, seed), sources)
            said.setdefault(name, []).append(found)
            for each in score(found, references, target_language="ko", bootstrap=0):
                scores.setdefault(each.name, {}).setdefault(name, []).append(each.value)
                signatures[each.name] = each.signature
        bench.say(
            f"{name}: " + ", ".join(f"{metric} {mean(each[name]):.1f}" for metric, each in scores.items())
        )
    tests = {}
    for better, worse in (("GRU with attention", "GRU"), ("Transformer", "GRU with attention")):
        found_p = [
            compare(ours, theirs, references, target_language="ko", metrics=["chrF"]).differences[0].p_value
            for ours, theirs in zip(said[better], said[worse], strict=True)
        ]
        tests[f"{better} against {worse}"] = found_p
    return {"sentences": len(test), "scores": scores, "signatures": signatures, "p_values_of_chrF": tests}


def judge(numbers: Numbers) -> Judgement:
    """Refuted if for any seed attention's gain in chrF is no more than chance."""
    chrf = {name: mean(each) for name, each in numbers["scores"]["chrF"].items()}
    p_values = numbers["p_values_of_chrF"]["GRU with attention against GRU"]
    decides = ", ".join(f"{name} {value:.1f}" for name, value in chrf.items()) + " chrF"
    if max(p_values) > 0.05 or chrf["GRU with attention"] <= chrf["GRU"]:
        return Judgement(
            "not seen at this size", decides, "attention's gain is within what chance gives for some seed"
        )
    further = chrf["Transformer"] - chrf["GRU with attention"]
    return Judgement(
        "holds", decides,
        f"attention adds {chrf['GRU with attention'] - chrf['GRU']:.1f} points of chrF; attention alone, the Transformer, {further:+.1f} more",
    )  # fmt: skip


def draw(numbers: Numbers, figure: Figure) -> None:
    """Every seed a dot."""
    for axes, (metric, groups) in zip(
        panels(figure, list(numbers["scores"])), numbers["scores"].items(), strict=True
    ):
        dots(axes, groups, metric)


EXPERIMENT = Experiment(
    name="attention",
    number="E4",
    claim="attention helps: the decoder looks at the words that it needs",
    refuted_if="for any seed the gain of attention in chrF is not significant (paired bootstrap, p > 0.05)",
    setup={"seeds": SEEDS, "sentences": SENTENCES, "networks": MODELS, "direction": "en-ko"},
    exact=False,
    minutes=9,
    measure=measure,
    judge=judge,
    draw=draw,
)
