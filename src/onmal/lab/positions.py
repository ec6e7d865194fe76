"""E6: learned, sinusoidal, rotary positions and none, within the lengths that were trained on and beyond."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from onmal.lab.experiment import Bench, Experiment, Judgement, Numbers
from onmal.lab.length import BUCKETS
from onmal.lab.pictures import COLOURS, panels
from onmal.lab.scores import by_length, mean, spread
from onmal.lab.texts import SHORT
from onmal.lab.trained import MODELS, trained, translations
from onmal.phrasebook import phrases

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SEEDS = (1, 2, 3)
Curves = dict[str, list[dict[str, dict[str, float]]]]
NONE = "no positions"
KINDS: dict[str, dict[str, Any]] = {
    "learned": {},
    "sinusoidal": {"source_positions": "sinusoidal", "target_positions": "sinusoidal"},
    "rotary": {"source_positions": "rotary", "target_positions": "rotary"},
    NONE: {"source_positions": "none", "target_positions": "none"},
}


def measure(bench: Bench) -> Numbers:
    """chrF by words of the source, English to Korean, for each kind of position and seed."""
    test = [(each.english, each.korean) for split in ("test", "long") for each in phrases(split, 1000)]
    found: Numbers = {}
    for kind, options in KINDS.items():
        for seed in SEEDS:
            name = "Transformer" if not options else f"positions {kind}"
            saved = trained(bench, name, {**MODELS["Transformer"], **options}, seed)
            found.setdefault(kind, []).append(by_length(partial(translations, saved), test, BUCKETS, "ko"))
        told = {b: mean(each[b]["chrF"] for each in found[kind]) for b in found[kind][0]}
        bench.say(
            f"{kind}: chrF " + ", ".join(f"{bucket} words {value:.0f}" for bucket, value in told.items())
        )
    return {"by_length": found, "gaps": gaps(found)}


def gaps(curves: Curves) -> dict[str, dict[str, float]]:
    """By words of the source: how far the means of learned, sinusoidal and rotary positions are apart, and how far seeds of one kind."""
    ordered = {kind: seeds for kind, seeds in curves.items() if kind != NONE}
    found = {}
    for bucket in ordered["learned"][0]:
        chrf = {kind: [each[bucket]["chrF"] for each in seeds] for kind, seeds in ordered.items()}
        means = list(map(mean, chrf.values()))
        found[bucket] = {"kinds": max(means) - min(means), "seeds": spread(chrf)}
    return found


def beyond(curves: Curves) -> dict[str, float]:
    """Of each kind the mean chrF of sentences longer than those trained on, all lengths alike."""
    far = [bucket for bucket in curves["learned"][0] if first(bucket) > SHORT]
    return {kind: mean(each[b]["chrF"] for each in seeds for b in far) for kind, seeds in curves.items()}


def first(bucket: str) -> int:
    """Words of the shortest sentence in a bucket."""
    return int(bucket.split("-")[0])


def judge(numbers: Numbers) -> Judgement:
    """Refuted by a gap within the lengths trained on that is wider than the seeds', or if learned ones are best beyond."""
    curves = numbers["by_length"]
    within = {bucket: each for bucket, each in gaps(curves).items() if first(bucket) <= SHORT}
    widest = max(within, key=lambda bucket: within[bucket]["kinds"] - within[bucket]["seeds"])
    gap, allowed = within[widest]["kinds"], within[widest]["seeds"]
    far = beyond(curves)
    best = max(far, key=far.__getitem__)
    decides = f"gap between kinds at {widest} words: {gap:.1f} chrF, seeds differ by {allowed:.1f}; best beyond: {best} ({far[best]:.1f})"
    refuted = [
        *(["kinds differ already within the lengths trained on"] if gap > allowed else []),
        *(["beyond them learned positions are the best"] if best == "learned" else []),
    ]
    if refuted:
        return Judgement("not seen at this size", decides, ", and ".join(refuted))
    if all(each["kinds"] <= each["seeds"] for each in gaps(curves).values()):
        return Judgement(
            "holds partly", decides, "kinds are alike within the lengths trained on, and beyond them, too"
        )
    return Judgement(
        "holds", decides, "within the lengths trained on kinds are alike, and beyond them they are not"
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
        f"at any lengths up to {SHORT} words learned, sinusoidal and rotary positions differ by more than seeds of one kind do, or beyond them "
        "learned ones are the best; holds only partly if they do not differ beyond them either"
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
