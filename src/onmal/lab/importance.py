"""E11: is what a network looks at what matters? Attention beside measured effect, and beside gold alignments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from onmal.inspection.attention import Recorder
from onmal.inspection.effects import effect_of_words
from onmal.inspection.words import Unit, joined, special_pieces, tokens_of
from onmal.lab.experiment import Bench, Experiment, Judgement, Numbers
from onmal.lab.pictures import COLOURS, dots, panels
from onmal.lab.scores import mean
from onmal.lab.texts import SHORT, english_words
from onmal.lab.trained import MODELS, trained
from onmal.phrasebook import Phrase, phrases
from onmal.saved_model import SavedModel

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SEEDS, SENTENCES = (1, 2, 3), 80
NETWORKS = ("Transformer", "GRU with attention")
LEAST = 4
"""Words of a source: among fewer there is hardly an order to compare."""
POINTS = 400
"""Pairs of words that the picture shows."""
Table = NDArray[np.float32]


def measure(bench: Bench) -> Numbers:
    """Of each head of cross-attention, and of their mean: rank correlation with the effect, and alignment error."""
    test = [each for each in phrases("test", 3 * SENTENCES) if LEAST <= english_words(each) <= SHORT][
        :SENTENCES
    ]
    found: Numbers = {}
    points = list[list[float]]()
    for name in NETWORKS:
        found[name] = []
        for seed in SEEDS:
            saved = trained(bench, name, MODELS[name], seed)
            heads: dict[str, list[dict[str, float]]] = {}
            for phrase in test:
                for head, (facts, pairs) in looked_at(saved, phrase).items():
                    heads.setdefault(head, []).append(facts)
                    if (name, seed, head) == (NETWORKS[0], SEEDS[0], "mean"):
                        points += pairs
            told = {
                head: {what: mean(each[what] for each in facts) for what in facts[0]}
                for head, facts in heads.items()
            }
            found[name].append(told)
        for what in ("correlation", "alignment_error"):
            bench.say(
                f"{name}, {what.replace('_', ' ')}: {mean(each['mean'][what] for each in found[name]):.2f} of all heads' mean"
            )
    return {
        "heads": found,
        "least_alignment_error": mean(least_error(phrase) for phrase in test),
        "weights_and_effects": points[:POINTS],
    }


@torch.inference_mode()
def looked_at(saved: SavedModel, phrase: Phrase) -> dict[str, tuple[dict[str, float], list[list[float]]]]:
    """What each head does for one sentence and its reference: "layer.head", from 1, and "mean"; and [weight, effect] of its words."""
    tokenizer, special, recorder = saved.tokenizer, saved.model.vocabulary, Recorder()
    source, said = tokenizer.encode_source(phrase.english, "ko"), tokenizer.encode_target(phrase.korean)
    ids = torch.tensor([source])
    saved.model.hidden(ids, torch.tensor([[special.start, *said[:-1]]]), probe=recorder)
    signs = special_pieces(tokenizer)
    rows = tokens_of(tokenizer.target, said, signs, spaces=True).words
    columns = tokens_of(tokenizer.source, source, signs, spaces=True).words
    effect = effect_of_words(saved.model, ids, said, rows, columns)
    layers = {
        place.layer + 1: table.numpy()
        for place, table in recorder.weights.items()
        if place.part == "decoder.cross"
    }
    tables = {
        f"{layer}.{head + 1}": each for layer, heads in layers.items() for head, each in enumerate(heads)
    }
    tables["mean"] = np.mean(list(tables.values()), axis=0)
    return {
        head: facts(joined(each, rows, columns), effect, rows, columns, phrase)
        for head, each in tables.items()
    }


def facts(
    weights: Table, effect: Table, rows: tuple[Unit, ...], columns: tuple[Unit, ...], phrase: Phrase
) -> tuple[dict[str, float], list[list[float]]]:
    """Of one head and sentence [target words, source words]; the end of a sentence is no word."""
    said, read = ([n for n, unit in enumerate(units) if not unit.special] for units in (rows, columns))
    words = np.ix_(said, read)
    gold = said_on_both_sides(phrase)
    links = {(t, int(weights[row].argmax())) for t, row in enumerate(said)}
    links = {(t, read.index(column)) for t, column in links if column in read}
    right = len(links & gold)
    rows_told = [(weights[row][read], effect[row][read]) for row in said]
    of_each_word = mean(spearman(one, other) for one, other in rows_told)
    told = {
        "correlation": of_each_word,
        "correlation_of_all_pairs": spearman(weights[words].ravel(), effect[words].ravel()),
        "alignment_error": 1 - 2 * right / max(1, len(links) + len(gold)),
        "on_the_end": float(
            weights[said][:, [n for n in range(len(columns)) if n not in read]].sum(1).mean()
        ),
    }
    pairs = np.stack((weights[words].ravel(), effect[words].ravel()), 1)
    return told, [[round(float(each), 4) for each in pair] for pair in pairs]


def said_on_both_sides(phrase: Phrase) -> set[tuple[int, int]]:
    """Gold links (Korean word, English word), without those of words that are not said."""
    return {(korean, english) for korean, english in phrase.alignment if min(korean, english) >= 0}


def least_error(phrase: Phrase) -> float:
    """The alignment error of whoever looks from each Korean word at one that belongs to it, for most belong to several."""
    gold = said_on_both_sides(phrase)
    right = len({korean for korean, _ in gold})
    return 1 - 2 * right / (right + len(gold))


def spearman(one: Table, other: Table) -> float:
    """Correlation of the ranks, which those that are alike share; 0 where one side is all alike."""
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(np.corrcoef(ranks(one), ranks(other))[0, 1])


def ranks(values: Table) -> NDArray[np.float64]:
    """From 1, the least; those that are alike have the mean of theirs."""
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    shared: NDArray[np.float64] = counts.cumsum() - (counts - 1) / 2
    return shared[which]


def judge(numbers: Numbers) -> Judgement:
    """The warning goes if weights and effects correlate by more than 0.9 in every head; it stays if in none."""
    networks = numbers["heads"]
    heads = {
        f"{name} {head}": mean(each[head]["correlation"] for each in seeds)
        for name, seeds in networks.items()
        for head in seeds[0]
    }
    whole = {name: mean(each["mean"]["correlation"] for each in seeds) for name, seeds in networks.items()}
    errors = {
        name: mean(each["mean"]["alignment_error"] for each in seeds) for name, seeds in networks.items()
    }
    decides = "rank correlation of weight and effect, mean of all heads: " + ", ".join(
        f"{n} {c:.2f}" for n, c in whole.items()
    )
    told = "alignment error " + ", ".join(f"{name} {error:.2f}" for name, error in errors.items())
    high = [head for head, value in heads.items() if value > 0.9]
    if len(high) == len(heads):
        return Judgement("not seen at this size", decides, f"what is looked at is what matters; {told}")
    if high:
        return Judgement(
            "holds partly", decides, f"{len(high)} of {len(heads)} correlate by more than 0.9; {told}"
        )
    best = max(heads, key=heads.__getitem__)
    return Judgement("holds", decides, f"the best, {best}, has {heads[best]:.2f}; {told}")


def draw(numbers: Numbers, figure: Figure) -> None:
    """Every seed a dot, for each head; and the words of one network, a dot each."""
    figure.set_size_inches(12, 3.4)
    correlation, error, words = panels(
        figure,
        [
            "rank correlation of weight and effect",
            "alignment error beside gold",
            f"Transformer, seed {SEEDS[0]}, mean of all heads: words",
        ],
    )
    for axes, what in ((correlation, "correlation"), (error, "alignment_error")):
        groups = {
            f"{'T' if name == 'Transformer' else 'GRU'} {head}": [each[head][what] for each in seeds]
            for name, seeds in numbers["heads"].items()
            for head in seeds[0]
        }
        dots(axes, groups, what.replace("_", " "))
    correlation.axhline(0.9, color="#999999", linestyle=":")
    error.axhline(numbers["least_alignment_error"], color="#999999", linestyle=":")
    words.plot(*zip(*numbers["weights_and_effects"], strict=True), ".", color=COLOURS[0], alpha=0.4)
    words.set_xlabel("weight")
    words.set_ylabel("effect in nats")


EXPERIMENT = Experiment(
    name="importance",
    number="E11",
    claim="how much a word is looked at is not how much it matters",
    refuted_if=(
        "over the source's words, for a target word, weights and measured effects have a mean rank correlation above 0.9 in every head of "
        "cross-attention; holds only partly if in some"
    ),
    setup={
        "seeds": SEEDS,
        "sentences": SENTENCES,
        "english words at least": LEAST,
        "networks": {name: MODELS[name] for name in NETWORKS},
        "direction": "en-ko",
    },
    exact=False,
    minutes=8,
    measure=measure,
    judge=judge,
    draw=draw,
)
