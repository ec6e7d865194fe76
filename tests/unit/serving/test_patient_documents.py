"""Documents that were left here and are told to come again: they do, and no longer than a document may take."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from answering import answering
from served import service_of

from onmal.serving.clients import Client, Clients, Limits
from onmal.serving.deepl.left_documents import Document, Left, LeftDocuments
from onmal.serving.document_room import DocumentRoom
from onmal.serving.glossaries import Glossaries
from onmal.serving.refusals import ModelGone, QueueFull, RateExceeded, Refusal, TimeOver, TooManyAtOnce
from onmal.serving.service import Service

TEXT = "친구는 오늘 학교에 간다."


class Clock:
    """Time that passes only where somebody waits for it."""

    def __init__(self) -> None:
        self.now, self.waits = 0.0, list[float]()

    def __call__(self) -> float:
        return self.now

    async def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def service(both_ways: Path, clock: Clock) -> Service:
    service = service_of(both_ways)
    service.clients = Clients(at_once=2, clock=clock)
    return service


@pytest.fixture
def left(service: Service, clock: Clock, tmp_path: Path) -> LeftDocuments:
    return LeftDocuments(
        service, DocumentRoom(), Glossaries(tmp_path / "glossaries"), tmp_path / "documents", clock.wait
    )


def somebody(**limits: int) -> Client:
    return Client("somebody", Limits(characters=100, **limits), has_key=True)


async def leave(left: LeftDocuments, client: Client) -> Document:
    own, key = await left.add(TEXT.encode(), Left("a.txt", client, "ko", "en"), None)
    document = left.find(own, key, client.name)
    assert document
    return document


async def finished(*documents: Document) -> list[str]:
    """What became of them."""
    for each in documents:
        if each.work:
            await each.work
    return [each.status for each in documents]


def play(scene: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(scene(), 60))


def test_leaving_a_document_is_a_request_and_its_translation_no_other(both_ways: Path) -> None:
    with answering(both_ways, requests_per_minute=2) as server:

        def leave() -> Any:
            fields = {"source_lang": "KO", "target_lang": "EN-US"}
            return server.post("/v2/document", files={"file": ("a.txt", b"1")}, data=fields)

        accepted = [leave().json(), leave().json()]
        refused = leave()
        assert refused.status_code == 429
        assert refused.json()["message"] == "Too many requests"
        assert int(refused.headers["retry-after"]) > 0
        for each in accepted:
            path, key = f"/v2/document/{each['document_id']}", {"document_key": each["document_key"]}
            while (said := server.post(path, json=key).json())["status"] in ("queued", "translating"):
                server.tick()
            assert said["status"] == "done"


def test_documents_wait_until_their_client_may_have_so_much_translated(
    left: LeftDocuments, service: Service, clock: Clock
) -> None:
    async def scene() -> None:
        client = somebody(characters_per_minute=len(TEXT))
        documents = [await leave(left, client) for _ in range(12)]
        assert await finished(*documents) == ["done"] * 12
        assert clock.waits == [60] * 11  # in their order, each for its own time alone
        assert service.characters_used(client) == 12 * len(TEXT)

    play(scene)


@pytest.mark.parametrize("refusal", [QueueFull(7), ModelGone("a")])
def test_what_was_counted_is_not_counted_again(
    left: LeftDocuments, service: Service, clock: Clock, monkeypatch: pytest.MonkeyPatch, refusal: Refusal
) -> None:
    translate, refusals = service.dispatcher.translate, [refusal, refusal]

    async def refuse_at_first(*given: Any, **more: Any) -> Any:
        if refusals:
            raise refusals.pop()
        return await translate(*given, **more)

    monkeypatch.setattr(service.dispatcher, "translate", refuse_at_first)

    async def scene() -> None:
        client = somebody(characters_per_minute=1)
        assert await finished(await leave(left, client)) == ["done"]
        assert clock.waits == [refusal.retry_after] * 2
        assert service.characters_used(client) == len(TEXT)

    play(scene)


@pytest.mark.parametrize("refusal", [RateExceeded("characters", 1, 100), TooManyAtOnce(1, 100), TimeOver(1)])
def test_nothing_waits_for_ever(
    left: LeftDocuments, service: Service, clock: Clock, monkeypatch: pytest.MonkeyPatch, refusal: Refusal
) -> None:
    async def refuse(*given: Any, **more: Any) -> Any:
        raise refusal

    monkeypatch.setattr(service.dispatcher, "translate", refuse)

    async def scene() -> None:
        document = await leave(left, somebody())
        assert await finished(document) == ["error"]
        assert document.complaint == refusal.message

    play(scene)
    assert sum(clock.waits) == (0 if isinstance(refusal, TimeOver) else 600)


def test_whoever_waits_keeps_no_place_from_others(
    left: LeftDocuments, service: Service, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a document waits for its client's minute, nothing else waits for it."""

    async def scene() -> None:
        seen = list[str]()

        async def wait(seconds: float) -> None:
            async with left.room.turn(slow):  # also its own, at another API
                seen.append(second.status)
            await clock.wait(seconds)

        left.pause = wait
        slow = somebody(characters_per_minute=len(TEXT))
        first, second = await leave(left, slow), await leave(left, slow)
        assert await finished(first, second) == ["done", "done"]
        assert seen == ["queued"]

    play(scene)
