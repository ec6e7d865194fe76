"""What people type and what it means: options that several commands share, languages, times and places."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onmal.errors import ConfigError, LanguageError

if TYPE_CHECKING:
    from onmal.config import SearchConfig

__all__ = [
    "BeamSize",
    "CorpusFolders",
    "Data",
    "Engine",
    "From",
    "Model",
    "Precision",
    "Search",
    "Tag",
    "To",
    "Together",
    "argument",
    "corpus_folders",
    "direction_of",
    "flag",
    "is_text_file",
    "languages_of",
    "minutes",
    "option",
    "search_config",
    "utf8",
]


def option(metavar: str, help: str, *names: str) -> Any:
    """An option that takes a value; the help says what happens without it."""
    return typer.Option(*names, metavar=metavar, help=help, show_default=False)


def argument(metavar: str, help: str) -> Any:
    """What stands without a name."""
    return typer.Argument(metavar=metavar, help=help, show_default=False)


def flag(name: str, help: str) -> Any:
    """An option that takes no value."""
    return typer.Option(name, help=help)


Model = Annotated[Path, argument("MODEL", "The folder that onmal train wrote.")]
Data = Annotated[
    list[Path],
    argument("DATA", "Two aligned files, or one .tsv, .jsonl, .tmx or .po; each also as .gz or .xz."),
]
From = Annotated[str, option("LANGUAGE", "Source language, such as ko.", "--from")]
To = Annotated[str, option("LANGUAGE", "Target language, such as en.", "--to")]
Tag = Annotated[str, option("NAME", "Translate as the text with this data.mix tag does.  [default: without]")]
CorpusFolders = Annotated[
    list[str] | None, option("NAME=PATH", "Folder of a corpus that a recipe names; repeatable.", "--data")
]
BeamSize = Annotated[
    int | None,
    option("N", "Hypotheses kept per sentence; 1 is greedy.  [default: as in its recipe]", "--beam-size"),
]

Search = Annotated[
    list[str] | None,
    option(
        "KEY=VALUE",
        "Search in another way: sample=true, temperature=0.7, no_repeat_ngram=3, diversity=1; repeatable.",
        "--search",
    ),
]
Together = Annotated[
    list[Path] | None,
    option("FOLDER", "Together with this model: the mean of what each thinks likely; repeatable.", "--with"),
]
Engine = Annotated[
    str,
    option(
        "NAME",
        "What runs the model: torch, exact (torch, the same to the bit), ctranslate2, or the fastest that can.  [default: auto]",
        "--engine",
    ),
]
Precision = Annotated[
    str,
    option(
        "KIND", "float32, bfloat16 or int8: less exact, at times faster.  [default: float32]", "--precision"
    ),
]

_FORMATS = {".gz", ".xz", ".txt", ".tsv", ".jsonl", ".tmx", ".po"}
_TIME = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?")


def languages_of(files: Sequence[Path], source: str, target: str) -> tuple[str, str]:
    """The languages given, or else the ones that the names of the files say: a.ko and a.en, or pairs.ko-en.tsv.

    Raises ConfigError where neither says them, LanguageError for a code that nobody knows.
    """
    from onmal.text.language import canonical

    if len(files) == 2:
        named = [_language_in_name(file) for file in files]
    else:
        named = _language_in_name(files[0]).split("-") if files else []
        named = named if len(named) == 2 else ["", ""]
    found = []
    for code, guess, option in zip((source, target), named, ("--from", "--to"), strict=True):
        if code:
            found.append(canonical(code))
            continue
        try:
            found.append(canonical(guess))
        except LanguageError:
            names = " and ".join(map(str, files))
            what = f"the name of {names} does not say its languages"
            raise ConfigError(
                what, f"give {option}, for example: {option} {'ko' if not found else 'en'}"
            ) from None
    return found[0], found[1]


def direction_of(
    directions: Sequence[tuple[str, str]], asked: tuple[str, str], guess: Callable[[], tuple[str, str]]
) -> tuple[str, str]:
    """The one of a model's directions that was asked for; where several are possible, the one that the text suggests.

    Raises LanguageError.
    """
    from onmal.adapting.directions import between

    found = between(directions, asked)
    if len(found) > 1:
        found = between(directions, guess())
    if len(found) == 1:
        return found[0]
    known = ", ".join(map("-".join, directions))
    what = f"this model does not translate from {asked[0] or 'any language'} to {asked[1] or 'any language'}"
    raise LanguageError(what, f"its directions are {known}: choose one with --from and --to")


def is_text_file(path: Path) -> bool:
    """Whether a name is that of a file, or of standard input, and not of a corpus."""
    known = any(suffix.lower() in _FORMATS for suffix in path.suffixes)
    return known or str(path) == "-" or path.exists()


def _language_in_name(file: Path) -> str:
    suffixes = [suffix for suffix in file.suffixes if suffix.lower() not in _FORMATS]
    return suffixes[-1][1:] if suffixes else ""


def minutes(time: str) -> float:
    """How many minutes "30m", "2h", "1h30m" or "90s" are. Raises ConfigError."""
    parts = _TIME.fullmatch(time.strip().lower())
    hours, whole, seconds = (float(part or 0) for part in parts.groups()) if parts else (0.0, 0.0, 0.0)
    total = 60 * hours + whole + seconds / 60
    if not total:
        raise ConfigError(f"--time {time!r} is not a length of time", "write 90s, 30m, 2h or 1h30m")
    return total


def corpus_folders(given: Iterable[str] | None) -> dict[str, Path]:
    """Corpus name -> folder, of each NAME=PATH. Raises ConfigError."""
    from onmal.corpora.catalogue import corpus_named

    folders = {}
    for item in given or ():
        name, equals, path = item.partition("=")
        if not equals or not path:
            raise ConfigError(f"--data {item!r} is not of the form NAME=PATH", "write --data multi30k=FOLDER")
        folders[corpus_named(name).name] = Path(path).expanduser()
    return folders


def utf8(text: str, option: str) -> str:
    """The text of an option, if the terminal that it came from speaks UTF-8. Raises ConfigError."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ConfigError(
            f"{option} is not UTF-8 text", "set the terminal to UTF-8, or give a file"
        ) from None
    return text


def search_config(
    usual: SearchConfig, beam_size: int | None = None, given: Iterable[str] | None = None, **asked: Any
) -> SearchConfig:
    """How to search: as the model's recipe does, but for what is asked for; the beam is as wide as the n best need."""
    from onmal.settings import apply_overrides

    changes = apply_overrides({}, given or (), option="--search", form="key=value")
    changes |= {key: value for key, value in asked.items() if value is not None}
    n_best = changes.setdefault("n_best", 1)
    if beam_size is not None:
        changes["beam_size"] = beam_size
    elif changes.get("sample"):
        changes.setdefault("beam_size", n_best)
    elif isinstance(n_best, int):
        changes.setdefault("beam_size", max(usual.beam_size, n_best))
    return usual.asked(**changes)
