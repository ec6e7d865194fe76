"""Connections that say nothing, and requests that are too many: neither shuts others out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest
import uvicorn
from served import service_of
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from onmal.serving import app
from onmal.serving.connections import AT_ONCE, HEAD_BYTES, PIECE, connections
from onmal.serving.observing import HEADERS

HALF = b"GET / HTTP/1.1\r\nHost: local"
WHOLE = HALF + b"host\r\n\r\n"
LONG = 600.0  # seconds, which no test takes


class Line:
    """One connection to a server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self) -> bytes:
        self.writer.write(WHOLE)
        return await self.reader.readuntil(b"here")

    async def rest(self) -> bytes:
        """What comes until it is closed."""
        return await self.reader.read()

    async def close(self) -> None:
        self.writer.close()
        with suppress(OSError):  # closed by the server before
            await self.writer.wait_closed()


class Waiting:
    """An application whose answers wait at a gate."""

    def __init__(self) -> None:
        self.reached, self.gate = asyncio.Event(), asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.reached.set()
        await self.gate.wait()
        await PlainTextResponse("here")(scope, receive, send)


@asynccontextmanager
async def listening(
    application: Waiting, most: int, seconds: float
) -> AsyncGenerator[Callable[[], Awaitable[Line]]]:
    """Makes connections to a server of the application, and closes them at the end."""
    protocol = connections(most, seconds)
    config = uvicorn.Config(application, http=protocol, ws="none", log_config=None)
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: protocol(config, state, app_state={}), "127.0.0.1", 0
    )
    async with AsyncExitStack() as stack:

        async def connect() -> Line:
            line = Line(*await asyncio.open_connection(*server.sockets[0].getsockname()))
            stack.push_async_callback(line.close)
            return line

        yield connect
    server.close()
    while state.connections:
        await asyncio.sleep(0.001)


def play(scene: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(30):
            await scene()

    asyncio.run(main())


@pytest.mark.parametrize("sent", [b"", HALF])
@pytest.mark.parametrize("requests_before", [0, 1])
def test_a_connection_without_a_whole_head_ends_in_time_and_is_told_why(
    sent: bytes, requests_before: int
) -> None:
    async def scene() -> None:
        application = Waiting()
        application.gate.set()
        async with listening(application, most=10, seconds=0.2) as connect:
            line = await connect()
            for _ in range(requests_before):
                assert (await line.ask()).startswith(b"HTTP/1.1 200 OK")
            line.writer.write(sent)
            answer = await line.rest()
            if not sent:
                assert answer == b""
                return
            head, _, body = answer.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 408 ")
            assert b"connection: close" in head.lower()
            assert json.loads(body)["error"]["code"] == "body_late"

    play(scene)


BODY = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1"


@pytest.mark.parametrize("requests_before", [0, 1])
@pytest.mark.parametrize(
    ("begun", "more"),
    [
        (b"GET /", b"a"), (b"GET / HTTP/1.1\r\n", b"A: b\r\n"), (b"GET / HTTP/1.1\r\nA: ", b"a"),
        (b"GET / HTTP/1.1\r\n", b"a"), (b"", b"\r\n"), (BODY, b";a=b"), (BODY + b"\r\na\r\n0\r\n", b"A: b\r\n"),
    ],
    ids=["address", "lines", "line", "name", "blank lines", "name of a chunk", "lines after a body"],
)  # fmt: skip
def test_what_never_becomes_whole_is_not_kept(begun: bytes, more: bytes, requests_before: int) -> None:
    async def scene() -> None:
        application = Waiting()
        async with listening(application, most=10, seconds=LONG) as connect:
            application.gate.set()
            line = await connect()
            for _ in range(requests_before):
                await line.ask()
            application.gate.clear()
            line.writer.write(begun + more * ((HEAD_BYTES + 2 * PIECE) // len(more)))
            assert (await line.rest()).startswith(b"HTTP/1.1 400 ")
            application.gate.set()

    play(scene)


def test_a_head_may_be_long_and_a_body_longer() -> None:
    async def scene() -> None:
        application = Waiting()
        application.gate.set()
        async with listening(application, most=10, seconds=LONG) as connect:
            line = await connect()
            for _ in range(3):
                line.writer.write(
                    b"GET / HTTP/1.1\r\nA: " + b"a" * (HEAD_BYTES - 100) + b"\r\nHost: here\r\n\r\n"
                )
                assert (await line.reader.readuntil(b"here")).startswith(b"HTTP/1.1 200 OK")
                line.writer.write(BODY + b"00000\r\n" + b"a" * (1 << 20) + b"\r\n0\r\n\r\n")
                assert (await line.reader.readuntil(b"here")).startswith(b"HTTP/1.1 200 OK")

    play(scene)


def test_a_few_requests_may_be_sent_in_advance() -> None:
    async def scene() -> None:
        application = Waiting()
        async with listening(application, most=10, seconds=LONG) as connect:
            line, hasty = await connect(), await connect()
            line.writer.write(WHOLE * AT_ONCE)
            hasty.writer.write(WHOLE * (AT_ONCE + 2))
            assert (await hasty.rest()).startswith(b"HTTP/1.1 400 ")
            application.gate.set()
            for _ in range(AT_ONCE):
                assert (await line.reader.readuntil(b"here")).startswith(b"HTTP/1.1 200 OK")

    play(scene)


def test_a_request_may_take_longer_than_its_head() -> None:
    async def scene() -> None:
        application = Waiting()
        async with listening(application, most=10, seconds=0.2) as connect:
            slow, silent = await connect(), await connect()
            answer = asyncio.ensure_future(slow.ask())
            await application.reached.wait()
            assert await silent.rest() == b""
            application.gate.set()
            assert (await answer).startswith(b"HTTP/1.1 200 OK")

    play(scene)


def test_who_comes_takes_the_place_of_the_longest_silence() -> None:
    async def scene() -> None:
        application = Waiting()
        async with listening(application, most=3, seconds=LONG) as connect:
            working = await connect()
            answer = asyncio.ensure_future(working.ask())
            await application.reached.wait()
            first, second, third, fourth = [await connect() for _ in range(4)]
            assert await first.rest() == b""
            assert await second.rest() == b""
            application.gate.set()
            for each in (third, fourth, working):
                assert (await (answer if each is working else each.ask())).startswith(b"HTTP/1.1 200 OK")

    play(scene)


def test_what_is_too_much_at_once_is_refused_as_everything_is(
    both_ways: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting, lines = Waiting(), list[str]()

    async def wait(request: Request) -> Response:
        waiting.reached.set()
        await waiting.gate.wait()
        return PlainTextResponse("here")

    monkeypatch.setattr(app, "page_routes", lambda: [Route("/wait", wait)])
    built = app.build(service_of(both_ways, connections=4), log=lines.append)

    def client(address: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(built, client=(address, 1))
        return httpx.AsyncClient(transport=transport, base_url="http://localhost")

    async def scene() -> None:
        async with client("192.0.2.1") as one, client("192.0.2.2") as two, client("192.0.2.3") as three:
            under_way = []
            for who in (one, one, two, two):
                under_way.append(asyncio.ensure_future(who.get("/wait")))
                await waiting.reached.wait()
                waiting.reached.clear()
                if len(under_way) == 2:
                    refused = await one.get("/health")  # half of them are its own
                    assert (await two.get("/health")).status_code == 200
                    assert refused.status_code == 503
                    assert refused.headers["retry-after"] == "1"
                    assert refused.json()["error"]["code"] == "crowded"
                    assert (
                        HEADERS.items() <= {name: refused.headers[name.lower()] for name in HEADERS}.items()
                    )
                    assert json.loads(lines[-2])["status"] == 503
            assert (await three.get("/health")).status_code == 503
            waiting.gate.set()
            assert [(await each).status_code for each in under_way] == [200] * 4
            assert (await one.get("/health")).status_code == 200

    play(scene)
