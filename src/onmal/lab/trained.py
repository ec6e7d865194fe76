"""Networks that experiments train: each once, kept under the hash of its settings, and gone on with where it was left."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from onmal.config import RunConfig, SearchConfig
from onmal.data.writing import write_whole
from onmal.lab.experiment import Bench
from onmal.lab.texts import training_text
from onmal.run_report.events import Reporters
from onmal.saved_model import SavedModel, load_model
from onmal.training.run import train
from onmal.translating.torch_engine import TorchEngine
from onmal.translating.translator import Translator

__all__ = ["GREEDY", "MODELS", "TRAIN", "at_hand", "place_of", "settings", "trained", "translations"]

UPDATES = 600
TRAIN: dict[str, Any] = {
    "max_updates": UPDATES, "batch_tokens": 1024, "learning_rate": 0.003, "warmup": 60, "schedule": "cosine",
    "label_smoothing": 0.0, "validate_every": UPDATES, "average": 1,
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
                "max_length": 64, "valid_size": 200, **data,
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
) -> SavedModel:
    """A network of these settings: loaded if some experiment has trained it, else trained (or trained on) now.

    The text is `onmal.lab.texts.training_text`, from English to Korean unless `data` says otherwise. KeyboardInterrupt
    where it was stopped; the next run goes on from there.
    """
    config = settings(model, seed, data or {}, more or {})
    folder = place_of(bench, config)
    if known := at_hand(bench, folder):
        return known
    bench.say(f"training: {name}, seed {seed}")
    train_file, valid_file = training_text(bench.folder / "networks" / "text")
    swapped = config.data.source_language == "en"
    files = {"train": _sides(train_file, swapped), "valid": _sides(valid_file, swapped)}
    run = config.model_copy(update={"data": config.data.model_copy(update=files)})
    made = train(run, folder, resume=(folder / "training" / "run.toml").exists(), reporter=Reporters())
    if made is None:
        raise KeyboardInterrupt
    return made


def place_of(bench: Bench, config: RunConfig) -> Path:
    """Where a network of these settings is kept."""
    key = hashlib.sha256(json.dumps(config.model_dump(), sort_keys=True).encode()).hexdigest()[:16]
    return bench.folder / "networks" / key


def at_hand(bench: Bench, folder: Path) -> SavedModel | None:
    """A network that an experiment has trained already, and the minutes that it took."""
    if not (folder / "config.json").exists():
        return None
    saved = load_model(folder)
    bench.earlier.append(saved.card["minutes"])
    return saved


def _sides(pairs: Path, swapped: bool) -> list[str]:
    """A TSV as two aligned files, source first."""
    korean, english = pairs.with_suffix(".ko"), pairs.with_suffix(".en")
    if not english.exists():
        lines = [line.split("\t") for line in pairs.read_text("utf-8").splitlines()]
        for path, side in ((korean, 0), (english, 1)):
            write_whole(path, "".join(f"{line[side]}\n" for line in lines).encode())
    return [str(english), str(korean)] if swapped else [str(korean), str(english)]


def translations(saved: SavedModel, texts: Sequence[str], to: str = "ko") -> list[str]:
    """Greedy translations as the network says them, with nothing mended."""
    translator = Translator(saved, TorchEngine(saved.model), guards=())
    return [each.text for each in translator.translate(texts, to=to, search=GREEDY)]
