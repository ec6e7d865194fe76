"""`onmal report`: a run as one page."""

from __future__ import annotations

import locale
import os
from pathlib import Path
from typing import Annotated

import typer

from onmal.cli.options import argument, option

__all__ = ["report"]


def report(
    run: Annotated[Path, argument("RUN", "The folder that onmal train writes to.")],
    out: Annotated[
        Path | None,
        option("FILE", "Where the page goes.  [default: RUN/training/report.html]", "--out", "-o"),
    ] = None,
    language: Annotated[
        str, option("LANGUAGE", "Of the page: en or ko.  [default: that of the system]")
    ] = "",
) -> None:
    """Show a run as one HTML page.

    \b
    onmal report runs/ko-en
    onmal report runs/ko-en --language ko -o report.html

    Curves, scores, sample translations, settings and environment, of a run that is over or still going on.
    """
    from onmal.run_report import write_report

    typer.echo(write_report(run, out, language=language or _spoken_here()))


def _spoken_here() -> str:
    """Korean where the system speaks Korean, else English."""
    names = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    spoken = next(filter(None, names), None) or locale.getlocale()[0] or ""
    return "ko" if spoken.lower().startswith("ko") else "en"
