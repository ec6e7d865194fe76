"""Requests that name another host are refused.

A page of the web can give its own name the address 127.0.0.1 (DNS rebinding) and then ask a server on the reader's machine as if
it were its own. What such a request names is that page's host, which is never an address.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable

from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["Hosts", "own_names"]

_PORT = re.compile(r":\d+\Z")


def own_names(names: Iterable[str]) -> set[str]:
    """The names that a server goes by: its machine's, and those it was given."""
    machine = socket.gethostname().lower() or "localhost"
    return {"localhost", machine, f"{machine.split('.')[0]}.local", *(name.lower() for name in names)}


class Hosts:
    """Around an application: it is asked only by an address or as one of these names; "*" among them is any."""

    def __init__(self, app: ASGIApp, names: set[str]) -> None:
        self.app, self.names = app, names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and "*" not in self.names:
            host = _PORT.sub("", HTTPConnection(scope).headers.get("host", "")).lower()
            if host not in self.names and not _is_address(host):
                said = (
                    "this server does not go by that name; whoever runs it can add it to the setting `names`"
                )
                await JSONResponse({"error": {"code": "host", "message": said}}, 421)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True
