"""E8, the trained half: a decoder that may see the next word learns to copy it, and cannot write without it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from onmal.config import Vocabulary
from onmal.evaluation import score
from onmal.lab.experiment import Bench, Experiment, Judgement, Numbers
from onmal.lab.pictures import COLOURS, dots, panels
from onmal.lab.scores import mean
from onmal.lab.texts import short
from onmal.lab.trained import MODELS, TRAIN, place_of, settings, trained, translations
from onmal.models import Seq2Seq, Transformer, build
from onmal.models.contract import Place, Probe
from onmal.origin import Origin
from onmal.phrasebook import phrases
from onmal.saved_model import SavedModel
from onmal.training.snapshots import Snapshots

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SEEDS, SENTENCES = (1, 2, 3), 300
OFTEN: dict[str, Any] = {"validate_every": 50}
WITH, WITHOUT = "with the mask", "without the mask"


class Unhidden(Probe):
    """Lets every word of the target see all of them, later ones too, padding left out; and writes down how much it looks at the next."""

    def __init__(self, real: Tensor) -> None:
        self.real = real
        """True where the target has a word [B,T]."""
        self.on_the_next: list[float] = []
        """Of each layer: the mean share of a word's look that is on the word after it, which is the answer."""

    def attention(
        self, place: Place, scores: Tensor, mask: Tensor | None, weights: Tensor, values: Tensor
    ) -> Tensor:
        if place.part != "decoder.self":
            return weights
        seen = scores.masked_fill(~self.real[:, None, None], -torch.inf).softmax(-1)  # [B,H,T,T]
        if not torch.is_grad_enabled():
            self.on_the_next.append(float(seen.diagonal(1, -2, -1).mean()))
        return seen


class SeesTheFuture(Transformer):
    """A Transformer whose decoder looks at all words of the target with teacher forcing; word by word there are none to come."""

    def hidden(self, source: Tensor, target: Tensor, *, probe: Probe | None = None) -> Tensor:
        return super().hidden(source, target, probe=probe or Unhidden(target != self.vocabulary.pad))


class WithoutMask(Origin):
    """The network that any other run begins with, of the same random numbers, but for the mask."""

    def network(self, vocabulary: Vocabulary) -> Seq2Seq:
        return SeesTheFuture(self.config.model, vocabulary)

    def whole(self, model: Seq2Seq) -> Seq2Seq:
        plain = build(self.config.model, model.vocabulary).eval()
        plain.load_state_dict(model.state_dict())
        return plain


KINDS = {WITH: Origin, WITHOUT: WithoutMask}


def measure(bench: Bench) -> Numbers:
    """Loss with teacher forcing, as each was trained; what each writes by itself, word by word; and how both came about."""
    test = list(filter(short, phrases("test", 2 * SENTENCES)))[:SENTENCES]
    pairs = [(each.english, each.korean) for each in test]
    found: Numbers = {
        "teacher_forced_nll": {},
        "chrF": {},
        "empty": {},
        "repeating": {},
        "curves": {},
        "examples": {},
        "on_the_next_word": [],
    }
    for seed in SEEDS:
        for name, origin in KINDS.items():
            model = MODELS["Transformer"]
            saved = trained(bench, f"Transformer {name}", model, seed, more=OFTEN, origin=origin)
            run = place_of(bench, settings(model, seed, {}, OFTEN), origin) / "training"
            # Not the best of its validations, but where the training ended: the same for both.
            Snapshots.put(saved.model, Snapshots(run, 1).mean([TRAIN["max_updates"]]))
            nll, looked = taught(saved, pairs, hidden=name == WITH)
            said = translations(saved, [english for english, _ in pairs])
            (chrf,) = score(
                said, [korean for _, korean in pairs], target_language="ko", metrics=["chrF"], bootstrap=0
            )
            found["teacher_forced_nll"].setdefault(name, []).append(nll)
            found["chrF"].setdefault(name, []).append(chrf.value)
            found["empty"].setdefault(name, []).append(100 * mean(not each.strip() for each in said))
            found["repeating"].setdefault(name, []).append(100 * mean(map(repeats, said)))
            found["curves"].setdefault(name, []).append(curves(run / "log.jsonl"))
            found["examples"].setdefault(name, []).append(
                [[*pair, own] for pair, own in zip(pairs, said, strict=True)][:5]
            )
            if name == WITHOUT:
                found["on_the_next_word"].append(looked)
            bench.say(f"{name}: {nll:.3f} nats a token with teacher forcing, chrF {chrf.value:.1f} by itself")
    return found


@torch.inference_mode()
def taught(saved: SavedModel, pairs: list[tuple[str, str]], *, hidden: bool) -> tuple[float, float]:
    """Nats a token with teacher forcing, one sentence at a time; and how much is looked at the next word, where it is not hidden."""
    special, lost, words, looks = saved.model.vocabulary, 0.0, 0, list[float]()
    for english, korean in pairs:
        source = torch.tensor([saved.tokenizer.encode_source(english, "ko")])
        said = torch.tensor(saved.tokenizer.encode_target(korean))
        before = torch.cat((torch.tensor([special.start]), said[:-1]))[None]
        probe = Unhidden(before != special.pad)
        states = saved.model.hidden(source, before, probe=None if hidden else probe)
        told = saved.model.project(states)[0].log_softmax(-1)  # [T,V]
        lost, words = lost - float(told.gather(1, said[:, None]).sum()), words + len(said)
        looks += probe.on_the_next
    return lost / words, mean(looks) if looks else 0.0


def repeats(text: str) -> bool:
    """Whether the same comes four times running, be it a word or a piece of one."""
    return re.search(r"(\S{1,20}?)(\s?\1){3}", text) is not None


def curves(log: Path) -> dict[str, list[list[float]]]:
    """What a run's log says on the way: training [update, nats a token], validation [update, nats a token, chrF]."""
    training, validation = dict[int, list[float]](), dict[int, list[float]]()
    for line in log.read_text("utf-8").splitlines():  # of a run that was gone on with the later line counts
        event = json.loads(line)
        nll = round(event.get("negative_log_likelihood") or 0.0, 4)
        if event["event"] == "update":
            training[event["update"]] = [event["update"], nll]
        elif event["event"] == "validation":
            (scores,) = event["scores"].values()
            validation[event["progress"]["update"]] = [
                event["progress"]["update"],
                nll,
                round(scores["chrF"], 2),
            ]
    return {
        name: [each for _, each in sorted(curve.items())]
        for name, curve in (("training", training), ("validation", validation))
    }


def judge(numbers: Numbers) -> Judgement:
    """Refuted unless the loss without the mask is less than half, and chrF of its own translations, too."""
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
    return Judgement("not seen at this size", decides, f"{told}; not both of loss and chrF are below half")


def draw(numbers: Numbers, figure: Figure) -> None:
    """Every seed a dot; and every seed's way there a line."""
    figure.set_size_inches(12, 3.4)
    losses, scores, training, validation = panels(
        figure, ["teacher-forced loss", "own translations", "loss in training", "own translations on the way"]
    )
    dots(losses, numbers["teacher_forced_nll"], "nats a token")
    dots(scores, numbers["chrF"], "chrF")
    for colour, (name, seeds) in zip(COLOURS, numbers["curves"].items(), strict=False):
        for n, curve in enumerate(seeds):
            label = None if n else name
            updates, nll = zip(*curve["training"] or [(0, None)], strict=True)
            training.plot(updates, nll, color=colour, alpha=0.7, label=label)
            updates, nll, _ = zip(*curve["validation"], strict=True)
            training.plot(
                updates, nll, ".", color=colour, alpha=0.7, label=None if n else f"{name}, validation"
            )
            updates, _, chrf = zip(*curve["validation"], strict=True)
            validation.plot(updates, chrf, ".-", color=colour, alpha=0.7, label=label)
    for axes, label in ((training, "nats a token"), (validation, "chrF")):
        axes.set_xlabel("updates")
        axes.set_ylabel(label)
        axes.legend(fontsize=6)


EXPERIMENT = Experiment(
    name="unmasked",
    number="E8",
    claim="without the mask a network learns to look up the answer, and cannot translate",
    refuted_if=(
        "without the mask the teacher-forced loss is not below half of that with it, or chrF of its own translations is not"
    ),
    setup={"seeds": SEEDS, "network": MODELS["Transformer"], "sentences": SENTENCES},
    exact=False,
    minutes=8,
    measure=measure,
    judge=judge,
    draw=draw,
)
