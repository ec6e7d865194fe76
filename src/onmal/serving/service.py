"""What every API asks: translate texts, type one out, detect a language; within limits, together with others' texts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, TypeVar

from starlette.requests import HTTPConnection

from onmal.config import SearchConfig
from onmal.errors import ConfigError, LanguageError
from onmal.serving.clients import Client, Clients, Limits, Places, by_address
from onmal.serving.detecting import Detected, Detector
from onmal.serving.dispatcher import Dispatcher
from onmal.serving.fitting import check_must
from onmal.serving.keys import KeyFile, given_key
from onmal.serving.kinds import Kind
from onmal.serving.models import Loaded, ModelFacts, Models
from onmal.serving.refusals import KeyMissing, KeyWrong, TimeOver, TooLarge
from onmal.serving.settings import ServeConfig
from onmal.serving.typing_out import type_out
from onmal.text.language import canonical, primary
from onmal.translating.glossary import Glossary
from onmal.translating.plan import SURROGATE
from onmal.translating.translator import Translation
from onmal.translating.wishes import NO_WISHES, Wishes

__all__ = ["Detected", "Service"]

MOST_BESIDE = 16  # translations that are typed out or looked into, or wait for it
PORTION = 64  # texts of a document that are in the queue at the same time
UNKNOWN = ("", "auto")  # a source language that is to be detected

T = TypeVar("T")


@dataclass(frozen=True)
class _Asked:
    """Who asks, and what of each text."""

    client: Client
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

    def __init__(self, settings: ServeConfig, models: Models) -> None:
        self.settings, self.models = settings, models
        self.dispatcher = Dispatcher(settings.queue)
        self.keys = KeyFile(settings.keys_file)
        self.clients = Clients(settings.at_once)
        self._detector = Detector(())
        self._beside = Places(MOST_BESIDE)

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

    def prepare(self) -> None:
        """Read the keys and what detection needs, so that a damaged file is told now. Raises ConfigError, MissingExtraError."""
        self.keys.given_out()
        self.detect("")
        self._detector.prepare()

    def detect(self, text: str) -> list[Detected]:
        """The source languages, the likeliest for the text first."""
        sources = list(self.languages())
        if self._detector.languages != sources:
            self._detector = Detector(sources)
        return self._detector(text)

    def detect_for(self, client: Client, text: str) -> list[Detected]:
        """The same as a request of its own, within the client's limits."""
        self.check([text], client)
        with self.clients.turn(client, 0):
            return self.detect(text)

    def sources(self, texts: Sequence[str], source: str, target: str, client: Client) -> list[str]:
        """The language of each of some texts that are to be translated: the given one, or what is detected where that is "" or "auto"."""
        self.check(texts, client)
        if source not in UNKNOWN:
            return [canonical(source)] * len(texts)
        return [self.source_of(text, target) for text in texts]

    def source_of(self, text: str, target: str) -> str:
        """The likeliest source language of a text that is to be translated to `target`; `target` itself where it is in it already."""
        return self.source_among(self.detect(text), target)

    def source_among(self, detected: Iterable[Detected], target: str) -> str:
        """The same, from what `detect` found."""
        wanted, languages = canonical(target), self.languages()
        for found in detected:
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

    def check(self, texts: Sequence[str], client: Client, wishes: Wishes = NO_WISHES) -> int:
        """How many characters a request has: its texts', and for each of them those that it must say.

        Raises TooLarge where that is more than one of a client may have; nothing is done with the texts before.
        """
        must = len(texts) * sum(map(len, wishes.must))
        characters = sum(map(len, texts)) + must
        for what, given, most in (
            ("batch", len(texts), self.settings.texts),
            ("text with must" if must else "text", characters, client.limits.characters),
        ):
            if given > most:
                raise TooLarge(what, given, most)
        return characters

    async def translate(
        self,
        texts: Sequence[str],
        *,
        source: str | Sequence[str],
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

        `source` is one language, or one for each text, as `sources` finds them; "" or "auto" is detected for each text. A text that is
        in the target language stays as it is. `search` changes settings of the recipe's SearchConfig, such as {"n_best": 3}.
        Cancelled, it takes from the queue what has not begun.
        """
        characters = self.check(texts, client, wishes)
        sources = self.sources(texts, source, target, client) if isinstance(source, str) else source
        asked = _Asked(client, target, model, search, wishes, glossary, alignment, omissions)
        async with self._turn(client, characters):
            return await self._translated(texts, sources, asked)

    async def translate_pieces(
        self,
        pieces: Sequence[str],
        *,
        sources: Sequence[str],
        target: str,
        client: Client,
        model: str = "",
        search: Mapping[str, Any] | None = None,
        wishes: Wishes = NO_WISHES,
        omissions: bool = False,
    ) -> list[Translation]:
        """The same for the pieces of texts that `sources` has let through: as many as there are, a few at a time."""
        asked = _Asked(client, target, model, search, wishes, omissions=omissions)
        async with self._turn(client, sum(map(len, pieces))):
            return await self._in_portions(pieces, sources, asked)

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
        (source,) = self.sources([text], source, target, client)
        (clean,) = _clean([text])
        # No timeout can stand around a `yield`: another task may go on here than the one that began.
        until = asyncio.get_running_loop().time() + self.settings.seconds
        with self.clients.turn(client, len(text)), self._beside.one(client):
            try:
                async with asyncio.timeout_at(until):
                    kind = await self._kind(source, _Asked(client, target, model, search, wishes))
                if kind is None:
                    yield clean
                    yield _unchanged(clean)
                    return
                async for piece in type_out(kind, clean, until):
                    yield piece
            except TimeoutError:
                raise TimeOver(self.settings.seconds) from None

    async def beside(self, loaded: Loaded, work: Callable[[], T], client: Client, characters: int) -> T:
        """What a model does beside the queue, in a thread of its own, as a request of so many characters."""
        with self.clients.turn(client, characters), self._beside.one(client):
            try:
                async with asyncio.timeout(self.settings.seconds):
                    return await asyncio.wrap_future(loaded.beside.submit(work))
            except TimeoutError:
                raise TimeOver(self.settings.seconds) from None

    @asynccontextmanager
    async def _turn(self, client: Client, characters: int) -> AsyncGenerator[None]:
        """A request is under way, for so long at most as it may be. Raises RateExceeded, TooManyAtOnce, TimeOver."""
        with self.clients.turn(client, characters):
            try:
                async with asyncio.timeout(self.settings.seconds):
                    yield
            except TimeoutError:
                raise TimeOver(self.settings.seconds) from None

    async def _in_portions(
        self, texts: Sequence[str], sources: Sequence[str], asked: _Asked, *, accepted: bool = False
    ) -> list[Translation]:
        """A few texts at a time, so that the queue has room for others; only the first of them are refused where it is full."""
        translated: list[Translation] = []
        for first in range(0, len(texts), PORTION):
            some = slice(first, first + PORTION)
            going_on = accepted or first > 0
            translated += await self._translated(texts[some], sources[some], asked, accepted=going_on)
        return translated

    async def _translated(
        self, texts: Sequence[str], sources: Sequence[str], asked: _Asked, *, accepted: bool = False
    ) -> list[Translation]:
        texts = _clean(texts)
        known = {source: await self._kind(source, asked) for source in dict.fromkeys(sources)}
        found = list(map(_unchanged, texts))

        async def fill(source: str, kind: Kind, accepted: bool) -> None:
            numbers = [number for number, each in enumerate(sources) if each == source]
            wanted = [texts[number] for number in numbers]
            if kind.wishes.must:
                await asyncio.to_thread(check_must, kind, wanted)
            translations = await self.dispatcher.translate(kind, wanted, asked.client, accepted=accepted)
            for number, translation in zip(numbers, translations, strict=True):
                found[number] = translation

        kinds = [(source, kind) for source, kind in known.items() if kind]
        if len(kinds) == 1:  # as nearly always: without tasks beside this one
            await fill(*kinds[0], accepted)
            return found
        tasks = [  # who gets in with one language does so with all of them
            asyncio.ensure_future(fill(source, kind, accepted or number > 0))
            for number, (source, kind) in enumerate(kinds)
        ]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
        return found

    async def _kind(self, source: str, asked: _Asked) -> Kind | None:
        """How texts of a language are translated; None where that is the target language."""
        source, target = canonical(source), canonical(asked.target)
        if self._is_the_same(source, target):
            return None
        facts, direction = self.models.translating(source, target, asked.model)
        search = self._search(facts.search, asked.search or {})
        loaded = await self.models.loaded(facts)
        prefix, *words = _clean([asked.wishes.prefix, *asked.wishes.must, *asked.wishes.never])
        must = len(asked.wishes.must)
        wishes = Wishes(prefix, tuple(words[:must]), tuple(words[must:]))
        return Kind(loaded, direction, search, wishes, asked.glossary, asked.alignment, asked.omissions)

    def _is_the_same(self, source: str, target: str) -> bool:
        """Whether these are one language, which is served, perhaps of two regions; but no model translates from one to the other."""
        if primary(source) != primary(target):
            return False
        served = {primary(code) for facts in self.models for pair in facts.directions for code in pair}
        translated = any(facts.exactly(source, target) for facts in self.models)
        return primary(target) in served and not translated

    def _search(self, usual: SearchConfig, changes: Mapping[str, Any]) -> SearchConfig:
        """The usual search with changes; n best need as many hypotheses. Raises ConfigError."""
        n_best = changes.get("n_best", 1)
        asked = {**changes, "n_best": n_best}
        if "beam_size" not in changes and isinstance(n_best, int):
            asked["beam_size"] = n_best if changes.get("sample") else max(usual.beam_size, n_best)
        if all(getattr(usual, name, None) == value for name, value in asked.items()):
            return usual
        search = usual.asked(**asked)
        if search.beam_size > max(self.settings.beam_size, usual.beam_size):
            raise ConfigError(
                f"beam_size = {search.beam_size} is more than the {self.settings.beam_size} allowed here",
                "ask for fewer translations of each text, or a smaller beam_size",
            )
        return search

    @asynccontextmanager
    async def document(
        self,
        *,
        target: str,
        client: Client,
        model: str = "",
        glossary: Glossary | None = None,
        characters: int | None = None,
    ) -> AsyncGenerator[Callable[[str, Sequence[str]], Awaitable[list[Translation]]]]:
        """A document: one request, for as long as documents may take, however often it has texts translated.

        Or some pages, whose `characters` have been counted, and which may take as long as texts. What it gives takes the language that
        texts are in, "" or "auto" to detect it once for all, and the texts. They go into the queue a few at a time, so that it has room
        for others. Only the first of them are refused where it is full, or they are too many: the rest was counted with them.
        """
        asked, accepted, detected = _Asked(client, target, model, glossary=glossary), False, ""
        settings, most = self.settings, self.settings.document_characters
        seconds = settings.document_seconds if characters is None else settings.seconds

        async def ask(source: str, texts: Sequence[str]) -> list[Translation]:
            nonlocal accepted, detected
            if not accepted and characters is None:
                given = sum(map(len, texts))
                if given > most:
                    raise TooLarge("text", given, most)
                turn.close()  # the same turn goes on, with its characters
                counted = replace(client, limits=replace(client.limits, requests_per_minute=0))
                turn.enter_context(self.clients.turn(counted, given))
            if source in UNKNOWN:
                words = islice(filter(str.strip, texts), 50)
                source = detected = detected or self.source_of("\n".join(words), target)
            found = await self._in_portions(texts, [source] * len(texts), asked, accepted=accepted)
            # What is in the target language already has not seen the queue.
            accepted = accepted or not self._is_the_same(canonical(source), canonical(target))
            return found

        with ExitStack() as turn:
            turn.enter_context(self.clients.turn(client, characters or 0))
            try:
                async with asyncio.timeout(seconds):
                    yield ask
            except TimeoutError:
                raise TimeOver(seconds) from None


def _clean(texts: Iterable[str]) -> list[str]:
    """Halves of characters, which JSON can spell and UTF-8 cannot, become the sign for what is no character."""
    return [SURROGATE.sub("\ufffd", text) for text in texts]


def _unchanged(text: str) -> Translation:
    return Translation(text, text, 0.0)
