"""onmal's own API: everything that it can tell of a translation."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from onmal.errors import OnmalError
from onmal.serving import inspecting
from onmal.serving.directly import Directly
from onmal.serving.error_bodies import error_body, problem
from onmal.serving.refusals import Refusal
from onmal.serving.schemas import (
    DetectedLanguage,
    DetectRequest,
    Direction,
    ErrorAnswer,
    Health,
    LanguagesAnswer,
    Limits,
    ModelAnswer,
    StreamRequest,
    TranslateRequest,
    TranslationAnswer,
    TranslationsAnswer,
)
from onmal.serving.sentences import sentence_by_sentence
from onmal.serving.service import Service
from onmal.text.language import canonical, name
from onmal.translating.translator import Translation

__all__ = ["add"]

REFUSED: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorAnswer, "description": what}
    for status, what in {
        400: "The request cannot be understood, or asks for what this server has not got.",
        401: "A key is needed.",
        403: "The key is not known, or a page of another site asks.",
        404: "There is no such model.",
        408: "The request did not arrive in time.",
        413: "It is more than a limit allows.",
        422: "A parameter is missing, unknown, or not of its kind.",
        429: "Too many requests, or too many at once; Retry-After says when to come again.",
        503: "Too much waits or is under way, or the model cannot be loaded; Retry-After says when to come again.",
        504: "It took too long.",
    }.items()
}

TYPED = {"text", "source", "target", "warnings"}  # what is known of a translation that was typed out


class _BodyFirst(APIRoute):
    """Reads the body before FastAPI does, which would hide that it is too large or late behind "error parsing the body"."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def read_first(request: Request) -> Response:
            await request.body()
            return await handle(request)

        return read_first


def add(app: FastAPI, service: Service) -> Route:
    """Adds /v1 and /health to an application, and how errors look that no other API has words for.

    What it gives answers POST /v1/translate like the route of that name, but sooner, and has to stand before all others.
    """
    routes = APIRouter(route_class=_BodyFirst, responses=REFUSED)

    # Writes its answer itself, which was checked when it was made.
    @routes.post("/v1/translate", tags=["translation"], response_model=TranslationAnswer | TranslationsAnswer)
    async def translate(request: Request, asked: TranslateRequest) -> Response:
        """Translate a text, or a list of texts together: one answer, or a list of answers."""
        client = service.client(request)
        texts = [asked.text] if isinstance(asked.text, str) else asked.text
        if asked.sentences:
            answers = await sentence_by_sentence(service, client, texts, asked)
        else:
            sources = service.sources(texts, asked.source, asked.target, client)
            translations = await service.translate(
                texts,
                source=sources,
                target=asked.target,
                client=client,
                model=asked.model,
                search={"n_best": asked.n_best, **asked.changes},
                wishes=asked.wishes,
                alignment=asked.alignment,
                omissions=asked.omissions,
            )
            answers = [
                TranslationAnswer.of(translation, source, canonical(asked.target))
                for translation, source in zip(translations, sources, strict=True)
            ]
        answer = answers[0] if isinstance(asked.text, str) else TranslationsAnswer(translations=answers)
        return Response(answer.model_dump_json(), media_type="application/json")

    @routes.get("/health", tags=["server"])
    async def health() -> Health:
        """Whether the server answers; asks no model."""
        return Health()

    @routes.get("/v1/languages", tags=["models"])
    async def languages(request: Request) -> LanguagesAnswer:
        """What can be translated to what."""
        limits, settings = service.client(request).limits, service.settings
        pairs = [(source, target) for source, targets in service.languages().items() for target in targets]
        return LanguagesAnswer(
            directions=[
                Direction(source=source, target=target, model=service.model_for(source, target).name)
                for source, target in pairs
            ],
            names={
                code: {"en": name(code), "ko": name(code, "ko")}
                for code in dict.fromkeys(code for pair in pairs for code in pair)
            },
            limits=Limits(characters=limits.characters, texts=settings.texts, beam_size=settings.beam_size),
        )

    @routes.get("/v1/models", tags=["models"])
    async def models(request: Request) -> list[ModelAnswer]:
        """The models that are served, in the order in which they are chosen."""
        service.client(request)
        return [ModelAnswer.of(facts, service.models.is_loaded(facts)) for facts in service.models]

    @routes.post("/v1/detect", tags=["translation"])
    async def detect(request: Request, asked: DetectRequest) -> list[DetectedLanguage]:
        """Which of the languages that this server translates from a text is in, the likeliest first."""
        return [
            DetectedLanguage(language=found.language, confidence=round(found.confidence, 4))
            for found in service.detect_for(service.client(request), asked.text)
        ]

    @routes.post(
        "/v1/translate/stream",
        tags=["translation"],
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {}}, "description": "Server-sent events."}},
    )
    async def stream(request: Request, asked: StreamRequest) -> StreamingResponse:
        """Type a translation out: an event `piece` as soon as the network has said some more, with it as a JSON string; at the end an
        event `done` with text, source, target and warnings of the whole; or an event `error`."""
        client = service.client(request)
        (source,) = service.sources([asked.text], asked.source, asked.target, client)
        pieces = service.stream(
            asked.text,
            source=source,
            target=asked.target,
            client=client,
            model=asked.model,
            search=asked.changes,
            wishes=asked.wishes,
        )
        first = await anext(pieces)  # whatever is refused is refused before the answer begins
        events = _events(first, pieces, source, canonical(asked.target))
        return StreamingResponse(
            events, media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )

    inspecting.add(routes, service)
    app.include_router(routes)
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(OnmalError, _mistaken)
    app.add_exception_handler(RequestValidationError, _misunderstood)
    app.add_exception_handler(HTTPException, _not_served)
    return Route("/v1/translate", Directly(TranslateRequest, translate, routes), methods=["POST"])


async def _events(
    first: str | Translation, rest: AsyncGenerator[str | Translation], source: str, target: str
) -> AsyncGenerator[str]:
    def event(piece: str | Translation) -> str:
        if isinstance(piece, str):
            return f"event: piece\ndata: {json.dumps(piece, ensure_ascii=False)}\n\n"
        answer = TranslationAnswer.of(piece, source, target)
        return f"event: done\ndata: {answer.model_dump_json(include=TYPED)}\n\n"

    try:
        yield event(first)
        async for piece in rest:
            yield event(piece)
    except Refusal as refusal:
        yield f"event: error\ndata: {json.dumps(problem(_code(refusal), refusal.message))}\n\n"
    finally:
        await rest.aclose()


def _code(error: Exception) -> str:
    """TooLarge is "too_large" to a program."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).lower()


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(problem(_code(error), error.message), error.status, headers)


async def _mistaken(request: Request, error: Exception) -> Response:
    assert isinstance(error, OnmalError)
    if error.path:  # a file of the server's own, which is for its log alone
        raise error
    return JSONResponse(problem(_code(error), str(error)), 400)


async def _misunderstood(request: Request, error: Exception) -> Response:
    """The first complaint in one line, without what was sent."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"] if part != "body") or "the body"
    return JSONResponse(problem("invalid", f"{place}: {first['msg']}"), 422)


async def _not_served(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    body = error_body(request.url.path, "http", str(error.detail))
    return JSONResponse(body, error.status_code, error.headers)
