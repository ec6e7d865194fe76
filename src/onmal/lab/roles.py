"""E5, the trained half: who did it to whom, for a network that knows the order of the words and for one that does not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from onmal.lab.experiment import Bench, Experiment, Judgement, Numbers
from onmal.lab.pictures import dots, panels
from onmal.lab.scores import likelihoods, mean
from onmal.lab.trained import MODELS, trained
from onmal.phrasebook import Phrase, phrases
from onmal.saved_model import SavedModel

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SEEDS, PAIRS = (1, 2, 3), 150
UPDATES: dict[str, Any] = {"max_updates": 900, "validate_every": 900}
BOTH = {"source_language": "ko", "target_language": "en", "both_directions": True}
KINDS = {
    "both sides": {},
    "source off": {"source_positions": "none"},
    "target off": {"target_positions": "none"},
    "both off": {"source_positions": "none", "target_positions": "none"},
}


def reversed_pairs() -> list[tuple[Phrase, Phrase]]:
    """Sentences and the same ones with the roles changed, of the same English words: Tom met Jane, Jane met Tom."""
    found = phrases("roles", 2000)
    both = zip(found[::2], found[1::2], strict=True)
    return [(one, other) for one, other in both if _bag(one.english) == _bag(other.english)][:PAIRS]


def _bag(text: str) -> list[str]:
    return sorted(text.rstrip(".").split())


def side(phrase: Phrase, language: str) -> str:
    """The sentence in one of the two languages."""
    return phrase.korean if language == "ko" else phrase.english


def won(saved: SavedModel, pairs: Sequence[tuple[Phrase, Phrase]], to: str) -> list[float]:
    """Of each pair how often, 0 to 1, the right translation is likelier than the one with the roles changed; guessing gives 0.5."""
    origin = "en" if to == "ko" else "ko"
    each = [pair for one, other in pairs for pair in ((one, other), (other, one))]
    right = likelihoods(saved, [(side(one, origin), side(one, to)) for one, _ in each], to)
    wrong = likelihoods(saved, [(side(one, origin), side(other, to)) for one, other in each], to)
    found = [0.5 if abs(a - b) < 1e-4 else float(a > b) for a, b in zip(right, wrong, strict=True)]
    return [mean(two) for two in zip(found[::2], found[1::2], strict=True)]


def same_pieces(saved: SavedModel, pair: tuple[Phrase, Phrase], to: str) -> bool:
    """Whether both sentences are the same pieces for the network, in another order."""
    one, other = (
        sorted(saved.tokenizer.encode_source(side(each, "en" if to == "ko" else "ko"), to)) for each in pair
    )
    return one == other


def measure(bench: Bench) -> Numbers:
    """Role accuracy [percent] of each kind of network, into both languages, and of the pairs that are other pieces alone."""
    pairs, found = reversed_pairs(), dict[str, dict[str, list[float]]]()
    pieces: dict[str, dict[str, Any]] = {}
    for kind, options in KINDS.items():
        for seed in SEEDS:
            model = {**MODELS["Transformer"], **options}
            saved = trained(bench, f"positions, {kind}", model, seed, data=BOTH, more=UPDATES)
            for direction, to in (("ko-en", "en"), ("en-ko", "ko")):
                each = won(saved, pairs, to)
                found.setdefault(direction, {}).setdefault(kind, []).append(100 * mean(each))
                alike = [same_pieces(saved, pair, to) for pair in pairs]
                told = pieces.setdefault(direction, {"pairs of the same pieces": sum(alike)})
                if other := [right for right, same in zip(each, alike, strict=True) if not same]:
                    told.setdefault("right in the others", {}).setdefault(kind, []).append(100 * mean(other))
        bench.say(f"{kind}: " + ", ".join(f"{d} {mean(each[kind]):.0f} %" for d, each in found.items()))
    return {"pairs": len(pairs), "accuracy": found, "pieces": pieces}


def judge(numbers: Numbers) -> Judgement:
    """Refuted if English sources without positions are told apart, or Korean ones are not told apart better."""
    accuracy = {
        d: {kind: mean(each) for kind, each in kinds.items()} for d, kinds in numbers["accuracy"].items()
    }
    english, korean = accuracy["en-ko"]["source off"], accuracy["ko-en"]["source off"]
    usual = min(accuracy[direction]["both sides"] for direction in accuracy)
    decides = f"right roles without source positions: {english:.0f} % from English, {korean:.0f} % from Korean (chance 50 %)"
    if english > 55 or usual < 75:
        return Judgement(
            "not seen at this size", decides, "roles are told apart without positions, or not even with them"
        )  # fmt: skip
    if korean - english < 10:
        return Judgement(
            "not seen at this size", decides, "without positions roles are lost, and Korean's particles do not keep them"
        )  # fmt: skip
    return Judgement(
        "holds", decides, f"with positions {usual:.0f} % or more; English tells roles by order alone, Korean also by its particles"
    )  # fmt: skip


def draw(numbers: Numbers, figure: Figure) -> None:
    """Every seed a dot, chance as a line."""
    for axes, kinds in zip(
        panels(figure, [f"right roles, {direction}" for direction in numbers["accuracy"]]),
        numbers["accuracy"].values(),
        strict=True,
    ):
        dots(axes, kinds, "percent", line=50)


EXPERIMENT = Experiment(
    name="roles",
    number="E5",
    claim="without position embeddings a network cannot tell who did it to whom, unless particles say it",
    refuted_if=(
        "without source positions more than 55 % of roles are right from English, or fewer than 75 % with them, or Korean, whose "
        "particles say the roles, is not at least 10 points better than English without source positions"
    ),
    setup={
        "seeds": SEEDS,
        "pairs": PAIRS,
        "network": MODELS["Transformer"],
        "kinds": KINDS,
        "data": BOTH,
    },
    exact=False,
    minutes=12,
    measure=measure,
    judge=judge,
    draw=draw,
)
