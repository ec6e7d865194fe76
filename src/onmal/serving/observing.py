"""Around everything: security headers on every answer, a line in the access log, a number for the metrics, and no traceback for anybody.

The log says who asked which route, and how it went: never a path, a query, a text or a key.
"""

from __future__ import annotations

import json
import time
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from onmal.serving.clients import Client, by_address
from onmal.serving.error_bodies import error_body
from onmal.serving.exchange import ClientLeft
from onmal.serving.metrics import Metrics

__all__ = ["HEADERS", "Observing"]

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_HEADERS = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
_as_json = json.JSONEncoder(ensure_ascii=False).encode
LEFT = 499  # as nginx calls it: the client closed the connection before the answer was there
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class Observing:
    """`templates` are the paths of routes that do not tell theirs, by their endpoints; `log` and `report` take a line."""

    def __init__(
        self,
        app: ASGIApp,
        templates: Mapping[Any, str],
        metrics: Metrics | None,
        log: Callable[[str], None] | None,
        report: Callable[[str], None],
    ) -> None:
        self.app, self.templates = app, templates
        self.metrics, self.log, self.report = metrics, log, report

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = {name for name, _ in message.get("headers", ())}
                added = [pair for pair in _HEADERS if pair[0] not in own]
                message = {**message, "headers": [*message.get("headers", ()), *added]}
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        except (ClientLeft, ClientDisconnect):
            status = LEFT
        except Exception:
            self.report(traceback.format_exc().rstrip())
            if (
                not status
            ):  # else the server closes the connection, so that nobody takes half an answer for a whole one
                said = "something went wrong here; the server's log says what"
                body = error_body(scope["path"], "internal", said)
                await JSONResponse(body, 500)(scope, receive, send_with_headers)
        finally:
            self._tell(scope, status, time.perf_counter() - began)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in METHODS else "other"
        route = self._template(scope)
        if self.metrics:
            self.metrics.answered(method, route, status, seconds)
        if self.log:
            client = scope.get("onmal.client")
            address = by_address(scope["client"][0]) if scope.get("client") else ""
            line = {
                "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "client": client.name if isinstance(client, Client) else address,
                "method": method,
                "route": route,
                "status": status,
                "seconds": round(seconds, 4),
            }
            self.log(_as_json(line))

    def _template(self, scope: Scope) -> str:
        """The path of a route as it is written in the program, with {names} for what differs."""
        own = getattr(scope.get("route"), "path", "")
        return str(own or self.templates.get(scope.get("endpoint"), "other"))
