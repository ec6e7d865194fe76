"""What each API says of the same refusal, in a body and with a status that its clients know."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from served import Ask, ask, service_of
from starlette.requests import Request
from starlette.responses import Response

from onmal.errors import LanguageError
from onmal.serving import deepl, libretranslate
from onmal.serving.kept_files import Full
from onmal.serving.refusals import (
    BodyLate,
    KeyMissing,
    KeyWrong,
    ModelGone,
    QueueFull,
    RateExceeded,
    TimeOver,
    TooLarge,
    TooManyAtOnce,
)

REQUEST = Request({"type": "http", "method": "POST", "headers": [], "query_string": b""})


def answered(worded: object, error: Exception) -> Response:
    """What an API answers where a route raises this."""

    async def route(request: Request) -> Response:
        raise error

    return asyncio.run(worded(route)(REQUEST))  # type: ignore[operator]


@pytest.mark.parametrize(
    ("error", "libre", "says", "deep"),
    [
        (KeyMissing(), 400, "Please contact the server operator to get an API key", 403),
        (KeyWrong(), 403, "Invalid API key", 403),
        (TooLarge("text", 7, 5), 400, "Invalid request: request (7) exceeds text limit (5)", 413),
        (TooLarge("batch", 7, 5), 400, "Invalid request: request (7) exceeds text limit (5)", 413),
        (TooLarge("body", 7, 5), 413, "7 bytes", 413),
        (RateExceeded("requests", 20, 9), 429, "Slowdown: 20 per 1 minute", 429),
        (RateExceeded("characters", 20, 9), 429, "Slowdown: 20 characters per 1 minute", 429),
        (TooManyAtOnce(4), 429, "Slowdown: 4 at once", 429),
        (QueueFull(3), 503, "too much is waiting", 503),
        (TimeOver(60), 504, "not translated within 60 s", 504),
        (BodyLate(30), 408, "not arrived whole", 408),
        (ModelGone("ko-en"), 503, "cannot be loaded now", 503),
        (Full(), 503, "Too many files", 429),
        (LanguageError("no model here translates to 'x'"), 400, "no model here", 400),
    ],
)
def test_each_refusal_has_its_status_and_words(error: Exception, libre: int, says: str, deep: int) -> None:
    answer = answered(libretranslate._worded, error)
    body = json.loads(answer.body)
    assert (answer.status_code, set(body)) == (libre, {"error"})
    assert says in body["error"]
    other = answered(deepl.worded, error)
    assert other.status_code == deep
    assert set(json.loads(other.body)) == {"message", "detail"}
    if wait := getattr(error, "retry_after", 0):
        assert answer.headers["retry-after"] == other.headers["retry-after"] == str(wait)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/translate", {"text": "가", "target": "en"}),
        ("/translate", {"q": "가", "source": "ko", "target": "en"}),
        ("/v2/translate", {"text": ["가"], "target_lang": "EN"}),
    ],
)
def test_where_the_servers_own_files_are_is_told_to_its_operator_alone(
    path: str, body: dict[str, Any], both_ways: Path, tmp_path: Path
) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text("damaged while the server runs", "utf-8")
    reported: list[str] = []

    async def scene(client: Ask) -> None:
        answer = await client.post(path, json=body, headers={"authorization": "Bearer any"})
        assert answer.status_code == 500
        assert keys.name not in answer.text

    ask(service_of(both_ways, keys=str(keys)), scene, report=reported.append)
    assert str(keys) in reported[0]
