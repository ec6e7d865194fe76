"""Requests that name another host are refused.

A page of the web can give its own name the address 127.0.0.1 (DNS rebinding) and then ask a server on the reader's machine as if
it were its own. What such a request names is that page's host.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["Hosts", "own_names"]

_PORT = re.compile(r":\d+\Z")
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def own_names(host: str, names: Iterable[str]) -> set[str]:
    """The names that a server has which listens at `host`: its own, if it is one machine's alone, and those it was given."""
    address = f"[{host}]" if ":" in host else host
    return {name.lower() for name in (*_LOOPBACK, address, *names)}


class Hosts:
    """Around an application: it is asked only as one of these names; "*" among them is any."""

    def __init__(self, app: ASGIApp, names: set[str]) -> None:
        self.app, self.names = app, names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and "*" not in self.names:
            host = _PORT.sub("", HTTPConnection(scope).headers.get("host", "")).lower()
            if host not in self.names:
                said = (
                    "this server does not go by that name; whoever runs it can add it to the setting `names`"
                )
                await JSONResponse({"error": {"code": "host", "message": said}}, 421)(scope, receive, send)
                return
        await self.app(scope, receive, send)
