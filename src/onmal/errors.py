"""Every error that a person can meet, and what to do about it.

OnmalError
├── ConfigError        an option or a setting has a value that cannot work
├── DataError          a text or corpus is missing, unreadable, misaligned or damaged
├── ModelFolderError   a model folder is missing, incomplete, damaged or of a newer format
├── LengthError        a sentence is longer than the network's table of positions
├── TrainingError      a training run cannot start or cannot go on
├── LanguageError      a language or direction that the model or program does not know
└── MissingExtraError  an optional package is not installed

The message is one line: where (file and line, or option), what is wrong, what to do next.
The command line prints it after "error: " and exits with the class's `exit_code`.
"""

from __future__ import annotations

from os import PathLike

__all__ = [
    "ConfigError",
    "DataError",
    "LanguageError",
    "LengthError",
    "MissingExtraError",
    "ModelFolderError",
    "OnmalError",
    "TrainingError",
]


class OnmalError(Exception):
    """Base of all onmal errors.

    `what` says what is wrong, `remedy` what to do next; `path` and `line` (1 is the first) say where.
    """

    exit_code = 1

    def __init__(
        self,
        what: str,
        remedy: str = "",
        *,
        path: str | PathLike[str] | None = None,
        line: int | None = None,
    ) -> None:
        self.what = what
        self.remedy = remedy
        self.path = None if path is None else str(path)
        self.line = line
        super().__init__(str(self))

    def __str__(self) -> str:
        where = self.path or ""
        if self.line is not None:
            where = f"{where}:{self.line}" if where else f"line {self.line}"
        text = f"{where}: {self.what}" if where else self.what
        if self.remedy:
            text = f"{text}; {self.remedy}"
        return " ".join(text.split())


class ConfigError(OnmalError):
    """An option or a setting has a value that cannot work; names the option, the value and the remedy."""

    exit_code = 2


class DataError(OnmalError):
    """A text or corpus is missing, unreadable, misaligned or damaged; names the file and the line."""


class ModelFolderError(OnmalError):
    """A model folder is missing, incomplete, damaged or written by a newer onmal."""


class LengthError(OnmalError):
    """A sentence is longer, in tokens, than the network's table of positions."""


class TrainingError(OnmalError):
    """A training run cannot start or cannot go on."""


class LanguageError(OnmalError):
    """A language code or direction that nobody here knows."""

    exit_code = 2


class MissingExtraError(OnmalError):
    """An optional package is needed and not installed; names the extra that brings it."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package {package}, which is not installed",
            f'install it with: pip install "onmal[{extra}]"',
        )
