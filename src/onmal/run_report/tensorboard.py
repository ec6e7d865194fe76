"""A run in TensorBoard, beside the other curves of whoever uses it; needs the extra `track`."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from onmal.errors import MissingExtraError
from onmal.run_report.events import Update, Validation, shown, speed, writing

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

    from onmal.run_report.events import Progress

__all__ = ["TensorBoardReport"]


class TensorBoardReport:
    """A Reporter that writes TensorBoard's events to a folder, from `begun` on; a `with` block closes them.

    Steps are updates; what a run does again, resumed or gone back, replaces what was there. Raises MissingExtraError at once where TensorBoard is
    not installed.
    """

    def __init__(self, folder: str | Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise MissingExtraError("tensorboard", "track", "writing for TensorBoard") from None
        self._writer = SummaryWriter
        self.folder = Path(folder)
        self.writer: SummaryWriter | None = None
        self.last: Update | None = None
        self.update = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def begun(self, facts: dict[str, Any]) -> None:
        """Opens the events."""
        self.update = int(facts.get("resumed at update", 0))
        self._begin(self.update + 1)
        self._table("run", facts)

    def updated(self, update: Update) -> None:
        """Loss, rate, gradient norm and target tokens per second since the update told of before."""
        values = {
            "loss/training": update.negative_log_likelihood,
            "loss/training, label-smoothed": update.loss,
            "training/learning rate": update.learning_rate,
            "training/gradient norm": update.gradient_norm,
            "training/target tokens per second": speed(self.last or update, update),
            "training/epoch": update.epoch,
            "training/skipped updates": update.skipped,
        }
        if update.update <= self.update:
            self._begin(update.update)
        self.last, self.update = update, update.update
        self._scalars(values)

    def validated(self, validation: Validation, progress: Progress) -> None:
        """Loss, scores with their signatures, and sample translations."""
        self.update = progress.update
        scores = {
            f"{metric}/{direction}": value
            for direction, found in validation.scores.items()
            for metric, value in found.items()
        }
        self._scalars({"loss/validation": validation.negative_log_likelihood, **scores})
        for number, sample in enumerate(validation.samples):
            sides = {"source": sample.source, "onmal": sample.translation, "reference": sample.reference}
            self._table(f"sample {number + 1}", sides)
        self._table("signatures", validation.signatures)

    def note(self, text: str) -> None:
        """A line, once there is a run."""
        self._table("note", {"": text})

    def ended(self, facts: dict[str, Any]) -> None:
        """The facts of the end."""
        self._table("end", facts)

    def _begin(self, step: int) -> None:
        """Open a file of events that counts instead of all earlier ones from a step on."""
        self._close()
        with writing(self.folder):
            self.writer = self._writer(self.folder, purge_step=step)

    def _close(self) -> None:
        if self.writer is not None:
            with writing(self.folder):
                self.writer.close()

    def _scalars(self, values: dict[str, float]) -> None:
        if self.writer is not None:
            with writing(self.folder):
                for name, value in values.items():
                    self.writer.add_scalar(name, value, self.update)
                self.writer.flush()

    def _table(self, name: str, facts: dict[str, Any]) -> None:
        """Facts as lines that are shown as they stand, whatever is in them: four spaces say so in Markdown."""
        if self.writer is not None:
            lines = (f"{fact} {shown(value)}".strip() for fact, value in facts.items())
            text = "\n".join(f"    {' '.join(line.split())}" for line in lines)
            with writing(self.folder):
                self.writer.add_text(name, text, self.update)
