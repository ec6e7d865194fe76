"""Documents that are left at DeepL's API: none is lost, none is one too many, and they outlive a stop."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from served import load_in_torch, service_of

from onmal.serving.app import build
from onmal.serving.clients import Client, Limits
from onmal.serving.deepl import left_documents
from onmal.serving.deepl.left_documents import Left, LeftDocuments
from onmal.serving.document_room import DocumentRoom
from onmal.serving.glossaries import Glossaries
from onmal.serving.kept_files import Full, KeptFiles
from onmal.serving.service import Service

SOMEBODY = Client("somebody", Limits(characters=100), has_key=True)
KOREAN = "친구는 오늘 학교에 간다."
LEFT = Left("글.txt", SOMEBODY, "ko", "en")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def service(both_ways: Path) -> Service:
    return service_of(both_ways)


def started(service: Service, state: Path) -> LeftDocuments:
    """The documents of a server that starts."""
    return LeftDocuments(service, DocumentRoom(), Glossaries(state / "glossaries"), state / "documents")


def play(scene: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(scene(), 60))


async def fetch(left: LeftDocuments, own: str, key: str) -> bytes:
    document = left.find(own, key, "somebody")
    assert document
    file = await left.open(document)
    assert file
    with file:
        return file.read()


async def finished(left: LeftDocuments, own: str, key: str) -> str:
    """The status of a document that is no longer being translated."""
    document = left.find(own, key, "somebody")
    assert document
    if document.work:
        await document.work
    return document.status


def test_no_more_are_taken_than_may_be_however_quickly_they_come(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(left_documents, "MOST_OF_ONE", 2)

    async def scene() -> None:
        left = started(service, tmp_path)
        tries = (left.add(b"1", LEFT, None) for _ in range(5))
        found = await asyncio.gather(*tries, return_exceptions=True)
        assert [isinstance(each, Full) for each in found] == [False, False, True, True, True]

    play(scene)


def test_what_could_not_be_kept_takes_no_place(service: Service, tmp_path: Path) -> None:
    async def scene() -> None:
        left = started(service, tmp_path)
        left.room.files = KeptFiles(most_bytes=1)
        for _ in range(left_documents.MOST_OF_ONE + 1):
            with pytest.raises(Full):
                await left.add(b"12", LEFT, None)
        await left.add(b"1", LEFT, None)

    play(scene)


def test_a_document_waits_for_its_turn_however_long_and_then_has_its_time(
    service: Service, tmp_path: Path
) -> None:
    async def scene() -> None:
        left, clock = started(service, tmp_path), Clock()
        left.room.files = KeptFiles(lifetime=60, clock=clock)
        async with left.room.turn(SOMEBODY):
            own, key = await left.add("혼자".encode(), LEFT, None)
            clock.now = 1_000
        assert await finished(left, own, key) == "done"
        clock.now = 1_059
        assert await fetch(left, own, key)

    play(scene)


def test_a_document_whose_file_is_gone_is_no_empty_one(service: Service, tmp_path: Path) -> None:
    async def scene() -> None:
        left = started(service, tmp_path)
        own, key = await left.add("혼자".encode(), LEFT, None)
        document = left.find(own, key, "somebody")
        assert document
        left.room.files.remove(document.file)
        assert await finished(left, own, key) == "error"
        assert "send it again" in document.complaint

    play(scene)


def test_what_was_left_is_there_again_when_the_server_is(
    service: Service, tmp_path: Path, both_ways: Path
) -> None:
    folder, told = tmp_path / "documents", list[str]()
    ids: list[tuple[str, str]] = []

    async def first() -> None:
        left = started(service, tmp_path)
        with left.kept_across_stops(told.append):
            ids.append(await left.add("혼자".encode(), LEFT, None))
            assert await finished(left, *ids[0]) == "done"
            ids.append(await left.add(KOREAN.encode(), LEFT, None))
            broken = await left.add(b"\x00\xff", LEFT, None)
            assert await finished(left, *broken) == "error"
            ids.append(broken)
            ids.append(await left.add(KOREAN.encode(), LEFT, None))  # its turn has not come

    async def second() -> None:
        left = started(service, tmp_path)
        with left.kept_across_stops(told.append):
            assert not list(folder.iterdir())
            statuses = [await finished(left, *each) for each in ids]
            assert statuses == ["done", "done", "error", "done"]
            says = load_in_torch(both_ways).translate(["혼자", KOREAN], to="en")
            fetched = [await fetch(left, *ids[number]) for number in (0, 1, 3)]
            assert fetched == [says[0].text.encode(), *[says[1].text.encode()] * 2]
            for number in (0, 1, 3):
                left.remove(ids[number][0])
        assert {each.stem for each in folder.iterdir()} == {ids[2][0]}

    play(first)
    assert folder.stat().st_mode & 0o077 == 0
    play(second)
    assert told == []


def test_what_is_no_document_is_told_and_passed_over(service: Service, tmp_path: Path) -> None:
    (tmp_path / "documents").mkdir()
    for name, content in (("a", "{"), ("b", "[]"), ("c", '{"left": {}}'), ("d", "{}")):
        (tmp_path / "documents" / f"{name}.json").write_text(content)
        (tmp_path / "documents" / name).touch()
    told: list[str] = []

    async def scene() -> None:
        with started(service, tmp_path).kept_across_stops(told.append):
            assert len(told) == 4

    play(scene)


def test_a_document_whose_glossary_was_deleted_is_not_translated_without_it(
    service: Service, tmp_path: Path
) -> None:
    ids: list[tuple[str, str]] = []

    async def first() -> None:
        left = started(service, tmp_path)
        made = left.glossaries.add("somebody", "a", "ko", "en", [("학교", "Academy")])
        with left.kept_across_stops(print):
            asked = Left("a.txt", SOMEBODY, "ko", "en", made.id)
            ids.append(await left.add(KOREAN.encode(), asked, made.glossary))
        left.glossaries.remove(made)

    async def second() -> None:
        left = started(service, tmp_path)
        with left.kept_across_stops(print):
            assert await finished(left, *ids[0]) == "error"

    play(first)
    play(second)


def test_the_application_keeps_them_when_it_stops_and_its_files_go(
    both_ways: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    folders: list[Path] = []

    async def request(path: str, **asked: Any) -> httpx.Response:
        """Asked of an application that starts for this request alone."""
        service = service_of(both_ways, state=str(tmp_path))
        app = build(service, lifespan=noting_its_folder)
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                return await client.post(path, **asked)

    @asynccontextmanager
    async def noting_its_folder(app: Any) -> AsyncGenerator[None]:
        yield
        folders.extend(Path(tempfile.gettempdir()).glob("onmal-*"))

    async def scene() -> None:
        asked = {"source_lang": "KO", "target_lang": "EN-US"}
        left = (await request("/v2/document", files={"file": ("a.txt", b"1")}, data=asked)).json()
        key = {"document_key": left["document_key"]}
        status = await request(f"/v2/document/{left['document_id']}", json=key)
        assert status.json()["status"] == "done"
        fetched = await request(f"/v2/document/{left['document_id']}/result", json=key)
        assert fetched.content == b"1"

    play(scene)
    assert folders
    assert not any(each.exists() for each in folders)
