"""The documents that were left here: translated when it is their turn, fetched once, and there again after a stop."""

from __future__ import annotations

import asyncio
import hmac
import json
import math
import secrets
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, Literal
from weakref import WeakValueDictionary

from onmal.errors import DataError, OnmalError
from onmal.serving.clients import Client, Limits
from onmal.serving.deepl.answers import owner_of
from onmal.serving.document_room import DocumentRoom
from onmal.serving.glossaries import Glossaries
from onmal.serving.kept_files import Full
from onmal.serving.marked_up import translate_file
from onmal.serving.refusals import ModelGone, QueueFull, Refusal, TimeOver
from onmal.serving.service import Service
from onmal.translating.glossary import Glossary
from onmal.translating.translator import Translation
from onmal.writing import write_whole

__all__ = ["Document", "Left", "LeftDocuments"]

MOST, MOST_OF_ONE = 256, 32  # that are here, of all clients and of one


@dataclass(frozen=True)
class Left:
    """What a document is called, whose it is, and what it is to become."""

    name: str
    client: Client
    source: str
    target: str
    glossary_id: str = ""


@dataclass
class Document:
    """A document that was left here."""

    left: Left
    glossary: Glossary | None = None
    key: str = field(default_factory=lambda: secrets.token_hex(32).upper())
    file: str = ""
    """What KeptFiles calls it; when it is done, its translation."""
    status: Literal["queued", "translating", "done", "error"] = "queued"
    characters: int = 0
    counted: bool = False
    """Whether its characters have been, of what its client may have translated in a minute."""
    complaint: str = ""
    work: asyncio.Task[None] | None = None

    def facts(self, own: str) -> dict[str, Any]:
        """As DeepL's API tells them."""
        more: dict[str, Any] = {}
        if self.status == "translating":
            more = {"seconds_remaining": 5}  # when it is worth asking again
        elif self.status == "done":
            more = {"billed_characters": self.characters}
        elif self.status == "error":
            more = {"error_message": self.complaint}
        return {"document_id": own, "status": self.status, **more}


class LeftDocuments:
    """The documents that are here, by their ids; a translation for as long as files are kept."""

    def __init__(
        self,
        service: Service,
        room: DocumentRoom,
        glossaries: Glossaries,
        folder: Path,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.service, self.room, self.glossaries = service, room, glossaries
        self.folder, self.pause = folder, pause
        self._here: dict[str, Document] = {}
        self._lines: WeakValueDictionary[Client, asyncio.Lock] = WeakValueDictionary()

    async def add(self, content: bytes, left: Left, glossary: Glossary | None) -> tuple[str, str]:
        """Takes a document and gives its id and key. Raises Full, RateExceeded, TooManyAtOnce."""
        of_one = sum(each.left.client == left.client for each in self._here.values())
        if len(self._here) >= MOST or of_one >= MOST_OF_ONE:
            raise Full
        own, document = secrets.token_hex(16).upper(), Document(left, glossary)
        # Its characters are not known yet.
        with self.service.clients.turn(_counting(left.client, requests=True), 0):
            self._here[own] = document  # counted before anything else can happen
            try:
                document.file = await self.room.keep(content, owner=left.client, lifetime=math.inf)
            except BaseException:
                del self._here[own]
                raise
        self._begin(own, document)
        return own, document.key

    def find(self, own: str, key: str, owner: str) -> Document | None:
        """The document of that id, for those who have its key."""
        found = self._here.get(own)
        right = (
            found
            and owner_of(found.left.client) == owner
            and hmac.compare_digest(found.key.encode(), key.encode())
        )
        return found if right else None

    async def open(self, document: Document) -> BinaryIO | None:
        """The translation of a document, to be read."""
        return await asyncio.to_thread(self.room.files.open, document.file)

    def remove(self, own: str) -> None:
        """A document that has been fetched is here no longer."""
        if document := self._here.pop(own, None):
            self.room.files.remove(document.file)

    def _begin(self, own: str, document: Document) -> None:
        document.work = asyncio.create_task(self._translate(own, document))

    async def _translate(self, own: str, document: Document) -> None:
        try:
            await self._translate_in_time(document)
        except Refusal as refusal:
            self._fail(document, refusal.message)
        except OnmalError as error:
            self._fail(document, str(error))
        except Full:
            self._fail(document, "as many documents are here as may be; try again later")
        except Exception:
            self._fail(document, "it could not be translated; whoever runs this server finds why in its log")
            raise
        finally:
            self._forget_later(own)

    async def _translate_in_time(self, document: Document) -> None:
        """When it may be, after others of its client; who left it is not there to try again. Raises Refusal, OnmalError, Full."""
        client, waited = document.left.client, 0
        async with self._lines.setdefault(client, asyncio.Lock()):
            while True:
                try:
                    async with self.room.turn(client):
                        document.status = "translating"
                        await self._translate_now(document)
                    return
                except Refusal as refusal:
                    wait = 0 if isinstance(refusal, TimeOver) else refusal.retry_after
                    waited += wait
                    if not wait or waited > self.service.settings.document_seconds:
                        raise
                document.status = "queued"
                await self.pause(wait)

    async def _translate_now(self, document: Document) -> None:
        """Raises Refusal, OnmalError, Full."""
        left, files = document.left, self.room.files
        content = await self.room.read(document.file)
        async with self.service.document(
            target=left.target,
            client=_counting(left.client, characters=not document.counted),
            glossary=document.glossary,
            characters=0 if document.counted else None,
        ) as translate:

            async def ask(texts: Sequence[str]) -> list[Translation]:
                document.characters = document.characters or sum(map(len, texts))
                try:
                    return await translate(left.source, texts)
                except (QueueFull, ModelGone):
                    document.counted = True
                    raise

            done = await translate_file(content, left.name, ask, to=left.target, readers=self.room.readers)
        translation = await self.room.keep(done.content, owner=left.client)
        files.remove(document.file)
        document.file, document.status = translation, "done"

    def _fail(self, document: Document, complaint: str) -> None:
        document.status, document.complaint = "error", complaint
        self.room.files.remove(document.file)

    def _forget_later(self, own: str) -> None:
        """Its time begins when it is done: until then nobody could have fetched it."""
        asyncio.get_running_loop().call_later(self.room.files.lifetime + 1, self._forget, own)

    def _forget(self, own: str) -> None:
        self._here.pop(own, None)
        self.room.files.forget_old()

    # ---- a server that stops, and starts again

    @contextmanager
    def kept_across_stops(self, report: Callable[[str], None]) -> Iterator[None]:
        """Within an event loop: what was here when the server stopped is here, and what is here at the end will be; `report` takes a line."""
        for path in sorted(self.folder.glob("*.json")):
            try:
                self._read(path)
            except (OSError, ValueError, TypeError, KeyError, AttributeError, Full):
                report(f"{path}: cannot be read or taken, and is passed over")
        try:
            yield
        finally:
            for own, document in self._here.items():
                if document.work:
                    document.work.cancel()
                try:
                    self._write(own, document)
                except (OSError, DataError) as error:
                    report(f"a document that was left here is lost: {error}")

    def _write(self, own: str, document: Document) -> None:
        """Raises OSError, DataError."""
        content = self.room.files.read(document.file)
        if content is None and document.status != "error":
            return
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        said = {
            "left": asdict(document.left),
            "key": document.key,
            "status": document.status,
            "characters": document.characters,
            "complaint": document.complaint,
        }
        write_whole(self.folder / own, content or b"")
        write_whole(self.folder / f"{own}.json", json.dumps(said, ensure_ascii=False).encode())

    def _read(self, path: Path) -> None:
        """Raises OSError, and Full, and ValueError, TypeError, KeyError, AttributeError for what is no document."""
        said, content = json.loads(path.read_bytes()), path.with_suffix("").read_bytes()
        left = said.pop("left")
        client = left.pop("client")
        limits = Limits(**client.pop("limits"))
        document = Document(Left(client=Client(limits=limits, **client), **left), **said)
        own, wanted = path.stem, document.left.glossary_id
        found = self.glossaries.get(owner_of(document.left.client), wanted)
        document.glossary = found.glossary if found else None
        if wanted and not found and document.status != "done":
            self._fail(document, "its glossary is here no longer")
        if document.status in ("done", "error"):
            document.file = self.room.files.keep(content, owner=document.left.client)
            self._forget_later(own)
        else:
            document.file = self.room.files.keep(content, owner=document.left.client, lifetime=math.inf)
            document.status = "queued"
            self._begin(own, document)
        self._here[own] = document
        for each in (path, path.with_suffix("")):
            each.unlink()


def _counting(client: Client, *, requests: bool = False, characters: bool = False) -> Client:
    """The same client, of whose rates only these count here: leaving a document is the request, translating it the characters."""
    limits = replace(
        client.limits,
        requests_per_minute=client.limits.requests_per_minute if requests else 0,
        characters_per_minute=client.limits.characters_per_minute if characters else 0,
    )
    return replace(client, limits=limits)
