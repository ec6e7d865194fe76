"""E6: learned, sinusoidal, rotary positions and none, within the lengths that were trained on and beyond."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from onmal.lab.experiment import Bench, Experiment, Judgement, Numbers
from onmal.lab.length import BUCKETS, LAST
from onmal.lab.pictures import COLOURS, panels
from onmal.lab.scores import by_length, mean, spread
from onmal.lab.texts import SHORT
from onmal.lab.trained import MODELS, trained, translations
from onmal.phrasebook import phrases

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SEEDS = (1, 2, 3)
KINDS: dict[str, dict[str, Any]] = {
    "learned": {},
    "sinusoidal": {"source_positions": "sinusoidal", "target_positions": "sinusoidal"},
    "rotary": {"source_positions": "rotary", "target_positions": "rotary"},
    "none": {"source_positions": "none", "target_positions": "none"},
}
BEYOND = "14-16"


def measure(bench: Bench) -> Numbers:
    """chrF by words of the source, English to Korean, for each kind of position and seed."""
    test = [(each.english, each.korean) for split in ("test", "long") for each in phrases(split, 1000)]
    found: Numbers = {}
    for kind, options in KINDS.items():
        for seed in SEEDS:
            name = "Transformer" if not options else f"positions {kind}"
            saved = trained(bench, name, {**MODELS["Transformer"], **options}, seed)
            found.setdefault(kind, []).append(by_length(partial(translations, saved), test, BUCKETS, "ko"))
        told = [
            f"{bucket} {mean(each[bucket]['chrF'] for each in found[kind]):.0f}" for bucket in (LAST, BEYOND)
        ]
        bench.say(f"{kind}: chrF at words {', '.join(told)}")
    return {"by_length": found}


def judge(numbers: Numbers) -> Judgement:
    """Refuted if kinds of positions differ within the lengths trained on by more than seeds do, or if learned ones are best beyond."""
    curves = numbers["by_length"]
    within, beyond = (
        {kind: [each[bucket]["chrF"] for each in seeds] for kind, seeds in curves.items()}
        for bucket in (LAST, BEYOND)
    )
    ordered = {kind: values for kind, values in within.items() if kind != "none"}
    gap = max(map(mean, ordered.values())) - min(map(mean, ordered.values()))
    allowed = spread(ordered)
    best = max(beyond, key=lambda kind: mean(beyond[kind]))
    decides = f"gap between kinds at {LAST} words: {gap:.1f} chrF, seeds differ by {allowed:.1f}; best at {BEYOND}: {best}"
    differ = [
        *(["kinds differ already within the lengths trained on"] if gap > allowed else []),
        *(["beyond them learned positions are the best"] if best == "learned" else []),
    ]
    if differ:
        return Judgement("not seen at this size", decides, ", and ".join(differ))
    return Judgement(
        "holds", decides, f"within the lengths trained on all kinds are alike; beyond them {best} is best"
    )


def draw(numbers: Numbers, figure: Figure) -> None:
    """Every seed a line; the dotted one is where training ended."""
    (axes,) = panels(figure, ["chrF by words of the source"])
    for colour, (kind, seeds) in zip(COLOURS, numbers["by_length"].items(), strict=False):
        for n, curve in enumerate(seeds):
            axes.plot(
                list(curve),
                [each["chrF"] for each in curve.values()],
                ".-",
                color=colour,
                alpha=0.7,
                label=None if n else kind,
            )
    axes.axvline(2.5, color="#999999", linestyle=":")
    axes.set_ylabel("chrF")
    axes.legend(fontsize=7)


EXPERIMENT = Experiment(
    name="positions",
    number="E6",
    claim="learned and computed positions do equally well on lengths that were seen, and differ on longer ones",
    refuted_if=(
        f"at {LAST} words learned, sinusoidal and rotary positions differ by more than their seeds do, or at {BEYOND} learned ones are "
        "the best"
    ),
    setup={
        "seeds": SEEDS,
        "network": MODELS["Transformer"],
        "kinds": KINDS,
        "trained on": f"up to {SHORT} English words",
    },
    exact=False,
    minutes=10,
    measure=measure,
    judge=judge,
    draw=draw,
)
