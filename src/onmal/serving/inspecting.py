"""Looking inside over HTTP: POST /v1/inspect tells everything about one sentence, and three calls look closer at what it told.

An answer is kept under its key, a digest of question and model, for as long as it is among the last ones; then it is asked again.
"""

from __future__ import annotations

import gzip
import json
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from onmal.inspection import Question, close_up, identity, look_inside
from onmal.serving.models import Loaded
from onmal.serving.refusals import Refusal
from onmal.serving.service import Service

__all__ = ["Answers", "InspectRequest", "add"]

KEPT = 64  # answers

Told = dict[str, Any]
Key = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="The key of an answer of POST /v1/inspect.")]
Kind = Literal["enc", "dec", "cross"]


class InspectRequest(Question):
    """One sentence, how it is translated, and what is wanted of it."""

    model: str = Field(default="", max_length=64)
    """Name of the model, as GET /v1/models gives it; left away, the first one that knows the direction."""

    def __init__(self, /, **values: Any) -> None:
        BaseModel.__init__(self, **values)  # FastAPI says what is wrong in the words of the other calls

    @property
    def question(self) -> Question:
        """What the model is asked."""
        return Question(**self.model_dump(exclude={"model"}))


class AnswerGone(Refusal):
    """An answer that is kept no longer, or never was."""

    status = 404

    def __init__(self) -> None:
        super().__init__("this answer is kept no longer; ask POST /v1/inspect again")


class Answers:
    """The last answers, each with the model that gave it, as long as that is served."""

    def __init__(self, most: int = KEPT) -> None:
        self.most = most
        self._kept: OrderedDict[str, tuple[Told, weakref.ref[Loaded]]] = OrderedDict()

    def look(self, loaded: Loaded, question: Question) -> Told:
        """The answer, kept or new; for a thread of the model."""
        key = question.key(identity(loaded.translator.saved))
        kept = self._kept.pop(key, None)
        answer = kept[0] if kept else look_inside(loaded.translator, question)
        self._kept[key] = (answer, weakref.ref(loaded))
        while len(self._kept) > self.most:
            self._kept.popitem(last=False)
        return answer

    def find(self, key: str) -> tuple[Told, Loaded]:
        """An answer, and the model that gave it. Raises AnswerGone."""
        answer, reference = self._kept.get(key, ({}, None))
        loaded = reference() if reference else None
        if loaded is None:
            raise AnswerGone
        return answer, loaded


def add(routes: APIRouter, service: Service) -> None:
    """Adds /v1/inspect and the calls below it."""
    answers = Answers()

    @routes.post("/v1/inspect", tags=["inspection"], response_model=dict[str, Any])
    async def inspect(request: Request, asked: InspectRequest) -> Response:
        """Everything about one sentence on its way through the network; docs/inside.md says what each part of the answer means."""
        client, text, question = service.client(request), asked.text, asked.question
        service.check([text], client)
        if asked.model or not asked.to:
            facts = service.models.named(asked.model) if asked.model else next(iter(service.models))
        else:
            facts = service.model_for(service.source_of(text, asked.to), asked.to)
        loaded = await service.models.loaded(facts)
        return _packed(
            request, await service.beside(loaded, lambda: answers.look(loaded, question), client, len(text))
        )

    async def closer(request: Request, key: str, look: Callable[..., Told], **place: Any) -> Response:
        client = service.client(request)
        answer, loaded = answers.find(key)
        told = await service.beside(loaded, lambda: look(loaded.translator, answer, **place), client, 0)
        return _packed(request, told)

    @routes.get("/v1/inspect/{key}/row", tags=["inspection"], response_model=dict[str, Any])
    async def row(request: Request, key: Key, kind: Kind, layer: int, head: int, t: int) -> Response:
        """How the weights of one row in one head come about, in true numbers."""
        return await closer(request, key, close_up.row, kind=kind, layer=layer, head=head, t=t)

    @routes.get("/v1/inspect/{key}/tensor", tags=["inspection"], response_model=dict[str, Any])
    async def tensor(request: Request, key: Key, kind: Kind, layer: int) -> Response:
        """The packed weights of all heads of one layer."""
        return await closer(request, key, close_up.tensor, kind=kind, layer=layer)

    @routes.get("/v1/inspect/{key}/vectors", tags=["inspection"], response_model=dict[str, Any])
    async def vectors(request: Request, key: Key, part: int, token: int) -> Response:
        """What a token, or a position, is to the network before it has looked at any other."""
        return await closer(request, key, close_up.vectors, part=part, token=token)


def _packed(request: Request, told: Told) -> Response:
    """JSON, compressed for whoever takes it so: tables shrink to a third."""
    body, headers = (
        json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode(),
        {"Vary": "Accept-Encoding"},
    )
    if "gzip" in request.headers.get("accept-encoding", ""):
        body, headers["Content-Encoding"] = gzip.compress(body, 5, mtime=0), "gzip"
    return Response(body, media_type="application/json", headers=headers)
