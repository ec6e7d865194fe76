"""A live server with the page, and a browser to look at it with."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def serving(app: Starlette) -> Iterator[str]:
    """The address of an application that answers in a thread of its own."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, http="h11", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def browser() -> Iterator[Any]:
    """A headless Chromium of this machine; skips the test, with a reason, where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install playwright")
    found = next(filter(None, map(which, BROWSERS)), None)
    if found is None:
        pytest.skip("needs a browser: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=found, args=list(QUIET))
        try:
            yield chromium
        finally:
            chromium.close()


def accessibility_checker() -> str:
    """The text of axe-core's script; skips the test where ONMAL_TEST_AXE names none and node_modules has none."""
    folder = Path(__file__).resolve().parents[2]
    places = [
        Path(os.environ.get("ONMAL_TEST_AXE", "axe.min.js")),
        folder / "node_modules/axe-core/axe.min.js",
        folder.parent / "node_modules/axe-core/axe.min.js",
    ]
    script = next((place for place in places if place.is_file()), None)
    if script is None:
        pytest.skip("needs axe-core: npm install axe-core, or ONMAL_TEST_AXE=path/to/axe.min.js")
    return script.read_text(encoding="utf-8")
