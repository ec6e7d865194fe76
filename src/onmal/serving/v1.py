"""onmal's own API."""

from __future__ import annotations

from fastapi import APIRouter

from onmal.serving.service import Service

__all__ = ["router"]


def router(service: Service) -> APIRouter:
    """The routes below /v1, and /health."""
    routes = APIRouter()

    @routes.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @routes.get("/v1/languages")
    async def languages() -> dict[str, list[str]]:
        return service.languages()

    return routes
