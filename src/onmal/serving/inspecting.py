"""Looking inside over HTTP: POST /v1/inspect tells everything about one sentence, three calls look closer at what it told, and one
makes a page of it that needs no server.

An answer is kept under its key, a digest of question and model, for as long as there is room for the last ones; then it is asked again.
All that takes long, packing it too, is done in a thread of the model.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import weakref
from collections import OrderedDict
from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from onmal.inspection import Question, close_up, identity, look_inside
from onmal.inspection.whole import whole
from onmal.serving.clients import Client
from onmal.serving.models import Loaded
from onmal.serving.refusals import Refusal
from onmal.serving.saved_page import FOLDER, saved_page
from onmal.serving.schemas import Written
from onmal.serving.service import Service

__all__ = ["Answers", "InspectRequest", "add"]

KEPT = 16 << 20  # bytes of packed answers, of which one about a short sentence has 7,000

Told = dict[str, Any]
Key = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="The key of an answer of POST /v1/inspect.")]
Kind = Literal["enc", "dec", "cross"]

A_FILE = {  # to be kept, and never shown as a page of this server
    "media_type": "text/html",
    "Content-Disposition": 'attachment; filename="onmal.html"',
}


class InspectRequest(Question):
    """One sentence, how it is translated, and what is wanted of it."""

    text: Written
    """The sentence."""
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
    """The last answers, packed, each with the model that gave it, as long as that is served: so many bytes of them."""

    def __init__(self, most: int = KEPT) -> None:
        self.most = most
        self._kept: OrderedDict[str, tuple[bytes, weakref.ref[Loaded]]] = OrderedDict()
        self._lock = Lock()

    def look(self, loaded: Loaded, question: Question) -> bytes:
        """The answer, kept or new; for a thread of the model."""
        key = question.key(identity(loaded.translator.saved))
        packed, _ = self._kept.get(key, (b"", None))
        packed = packed or _pack(look_inside(loaded.translator, question))
        with self._lock:
            self._kept[key] = (packed, weakref.ref(loaded))
            self._kept.move_to_end(key)
            size = sum(len(each) for each, _ in self._kept.values())
            while size > self.most and len(self._kept) > 1:
                _, (oldest, _) = self._kept.popitem(last=False)
                size -= len(oldest)
        return packed

    def find(self, key: str) -> tuple[bytes, Loaded]:
        """An answer, and the model that gave it. Raises AnswerGone."""
        packed, reference = self._kept.get(key, (b"", None))
        loaded = reference() if reference else None
        if loaded is None:
            raise AnswerGone
        return packed, loaded


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
        return await told(request, loaded, lambda: answers.look(loaded, question), client, len(text))

    async def closer(request: Request, key: str, look: Callable[..., Told], **place: Any) -> Response:
        client = service.client(request)
        packed, loaded = answers.find(key)

        def work() -> bytes:
            return _pack(look(loaded.translator, _unpack(packed), **place))

        return await told(request, loaded, work, client, 0)

    async def told(
        request: Request,
        loaded: Loaded,
        work: Callable[[], bytes],
        client: Client,
        characters: int,
        **kind: str,
    ) -> Response:
        """What work in the model's thread has packed, unpacked there again for whoever does not take it so."""
        body = await service.beside(loaded, _as_taken(request, work), client, characters)
        return _answer(request, body, **kind)

    @routes.get(
        "/v1/inspect/{key}/page",
        tags=["inspection"],
        response_class=Response,
        responses={200: {"content": {"text/html": {}}, "description": "A file to keep."}},
    )
    async def page(request: Request, key: Key) -> Response:
        """All that there is to see of it as one HTML file, which needs no server. The finished example has a key, too."""
        client = service.client(request)
        key_of_example, example = await asyncio.to_thread(_example)
        if key == key_of_example:
            return _answer(request, _as_taken(request, lambda: example)(), **A_FILE)
        packed, loaded = answers.find(key)

        def work() -> bytes:
            return _pack_page(whole(loaded.translator, _unpack(packed)))

        return await told(request, loaded, work, client, 0, **A_FILE)

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


def _takes_it_packed(request: Request) -> bool:
    return "gzip" in request.headers.get("accept-encoding", "")


def _as_taken(request: Request, work: Callable[[], bytes]) -> Callable[[], bytes]:
    """Work that packs something, and unpacks it again for whoever does not take it so."""
    return work if _takes_it_packed(request) else lambda: gzip.decompress(work())


def _answer(request: Request, body: bytes, media_type: str = "application/json", **headers: str) -> Response:
    """What is packed already as the request takes it, with further headers."""
    encoding = {"Content-Encoding": "gzip"} if _takes_it_packed(request) else {}
    return Response(body, media_type=media_type, headers={"Vary": "Accept-Encoding", **encoding, **headers})


@cache
def _example() -> tuple[str, bytes]:
    """The key of the finished example, and its page."""
    told = json.loads((FOLDER / "example.json").read_text(encoding="utf-8"))
    return told["key"], _pack_page(told)


def _pack_page(told: Told) -> bytes:
    return gzip.compress(saved_page(told).encode(), 5, mtime=0)


def _pack(told: Told) -> bytes:
    """JSON, compressed: tables shrink to a third."""
    body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    return gzip.compress(body, 5, mtime=0)


def _unpack(packed: bytes) -> Told:
    told: Told = json.loads(gzip.decompress(packed))
    return told
