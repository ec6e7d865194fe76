"""The web application: the routes of every API, and around them what holds for all of them."""

from __future__ import annotations

from fastapi import FastAPI

from onmal.serving import v1
from onmal.serving.service import Service

__all__ = ["build"]


def build(service: Service) -> FastAPI:
    """The application that answers for a service."""
    # No page of Swagger: it loads its scripts from elsewhere, which the Content-Security-Policy forbids.
    app = FastAPI(
        title="onmal",
        summary="Translation, with a look inside.",
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.include_router(v1.router(service))
    # Each API is a module with `routes(service)`; it turns Refusals and OnmalErrors into its own statuses and bodies.
    # app.router.routes.extend(libretranslate.routes(service))
    # app.router.routes.extend(deepl.routes(service))
    return app
