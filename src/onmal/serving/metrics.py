"""What Prometheus is told: how much is done, how long it takes, how much waits. Labels never say who asked, or for what."""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from onmal.serving.dispatcher import Dispatcher, Observer
from onmal.serving.kinds import Kind

__all__ = ["Metrics"]

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
TEXTS = (1, 2, 4, 8, 16, 32, 64)


class Metrics(Observer):
    """The numbers of one server."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._requests = Histogram(
            "onmal_request_seconds",
            "From the first byte of a request to the last of its answer, by the route's template.",
            ("method", "route", "status"),
            registry=registry,
            buckets=SECONDS,
        )
        self._calls = Histogram(
            "onmal_call_seconds",
            "Of the calls of an engine, by the model's direction.",
            ("direction",),
            registry=registry,
            buckets=SECONDS,
        )
        self._batch = Histogram(
            "onmal_call_texts", "Texts that were translated together.", registry=registry, buckets=TEXTS
        )
        self._characters = Counter(
            "onmal_characters", "Characters translated.", ("direction",), registry=registry
        )

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered."""
        self._requests.labels(method, route, str(status)).observe(seconds)

    def called(self, kind: Kind, texts: Sequence[str], seconds: float) -> None:
        """Texts were translated together; it took so long."""
        direction = "-".join(kind.direction)
        self._calls.labels(direction).observe(seconds)
        self._batch.observe(len(texts))
        self._characters.labels(direction).inc(sum(map(len, texts)))

    def watch(self, dispatcher: Dispatcher) -> None:
        """Learn of its calls, and ask for its queue's length whenever somebody looks."""
        dispatcher.observer = self
        gauge = Gauge("onmal_waiting_texts", "Texts that wait in the queue.", registry=self.registry)
        gauge.set_function(lambda: dispatcher.waiting)

    def route(self) -> Route:
        """GET /metrics."""

        async def metrics(request: Request) -> Response:
            return Response(generate_latest(self.registry), media_type=CONTENT_TYPE_LATEST)

        return Route("/metrics", metrics)
