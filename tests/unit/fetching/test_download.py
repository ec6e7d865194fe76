"""A download is https, of limited size, as long as announced, and says how far it is."""

from __future__ import annotations

import hashlib
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.client import HTTPMessage, HTTPResponse
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO

import pytest

from onmal.errors import DataError
from onmal.fetching import download as module
from onmal.fetching.download import HttpsOnly, download, open_https

CONTENT = bytes(range(256)) * 20


class Handler(BaseHTTPRequestHandler):
    """/announced has its length, /silent has none, /short breaks off."""

    def do_GET(self) -> None:
        if self.path not in ("/announced", "/silent", "/short"):
            self.send_error(404)
            return
        self.send_response(200)
        if self.path != "/silent":
            self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[:-7] if self.path == "/short" else CONTENT)

    def log_message(self, *_: object) -> None:
        """Nothing on standard error."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Of a server on this machine, without the encryption that onmal asks of others."""
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def open_any(address: str) -> HTTPResponse:
    answer: HTTPResponse = urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
        address, timeout=30
    )
    return answer


@pytest.mark.parametrize(("path", "total"), [("announced", len(CONTENT)), ("silent", 0)])
def test_what_is_there_arrives_and_is_told(
    address: str, path: str, total: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BLOCK", 1000)
    file, told = BytesIO(), []
    sha256 = download(
        f"{address}/{path}", file, largest=6000, progress=lambda *state: told.append(state), opener=open_any
    )
    assert file.getvalue() == CONTENT
    assert sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert told[0] == (0, total)
    assert told[-1] == (len(CONTENT), total)
    assert sorted(told) == told


@pytest.mark.parametrize(
    ("path", "largest", "what"),
    [
        ("announced", 5000, "is larger than 5,000 bytes"),
        ("silent", 5000, "is larger than 5,000 bytes"),
        ("short", 6000, "broke off after 5,113 of 5,120 bytes"),
        ("nothing", 6000, "cannot be fetched .*404"),
    ],
)
def test_what_is_not_right_is_one_line(address: str, path: str, largest: int, what: str) -> None:
    with pytest.raises(DataError, match=what) as caught:
        download(f"{address}/{path}", BytesIO(), largest=largest, opener=open_any)
    assert caught.value.remedy


def test_a_full_disk_is_not_taken_for_the_network(address: str) -> None:
    class Full(BytesIO):
        def write(self, content: object) -> int:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        download(f"{address}/announced", Full(), largest=6000, opener=open_any)


@pytest.mark.parametrize("address", ["http://example.org/", "file:///etc/hostname", "ftp://example.org/a"])
def test_only_https_is_opened(address: str) -> None:
    with pytest.raises(DataError, match="no https address"):
        open_https(address)


def test_a_redirect_away_from_https_is_refused() -> None:
    handler, request = HttpsOnly(), urllib.request.Request("https://example.org/a")
    redirect: Callable[[str], urllib.request.Request | None] = lambda to: handler.redirect_request(  # noqa: E731
        request, BytesIO(), 302, "Found", HTTPMessage(), to
    )
    assert redirect("https://example.org/b") is not None
    with pytest.raises(urllib.error.URLError, match="no https address"):
        redirect("http://example.org/b")
