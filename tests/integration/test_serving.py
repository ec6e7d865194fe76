"""A live server: `python -m onmal serve` in a process of its own, and what can befall it.

Where requests have to be under way, the server is started with a gate: its translator waits while a file is there.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit"))
from tiny_model import save_tiny_model

from onmal.serving.keys import KeyFile

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")

KOREAN = "친구는 오늘 학교에 간다."
QUEUE = 8  # texts of one client that may wait: half of all
DEADLINE = 60.0  # seconds that anything may take on a busy machine
GATED = """
import runpy, sys, time
from pathlib import Path

from onmal.translating.translator import Translator

gate, translate = Path(sys.argv.pop(1)), Translator.translate

def gated(self, texts, **options):
    while gate.exists():
        gate.with_name("reached").touch()
        time.sleep(0.005)
    return translate(self, texts, **options)

Translator.translate = gated
runpy.run_module("onmal", run_name="__main__")
"""


def until(true: Callable[[], Any], what: str) -> Any:
    """What is true at last. Fails after the deadline."""
    end = time.monotonic() + DEADLINE
    while not (found := true()):
        assert time.monotonic() < end, what
        time.sleep(0.01)
    return found


class Server:
    """A process that serves a model folder, and the lines that it writes."""

    def __init__(self, folder: Path, place: Path, *options: str, gate: Path | None = None) -> None:
        self.place = place
        start = ["-c", GATED, str(gate)] if gate else ["-m", "onmal"]
        settings = [f"--set={setting}" for setting in ("metrics=true", f"queue={2 * QUEUE}", *options)]
        command = [sys.executable, *start, "serve", str(folder), "--engine", "torch", *settings]
        environment = {**os.environ, "PYTHONUTF8": "1", "ONMAL_KEYS": str(place / "keys.json")}
        place.mkdir(exist_ok=True)
        with (place / "out").open("w") as out, (place / "err").open("w") as err:
            self.process = subprocess.Popen(command, stdout=out, stderr=err, env=environment)
        self.url = until(self._url, "the server has not begun")
        until(self._healthy, "the server does not answer")

    def _url(self) -> str:
        assert self.process.poll() is None, self.told
        found = re.search(r"serving .* at (http://\S+)", self.told)
        return found[1] if found else ""

    def _healthy(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health").json() == {"status": "ok"}
        except httpx.TransportError:
            return False

    @property
    def told(self) -> str:
        """What it has written for its operator."""
        return (self.place / "err").read_text("utf-8")

    @property
    def log(self) -> list[dict[str, Any]]:
        """Its access log."""
        return [json.loads(line) for line in (self.place / "out").read_text("utf-8").splitlines()]

    def number(self, name: str) -> float:
        """One of its metrics."""
        (line,) = re.findall(
            rf"^{re.escape(name)} (\S+)$", httpx.get(f"{self.url}/metrics").text, re.MULTILINE
        )
        return float(line)

    def translate(self, key: str = "") -> httpx.Response:
        asked, headers = {"text": KOREAN, "target": "en"}, {"Authorization": f"Bearer {key}"} if key else {}
        return httpx.post(f"{self.url}/v1/translate", json=asked, headers=headers, timeout=DEADLINE)

    def connect(self) -> socket.socket:
        host, _, port = self.url.removeprefix("http://").partition(":")
        connection = socket.create_connection((host, int(port)), timeout=DEADLINE)
        connection.settimeout(DEADLINE)
        return connection

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


def request_of(body: bytes, length: int | None = None) -> bytes:
    """A request for a translation, as it goes over the wire."""
    return (
        b"POST /v1/translate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n" % (len(body) if length is None else length)
    ) + body


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_model(tmp_path_factory.mktemp("models") / "ko-en", both_directions=True)


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gate") / "closed"


@pytest.fixture(scope="module")
def server(folder: Path, gate: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    place = tmp_path_factory.mktemp("server")
    server = Server(folder, place, "port=0", "body_seconds=0.5", gate=gate)
    server.translate()  # which loads the model
    yield server
    server.end()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2 * QUEUE) as pool:
        yield pool


@pytest.fixture
def closed(gate: Path) -> Iterator[Path]:
    """The gate, closed until the test opens it."""
    gate.touch()
    yield gate
    gate.unlink(missing_ok=True)


def under_way(
    server: Server, pool: ThreadPoolExecutor, gate: Path, waiting: int
) -> list[Future[httpx.Response]]:
    """One request that is at the gate, and so many that wait."""
    reached = gate.with_name("reached")
    reached.unlink(missing_ok=True)
    asked = [pool.submit(server.translate)]
    until(reached.exists, "the first request is not translated")
    for count in range(1, waiting + 1):
        asked.append(pool.submit(server.translate))
        until(lambda count=count: server.number("onmal_waiting_texts") == count, "requests do not arrive")
    return asked


def test_requests_that_wait_are_merged(server: Server, pool: ThreadPoolExecutor, closed: Path) -> None:
    calls, texts = server.number("onmal_call_texts_count"), server.number("onmal_call_texts_sum")
    asked = under_way(server, pool, closed, QUEUE)
    closed.unlink()
    answers = [each.result().json()["text"] for each in asked]
    assert answers == [server.translate().json()["text"]] * (QUEUE + 1)
    assert server.number("onmal_call_texts_sum") - texts == QUEUE + 2
    assert (
        server.number("onmal_call_texts_count") - calls == 3
    )  # the first one, those that waited, and the last one


def test_a_full_queue_says_when_to_come_again(server: Server, pool: ThreadPoolExecutor, closed: Path) -> None:
    asked = under_way(server, pool, closed, QUEUE)
    refused = server.translate()
    assert refused.status_code == 503
    assert refused.json()["error"]["code"] == "queue_full"
    assert int(refused.headers["retry-after"]) >= 1
    asked.append(pool.submit(server.translate, KeyFile(server.place / "keys.json").add("somebody else")))
    until(lambda: server.number("onmal_waiting_texts") == QUEUE + 1, "nobody else is let in")
    closed.unlink()
    assert [each.result().status_code for each in asked] == [200] * (QUEUE + 2)


def test_a_client_that_leaves_the_queue_costs_nothing(
    server: Server, pool: ThreadPoolExecutor, closed: Path
) -> None:
    texts = server.number("onmal_call_texts_sum")
    asked = under_way(server, pool, closed, 1)
    leaving = server.connect()
    leaving.sendall(request_of(json.dumps({"text": KOREAN, "target": "en"}).encode()))
    until(lambda: server.number("onmal_waiting_texts") == 2, "the request does not arrive")
    leaving.close()
    until(lambda: server.number("onmal_waiting_texts") == 1, "the server waits for a client that left")
    closed.unlink()
    assert [each.result().status_code for each in asked] == [200, 200]
    assert server.number("onmal_call_texts_sum") - texts == 2
    assert 499 in [line["status"] for line in server.log]


def test_half_a_body_is_refused_in_time_and_hinders_nobody(server: Server) -> None:
    with server.connect() as half:
        half.sendall(request_of(b'{"text": "', length=1000))
        assert server.translate().status_code == 200
        answer = half.recv(100_000)
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_half_a_head_ends_in_time_and_hinders_nobody(server: Server) -> None:
    with server.connect() as half:
        half.sendall(b"POST /v1/translate HTTP/1.1\r\nHost: local")
        assert server.translate().status_code == 200
        answer = half.recv(100_000)
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_ten_megabytes_are_refused_and_not_kept(server: Server) -> None:
    answer = httpx.post(f"{server.url}/v1/translate", content=b"x" * 10_000_000, timeout=DEADLINE)
    assert answer.status_code == 413
    assert answer.json()["error"]["message"].startswith("the body has 10,000,000 bytes")
    assert server.translate().status_code == 200


def test_hup_takes_the_new_model_and_drops_nobody(
    server: Server, folder: Path, pool: ThreadPoolExecutor, closed: Path
) -> None:
    before = under_way(server, pool, closed, 2)
    shutil.rmtree(folder)
    save_tiny_model(folder, both_directions=True, seed=1)
    server.process.send_signal(signal.SIGHUP)
    until(lambda: "ko-en is read again" in server.told, "the folder is not read again")
    after = pool.submit(server.translate)
    closed.unlink()
    old = {each.result().json()["text"] for each in before}
    assert len(old) == 1
    assert after.result().json()["text"] not in old


def test_a_folder_that_is_removed_keeps_serving(server: Server, folder: Path) -> None:
    text = server.translate().json()["text"]
    folder.rename(folder.with_name("away"))
    try:
        assert server.translate().json()["text"] == text
        server.process.send_signal(signal.SIGHUP)
        until(lambda: "ko-en stays as it is" in server.told, "the server does not say that a folder is gone")
        assert server.translate().json()["text"] == text
    finally:
        folder.with_name("away").rename(folder)


def test_nothing_of_this_was_a_traceback(server: Server) -> None:
    assert "Traceback" not in server.told
    assert {line["status"] for line in server.log} == {200, 408, 413, 499, 503}


def test_killed_it_starts_again_and_stopped_it_answers_what_it_accepted(
    folder: Path, tmp_path: Path, pool: ThreadPoolExecutor, closed: Path
) -> None:
    closed.unlink()
    killed = Server(folder, tmp_path / "killed", "port=0", gate=closed)
    port = killed.url.rpartition(":")[2]
    closed.touch()
    asked = pool.submit(killed.translate)
    until(lambda: any(line["route"] == "/health" for line in killed.log), "nothing is logged")
    killed.end()
    with pytest.raises(httpx.TransportError):
        asked.result()
    closed.unlink()

    server = Server(folder, tmp_path / "again", f"port={port}", gate=closed)
    try:
        assert server.translate().status_code == 200
        closed.touch()
        accepted = under_way(server, pool, closed, 3)
        server.process.terminate()
        until(lambda: _refuses(server), "a server that stops takes new connections")
        closed.unlink()
        assert [each.result().status_code for each in accepted] == [200] * 4
        assert server.process.wait(DEADLINE) == 0
        assert server.told.count("\n") == 1  # the line at the start
    finally:
        server.end()


def _refuses(server: Server) -> bool:
    try:
        server.connect().close()
    except OSError:
        return True
    return False
