"""The training loop, on one page: batch, loss, gradient, update; now and then a validation and a checkpoint.

A run can be stopped after any update (Ctrl-C, a signal, a lost machine) and goes on from its last checkpoint exactly where
it stood: the order of the text and every random number are functions of the seed and of the place.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from onmal.config import TrainConfig
from onmal.data.batching import Batch, Pool, TrainingText
from onmal.errors import TrainingError
from onmal.models.contract import Seq2Seq
from onmal.models.embedding import drop_words
from onmal.run_report.events import Progress, Reporter, Update, Validation
from onmal.training.checkpoint import (
    all_progress,
    check_space,
    checkpoint_of_the_first,
    load_checkpoint,
    named_weights,
    save_checkpoint,
    training_state,
)
from onmal.training.device import choose_precision
from onmal.training.distributed import Team, whole
from onmal.training.ema import MovingAverage
from onmal.training.loss import LossSum, Teaching, TranslationLoss
from onmal.training.optimizer import build_optimizer, learning_rate
from onmal.training.snapshots import Snapshots
from onmal.training.trial import all_in_place, largest_batches, memory_for

__all__ = ["Trainer"]

Validate = Callable[[Seq2Seq], Validation]
REPORT_EVERY = 2.0  # seconds between two lines or redraws
USUAL = 100  # updates until the usual norm of a gradient is known


class Trainer:
    """Trains one network on one text until the run is complete, interrupted or hopeless.

    In a team each process has a Trainer of its own. They do the same updates, each with its share of every batch; the
    first one's clock, patience and Ctrl-C count for all, and it alone validates, saves and reports. A `teacher` has the
    network's words; train.distillation says how much what it expects counts.
    """

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
        team: Team | None = None,
        teacher: Seq2Seq | None = None,
    ) -> None:
        self.model, self.text, self.config, self.device = model, text, config, device
        self.validate, self.reporter, self.folder = validate, reporter, folder
        self.team = team or Team()
        self.precision = choose_precision(config.precision, device)
        drop_words(model, config.word_dropout)
        teaching = Teaching(teacher, config.distillation) if teacher else None
        self.loss = TranslationLoss(model, config.label_smoothing, config.r_drop, teaching)
        # What validates and is saved: where each process holds but a share of the weights, a second, whole network.
        self.whole_model = (
            copy.deepcopy(model) if config.sharded and self.team.size > 1 and self.team.leads else model
        )
        self.shared_loss = self.team.wrap(self.loss, sharded=config.sharded)
        self.optimizer = build_optimizer(model, config, team=self.team, precision=self.precision)
        self.average = MovingAverage(self.optimizer, config.ema)
        self.snapshots = Snapshots(folder, config.average)
        self.progress = Progress()
        self.interrupted = False
        self.lost = False
        """Whether a run ended without a checkpoint: its weights may be beyond help, and those from before them stay."""
        self._pool: tuple[tuple[int, int, bool, bool], Pool] | None = None
        self.share, self.stopped, self._report_due, self._save_due = 0.0, False, False, False
        self._start_clocks()

    def resume(self, checkpoint: Path) -> None:
        """Go on from a checkpoint."""
        self.progress = load_checkpoint(checkpoint, self.model, self.optimizer)
        if self.progress.batch:  # how much is done counts from within the pool
            self._place()

    def run(self) -> None:
        """Train to the end, or until `interrupted` is set; a checkpoint is written either way, unless updates were just skipped."""
        self._start_clocks()
        self.try_largest()
        if not self.progress.update:
            self.save()  # what cannot be saved is known now, and there is something to go back to
        for batches in self.updates():
            if self._save_due:
                self.save()
            self.update(batches)
            update = self.progress.update
            if update % self.config.validate_every == 0 and update > self.progress.validated:
                self.validation()
            self.progress.seconds = time.monotonic() - self._begun
        if not self.stopped and self.progress.update > self.progress.validated:
            self.validation()
        self.lost = bool(self.progress.skipped_in_a_row and checkpoint_of_the_first(self.team, self.folder))
        if not self.lost:
            self.save()

    def interrupt(self) -> None:
        """Stop after the update at hand, and save."""
        self.interrupted = True

    def updates(self) -> Iterator[list[Batch]]:
        """The batches of each update, from where the run stands to its end; `update` moves the place on."""
        while self._agree():
            pool, first = self._place(), self.progress.batch
            yield [pool[number] for number in range(first, min(first + self.config.accumulate, len(pool)))]

    def update(self, batches: list[Batch]) -> None:
        """One step of the optimizer on the mean loss per target token of `batches`."""
        progress, config = self.progress, self.config
        rate = learning_rate(config, progress.update + 1, self.share) * progress.rate_factor
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        torch.manual_seed(_chance(config.seed, progress.update, self.team.rank))
        self.model.train()
        tokens = sum(batch.target_tokens for batch in batches)
        loss, likelihood = self._gradient(batches, tokens)
        norm = float(whole(clip_grad_norm_(self.model.parameters(), config.clip_norm or math.inf)))
        sound = self._sound(norm)
        if sound:
            self.optimizer.step()
            self.average.follow(progress.update + 1)
        self.optimizer.zero_grad()
        progress.update += 1
        progress.target_tokens += tokens
        self._move_on(len(batches))
        if self._report_due:
            mean, plain = self.team.sum(float(loss) / tokens, float(likelihood) / tokens)
            self._report(mean, plain, norm, rate)
        if sound:
            progress.skipped_in_a_row = 0
        else:
            self._skip(norm)

    def try_largest(self) -> None:
        """An update with the largest batches that may come, which changes nothing: what is too small is known now or never."""
        self.model.train()
        with memory_for(self.config), all_in_place(self.optimizer, self.average):
            if self.team.leads and not self.progress.update:
                # the last ones, the best one, and two that go with the next checkpoint
                check_space(self.folder, self.model, self.optimizer, self.config.average + 3)
            batches = []
            for rows, length in largest_batches(self.config.batch_tokens, self.text.max_length):
                rows += self.team.size - 1  # shares may be uneven
                ids = torch.full((rows, length + 1), self.model.vocabulary.end)
                batches.append(Batch(ids[:, 1:], ids, torch.full((rows,), length), np.arange(rows)))
            # One after the other, or each beside the gradients of others.
            updates = [[*batches, batches[0]]] if self.config.accumulate > 1 else [[each] for each in batches]
            for some in updates:
                self._gradient(some, 1)
                self.optimizer.zero_grad()

    def share_done(self) -> float:
        """How much of the run is done, 0 to 1: by updates, epochs, minutes or lost patience, whichever is first."""
        progress, config = self.progress, self.config
        shares = [0.0]
        if config.max_updates:
            shares.append(progress.update / config.max_updates)
        if config.max_epochs:
            within = progress.batch / len(self._pool[1]) if self._pool else 0.0
            shares.append((progress.epoch + (progress.pool + within) / self._seen.pools) / config.max_epochs)
        if config.minutes:
            shares.append(progress.seconds / (60 * config.minutes))
        if config.patience and progress.validations_since_best >= config.patience:
            shares.append(1.0)
        return min(1.0, max(shares))

    def validation(self) -> None:
        """Score the model as it stands, or its moving average, and keep those weights for averaging."""
        progress = self.progress
        progress.validated = progress.update
        self.model.eval()
        with self.average.in_place():
            weights = named_weights(self.model)
            if not self.team.leads:
                return
            if self.whole_model is not self.model:
                self.snapshots.put(self.whole_model, weights)
            found = self.validate(self.whole_model.eval())
            progress.snapshots = self.snapshots.add(weights, progress.update, progress.snapshots)
        progress.validations_since_best += 1
        if progress.best_score is None or found.score > progress.best_score:
            progress.best_score, progress.best_update = found.score, progress.update
            progress.validations_since_best = 0
        progress.seconds = time.monotonic() - self._begun
        self.reporter.validated(found, progress)

    def save(self) -> None:
        """Write a checkpoint from which `resume` goes on bit for bit."""
        tensors = training_state(self.model, self.optimizer)
        if not self.team.leads:
            return
        self.progress.seconds = time.monotonic() - self._begun
        save_checkpoint(self.folder, tensors, self.progress)
        # A snapshot goes when no checkpoint needs it any more, or a run that resumes from one would miss it.
        # What was just written counts, though it cannot be read this moment.
        saved = [*all_progress(self.folder), self.progress]
        self.snapshots.keep_only(
            {u for progress in saved for u in (*progress.snapshots, progress.best_update)}
        )
        self._saved = time.monotonic()

    def _move_on(self, batches: int) -> None:
        """At the end of a pool to the next one, or to the next epoch's first."""
        progress = self.progress
        progress.batch += batches
        if self._pool and progress.batch >= len(self._pool[1]):
            progress.pool, progress.batch = progress.pool + 1, 0
            if progress.pool == self._seen.pools:
                progress.epoch, progress.pool = progress.epoch + 1, 0

    def _place(self) -> Pool:
        """The pool of sentences at hand."""
        progress, config, special = self.progress, self.config, self.model.vocabulary
        for _ in range(self.text.pools):
            if progress.pool == progress.batch == 0:
                progress.reversed = self.share < config.reversed_share
            if progress.batch == 0:
                progress.sampled = self.text.sampled and self.share < config.sampled_share
            key = (progress.epoch, progress.pool, progress.sampled, progress.reversed)
            if self._pool is None or self._pool[0] != key:
                self._pool = None  # two at once would be the most memory that the run takes
                pool = replace(self._seen, sampled=progress.sampled).pool(
                    config.seed, progress.epoch, progress.pool, config.batch_tokens,
                    start=special.start, end=special.end, pad=special.pad,
                )  # fmt: skip
                self._pool = key, pool
            if len(self._pool[1]):
                return self._pool[1]
            self._move_on(0)
        raise TrainingError("no sentence pair is short enough", "raise data.max_length, or check the text")

    @property
    def _seen(self) -> TrainingText:
        """The text as this epoch has it."""
        return replace(self.text, tags=[*self.text.tags] * 2) if self.progress.reversed else self.text

    def _gradient(self, batches: Sequence[Batch], tokens: int) -> tuple[Tensor, Tensor]:
        """Add the gradient of the mean loss of so many tokens to what there is; the sums of the loss and of the likelihood."""
        loss = likelihood = torch.zeros((), device=self.device)
        for number, batch in enumerate(batches, 1):
            alone = number < len(batches)
            with self.team.without_exchange(self.shared_loss) if alone else nullcontext():
                found = self._forward(self.team.share(batch))
                # Times the size: the processes' gradients are averaged, and should be summed.
                (found.loss * (self.team.size / tokens)).backward()
            loss, likelihood = loss + found.loss.detach(), likelihood + found.negative_log_likelihood
        return loss, likelihood

    def _forward(self, batch: Batch) -> LossSum:
        batch = batch.to(self.device)
        with torch.autocast(self.device.type, self.precision, enabled=self.precision != torch.float32):
            found: LossSum = self.shared_loss(batch.source, batch.target, batch.lengths)
        return found

    def _agree(self) -> bool:
        """Whether to go on. That, how far the run is, and what is due, is for the first process to say."""
        now, progress = time.monotonic(), self.progress
        # Weights that give no finite gradient may be lost already: the checkpoints from before them stay.
        due = now - self._saved > self.config.save_every or progress.update == USUAL
        save = due and not progress.skipped_in_a_row
        told = (self.share_done(), self.interrupted, now - self._reported > REPORT_EVERY, save)
        share, *rest = self.team.of_the_first(*told)
        self.share = share
        self.stopped, self._report_due, self._save_due = map(bool, rest)
        return share < 1 and not self.stopped

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

    def _sound(self, norm: float) -> bool:
        """Whether a gradient of this norm can be trusted: it is finite, and no spike above the usual one."""
        progress, usual = self.progress, self.progress.usual_norm
        if not math.isfinite(norm):
            return False
        spike = self.config.spike * usual if progress.update >= USUAL else 0.0
        progress.usual_norm = usual + (min(norm, spike or norm) - usual) / min(progress.update + 1, USUAL)
        return not spike or norm <= spike

    def _skip(self, norm: float) -> None:
        progress = self.progress
        progress.skipped, progress.skipped_in_a_row = progress.skipped + 1, progress.skipped_in_a_row + 1
        why = f"norm {norm:.3g}, usually {progress.usual_norm:.3g}" if math.isfinite(norm) else "not finite"
        self.reporter.note(f"update {progress.update}: gradient {why}, update skipped")
        if progress.skipped_in_a_row > self.config.max_skipped:
            self._roll_back()

    def _roll_back(self) -> None:
        """Go back to the last checkpoint, at half the rate."""
        lost, checkpoint = self.progress, checkpoint_of_the_first(self.team, self.folder)
        if checkpoint is None or lost.rollbacks >= self.config.max_rollbacks:
            raise TrainingError(
                f"{lost.skipped_in_a_row} updates in a row had gradients that cannot be used",
                "lower train.learning_rate or raise train.warmup"
                + ("; the last good checkpoint is kept" if checkpoint else ""),
            )
        self.resume(checkpoint)
        self.progress.rate_factor = lost.rate_factor / 2
        self.progress.rollbacks, self.progress.skipped = lost.rollbacks + 1, lost.skipped
        self.progress.seconds = lost.seconds
        self.reporter.note(
            f"back to update {self.progress.update} and on at {self.progress.rate_factor:g} times the rate"
        )


def _chance(seed: int, update: int, rank: int) -> int:
    """The seed of all random numbers that one process draws in one update."""
    return int(np.random.SeedSequence((seed, update, rank)).generate_state(1, np.uint64)[0] >> np.uint64(1))
