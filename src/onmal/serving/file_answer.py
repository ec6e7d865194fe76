"""A file that was kept here as an answer: in pieces, so that little of it waits in memory for whoever does not read it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import BinaryIO
from urllib.parse import quote

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

__all__ = ["PIECE", "FileAnswer"]

PIECE = 1 << 16  # bytes


class FileAnswer(Response):
    """An open file, to be saved under a title; it is closed at the end. `sent` is called if all of it has gone out."""

    def __init__(self, file: BinaryIO, title: str, sent: Callable[[], None] = lambda: None) -> None:
        headers = {
            "Content-Length": str(os.fstat(file.fileno()).st_size),
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(title)}",
        }
        super().__init__(headers=headers, media_type="application/octet-stream")
        self.file, self.sent = file, sent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self.file as file:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            while piece := await asyncio.to_thread(file.read, PIECE):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body"})
        self.sent()
