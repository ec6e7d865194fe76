"""train(config): from a description to a model folder. Reads, cleans, learns the tokenizer, trains, averages, saves.

FOLDER/                 the model folder, written when training ends
FOLDER/training/        run.toml, tokenizer, log.jsonl, checkpoints and snapshots
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path

import torch

from onmal.allocator import keep_freed_memory
from onmal.config import DataConfig, RunConfig, SearchConfig
from onmal.data.corpus import Pair
from onmal.data.prepare import encode_pairs
from onmal.errors import OnmalError, TrainingError
from onmal.evaluation import score
from onmal.interrupt import stops_at_interrupt
from onmal.models.contract import Seq2Seq
from onmal.origin import Origin, origin_of
from onmal.run_folder import (
    STANDARD_INPUT,
    check_folder,
    command_to_resume,
    open_folder,
    standard_input_kept,
    with_text_kept,
    write_plan,
)
from onmal.run_report.events import JsonLog, PlainReport, Reporter, Reporters, Sample, Validation
from onmal.saved_model import SavedModel, load_model, save_model
from onmal.shortlist.learning import lexical_shortlist
from onmal.text.tokenizer import Tokenizer
from onmal.threads import so_many_threads
from onmal.training.card import card, facts
from onmal.training.checkpoint import checkpoint_of_the_first
from onmal.training.device import choose_device, choose_precision, choose_processes
from onmal.training.distributed import (
    READY,
    Team,
    form_team,
    join_team,
    local_rank,
    rank_from_torchrun,
    size_from_torchrun,
)
from onmal.training.loss import TranslationLoss
from onmal.training.sources import Sources, prepare_sources
from onmal.training.trainer import Trainer
from onmal.translating.torch_engine import TorchEngine

__all__ = ["Validator", "join", "train"]

GREEDY = SearchConfig(beam_size=1, max_length_ratio=1.5, max_length_extra=10)
"""Validation's search: quick, and short where a network that has learned little would not end."""


def train(
    config: RunConfig,
    folder: str | Path,
    *,
    resume: bool = False,
    corpora: Mapping[str, Path] | None = None,
    reporter: Reporter | None = None,
    origin: Callable[[RunConfig], Origin] | None = None,
) -> SavedModel | None:
    """Train a translator and write it to `folder`; returns it, or None if the run was interrupted (it can be resumed).

    `corpora` maps corpus names to folders that hold them. Ctrl-C stops after the update at hand and saves. `origin` makes what
    the run begins with, by default as its settings say; one of your own needs `train.processes = 1`, for others cannot know it.
    """
    folder, corpora = Path(folder), corpora or {}
    report = Reporters(JsonLog(folder / "training" / "log.jsonl"), reporter or PlainReport(sys.stderr))
    kept = folder.absolute() / "training" / STANDARD_INPUT
    given, config = config, with_text_kept(config, kept, alone=size_from_torchrun() is None)
    piped = given is not config and not resume
    if rank_from_torchrun() in (None, 0):
        for change in check_folder(folder, config, resume=resume):
            report.note(change)
    config = _with_processes(config, folder, report)
    if origin and config.train.processes > 1:
        raise TrainingError("an origin of your own is known to one process only", "set train.processes = 1")
    task = {
        "config": config.model_dump(), "folder": str(folder.absolute()),
        "corpora": {name: str(path.absolute()) for name, path in corpora.items()},
    }  # fmt: skip
    with (
        open_folder(folder) if rank_from_torchrun() in (None, 0) else nullcontext(),
        standard_input_kept(kept, report) if piped else nullcontext(),
        form_team(config.train.processes, task) as team,
    ):
        report = report if team.leads else Reporters()
        return _train(team, config, folder, corpora, report, origin or origin_of)


def join() -> None:
    """What a companion process does: take its task from standard input, and its part in the run."""
    task = json.loads(sys.stdin.readline())
    print(READY, flush=True)
    threading.Thread(target=_end_with_the_first, daemon=True).start()
    corpora = {name: Path(path) for name, path in task["corpora"].items()}
    config, folder = RunConfig.from_dict(task["config"]), Path(task["folder"])
    try:
        with join_team(task["rank"], task["size"], task["meeting"]) as team:
            _train(team, config, folder, corpora, Reporters(), origin_of)
    except OnmalError as error:
        sys.exit(f"process {task['rank']}: {error}")


def _end_with_the_first() -> None:
    """Standard input ends when the first process does, however it ended."""
    os.read(sys.stdin.fileno(), 1)  # unbuffered: a lock held by this thread would disturb a process that ends
    os._exit(1)


def _train(
    team: Team,
    config: RunConfig,
    folder: Path,
    corpora: Mapping[str, Path],
    report: Reporter,
    begin: Callable[[RunConfig], Origin],
) -> SavedModel | None:
    """The run, seen from one of its processes."""
    keep_freed_memory()
    device, place = choose_device(config.train.device, local_rank()), folder / "training"
    with so_many_threads(config.train.threads):
        checkpoint = checkpoint_of_the_first(team, place)
        origin = begin(config)
        kept = Tokenizer.load(place, origin.tags) if checkpoint else origin.tokenizer
        sources = prepare_sources(team, config, corpora, report, kept)
        torch.manual_seed(config.train.seed)
        model = origin.network(sources.tokenizer.vocabulary).to(device)
        teacher = origin.teacher()
        validator = Validator(sources.tokenizer, sources.valid, config.data)
        trainer = Trainer(
            model, sources.text, config.train, validate=validator, reporter=report, folder=place, device=device,
            team=team, teacher=teacher and teacher.to(device),
        )  # fmt: skip
        if checkpoint:
            for damaged in sorted(place.glob("checkpoint-*.safetensors")):
                if damaged > checkpoint:
                    report.note(f"{damaged} cannot be read; going on from the checkpoint before")
            trainer.resume(checkpoint)
        _check_data(trainer, sources, place)
        if team.leads:
            write_plan(place, config, None if checkpoint else sources.tokenizer)
        report.begun({**facts(config, sources, trainer), **origin.facts(model)})
        with stops_at_interrupt(trainer.interrupt, report):
            if config.train.start and not checkpoint:
                trainer.validation()  # what it was: nothing worse is saved
            trainer.run()
        if trainer.stopped:
            how = "stopped and saved"
            if trainer.lost:
                how = "stopped while updates are skipped; the checkpoint before them stays"
            report.note(f"{how}; go on with: {command_to_resume(folder, corpora)}")
            return None
        if team.leads:
            saved = _finish(config, folder, origin, sources, trainer, validator, report)
        team.wait()
        return saved if team.leads else load_model(folder)


def _with_processes(config: RunConfig, folder: Path, report: Reporter) -> RunConfig:
    """Settle processes, threads and precision: as asked for, as the run was begun with, or by the machine."""
    written, train = folder / "training" / "run.toml", config.train
    before = RunConfig.from_toml(written).train if written.exists() else None
    if before:
        threads = train.threads or before.threads
        processes = size_from_torchrun() or train.processes or before.processes
        if processes != before.processes and threads == before.threads:
            threads = 0  # all cores, shared out anew
        precision = before.precision if train.precision == "auto" else train.precision
        kept = {"processes": processes, "threads": threads, "precision": precision}
        train = train.model_copy(update=kept)
    device = choose_device(train.device, local_rank())
    processes, threads = choose_processes(train, device)
    settled = {
        "processes": processes, "threads": threads,
        "precision": str(choose_precision(train.precision, device)).removeprefix("torch."),
    }  # fmt: skip
    for key, value in settled.items():
        old = getattr(before, key, value)
        if old not in (0, "auto", value) and rank_from_torchrun() in (None, 0):
            report.note(
                f"begun with {key} {old}, going on with {value}: not to the bit as it would have been"
            )
    return config.model_copy(update={"train": train.model_copy(update=settled)})


class Validator:
    """Scores a model on the validation pairs: loss with teacher forcing, BLEU and chrF of greedy translations."""

    def __init__(self, tokenizer: Tokenizer, pairs: Sequence[Pair], data: DataConfig) -> None:
        self.tokenizer, self.pairs, self.data = tokenizer, pairs, data
        self.text = encode_pairs(tokenizer, pairs, data.replace(subword_sampling=0.0))

    def __call__(self, model: Seq2Seq) -> Validation:
        directions = self.data.directions
        scores: dict[str, dict[str, float]] = {}
        signatures: dict[str, dict[str, str]] = {}
        samples: list[Sample] = []
        chosen = []
        for source_language, target_language in directions:
            swapped = (source_language, target_language) != directions[0]
            texts = [(p.target, p.source) if swapped else (p.source, p.target) for p in self.pairs]
            translations = self._translate(model, [source for source, _ in texts], target_language)
            references = [reference for _, reference in texts]
            found = score(translations, references, target_language=target_language, bootstrap=0)
            direction = f"{source_language}-{target_language}"
            scores[direction] = {s.name: s.value for s in found}
            signatures[direction] = {s.name: s.signature for s in found}
            chosen.append(found[0].value)
            samples += [
                Sample(source, reference, translation)
                for (source, reference), translation in zip(texts[:2], translations[:2], strict=True)
            ]
        mean = sum(chosen) / len(chosen)
        return Validation(self._likelihood(model), mean, scores, samples, signatures)

    def _translate(self, model: Seq2Seq, texts: Sequence[str], target_language: str) -> list[str]:
        sources = [self.tokenizer.encode_source(text, target_language) for text in texts]
        sources = [[*ids[:-1][: model.longest_source - 1], ids[-1]] for ids in sources]
        found = TorchEngine(model).translate(sources, GREEDY)
        return [self.tokenizer.target.decode(hypotheses[0].tokens) for hypotheses in found]

    @torch.no_grad()
    def _likelihood(self, model: Seq2Seq) -> float:
        special, device = model.vocabulary, next(model.parameters()).device
        loss = TranslationLoss(model)
        total, tokens = 0.0, 0
        for batch in self.text.pool(0, 0, 0, 1024, start=special.start, end=special.end, pad=special.pad):
            batch = batch.to(device)
            found = loss(batch.source, batch.target, batch.lengths)
            total, tokens = total + float(found.negative_log_likelihood), tokens + found.tokens
        return total / max(tokens, 1)


def _check_data(trainer: Trainer, sources: Sources, place: Path) -> None:
    """Hold a resumed run to the text that it was begun with."""
    progress, team = trainer.progress, trainer.team
    for name, what in (("sha256", "training text"), ("beside_sha256", "tokenizer or the validation text")):
        found, key = getattr(sources, name), f"data_{name}"
        if found != team.bytes_of_the_first(found.encode()).decode():
            raise TrainingError(
                f"the {what} of process {team.rank} is not that of the first",
                "give all machines the same text",
            )
        if getattr(progress, key) not in ("", found):
            raise TrainingError(
                f"the {what} is not the one that this run was begun with",
                "put that one back, or begin a new run with another --out",
                path=place,
            )
        setattr(progress, key, found)


def _finish(
    config: RunConfig,
    folder: Path,
    origin: Origin,
    sources: Sources,
    trainer: Trainer,
    validator: Validator,
    report: Reporter,
) -> SavedModel:
    """Choose between the mean of the last snapshots and the best single one, on the validation text, and save it."""
    progress, model = trainer.progress, trainer.whole_model
    last, which = progress.snapshots, " (moving average)" if config.train.ema else ""
    candidates = {f"mean of the last {len(last)} validations{which}": last} if len(last) > 1 else {}
    candidates[f"update {progress.best_update}{which}"] = [progress.best_update]
    report.note(f"choosing the weights on the validation text: {' or '.join(candidates)} ...")
    found = {}
    for name, updates in candidates.items():
        trainer.snapshots.put(model, trainer.snapshots.mean(updates))
        found[name] = validator(model.eval())
    chosen = max(found, key=lambda name: found[name].score)
    trainer.snapshots.put(model, trainer.snapshots.mean(candidates[chosen]))
    saved = SavedModel(
        origin.whole(model.eval()), sources.tokenizer, config.model, origin.directions,
        origin.card(card(config, sources, trainer, chosen, found[chosen])),
        lexical_shortlist(sources.tokenizer, sources.text) if config.search.shortlist else None,
    )  # fmt: skip
    save_model(folder, saved)
    best = {name: f"{validation.score:.2f}" for name, validation in found.items()}
    report.ended({"saved": str(folder), "weights": chosen, "validation scores": best})
    return saved
