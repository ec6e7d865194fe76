"""Documents: left here, asked about, fetched once."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import PurePath

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from onmal.documents import suffixes_here
from onmal.serving.deepl.answers import Routes, Wrong, asked_by, owner_of
from onmal.serving.deepl.glossaries import chosen
from onmal.serving.deepl.languages import direction
from onmal.serving.deepl.left_documents import Document, Left, LeftDocuments
from onmal.serving.deepl.texts import check_wishes
from onmal.serving.document_room import check_size
from onmal.serving.exchange import allow_body
from onmal.serving.file_answer import FileAnswer
from onmal.serving.glossaries import Glossaries
from onmal.serving.parameters import Parameters, Upload
from onmal.serving.service import Service

__all__ = ["routes"]

PATIENCE = 3.0  # seconds that an answer about a document waits for it: its clients ask again after five


def routes(service: Service, stored: Glossaries, documents: LeftDocuments) -> Routes:
    """/v2/document and what lies below it."""
    missing = Wrong("Document not found", "it was fetched before, or has waited too long", 404)

    async def leave(request: Request) -> Response:
        allow_body(request, service.settings.document_bytes)
        asked, client = await asked_by(request, service)
        upload = _upload(asked)
        check_size(upload.content, upload.name, service.settings.document_characters)
        source, target = direction(asked, service)
        check_wishes(asked)
        glossary = chosen(asked, stored, client, source, target)
        left = Left(upload.name, client, source, target, asked.text("glossary_id"))
        own, key = await documents.add(upload.content, left, glossary)
        return JSONResponse({"document_id": own, "document_key": key})

    async def wanted(request: Request) -> tuple[str, Document]:
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
        file = await documents.open(document)
        if file is None:
            raise missing
        return FileAnswer(file, document.left.name, sent=partial(documents.remove, own))

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
