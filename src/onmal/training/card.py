"""What a run says of itself: when it begins, and in the card of the model that it ends with."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
from typing import Any

import torch

from onmal.config import RunConfig
from onmal.processor import processor
from onmal.run_report.events import Validation
from onmal.training.sources import Sources
from onmal.training.trainer import Trainer

__all__ = ["card", "facts"]


def facts(config: RunConfig, sources: Sources, trainer: Trainer) -> dict[str, Any]:
    """What is told of a run when it begins."""
    data, text, model = config.data, sources.text, trainer.whole_model
    arrow = "<->" if data.both_directions else "->"
    told = {
        "languages": f"{data.source_language} {arrow} {data.target_language}",
        "training pairs": sources.pairs,
        "removed": sources.removed,
        f"longer than {text.max_length} tokens": text.lengths.left_out,
        "validation pairs": len(sources.valid),
        "vocabulary": model.vocabulary.target_size,
        "parameters": sum(p.numel() for p in model.parameters()),
        **_made_by(trainer),
        "machine": f"{processor()}, {platform.system()}",
        "device": str(trainer.device),
        "processes": trainer.team.size,
        "threads": torch.get_num_threads(),
    }
    update = trainer.progress.update
    return {**told, "resumed at update": update} if update else told


def card(
    config: RunConfig, sources: Sources, trainer: Trainer, weights: str, found: Validation
) -> dict[str, Any]:
    """What a model folder tells of its origin: machine, data, training, and how well it does."""
    progress, count = trainer.progress, torch.get_num_threads()
    threads = f"{count} threads" if count > 1 else "1 thread"
    workers = threads if trainer.team.size == 1 else f"{trainer.team.size} processes of {threads}"
    return {
        **_made_by(trainer),
        "python": platform.python_version(),
        "sentencepiece": importlib.metadata.version("sentencepiece"),
        "machine": f"{processor()}, {platform.system()}, {workers}, {trainer.device}",
        "name": config.name,
        "training_pairs": sources.pairs,
        "data_sha256": progress.data_sha256,
        "trained_lengths": sources.text.longest(),
        "minutes": round(progress.seconds / 60, 1),
        "updates": progress.update,
        "epochs": progress.epoch,
        "target_tokens": progress.target_tokens,
        "skipped_updates": progress.skipped,
        "rollbacks": progress.rollbacks,
        "weights": weights,
        "validation": {
            "pairs": len(sources.valid),
            "negative_log_likelihood": found.negative_log_likelihood,
            "greedy": found.scores,
            "signatures": found.signatures,
        },
        "config_sha256": hashlib.sha256(config.to_toml().encode()).hexdigest(),
        "run": config.model_dump(),
    }


def _made_by(trainer: Trainer) -> dict[str, str]:
    precision = str(trainer.precision).removeprefix("torch.")
    return {"onmal": importlib.metadata.version("onmal"), "torch": torch.__version__, "precision": precision}
