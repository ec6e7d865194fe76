"""`onmal serve` and `onmal keys`: models for other programs and people, over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from onmal.cli.options import Engine, Precision, argument, flag, option
from onmal.cli.terminal import note
from onmal.errors import MissingExtraError

__all__ = ["serve"]

NEEDED = {
    "fastapi": "fastapi",
    "uvicorn": "uvicorn",
    "prometheus_client": "prometheus-client",
    "multipart": "python-multipart",
    "py3langid": "py3langid",
}
"""Module -> package."""


def serve(
    models: Annotated[
        list[Path],
        argument("MODEL", "Folders that onmal train wrote; the first one that knows a direction serves it."),
    ],
    host: Annotated[
        str | None,
        option(
            "ADDRESS",
            "Listen here; 0.0.0.0 for everybody who can reach this machine.  [default: 127.0.0.1]",
            "--host",
        ),
    ] = None,
    port: Annotated[
        int | None, option("N", "Listen at this port; 0 takes a free one.  [default: 5000]", "--port")
    ] = None,
    config: Annotated[Path | None, option("FILE", "Read settings from this TOML file.", "--config")] = None,
    changes: Annotated[
        list[str] | None,
        option("KEY=VALUE", "Change a setting: characters=5000, metrics=true; repeatable.", "--set"),
    ] = None,
    require_keys: Annotated[
        bool, flag("--require-keys", "Answer only to those who have a key; see onmal keys --help.")
    ] = False,
    load_all: Annotated[
        bool, flag("--load-all", "Load every model now, rather than when it is needed first.")
    ] = False,
    engine: Engine = "auto",
    precision: Precision = "float32",
) -> None:
    """Serve models: an HTTP API for programs, and a page for people.

    \b
    onmal serve runs/ko-en
    onmal serve runs/ko-en runs/en-ko --port 8080 --set metrics=true
    curl http://127.0.0.1:5000/v1/translate --json '{"text": "안녕하세요.", "target": "en"}'

    By default it answers programs and browsers on this machine alone. Whatever a stranger could send has a limit; see
    docs/serving.md for all settings, for keys, and for a server behind nginx or Caddy.

    Ctrl-C stops it when the requests under way are answered, a second one at once. Each request is a line of JSON on standard
    output, without the text. After a model folder was written anew, `kill -HUP` has the server take it.
    """
    _check_packages()

    from functools import partial

    from onmal.serving.server import run
    from onmal.serving.settings import ServeConfig
    from onmal.translating.translator import load

    settings = ServeConfig.read(config, changes or ())
    given = {"host": host, "port": port, "require_keys": require_keys or None}
    settings = settings.replace(**{key: value for key, value in given.items() if value is not None})
    run(models, settings, partial(load, engine=engine, precision=precision), note, load_all=load_all)


def _check_packages() -> None:
    """Raises MissingExtraError for the first package of the extra `serve` that is not there."""
    from importlib.util import find_spec

    for module, package in NEEDED.items():
        if find_spec(module) is None:
            raise MissingExtraError(package, "serve", "onmal serve")
