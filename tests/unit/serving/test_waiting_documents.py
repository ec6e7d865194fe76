"""Documents whose turn has not come: on the disk, within limits, and gone with whoever sent them."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest
from served import service_of

from onmal.serving import app
from onmal.serving.clients import Client, Limits
from onmal.serving.document_room import DocumentRoom
from onmal.serving.kept_files import Full, KeptFiles

CONTENT = b"123\n" * 100
HERE = "192.0.2.1"


class Watched(KeptFiles):
    """Tells what is kept, and when."""

    def __init__(self, **limits: int) -> None:
        super().__init__(**limits)
        self.contents, self.kept, self.gate = list[bytes](), Event(), Event()
        self.gate.set()

    def keep(self, content: bytes, *given: Any, **more: Any) -> str:
        self.contents.append(content)
        try:
            return super().keep(content, *given, **more)
        finally:
            self.kept.set()
            self.gate.wait(30)

    def on_disk(self) -> list[bytes]:
        return [each.read_bytes() for each in self.folder.iterdir()]


def play(scene: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(scene(), 20))


def test_a_file_waits_on_the_disk_and_more_than_may_wait_there_is_refused(
    both_ways: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = service_of(both_ways)

    async def scene() -> None:
        room, files = DocumentRoom(), Watched(most_of_one=2 * len(CONTENT) - 1)
        room.files = files
        monkeypatch.setattr(app, "DocumentRoom", lambda: room)
        transport = httpx.ASGITransport(app.build(service), client=(HERE, 1))
        settings = service.settings
        own = Client(HERE, Limits(settings.characters))

        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:

            async def send() -> httpx.Response:
                asked = {"source": "ko", "target": "en"}
                return await client.post("/translate_file", files={"file": ("a.txt", CONTENT)}, data=asked)

            async with room.turn(own):
                first = asyncio.ensure_future(send())
                assert await asyncio.to_thread(files.kept.wait, 30)
                refused = await send()
                assert refused.status_code == 503
                assert int(refused.headers["retry-after"]) > 0
                assert files.on_disk() == [CONTENT]
                waiting = files.contents[0]
                files.contents.clear()
                while sys.getrefcount(waiting) > 2:  # somebody else than this test holds it still
                    await asyncio.sleep(0)
                assert not first.done()
            answer = await first
            assert answer.status_code == 200
            fetched = await client.get(answer.json()["translatedFileUrl"])
            assert fetched.content == CONTENT
            assert len(files.on_disk()) == 1  # the translation, and no longer what it is of
        room.close()

    play(scene)


def test_nothing_stays_of_what_a_client_sent_that_has_gone() -> None:
    async def scene() -> None:
        room, files = DocumentRoom(), Watched()
        room.files = files
        files.gate.clear()
        keeping = asyncio.ensure_future(room.keep(CONTENT, owner="a"))
        await asyncio.to_thread(files.kept.wait)
        assert files.on_disk() == [CONTENT]
        keeping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await keeping
        files.gate.set()
        while files.on_disk():
            await asyncio.sleep(0)
        room.close()

    play(scene)


def test_whose_file_there_is_no_room_for_is_told() -> None:
    async def scene() -> None:
        room = DocumentRoom()
        room.files = KeptFiles(most_bytes=1)
        with pytest.raises(Full):
            await room.keep(CONTENT, owner="a")
        room.close()

    play(scene)
