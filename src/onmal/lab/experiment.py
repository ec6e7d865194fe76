"""What an experiment is, how it is run, and what its result holds."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import torch

from onmal.errors import ConfigError, OnmalError
from onmal.processor import processor
from onmal.run_report.events import clock
from onmal.threads import one_thread
from onmal.writing import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Bench", "Experiment", "Judgement", "Result", "Verdict", "run"]

Verdict = Literal["holds", "holds partly", "not seen at this size"]
Numbers = dict[str, Any]
"""What was measured, as values that JSON knows."""
Say = Callable[[str], None]


@dataclass(frozen=True)
class Judgement:
    """What the numbers say of the claim, by the rule that was written before the run."""

    verdict: Verdict
    decides: str
    """The number that decides, in words: "influence beyond the window: 0"."""
    because: str
    """One sentence for a reader."""


@dataclass(frozen=True)
class Bench:
    """Where an experiment works: a folder that keeps trained networks for it and for others, and someone to tell."""

    folder: Path
    say: Say
    earlier: list[float] = field(default_factory=list)
    """Minutes that the networks took that are at hand already."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What is found out on the way of how the networks were trained; it goes into the result's setup."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One claim put to the test."""

    name: str
    number: str
    """E1 to E11, as the pages of docs/lab count."""
    claim: str
    """As the introduction says it."""
    refuted_if: str
    """Written before the run; `judge` is this rule."""
    setup: Mapping[str, Any]
    """Everything that the numbers depend on: sizes, seeds, texts."""
    exact: bool
    """Whether it needs no training, so that it takes seconds."""
    minutes: float
    """Expected on two cores."""
    measure: Callable[[Bench], Numbers]
    judge: Callable[[Numbers], Judgement]
    draw: Callable[[Numbers, Figure], None]


@dataclass(frozen=True)
class Result:
    """What came of an experiment: enough to judge and draw it again."""

    experiment: str
    number: str
    claim: str
    refuted_if: str
    setup: dict[str, Any]
    numbers: Numbers
    verdict: Verdict
    decides: str
    because: str
    minutes: float
    """That it took, those of networks included that an earlier experiment had trained."""
    onmal: str
    commit: str
    """Of the source that ran, with -dirty where it had been changed; empty where onmal was installed as a package."""
    torch: str
    machine: str

    @classmethod
    def read(cls, path: Path) -> Self:
        """A result's file; ConfigError where it is none."""
        try:
            return cls(**json.loads(path.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            raise ConfigError("is no result of an experiment", "run it: onmal lab NAME", path=path) from None

    def write(self, path: Path) -> None:
        """As JSON, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, (json.dumps(asdict(self), ensure_ascii=False, indent=1) + "\n").encode())


def run(experiment: Experiment, folder: Path, say: Say = print) -> Result:
    """Run an experiment; its result is in FOLDER/NAME.json, its picture in FOLDER/NAME.svg.

    It has one thread, so that the numbers of a seed are the same however many cores there are. Ctrl-C goes on as
    KeyboardInterrupt when it is said how to go on with the networks that are trained.
    """
    began, commit = time.monotonic(), _commit()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = f"is no folder that results can go to: {error.strerror}"
        raise ConfigError(what, "give another one with --out", path=folder) from None
    say(f"{experiment.number} {experiment.name}: {experiment.claim}")
    say(f"   refuted if {experiment.refuted_if}")
    for name, value in experiment.setup.items():
        say(f"   with {name}: {_told(value)}")

    def say_when(words: str) -> None:
        """With the time that it took so far, where it takes minutes."""
        taken = clock(time.monotonic() - began)
        say(f"   {words}" if experiment.exact else f"   {taken} of about {experiment.minutes:g}:00  {words}")

    bench = Bench(folder, say_when)
    try:
        with one_thread():
            numbers = _plain(experiment.measure(bench))
    except KeyboardInterrupt:
        how = "go on" if bench.facts else "begin again"  # there are facts of what is trained, and kept
        say(f"   stopped; {how} with: onmal lab {experiment.name} --out {folder}")
        raise
    result = Result(
        experiment=experiment.name,
        number=experiment.number,
        claim=experiment.claim,
        refuted_if=experiment.refuted_if,
        setup=_plain({**experiment.setup, **bench.facts}),
        numbers=numbers,
        **asdict(experiment.judge(numbers)),
        minutes=round((time.monotonic() - began) / 60 + sum(bench.earlier), 3),
        onmal=importlib.metadata.version("onmal"),
        commit=commit,
        torch=torch.__version__,
        machine=processor(),
    )
    result.write(folder / f"{experiment.name}.json")
    try:
        picture(experiment, result, folder / f"{experiment.name}.svg")
    except OnmalError as error:
        say(f"   no picture: {error}")
    say(f"   {result.verdict}: {result.because}")
    return result


def _told(value: Any) -> str:
    """A setting as a person reads it."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_told(inner)}" for name, inner in value.items()) or "as it comes"
    if isinstance(value, list | tuple):
        return f"({', '.join(map(_told, value))})"
    return str(value)


def _commit() -> str:
    """Of the source that runs, where git keeps it."""
    here = Path(__file__)

    def git(*command: str) -> str:
        done = subprocess.run(["git", *command], cwd=here.parent, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    try:
        git("ls-files", "--error-unmatch", here.name)
        changed = git("status", "--porcelain", "--", str(here.parent.parent))
        return git("rev-parse", "--short=12", "HEAD") + "-dirty" * bool(changed)
    except (OSError, subprocess.CalledProcessError):
        return ""


def _plain(values: Any) -> Any:
    """As a reader of the file will have them: no tuples, no keys that are numbers."""
    return json.loads(json.dumps(values))


def picture(experiment: Experiment, result: Result, path: Path) -> None:
    """Draw a result, from its numbers alone; MissingExtraError without matplotlib."""
    from onmal.lab.pictures import sheet

    with sheet(path, f"{experiment.number} {experiment.name}: {result.verdict}") as figure:
        experiment.draw(result.numbers, figure)


def judged_again(experiment: Experiment, result: Result) -> Result:
    """The same numbers under the rule as it is now."""
    return replace(result, **asdict(experiment.judge(result.numbers)))
