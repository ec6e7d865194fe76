"""Connections, and how many requests: who says nothing keeps nobody out, and nobody has all the room.

uvicorn waits for ever for the head of a request, and where there are as many connections as may be it refuses whoever comes, so that
a few hundred silent sockets would be enough to shut everybody out. Here a silent connection ends after a while, with an answer if it
has begun a request, and at once where a new one needs its place; and what is counted are requests that are under way. Silent is also who
does not read: uvicorn waits for ever until an answer has gone out, also before it closes a connection.

Of uvicorn's two parsers this is the one in C, which takes a third of the other's time but as much of a head as is sent: what has come is
counted here.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter

import httptools
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from onmal.serving.clients import by_address
from onmal.serving.error_bodies import error_body, problem
from onmal.serving.refusals import BodyLate

__all__ = ["Crowd", "connections"]

HEAD_BYTES, PIECE = (
    1 << 16,
    1 << 12,
)  # of a head or of anything else that is not yet whole; and how exactly it is known
AT_ONCE = 16  # requests that a client may send before it has read the answer to the first


class _Bounded(HttpToolsProtocol):
    """uvicorn's, for as much of a head and as many requests in advance as may be."""

    undecided = 0
    """Bytes that have come since something was whole: a head, a piece of a body, a request."""

    def data_received(self, data: bytes) -> None:
        for begin in range(0, len(data), PIECE):
            part = data[begin : begin + PIECE]
            self.undecided += len(part)
            super().data_received(part)
            if self.undecided > HEAD_BYTES and not self.transport.is_closing():
                self.send_400_response("The head of the request is too long.")
            if self.transport.is_closing():
                return

    def on_message_begin(self) -> None:
        if len(self.pipeline) >= AT_ONCE:
            raise httptools.HttpParserError("too many requests in advance")
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self.undecided = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self.undecided = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self.undecided = 0
        super().on_message_complete()


def connections(most: int, seconds: float) -> type[HttpToolsProtocol]:
    """A protocol for uvicorn with at most so many connections, each of which may be silent for so long.

    Silence is before the head of a request is whole, and while nothing is read of an answer. A further connection takes the place of
    the one that has been silent for the longest time.
    """
    silent: dict[HttpToolsProtocol, asyncio.TimerHandle] = {}  # and when it ends; the longest one first

    class Connection(_Bounded):
        unread = 0
        """Bytes of answers that its client had not taken when the silence began."""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if len(self.connections) > most and silent:
                # Rather one that has nothing left to send: who reads an answer slowly is not silent.
                longest = min(silent, key=lambda each: each.transport.get_write_buffer_size() > 0)
                silent.pop(longest).cancel()
                longest.transport.abort()
            self._listen()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._listen()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._listen()

        def pause_writing(self) -> None:
            super().pause_writing()
            self._listen()

        def resume_writing(self) -> None:
            super().resume_writing()
            self._listen()

        def connection_lost(self, exc: Exception | None) -> None:
            self._break_silence()
            super().connection_lost(exc)

        def _listen(self) -> None:
            """Whether a request is under way here now, or silence."""
            if self.cycle and not self.cycle.response_complete and not self.flow.write_paused:
                self._break_silence()
            elif self not in silent:
                self.unread = _unread(self.transport)
                silent[self] = self.loop.call_later(seconds, self._end_silence)

        def _break_silence(self) -> None:
            if end := silent.pop(self, None):
                end.cancel()

        def _end_silence(self) -> None:
            left = _unread(self.transport)
            if left and left >= self.unread:  # closing would wait until it has gone out
                self.transport.abort()
                return
            if not self.unread:
                if self.undecided:  # a part of a head
                    self.transport.write(_answer(BodyLate(seconds)))
                self.timeout_keep_alive_handler()
            self._break_silence()  # it does read; or is about to be closed, when that has gone out
            self._listen()

    return Connection


def _unread(transport: asyncio.Transport) -> int:
    """How many bytes of answers a client has still to take, where some wait here.

    Linux tells how many wait there besides. It takes more only when there is room for many: a slow client seems to stand still between.
    """
    here, socket = transport.get_write_buffer_size(), transport.get_extra_info("socket")
    if not here or not socket or sys.platform != "linux":
        return here
    import fcntl
    import termios

    try:
        there = fcntl.ioctl(socket.fileno(), termios.TIOCOUTQ, bytes(4))
    except OSError:  # what is like Linux does not always know it
        return here
    return here + int.from_bytes(there, sys.byteorder)


def _answer(refusal: BodyLate) -> bytes:
    """To a request whose head is not there, so that no application knows it yet."""
    body = json.dumps(problem("body_late", refusal.message))
    head = (
        f"HTTP/1.1 {refusal.status} Request Timeout",
        "content-type: application/json",
        f"content-length: {len(body)}",
        "connection: close",
    )
    return "\r\n".join((*head, "", body)).encode()


class Crowd:
    """Around an application: at most so many requests are under way, half of them at most from one address; others come again."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self.app, self.most = app, most
        self._under_way: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        address = by_address(scope["client"][0]) if scope.get("client") else ""
        own = self._under_way[address]
        if self._under_way.total() >= self.most or (own and own >= self.most // 2):
            said = "as many requests are under way as may be; try again in 1 s"
            body = error_body(scope["path"], "crowded", said)
            await JSONResponse(body, 503, {"Retry-After": "1"})(scope, receive, send)
            return
        self._under_way[address] += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._under_way[address] -= 1
            if not self._under_way[address]:
                del self._under_way[address]
