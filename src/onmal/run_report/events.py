"""What a person sees of a run: a live view in a terminal, plain lines elsewhere, and a JSONL log always."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol, TextIO, cast

from onmal.errors import TrainingError

__all__ = [
    "JsonLog",
    "PlainReport",
    "Progress",
    "Reporter",
    "Reporters",
    "Sample",
    "Update",
    "Validation",
    "while_read",
    "writing",
]


@dataclass(frozen=True)
class Update:
    """The run after an update."""

    update: int
    epoch: int
    share_done: float
    seconds: float
    target_tokens: int
    """Learned from since the beginning, padding not counted."""
    loss: float
    """Label-smoothed, per target token [nats]."""
    negative_log_likelihood: float
    """Per target token [nats]."""
    gradient_norm: float
    learning_rate: float
    skipped: int


@dataclass
class Progress:
    """Where a run stands; all that is not a tensor."""

    update: int = 0
    """Updates done."""
    epoch: int = 0
    pool: int = 0
    """Pools of this epoch done."""
    batch: int = 0
    """Batches of this pool done."""
    sampled: bool = False
    """Whether this pool's words are segmented by chance."""
    reversed: bool = False
    """Whether this epoch has each pair the other way round, too."""
    seconds: float = 0.0
    """Time spent training, pauses not counted, validation included."""
    target_tokens: int = 0
    """Target tokens learned from, padding not counted."""
    skipped: int = 0
    """Updates left out because their gradient was not finite or a spike."""
    skipped_in_a_row: int = 0
    usual_norm: float = 0.0
    """Running mean of the gradient's norm."""
    rollbacks: int = 0
    """How often the run went back to a checkpoint."""
    rate_factor: float = 1.0
    """What the learning rate is multiplied with since then."""
    best_score: float | None = None
    best_update: int = 0
    validations_since_best: int = 0
    validated: int = -1
    """Update of the last validation."""
    snapshots: list[int] = field(default_factory=list)
    """Updates whose weights are kept for averaging, oldest first."""
    data_sha256: str = ""
    """Of the training text; empty where it is not known."""
    data_beside_sha256: str = ""
    """Of the tokenizer and the validation text."""


@dataclass(frozen=True)
class Sample:
    """One validation sentence with its reference and what the model makes of it."""

    source: str
    reference: str
    translation: str


@dataclass(frozen=True)
class Validation:
    """How well the model does on the validation text."""

    negative_log_likelihood: float
    """Per target token, teacher forced [nats]."""
    score: float
    """What the best model is chosen by: the first metric of the target language, averaged over directions."""
    scores: dict[str, dict[str, float]]
    """Direction -> metric -> value."""
    samples: list[Sample] = field(default_factory=list)
    signatures: dict[str, dict[str, str]] = field(default_factory=dict)
    """Direction -> metric -> what sacreBLEU calls the way it was computed."""


class Reporter(Protocol):
    """Hears of a run's events."""

    def begun(self, facts: dict[str, Any]) -> None:
        """The run is about to begin (or go on); `facts` describe data, model and plan."""

    def updated(self, update: Update) -> None:
        """Every two seconds or so."""

    def validated(self, validation: Validation, progress: Progress) -> None:
        """After each validation."""

    def note(self, text: str) -> None:
        """Something that a person should know."""

    def ended(self, facts: dict[str, Any]) -> None:
        """The run is over."""


class Reporters:
    """Passes each event on to several reporters, or to none."""

    def __init__(self, *reporters: Reporter) -> None:
        self.reporters = reporters

    def begun(self, facts: dict[str, Any]) -> None:
        for reporter in self.reporters:
            reporter.begun(facts)

    def updated(self, update: Update) -> None:
        for reporter in self.reporters:
            reporter.updated(update)

    def validated(self, validation: Validation, progress: Progress) -> None:
        for reporter in self.reporters:
            reporter.validated(validation, progress)

    def note(self, text: str) -> None:
        for reporter in self.reporters:
            reporter.note(text)

    def ended(self, facts: dict[str, Any]) -> None:
        for reporter in self.reporters:
            reporter.ended(facts)


class JsonLog:
    """One JSON object a line, appended, for programs; a line that a kill or a full disk cut off is taken out first.

    Notes wait for the first event that is none: a run that is refused leaves no log behind.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.waiting: list[str] | None = []
        """Notes from before anything was written."""

    def _write(self, event: str, values: dict[str, Any]) -> None:
        if self.waiting is not None:
            with writing(self.path):
                if self.path.is_file():
                    os.truncate(self.path, self.path.read_bytes().rfind(b"\n") + 1)
            notes, self.waiting = self.waiting, None
            for text in notes:
                self.note(text)
        with writing(self.path), self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"event": event, **values}, ensure_ascii=False) + "\n")

    def begun(self, facts: dict[str, Any]) -> None:
        self._write("begun", facts)

    def updated(self, update: Update) -> None:
        self._write("update", _finite(asdict(update)))

    def validated(self, validation: Validation, progress: Progress) -> None:
        self._write("validation", {**_finite(asdict(validation)), "progress": asdict(progress)})

    def note(self, text: str) -> None:
        if self.waiting is None:
            self._write("note", {"text": text})
        else:
            self.waiting.append(text)

    def ended(self, facts: dict[str, Any]) -> None:
        self._write("ended", facts)


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    """JSON has no NaN and no infinity: null says that a loss or gradient was not finite."""
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in values.items()}


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Says in one line that a disk is full or a place cannot be written, as a TrainingError."""
    try:
        yield
    except OSError as error:
        what = f"cannot be written ({error.strerror or error})"
        raise TrainingError(what, "free some space, and go on with --resume", path=path) from None


class _WhileRead:
    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        with self._or_nowhere():
            self.stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._or_nowhere():
            self.stream.flush()

    @contextmanager
    def _or_nowhere(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            with open(os.devnull, "w") as nowhere:
                os.dup2(nowhere.fileno(), self.stream.fileno())


def while_read(stream: TextIO) -> TextIO:
    """The same stream, silent from when nobody can read it any more: its pipe was closed, or its terminal is gone."""
    return cast(TextIO, _WhileRead(stream))


class PlainReport:
    """Plain lines, for pipes and log files; an update line at most every `every` seconds of training."""

    def __init__(self, stream: TextIO, every: float = 30.0) -> None:
        self.stream, self.every = while_read(stream), every
        self.next_line = 0.0
        self.first: Update | None = None

    def _say(self, text: str) -> None:
        print(text, file=self.stream, flush=True)

    def begun(self, facts: dict[str, Any]) -> None:
        for name, value in facts.items():
            self._say(f"{name}: {shown(value)}")

    def updated(self, update: Update) -> None:
        self.first = self.first or update
        if update.seconds < self.next_line:
            return
        self.next_line = update.seconds + self.every
        skipped = f"  {update.skipped} skipped" if update.skipped else ""
        self._say(
            f"{update.share_done:6.1%}  update {update.update}  epoch {update.epoch + 1}"
            f"  loss {update.loss:.3f}  {speed(self.first, update):,.0f} tokens/s"
            f"  rate {update.learning_rate:.2e}  gradient norm {update.gradient_norm:.2f}{skipped}"
            f"  left {clock(time_left(update))}"
        )

    def validated(self, validation: Validation, progress: Progress) -> None:
        scores = "  ".join(
            f"{direction} {metric} {value:.1f}"
            for direction, found in validation.scores.items()
            for metric, value in found.items()
        )
        best = ""
        if progress.best_score is not None:
            earlier = f": {progress.best_score:.1f} at update {progress.best_update}"
            best = f" (best{'' if progress.best_update == progress.update else earlier})"
        self._say(
            f"validation at update {progress.update}, {clock(progress.seconds)}:"
            f" loss {validation.negative_log_likelihood:.3f}  {scores}{best}"
        )
        for sample in validation.samples[:1]:
            self._say(f"  source     {sample.source}")
            self._say(f"  onmal      {sample.translation}")
            self._say(f"  reference  {sample.reference}")

    def note(self, text: str) -> None:
        self._say(text)

    def ended(self, facts: dict[str, Any]) -> None:
        self.begun(facts)


def speed(first: Update, last: Update) -> float:
    """Target tokens per second between two updates of one process; with only one as yet, since the run began."""
    seconds, tokens = last.seconds - first.seconds, last.target_tokens - first.target_tokens
    if not seconds:
        seconds, tokens = last.seconds, last.target_tokens
    return tokens / seconds if seconds else 0.0


def time_left(update: Update) -> float:
    """Seconds to the end at the pace so far."""
    return update.seconds * (1 / max(update.share_done, 1e-6) - 1)


def shown(fact: Any) -> str:
    """A fact about the run as a person reads it."""
    if isinstance(fact, dict):
        return ", ".join(f"{name} {shown(inner)}" for name, inner in fact.items()) or "none"
    return f"{fact:,}" if isinstance(fact, int) else str(fact)


def clock(seconds: float) -> str:
    """Seconds as 1:02:03 or 2:03."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
