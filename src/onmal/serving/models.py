"""The models that are served: folders, read at the start and at SIGHUP, loaded when somebody needs them first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from onmal.config import SearchConfig
from onmal.errors import LanguageError, ModelFolderError, OnmalError
from onmal.saved_model import read_folder
from onmal.serving.refusals import ModelGone, ModelUnknown
from onmal.text.language import canonical, primary
from onmal.threads import sharing_pool
from onmal.translating.glossary import Glossary
from onmal.translating.translator import Translator

__all__ = ["Loaded", "ModelFacts", "Models"]

BESIDE = 2  # translations per model that are typed out or looked into at the same time


@dataclass(frozen=True)
class ModelFacts:
    """What a folder says of its model, without loading it."""

    name: str
    """The folder's own name, by which requests ask for the model."""
    directions: tuple[tuple[str, str], ...]
    """(source, target), BCP 47."""
    search: SearchConfig
    """How its recipe searches."""
    description: dict[str, Any]
    """config.json."""
    card: dict[str, Any]

    @classmethod
    def read(cls, name: str, folder: Path) -> ModelFacts:
        """Raises ModelFolderError where the folder is missing or damaged."""
        description, card = read_folder(folder)
        try:
            directions = tuple(
                (canonical(source), canonical(target)) for source, target in description["directions"]
            )
            search = SearchConfig(**card.get("run", {}).get("search", {}))
        except (OnmalError, AttributeError, TypeError, ValueError) as error:
            raise ModelFolderError(f"is damaged: {error}", "copy it again", path=folder) from None
        return cls(name, directions, search, description, card)

    def exactly(self, source: str, target: str) -> tuple[str, str] | None:
        """This direction, if the model knows it."""
        return (source, target) if (source, target) in self.directions else None

    def roughly(self, source: str, target: str) -> tuple[str, str] | None:
        """A direction from and to the same languages, whatever their scripts and regions: ko-en for ko-KR and en-US."""
        rough = (primary(source), primary(target))
        return next((pair for pair in self.directions if tuple(map(primary, pair)) == rough), None)


class Loaded:
    """A translator with threads of its own. When nobody refers to it any more, its threads end and its memory is freed."""

    def __init__(self, translator: Translator) -> None:
        self.translator = translator
        # As many calls as the engine likes best, which has workers of its own: each of these threads prepares one call, waits for the
        # engine, and looks at what it said; so that no worker waits for Python.
        self.calls = translator.engine.at_once(translator.saved.search)
        self.pool = sharing_pool(self.calls)
        self.beside = sharing_pool(BESIDE)

        @lru_cache(8)
        def knowing(glossary: Glossary) -> Translator:
            saved, engine = translator.saved, translator.engine
            return Translator(saved, engine, tag=translator.tag, guards=translator.guards, glossary=glossary)

        self._knowing = knowing

    def with_glossary(self, glossary: Glossary | None) -> Translator:
        """The same model with other terms."""
        return self._knowing(glossary) if glossary else self.translator


class _Entry:
    """A folder, what it says, and what was loaded from it, if it was."""

    def __init__(self, folder: Path, facts: ModelFacts) -> None:
        self.folder, self.facts = folder, facts
        self.loaded: Loaded | None = None
        self.loading: asyncio.Task[Loaded] | None = None


class Models:
    """The models of some folders; `load` makes a translator of one, `report` is told what an operator has to know.

    Raises ModelFolderError where one of the folders has no model.
    """

    def __init__(
        self, folders: Sequence[Path], load: Callable[[Path], Translator], report: Callable[[str], None]
    ) -> None:
        self._load, self._report = load, report
        self._entries = [_Entry(path, ModelFacts.read(name, path)) for name, path in _named(folders)]
        self._reading = asyncio.Lock()

    def __iter__(self) -> Iterator[ModelFacts]:
        return (entry.facts for entry in self._entries)

    def is_loaded(self, facts: ModelFacts) -> bool:
        """Whether it can translate at once."""
        return any(entry.facts is facts and entry.loaded for entry in self._entries)

    def named(self, name: str) -> ModelFacts:
        """Raises ModelUnknown."""
        found = next((facts for facts in self if facts.name == name), None)
        if found is None:
            raise ModelUnknown(name, [facts.name for facts in self])
        return found

    def translating(self, source: str, target: str, name: str = "") -> tuple[ModelFacts, tuple[str, str]]:
        """The first model, or the named one, that knows a direction, and that direction as it calls it. Raises LanguageError."""
        models = [self.named(name)] if name else list(self)
        for fits in (ModelFacts.exactly, ModelFacts.roughly):
            for facts in models:
                if pair := fits(facts, source, target):
                    return facts, pair
        known = dict.fromkeys("-".join(pair) for facts in models for pair in facts.directions)
        raise LanguageError(
            f"no model here translates from {source!r} to {target!r}", f"there are: {', '.join(known)}"
        )

    async def loaded(self, facts: ModelFacts) -> Loaded:
        """The model, loaded now if nobody needed it before. Raises ModelGone where it is no longer there."""
        entry = next((entry for entry in self._entries if entry.facts is facts), None)
        if entry is None:  # read again since
            entry = next(entry for entry in self._entries if entry.facts.name == facts.name)
        if entry.loaded:
            return entry.loaded
        loading = entry.loading = entry.loading or asyncio.create_task(self._loaded(entry.folder))
        try:
            entry.loaded = await asyncio.shield(loading)  # whoever leaves, the others want it, too
        except OnmalError as error:
            self._report(f"model {facts.name}: {error}")
            raise ModelGone(facts.name) from None
        finally:
            if loading.done() and entry.loading is loading:
                entry.loading = None  # what failed may come back
        return entry.loaded

    def load_all(self) -> None:
        """Load every model now, before there is an event loop. Raises OnmalError."""
        for entry in self._entries:
            entry.loaded = Loaded(self._load(entry.folder))

    async def read_again(self) -> None:
        """Take every folder as it is now. Those in use are loaded first; until then, and for what is under way, the old one serves.

        A folder that cannot be read leaves everything as it was, and is reported.
        """
        async with self._reading:
            for number, entry in enumerate(self._entries):
                try:
                    fresh = _Entry(entry.folder, ModelFacts.read(entry.facts.name, entry.folder))
                    if entry.loaded:
                        fresh.loaded = await self._loaded(entry.folder)
                except OnmalError as error:
                    self._report(f"model {entry.facts.name} stays as it is: {error}")
                else:
                    self._entries[number] = fresh
                    self._report(f"model {entry.facts.name} is read again")

    async def _loaded(self, folder: Path) -> Loaded:
        return await asyncio.to_thread(lambda: Loaded(self._load(folder)))


def _named(folders: Sequence[Path]) -> Iterator[tuple[str, Path]]:
    """Each folder with a name of its own, in which no request can see where it is: "ko-en", a second one "ko-en-2"."""
    taken: set[str] = set()
    for folder in folders:
        base = folder.resolve().name or "model"
        name, number = base, 1
        while name in taken:
            number += 1
            name = f"{base}-{number}"
        taken.add(name)
        yield name, folder
