"""DeepL's API, version 2, as its official clients know it: texts, languages, usage, documents and glossaries.

answers.py      the words for what is refused, and who asks
languages.py    EN-US, KO: languages as DeepL calls them
texts.py        translate, languages, usage
documents.py    a document is left, asked about, and fetched once
glossaries.py   terms that stay
"""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from onmal.serving.deepl import documents, glossaries, texts
from onmal.serving.deepl.answers import not_here, worded
from onmal.serving.glossaries import Glossaries
from onmal.serving.service import Service

__all__ = ["routes"]


def routes(service: Service) -> list[BaseRoute]:
    """The routes below /v2, where a client looks that was given this server's bare address, and the same below /deepl/v2."""
    stored = Glossaries(service.settings.state_folder / "glossaries")
    known = [
        *texts.routes(service, stored),
        *documents.routes(service, stored),
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
