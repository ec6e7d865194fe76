"""The web application: the routes of every API, and around them what holds for all of them."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from typing import Any

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute, Route

from onmal.serving import deepl, libretranslate, v1
from onmal.serving.connections import Crowd
from onmal.serving.document_room import DocumentRoom
from onmal.serving.exchange import Exchange
from onmal.serving.hosts import Hosts, own_names
from onmal.serving.metrics import Metrics
from onmal.serving.observing import Observing
from onmal.serving.page_files import page_routes
from onmal.serving.service import Service

__all__ = ["build"]

Lifespan = Callable[[Any], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def _no_lifespan(app: FastAPI) -> AsyncGenerator[None]:
    yield


def build(
    service: Service,
    *,
    metrics: Metrics | None = None,
    log: Callable[[str], None] | None = None,
    report: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True),
    lifespan: Lifespan = _no_lifespan,
) -> FastAPI:
    """The application that answers for a service; `log` is given a line for each request, `report` what an operator has to know."""
    room = DocumentRoom()
    left = deepl.documents_of(service, room)

    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncGenerator[None]:
        with closing(room), left.kept_across_stops(report):
            async with lifespan(app):
                yield

    # No page of Swagger: it loads its scripts from elsewhere, which the Content-Security-Policy forbids.
    app = FastAPI(
        title="onmal",
        summary="Translation, with a look inside.",
        version="1",
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=running,
    )
    asked_most = v1.add(app, service)
    # Each further API is a module with `routes(service, ...)`, which turns Refusals and OnmalErrors into its own statuses and bodies.
    others: list[BaseRoute] = [
        *page_routes(),
        *libretranslate.routes(service, room),
        *deepl.routes(service, left),
    ]
    if metrics:
        metrics.watch(service.dispatcher)
        others.append(metrics.route())
    app.router.routes.insert(0, asked_most)
    app.router.routes.extend(others)
    templates = {
        route.endpoint if isinstance(route, Route) else getattr(route, "app", None): getattr(
            route, "path", ""
        )
        for route in (asked_most, *others)
    }

    settings = service.settings  # the last one added is the outermost
    app.add_middleware(Exchange, most_bytes=settings.body_bytes, seconds=settings.body_seconds)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "DeepL-Auth-Key"],
        )
    app.add_middleware(Hosts, names=own_names(settings.names), origins=settings.cors_origins)
    app.add_middleware(Crowd, most=settings.connections)
    app.add_middleware(Observing, templates=templates, metrics=metrics, log=log, report=report)
    return app
