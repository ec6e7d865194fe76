"""A server that goes on between requests: one event loop for all of them, and for the work that they leave behind."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from served import load_in_torch, service_of

from onmal.serving.app import build


class Answering:
    """The application for model folders, the first of which is its translator; each request runs its event loop until the answer is there."""

    def __init__(self, folder: Path, *more: Path, **settings: Any) -> None:
        self.translator = load_in_torch(folder)
        self.service = service_of(folder, *more, **settings)
        self.app = build(self.service)
        self.runner = asyncio.Runner()

    def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """The answer to a request, which is never that something went wrong here."""

        async def answer() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                return await client.request(method, path, **request)

        found = self.runner.run(answer())
        assert found.status_code != 500, found.text
        return found

    def post(self, path: str, **request: Any) -> httpx.Response:
        return self.ask("POST", path, **request)

    def get(self, path: str, **request: Any) -> httpx.Response:
        return self.ask("GET", path, **request)

    def tick(self) -> None:
        """Lets work beside requests go on for a moment."""
        self.runner.run(asyncio.sleep(0.002))

    def says(self, text: str, to: str) -> str:
        """The translation of a text."""
        return self.translator.translate(text, to=to).text


@contextmanager
def answering(folder: Path, *more: Path, **settings: Any) -> Iterator[Answering]:
    """A server of model folders, until it is no longer needed."""
    server = Answering(folder, *more, **settings)
    try:
        yield server
    finally:
        server.runner.close()
