"""The page's files: as they are in the package, with an ETag, and asked for again each time, so that an upgrade shows at once."""

from __future__ import annotations

import os
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from onmal.serving.saved_page import FOLDER

__all__ = ["page_routes"]

AGAIN = {"Cache-Control": "no-cache"}  # kept, but asked for whether it is still the same


class _Files(StaticFiles):
    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers.update(AGAIN)
        return response


def page_routes(folder: Path = FOLDER) -> list[BaseRoute]:
    """`/`, and what is below `/page/`; none where the package has no page."""
    index = folder / "index.html"
    if not index.is_file():
        return []

    async def page(request: Request) -> Response:
        return FileResponse(index, headers=AGAIN)

    return [Route("/", page), Mount("/page", _Files(directory=folder))]
