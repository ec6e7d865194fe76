"""E3: recurrence has to wait for the word before; how much time that costs, in training and in translating."""

from __future__ import annotations

import time
from statistics import mean, median
from typing import TYPE_CHECKING

import torch
from torch.autograd.graph import Node

from onmal.allocator import keep_freed_memory
from onmal.lab.experiment import Bench, Experiment, Judgement, Numbers
from onmal.lab.pictures import COLOURS, panels
from onmal.lab.small import random_sentences, small_network
from onmal.models import Seq2Seq

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TOKENS, LENGTHS, THREADS, ROUNDS = 2048, (8, 16, 32, 64, 128, 256, 512), (1, 2), 7
WIDE = {
    "d_model": 256,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "max_source_length": 520,
    "max_target_length": 520,
}
READ = 32
"""Words of the sentence that is translated when writing is timed."""


def networks() -> dict[str, Seq2Seq]:
    """One layer each, of one width: an encoder of self-attention or of a GRU from the left, and a decoder that looks at all of the source."""
    return {
        "self-attention": small_network("transformer", seed=1, num_heads=4, feed_forward=256, **WIDE),
        "GRU": small_network("gru-attention", seed=1, bidirectional=False, **WIDE),
    }


def reading(model: Seq2Seq, length: int) -> float:
    """Microseconds a token of one encoder, forward and backward, at a constant number of tokens."""
    source = torch.randint(3, 99, (TOKENS // length, length))
    began = time.perf_counter()
    model.encode(source).states.sum().backward()
    return 1e6 * (time.perf_counter() - began) / source.numel()


@torch.inference_mode()
def writing(model: Seq2Seq, length: int) -> float:
    """Microseconds a word of one sentence that is written step by step, which is sequential for every network."""
    state = model.start(model.encode(random_sentences(1, READ, seed=1)))
    token = torch.tensor([1])
    began = time.perf_counter()
    for _ in range(length):
        states, state = model.step(token, state)
        token = model.project(states).argmax(-1)
    return 1e6 * (time.perf_counter() - began) / length


def steps_that_wait(model: Seq2Seq, length: int) -> int:
    """The longest chain of operations in reading a sentence, each of which needs the one before: counted in autograd's graph."""
    end = model.encode(random_sentences(1, length, seed=1)).states.grad_fn
    assert end is not None
    depth: dict[Node, int] = {}
    waiting: list[Node] = [end]
    while waiting:
        node = waiting[-1]
        before = [each for each, _ in node.next_functions if each is not None]
        if unknown := [each for each in before if each not in depth]:
            waiting += unknown
        else:
            depth[waiting.pop()] = 1 + max((depth[each] for each in before), default=0)
    return depth[end]


def measure(bench: Bench) -> Numbers:
    """By turns, so that what else the machine does meets both alike: network -> length -> each round's time."""
    keep_freed_memory()  # as training does: the same for whoever measures this alone
    models, before = networks(), torch.get_num_threads()
    found: Numbers = {
        "parameters": {
            name: sum(each.numel() for part, each in model.named_parameters() if part.startswith("encoder."))
            for name, model in models.items()
        },
        "steps_that_wait": {
            name: {str(n): steps_that_wait(model, n) for n in (8, 16, 32, 64)}
            for name, model in models.items()
        },
        "reading": {},
        "writing": {},
    }
    try:
        for threads in THREADS:
            torch.set_num_threads(threads)
            key = f"{threads} thread{'s' * (threads > 1)}"
            for what, timed in (("reading", reading), ("writing", writing)):
                times: dict[str, dict[str, list[float]]] = {name: {} for name in models}
                for _ in range(ROUNDS):
                    for length in LENGTHS:
                        for name, model in models.items():
                            times[name].setdefault(str(length), []).append(round(timed(model, length), 2))
                found[what][key] = times
                bench.say(f"{what}, {key}: " + ", ".join(
                    f"{name} {median(by['8']):.1f} to {median(by['512']):.1f} us a token" for name, by in times.items()
                ))  # fmt: skip
    finally:
        torch.set_num_threads(before)
    return found


def growth(times: dict[str, dict[str, list[float]]], length: str) -> float:
    """How much more the GRU's time a token has grown from 8 words to `length` than self-attention's, middle rounds."""
    grown = {name: median(by[length]) / median(by["8"]) for name, by in times.items()}
    return grown["GRU"] / grown["self-attention"]


def judge(numbers: Numbers) -> Judgement:
    """Refuted if the GRU's time a token does not rise beside that of self-attention up to 128 words, on any number of threads."""
    rises = {key: growth(times, "128") for key, times in numbers["reading"].items()}
    written = mean(
        median(by["self-attention"]["64"]) / median(by["GRU"]["64"]) for by in numbers["writing"].values()
    )
    decides = ", ".join(f"{key}: {rise:.2f}" for key, rise in rises.items())
    decides = f"GRU's time a token beside self-attention's, 128 words over 8: {decides}"
    told = f"a word of 64 that are written takes self-attention {written:.2f} times the GRU's time: there both are sequential"
    if max(rises.values()) <= 1:
        return Judgement("not seen at this size", decides, told)
    if min(rises.values()) <= 1:
        return Judgement("holds partly", decides, told)
    return Judgement("holds", decides, told)


def draw(numbers: Numbers, figure: Figure) -> None:
    """Time a token by length, both axes logarithmic: the middle round as a line, every round a dot."""
    figure.set_size_inches(12, 3.4)
    shown = [
        *((f"reading, forward and backward, {key}", times) for key, times in numbers["reading"].items()),
        *((f"writing, {key}", times) for key, times in list(numbers["writing"].items())[:1]),
    ]
    for axes, (_, times) in zip(panels(figure, [title for title, _ in shown]), shown, strict=True):
        for colour, (name, by) in zip(COLOURS, times.items(), strict=False):
            lengths = list(map(int, by))
            axes.plot(lengths, [median(each) for each in by.values()], "-", color=colour, label=name)
            for length, each in zip(lengths, by.values(), strict=True):
                axes.plot([length] * len(each), each, ".", color=colour, alpha=0.5)
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
        "read when writing": READ,
    },
    exact=False,
    minutes=1,
    measure=measure,
    judge=judge,
    draw=draw,
)
