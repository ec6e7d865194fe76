"""LibreTranslate's API, as its clients know it: its routes, the shapes of its answers, and how it words what it refuses.

Beyond what LibreTranslate knows, a text or a document may ask for a model by its name (`model`), as those of /v1 may.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from onmal.documents import suffixes_here
from onmal.errors import OnmalError
from onmal.fragments import take_out
from onmal.serving.clients import Client
from onmal.serving.document_room import DocumentRoom, check_size
from onmal.serving.exchange import allow_body
from onmal.serving.file_answer import FileAnswer
from onmal.serving.kept_files import Full
from onmal.serving.keys import given_key
from onmal.serving.language_codes import nearest
from onmal.serving.marked_up import translate_file, translate_pages
from onmal.serving.parameters import Malformed, Parameters, read_parameters
from onmal.serving.refusals import KeyMissing, KeyWrong, RateExceeded, Refusal, TooLarge, TooManyAtOnce
from onmal.serving.service import Detected, Service
from onmal.text.language import name as name_of
from onmal.translating.translator import Translation

__all__ = ["routes"]

# Its own names for languages, in and out; what is not here it calls as everybody does.
_MEANT = {"pb": "pt-BR", "zt": "zh-Hant", "zh": "zh-Hans"}
_CALLED = {"zh": "zh-Hans"}

_TITLE = re.compile(r"[^\w.-]+")


class _Wrong(Exception):
    """A request that is answered with an error, and with which."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message, self.status = message, status


Handler = Callable[[Request], Awaitable[Response]]


def routes(service: Service, room: DocumentRoom) -> list[BaseRoute]:
    """The routes of the API, but for /health, which is the same in every API."""
    api = _LibreTranslate(service, room)
    return [
        Route("/translate", _worded(api.translate), methods=["POST"]),
        Route("/detect", _worded(api.detect), methods=["POST"]),
        Route("/languages", _worded(api.languages), methods=["GET", "POST"]),
        Route("/translate_file", _worded(api.translate_file), methods=["POST"]),
        Route(
            "/download_file/{name:path}", _worded(api.download_file), name="download_file", methods=["GET"]
        ),
        Route("/suggest", _worded(api.suggest), methods=["POST"]),
        Route("/frontend/settings", _worded(api.frontend_settings), methods=["GET"]),
    ]


def _worded(handler: Handler) -> Handler:
    """The same with LibreTranslate's words for whatever is refused."""

    async def endpoint(request: Request) -> Response:
        try:
            return await handler(request)
        except _Wrong as wrong:
            return JSONResponse({"error": wrong.message}, wrong.status)
        except Malformed as error:
            return JSONResponse({"error": str(error)}, 400)
        except OnmalError as error:
            if error.path:  # a file of the server's own, which is for its log alone
                raise
            return JSONResponse({"error": str(error)}, 400)
        except Full as full:
            said = {"error": "Too many files are kept here; try again later"}
            return JSONResponse(said, 503, {"Retry-After": str(full.retry_after)})
        except Refusal as refusal:
            status, message = _refused(refusal)
            headers = {"Retry-After": str(refusal.retry_after)} if refusal.retry_after else None
            return JSONResponse({"error": message}, status, headers)

    return endpoint


def _refused(refusal: Refusal) -> tuple[int, str]:
    match refusal:
        case KeyMissing():
            return 400, "Please contact the server operator to get an API key"
        case KeyWrong():
            return 403, "Invalid API key"
        case TooLarge(what="text" | "batch"):
            return 400, f"Invalid request: request ({refusal.given}) exceeds text limit ({refusal.most})"
        case RateExceeded(what="requests"):
            return 429, f"Slowdown: {refusal.most} per 1 minute"
        case RateExceeded():
            return 429, f"Slowdown: {refusal.most} {refusal.what} per 1 minute"
        case TooManyAtOnce():
            return 429, f"Slowdown: {refusal.most} at once"
    return refusal.status, refusal.message


class _LibreTranslate:
    """What each route answers."""

    def __init__(self, service: Service, room: DocumentRoom) -> None:
        self.service, self.room = service, room

    async def translate(self, request: Request) -> Response:
        asked, client = await self._asked(request)
        texts, batch = asked.texts("q"), asked.is_list("q")
        if not texts or (not batch and not texts[0]):
            raise _missing("q")
        source, target = self._direction(asked)
        form = asked.text("format") or "text"
        if form not in ("text", "html"):
            raise _Wrong(f"{form} format is not supported")
        alternatives, model = self._alternatives(asked), asked.text("model")
        self.service.check(texts, client)
        found = [self.service.detect(_words(text, form)) for text in texts] if source == "auto" else []
        sources = [self.service.source_among(each, target) for each in found] or [source] * len(texts)
        others: list[list[str]]
        if form == "html":
            said = await translate_pages(
                self.service, texts, sources, target=target, client=client, model=model
            )
            others = [[] for _ in texts]
        else:
            translations = await self.service.translate(
                texts,
                source=sources,
                target=target,
                client=client,
                model=model,
                search={"n_best": alternatives + 1},
            )
            said = [each.text for each in translations]
            others = [_others(each, alternatives) for each in translations]
        answer: dict[str, Any] = {"translatedText": said}
        if found:
            answer["detectedLanguage"] = [_likeliest(each) for each in found]
        if alternatives:
            answer["alternatives"] = others
        return JSONResponse(answer if batch else {key: value[0] for key, value in answer.items()})

    async def detect(self, request: Request) -> Response:
        asked, client = await self._asked(request)
        texts = [text for text in asked.texts("q") if text]
        if not texts:
            raise _missing("q")
        found = self.service.detect_for(client, "\n".join(texts))
        likely = [_rated(each.language, each.confidence) for each in found if each.confidence > 0]
        return JSONResponse(likely[:3] or [_rated("en", 0)])

    async def languages(self, request: Request) -> Response:
        served = self.service.languages()
        codes = dict.fromkeys([*served, *(target for targets in served.values() for target in targets)])
        return JSONResponse(
            [
                {
                    "code": _called(code),
                    "name": name_of(code),
                    "targets": [_called(each) for each in dict.fromkeys([*served.get(code, ()), code])],
                }
                for code in codes
            ]
        )

    async def translate_file(self, request: Request) -> Response:
        settings, room, files = self.service.settings, self.room, self.room.files
        allow_body(request, settings.document_bytes)
        if given_key(request.headers):
            self.service.client(request)  # before a large body is read, which may have the key otherwise
        asked, client = await self._asked(request)
        if asked.upload is None:
            raise _missing("file")
        (source, target), model = self._direction(asked), asked.text("model")
        if not asked.upload.name:
            raise _Wrong("Invalid request: empty file")
        name = PurePath(asked.upload.name)
        if name.suffix.lower() not in suffixes_here():
            raise _Wrong("Invalid request: file format not supported")
        check_size(asked.upload.content, name.name, settings.document_characters)
        async with self.service.document(target=target, client=client, model=model) as ask:
            waiting = await room.keep(asked.upload.content, owner=client, lifetime=math.inf)
            del asked  # only its file waits, not its bytes: a client may have many
            try:
                async with room.turn(client):
                    content = await room.read(waiting)
                    document = await translate_file(
                        content, name.name, partial(ask, source), to=target, readers=room.readers
                    )
            finally:
                files.remove(waiting)
        title = f"{_TITLE.sub('_', name.stem)[-100:]}_{_called(target)}{name.suffix.lower()}"
        kept = await room.keep(document.content, title, owner=client)
        asyncio.get_running_loop().call_later(files.lifetime + 1, files.forget_old)
        return JSONResponse(
            {
                "translatedFileUrl": str(request.url_for("download_file", name=quote(kept))),
                "warnings": [each._asdict() for each in document.warnings],
            }
        )

    async def download_file(self, request: Request) -> Response:
        name = request.path_params["name"]
        file = await asyncio.to_thread(self.room.files.open, name)
        if file is None:
            raise _Wrong("Invalid filename", 404)
        return FileAnswer(file, name.partition(".")[2])

    async def suggest(self, request: Request) -> Response:
        raise _Wrong("Suggestions are disabled on this server.", 403)

    async def frontend_settings(self, request: Request) -> Response:
        settings, (_, (target, *_)) = self.service.settings, next(iter(self.service.languages().items()))
        try:
            _, client = await self._asked(request)
            characters = client.limits.characters
        except (KeyMissing, KeyWrong):  # whoever has no key yet learns here that one is needed
            characters = settings.characters
        return JSONResponse(
            {
                "charLimit": characters,
                "frontendTimeout": 500,
                "apiKeys": settings.require_keys or bool(self.service.keys.given_out()),
                "keyRequired": settings.require_keys,
                "suggestions": False,
                "filesTranslation": True,
                "supportedFilesFormat": list(suffixes_here()),
                "language": {
                    "source": {"code": "auto", "name": "Auto Detect"},
                    "target": {"code": _called(target), "name": name_of(target)},
                },
            }
        )

    async def _asked(self, request: Request) -> tuple[Parameters, Client]:
        asked = await read_parameters(request)
        return asked, self.service.client(request, asked.text("api_key") or asked.text("apiKey"))

    def _direction(self, asked: Parameters) -> tuple[str, str]:
        """The languages from which ("auto" for any) and to which to translate, as the service calls them. Raises _Wrong."""
        given = {name: asked.text(name) for name in ("source", "target")}
        for name, code in given.items():
            if not code:
                raise _missing(name)
        served = self.service.languages()
        codes = [*served, *(target for targets in served.values() for target in targets)]
        source, target = (
            "auto" if name == "source" and code.lower() == "auto" else _meant(code, codes)
            for name, code in given.items()
        )
        if source not in ("auto", target) and target not in served.get(source, ()):
            raise _Wrong(
                f"{name_of(target)} ({_called(target)}) is not available as a target language from "
                f"{name_of(source)} ({_called(source)})"
            )
        return source, target

    def _alternatives(self, asked: Parameters) -> int:
        most, wanted = self.service.settings.beam_size - 1, max(0, asked.number("alternatives"))
        if wanted > most:
            raise _Wrong(f"Invalid request: alternatives parameter must be <= {most}")
        return wanted


def _missing(name: str) -> _Wrong:
    return _Wrong(f"Invalid request: missing {name} parameter")


def _called(code: str) -> str:
    return _CALLED.get(code, code)


def _meant(code: str, served: Sequence[str]) -> str:
    """Raises _Wrong."""
    meant = nearest(_MEANT.get(code.lower(), code), served)
    if meant is None:
        raise _Wrong(f"{code[:100]} is not supported")
    return meant


def _words(text: str, form: str) -> str:
    """What of a text tells its language: no tags, whose letters are Latin."""
    return take_out(text).text if form == "html" else text


def _rated(language: str, confidence: float) -> dict[str, Any]:
    return {"confidence": round(100 * confidence, 1), "language": _called(language)}


def _likeliest(found: Sequence[Detected]) -> dict[str, Any]:
    best = found[0]
    return _rated(best.language, best.confidence) if best.confidence else _rated("en", 0)


def _others(translation: Translation, most: int) -> list[str]:
    """Other ways to say it, each once."""
    texts = dict.fromkeys(each.text for each in translation.alternatives)
    return [text for text in texts if text != translation.text][:most]
