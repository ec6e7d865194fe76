"""Documents: left here, translated when it is their turn, asked about, fetched once."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Literal
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from onmal.documents import suffixes_here
from onmal.errors import OnmalError
from onmal.serving.clients import Client
from onmal.serving.deepl.answers import Routes, Wrong, asked_by, owner_of
from onmal.serving.deepl.glossaries import chosen
from onmal.serving.deepl.languages import direction
from onmal.serving.deepl.texts import check_wishes
from onmal.serving.exchange import allow_body
from onmal.serving.glossaries import Glossaries
from onmal.serving.kept_files import Full, KeptFiles
from onmal.serving.marked_up import translate_file
from onmal.serving.parameters import Parameters, Upload
from onmal.serving.refusals import Refusal
from onmal.serving.service import Service
from onmal.translating.glossary import Glossary
from onmal.translating.translator import Translation

__all__ = ["routes"]

AT_ONCE = 2  # documents that are translated at the same time: more would only keep texts waiting
MOST, MOST_OF_ONE = 256, 32  # that are here, of all clients and of one
PATIENCE = 3.0  # seconds that an answer about a document waits for it: its clients ask again after five


@dataclass
class _Document:
    """A document that was left here."""

    name: str
    client: Client
    file: str
    """What KeptFiles calls it; when it is done, its translation."""
    key: str = field(default_factory=lambda: secrets.token_hex(32).upper())
    status: Literal["queued", "translating", "done", "error"] = "queued"
    characters: int = 0
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


@dataclass(frozen=True)
class _How:
    """What a document is to become."""

    source: str
    target: str
    client: Client
    glossary: Glossary | None


def routes(service: Service, stored: Glossaries) -> Routes:
    """/v2/document and what lies below it."""
    documents = _Documents(service)
    missing = Wrong("Document not found", "it was fetched before, or has waited too long", 404)

    async def leave(request: Request) -> Response:
        allow_body(request, service.settings.document_bytes)
        asked, client = await asked_by(request, service)
        upload = _upload(asked)
        source, target = direction(asked, service)
        check_wishes(asked)
        how = _How(source, target, client, chosen(asked, stored, client, source, target))
        own, key = await documents.add(upload, how)
        return JSONResponse({"document_id": own, "document_key": key})

    async def wanted(request: Request) -> tuple[str, _Document]:
        asked, client = await asked_by(request, service)
        own = request.path_params["document_id"]
        found = documents.find(own, asked.text("document_key"), owner_of(client))
        if found is None:
            raise missing
        return own, found

    async def status(request: Request) -> Response:
        own, document = await wanted(request)
        if document.work:
            await asyncio.wait({document.work}, timeout=PATIENCE)
        return JSONResponse(document.facts(own))

    async def result(request: Request) -> Response:
        own, document = await wanted(request)
        if document.status == "error":
            raise Wrong("Document could not be translated", document.complaint)
        if document.status != "done":
            raise Wrong("Document not ready", "its status tells when it is", 503)
        content = await documents.fetch(own)
        if content is None:
            raise missing
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(document.name)}"}
        return Response(content, media_type="application/octet-stream", headers=headers)

    return [
        ("/v2/document", ["POST"], leave),
        ("/v2/document/{document_id}", ["POST"], status),
        ("/v2/document/{document_id}/result", ["POST"], result),
    ]


def _upload(asked: Parameters) -> Upload:
    """The file of a request, under the name that it is to go by. Raises Wrong."""
    if asked.upload is None:
        raise Wrong("Parameter 'file' not specified.")
    name = PurePath(asked.text("filename") or asked.upload.name).name
    suffix = PurePath(name).suffix.lower()
    if suffix not in suffixes_here():
        raise Wrong("Invalid file data.", f"onmal translates {', '.join(suffixes_here())}")
    if asked.text("output_format", suffix[1:]).lower().lstrip(".") != suffix[1:]:
        raise Wrong("Value for 'output_format' not supported.", "a document keeps its format")
    return Upload(name[-200:], asked.upload.content)


class _Documents:
    """The documents that are here, each for as long as files are kept."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.files = KeptFiles()
        self._here: dict[str, _Document] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def add(self, upload: Upload, how: _How) -> tuple[str, str]:
        """Takes a document and gives its id and key. Raises Full."""
        of_one = sum(each.client == how.client for each in self._here.values())
        if len(self._here) >= MOST or of_one >= MOST_OF_ONE:
            raise Full
        kept = await asyncio.to_thread(self.files.keep, upload.content, owner=how.client)
        own = secrets.token_hex(16).upper()
        document = self._here[own] = _Document(upload.name, how.client, kept)
        document.work = asyncio.create_task(self._translate(document, how))
        asyncio.get_running_loop().call_later(self.files.lifetime + 1, self._forget, own)
        return own, document.key

    def find(self, own: str, key: str, owner: str) -> _Document | None:
        """The document of that id, for those who have its key."""
        found = self._here.get(own)
        right = (
            found
            and owner_of(found.client) == owner
            and hmac.compare_digest(found.key.encode(), key.encode())
        )
        return found if right else None

    async def fetch(self, own: str) -> bytes | None:
        """The translation of a document, which is then no longer here."""
        document = self._here.pop(own)
        content = await asyncio.to_thread(self.files.read, document.file)
        self.files.remove(document.file)
        return content

    def _forget(self, own: str) -> None:
        document = self._here.pop(own, None)
        if document and document.work:
            document.work.cancel()
        self.files.forget_old()

    async def _translate(self, document: _Document, how: _How) -> None:
        async def ask(texts: Sequence[str]) -> list[Translation]:
            document.characters += sum(map(len, texts))
            return await self.service.translate_document(
                texts, source=how.source, target=how.target, client=how.client, glossary=how.glossary
            )

        try:
            async with self._turns:
                document.status = "translating"
                content = await asyncio.to_thread(self.files.read, document.file)
                self.files.remove(document.file)
                done = await translate_file(content or b"", document.name, ask, to=how.target)
                document.file = await asyncio.to_thread(self.files.keep, done.content, owner=how.client)
                document.status = "done"
        except Refusal as refusal:
            self._fail(document, refusal.message)
        except OnmalError as error:
            self._fail(document, str(error))
        except Full:
            self._fail(document, "as many documents are here as may be; try again later")
        except Exception:
            self._fail(document, "it could not be translated; whoever runs this server finds why in its log")
            raise

    def _fail(self, document: _Document, complaint: str) -> None:
        document.status, document.complaint = "error", complaint
