"""DeepL's API, version 2, as its official clients know it: texts, languages, usage, documents and glossaries.

answers.py      the words for what is refused, and who asks
languages.py    EN-US, KO: languages as DeepL calls them
texts.py        translate, languages, usage
documents.py    a document is left, asked about, and fetched once;  left_documents.py  those that are here
glossaries.py   terms that stay
"""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from onmal.serving.deepl import documents, glossaries, texts
from onmal.serving.deepl.answers import not_here, worded
from onmal.serving.deepl.left_documents import LeftDocuments
from onmal.serving.document_room import DocumentRoom
from onmal.serving.glossaries import Glossaries
from onmal.serving.service import Service

__all__ = ["documents_of", "routes"]


def documents_of(service: Service, room: DocumentRoom) -> LeftDocuments:
    """The documents that clients of this API leave here."""
    state = service.settings.state_folder
    return LeftDocuments(service, room, Glossaries(state / "glossaries"), state / "documents")


def routes(service: Service, left: LeftDocuments) -> list[BaseRoute]:
    """The routes below /v2, where a client looks that was given this server's bare address, and the same below /deepl/v2."""
    stored = left.glossaries
    known = [
        *texts.routes(service, stored),
        *documents.routes(service, stored, left),
        *glossaries.routes(service, stored),
        *(
            (rest, ["GET", "POST", "PUT", "PATCH", "DELETE"], not_here)
            for rest in ("/v2/{rest:path}", "/v3/{rest:path}")
        ),
    ]
    return [
        Route(prefix + path, worded(handler), methods=methods)
        for prefix in ("/deepl", "")
        for path, methods, handler in known
    ]
