"""Requests that name another host are refused, and those that another site's page makes a browser send.

A page of the web can give its own name the address 127.0.0.1 (DNS rebinding) and then ask a server on the reader's machine as if
it were its own. What such a request names is that page's host, which is never an address. And any page can have a form sent to
another server: it cannot read the answer, but what is left or deleted there would be. Browsers say of each request from where it
comes; the rules are those of Go's http.CrossOriginProtection (https://words.filippo.io/csrf/).
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from onmal.serving.error_bodies import error_body

__all__ = ["Hosts", "own_names"]

_PORT = re.compile(r":\d+\Z")
_CHANGES_NOTHING = ("GET", "HEAD", "OPTIONS")


def own_names(names: Iterable[str]) -> set[str]:
    """The names that a server goes by: its machine's, and those it was given."""
    machine = socket.gethostname().lower() or "localhost"
    return {"localhost", machine, f"{machine.split('.')[0]}.local", *(name.lower() for name in names)}


class Hosts:
    """Around an application: it is asked only by an address or as one of these names; "*" among them is any.

    `origins` are the other sites whose pages may ask it; "*" is any.
    """

    def __init__(self, app: ASGIApp, names: set[str], origins: Iterable[str] = ()) -> None:
        self.app, self.names, self.origins = app, names, set(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = HTTPConnection(scope).headers
            if not self._is_meant(headers.get("host", "")):
                said = (
                    "this server does not go by that name; whoever runs it can add it to the setting `names`"
                )
                await JSONResponse(error_body(scope["path"], "host", said), 421)(scope, receive, send)
                return
            if scope["method"] not in _CHANGES_NOTHING and not self._is_welcome(headers):
                said = "pages of that site may not ask this server; whoever runs it can add it to the setting `cors_origins`"
                await JSONResponse(error_body(scope["path"], "origin", said), 403)(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _is_meant(self, host: str) -> bool:
        name = _PORT.sub("", host).lower()
        return "*" in self.names or name in self.names or _is_address(name)

    def _is_welcome(self, headers: Headers) -> bool:
        """Whether a request comes from a program, from this server's own page, or from that of a site that may ask."""
        origin, relation = headers.get("origin"), headers.get("sec-fetch-site")
        if "*" in self.origins or origin in self.origins:
            return True
        if relation is not None:
            return relation in ("same-origin", "none")
        return origin is None or _is_at(headers.get("host", ""), origin)


def _is_at(host: str, origin: str) -> bool:
    """Whether a page is of this host, whose port a proxy may have left away."""
    try:
        page = urlsplit(origin)
        return host.lower() in (page.netloc, page.hostname) and bool(host)
    except ValueError:
        return False


@lru_cache(256)
def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True
