"""A server that reads a request and always says the same: what HTTP, uvicorn and the load generator take for themselves.

    python echo.py ANSWER

POST / is answered at once. POST /?rate=R is answered R times a second at most: as many requests as a slower server has, at its
pace. Its settings of uvicorn are those of `onmal serve`; around the route is nothing.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import time

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def echo(answer: bytes) -> Starlette:
    """The application; all requests of a pace share its clock."""
    turn = 0.0  # when the next answer may go

    async def say(request: Request) -> Response:
        nonlocal turn
        await request.body()
        if rate := float(request.query_params.get("rate", 0)):
            turn = max(time.monotonic(), turn + 1 / rate)
            await asyncio.sleep(turn - time.monotonic())
        return Response(answer, media_type="application/json")

    return Starlette(routes=[Route("/", say, methods=["POST"])])


def main() -> None:
    """Listen at a free port and say where."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        host, port = listener.getsockname()
        config = uvicorn.Config(
            echo(sys.argv[1].encode()),
            ws="none",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            limit_concurrency=512,
        )
        print(f"echo at http://{host}:{port}", file=sys.stderr, flush=True)
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
