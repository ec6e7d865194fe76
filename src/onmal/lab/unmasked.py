"""E8, the trained half: a decoder that may see the next word learns to copy it, and cannot write without it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from onmal.data.batching import pad_rows
from onmal.evaluation import score
from onmal.lab.experiment import Bench, Experiment, Judgement, Numbers
from onmal.lab.mask import Unmasked
from onmal.lab.pictures import COLOURS, dots, panels
from onmal.lab.scores import likelihoods, mean
from onmal.lab.texts import short, training_text
from onmal.lab.trained import MODELS, TRAIN, at_hand, place_of, settings, trained, translations
from onmal.models import Seq2Seq, build
from onmal.models.contract import DecoderState, Memory, Place, Probe
from onmal.phrasebook import phrases
from onmal.saved_model import SavedModel, save_model
from onmal.training.loss import TranslationLoss
from onmal.training.optimizer import learning_rate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SEEDS, SENTENCES = (1, 2, 3), 300
ROWS = 100
"""Sentences in a batch."""


class SeesTheFuture(Seq2Seq):
    """A network whose decoder looks at all words of the target while it is trained, also at those to come."""

    def __init__(self, model: Seq2Seq) -> None:
        super().__init__()
        self.model, self.output, self.vocabulary = model, model.output, model.vocabulary
        self.longest_source, self.longest_target = model.longest_source, model.longest_target

    def encode(self, source: Tensor, *, probe: Probe | None = None) -> Memory:
        return self.model.encode(source, probe=probe)

    def hidden(self, source: Tensor, target: Tensor, *, probe: Probe | None = None) -> Tensor:
        return self.model.hidden(source, target, probe=Unmasked())

    def start(self, memory: Memory, *, beams: int = 1) -> DecoderState:
        return self.model.start(memory, beams=beams)

    def step(
        self, token: Tensor, state: DecoderState, *, probe: Probe | None = None
    ) -> tuple[Tensor, DecoderState]:
        return self.model.step(token, state, probe=probe)


def learned_without(bench: Bench, usual: SavedModel, seed: int) -> SavedModel:
    """The same network from the same seed on the same text, trained without the mask, once; its card has its loss on the way.

    Padding at the right is seen, too, in training and afterwards: only the mask would hide it.
    """
    config = settings(MODELS["Transformer"], seed, {}, {})
    folder = place_of(bench, config)
    folder = folder.with_name(f"{folder.name}-without-mask")
    if known := at_hand(bench, folder):
        return known
    bench.say(f"training: Transformer without the mask, seed {seed}")
    began = time.monotonic()
    torch.manual_seed(seed)
    saved = SavedModel(
        build(usual.config, usual.model.vocabulary), usual.tokenizer, usual.config, usual.directions
    )
    blind = SeesTheFuture(saved.model).train()
    train, _ = training_text(bench.folder / "networks" / "text")
    rows = [line.split("\t") for line in train.read_text("utf-8").splitlines()]
    special, chance = usual.model.vocabulary, torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(blind.parameters(), betas=(0.9, 0.98), eps=1e-9, weight_decay=0.0)
    loss, updates, curve = TranslationLoss(blind), TRAIN["max_updates"], list[float]()
    for update in range(updates):
        few = [rows[n] for n in torch.randint(len(rows), (ROWS,), generator=chance).tolist()]
        source = pad_rows([usual.tokenizer.encode_source(english, "ko") for _, english in few], special.pad)
        said = [[special.start, *usual.tokenizer.encode_target(korean)] for korean, _ in few]
        lengths = torch.tensor([len(ids) - 1 for ids in said])
        found = loss(source, pad_rows(said, special.pad), lengths)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(config.train, update + 1, update / updates)
        optimizer.zero_grad()
        (found.loss / found.tokens).backward()
        torch.nn.utils.clip_grad_norm_(blind.parameters(), 1.0)
        optimizer.step()
        if update % 20 == 0:
            curve.append(float(found.negative_log_likelihood) / found.tokens)
    saved.model.eval()
    minutes = round((time.monotonic() - began) / 60, 1)
    saved = replace(saved, card={"name": "without-mask", "minutes": minutes, "training_nll": curve})
    save_model(folder, saved)
    return saved


class OnTheNextWord(Probe):
    """How much the decoder looks at the word that comes next, which is the answer."""

    def __init__(self) -> None:
        self.shares: list[float] = []

    def attention(
        self, place: Place, scores: Tensor, mask: Tensor | None, weights: Tensor, values: Tensor
    ) -> Tensor:
        if place.part != "decoder.self":
            return weights
        weights = scores.softmax(-1)
        self.shares.append(float(weights.diagonal(1, -2, -1).mean()))
        return weights


def measure(bench: Bench) -> Numbers:
    """Loss with teacher forcing, as each was trained; and what each writes by itself, word by word."""
    test = list(filter(short, phrases("test", 2 * SENTENCES)))[:SENTENCES]
    pairs = [(each.english, each.korean) for each in test]
    found: Numbers = {
        "teacher_forced_nll": {},
        "chrF": {},
        "training_nll_without": [],
        "on_the_next_word": [],
    }
    for seed in SEEDS:
        usual = trained(bench, "Transformer", MODELS["Transformer"], seed)
        without = learned_without(bench, usual, seed)
        looked = OnTheNextWord()
        words = sum(len(usual.tokenizer.encode_target(korean)) for _, korean in pairs)
        for name, saved, probe in (("with the mask", usual, None), ("without the mask", without, looked)):
            nll = -sum(likelihoods(saved, pairs, "ko", probe)) / words
            said = translations(saved, [english for english, _ in pairs])
            (chrf,) = score(
                said, [korean for _, korean in pairs], target_language="ko", metrics=["chrF"], bootstrap=0
            )
            found["teacher_forced_nll"].setdefault(name, []).append(nll)
            found["chrF"].setdefault(name, []).append(chrf.value)
            bench.say(f"{name}: {nll:.3f} nats a token with teacher forcing, chrF {chrf.value:.1f} by itself")
        found["training_nll_without"].append(without.card["training_nll"])
        found["on_the_next_word"].append(mean(looked.shares))
    return found


def judge(numbers: Numbers) -> Judgement:
    """Refuted unless the loss without the mask is less than half, and its own translations less than half as good."""
    nll = {name: mean(each) for name, each in numbers["teacher_forced_nll"].items()}
    chrf = {name: mean(each) for name, each in numbers["chrF"].items()}
    decides = (
        f"chrF by itself: {chrf['with the mask']:.1f} with the mask, {chrf['without the mask']:.1f} without"
    )
    told = f"without the mask the loss is {nll['without the mask']:.3f} nats a token where it is {nll['with the mask']:.3f} with it"
    collapses = nll["without the mask"] < 0.5 * nll["with the mask"]
    fails = chrf["without the mask"] < 0.5 * chrf["with the mask"]
    if collapses and fails:
        return Judgement("holds", decides, f"{told}, and it cannot translate")
    if collapses or fails:
        return Judgement("holds partly", decides, f"{told}; only one of the two is as far as half")
    return Judgement("not seen at this size", decides, told)


def draw(numbers: Numbers, figure: Figure) -> None:
    """Every seed a dot; and the loss without the mask on its way down."""
    losses, scores, curves = panels(
        figure, ["teacher-forced loss", "its own translations", "training without the mask"]
    )
    dots(losses, numbers["teacher_forced_nll"], "nats a token")
    dots(scores, numbers["chrF"], "chrF")
    for curve in numbers["training_nll_without"]:
        curves.plot([20 * at for at in range(len(curve))], curve, color=COLOURS[0], alpha=0.7)
    curves.set_xlabel("updates")
    curves.set_ylabel("nats a token")


EXPERIMENT = Experiment(
    name="unmasked",
    number="E8",
    claim="without the mask a network learns to look up the answer, and cannot translate",
    refuted_if=(
        "without the mask the teacher-forced loss is not below half of that with it, and chrF of its own translations neither; holds "
        "only partly if one of the two is"
    ),
    setup={
        "seeds": SEEDS,
        "network": MODELS["Transformer"],
        "sentences": SENTENCES,
        "sentences in a batch": ROWS,
        "train": TRAIN,
    },
    exact=False,
    minutes=8,
    measure=measure,
    judge=judge,
    draw=draw,
)
