"""`onmal doctor`, `onmal prepare` and `onmal corpus`: looking after parallel text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onmal.cli.options import Data, From, To, argument, flag, languages_of, option
from onmal.cli.terminal import note, show, table

if TYPE_CHECKING:
    from onmal.data.clean import DoctorReport, Fault

__all__ = ["corpus", "doctor", "prepare"]

_LINES_SHOWN = 5


def doctor(
    data: Data,
    source_language: From = "",
    target_language: To = "",
    as_json: Annotated[bool, flag("--json", "Print JSON, with more lines and examples.")] = False,
) -> None:
    """Say what is wrong with parallel text.

    \b
    onmal doctor train.ko train.en
    onmal doctor pairs.tsv.xz --from ko --to en --json

    Every fault with line numbers and an example; nothing is changed.
    """
    from onmal.data.clean import examine
    from onmal.data.corpus import read_pairs

    source, target = languages_of(data, source_language, target_language)
    pairs = read_pairs(data, source_language=source, target_language=target, empty="keep")
    report = examine(pairs, source, target)
    if as_json:
        typer.echo(json.dumps(report.as_dict(), ensure_ascii=False, indent=2))
    else:
        _show_report(report, source, target)


def prepare(
    data: Data,
    out: Annotated[Path, option("FOLDER", "A new folder for the result.")],
    source_language: From = "",
    target_language: To = "",
) -> None:
    """Leave out what is wrong with parallel text.

    \b
    onmal prepare train.ko train.en --out clean
    onmal prepare memory.tmx --from ko --to en --out clean

    Writes two aligned files, such as clean/text.ko and clean/text.en, and clean/manifest.json, and says how many
    pairs each filter removed. onmal train applies the same filters by itself.
    """
    from onmal.data.clean import default_filters
    from onmal.data.corpus import read_pairs
    from onmal.data.writing import prepare_text

    source, target = languages_of(data, source_language, target_language)
    pairs = read_pairs(data, source_language=source, target_language=target, empty="keep")
    report = prepare_text(pairs, default_filters(source, target), out, (source, target))
    removed = table("filter", "removed", "lines", "the first one")
    for name, fault in report.removed.items():
        removed.add_row(name, f"{fault.count:,}", _lines(fault), fault.reason)
    show(f"{report.kept:,} of {report.read:,} pairs kept in {out}", "", removed)


def corpus(
    name: Annotated[str, argument("NAME", "The corpus to fetch.")] = "",
    out: Annotated[
        Path | None,
        option("FOLDER", "Where to put it.  [default: the cache]"),
    ] = None,
) -> None:
    """List the corpora that onmal knows, or fetch one.

    \b
    onmal corpus
    onmal corpus multi30k
    """
    from onmal.data.corpora import CORPORA, fetch

    if name:
        paths = fetch(name, out, progress=lambda file, done, total: note(f"{done + 1}/{total}  {file}"))
        typer.echo(f"{name} is in {paths[0].parent}, its checksums are right")
        return
    known = table("corpus", "languages", "splits", "what it is", "terms")
    for each in CORPORA.values():
        languages = f"{each.source_language}-{each.target_language}"
        known.add_row(each.name, languages, ", ".join(each.splits), each.about, each.licence)
    show(known)


def _show_report(report: DoctorReport, source: str, target: str) -> None:
    title = f"{report.pairs:,} pairs, {source}-{target}: {report.sound:,} sound, {report.removable:,} with a fault"
    found = table("fault", "pairs", "lines", "the first one")
    for name, fault in report.faults.items():
        found.add_row(name, f"{fault.count:,}", _lines(fault), fault.reason)
    for name, fault in report.doubts.items():
        found.add_row(f"{name} (kept)", f"{fault.count:,}", _lines(fault), fault.reason)
    lengths = table("length", "mean", "median", "95 %", "99 %", "longest", numbers=5)
    for name, side in report.lengths.items():
        values = side.as_dict().values()
        lengths.add_row(name.replace("_", " "), *(f"{value:,g}" for value in values))
    show(title, "", found, lengths)


def _lines(fault: Fault) -> str:
    shown = ", ".join(map(str, fault.lines[:_LINES_SHOWN]))
    return f"{shown} ..." if fault.count > _LINES_SHOWN else shown
