"""A run's log read back as one history: what was done again after a kill or a step back counts as it was done last."""

from __future__ import annotations

import json
import math
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from itertools import pairwise
from pathlib import Path
from typing import Any

from onmal.errors import TrainingError
from onmal.run_report.events import Sample, Update, Validation

__all__ = ["History", "Note", "Start", "Validated", "read_history"]

Points = list[tuple[float, float]]


@dataclass(frozen=True)
class Start:
    """A process that began the run, or went on with it after `update`."""

    update: int
    facts: dict[str, Any]


@dataclass(frozen=True)
class Note:
    """A line that the run said, after `update`."""

    update: int
    text: str


@dataclass(frozen=True)
class Validated:
    """A validation, and where in the run it was."""

    update: int
    target_tokens: int
    seconds: float
    found: Validation


@dataclass
class History:
    """The events of a run in the order of its updates."""

    starts: list[Start] = field(default_factory=list)
    updates: list[Update] = field(default_factory=list)
    validations: list[Validated] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    ended: dict[str, Any] | None = None
    went_back: list[int] = field(default_factory=list)
    """Updates from which one and the same process did again what had gone wrong."""

    @property
    def place(self) -> Update | Validated | None:
        """What was heard of the run last, that says how far it is."""
        told: list[Update | Validated] = [*self.updates[-1:], *self.validations[-1:]]
        return max(told, key=lambda at: at.update, default=None)

    @property
    def seams(self) -> list[int]:
        """The updates after which the run was resumed, or done again."""
        return sorted({*(start.update for start in self.starts[1:]), *self.went_back})

    @property
    def best(self) -> Validated | None:
        """The validation with the best score, the first of equals."""
        return max(self.validations, key=lambda at: at.found.score, default=None)

    def speeds(self) -> Points:
        """Update and target tokens per second since the one before, without the time of validations and pauses."""
        breaks = sorted({*self.seams, *(at.update for at in self.validations)})
        speeds: Points = []
        for before, after in pairwise(self.updates):
            next_break = bisect_left(breaks, before.update)
            unbroken = next_break == len(breaks) or breaks[next_break] >= after.update
            seconds = after.seconds - before.seconds
            if unbroken and seconds > 0:
                speeds.append((after.update, (after.target_tokens - before.target_tokens) / seconds))
        return speeds

    def training_loss(self, after: int, until: int) -> float:
        """The mean negative log-likelihood of the updates told of between two [nats per target token]."""
        updates = self.updates
        first, stop = (bisect_left(updates, at + 1, key=lambda u: u.update) for at in (after, until))
        found = [u.negative_log_likelihood for u in updates[first:stop]]
        finite = [value for value in found if math.isfinite(value)]
        return sum(finite) / len(finite) if finite else math.nan

    def hear(self, event: dict[str, Any]) -> None:
        """Take in one event; KeyError, TypeError or ValueError say that it is not one."""
        kind = event.pop("event")
        if kind == "begun":
            at = int(event.pop("resumed at update", 0))
            self._forget(at)
            self.starts.append(Start(at, event))
            self.ended = None
        elif kind == "update":
            update = _update(event)
            again = bool(self.updates) and update.update <= self.updates[-1].update
            self._forget(update.update - 1)
            if again:
                self.went_back.append(self.place.update if self.place else 0)
            self.updates.append(update)
        elif kind == "validation":
            validated = _validated(event)
            self._forget(validated.update, validated.update - 1)
            self.validations.append(validated)
        elif kind == "note":
            self.notes.append(Note(self.place.update if self.place else 0, str(event["text"])))
        elif kind == "ended":
            self.ended = event

    def _forget(self, updates_after: int, validations_after: int | None = None) -> None:
        """Drop what a resumed run, or one that went back, is about to do again."""
        while self.updates and self.updates[-1].update > updates_after:
            self.updates.pop()
        last = updates_after if validations_after is None else validations_after
        while self.validations and self.validations[-1].update > last:
            self.validations.pop()


def read_history(path: Path) -> History:
    """Read log.jsonl as it stands; a last line that is still being written is left out.

    Raises TrainingError for a file that is missing, unreadable or no log, with the line.
    """
    history = History()
    for number, line in _lines(path):
        try:
            history.hear(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError):
            what = "not a line of a training log"
            raise TrainingError(what, "take the line out", path=path, line=number) from None
    if not history.starts:
        raise TrainingError("the run has not begun yet", "come back when it has", path=path)
    return history


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.endswith(b"\n"):
                    # Bytes that are no UTF-8 leave a line that is no JSON, or a mark in the text of a sample.
                    yield number, line.decode("utf-8", "replace")
    except FileNotFoundError:
        remedy = "give the folder that onmal train writes to"
        raise TrainingError("there is no log of a run here", remedy, path=path) from None
    except OSError as error:
        what = f"cannot be read ({error.strerror or error})"
        raise TrainingError(what, "check the path and its permissions", path=path) from None


def _update(event: dict[str, Any]) -> Update:
    """An update, where null stands for what was not finite."""
    return Update(**{f.name: _number(event[f.name]) for f in fields(Update)})


def _number(value: Any) -> Any:
    """A whole or other number of the log; TypeError for anything else."""
    return math.nan if value is None else value + 0


def _validated(event: dict[str, Any]) -> Validated:
    progress = event["progress"]
    found = Validation(
        float(_number(event["negative_log_likelihood"])),
        float(event["score"]),
        {str(way): {str(k): float(v) for k, v in of.items()} for way, of in event["scores"].items()},
        [Sample(*(str(sample[f.name]) for f in fields(Sample))) for sample in event.get("samples", ())],
        {
            str(way): {str(k): str(v) for k, v in of.items()}
            for way, of in event.get("signatures", {}).items()
        },
    )
    return Validated(
        int(progress["update"]), int(progress["target_tokens"]), float(progress["seconds"]), found
    )
