"""A run as one HTML page: curves, scores, samples, settings and environment, of a run that is over or still going on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onmal.errors import ModelFolderError
from onmal.run_report.history import read_history
from onmal.run_report.page import Run, page
from onmal.run_report.words import Speaker
from onmal.settings import read_toml
from onmal.writing import open_whole

__all__ = ["write_report"]


def write_report(run: str | Path, out: str | Path | None = None, *, language: str = "en") -> Path:
    """Write the report of the run in a folder to `out`, or to training/report.html in it; returns where it is.

    `language` is en or ko. Raises TrainingError for a folder without a run and for a log that cannot be read, ConfigError
    for settings that cannot be, and DataError where the page cannot be written.
    """
    say = Speaker(language)
    folder = Path(run)
    place = folder / "training"
    log, settings = place / "log.jsonl", place / "run.toml"
    history = read_history(log)
    written = read_toml(settings) if settings.exists() else {}
    found = Run(
        name=str(written.get("name") or folder.resolve().name),
        history=history,
        settings=written,
        card=_card(folder / "card.json"),
        heard=log.stat().st_mtime,
    )
    path = place / "report.html" if out is None else Path(out)
    with open_whole(path) as file:
        file.write(page(found, say))
    return path


def _card(path: Path) -> Mapping[str, Any]:
    """What the saved model says of itself; empty before there is one."""
    try:
        card = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not JSON"
        raise ModelFolderError(f"cannot be read ({reason})", "restore it, or remove it", path=path) from None
    return card if isinstance(card, dict) else {}
