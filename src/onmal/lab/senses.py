"""E1, the trained half: does a network find the word that tells which of two meanings is meant, near by and far away?"""

from __future__ import annotations

import hashlib
import json
import time
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from onmal.lab.experiment import Bench, Experiment, Judgement, Numbers
from onmal.lab.pictures import COLOURS, panels
from onmal.lab.scores import mean
from onmal.lab.small import VOCABULARY, small_network
from onmal.models.contract import Seq2Seq
from onmal.writing import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SEEDS, KERNEL, CHANCE = (1, 2, 3), 3, 50.0
HOMONYMS = {
    "배": (("먹다", "과일", "달다"), ("타다", "바다", "항구")),
    "눈": (("오다", "겨울", "희다"), ("뜨다", "감다", "보다")),
    "말": (("타다", "달리다", "농장"), ("하다", "듣다", "조용하다")),
    "밤": (("굽다", "까다", "껍질"), ("어둡다", "별", "자다")),
}
"""A word, and for either of its meanings the words that tell it."""
WORDS, FARTHEST = 41, 20
"""Of a sentence, whose middle one is the homonym; and the distance of the telling word, to the left or to the right."""
UPDATES, ROWS, RATE = 1200, 64, 2e-3
TESTED = 1000
"""Sentences of each distance."""
WIDTHS = {1: 70, 3: 46, 6: 34, 13: 24}
"""Layers of convolutions and their width: all readers have as many parameters, within 2 %."""
NETWORKS: dict[str, dict[str, Any]] = {
    **{
        f"convolution, {n} layer{'s' * (n > 1)}": {"network": "convolution", "encoder_layers": n, "d_model": width}
        for n, width in WIDTHS.items()
    },
    "GRU from both ends": {"network": "gru", "encoder_layers": 1, "hidden_size": 58},
    "self-attention, 1 layer": {"encoder_layers": 1, "feed_forward": 180},
}  # fmt: skip

WORD = {homonym: 3 + n for n, homonym in enumerate(HOMONYMS)}
"""Ids, after those of the special pieces; then come the telling words, three for each meaning, then words that tell nothing."""
SETUP: dict[str, Any] = {
    "seeds": SEEDS, "words": WORDS, "window": KERNEL, "homonyms": HOMONYMS, "networks": NETWORKS, "updates": UPDATES,
    "sentences in a batch": ROWS, "rate": RATE, "tested at each distance": TESTED,
}  # fmt: skip
OTHERS = 3 + len(WORD) + 6 * len(WORD)


def sentences(count: int, distance: int | None, chance: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Sentences [N,41] of words by chance with one telling word; which homonym [N] it is, and which of its meanings [N]."""

    def drawn(many: int) -> Tensor:
        return torch.randint(many, (count,), generator=chance)

    ids = torch.randint(OTHERS, VOCABULARY.source_size, (count, WORDS), generator=chance)
    homonym, sense, which, right = drawn(len(WORD)), drawn(2), drawn(3), drawn(2)
    away = torch.full((count,), distance) if distance else 1 + drawn(FARTHEST)
    rows, middle = torch.arange(count), WORDS // 2
    ids[:, middle] = 3 + homonym
    ids[rows, middle + (2 * right - 1) * away] = 3 + len(WORD) + 6 * homonym + 3 * sense + which
    return ids, homonym, sense


class Reader(nn.Module):
    """An encoder, and a linear probe that tells from the homonym's state alone which meaning it has."""

    def __init__(self, network: Seq2Seq, width: int) -> None:
        super().__init__()
        self.network, self.probe = network, nn.Linear(width, 2 * len(HOMONYMS))

    def forward(self, ids: Tensor, homonym: Tensor) -> Tensor:
        """[N,41], [N] -> scores of the two meanings [N,2]."""
        states = self.network.encode(ids).states[:, WORDS // 2]  # [N,C]
        scores = self.probe(states).unflatten(1, (len(HOMONYMS), 2))  # [N,homonyms,2]
        return scores[torch.arange(len(ids)), homonym]


def encoder(name: str, seed: int) -> Seq2Seq:
    """A network as it begins, of which the encoder alone is used."""
    return small_network(**{"network": "transformer", "max_source_length": 48, **NETWORKS[name]}, seed=seed)


def parameters(network: Seq2Seq) -> int:
    """Of the encoder and what it reads words with."""
    return sum(
        each.numel() for part, each in network.named_parameters() if part.startswith(("source", "encoder"))
    )


def taught(name: str, seed: int) -> Reader:
    """Encoder and probe, trained together on telling words at all distances."""
    network = encoder(name, seed).train()
    width = network.encode(torch.full((1, 2), 3)).states.shape[2]
    reader, chance = Reader(network, width), torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(reader.parameters(), lr=RATE)
    for update in range(UPDATES):
        ids, homonym, sense = sentences(ROWS, None, chance)
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1, (update + 1) / 40) * (1 - update / UPDATES)
        optimizer.zero_grad()
        functional.cross_entropy(reader(ids, homonym), sense).backward()
        nn.utils.clip_grad_norm_(reader.parameters(), 1.0)
        optimizer.step()
    return reader.eval()


def told_right(name: str, seed: int) -> list[float]:
    """Right meanings [percent] at each distance of the telling word, 1 to 20, by a network that is trained for it."""
    reader, chance = taught(name, seed), torch.Generator().manual_seed(100 + seed)
    right = []
    for distance in range(1, FARTHEST + 1):
        ids, homonym, sense = sentences(TESTED, distance, chance)
        with torch.inference_mode():
            right.append(100 * float((reader(ids, homonym).argmax(1) == sense).float().mean()))
    return right


def measure(bench: Bench) -> Numbers:
    """Right meanings of each network and seed; what has been measured is kept, so that a stopped run goes on behind it."""
    found: Numbers = {}
    for name, options in NETWORKS.items():
        reach = options["encoder_layers"] * (KERNEL - 1) // 2 if "convolution" in name else FARTHEST
        found[name] = {"reach": reach, "parameters": parameters(encoder(name, 1)), "right": []}
        for seed in SEEDS:
            decides = repr((SETUP, name, seed)).encode()
            kept = bench.folder / "networks" / f"senses-{hashlib.sha256(decides).hexdigest()[:16]}.json"
            bench.facts["kept"] = "right meanings of each network"
            if not kept.exists():
                began = time.monotonic()
                right = told_right(name, seed)
                kept.parent.mkdir(parents=True, exist_ok=True)
                minutes = (time.monotonic() - began) / 60
                write_whole(kept, json.dumps({"right": right, "minutes": minutes}).encode())
            else:
                bench.earlier.append(json.loads(kept.read_text("utf-8"))["minutes"])
            found[name]["right"].append(json.loads(kept.read_text("utf-8"))["right"])
        told = summary(found[name])
        found[name] |= told
        bench.say(f"{name}: " + ", ".join(f"{where} {value:.0f} %" for where, value in told.items()))
    return found


def summary(numbers: Numbers) -> dict[str, float]:
    """Right meanings [percent], the mean of the seeds: within the windows in the mean, and beyond them at the distance that has most."""
    reach = numbers["reach"]
    right = [mean(seeds) for seeds in zip(*numbers["right"], strict=True)]
    told = {"within": mean(right[:reach])}
    if reach < FARTHEST:
        told["beyond"] = max(right[reach:])
    return told


def judge(numbers: Numbers) -> Judgement:
    """Refuted if meanings are told better than by chance beyond the windows, or not told within; partly where a stack is as good as attention."""
    convolutions = {name: each for name, each in numbers.items() if name.startswith("convolution")}
    beyond = max(each["beyond"] for each in convolutions.values())
    attention = numbers["self-attention, 1 layer"]
    whole = attention["within"]
    decides = f"right meanings beyond the windows: {beyond:.1f} % at most (chance {CHANCE:g} %); self-attention {whole:.1f} % at any distance"
    (_, shallow), *_ = convolutions.items()
    if beyond > CHANCE + 5 or min(shallow["within"], whole) < 75:
        return Judgement(
            "not seen at this size",
            decides,
            "meanings are told from beyond the windows, or not even from within",
        )
    alike = [
        name
        for name, each in convolutions.items()
        if each["reach"] > 1 and each["within"] > summary({**attention, "reach": each["reach"]})["within"] - 5
    ]
    if alike:
        deepest = alike[-1]
        return Judgement(
            "holds partly",
            decides,
            f"a layer is local, a stack reaches as far as it has layers: {deepest}, {convolutions[deepest]['within']:.1f} % within its windows",
        )
    return Judgement("holds", decides, "and within their windows stacks find less than attention does")


def draw(numbers: Numbers, figure: Figure) -> None:
    """Every seed a line; a convolution's reach is where its colour's dotted line stands."""
    (axes,) = panels(figure, ["right meanings by distance of the word that tells (percent)"])
    for colour, (name, each) in zip(COLOURS, numbers.items(), strict=False):
        for n, right in enumerate(each["right"]):
            axes.plot(
                range(1, len(right) + 1), right, ".-", color=colour, alpha=0.6, label=None if n else name
            )
        if each["reach"] < FARTHEST:
            axes.axvline(each["reach"] + 0.5, color=colour, linestyle=":")
    axes.axhline(CHANCE, color="#999999", linestyle=":")
    axes.set_xlabel("distance in words")
    axes.legend(fontsize=7)


EXPERIMENT = Experiment(
    name="senses",
    number="E1",
    claim="a convolution cannot tell what a word means if the word that tells it is outside of its window",
    refuted_if=(
        "right meanings are more than 55 % at any distance of the telling word beyond layers x (window - 1) / 2, or fewer than 75 % in one "
        "layer's window or with self-attention; holds only partly if a stack finds within its windows what self-attention finds there, within 5 points"
    ),
    setup=SETUP,
    exact=False,
    minutes=6,
    measure=measure,
    judge=judge,
    draw=draw,
)
