"""Texts: translated, with their tags kept; languages; and how much was translated."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from onmal.documents import translate_html, translate_xml
from onmal.fragments import take_out
from onmal.serving.clients import Client
from onmal.serving.deepl.answers import Routes, Wrong, asked_by, unsupported
from onmal.serving.deepl.glossaries import chosen
from onmal.serving.deepl.languages import called, direction, sources, targets
from onmal.serving.glossaries import Glossaries
from onmal.serving.marked_up import translate_pages
from onmal.serving.parameters import Parameters
from onmal.serving.service import Service
from onmal.translating.glossary import Glossary

__all__ = ["check_wishes", "routes"]

_UNLIMITED = 1_000_000_000_000  # what DeepL says where there is no limit
_NEWLINES = re.compile(r"[^\S\n]*\n\s*")

# Each would change the translation: who asks for it has to know that it does not.
_NOT_HERE = ("glossary_ids", "style_id", "translation_memory_id", "custom_instructions")


def routes(service: Service, stored: Glossaries) -> Routes:
    """/v2/translate, /v2/languages and /v2/usage."""

    async def translate(request: Request) -> Response:
        asked, client = await asked_by(request, service)
        wanted = _Wanted.read(asked, service, stored, client)
        origins, said = await wanted.translate(service, client)
        return JSONResponse(
            {
                "translations": [
                    {
                        "detected_source_language": called(origin),
                        "text": translation,
                        "billed_characters": len(text),
                    }
                    for text, origin, translation in zip(wanted.texts, origins, said, strict=True)
                ]
            }
        )

    async def languages(request: Request) -> Response:
        asked, _ = await asked_by(request, service)
        kind = asked.text("type") or "source"
        if kind not in ("source", "target"):
            raise unsupported("type")
        found = sources(service) if kind == "source" else targets(service)
        extra = {} if kind == "source" else {"supports_formality": False}
        return JSONResponse([{"language": code, "name": name, **extra} for code, name in found.items()])

    async def usage(request: Request) -> Response:
        _, client = await asked_by(request, service)
        used = service.characters_used(client)
        return JSONResponse({"character_count": used, "character_limit": _UNLIMITED})

    return [
        ("/v2/translate", ["POST"], translate),
        ("/v2/languages", ["GET", "POST"], languages),
        ("/v2/usage", ["GET", "POST"], usage),
    ]


@dataclass(frozen=True)
class _Wanted:
    """Some texts, and how they are to be translated."""

    texts: list[str]
    source: str
    target: str
    tags: str
    ignored: tuple[str, ...]
    newlines_divide: bool
    glossary: Glossary | None

    @classmethod
    def read(cls, asked: Parameters, service: Service, stored: Glossaries, client: Client) -> _Wanted:
        """Raises Wrong, Malformed."""
        texts = asked.texts("text")
        if not texts:
            raise Wrong("Parameter 'text' not specified.")
        source, target = direction(asked, service)
        for parameter, possible in (
            ("tag_handling", ("", "xml", "html")),
            ("split_sentences", ("", "0", "1", "nonewlines")),
        ):
            if asked.text(parameter) not in possible:
                raise unsupported(parameter)
        check_wishes(asked)
        ignored = [name for given in asked.texts("ignore_tags") for name in given.split(",")]
        return cls(
            texts,
            source,
            target,
            asked.text("tag_handling"),
            tuple(name.strip() for name in ignored if name.strip()),
            asked.text("split_sentences") in ("", "1"),
            chosen(asked, stored, client, source, target),
        )

    async def translate(self, service: Service, client: Client) -> tuple[list[str], list[str]]:
        """Of each text the language it is in, and its translation."""
        texts = self.texts
        if not self.tags and not self.newlines_divide:
            texts = [_NEWLINES.sub(" ", text) for text in texts]
        words = [take_out(text).text for text in texts] if self.tags else texts
        service.check(texts, client)
        origins = service.sources(words, self.source, self.target, client)
        target, glossary = self.target, self.glossary
        if self.tags:
            read = translate_xml if self.tags == "xml" else translate_html
            return origins, await translate_pages(
                service,
                texts,
                origins,
                target=target,
                client=client,
                glossary=glossary,
                translated=partial(read, ignored=self.ignored),
            )
        found = await service.translate(
            texts, source=origins, target=target, client=client, glossary=glossary
        )
        return origins, [each.text for each in found]


def check_wishes(asked: Parameters) -> None:
    """Refuses what would be expected to change a translation, and would not. Raises Wrong."""
    if asked.text("formality") in ("more", "less"):
        raise Wrong("'formality' is not supported for given 'target_lang'.")
    for parameter in _NOT_HERE:
        if asked.values.get(parameter):
            raise Wrong(f"Parameter '{parameter}' not supported.")
