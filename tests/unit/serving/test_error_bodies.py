"""Whatever layer refuses a request, its client finds the error where its API has it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from served import Ask, ask, service_of
from starlette.routing import Route

from onmal.serving import libretranslate
from onmal.serving.app import build
from onmal.serving.connections import Crowd
from onmal.serving.document_room import DocumentRoom
from onmal.serving.error_bodies import LIBRETRANSLATE, error_body
from onmal.serving.service import Service

PATHS = {
    "/v1/translate": {"text": "가", "target": "en"},
    "/translate": {"q": "가", "source": "ko", "target": "en"},
    "/v2/translate": {"text": "가", "target_lang": "EN-US"},
    "/deepl/v2/translate": {"text": "가", "target_lang": "EN-US"},
}


def check(path: str, body: Any) -> None:
    """An error as clients of that path's API read it."""
    if path == "/v1/translate":
        assert set(body["error"]) == {"code", "message"}
    elif path == "/translate":
        assert set(body) == {"error"}
        assert isinstance(body["error"], str)
    else:
        assert set(body) == {"message", "detail"}
        assert body["message"]


@pytest.fixture
def service(both_ways: Path) -> Service:
    return service_of(both_ways)


def test_every_path_of_libretranslate_is_known(service: Service) -> None:
    room = DocumentRoom()
    served = [each.path for each in libretranslate.routes(service, room) if isinstance(each, Route)]
    room.close()
    assert {each.removesuffix("/{name:path}") for each in served} == set(LIBRETRANSLATE)


def test_a_path_is_not_taken_for_another_that_begins_like_it() -> None:
    for path in ("/v20", "/translated", "/v1/languages", "/", "/deepl.html"):
        assert set(error_body(path, "a", "b")["error"]) == {"code", "message"}
    assert error_body("/download_file/x", "a", "b") == {"error": "b"}
    assert error_body("/v3/glossaries", "a", "b") == {"message": "b", "detail": ""}


@pytest.mark.parametrize("path", PATHS)
def test_refusals_of_the_layers_around_an_api(both_ways: Path, path: str) -> None:
    async def scene(client: Ask) -> None:
        host = await client.post(path, json=PATHS[path], headers={"host": "evil.example"})
        origin = await client.post(path, json=PATHS[path], headers={"origin": "https://evil.example"})
        method = await client.request("OPTIONS", path)
        assert [each.status_code for each in (host, origin, method)] == [421, 403, 405]
        for answer in (host, origin, method):
            check(path, answer.json())

    ask(service_of(both_ways), scene)


@pytest.mark.parametrize("path", PATHS)
def test_too_many_requests(service: Service, path: str) -> None:
    async def scene() -> None:
        transport = httpx.ASGITransport(Crowd(build(service), most=0))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            answer = await client.post(path, json=PATHS[path])
            assert answer.status_code == 503
            check(path, answer.json())

    asyncio.run(scene())


@pytest.mark.parametrize("path", PATHS)
def test_a_slip_of_ours(service: Service, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def slip(*given: Any, **more: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(service, "translate", slip)

    async def scene(client: Ask) -> None:
        answer = await client.post(path, json=PATHS[path])
        assert answer.status_code == 500
        check(path, answer.json())

    ask(service, scene, report=lambda line: None)
