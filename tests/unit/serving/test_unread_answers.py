"""Answers that nobody reads: little of them waits in memory, and not for ever."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Message
from uvicorn.server import ServerState

from onmal.serving.connections import connections
from onmal.serving.file_answer import PIECE, FileAnswer
from onmal.serving.kept_files import KeptFiles

SECONDS = 30.0
MOST = 1 << 16  # bytes that may wait before a sender is told to pause
ASKED = b"GET / HTTP/1.1\r\nHost: localhost\r\n"


class Timer:
    def __init__(self, call: Any) -> None:
        self.call = call

    def cancel(self) -> None:
        self.call = None


class Clock:
    """An event loop whose timers end when the test says so."""

    def __init__(self) -> None:
        self.timers: list[Timer] = []
        self.create_task = asyncio.get_running_loop().create_task

    def call_later(self, delay: float, call: Any) -> Timer:
        timer = Timer(call)
        if delay == SECONDS:  # those of uvicorn are others
            self.timers.append(timer)
        return timer

    def passes(self) -> None:
        """So much time that silence has been long enough."""
        due, self.timers = self.timers, []
        for timer in due:
            if timer.call:
                timer.call()


class Wire(asyncio.Transport):
    """A connection whose client takes what the test says."""

    def __init__(self, application: ASGIApp) -> None:
        super().__init__()
        config = uvicorn.Config(application, ws="none", log_config=None)
        self.waiting, self.ended, self.clock = 0, "", Clock()
        self.protocol = connections(10, SECONDS)(config, ServerState(), app_state={})
        self.protocol.loop = self.clock  # type: ignore[assignment]
        self.protocol.connection_made(self)

    def write(self, data: Any) -> None:
        self.waiting += len(data)
        if self.waiting > MOST:
            self.protocol.pause_writing()

    def take(self, size: int) -> None:
        self.waiting -= size
        if self.waiting <= MOST // 4:
            self.protocol.resume_writing()

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def is_closing(self) -> bool:
        return bool(self.ended)

    def close(self) -> None:
        self.ended = self.ended or "closed"

    def abort(self) -> None:
        self.ended = "aborted"
        self.protocol.connection_lost(None)

    async def ask(self, *lines: bytes) -> None:
        """A request, and what of its answer goes out unread."""
        self.protocol.data_received(ASKED + b"".join(lines) + b"\r\n")
        for _ in range(100):
            await asyncio.sleep(0)


async def pieces() -> Any:
    for _ in range(100):
        yield bytes(PIECE)


@pytest.mark.parametrize("kind", ["whole", "of a connection that closes", "in pieces"])
def test_who_reads_slowly_is_waited_for_and_who_does_not_read_is_not(kind: str) -> None:
    async def scene() -> None:
        answer = StreamingResponse(pieces()) if kind == "in pieces" else Response(bytes(MOST))
        wire = Wire(answer)
        closing = kind == "of a connection that closes"
        await wire.ask(*[b"Connection: close\r\n"] * closing)
        assert MOST <= wire.waiting <= MOST + 2 * PIECE
        for _ in range(5):
            wire.take(100)
            wire.clock.passes()
            assert wire.ended == ("closed" if closing else "")
        wire.clock.passes()
        assert wire.ended == "aborted"

    asyncio.run(scene())


def test_who_has_read_all_of_an_answer_may_ask_again() -> None:
    async def scene() -> None:
        wire = Wire(StreamingResponse(pieces()))
        await wire.ask()
        while wire.waiting:
            wire.take(wire.waiting)
            wire.clock.passes()
            for _ in range(10):
                await asyncio.sleep(0)
        assert not wire.ended
        await wire.ask()
        assert wire.waiting
        wire.abort()

    asyncio.run(scene())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what waits in the system")
def test_who_takes_something_is_seen_to_even_where_nothing_more_goes_out() -> None:
    async def scene() -> None:
        wire = Wire(Response(bytes(MOST)))
        here, there = socket.socketpair()
        with here, there:
            wire._extra["socket"] = here  # type: ignore[attr-defined]
            here.sendall(bytes(1000))
            await wire.ask()
            there.recv(1000)
            wire.clock.passes()
            assert not wire.ended
            wire.clock.passes()
            assert wire.ended == "aborted"

    asyncio.run(scene())


@pytest.fixture
def files() -> Iterator[KeptFiles]:
    kept = KeptFiles()
    yield kept
    kept.close()


def test_a_file_goes_out_in_pieces_and_is_sent_when_it_has(files: KeptFiles) -> None:
    content = bytes(range(256)) * 1000
    sizes: list[int] = []
    sent: list[bytes] = []

    async def scene() -> None:
        file = files.open(files.keep(content, owner="a"))
        assert file
        answer = FileAnswer(file, "글.txt", lambda: sent.append(b"".join(got)))
        got: list[bytes] = []

        async def send(message: Message) -> None:
            if message["type"] == "http.response.body":
                sizes.append(len(message.get("body", b"")))
                got.append(message.get("body", b""))

        await answer({}, None, send)  # type: ignore[arg-type]
        assert file.closed
        assert answer.headers["content-length"] == str(len(content))

    asyncio.run(scene())
    assert sent == [content]
    assert max(sizes) == PIECE


def test_a_file_that_has_not_gone_out_was_not_sent(files: KeptFiles) -> None:
    async def gone(message: Message) -> None:
        raise asyncio.CancelledError

    file, sent = files.open(files.keep(b"a", owner="a")), list[int]()
    assert file
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(FileAnswer(file, "a.txt", lambda: sent.append(1))({}, None, gone))  # type: ignore[arg-type]
    assert file.closed
    assert not sent
