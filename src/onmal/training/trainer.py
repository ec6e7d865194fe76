"""The training loop, on one page: batch, loss, gradient, update; now and then a validation and a checkpoint.

A run can be stopped after any update (Ctrl-C, a signal, a lost machine) and goes on from its last checkpoint exactly where
it stood.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from onmal.config import TrainConfig
from onmal.data.batching import Batch, TrainingText
from onmal.errors import TrainingError
from onmal.models.contract import Seq2Seq
from onmal.training.checkpoint import Progress, all_progress, load_checkpoint, save_checkpoint
from onmal.training.device import choose_precision
from onmal.training.loss import TranslationLoss
from onmal.training.optimizer import build_optimizer, learning_rate
from onmal.training.report import Reporter, Update, Validation
from onmal.training.snapshots import Snapshots

__all__ = ["Trainer"]

Validate = Callable[[Seq2Seq], Validation]
REPORT_EVERY = 2.0  # seconds between two lines or redraws


class Trainer:
    """Trains one network on one text until the run is complete, interrupted or hopeless."""

    def __init__(
        self,
        model: Seq2Seq,
        text: TrainingText,
        config: TrainConfig,
        *,
        validate: Validate,
        reporter: Reporter,
        folder: Path,
        device: torch.device,
    ) -> None:
        self.model, self.text, self.config, self.device = model, text, config, device
        self.validate, self.reporter, self.folder = validate, reporter, folder
        self.precision = choose_precision(config.precision, device)
        self.loss = TranslationLoss(model, config.label_smoothing)
        self.optimizer = build_optimizer(model, config)
        self.snapshots = Snapshots(folder, config.average)
        self.progress = Progress()
        self.interrupted = False
        self._epoch_batches = 0  # of the epoch at hand, once it is made
        self._start_clocks()

    def resume(self, checkpoint: Path) -> None:
        """Go on from a checkpoint."""
        self.progress = load_checkpoint(checkpoint, self.model, self.optimizer)

    def run(self) -> None:
        """Train to the end, or until `interrupted` is set; a checkpoint is written either way."""
        self._start_clocks()
        progress = self.progress
        for batches in self.updates():
            self.update(batches)
            if progress.update % self.config.validate_every == 0:
                self.validation()
            progress.seconds = time.monotonic() - self._begun
            if self.interrupted:
                break
            # Weights that give no finite gradient may be lost already: the checkpoints from before them stay.
            if time.monotonic() - self._saved > self.config.save_every and not progress.skipped_in_a_row:
                self.save()
        if not self.interrupted and progress.update not in progress.snapshots:
            self.validation()
        self.save()

    def updates(self) -> Iterator[list[Batch]]:
        """The batches of each update, from where the run stands to its end; `update` moves the place on."""
        progress, config, special = self.progress, self.config, self.model.vocabulary
        while self.share_done() < 1:
            epoch = self.text.epoch(
                config.seed, progress.epoch, config.batch_tokens,
                start=special.start, end=special.end, pad=special.pad,
            )  # fmt: skip
            self._epoch_batches = len(epoch)
            if not len(epoch):
                raise TrainingError(
                    "no sentence pair is short enough", "raise data.max_length, or check the text"
                )
            while progress.batch < len(epoch) and self.share_done() < 1:
                stop = min(progress.batch + config.accumulate, len(epoch))
                yield [epoch[number] for number in range(progress.batch, stop)]
            if progress.batch >= len(epoch):
                progress.epoch, progress.batch = progress.epoch + 1, 0

    def update(self, batches: list[Batch]) -> None:
        """One step of the optimizer on the mean loss per target token of `batches`."""
        progress, config = self.progress, self.config
        rate = learning_rate(config, progress.update + 1, self.share_done())
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.model.train()
        tokens = sum(batch.target_tokens for batch in batches)
        loss = likelihood = torch.zeros((), device=self.device)
        for batch in batches:
            batch = batch.to(self.device)
            with torch.autocast(self.device.type, self.precision, enabled=self.precision != torch.float32):
                found = self.loss(batch.source, batch.target, batch.lengths)
            (found.loss / tokens).backward()
            loss, likelihood = loss + found.loss.detach(), likelihood + found.negative_log_likelihood
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), config.clip_norm or math.inf)
        if torch.isfinite(norm):
            self.optimizer.step()
            progress.skipped_in_a_row = 0
        else:
            self._skip()
        self.optimizer.zero_grad()
        progress.update += 1
        progress.batch += len(batches)
        progress.target_tokens += tokens
        if time.monotonic() - self._reported > REPORT_EVERY:
            self._report(float(loss) / tokens, float(likelihood) / tokens, float(norm), rate)

    def share_done(self) -> float:
        """How much of the run is done, 0 to 1: by updates, epochs, minutes or lost patience, whichever is first."""
        progress, config = self.progress, self.config
        shares = [0.0]
        if config.max_updates:
            shares.append(progress.update / config.max_updates)
        if config.max_epochs:
            within = progress.batch / self._epoch_batches if self._epoch_batches else 0.0
            shares.append((progress.epoch + within) / config.max_epochs)
        if config.minutes:
            shares.append(progress.seconds / (60 * config.minutes))
        if config.patience and progress.validations_since_best >= config.patience:
            shares.append(1.0)
        return min(1.0, max(shares))

    def validation(self) -> None:
        """Score the model as it stands and keep its weights for averaging."""
        progress = self.progress
        self.model.eval()
        found = self.validate(self.model)
        progress.validations_since_best += 1
        if progress.best_score is None or found.score > progress.best_score:
            progress.best_score, progress.best_update = found.score, progress.update
            progress.validations_since_best = 0
        progress.snapshots = self.snapshots.add(self.model, progress.update, progress.snapshots)
        progress.seconds = time.monotonic() - self._begun
        self.reporter.validated(found, progress)

    def save(self) -> None:
        """Write a checkpoint from which `resume` goes on bit for bit."""
        self.progress.seconds = time.monotonic() - self._begun
        save_checkpoint(self.folder, self.model, self.optimizer, self.progress)
        # A snapshot goes when no checkpoint needs it any more, or a run that resumes from one would miss it.
        saved = all_progress(self.folder)
        self.snapshots.keep_only(
            {u for progress in saved for u in (*progress.snapshots, progress.best_update)}
        )
        self._saved = time.monotonic()

    def _start_clocks(self) -> None:
        now = time.monotonic()
        self._begun, self._saved, self._reported = now - self.progress.seconds, now, now

    def _report(self, loss: float, likelihood: float, norm: float, rate: float) -> None:
        progress = self.progress
        self._reported = time.monotonic()
        progress.seconds = self._reported - self._begun
        self.reporter.updated(
            Update(
                update=progress.update, epoch=progress.epoch, share_done=self.share_done(),
                seconds=progress.seconds, target_tokens=progress.target_tokens,
                loss=loss, negative_log_likelihood=likelihood,
                gradient_norm=norm, learning_rate=rate, skipped=progress.skipped,
            )
        )  # fmt: skip

    def _skip(self) -> None:
        progress = self.progress
        progress.skipped, progress.skipped_in_a_row = progress.skipped + 1, progress.skipped_in_a_row + 1
        self.reporter.note(f"update {progress.update + 1}: gradient not finite, update skipped")
        if progress.skipped_in_a_row > self.config.max_skipped:
            raise TrainingError(
                f"{progress.skipped_in_a_row} updates in a row had gradients that are not finite",
                "lower train.learning_rate or raise train.warmup; the last good checkpoint is kept",
            )
