"""Many files on many machines: Ray Data hands parts of them to translators, and each part is written whole or not at all.

Model, texts and output lie in folders that all machines have under the same names. A job that was interrupted, or lost a
machine, goes on with the parts that are missing.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, cast

from onmal.errors import ConfigError, DataError, MissingExtraError, OnmalError
from onmal.formats.lines import open_bytes, read_lines
from onmal.translating.translator import Options, Translation, Translator, load
from onmal.writing import open_whole

__all__ = ["KEPT", "Job", "Part", "Translated", "cut", "translate_parts"]

PART_LINES = 5_000
COMPRESSED = (".gz", ".xz")
KEPT = ".onmal-bulk"
"""The folder within the output that keeps the parts until all files are whole."""


@dataclass(frozen=True)
class Job:
    """What is done with each text: the same on every machine, so all of it can be pickled."""

    model: Path
    loading: Mapping[str, Any]
    """The options of `load`."""
    options: Options
    """The options of `Translator.translate`."""
    form: Callable[[int, Translation], str]
    """A translation, and the number of its line, as a line."""
    note: str
    """What parts that are there already must have come from."""


@dataclass(frozen=True)
class Part:
    """Some lines of a text, and where their translations go."""

    text: Path
    first: int
    """The number of its first line, from 1."""
    byte: int
    """Where that line begins."""
    lines: int
    place: Path

    @property
    def done(self) -> bool:
        """Whether it is there, and so is whole."""
        return self.place.exists()


@dataclass(frozen=True)
class Translated:
    """A part that has just been written."""

    part: Part
    warnings: Sequence[tuple[int, str]]
    """(number of the line in its text, what could not be kept)."""


def cut(texts: Sequence[Path], out: Path) -> dict[str, list[Part]]:
    """The parts of each text, by the name that its translation gets in the folder; nothing is written yet.

    All texts are read once, so that a damaged line is told at once. Raises ConfigError for names that collide, DataError.
    """
    out = out.resolve()
    named: dict[str, Path] = {}
    for text in (Path(os.path.abspath(text)) for text in texts):  # the name of a link is the text's name
        if text.exists() and not text.is_file():
            raise ConfigError(f"{text} is no file", "name files: --ray reads each in parts")
        name = text.stem if text.suffix.lower() in COMPRESSED else text.name
        if name in named:
            raise ConfigError(f"two texts are called {name}", "translate them into different folders")
        if (out / name).is_dir():
            raise ConfigError(f"{out / name} is a folder", "choose another folder for --out")
        named[name] = text
    sources = {text.resolve() for text in named.values()}
    for name in named:
        if (out / name).resolve() in sources:
            raise ConfigError(f"{name} would take the place of its text", "choose another folder for --out")
    return {name: list(parts_of(text, out / KEPT / "parts" / name)) for name, text in named.items()}


def translate_parts(job: Job, parts: Mapping[str, Sequence[Part]], out: Path) -> Iterator[Translated]:
    """Translate what `cut` has cut, on all machines of the Ray cluster that is running, or on this one alone.

    Tells of each part when it is done, in any order, and of none that was done before. The files are put into the folder when
    all parts are there. Raises OnmalError: for parts of another job, and for what goes wrong elsewhere.
    """
    if not installed():
        raise MissingExtraError("ray", "cluster", "translating on several machines")
    out = out.resolve()
    _begin(job, out, {part.text for each in parts.values() for part in each})
    for name in parts:
        _make(out / KEPT / "parts" / name)
    yield from _on_all_machines(job, [part for each in parts.values() for part in each if not part.done])
    for name, each in parts.items():
        with open_whole(out / name) as whole:
            for part in each:
                with part.place.open(encoding="utf-8", newline="\n") as file:
                    shutil.copyfileobj(file, whole)
    shutil.rmtree(out / KEPT / "parts", ignore_errors=True)  # before the note of what they belong to
    shutil.rmtree(out / KEPT, ignore_errors=True)


def installed() -> bool:
    """Whether Ray Data is there."""
    try:
        import ray.data  # noqa: F401
    except ImportError:
        return False
    return True


def parts_of(text: Path, places: Path) -> Iterator[Part]:
    """A text in parts of PART_LINES lines. Raises DataError for a line that cannot be read."""
    lines = sum(1 for _ in read_lines(text))
    with open_bytes(text) as stream:
        for first in range(0, lines, PART_LINES):
            byte = stream.tell()
            count = sum(1 for _ in islice(stream, PART_LINES))
            yield Part(text, first + 1, byte, count, places / f"{first + 1:012}")


def _begin(job: Job, out: Path, texts: Iterable[Path]) -> None:
    """Note what is translated; raises DataError where parts of something else lie there."""
    _make(out / KEPT)
    stats = [(str(text), text.stat().st_size, text.stat().st_mtime_ns) for text in sorted(texts)]
    told, note = json.dumps([job.note, stats]), out / KEPT / "job.json"
    if note.exists() and note.read_text("utf-8") != told:
        raise DataError(
            "was begun from other texts or another model, or with other options",
            f"give the same again, or remove {out / KEPT}",
            path=out,
        )
    if not note.exists():
        shutil.rmtree(out / KEPT / "parts", ignore_errors=True)  # nobody knows of what
    with open_whole(note) as file:
        file.write(told)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cannot be made ({error.strerror})", "choose another place", path=folder) from None


def _on_all_machines(job: Job, parts: Sequence[Part]) -> Iterator[Translated]:
    """Parts as they are written, by up to as many translators as the machines have cores."""
    if not parts:
        return
    import ray
    from ray.exceptions import RayError

    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    try:
        if not ray.is_initialized():
            ray.init(log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError) as error:
        what = next(iter(str(error).splitlines()), type(error).__name__)
        raise OnmalError(f"no Ray cluster answers: {what}", "check RAY_ADDRESS, or unset it") from None
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    ray.data.DataContext.get_current().enable_progress_bars = False
    cores = int(sum(node["Resources"].get("CPU", 0) for node in ray.nodes() if node["Alive"]))
    rows = [{"part": number} for number in range(len(parts))]
    written = ray.data.from_items(rows, override_num_blocks=len(parts)).map(
        cast(Any, _Translating),
        fn_constructor_args=(job, parts),
        num_cpus=1,
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=max(1, min(cores, len(parts)))),
    )
    try:
        for row in written.iter_rows():
            if row["error"]:
                raise OnmalError(row["error"], "what is done stays; the same command goes on with the rest")
            yield Translated(parts[row["part"]], [(line, what) for line, what in json.loads(row["warnings"])])
    except RayError as error:
        what = str(error).strip().splitlines()[-1]
        raise OnmalError(
            f"Ray cannot go on: {what}", "what is done stays; the same command goes on with the rest"
        ) from None


class _Translating:
    """One translator of the pool, on one core."""

    def __init__(self, job: Job, parts: Sequence[Part]) -> None:
        self.job, self.parts = job, parts

    @cached_property
    def translator(self) -> Translator:
        return load(self.job.model, **self.job.loading)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Translate and write one part; errors travel as text, which crosses every border between machines."""
        try:
            warnings, error = list(self._write(self.parts[row["part"]])), ""
        except OnmalError as caught:
            warnings, error = [], f"machine {platform.node()}: {caught}"
        return {"part": row["part"], "warnings": json.dumps(warnings), "error": error}

    def _write(self, part: Part) -> Iterator[tuple[int, str]]:
        lines = islice(read_lines(part.text, part.byte), part.lines)
        translations = self.translator.stream(lines, **self.job.options)
        with open_whole(part.place) as file:
            for number, translation in enumerate(translations, part.first):
                file.write(self.job.form(number, translation) + "\n")
                for warning in translation.warnings:
                    yield number, warning
