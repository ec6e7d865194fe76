"""E3: recurrence has to wait for the word before; how much time that costs, in training and in translating."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import torch

from onmal.lab.experiment import Bench, Experiment, Judgement, Numbers
from onmal.lab.pictures import COLOURS, panels
from onmal.lab.scores import mean
from onmal.lab.small import random_sentences, small_network
from onmal.models import Seq2Seq

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TOKENS, LENGTHS, THREADS, ROUNDS = 2048, (8, 16, 32, 64, 128, 256, 512), (1, 2), 5
WIDE = {
    "d_model": 256,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "max_source_length": 520,
    "max_target_length": 520,
}
WRITTEN = 64
"""Target words of a sentence that is written."""


def networks() -> dict[str, Seq2Seq]:
    """One layer each, of one width: an encoder of self-attention or of a GRU from the left."""
    return {
        "self-attention": small_network("transformer", seed=1, num_heads=4, feed_forward=256, **WIDE),
        "GRU": small_network("gru", seed=1, bidirectional=False, **WIDE),
    }


def reading(model: Seq2Seq, length: int) -> float:
    """Microseconds a token of one encoder, forward and backward, at a constant number of tokens."""
    source = torch.randint(3, 99, (TOKENS // length, length))
    began = time.perf_counter()
    model.encode(source).states.sum().backward()
    return 1e6 * (time.perf_counter() - began) / source.numel()


@torch.inference_mode()
def writing(model: Seq2Seq) -> float:
    """Microseconds a word of one sentence that is written step by step, which is sequential for every network."""
    state = model.start(model.encode(random_sentences(1, 32, seed=1)))
    token = torch.tensor([1])
    began = time.perf_counter()
    for _ in range(WRITTEN):
        states, state = model.step(token, state)
        token = model.project(states).argmax(-1)
    return 1e6 * (time.perf_counter() - began) / WRITTEN


def measure(bench: Bench) -> Numbers:
    """By turns, so that what else the machine does meets both alike; of each the middle one of the rounds."""
    models, before = networks(), torch.get_num_threads()
    found: Numbers = {"reading": {}, "writing": {}, "steps_that_wait": {}}
    try:
        for threads in THREADS:
            torch.set_num_threads(threads)
            times: dict[str, dict[str, list[float]]] = {name: {} for name in models}
            for _ in range(ROUNDS):
                for length in LENGTHS:
                    for name, model in models.items():
                        times[name].setdefault(str(length), []).append(reading(model, length))
            key = f"{threads} thread{'s' * (threads > 1)}"
            found["reading"][key] = {
                name: {n: sorted(each)[ROUNDS // 2] for n, each in by.items()} for name, by in times.items()
            }
            rounds = [{name: writing(model) for name, model in models.items()} for _ in range(ROUNDS)]
            found["writing"][key] = {
                name: sorted(each[name] for each in rounds)[ROUNDS // 2] for name in models
            }
            bench.say(f"{key}: " + ", ".join(
                f"{name} {by['8']:.1f} to {by['512']:.1f} us a token" for name, by in found["reading"][key].items()
            ))  # fmt: skip
    finally:
        torch.set_num_threads(before)
    found["steps_that_wait"] = {
        "self-attention": dict.fromkeys(map(str, LENGTHS), 1),
        "GRU": {str(n): n for n in LENGTHS},
    }
    return found


def judge(numbers: Numbers) -> Judgement:
    """Refuted if the GRU's time a token does not rise beside that of self-attention up to 128 words, on any number of threads."""
    rises = {
        key: (by["GRU"]["128"] / by["self-attention"]["128"]) / (by["GRU"]["8"] / by["self-attention"]["8"])
        for key, by in numbers["reading"].items()
    }
    written = mean(by["self-attention"] / by["GRU"] for by in numbers["writing"].values())
    decides = ", ".join(f"{key}: {rise:.2f}" for key, rise in rises.items())
    decides = f"GRU's time a token beside self-attention's, 128 words over 8: {decides}"
    told = f"a word that is written takes self-attention {written:.2f} times the GRU's time: there both are sequential"
    if max(rises.values()) <= 1:
        return Judgement("not seen at this size", decides, told)
    if min(rises.values()) <= 1:
        return Judgement("holds partly", decides, told)
    return Judgement("holds", decides, told)


def draw(numbers: Numbers, figure: Figure) -> None:
    """Time a token by length, both axes logarithmic."""
    keys = list(numbers["reading"])
    for axes, key in zip(
        panels(figure, [f"encoder, forward and backward, {key}" for key in keys]), keys, strict=True
    ):
        for colour, (name, by) in zip(COLOURS, numbers["reading"][key].items(), strict=False):
            axes.plot([int(n) for n in by], list(by.values()), "o-", color=colour, label=name)
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set_xlabel("words of a sentence")
        axes.set_ylabel("microseconds a token")
        axes.legend(fontsize=7)


EXPERIMENT = Experiment(
    name="speed",
    number="E3",
    claim="a recurrent network has to read one word after the other, the Transformer reads all at once",
    refuted_if=(
        "from 8 to 128 words the GRU's time a token does not rise beside that of self-attention; holds only partly if it does on some "
        "numbers of threads alone"
    ),
    setup={
        "tokens": TOKENS,
        "lengths": LENGTHS,
        "threads": THREADS,
        "rounds": ROUNDS,
        "width": 256,
        "layers": 1,
        "written": WRITTEN,
    },
    exact=False,
    minutes=2,
    measure=measure,
    judge=judge,
    draw=draw,
)
