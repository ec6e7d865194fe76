"""What is asked most, read and answered without FastAPI's machinery, which costs more than the rest of a request together."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Directly"]

Asked = TypeVar("Asked", bound=BaseModel)


class Directly(Generic[Asked]):
    """In front of one of FastAPI's routes: reads the JSON of a request and has the route's own function answer it.

    A request with anything wrong in it goes to `described`, the application with the route, which says what in FastAPI's words.
    """

    def __init__(
        self,
        schema: type[Asked],
        answer: Callable[[Request, Asked], Awaitable[Response]],
        described: ASGIApp,
    ) -> None:
        self.schema, self.answer, self.described = schema, answer, described

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        body = await request.body()
        try:
            asked = self._read(request, body)
        except (ValueError, RecursionError):
            await self.described(scope, _again(body, receive), send)
        else:
            await (await self.answer(request, asked))(scope, receive, send)

    def _read(self, request: Request, body: bytes) -> Asked:
        """Raises ValueError, RecursionError."""
        kind = request.headers.get("content-type", "").partition(";")[0]
        if kind.strip().lower() != "application/json":
            raise ValueError
        return self.schema.model_validate(json.loads(body))


def _again(body: bytes, receive: Receive) -> Receive:
    """ASGI's receive, with a body first that has been read already."""
    messages: list[Message] = [{"type": "http.request", "body": body}]

    async def receive_again() -> Message:
        return messages.pop() if messages else await receive()

    return receive_again
