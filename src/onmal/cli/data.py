"""`onmal doctor`, `onmal prepare` and `onmal corpus`: looking after parallel text."""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from onmal.cli.options import (
    CorpusFolders,
    Data,
    From,
    To,
    argument,
    corpus_folders,
    flag,
    languages_of,
    option,
)
from onmal.cli.terminal import note, progress, show, table
from onmal.errors import ConfigError

if TYPE_CHECKING:
    from onmal.cleaning.clean import DoctorReport, Fault
    from onmal.config import DataConfig

__all__ = ["corpus", "doctor", "prepare"]

_LINES_SHOWN = 5
_SECONDS = 10.0  # between two lines of progress


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
    from onmal.cleaning.clean import examine
    from onmal.data.corpus import read_pairs

    source, target = languages_of(data, source_language, target_language)
    pairs = read_pairs(data, source_language=source, target_language=target, empty="keep")
    report = examine(pairs, source, target)
    if as_json:
        typer.echo(json.dumps(report.as_dict(), ensure_ascii=False, indent=2))
    else:
        _show_report(report, source, target)


def prepare(
    data: Annotated[
        list[Path],
        argument(
            "DATA", "Text to clean, as for onmal doctor; or the CONFIG.toml of a run, to make its shards."
        ),
    ],
    out: Annotated[Path, option("FOLDER", "A new folder for the result.")],
    source_language: From = "",
    target_language: To = "",
    settings: Annotated[
        list[str] | None,
        option(
            "data.KEY=VALUE",
            "Change a setting of CONFIG.toml, such as data.max_length=64; repeatable.",
            "--set",
        ),
    ] = None,
    folders: CorpusFolders = None,
) -> None:
    """Clean parallel text, or make shards of it for training.

    \b
    onmal prepare train.ko train.en --out clean
    onmal prepare memory.tmx --from ko --to en --out clean
    onmal prepare CONFIG.toml --out shards
    onmal train CONFIG.toml --set data.shards=shards
    zcat *.tsv.gz | onmal prepare CONFIG.toml --set 'data.train=["-"]' --out shards

    Of files it writes two aligned ones, such as clean/text.ko and clean/text.en, and clean/manifest.json, and says
    how many pairs each filter removed. onmal train applies the same filters by itself.

    Of a CONFIG.toml it writes the training text, cleaned, with its tokenizer, as shards that training reads in
    constant memory at any size. Cut off, the same command goes on where it was; standard input is given again from its
    beginning, and what is done is passed over.
    """
    from onmal.cleaning.clean import default_filters
    from onmal.data.corpus import read_pairs
    from onmal.preparing.text import prepare_text

    if len(data) == 1 and data[0].suffix == ".toml":
        _prepare_shards(data[0], out, source_language, target_language, settings or (), folders or ())
        return
    if settings or folders:
        raise ConfigError(
            "--set and --data change a CONFIG.toml, and none is given", "give CONFIG.toml instead of text"
        )
    source, target = languages_of(data, source_language, target_language)
    pairs = read_pairs(data, source_language=source, target_language=target, empty="keep")
    report = prepare_text(pairs, default_filters(source, target), out, (source, target))
    removed = table("filter", "removed", "lines", "the first one")
    for name, fault in report.removed.items():
        removed.add_row(name, f"{fault.count:,}", _lines(fault), fault.reason)
    show(f"{report.kept:,} of {report.read:,} pairs kept in {out}", "", removed)


def _prepare_shards(
    config: Path, out: Path, source: str, target: str, settings: Sequence[str], folders: Sequence[str]
) -> None:
    from onmal.config import RunConfig
    from onmal.corpora.located import open_pairs
    from onmal.preparing.shards import prepare_shards
    from onmal.settings import apply_overrides, read_toml
    from onmal.text.language import canonical

    sides = (("source_language", source), ("target_language", target))
    overrides = [*(f"data.{key}={canonical(code)}" for key, code in sides if code), *settings]
    values = apply_overrides({"name": config.stem, **read_toml(config)}, overrides)
    # What training would refuse is refused now, but for the end of a run, which may be said later.
    values["data"] = {**values.get("data", {}), "shards": str(out)}
    values["train"] = {"max_updates": 1, **values.get("train", {})}
    data = RunConfig.from_dict(values).data.replace(shards="")
    empty: Literal["keep", "error"] = "keep" if data.clean else "error"
    pairs = [open_pairs(text, text.train, corpus_folders(folders), empty=empty) for text in data.texts]
    if any("-" in text.train for text in data.texts):
        note("reading standard input: source, a tab and target on each line ...")
    expected = [_expected(text) for text in data.texts]
    with _progress(sum(expected) if all(expected) else 0) as done:
        manifest = prepare_shards(pairs, data, out, note=note, progress=done)
    removed = table("filter", "removed", numbers=1)
    for name, count in manifest["removed"].items():
        removed.add_row(name, f"{count:,}")
    show(f"{manifest['pairs']:,} of {manifest['read']:,} pairs are in {out}", "", removed)
    given = [
        *(("--from", source), ("--to", target)),
        *(("--set", setting) for setting in (*settings, f"data.shards={out}")),
        *(("--data", folder) for folder in folders),
    ]
    same = [word for name, value in given if value for word in (name, value)]
    typer.echo(f"train on them:  {shlex.join(['onmal', 'train', str(config), *same])}")


def _expected(data: DataConfig) -> int:
    """About how many pairs the text of `data` has; 0 where that cannot be known beforehand."""
    from onmal.formats.lines import open_bytes

    if data.corpus or "-" in data.train:
        return data.max_pairs
    suffixes = Path(data.train[0]).suffixes if data.train else []
    mark = b"</tu>" if ".tmx" in suffixes else b"msgstr" if ".po" in suffixes else b"\n"
    found = 0
    for name in data.train[:1]:
        with open_bytes(name) as file:
            found = sum(block.count(mark) for block in iter(partial(file.read, 1 << 20), b""))
    return min(found, data.max_pairs or found)


def _progress(total: int, unit: str = "pairs") -> AbstractContextManager[Callable[[int], None]]:
    """A bar with the time left in a terminal; elsewhere, or where nobody knows how much there is, a line now and then."""
    if total and sys.stderr.isatty():
        return progress(total, unit)
    begun = said = first = 0.0

    def done(count: int) -> None:
        nonlocal begun, said, first
        now = time.monotonic()
        if not begun:  # what was read before this run began says nothing of its speed
            begun, said, first = now, now, count
        if now - said > _SECONDS:
            said, rate = now, (count - first) / (now - begun)
            left = f" of {total:,}" if total else ""
            left += f", {max(total - count, 0) / rate / 60:.1f} minutes left" if total and rate else ""
            note(f"{count:,} {unit}{left} ({rate:,.0f} a second)")

    return nullcontext(done)


def corpus(
    name: Annotated[
        str, argument("NAME", "The corpus to fetch: a name of the list, or an id of mtdata's index.")
    ] = "",
    languages: Annotated[
        str, option("LANGUAGE-LANGUAGE", "List the ids of mtdata's index (extra: corpora).", "--search")
    ] = "",
    out: Annotated[
        Path | None,
        option("FOLDER", "Where to put it.  [default: the cache]"),
    ] = None,
) -> None:
    """List the corpora that onmal knows, find more, or fetch one.

    \b
    onmal corpus
    onmal corpus multi30k
    onmal corpus --search ko-en
    onmal corpus OPUS-tatoeba-v20230412-eng-kor

    An id becomes two aligned files, train.en and train.ko, with manifest.json: where they come from, what to cite,
    SHA-256. Asked for again it is verified. A recipe names it as data.corpus, with data.valid = [].
    """
    from onmal.corpora.located import CORPORA, corpus_named

    if languages:
        _search(languages, name)
    elif name and corpus_named(name).name in CORPORA:
        from onmal.fetching.catalogued import fetch

        paths = fetch(name, out, progress=lambda file, done, total: note(f"{done + 1}/{total}  {file}"))
        typer.echo(f"{name} is in {paths[0].parent}, its checksums are right")
    elif name:
        _fetch_public(name, out)
    else:
        known = table("corpus", "languages", "splits", "what it is", "terms")
        for each in CORPORA.values():
            pair = f"{each.source_language}-{each.target_language}"
            known.add_row(each.name, pair, ", ".join(each.splits), each.about, each.licence)
        show(known, "thousands more, for any two languages:  onmal corpus --search ko-en")


def _search(languages: str, name: str) -> None:
    """A line for each corpus of two languages, made to be searched further with grep."""
    from onmal.fetching.mtdata_index import mtdata_version, search

    pair = languages.split("-")
    if len(pair) != 2 or name:
        raise ConfigError(
            f"--search {languages} {name}".strip() + " is not two languages", "write --search ko-en"
        )
    note(f"looking through the index of mtdata {mtdata_version()} ...")
    found = search(*pair)
    if not found:
        raise ConfigError(f"mtdata's index has no corpus of {languages}", "try a related language")
    widths = [max(len(each.id) for each in found), max(len(each.origin) for each in found)]
    for each in found:
        typer.echo(f"{each.id:<{widths[0]}}  {each.origin:<{widths[1]}}  {each.citation}".rstrip())
    note(
        f"{len(found):,} corpora: id, origin, what to cite. Their terms are their makers': read them before use."
    )
    note("fetch one:  onmal corpus ID")


def _fetch_public(name: str, out: Path | None) -> None:
    from onmal.cache import cache_folder
    from onmal.fetching.public import fetch_public

    folder = out or cache_folder() / "corpora" / name
    with _steps() as progress:
        manifest = fetch_public(name, out, note=note, progress=progress)
    files = [str(folder / file) for file in manifest["files"]]
    pairs = f"{manifest['pairs']:,} pairs, fetched on {manifest['fetched']}"
    typer.echo(f"{name} is in {folder}, its checksums are right: {pairs}")
    if manifest["citation"]:
        typer.echo(f"cite:  {manifest['citation']}")
    for terms in ("LICENSE", "LICENCE", "COPYING", "README"):
        if (folder / terms).exists():
            typer.echo(f"read:  {folder / terms}")
    typer.echo(f"look at it:   onmal doctor {shlex.join(files)}")
    place = "" if out is None else f" --data {shlex.quote(f'{name}={out}')}"
    typer.echo(f'train on it:  onmal train CONFIG.toml --set data.corpus={name} --set "data.valid=[]"{place}')


@contextmanager
def _steps() -> Iterator[Callable[[str, str, int, int], None]]:
    """Shows several things that are done one after the other: a line for each, and below it how far it is."""
    with ExitStack() as showing:
        step = ""
        done: Callable[[int], None]

        def tell(doing: str, unit: str, count: int, total: int) -> None:
            nonlocal step, done
            if doing != step:
                showing.close()
                step = doing
                note(f"{doing} ...")
                done = showing.enter_context(_progress(total, unit))
            done(count)

        yield tell


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
