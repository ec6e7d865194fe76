"""Cleaning parallel text and examining it: which pairs are faulty, how many, and on which lines.

`clean` passes on the pairs in which no filter finds a fault; `examine` is the data doctor, which changes
nothing and reports everything. Both read a corpus once, in constant memory but for what Duplicate remembers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from onmal.cleaning.filters import (
    BrokenEncoding,
    Duplicate,
    Empty,
    Filter,
    Identical,
    LengthRatio,
    NumbersDiffer,
    SwappedSides,
    TooLong,
    UnrelatedNumbers,
    WrongScript,
)
from onmal.data.pair import Pair

__all__ = ["CleaningReport", "DoctorReport", "Fault", "Lengths", "clean", "default_filters", "examine"]

_LINES_SHOWN = 10
_CHARACTERS_SHOWN = 200


def default_filters(source_language: str, target_language: str) -> list[Filter]:
    """The faults for which pairs are left out of training unless one says otherwise; new objects for one pass.

    Numbers are a fault only where both sides have some and none in common: translators spell numbers out,
    convert units and round, so a single missing one is left to the doctor to report. Raises LanguageError.
    """
    return [
        Empty(),
        BrokenEncoding(),
        Identical(),
        SwappedSides.between(source_language, target_language),
        WrongScript.between(source_language, target_language),
        TooLong(),
        LengthRatio(),
        UnrelatedNumbers(),
        Duplicate(),
    ]


@dataclass
class Fault:
    """How often one fault was found, on which lines first, and what the first one looks like."""

    count: int = 0
    lines: list[int] = field(default_factory=list)
    reason: str = ""
    example: Pair | None = None

    def add(self, pair: Pair, line: int, reason: str) -> None:
        """Counts a pair that has the fault."""
        self.count += 1
        if len(self.lines) < _LINES_SHOWN:
            self.lines.append(line)
        if self.example is None:
            self.reason, self.example = reason, pair

    def as_dict(self) -> dict[str, Any]:
        """The same as values that JSON knows, long texts cut."""
        found: dict[str, Any] = {"count": self.count, "lines": self.lines}
        if self.example is not None:
            source, target = _shown(self.example.source), _shown(self.example.target)
            found["example"] = {"source": source, "target": target, "reason": self.reason}
        return found


def _shown(text: str) -> str:
    cut = text if len(text) <= _CHARACTERS_SHOWN else text[: _CHARACTERS_SHOWN - 1] + "…"
    return cut.encode(errors="replace").decode()  # half a surrogate pair cannot be written


@dataclass
class CleaningReport:
    """What one pass of `clean` kept, and what each filter removed; it grows as the pairs are taken."""

    kept: int = 0
    removed: dict[str, Fault] = field(default_factory=dict)
    """By name of the filter; those that removed nothing are there too."""

    @property
    def read(self) -> int:
        """Pairs that came in."""
        return self.kept + sum(fault.count for fault in self.removed.values())

    def as_dict(self) -> dict[str, Any]:
        """The same as values that JSON knows."""
        removed = {name: fault.as_dict() for name, fault in self.removed.items()}
        return {"read": self.read, "kept": self.kept, "removed": removed}


def clean(
    pairs: Iterable[Pair], filters: Sequence[Filter], report: CleaningReport | None = None
) -> Iterator[Pair]:
    """The pairs in which no filter finds a fault; `report` counts the others under the first filter that does."""
    report = CleaningReport() if report is None else report
    for check in filters:
        report.removed.setdefault(check.name, Fault())
    for position, pair in enumerate(pairs, 1):
        for check in filters:
            reason = check(pair)
            if reason is not None:
                report.removed[check.name].add(pair, pair.line or position, reason)
                break
        else:
            report.kept += 1
            yield pair


@dataclass
class Lengths:
    """How long the texts of one side are, in one unit."""

    counts: Counter[int] = field(default_factory=Counter, repr=False)
    """How many texts there are of each length."""

    def at(self, share: float) -> int:
        """The length that `share` of the texts do not exceed; 0 without texts."""
        rank = share * self.counts.total()
        for length in sorted(self.counts):
            rank -= self.counts[length]
            if rank <= 0:
                return length
        return 0

    def as_dict(self) -> dict[str, float]:
        """Mean, median, 95th and 99th percentile and maximum."""
        total = self.counts.total()
        mean = sum(length * count for length, count in self.counts.items()) / max(1, total)
        return {
            "mean": round(mean, 1),
            "median": self.at(0.5),
            "p95": self.at(0.95),
            "p99": self.at(0.99),
            "max": self.at(1),
        }


@dataclass
class DoctorReport:
    """The state of a corpus: every fault, those that cleaning removes and those that are only doubts."""

    pairs: int = 0
    sound: int = 0
    """Pairs without fault or doubt."""
    removable: int = 0
    """Pairs with a fault: what cleaning would leave out."""
    faults: dict[str, Fault] = field(default_factory=dict)
    """Faults for which cleaning leaves a pair out, by name; a pair can have several."""
    doubts: dict[str, Fault] = field(default_factory=dict)
    """What is reported but kept."""
    lengths: dict[str, Lengths] = field(default_factory=dict)
    """By "source_characters", "source_words", "target_characters", "target_words"; words end at white space."""

    def as_dict(self) -> dict[str, Any]:
        """The same as values that JSON knows."""
        return {
            "pairs": self.pairs,
            "sound": self.sound,
            "removable": self.removable,
            "faults": {name: fault.as_dict() for name, fault in self.faults.items()},
            "doubts": {name: fault.as_dict() for name, fault in self.doubts.items()},
            "lengths": {name: lengths.as_dict() for name, lengths in self.lengths.items()},
        }


def examine(
    pairs: Iterable[Pair],
    source_language: str,
    target_language: str,
    *,
    filters: Sequence[Filter] | None = None,
    doubts: Sequence[Filter] | None = None,
) -> DoctorReport:
    """What is wrong with a corpus, by all default filters and doubts or the ones given. Raises LanguageError.

    Read the pairs with `empty="keep"`, or the first blank line is an error rather than a count.
    """
    filters = default_filters(source_language, target_language) if filters is None else filters
    doubts = [NumbersDiffer()] if doubts is None else doubts
    report = DoctorReport(
        faults={check.name: Fault() for check in filters},
        doubts={check.name: Fault() for check in doubts},
        lengths={
            f"{side}_{unit}": Lengths() for side in ("source", "target") for unit in ("characters", "words")
        },
    )
    for position, pair in enumerate(pairs, 1):
        line = pair.line or position
        faulty = _find(filters, report.faults, pair, line)
        doubtful = not faulty and _find(doubts, report.doubts, pair, line)
        report.pairs += 1
        report.removable += faulty
        report.sound += not (faulty or doubtful)
        for side, text in (("source", pair.source), ("target", pair.target)):
            report.lengths[f"{side}_characters"].counts[len(text)] += 1
            report.lengths[f"{side}_words"].counts[len(text.split())] += 1
    return report


def _find(filters: Sequence[Filter], found: dict[str, Fault], pair: Pair, line: int) -> bool:
    """Counts every fault that the filters find in one pair; whether there is any."""
    faulty = False
    for check in filters:
        reason = check(pair)
        if reason is not None:
            found[check.name].add(pair, line, reason)
            faulty = True
    return faulty
