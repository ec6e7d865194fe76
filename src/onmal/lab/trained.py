"""Networks that experiments train: each once, kept under the hash of its settings and text, and gone on with where it was left."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from onmal.config import RunConfig, SearchConfig
from onmal.lab import texts
from onmal.lab.experiment import Bench, Say
from onmal.origin import Origin, weights_sha256
from onmal.run_report.events import Reporters, Update, clock, time_left
from onmal.saved_model import SavedModel, load_model
from onmal.training.run import train
from onmal.translating.torch_engine import TorchEngine
from onmal.translating.translator import Translator

__all__ = ["GREEDY", "MODELS", "TRAIN", "place_of", "settings", "trained", "translations"]

UPDATES = 600
TRAIN: dict[str, Any] = {
    "max_updates": UPDATES, "batch_tokens": 1024, "learning_rate": 0.003, "warmup": 60, "schedule": "cosine",
    "label_smoothing": 0.0, "validate_every": UPDATES, "average": 1,
    "processes": 1, "threads": 1, "precision": "float32",  # not by the machine: the same settings, the same network
}  # fmt: skip
"""The same for all networks that are compared, so that they see the same tokens; nothing is tuned for one of them."""

SHAPE: dict[str, Any] = {
    "d_model": 128, "encoder_layers": 2, "decoder_layers": 2, "dropout": 0.0, "max_source_length": 64,
    "max_target_length": 64,
}  # fmt: skip
MODELS: dict[str, dict[str, Any]] = {
    "Transformer": {**SHAPE, "num_heads": 4, "feed_forward": 256},
    "GRU": {**SHAPE, "network": "gru", "encoder_layers": 1, "decoder_layers": 1, "hidden_size": 160},
    "GRU with attention": {
        **SHAPE, "network": "gru-attention", "encoder_layers": 1, "decoder_layers": 1, "hidden_size": 162,
        "input_feeding": True,
    },
}  # fmt: skip
"""Of as many parameters, within 2 %."""

GREEDY = SearchConfig(beam_size=1, max_length_ratio=3.0, max_length_extra=20)


class HowFar(Reporters):
    """Says every ten seconds or so how far a network is."""

    def __init__(self, say: Say) -> None:
        super().__init__()
        self.say, self.next = say, 10.0

    def updated(self, update: Update) -> None:
        if update.seconds >= self.next:
            self.next = update.seconds + 10
            self.say(f"  {update.share_done:.0%}  loss {update.loss:.2f}  left {clock(time_left(update))}")

    def note(self, text: str) -> None:
        if not text.startswith("stopped"):  # how to go on is for the experiment to say
            self.say(f"  {text}")


def settings(
    model: Mapping[str, Any], seed: int, data: Mapping[str, Any], more: Mapping[str, Any]
) -> RunConfig:
    """A run's settings, its text's place left open."""
    return RunConfig.from_dict(
        {
            "name": "lab",
            "model": dict(model),
            "data": {
                "source_language": "en", "target_language": "ko", "vocabulary_size": 2000, "clean": False,
                "max_length": 64, "valid_size": texts.VALIDATION, **data,
            },
            "train": {**TRAIN, "seed": seed, **more},
        }
    )  # fmt: skip


def trained(
    bench: Bench,
    name: str,
    model: Mapping[str, Any],
    seed: int,
    *,
    data: Mapping[str, Any] | None = None,
    more: Mapping[str, Any] | None = None,
    origin: type[Origin] = Origin,
) -> SavedModel:
    """A network of these settings: loaded if some experiment has trained it, else trained (or trained on) now.

    The text is `onmal.lab.texts.training_text`, from English to Korean unless `data` says otherwise. KeyboardInterrupt
    where it was stopped; the next run goes on from there.
    """
    config = settings(model, seed, data or {}, more or {})
    text, folder = texts.training_text(texts.PAIRS), place_of(bench, config, origin)
    bench.facts["text"] = {"pairs": texts.PAIRS, "sha256": text.sha256}
    bench.facts["trained with"] = {**TRAIN, **(more or {})}
    sums = bench.facts.setdefault("sha256 of weights", {})
    if (folder / "config.json").exists():
        saved = load_model(folder)
        bench.earlier.append(saved.card["minutes"])
        sums[f"{name}, seed {seed}"] = weights_sha256(folder)
        return saved
    bench.say(f"training: {name}, seed {seed}")
    place = text.written(bench.folder.absolute() / "networks")
    languages = config.data.source_language, config.data.target_language
    files = {
        split: [str(place / f"{split}.{language}") for language in languages] for split in ("train", "valid")
    }
    run = config.model_copy(
        update={"data": config.data.model_copy(update=files), "train": config.train.replace(device="cpu")}
    )
    begun = (folder / "training" / "run.toml").exists()
    made = train(run, folder, resume=begun, reporter=HowFar(bench.say), origin=origin)
    if made is None:
        raise KeyboardInterrupt
    sums[f"{name}, seed {seed}"] = weights_sha256(folder)
    return made


def place_of(bench: Bench, config: RunConfig, origin: type[Origin] = Origin) -> Path:
    """Where a network of these settings, of today's text and of this beginning is kept."""
    decides = {
        "settings": config.model_dump(),
        "text": texts.training_text(texts.PAIRS).sha256,
        "origin": origin.__name__,
    }
    key = hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:16]
    return bench.folder / "networks" / key


def translations(saved: SavedModel, sources: Sequence[str], to: str = "ko") -> list[str]:
    """Greedy translations as the network says them, with nothing mended."""
    translator = Translator(saved, TorchEngine(saved.model), guards=())
    return [each.text for each in translator.translate(sources, to=to, search=GREEDY)]
