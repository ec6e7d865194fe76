"""train(config): from a description to a model folder. Reads, cleans, learns the tokenizer, trains, averages, saves.

FOLDER/                 the model folder, written when training ends
FOLDER/training/        run.toml, tokenizer, log.jsonl, checkpoints and snapshots
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from onmal.config import DataConfig, RunConfig, SearchConfig
from onmal.data.batching import TrainingText
from onmal.data.corpus import Pair
from onmal.data.prepare import encode_pairs, learn_tokenizer
from onmal.errors import ConfigError, TrainingError
from onmal.evaluation import score
from onmal.models import build
from onmal.models.contract import Seq2Seq
from onmal.saved_model import SavedModel, save_model
from onmal.text.language import direction_tag
from onmal.text.tokenizer import Tokenizer
from onmal.training.allocator import keep_freed_memory
from onmal.training.checkpoint import latest_checkpoint, write_atomically
from onmal.training.device import choose_device
from onmal.training.loss import TranslationLoss
from onmal.training.report import JsonLog, PlainReport, Reporter, Reporters, Sample, Validation
from onmal.training.sources import Sources, training_pairs
from onmal.training.trainer import Trainer
from onmal.translating.torch_engine import TorchEngine

__all__ = ["Validator", "train"]


def train(
    config: RunConfig,
    folder: str | Path,
    *,
    resume: bool = False,
    corpora: Mapping[str, Path] | None = None,
    reporter: Reporter | None = None,
) -> SavedModel | None:
    """Train a translator and write it to `folder`; returns it, or None if the run was interrupted (it can be resumed).

    `corpora` maps corpus names to folders that hold them. Ctrl-C stops after the update at hand and saves.
    """
    folder = Path(folder)
    place = folder / "training"
    _open_folder(folder, place, config, resume=resume)
    keep_freed_memory()
    torch.set_num_threads(config.train.threads or torch.get_num_threads())
    device = choose_device(config.train.device)
    report = Reporters(JsonLog(place / "log.jsonl"), reporter or PlainReport(sys.stderr))

    sources = training_pairs(config.data, corpora or {}, config.train.seed)
    tokenizer = _tokenizer(config.data, sources.train, place, resume=resume)
    text = encode_pairs(
        tokenizer, sources.train, sampling=config.data.subword_sampling, max_length=config.data.max_length,
        languages=(config.data.source_language, config.data.target_language),
        both_directions=config.data.both_directions,
    )  # fmt: skip
    torch.manual_seed(config.train.seed)
    model = build(config.model, tokenizer.vocabulary).to(device)
    validator = Validator(tokenizer, sources.valid, config.data)
    trainer = Trainer(
        model, text, config.train, validate=validator, reporter=report, folder=place, device=device
    )
    checkpoint = latest_checkpoint(place) if resume else None
    if checkpoint:
        trainer.resume(checkpoint)
    report.begun(_facts(config, sources, text, model, trainer))
    with _stops_at_interrupt(trainer, report):
        trainer.run()
    if trainer.interrupted:
        report.note(
            f"stopped and saved; go on with: onmal train {place / 'run.toml'} --out {folder} --resume"
        )
        return None
    return _finish(config, folder, tokenizer, text, sources, trainer, validator, report)


class Validator:
    """Scores a model on the validation pairs: loss with teacher forcing, BLEU and chrF of greedy translations."""

    def __init__(self, tokenizer: Tokenizer, pairs: Sequence[Pair], data: DataConfig) -> None:
        self.tokenizer, self.pairs, self.data = tokenizer, pairs, data
        self.text = encode_pairs(
            tokenizer, pairs, sampling=0.0, max_length=max(data.max_length, 2),
            languages=(data.source_language, data.target_language), both_directions=data.both_directions,
        )  # fmt: skip

    def __call__(self, model: Seq2Seq) -> Validation:
        forward = (self.data.source_language, self.data.target_language)
        directions = [forward, forward[::-1]] if self.data.both_directions else [forward]
        scores: dict[str, dict[str, float]] = {}
        samples: list[Sample] = []
        chosen = []
        for source_language, target_language in directions:
            swapped = (source_language, target_language) != forward
            texts = [(p.target, p.source) if swapped else (p.source, p.target) for p in self.pairs]
            translations = self._translate(model, [source for source, _ in texts], target_language)
            references = [reference for _, reference in texts]
            found = score(translations, references, target_language=target_language, bootstrap=0)
            scores[f"{source_language}-{target_language}"] = {s.name: s.value for s in found}
            chosen.append(found[0].value)
            samples += [
                Sample(source, reference, translation)
                for (source, reference), translation in zip(texts[:2], translations[:2], strict=True)
            ]
        return Validation(self._likelihood(model), sum(chosen) / len(chosen), scores, samples)

    def _translate(self, model: Seq2Seq, texts: Sequence[str], target_language: str) -> list[str]:
        limit = model.longest_source
        sources = [self.tokenizer.encode_source(text, target_language)[-limit:] for text in texts]
        found = TorchEngine(model).translate(sources, SearchConfig(beam_size=1))
        return [self.tokenizer.target.decode(hypotheses[0].tokens) for hypotheses in found]

    @torch.no_grad()
    def _likelihood(self, model: Seq2Seq) -> float:
        special, device = model.vocabulary, next(model.parameters()).device
        loss = TranslationLoss(model)
        total, tokens = 0.0, 0
        for batch in self.text.epoch(0, 0, 4096, start=special.start, end=special.end, pad=special.pad):
            batch = batch.to(device)
            found = loss(batch.source, batch.target, batch.lengths)
            total, tokens = total + float(found.negative_log_likelihood), tokens + found.tokens
        return total / max(tokens, 1)


def _open_folder(folder: Path, place: Path, config: RunConfig, *, resume: bool) -> None:
    written = place / "run.toml"
    if resume:
        if not written.exists():
            raise TrainingError(
                "there is no run to resume here", "leave --resume away to begin one", path=folder
            )
        before = RunConfig.from_toml(written)
        fixed = {"model", "data"}
        if before.model_dump(include=fixed) != config.model_dump(include=fixed):
            raise ConfigError(
                "the network or the data differ from those the run was begun with", "resume with its own run.toml",
                path=written,
            )  # fmt: skip
    elif folder.exists() and any(folder.iterdir()):
        raise TrainingError(
            "exists already", "go on with --resume, choose another --out, or remove it", path=folder
        )
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(
            f"cannot be made ({error.strerror})", "choose another --out", path=place
        ) from None
    write_atomically(written, config.to_toml().encode())


def _tokenizer(data: DataConfig, pairs: Sequence[Pair], place: Path, *, resume: bool) -> Tokenizer:
    if resume and (any(place.glob("*.model"))):
        codes = (data.source_language, data.target_language)
        return Tokenizer.load(place, [direction_tag(c) for c in codes] if data.both_directions else ())
    tokenizer = learn_tokenizer(pairs, data)
    tokenizer.save(place)
    return tokenizer


@contextmanager
def _stops_at_interrupt(trainer: Trainer, report: Reporter) -> Iterator[None]:
    """The first Ctrl-C or TERM asks the trainer to stop and save; a second one is obeyed at once."""

    def stop(number: int, frame: object) -> None:
        trainer.interrupted = True
        report.note("stopping after this update, and saving ...")
        for kind, handler in before.items():
            signal.signal(kind, handler)

    try:
        before = {kind: signal.signal(kind, stop) for kind in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not in the main thread: whoever runs the thread stops it
        yield
        return
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)


def _facts(
    config: RunConfig, sources: Sources, text: TrainingText, model: Seq2Seq, trainer: Trainer
) -> dict[str, Any]:
    data = config.data
    arrow = "<->" if data.both_directions else "->"
    return {
        "languages": f"{data.source_language} {arrow} {data.target_language}",
        "training pairs": len(sources.train),
        "removed": sources.removed,
        "validation pairs": len(sources.valid),
        "vocabulary": model.vocabulary.target_size,
        "parameters": sum(p.numel() for p in model.parameters()),
        "device": str(trainer.device),
        "precision": str(trainer.precision).removeprefix("torch."),
        "threads": torch.get_num_threads(),
        "resumed at update": trainer.progress.update,
    }


def _finish(
    config: RunConfig, folder: Path, tokenizer: Tokenizer, text: TrainingText, sources: Sources,
    trainer: Trainer, validator: Validator, report: Reporter,
) -> SavedModel:  # fmt: skip
    """Choose between the mean of the last snapshots and the best single one, on the validation text, and save it."""
    progress, model = trainer.progress, trainer.model
    candidates = {f"mean of the last {len(progress.snapshots)} validations": progress.snapshots}
    candidates[f"update {progress.best_update}"] = [progress.best_update]
    found = {}
    for name, updates in candidates.items():
        trainer.snapshots.put(model, trainer.snapshots.mean(updates))
        found[name] = validator(model.eval())
    chosen = max(found, key=lambda name: found[name].score)
    trainer.snapshots.put(model, trainer.snapshots.mean(candidates[chosen]))
    data = config.data
    directions = [(data.source_language, data.target_language)]
    if data.both_directions:
        directions.append((data.target_language, data.source_language))
    card = {
        "onmal": importlib.metadata.version("onmal"),
        "torch": torch.__version__,
        "machine": f"{platform.machine()} {platform.system()}, {torch.get_num_threads()} threads, {trainer.device}",
        "precision": str(trainer.precision).removeprefix("torch."),
        "name": config.name,
        "training_pairs": len(sources.train),
        "data_sha256": sources.sha256(),
        "trained_lengths": text.longest(),
        "minutes": round(progress.seconds / 60, 1),
        "updates": progress.update,
        "epochs": progress.epoch,
        "target_tokens": progress.target_tokens,
        "weights": chosen,
        "validation": {
            "pairs": len(sources.valid),
            "negative_log_likelihood": found[chosen].negative_log_likelihood,
            "greedy": found[chosen].scores,
        },
        "config_sha256": hashlib.sha256(config.to_toml().encode()).hexdigest(),
        "run": config.model_dump(),
    }
    saved = SavedModel(model.eval(), tokenizer, config.model, tuple(directions), card)
    save_model(folder, saved)
    best = {name: f"{validation.score:.2f}" for name, validation in found.items()}
    report.ended({"saved": str(folder), "weights": chosen, "validation scores": best})
    return saved
