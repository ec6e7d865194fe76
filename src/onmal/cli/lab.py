"""`onmal lab`: what is said of the Transformer, put to the test."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onmal.cli.options import argument, flag, option
from onmal.errors import ConfigError

__all__ = ["lab"]


def lab(
    names: Annotated[list[str] | None, argument("NAME...", "Experiments to run, or all.")] = None,
    quick: Annotated[bool, flag("--quick", "With all: only what is exact and needs no training.")] = False,
    out: Annotated[Path, option("FOLDER", "Where results go.  [default: runs/lab]")] = Path("runs/lab"),
) -> None:
    """Put what is said of the Transformer to the test.

    \b
    onmal lab                   list the experiments
    onmal lab mask order        run two of them
    onmal lab all --quick       every exact check, in less than two minutes

    Each says its claim, what would refute it, and its verdict; FOLDER/NAME.json has the numbers, FOLDER/NAME.svg a picture.
    """
    from onmal.lab import EXPERIMENTS, Result, experiment_named, run

    if quick and "all" not in (names or ()):
        raise ConfigError("--quick goes with all", "say: onmal lab all --quick")
    if not names:
        for name in EXPERIMENTS:
            each, path = experiment_named(name), out / f"{name}.json"
            known: str
            try:
                known = Result.read(path).verdict if path.exists() else ""
            except ConfigError:
                known = "unreadable"
            about = "exact" if each.exact else f"about {each.minutes:g} minutes"
            typer.echo(f"{each.number:4} {name:12} {about:18} {known:22} {each.claim}")
        return
    experiments = [experiment_named(name) for name in (EXPERIMENTS if "all" in names else names)]
    for experiment in experiments:
        if experiment.exact or not quick:
            run(experiment, out, typer.echo)
