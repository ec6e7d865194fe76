"""Bodies that are too large or never end, and clients that leave, as ASGI tells of them."""

from __future__ import annotations

import asyncio

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from onmal.serving.exchange import ClientLeft, Exchange, allow_body
from onmal.serving.refusals import BodyLate, Refusal

MOST = 100


async def count(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers how many bytes the body had."""
    try:
        body = await Request(scope, receive).body()
        answer = PlainTextResponse(str(len(body)))
    except Refusal as refusal:
        answer = PlainTextResponse(refusal.message, refusal.status)
    await answer(scope, receive, send)


def chunk(body: bytes, more: bool = True) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


GONE: Message = {"type": "http.disconnect"}


class Connection:
    """Sends some messages, then nothing; keeps what comes back."""

    def __init__(self, *messages: Message, headers: dict[str, str] | None = None) -> None:
        self.messages = list(messages)
        self.sent: list[Message] = []
        raw = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
        self.scope: Scope = {
            "type": "http",
            "method": "POST",
            "path": "/",
            "query_string": b"",
            "headers": raw,
        }

    async def receive(self) -> Message:
        if not self.messages:
            await asyncio.Event().wait()
        return self.messages.pop(0)

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    def play(self, app: ASGIApp, seconds: float = 30) -> None:
        asyncio.run(Exchange(app, MOST, seconds)(self.scope, self.receive, self.send))

    @property
    def answer(self) -> tuple[int, str]:
        body = b"".join(message.get("body", b"") for message in self.sent)
        return self.sent[0]["status"], body.decode()


def test_a_body_within_the_limit_arrives_as_it_is() -> None:
    connection = Connection(chunk(b"a" * 60), chunk(b"b" * 40, more=False))
    connection.play(count)
    assert connection.answer == (200, "100")


def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_read() -> None:
    chunks = [chunk(b"a" * 50), chunk(b"a" * 51, more=False)]
    connection = Connection(*chunks, headers={"content-length": "101"})
    connection.play(count)
    assert connection.answer[0] == 413
    assert "100 allowed" in connection.answer[1]


def test_a_body_that_grows_too_large_is_refused_on_the_way_and_read_to_its_end() -> None:
    connection = Connection(
        *[chunk(b"a" * 60)] * 5, chunk(b"", more=False), headers={"transfer-encoding": "chunked"}
    )
    connection.play(count)
    assert connection.answer[0] == 413
    assert (b"connection", b"close") in connection.sent[0]["headers"]
    assert not connection.messages  # so that the client stops sending, and reads why
    assert connection.sent[-2]["more_body"]  # it was answered before


def test_a_route_can_allow_more() -> None:
    async def generous(scope: Scope, receive: Receive, send: Send) -> None:
        allow_body(Request(scope), 1000)
        await count(scope, receive, send)

    connection = Connection(chunk(b"a" * 500, more=False), headers={"content-length": "500"})
    connection.play(generous)
    assert connection.answer == (200, "500")


def test_half_a_body_is_not_waited_for_longer_than_allowed() -> None:
    refused: list[Exception] = []

    async def wait(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await Request(scope, receive).body()
        except BodyLate as late:
            refused.append(late)

    Connection(chunk(b"half"), headers={"content-length": "50"}).play(wait, seconds=0.05)
    assert [type(each) for each in refused] == [BodyLate]


def test_a_client_that_leaves_amid_its_body() -> None:
    with pytest.raises(ClientDisconnect):
        Connection(chunk(b"half"), GONE, headers={"content-length": "50"}).play(count_or_fail)


async def count_or_fail(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse(str(len(await Request(scope, receive).body())))(scope, receive, send)


def test_work_for_a_client_that_left_is_cancelled() -> None:
    ends: list[str] = []

    async def work(scope: Scope, receive: Receive, send: Send) -> None:
        await Request(scope, receive).body()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ends.append("cancelled")
            raise

    with pytest.raises(ClientLeft):
        Connection(chunk(b"whole", more=False), GONE).play(work)
    assert ends == ["cancelled"]


def test_work_that_somebody_else_cancels_has_no_client_that_left() -> None:
    async def scene() -> None:
        reached = asyncio.Event()

        async def work(scope: Scope, receive: Receive, send: Send) -> None:
            await Request(scope, receive).body()
            reached.set()
            await asyncio.Event().wait()

        connection = Connection(chunk(b"whole", more=False))
        working = asyncio.ensure_future(
            Exchange(work, MOST, 30)(connection.scope, connection.receive, connection.send)
        )
        await reached.wait()
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working

    asyncio.run(scene())


def test_a_client_that_leaves_with_its_answer_cancels_nothing() -> None:
    ends: list[str] = []

    class Leaving(Connection):
        async def send(self, message: Message) -> None:
            await super().send(message)
            if not message.get("more_body", True):
                self.left.set()

        async def receive(self) -> Message:
            if self.messages:
                return self.messages.pop(0)
            await self.left.wait()
            return GONE

    async def answer_and_go_on(scope: Scope, receive: Receive, send: Send) -> None:
        await count(scope, receive, send)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        ends.append("finished")

    connection = Leaving(chunk(b"whole", more=False))

    async def scene() -> None:
        connection.left = asyncio.Event()
        await Exchange(answer_and_go_on, MOST, 30)(connection.scope, connection.receive, connection.send)

    asyncio.run(scene())
    assert ends == ["finished"]


def test_errors_of_the_application_go_on_up() -> None:
    async def fail(scope: Scope, receive: Receive, send: Send) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Connection(chunk(b"", more=False)).play(fail)
