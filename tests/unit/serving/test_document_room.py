"""Documents wait for their turn, and nobody's many documents keep others waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from onmal.serving.clients import Client, Limits
from onmal.serving.document_room import AT_ONCE, DocumentRoom, check_size
from onmal.serving.refusals import TooLarge


def client(name: str) -> Client:
    return Client(name, Limits(characters=100))


class Taken:
    """Turns that are kept until they are given back, and whose they are, in the order in which they came."""

    def __init__(self) -> None:
        self.room = DocumentRoom()
        self.names: list[str] = []
        self.given_back = asyncio.Event()

    async def take(self, name: str) -> None:
        async with self.room.turn(client(name)):
            self.names.append(name)
            await self.given_back.wait()


def play(names: str, scene: Callable[[Taken], Awaitable[None]]) -> None:
    async def main() -> None:
        taken = Taken()
        async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
            for name in names:
                tasks.create_task(taken.take(name))
            for _ in range(10 * len(names)):  # whoever can go on has gone on
                await asyncio.sleep(0)
            await scene(taken)
            taken.given_back.set()
        assert sorted(taken.names) == sorted(names)
        taken.room.close()

    asyncio.run(main())


def test_one_document_of_each_client_is_translated_at_a_time() -> None:
    async def scene(taken: Taken) -> None:
        assert taken.names == ["a", "b"]

    play("aaaab", scene)


def test_only_so_many_documents_are_translated_at_a_time() -> None:
    async def scene(taken: Taken) -> None:
        assert len(taken.names) == AT_ONCE

    play("abcdefgh", scene)


def test_a_text_that_has_more_bytes_than_its_characters_may_have_is_not_read() -> None:
    check_size("가나".encode("utf-32"), "a.txt", 3)
    check_size(bytes(100), "a.DOCX", 3)
    with pytest.raises(TooLarge):
        check_size(bytes(13), "a.txt", 3)
