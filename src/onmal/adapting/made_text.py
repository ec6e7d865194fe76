"""Text that models make for a run before it begins: kept in its folder, and gone on with where it was cut off.

FOLDER/training/made/    NAME.jsonl, an object {"source": ..., "target": ...} a line
                         manifest.json says of what was translated by which model, and how
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import islice
from pathlib import Path
from typing import Any

from onmal.adapting.directions import between
from onmal.config import RunConfig
from onmal.data.pair import Pair
from onmal.errors import ConfigError, DataError, LanguageError
from onmal.origin import weights_sha256
from onmal.run_folder import MADE, check_folder, open_folder
from onmal.training.distributed import size_from_torchrun
from onmal.translating.translator import Translator, load
from onmal.writing import MANIFEST, open_resumable, open_whole

__all__ = ["MadeText", "Watch", "made_text"]

Watch = Callable[[int, str], AbstractContextManager[Callable[[int], None]]]
"""Given how many sentences there are and what is done with them: what is told, inside, how many are done."""


def unwatched(total: int, doing: str) -> AbstractContextManager[Callable[[int], None]]:
    """Nobody is told."""
    return nullcontext(lambda done: None)


@contextmanager
def made_text(
    folder: Path,
    config: RunConfig,
    *,
    resume: bool = False,
    note: Callable[[str], None] = lambda text: None,
    watch: Watch = unwatched,
) -> Iterator[MadeText]:
    """The text made for a run in `folder`, closed to other runs meanwhile.

    A folder in which the run could not begin, or not go on with `resume`, is refused before anything is made.
    """
    if size_from_torchrun():
        raise ConfigError(
            "--teacher and --backtranslate make text in one process",
            "begin the run without torchrun; torchrun ... --resume goes on with it",
        )
    begun = (folder / "training" / "run.toml").exists()
    if not (begun and resume):
        check_folder(folder, config, resume=resume)
    with open_folder(folder) as place:
        try:
            yield MadeText(place.absolute() / MADE, begun=begun, note=note, watch=watch)
        except KeyboardInterrupt:
            note("what is translated is kept; the same command goes on with it")
            raise


class MadeText:
    """The folder of such text. Once the run has begun, nothing in it is written any more."""

    def __init__(self, place: Path, *, begun: bool, note: Callable[[str], None], watch: Watch) -> None:
        self.place, self.begun, self.note, self.watch = place, begun, note, watch

    def translate(
        self,
        name: str,
        model: Path,
        texts: Sequence[str],
        languages: tuple[str, str],
        pair: Callable[[int, str], tuple[str, str]],
    ) -> str:
        """The path of NAME.jsonl, which has a pair for each text: what `pair` makes of its number and its translation.

        The model translates from the first of the languages to the second, as its recipe searches. What is there already is
        kept. Raises LanguageError for a direction that the model lacks, DataError, and ConfigError where the run was begun
        with other text.
        """
        path, translator = self.place / f"{name}.jsonl", load(model)
        direction = direction_of(translator, languages, model)
        job: dict[str, Any] = {
            "weights_sha256": weights_sha256(model), "direction": list(direction),
            "search": translator.saved.search.model_dump(), "texts_sha256": _fingerprint(texts),
        }  # fmt: skip
        known = self._manifest().get(name, {})
        if path.exists() and job.items() <= known.items():
            return str(path)
        if self.begun:
            raise ConfigError(
                "the run was begun with text that another model made, or made of other text",
                "go on with it as it is: onmal train --out FOLDER --resume",
                path=path,
            )
        self._make_place()
        self.note(f"{model} translates {len(texts):,} sentences from {direction[0]} to {direction[1]} ...")
        warned = self._translate(path, translator, texts, direction[1], pair, json.dumps(job))
        entry = {**job, "model": str(model), "lines": len(texts), "lines_with_warnings": warned}
        with open_whole(self.place / MANIFEST) as file:
            json.dump({**self._manifest(), name: entry}, file, ensure_ascii=False, indent=2)
        if warned:
            self.note(f"{warned:,} translations have warnings: {path}")
        return str(path)

    def write(self, name: str, pairs: Iterable[Pair]) -> str:
        """The path of NAME.jsonl with pairs that are there already."""
        path = self.place / f"{name}.jsonl"
        if not self.begun:
            self._make_place()
            with open_whole(path) as file:
                file.writelines(_line(pair.source, pair.target) for pair in pairs)
        return str(path)

    def _translate(
        self,
        path: Path,
        translator: Translator,
        texts: Sequence[str],
        to: str,
        pair: Callable[[int, str], tuple[str, str]],
        job: str,
    ) -> int:
        """Translate what is not there yet; returns how many lines have warnings."""
        with (
            open_resumable(path, job) as (stream, before),
            self.watch(len(texts), "translating") as told,
        ):
            if before:
                self.note(f"going on after sentence {before:,}")
            for number, found in enumerate(translator.stream(islice(texts, before, None), to=to), before):
                stream.write(_line(*pair(number, found.text), found.warnings))
                stream.flush()
                told(number + 1)
        with path.open(encoding="utf-8") as file:
            return sum("warnings" in json.loads(line) for line in file)

    def _make_place(self) -> None:
        try:
            self.place.mkdir(exist_ok=True)
        except OSError as error:
            what = f"cannot be made ({error.strerror})"
            raise DataError(what, "choose another --out", path=self.place) from None

    def _manifest(self) -> dict[str, dict[str, Any]]:
        try:
            found: dict[str, dict[str, Any]] = json.loads((self.place / MANIFEST).read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError):
            remedy = "remove it, and what it speaks of is made anew"
            raise DataError("cannot be read", remedy, path=self.place / MANIFEST) from None
        return found


def direction_of(translator: Translator, languages: tuple[str, str], model: Path) -> tuple[str, str]:
    """The direction of a model between two languages, whatever their regions. Raises LanguageError."""
    if all(languages) and (found := between(translator.directions, languages)):
        return found[0]
    known = ", ".join(map("-".join, translator.directions))
    what = f"{model} does not translate from {languages[0] or '?'} to {languages[1] or '?'}"
    raise LanguageError(what, f"its directions are {known}: name another model")


def _line(source: str, target: str, warnings: Sequence[str] = ()) -> str:
    values: dict[str, Any] = {"source": source, "target": target}
    if warnings:
        values["warnings"] = list(warnings)
    return json.dumps(values, ensure_ascii=False) + "\n"


def _fingerprint(texts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(f"{text}\0".encode())
    return digest.hexdigest()
