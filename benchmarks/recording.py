"""What the programs in this folder share: the facts that every result carries, and where and how it is written."""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from onmal import errors
from onmal.processor import processor
from onmal.saved_model import SavedModel
from onmal.writing import open_whole

RESULTS = Path(__file__).resolve().parent / "results"


def arguments(description: str, models: str | None = None) -> ArgumentParser:
    """A parser with what every program takes: the model folder (or how many, as argparse's nargs), and where the result goes."""
    parser = ArgumentParser(description=description.splitlines()[0])
    parser.add_argument(
        "model", type=Path, nargs=models, metavar="MODEL", help="the folder that onmal train wrote"
    )
    parser.add_argument(
        "--results", type=Path, default=RESULTS, metavar="FOLDER", help="where the result goes [%(default)s]"
    )
    return parser


def this_machine() -> str:
    """Processor, cores that this process may use, and system."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{processor()}, {cores} cores, {platform.system()} {platform.machine()}"


def training_facts(card: Mapping[str, Any], model: Path) -> dict[str, Any]:
    """How the model came about, as its card tells. Raises ModelFolderError for one that no run has written."""
    if "run" not in card:
        raise errors.ModelFolderError(
            "its card does not say how it was trained", "give a folder that onmal train wrote", path=model
        )
    return {
        "minutes": card["minutes"],
        "machine": card["machine"],
        "config_hash": card["config_sha256"],
        "data_hash": card["data_sha256"],
        "updates": card["updates"],
        "tokens": card["target_tokens"],
        "precision": card["precision"],
        "weights": card["weights"],
        "onmal": card["onmal"],
        "torch": card["torch"],
    }


def parameters(saved: SavedModel) -> int:
    """How many numbers its network has learned."""
    return sum(parameter.numel() for parameter in saved.model.parameters())


def show(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table, columns as wide as they must be, numbers to the right."""
    table = [header, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(header))]
    for row in table:
        cells = [
            cell.rjust(width) if cell[:1].isdigit() else cell.ljust(width)
            for cell, width in zip(row, widths, strict=True)
        ]
        print("  ".join(cells).rstrip())


def ratio(above: Sequence[float], below: Sequence[float]) -> dict[str, float]:
    """Round by round: median and range of the quotients."""
    found = sorted(a / b for a, b in zip(above, below, strict=True))
    return {
        "median": round(statistics.median(found), 2),
        "least": round(found[0], 2),
        "most": round(found[-1], 2),
    }


def record(name: str, result: Mapping[str, Any], folder: Path) -> None:
    """Write FOLDER/NAME.json, with the date of this day, whole or not at all, and end with the same as one line of JSON."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise errors.DataError(f"cannot be made ({error.strerror})", "choose another", path=folder) from None
    with open_whole(folder / f"{name}.json") as file:
        json.dump({**result, "date": date.today().isoformat()}, file, ensure_ascii=False, indent=2)
        file.write("\n")
    print(json.dumps(result, ensure_ascii=False))


def main(program: Callable[[], None]) -> None:
    """Run a program; a user's mistake is one line and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    try:
        program()
    except errors.OnmalError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
