"""A run as a person watches it in a terminal: how far it is, how it learns, and what it makes of two sentences."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from onmal.run_report.events import Progress, Sample, Update, Validation, clock, shown, speed, time_left

__all__ = ["LiveReport"]

_SAMPLES = 2


class LiveReport:
    """A Reporter that keeps one picture of the run up to date; a `with` block leaves the terminal in order."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.first: Update | None = None
        self.last: Update | None = None
        self.validation: Validation | None = None
        self.progress = Progress()
        self.live = Live(self, console=console, auto_refresh=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.live.stop()

    def __rich__(self) -> RenderableType:
        """The picture at this moment."""
        parts: list[RenderableType] = []
        if self.last is not None:
            parts += [self._progress_line(self.last), self._learning_lines(self.last)]
        if self.validation is not None:
            parts += [Text(), *self._validation_lines(self.validation)]
            parts.append(_sample_table(self.validation.samples))
        return Group(*parts)

    def begun(self, facts: dict[str, Any]) -> None:
        """Shows the facts, and the picture from here on."""
        self.console.print(_fact_table(facts))
        self.live.start()

    def updated(self, update: Update) -> None:
        """Brings the picture up to date."""
        self.first = self.first or update
        self.last = update
        self.live.refresh()

    def validated(self, validation: Validation, progress: Progress) -> None:
        """Shows the new scores and sample translations."""
        self.validation, self.progress = validation, replace(progress)  # the trainer goes on with its own
        self.live.refresh()

    def note(self, text: str) -> None:
        """Prints a line above the picture."""
        self.console.print(Text(text))

    def ended(self, facts: dict[str, Any]) -> None:
        """Leaves the last picture as it is and shows the facts below."""
        self.live.stop()
        self.console.print(_fact_table(facts))

    def _progress_line(self, update: Update) -> RenderableType:
        line = Table.grid(padding=(0, 1))
        line.add_column(ratio=1)
        line.add_column(no_wrap=True)
        line.add_row(
            ProgressBar(total=1.0, completed=update.share_done),
            f"{update.share_done:.0%}  {clock(update.seconds)} done, {clock(time_left(update))} left",
        )
        return line

    def _learning_lines(self, update: Update) -> RenderableType:
        pace = f"{speed(self.first or update, update):,.0f} tokens/s"
        skipped = f"  {update.skipped} skipped" if update.skipped else ""
        return Text(
            f"update {update.update:,}  epoch {update.epoch + 1}  {pace}{skipped}\n"
            f"loss {update.loss:.3f}  rate {update.learning_rate:.1e}  gradient norm {update.gradient_norm:.2f}"
        )

    def _validation_lines(self, validation: Validation) -> list[RenderableType]:
        lines = [
            Text("  ".join([direction, *(f"{metric} {value:.1f}" for metric, value in found.items())]))
            for direction, found in validation.scores.items()
        ]
        best = "" if self.progress.best_score is None else f"  best score {self.progress.best_score:.1f}"
        best += f" at update {self.progress.best_update:,}" if best else ""
        loss = validation.negative_log_likelihood
        return [Text(f"validation at update {self.progress.update:,}:  loss {loss:.3f}{best}"), *lines]


def _fact_table(facts: dict[str, Any]) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, value in facts.items():
        table.add_row(Text(name, "dim"), Text(shown(value)))
    return table


def _sample_table(samples: list[Sample]) -> Table:
    """Sentences spread evenly over the directions, each with translation and reference below."""
    table = Table.grid(padding=(0, 1))
    apart = max(1, len(samples) // _SAMPLES)
    for sample in samples[::apart][:_SAMPLES]:
        table.add_row()
        table.add_row(Text("source", "dim"), Text(sample.source))
        table.add_row(Text("onmal", "dim"), Text(sample.translation, "bold"))
        table.add_row(Text("reference", "dim"), Text(sample.reference))
    return table
