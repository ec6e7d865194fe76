"""The process of `onmal serve`: uvicorn, its signals, its one line at the start.

Ctrl-C and TERM stop it gracefully: no new connections, and every request that was accepted is answered. A second Ctrl-C stops it
at once. HUP has it read the model folders again.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import uvicorn

from onmal.errors import ConfigError
from onmal.serving.app import build
from onmal.serving.connections import connections
from onmal.serving.metrics import Metrics
from onmal.serving.models import Models
from onmal.serving.service import Service
from onmal.serving.settings import ServeConfig
from onmal.translating.translator import Translator

__all__ = ["run"]

LEAVING = 10.0  # seconds that a stopping server waits beyond the longest time of a request


def run(
    folders: Sequence[Path],
    settings: ServeConfig,
    load: Callable[[Path], Translator],
    report: Callable[[str], None],
    *,
    load_all: bool = False,
) -> None:
    """Serve model folders until a signal says to stop; `load` makes a translator of a folder, `report` is told what happens.

    Raises ModelFolderError for a folder without a model, ConfigError where the address cannot be had.
    """
    models = Models(folders, load, report)
    metrics = Metrics() if settings.metrics else None
    service = Service(settings, models)
    with _listening(settings.host, settings.port) as listener:
        service.prepare()
        for note in _cautions(service, listener):
            report(note)
        gc.freeze()  # 200,000 objects of the packages, which stay: looking through them would stop everybody for 0.1 s
        if load_all:
            models.load_all()

        @asynccontextmanager
        async def lifespan(app: Any) -> AsyncGenerator[None]:
            with _read_again_at_hup(models):
                report(f"serving {_directions(models)} at {_url(listener)} (Ctrl-C stops)")
                yield

        app = build(
            service,
            metrics=metrics,
            log=_print if settings.access_log else None,
            report=report,
            lifespan=lifespan,
        )
        config = uvicorn.Config(
            app,
            ws="none",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=bool(settings.proxies),
            forwarded_allow_ips=settings.proxies,
            http=connections(settings.connections, settings.body_seconds),
            timeout_graceful_shutdown=int(max(settings.seconds, settings.document_seconds) + LEAVING),
        )
        with _stopping_is_no_failure():
            uvicorn.Server(config).run(sockets=[listener])


def _cautions(service: Service, listener: socket.socket) -> Iterator[str]:
    """What whoever starts a server may not have meant."""
    if service.settings.require_keys and not service.keys.given_out():
        yield f"nobody has a key yet: onmal keys add NAME (they are kept in {service.keys.path})"
    if not service.settings.require_keys and not ip_address(listener.getsockname()[0]).is_loopback:
        yield "whoever can reach this machine may use the server; --require-keys asks them for a key"


def _print(line: str) -> None:
    with suppress(OSError, ValueError):  # whoever read it has gone: no reason to fail a request
        print(line, flush=True)


def _directions(models: Models) -> str:
    return ", ".join(dict.fromkeys("-".join(pair) for facts in models for pair in facts.directions))


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    try:
        family, *_, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.create_server(address[:2], family=family, backlog=1024)
        # An answer is two packets, head and body: without this the second waits 40 ms for the first one's receipt. asyncio sets it
        # for sockets that it opens itself.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        raise ConfigError(
            f"cannot listen at {host}, port {port} ({error.strerror})",
            "choose another with --host and --port",
        ) from None
    with listener:
        yield listener


def _url(listener: socket.socket) -> str:
    host, port, *_ = listener.getsockname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def _read_again_at_hup(models: Models) -> Iterator[None]:
    """Where the system has such a signal."""
    if sys.platform == "win32":
        yield
        return
    loop, reading = asyncio.get_running_loop(), set[asyncio.Task[None]]()

    def read_again() -> None:
        task = asyncio.ensure_future(models.read_again())
        reading.add(task)
        task.add_done_callback(reading.discard)

    loop.add_signal_handler(signal.SIGHUP, read_again)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)


@contextmanager
def _stopping_is_no_failure() -> Iterator[None]:
    """uvicorn, when it has stopped, raises the signals again that made it stop: whoever asked it to stop, it did."""
    before = {kind: signal.signal(kind, lambda *_: None) for kind in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
