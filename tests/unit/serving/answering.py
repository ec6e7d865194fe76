"""A server without a network: requests in, answers out, of a network too small to translate anything."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tiny_model import save_tiny_model

from onmal.serving.app import build
from onmal.serving.models import Models
from onmal.serving.service import Service
from onmal.serving.settings import ServeConfig
from onmal.translating.translator import Translator, load

ADDRESS = "http://127.0.0.1"


class Answering:
    """The application for one model folder; each request runs its event loop until the answer is there."""

    def __init__(self, folder: Path, translator: Translator, place: Path, **settings: Any) -> None:
        config = ServeConfig(keys=str(place / "keys.json"), **settings)
        self.translator = translator
        self.service = Service(config, Models([folder], lambda _: translator, print))
        self.app = build(self.service)
        self.runner = asyncio.Runner()

    def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """The answer to a request, which is never that something went wrong here."""

        async def answer() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as client:
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
def answering(place: Path, *, both_directions: bool = True, **settings: Any) -> Iterator[Answering]:
    """A server of a new model that translates between Korean and English, or from Korean alone."""
    folder = save_tiny_model(place / "ko-en", both_directions=both_directions)
    server = Answering(folder, load(folder, engine="torch"), place, **settings)
    try:
        yield server
    finally:
        server.runner.close()
