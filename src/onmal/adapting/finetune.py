"""Fine-tuning: a trained model goes on with text of another domain, and is compared with what it was before."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from onmal.adapting.comparison import HELD_OUT, OLD_TEST, compared, given_test, old_domain
from onmal.adapting.made_text import made_text
from onmal.config import DataConfig, DataMixConfig, RunConfig
from onmal.data.corpus import read_pairs
from onmal.data.pair import Pair
from onmal.errors import ConfigError, DataError, OnmalError
from onmal.run_folder import MADE
from onmal.run_report.events import PlainReport, Reporter
from onmal.saved_model import SavedModel, load_model, save_model
from onmal.training.distributed import rank_from_torchrun
from onmal.training.run import train
from onmal.training.sources import training_pairs
from onmal.writing import write_whole

__all__ = ["finetune", "keep_old_test", "settings_for", "with_old_text"]

RATES = {"all": 0.0005, "lora": 0.002}
"""Learning rates: a trained model is moved by small steps; updates that begin at zero take larger ones."""
PLAN = {"warmup": 100, "validate_every": 100, "patience": 10, "average": 5}
"""A quarter of what a run from nothing takes, or less; it ends when ten validations in a row bring no better score."""
KEPT = ("batch_tokens", "label_smoothing")
"""Settings that are best what they were when the model was trained, if its card says."""
TOKENIZER = ("tokenizer", "vocabulary_size")
"""Settings of a text that a model which has its tokenizer takes nothing of."""


def settings_for(
    model: Path, text: Mapping[str, Any], direction: tuple[str, str], *, lora: int = 0
) -> dict[str, Any]:
    """The settings of a run that goes on from a model with other text, as TOML would have them, but for its end.

    `text` is a section [data]. Where the model translates both ways, both are learned, unless it says otherwise. All weights
    are trained, or low-rank updates of rank `lora` alone. Raises ModelFolderError.
    """
    saved = load_model(model)
    run = saved.card.get("run", {})
    both = direction[::-1] in saved.directions and text.get("both_directions", True)
    longest = run.get("data", {}).get("max_length", DataConfig().max_length)
    network = saved.model
    data = {
        "max_length": min(longest, network.longest_source, network.longest_target),
        **{key: value for key, value in text.items() if key not in TOKENIZER},
        "source_language": direction[0],
        "target_language": direction[1],
        "both_directions": both,
        "joint": saved.tokenizer.joint,
    }
    trained = run.get("train", {})
    return {
        "name": f"{model.absolute().name}-tuned",
        "model": saved.config.model_dump(),
        "data": data,
        "train": {
            **PLAN,
            **{key: trained[key] for key in KEPT if key in trained},
            "learning_rate": RATES["lora" if lora else "all"],
            "start": str(model.absolute()),
            "lora": lora,
        },
        "search": saved.search.model_dump(),
    }


def with_old_text(
    config: RunConfig,
    text: Mapping[str, Any],
    share: float,
    folder: Path,
    *,
    resume: bool = False,
    corpora: Mapping[str, Path] | None = None,
    note: Callable[[str], None] = lambda text: None,
) -> RunConfig:
    """The run with text of the old domain mixed in, a share of what is learned from: less is forgotten (Chu 2017).

    `text` is a section [data]. What the model before was validated on, by which it is compared, is left out of it; where that
    is not there any more, a part is held out for the comparison.
    """
    corpora = corpora or {}
    languages = {
        "source_language": config.data.source_language,
        "target_language": config.data.target_language,
    }
    old = DataConfig(**{**text, **languages})
    pairs = training_pairs(old.replace(valid=[]), corpora, config.train.seed)
    learned, held_out = pairs.train, pairs.valid
    try:
        scored = {_sides(pair) for pair in old_domain(load_model(config.train.start), corpora).pairs}
        learned, held_out = [pair for pair in (*learned, *held_out) if _sides(pair) not in scored], []
    except OnmalError:
        pass
    texts = [DataMixConfig(corpus=each.corpus, train=each.train) for each in old.texts]
    if len(learned) < sum(pairs.sizes) + len(pairs.valid):
        with made_text(folder, config, resume=resume, note=note) as made:
            texts = [DataMixConfig(train=[made.write("old", learned)])]
            if held_out:
                made.write(HELD_OUT, held_out)
    data = config.data
    new = data.mix or [DataMixConfig(corpus=data.corpus, train=data.train)]
    mix = [*new, *(each.replace(share=share / len(texts)) for each in texts)]
    return config.replace(data=data.replace(train=[], mix=mix))


def keep_old_test(
    config: RunConfig,
    files: Sequence[str],
    folder: Path,
    *,
    resume: bool = False,
    note: Callable[[str], None] = lambda text: None,
) -> None:
    """Keep text of the old domain in the folder of a run, which is scored on it at its end and learns nothing of it.

    Raises DataError for text without a pair, ConfigError where a run that goes on was begun without any.
    """
    path = folder / "training" / MADE / f"{OLD_TEST}.jsonl"
    if resume and path.exists():
        return
    source, target = config.data.source_language, config.data.target_language
    pairs = list(read_pairs(files, source_language=source, target_language=target))
    if not pairs:
        names = " ".join(files)
        raise DataError("there is no sentence pair to score", "give other text as --old-test", path=names)
    with made_text(folder, config, resume=resume, note=note) as made:
        if made.begun:
            remedy = "leave it away, and score the text by: onmal evaluate"
            raise ConfigError("the run was begun without --old-test", remedy)
        made.write(OLD_TEST, pairs)


def finetune(
    config: RunConfig,
    folder: str | Path,
    *,
    resume: bool = False,
    corpora: Mapping[str, Path] | None = None,
    reporter: Reporter | None = None,
) -> SavedModel | None:
    """Train as `train` does, from the model in `config.train.start`, and tell what it has given and what it has cost.

    A model that translated the other way round is not compared. The comparison is in the model's card as "compared", and in FOLDER/training/comparison.json.
    """
    folder, report = Path(folder), reporter or PlainReport(sys.stderr)
    given_test(config, corpora or {})  # a mistake in it is told now, and not after the training
    saved = train(config, folder, resume=resume, corpora=corpora, reporter=report)
    if saved is None or rank_from_torchrun() not in (None, 0):
        return saved
    settled = RunConfig.from_dict(saved.card["run"])
    if not set(settled.data.directions) <= set(load_model(settled.train.start).directions):
        return saved
    found = compared(settled, folder, corpora or {}, report.note)
    write_whole(
        folder / "training" / "comparison.json", json.dumps(found, ensure_ascii=False, indent=2).encode()
    )
    saved = replace(saved, card={**saved.card, "compared": found})
    save_model(folder, saved)
    return saved


def _sides(pair: Pair) -> frozenset[str]:
    """The two sides of a pair, whichever is the source."""
    return frozenset((pair.source, pair.target))
