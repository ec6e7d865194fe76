"""Glossaries: made, listed, used and deleted; never changed."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from onmal.errors import DataError
from onmal.serving.clients import Client
from onmal.serving.deepl.answers import Routes, Wrong, asked_by, owner_of, unsupported
from onmal.serving.glossaries import MOST_GLOSSARIES, Glossaries, StoredGlossary, TooMany, read_terms
from onmal.serving.language_codes import nearest
from onmal.serving.parameters import Parameters
from onmal.serving.service import Service
from onmal.text.language import primary
from onmal.translating.glossary import Glossary

__all__ = ["chosen", "routes"]


def routes(service: Service, stored: Glossaries) -> Routes:
    """/v2/glossaries and what lies below it, and /v2/glossary-language-pairs."""

    async def pairs(request: Request) -> Response:
        await asked_by(request, service)
        known = [{"source_lang": source, "target_lang": target} for source, target in _pairs(service)]
        return JSONResponse({"supported_languages": known})

    async def create(request: Request) -> Response:
        asked, client = await asked_by(request, service)
        name, form = asked.text("name").strip(), asked.text("entries_format") or "tsv"
        if not name:
            raise Wrong("Parameter 'name' not specified.")
        if form not in ("tsv", "csv"):
            raise unsupported("entries_format")
        source, target = (_base(asked, parameter, service) for parameter in ("source_lang", "target_lang"))
        if (source, target) not in _pairs(service):
            raise Wrong("Unsupported glossary source and target language pair")
        made = await asyncio.to_thread(
            _added, stored, asked.text("entries"), form, owner_of(client), name[:1024], source, target
        )
        return JSONResponse(_facts(made), 201)

    async def every(request: Request) -> Response:
        _, client = await asked_by(request, service)
        return JSONResponse({"glossaries": [_facts(each) for each in stored.of(owner_of(client))]})

    async def wanted(request: Request) -> StoredGlossary:
        _, client = await asked_by(request, service)
        return _found(stored, client, request.path_params["glossary_id"])

    async def one(request: Request) -> Response:
        return JSONResponse(_facts(await wanted(request)))

    async def delete(request: Request) -> Response:
        await asyncio.to_thread(stored.remove, await wanted(request))
        return Response(status_code=204)

    async def entries(request: Request) -> Response:
        lines = [f"{source}\t{target}" for source, target in (await wanted(request)).terms]
        return Response("\n".join(lines), media_type="text/tab-separated-values")

    return [
        ("/v2/glossary-language-pairs", ["GET"], pairs),
        ("/v2/glossaries", ["POST"], create),
        ("/v2/glossaries", ["GET"], every),
        ("/v2/glossaries/{glossary_id}", ["GET"], one),
        ("/v2/glossaries/{glossary_id}", ["DELETE"], delete),
        ("/v2/glossaries/{glossary_id}/entries", ["GET"], entries),
    ]


def _added(
    stored: Glossaries, entries: str, form: str, owner: str, name: str, source: str, target: str
) -> StoredGlossary:
    """A new glossary, ready to be followed: with its terms read and looked at, which takes a while. Raises Wrong."""
    try:
        terms = read_terms(entries, form)
    except DataError as error:
        raise Wrong("Invalid glossary entries provided", str(error)) from None
    try:
        made = stored.add(owner, name, source, target, terms)
    except TooMany:
        raise Wrong("Too many glossaries", f"there are {MOST_GLOSSARIES}; delete some") from None
    except DataError:  # which says where on this machine
        raise Wrong("Service unavailable", "glossaries cannot be kept now", 503) from None
    _ = made.glossary
    return made


def chosen(
    asked: Parameters, stored: Glossaries, client: Client, source: str, target: str
) -> Glossary | None:
    """The glossary that a translation is to follow, if any. Raises Wrong for one of other languages, or none at all."""
    wanted = asked.text("glossary_id")
    if not wanted:
        return None
    if not source:
        raise Wrong("Parameter 'source_lang' not specified.", "a glossary needs it")
    found = _found(stored, client, wanted)
    if (found.source, found.target) != (primary(source), primary(target)):
        raise Wrong(
            "The glossary's languages are not those of the request.", f"it is {found.source}-{found.target}"
        )
    return found.glossary


def _found(stored: Glossaries, client: Client, wanted: str) -> StoredGlossary:
    """Raises Wrong."""
    found = stored.get(owner_of(client), wanted)
    if found is None:
        raise Wrong("Glossary not found", status=404)
    return found


def _facts(stored: StoredGlossary) -> dict[str, Any]:
    return {
        "glossary_id": stored.id,
        "name": stored.name,
        "ready": True,
        "source_lang": stored.source,
        "target_lang": stored.target,
        "creation_time": stored.created,
        "entry_count": len(stored.terms),
    }


def _pairs(service: Service) -> list[tuple[str, str]]:
    """The languages of glossaries have no regions."""
    served = service.languages().items()
    return list(dict.fromkeys((primary(source), primary(to)) for source, targets in served for to in targets))


def _base(asked: Parameters, parameter: str, service: Service) -> str:
    """The language of a parameter without its region. Raises Wrong."""
    known = [code for pair in _pairs(service) for code in pair]
    found = nearest(asked.text(parameter), known)
    if found is None:
        raise unsupported(parameter)
    return found
