"""The folder that a training run keeps: refused where it cannot serve, opened, closed to other runs; and gone on with."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from onmal.config import DataConfig, ModelConfig, RunConfig
from onmal.errors import ConfigError, TrainingError
from onmal.formats.lines import open_bytes
from onmal.lock import locked_folder
from onmal.run_report.events import Reporter
from onmal.text.tokenizer import Tokenizer
from onmal.writing import open_whole, write_whole

__all__ = [
    "MADE",
    "STANDARD_INPUT",
    "check_folder",
    "command_to_resume",
    "open_folder",
    "standard_input_kept",
    "with_text_kept",
    "write_plan",
]

STANDARD_INPUT = "standard-input.tsv"
"""Training text that came on standard input, kept for the other processes, and to go on with."""
MADE = "made"
"""The folder within training/ of text that models have made for a run before it begins."""
FIXED = {
    "": ("size",),
    "model": ModelConfig.model_fields,
    "data": DataConfig.model_fields,
    "train": ("seed", "batch_tokens", "optimizer", "start", "lora"),
}
"""Settings that a resumed run keeps: they decide what is in the checkpoint, and which batch comes next."""
SETTLED = ("processes", "threads", "precision")
"""Settings that depend on the machine, of which the run itself says what has changed."""


def check_folder(folder: Path, config: RunConfig, *, resume: bool) -> list[str]:
    """Refuse a folder that has something in it; or, to resume, one without a run or with another one.

    Returns what is to be said of the settings that a resumed run goes on with: those that it was not begun with.
    """
    written = folder / "training" / "run.toml"
    if not resume:
        made = folder / "training" / MADE
        if any(_is_kept(p, made) for p in folder.rglob("*")) if folder.is_dir() else folder.exists():
            raise TrainingError(
                "exists already", "go on with --resume, choose another --out, or remove it", path=folder
            )
        return []
    if not written.exists():
        raise TrainingError("there is no run to resume here", "leave --resume away to begin one", path=folder)
    before, now = RunConfig.from_toml(written).model_dump(), config.model_dump()
    for section, keys in FIXED.items():
        for key in keys:
            was, wanted = (each.get(section, each).get(key) for each in (before, now))
            if was != wanted:  # None: no option of the network
                name = f"{section}.{key}" if section else key
                raise ConfigError(
                    f"the run was begun with {name} = {was!r}, not {wanted!r}",
                    "resume with its own settings, or begin a new run with another --out",
                    path=written,
                )
    changed = [
        f"{section}.{key} {was!r}, going on with {now[section][key]!r}"
        for section in ("train", "search")
        for key, was in before[section].items()
        if key not in SETTLED and now[section][key] != was
    ]
    return [f"begun with {each}" for each in changed]


def _is_kept(path: Path, made: Path) -> bool:
    """Whether it is more than what a run that was killed before it had begun left behind."""
    return (
        path.is_file() and path.suffix != ".part" and path.name != STANDARD_INPUT and made not in path.parents
    )


@contextmanager
def open_folder(folder: Path) -> Iterator[Path]:
    """The run's own folder, made at once so that one which cannot be is known early; left empty, it goes again.

    What a killed process left half-written is removed. Another run that would have the folder too is a TrainingError, and changes
    nothing in it.
    """
    place = folder / "training"
    try:
        str(place).encode()  # the weights' files are opened by programs that know no other names
        place.mkdir(parents=True, exist_ok=True)
    except UnicodeEncodeError:
        raise TrainingError("has a name that is not UTF-8", "choose another --out", path=place) from None
    except OSError as error:
        raise TrainingError(
            f"cannot be made ({error.strerror})", "choose another --out", path=place
        ) from None
    with _closed_to_others(place):
        try:
            for left in place.glob(".*.part"):
                left.unlink(missing_ok=True)
            yield place
        finally:
            with suppress(OSError):  # which says that it is not empty
                place.rmdir()
                folder.rmdir()


@contextmanager
def _closed_to_others(place: Path) -> Iterator[None]:
    """Two runs in a folder would remove each other's checkpoints."""
    with ExitStack() as lock:
        try:
            lock.enter_context(locked_folder(place))
        except BlockingIOError:
            raise TrainingError(
                "another run is at work in this folder",
                "wait until it has ended, or choose another --out",
                path=place,
            ) from None
        yield


def write_plan(place: Path, config: RunConfig, tokenizer: Tokenizer | None) -> None:
    """Write the settings, and a tokenizer that is new."""
    write_whole(place / "run.toml", config.to_toml().encode())
    try:
        if tokenizer:
            tokenizer.save(place)
    except OSError as error:
        raise TrainingError(
            f"cannot be written ({error.strerror or error})", "free some space", path=place
        ) from None


def with_text_kept(config: RunConfig, kept: Path, *, alone: bool) -> RunConfig:
    """The settings with a file in the place of standard input, which can be read only once, and by one process.

    Where torchrun has started several, not `alone`, that is a ConfigError.
    """
    data = config.data
    if data.corpus or data.shards or "-" not in [*data.train, *data.valid]:
        return config
    if "-" in data.valid:
        raise ConfigError(
            "data.valid cannot be standard input", "name a file, or hold out a part with data.valid = []"
        )
    if not alone:
        raise ConfigError(
            "torchrun gives standard input to none of its processes or to all",
            "prepare shards of it: onmal prepare --help",
        )
    files = [str(kept) if name == "-" else name for name in data.train]
    return config.model_copy(update={"data": data.model_copy(update={"train": files})})


@contextmanager
def standard_input_kept(kept: Path, report: Reporter) -> Iterator[None]:
    """Write standard input to a file, which goes again if the run does not begin."""
    report.note("reading standard input ...")
    try:
        with open_bytes("-") as text, open_whole(kept) as file:
            shutil.copyfileobj(text, file.buffer, 1 << 20)
        yield
    finally:
        if not (kept.parent / "run.toml").exists():
            kept.unlink(missing_ok=True)


def command_to_resume(folder: Path, corpora: Mapping[str, Path]) -> str:
    """What to type to go on."""
    words = ["onmal", "train", "--out", str(folder), "--resume"]
    for name, path in corpora.items():
        words += ["--data", f"{name}={path}"]
    return shlex.join(words)
