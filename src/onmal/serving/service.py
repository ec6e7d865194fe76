"""What every API asks: translate texts, type one out, detect a language; within limits, together with others' texts."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

from starlette.requests import HTTPConnection

from onmal.config import SearchConfig
from onmal.errors import ConfigError, LanguageError
from onmal.serving.clients import Client, Clients, Limits, by_address
from onmal.serving.detecting import Detected, Detector
from onmal.serving.dispatcher import Dispatcher, Kind, Observer
from onmal.serving.keys import KeyFile, given_key
from onmal.serving.models import ModelFacts, Models
from onmal.serving.refusals import KeyMissing, KeyWrong, TimeOver, TooLarge
from onmal.serving.settings import ServeConfig
from onmal.serving.typing_out import type_out
from onmal.text.language import canonical, primary
from onmal.translating.glossary import Glossary
from onmal.translating.translator import Translation
from onmal.translating.wishes import NO_WISHES, Wishes

__all__ = ["Detected", "Service"]

PORTION = 64  # texts of a document that are in the queue at the same time
SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class _Asked:
    """What is asked of each text of a request."""

    source: str
    target: str
    model: str = ""
    search: Mapping[str, Any] | None = None
    wishes: Wishes = NO_WISHES
    glossary: Glossary | None = None
    alignment: bool = False
    omissions: bool = False


class Service:
    """Translates for clients.

    Its methods raise the Refusals of refusals.py, LanguageError for a language or direction that no model knows, and
    ConfigError for a search that cannot be. Languages are BCP 47 codes in any spelling; those given back are canonical.
    """

    def __init__(self, settings: ServeConfig, models: Models, observer: Observer | None = None) -> None:
        self.settings, self.models = settings, models
        self.dispatcher = Dispatcher(settings.queue, observer)
        self.keys = KeyFile(settings.keys_file)
        self.clients = Clients(settings.at_once)
        self._detector = Detector(())

    # ---- who asks

    def client(self, connection: HTTPConnection, api_key: str = "") -> Client:
        """Who sends a request: the holder of its key (a header, or the parameter that the route read), else whoever is at its address.

        A wrong key matters only where keys are required: some clients must be given one, whatever it is. Raises KeyMissing, KeyWrong.
        """
        connection.scope["onmal.client"] = client = self._client(connection, api_key)
        return client

    def _client(self, connection: HTTPConnection, api_key: str) -> Client:
        settings, text = self.settings, given_key(connection.headers, api_key)
        if key := self.keys.find(text) if text else None:
            limits = Limits(
                key.characters or settings.characters,
                key.requests_per_minute or settings.requests_per_minute,
                key.characters_per_minute or settings.characters_per_minute,
            )
            return Client(key.name, limits, has_key=True)
        if settings.require_keys:
            raise KeyWrong if text else KeyMissing
        limits = Limits(settings.characters, settings.requests_per_minute, settings.characters_per_minute)
        return Client(by_address(connection.client.host) if connection.client else "", limits)

    def characters_used(self, client: Client) -> int:
        """How many characters a client has had translated since the server started."""
        return self.clients.characters_of(client)

    # ---- languages and models

    def languages(self) -> dict[str, list[str]]:
        """Source language -> the target languages that it can be translated to."""
        found: dict[str, list[str]] = {}
        for facts in self.models:
            for source, target in facts.directions:
                targets = found.setdefault(source, [])
                if target not in targets:
                    targets.append(target)
        return found

    def detect(self, text: str) -> list[Detected]:
        """The source languages, the likeliest for the text first."""
        sources = list(self.languages())
        if self._detector.languages != sources:
            self._detector = Detector(sources)
        return self._detector(text)

    def source_of(self, text: str, target: str) -> str:
        """The likeliest source language of a text that is to be translated to `target`; `target` itself where it is in it already."""
        wanted, languages = canonical(target), self.languages()
        for found in self.detect(text):
            if primary(found.language) == primary(wanted) and found.confidence > 0:
                return wanted
            if any(primary(to) == primary(wanted) for to in languages[found.language]):
                return found.language
        raise LanguageError(
            f"no model here translates to {target!r}",
            f"choose one of: {', '.join(dict.fromkeys(to for targets in languages.values() for to in targets))}",
        )

    def model_for(self, source: str, target: str, name: str = "") -> ModelFacts:
        """The model that translates in this direction. Raises LanguageError, and ModelUnknown for a name that none has."""
        return self.models.translating(canonical(source), canonical(target), name)[0]

    # ---- translating

    async def translate(
        self,
        texts: Sequence[str],
        *,
        source: str,
        target: str,
        client: Client,
        model: str = "",
        search: Mapping[str, Any] | None = None,
        wishes: Wishes = NO_WISHES,
        glossary: Glossary | None = None,
        alignment: bool = False,
        omissions: bool = False,
    ) -> list[Translation]:
        """The translations of some texts, in their order.

        `source` "" or "auto" is detected for each text. A text that is in the target language stays as it is. `search` changes
        settings of the recipe's SearchConfig, such as {"n_best": 3}. Cancelled, it takes from the queue what has not begun.
        """
        most = self.settings.texts
        if len(texts) > most:
            raise TooLarge("batch", len(texts), most)
        asked = _Asked(source, target, model, search, wishes, glossary, alignment, omissions)
        async with self._turn(texts, client, client.limits.characters, self.settings.seconds):
            return await self._translated(texts, asked)

    async def translate_document(
        self,
        texts: Sequence[str],
        *,
        source: str,
        target: str,
        client: Client,
        glossary: Glossary | None = None,
    ) -> list[Translation]:
        """The same for the pieces of a document: as many as there are, with the limits of documents.

        They go into the queue a few at a time, so that it has room for others. An unknown source is detected once, for all.
        """
        if source in ("", "auto"):
            source = self.source_of("\n".join(islice(filter(str.strip, texts), 50)), target)
        asked = _Asked(source, target, glossary=glossary)
        characters = max(client.limits.characters, self.settings.document_characters)
        async with self._turn(texts, client, characters, self.settings.document_seconds):
            translated: list[Translation] = []
            for first in range(0, len(texts), PORTION):
                translated += await self._translated(texts[first : first + PORTION], asked)
            return translated

    async def stream(
        self,
        text: str,
        *,
        source: str,
        target: str,
        client: Client,
        model: str = "",
        search: Mapping[str, Any] | None = None,
        wishes: Wishes = NO_WISHES,
    ) -> AsyncGenerator[str | Translation]:
        """One text's translation in pieces, as soon as the network has said them (greedily), and at the end the whole with its warnings.

        Whatever is refused is raised before the first piece.
        """
        asked = _Asked(source, target, model, search, wishes)
        async with self._turn([text], client, client.limits.characters, self.settings.seconds):
            (clean,) = _clean([text])
            kind = await self._kind(clean, asked)
            if kind is None:
                yield clean
                yield _unchanged(clean)
                return
            async for piece in type_out(kind, clean):
                yield piece

    @asynccontextmanager
    async def _turn(
        self, texts: Sequence[str], client: Client, most: int, seconds: float
    ) -> AsyncGenerator[None]:
        """A request's limits: characters, rates, and time. Raises TooLarge, RateExceeded, TooManyAtOnce, TimeOver."""
        characters = sum(map(len, texts))
        if characters > most:
            raise TooLarge("text", characters, most)
        with self.clients.turn(client, characters):
            try:
                async with asyncio.timeout(seconds):
                    yield
            except TimeoutError:
                raise TimeOver(seconds) from None

    async def _translated(self, texts: Sequence[str], asked: _Asked) -> list[Translation]:
        texts = _clean(texts)
        kinds = [await self._kind(text, asked) for text in texts]
        found = list(map(_unchanged, texts))

        async def fill(kind: Kind) -> None:
            numbers = [number for number, each in enumerate(kinds) if each == kind]
            translations = await self.dispatcher.translate(kind, [texts[number] for number in numbers])
            for number, translation in zip(numbers, translations, strict=True):
                found[number] = translation

        tasks = [asyncio.ensure_future(fill(kind)) for kind in dict.fromkeys(kinds) if kind]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
        return found

    async def _kind(self, text: str, asked: _Asked) -> Kind | None:
        """How a text is translated; None where it is in the target language already."""
        target = canonical(asked.target)
        source = asked.source
        source = self.source_of(text, target) if source in ("", "auto") else canonical(source)
        if source == target:
            return None
        facts, (_, to) = self.models.translating(source, target, asked.model)
        search = self._search(facts.search, asked.search or {})
        loaded = await self.models.loaded(facts)
        return Kind(loaded, to, search, asked.wishes, asked.glossary, asked.alignment, asked.omissions)

    def _search(self, usual: SearchConfig, changes: Mapping[str, Any]) -> SearchConfig:
        """The usual search with changes; n best need as many hypotheses. Raises ConfigError."""
        n_best = changes.get("n_best", 1)
        asked = {**changes, "n_best": n_best}
        if "beam_size" not in changes and isinstance(n_best, int):
            asked["beam_size"] = n_best if changes.get("sample") else max(usual.beam_size, n_best)
        search = usual.replace(**asked)
        if search.beam_size > max(self.settings.beam_size, usual.beam_size):
            raise ConfigError(
                f"beam_size = {search.beam_size} is more than the {self.settings.beam_size} allowed here",
                "ask for fewer translations of each text, or a smaller beam_size",
            )
        return search


def _clean(texts: Iterable[str]) -> list[str]:
    """Halves of characters, which JSON can spell and UTF-8 cannot, become the sign for what is no character."""
    return [SURROGATE.sub("\ufffd", text) for text in texts]


def _unchanged(text: str) -> Translation:
    return Translation(text, text, 0.0)
