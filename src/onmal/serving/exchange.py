"""One request and its answer, as bytes: bodies with a limit of size and time, and clients that leave.

A limit is enforced while the body streams in: what a stranger sends is never held beyond it. Who closes the connection before the
answer is there has the work on it cancelled.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from onmal.serving.refusals import BodyLate, TooLarge

__all__ = ["ClientLeft", "Exchange", "allow_body"]

# Of a refused body so much is read and forgotten, so that the client finishes sending and reads why.
DISCARDED = 64 * 1024 * 1024  # bytes
DISCARDING = 5.0  # seconds


class ClientLeft(Exception):
    """Nobody waits for the answer any more."""


def allow_body(connection: HTTPConnection, most: int) -> None:
    """Let the body of this request have so many bytes; to be called before it is read, as by a route that takes documents."""
    connection.scope["onmal.body"].most = most


class _Body:
    """A request's body on its way in. `receive` is ASGI's; it raises TooLarge and BodyLate in whoever reads.

    `gone` is called if the connection is closed when the body is there.
    """

    def __init__(
        self, scope: Scope, receive: Receive, most: int, seconds: float, gone: Callable[[], None]
    ) -> None:
        self.most, self.seconds = most, seconds
        self._receive, self._until = receive, time.monotonic() + seconds
        self._size, self._declared = 0, _declared(scope)
        self._gone = gone
        self._watching: asyncio.Task[None] | None = None
        self.whole = False
        self.left = asyncio.Event()

    async def receive(self) -> Message:
        if self.whole:  # the only news to come
            await self.left.wait()
            return {"type": "http.disconnect"}
        if self._declared > self.most:
            raise TooLarge("body", self._declared, self.most)
        try:
            async with asyncio.timeout(self._until - time.monotonic()):
                message = await self._receive()
        except TimeoutError:
            raise BodyLate(self.seconds) from None
        self._take(message)
        if self._size > self.most:
            raise TooLarge("body", self._size, self.most)
        return message

    def _take(self, message: Message) -> None:
        self._size += len(message.get("body", b""))
        self.whole = not message.get("more_body")
        if message["type"] == "http.disconnect":
            self.left.set()
        elif self.whole:
            self._watching = asyncio.ensure_future(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.left.set()
        self._gone()

    async def discard_rest(self) -> None:
        """Read what is still to come and forget it, within limits."""
        most = self._size + DISCARDED
        with suppress(TimeoutError):
            async with asyncio.timeout(DISCARDING):
                while not self.whole and self._size < most:
                    self._take(await self._receive())

    def forget(self) -> None:
        """Whether the client leaves is of no interest any more."""
        if self._watching:
            self._watching.cancel()


class Exchange:
    """Around an application: bodies with limits, and work that ends when its client leaves (ClientLeft)."""

    def __init__(self, app: ASGIApp, most_bytes: int, seconds: float) -> None:
        self.app, self.most_bytes, self.seconds = app, most_bytes, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        work = asyncio.current_task()
        assert work is not None
        answered = left = False

        def gone() -> None:
            nonlocal left
            if not answered:
                left = True
                work.cancel()

        body = scope["onmal.body"] = _Body(scope, receive, self.most_bytes, self.seconds, gone)

        async def send_and_discard(message: Message) -> None:
            nonlocal answered
            refused = not body.whole and _has_body(scope)  # before it was there
            if message["type"] == "http.response.start" and refused:
                message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
            elif message["type"] == "http.response.body" and not message.get("more_body"):
                answered = True
                if refused:
                    await send({**message, "more_body": True})  # the answer goes out first
                    await body.discard_rest()
                    message = {"type": "http.response.body"}
            await send(message)

        try:
            await self.app(scope, body.receive, send_and_discard)
        except asyncio.CancelledError:
            if not left or work.uncancel():  # or somebody else cancels it, too
                raise
            raise ClientLeft from None
        finally:
            body.forget()


def _declared(scope: Scope) -> int:
    """The body's length as its client says; 0 where it does not say."""
    length = dict(scope["headers"]).get(b"content-length", b"")
    return int(length[:20]) if length.isdigit() else 0


def _has_body(scope: Scope) -> bool:
    return any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])
