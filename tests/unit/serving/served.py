"""A server without a network: the application of a tiny model, asked in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx

from onmal.serving.app import build
from onmal.serving.models import Models
from onmal.serving.service import Service
from onmal.serving.settings import ServeConfig
from onmal.translating.translator import Translator, load

Ask = httpx.AsyncClient


def load_in_torch(folder: Path) -> Translator:
    """A model, without the time that a conversion takes."""
    return load(folder, engine="torch")


def service_of(folder: Path, *more: Path, report: Callable[[str], None] = print, **settings: Any) -> Service:
    """A service of model folders. The keys are in a file that is not there, unless the settings name one."""
    config = ServeConfig(**{"keys": str(folder.parent / "keys.json"), **settings})
    return Service(config, Models([folder, *more], load_in_torch, report))


def ask(
    service: Service, scene: Callable[[Ask], Awaitable[None]], address: str = "127.0.0.1", **built: Any
) -> None:
    """Plays a scene with a client of the application."""

    async def main() -> None:
        transport = httpx.ASGITransport(build(service, **built), client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            await scene(client)

    asyncio.run(main())
