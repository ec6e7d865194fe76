"""What holds for every route: headers, host names, the access log, metrics, and no traceback for anybody."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from served import Ask, ask, service_of
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from onmal.serving import app, page_files
from onmal.serving.keys import KeyFile
from onmal.serving.metrics import Metrics
from onmal.serving.observing import HEADERS
from onmal.serving.service import Service

SECRET = "비밀이 많은 글"


@pytest.fixture
def service(both_ways: Path) -> Service:
    return service_of(both_ways)


def test_every_answer_has_the_security_headers(service: Service) -> None:
    async def scene(client: Ask) -> None:
        for answer in (
            await client.get("/health"),
            await client.get("/nowhere"),
            await client.post("/v1/translate", content=b"{"),
            await client.post("/v1/translate", content=b"x" * 600_000),
            await client.get("/health", headers={"host": "evil.example"}),
        ):
            assert HEADERS.items() <= {
                name.title(): value for name, value in answer.headers.items()
            }.items() or all(answer.headers[name] == value for name, value in HEADERS.items())
            if answer.status_code >= 400:
                assert set(answer.json()) == {"error"}

    ask(service, scene)
    assert "default-src 'self'" in HEADERS["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in HEADERS["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:5000", 200),
        ("127.0.0.1:5000", 200),
        ("[::1]:5000", 200),
        ("192.168.1.7", 200),
        ("translate.example.org", 200),
        ("evil.example", 421),
        ("localhost.evil.example:5000", 421),
        ("127.0.0.1.evil.example", 421),
        ("", 421),
    ],
)
def test_a_page_that_gave_its_name_our_address_is_refused(both_ways: Path, host: str, status: int) -> None:
    async def scene(client: Ask) -> None:
        assert (await client.get("/health", headers={"host": host})).status_code == status

    ask(service_of(both_ways, names=["translate.example.org"]), scene)


def test_other_sites_may_ask_only_where_they_are_named(both_ways: Path) -> None:
    asking = {"origin": "https://example.org", "access-control-request-method": "POST"}

    async def refused(client: Ask) -> None:
        answer = await client.options("/v1/translate", headers=asking)
        assert "access-control-allow-origin" not in answer.headers

    async def allowed(client: Ask) -> None:
        answer = await client.options("/v1/translate", headers=asking)
        assert answer.headers["access-control-allow-origin"] == "https://example.org"
        other = await client.get("/health", headers={"origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers

    ask(service_of(both_ways), refused)
    ask(service_of(both_ways, cors_origins=["https://example.org"]), allowed)


HERE, THERE = "http://localhost", "https://example.org"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),  # a program
        ({"origin": HERE}, 200),
        ({"origin": THERE}, 403),
        ({"origin": f"{HERE}:3000"}, 200),  # perhaps a proxy has left the port away
        ({"origin": f"{HERE}:3000", "host": "localhost:5000"}, 403),
        ({"origin": f"{HERE}:5000", "host": "localhost:5000"}, 200),
        ({"origin": "null"}, 403),
        ({"origin": "https://[", "host": "127.0.0.1"}, 403),
        ({"origin": THERE, "sec-fetch-site": "same-origin"}, 200),  # a proxy has put another host in
        ({"origin": THERE, "sec-fetch-site": "cross-site"}, 403),
        ({"origin": f"{HERE}:3000", "sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "none"}, 200),
    ],
)
def test_what_another_site_s_page_sends_changes_nothing(
    both_ways: Path, headers: dict[str, str], status: int
) -> None:
    """As a form, which browsers send without asking first."""
    form = {"q": "", "text": "가", "target_lang": "EN"}

    async def strict(client: Ask) -> None:
        assert (await client.post("/v2/usage", data=form, headers=headers)).status_code == status
        assert (await client.get("/v1/languages", headers=headers)).status_code == 200

    async def named(client: Ask) -> None:
        if headers.get("origin") == THERE:
            assert (await client.post("/v2/usage", data=form, headers=headers)).status_code == 200

    ask(service_of(both_ways), strict)
    ask(service_of(both_ways, cors_origins=[THERE]), named)


def test_neither_log_nor_metrics_say_what_was_asked_with_which_key(both_ways: Path, tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    key = keys.add("alice")
    lines: list[str] = []
    metrics = Metrics()

    async def scene(client: Ask) -> None:
        await client.post(
            "/v1/translate", json={"text": SECRET, "target": "en"}, headers={"authorization": f"Bearer {key}"}
        )
        await client.get(f"/nowhere/{SECRET}", params={"q": SECRET, "api_key": key})
        lines.append((await client.get("/metrics")).text)

    ask(
        service_of(both_ways, keys=str(keys.path)),
        scene,
        address="192.0.2.7",
        log=lines.append,
        metrics=metrics,
    )
    translated, nowhere, _, numbers = lines
    assert json.loads(translated) | {"time": "", "seconds": 0} == {
        "time": "",
        "client": "alice",
        "method": "POST",
        "route": "/v1/translate",
        "status": 200,
        "seconds": 0,
    }
    assert json.loads(nowhere)["client"] == "192.0.2.7"
    assert json.loads(nowhere)["route"] == "other"
    assert 'onmal_request_seconds_count{method="POST",route="/v1/translate",status="200"} 1.0' in numbers
    assert f'onmal_characters_total{{direction="ko-en"}} {float(len(SECRET))}' in numbers
    assert "onmal_waiting_texts 0.0" in numbers
    for told in (translated, nowhere, numbers):
        assert key not in told
        assert SECRET not in told
        assert json.dumps(SECRET)[1:-1] not in told
    assert "192.0.2.7" not in numbers
    assert "alice" not in numbers


def test_metrics_are_off_unless_asked_for(service: Service) -> None:
    async def scene(client: Ask) -> None:
        assert (await client.get("/metrics")).status_code == 404

    ask(service, scene)


def test_a_bug_is_one_line_to_the_client_and_a_traceback_to_the_operator(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(request: Request) -> Response:
        raise ZeroDivisionError("a slip of ours")

    monkeypatch.setattr(app, "page_routes", lambda: [Route("/broken", broken)])
    reported: list[str] = []

    async def scene(client: Ask) -> None:
        answer = await client.get("/broken")
        assert answer.status_code == 500
        assert set(answer.json()["error"]) == {"code", "message"}
        assert "slip" not in answer.text
        assert answer.headers["x-content-type-options"] == "nosniff"

    ask(service, scene, report=reported.append)
    assert reported[0].endswith("ZeroDivisionError: a slip of ours")


def test_the_page_s_files_have_an_etag_and_are_asked_for_again(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "index.html").write_text("<title>onmal</title>", "utf-8")
    (tmp_path / "js").mkdir()
    (tmp_path / "js" / "main.js").write_text("export {};", "utf-8")
    (tmp_path.parent / "secret.txt").write_text("secret", "utf-8")
    monkeypatch.setattr(app, "page_routes", lambda: page_files.page_routes(tmp_path))

    async def scene(client: Ask) -> None:
        for path, kind in (("/", "text/html"), ("/page/js/main.js", "text/javascript")):
            answer = await client.get(path)
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith(kind)
            assert answer.headers["cache-control"] == "no-cache"
            if path != "/":
                again = await client.get(path, headers={"if-none-match": answer.headers["etag"]})
                assert again.status_code == 304
        for path in ("/page/../secret.txt", "/page/%2e%2e/secret.txt", "/page/js/", "/page/none.js"):
            assert (await client.get(path)).status_code == 404

    ask(service, scene)
