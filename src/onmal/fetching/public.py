"""A corpus of mtdata's index on this machine: fetched by onmal, read by mtdata's parsers, kept as two aligned files.

mtdata's own downloads go over http where it says so, without verifying certificates where these fail, and into a cache of its
own; onmal takes its index and its parsers alone. TMX is read by onmal's reader, in constant memory.

FOLDER/train.LANGUAGE      both sides, normalised, a sentence a line
FOLDER/manifest.json       where it came from, when, what to cite, pairs, SHA-256 of the files and of what was fetched
FOLDER/LICENSE, README     as its makers packed them, if they did

The manifest is written last. What was fetched first stays the measure: if the same id brings another text later, that is an error.
"""

from __future__ import annotations

import datetime
import hashlib
import importlib.metadata
import json
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from onmal.cache import cache_folder
from onmal.corpora.catalogue import Corpus, corpus_named
from onmal.corpora.located import damaged_file
from onmal.data.pair import Pair
from onmal.errors import ConfigError, DataError
from onmal.fetching.download import Opener, download, open_https
from onmal.fetching.mtdata_index import Entry, entry_of, mtdata_prints
from onmal.fetching.unpacking import unpack
from onmal.formats.tmx import read_tmx
from onmal.lock import locked_folder
from onmal.text.normalize import normalize
from onmal.writing import MANIFEST, open_whole

__all__ = ["Progress", "fetch_public"]

LARGEST = 64 << 30
"""Bytes of one download."""
_TELL_EVERY = 10_000
_PLACE = ".fetching-"

Progress = Callable[[str, str, int, int], None]
"""Told what is being done, in which unit, how much of it is done and how much there is, or 0."""


def fetch_public(
    name: str,
    folder: Path | None = None,
    *,
    note: Callable[[str], None] = lambda text: None,
    progress: Progress = lambda doing, unit, done, total: None,
    find: Callable[[str], Entry] = entry_of,
    opener: Opener = open_https,
) -> dict[str, Any]:
    """Put a corpus of mtdata's index into a folder, by default the cache, where recipes find it; its manifest.

    A folder that has it is verified and left as it is; one that is damaged is fetched again, with a note. Raises ConfigError for
    an id that the index does not have, DataError for what cannot be had, read or kept.
    """
    corpus = corpus_named(name)
    own, folder = folder is not None, folder or cache_folder() / "corpora" / name
    before = _manifest(folder, name)
    if before:
        damaged = damaged_file(corpus, folder)
        if not damaged:
            return before
        note(f"{folder / damaged} is damaged: fetching it again")
    elif own and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError("exists already", "choose another --out, or remove it", path=folder)
    note(f"looking for {name} in mtdata's index ...")
    entry = find(name)
    same = corpus.source_language == corpus.target_language
    if obstacle := "both its sides are the same language" if same else entry.obstacle:
        raise ConfigError(
            f"{name} cannot be fetched: {obstacle}", "look for another with onmal corpus --search"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone_in(folder, note):
            if not before and (fetched := _manifest(folder, name)):  # by another process, meanwhile
                return fetched
            for left in folder.glob(f"{_PLACE}*"):  # by a process that was killed
                shutil.rmtree(left)
            with tempfile.TemporaryDirectory(prefix=_PLACE, dir=folder) as place:
                return _fill(folder, Path(place), corpus, entry, before, progress, opener)
    except OSError as error:
        what = f"cannot be written ({error.strerror or error})"
        raise DataError(what, "free some space, or choose another folder with --out", path=folder) from None
    finally:
        with suppress(OSError):  # which says that it is not empty
            folder.rmdir()


@contextmanager
def _alone_in(folder: Path, note: Callable[[str], None]) -> Iterator[None]:
    """Closed to other processes, which may be fetching the same: that one is waited for."""
    with ExitStack() as held:
        try:
            held.enter_context(locked_folder(folder))
        except BlockingIOError:
            note(f"waiting for another process that fetches into {folder} ...")
            held.enter_context(locked_folder(folder, wait=True))
        yield


def _manifest(folder: Path, name: str) -> dict[str, Any]:
    """The manifest in a folder, {} if there is none. DataError if the folder is something else's."""
    try:
        found = json.loads((folder / MANIFEST).read_text("utf-8"))
        corpus, *_ = (found[key] for key in ("corpus", "fetched", "pairs", "citation", "files"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError):
        raise DataError(
            "cannot be read", "remove the folder and fetch it anew", path=folder / MANIFEST
        ) from None
    if corpus != name:
        raise DataError(f"holds the corpus {corpus}", "choose another --out", path=folder)
    return dict(found)


def _fill(
    folder: Path, place: Path, corpus: Corpus, entry: Entry, before: dict[str, Any], progress: Progress, opener: Opener
) -> dict[str, Any]:  # fmt: skip
    files: list[Path] = []
    downloads: list[dict[str, Any]] = []
    for number, address in enumerate(entry.addresses):
        packed = place / f"download-{number}"
        downloads.append(_download(address, packed, progress, opener))
        files += unpack(packed, entry.packed, entry.members, place)
        if packed not in files:
            packed.unlink()  # what was unpacked needs the space
    names = corpus.splits["train"]
    with closing(_pairs(entry, corpus, files)) as pairs:
        written = _write(pairs, [place / name for name in names], progress)
    if not written["pairs"]:
        raise DataError(f"no pair of {entry.id} has text on both sides", "look for another corpus")
    _hold_to_the_first(before, written["files"], folder)
    for name in (*names, *(path.name for path in place.iterdir() if path.name.isupper())):
        (place / name).replace(folder / name)
    manifest = {
        "corpus": entry.id,
        "languages": [corpus.source_language, corpus.target_language],
        "citation": entry.citation,
        "fetched": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "downloads": downloads,
        **written,
        "onmal": importlib.metadata.version("onmal"),
        "index": entry.index,
    }
    with open_whole(folder / MANIFEST) as file:
        json.dump(manifest, file, ensure_ascii=False, indent=2)
        file.write("\n")
    return manifest


def _download(address: str, path: Path, progress: Progress, opener: Opener) -> dict[str, Any]:
    def tell(done: int, total: int) -> None:
        free = shutil.disk_usage(path.parent).free
        if total - done > free:
            what = f"{address} is {total >> 20:,} MiB and the disk has {free >> 20:,} MiB left"
            raise DataError(what, "free some space, or choose another folder with --out")
        progress(f"fetching {address}", "MiB", done >> 20, total >> 20)

    with path.open("wb") as file:
        sha256 = download(address, file, largest=LARGEST, progress=tell, opener=opener)
    return {"address": address, "bytes": path.stat().st_size, "sha256": sha256}


def _pairs(entry: Entry, corpus: Corpus, files: list[Path]) -> Generator[Pair, None, None]:
    """The pairs of unpacked files, as they are in them; blank sides are passed on."""
    if entry.format == "tmx":
        # A language that onmal has no code for is x-CODE to it, and CODE to everybody else.
        own = (corpus.source_language, corpus.target_language)
        source, target = (code.removeprefix("x-") for code in own)
        for path in files:
            with path.open("rb") as stream:
                yield from read_tmx(stream, entry.id, source, target)
        return
    given = {"id": entry.id, "format": entry.format, "paths": list(map(str, files)), **entry.facts}
    for line in mtdata_prints("read", json.dumps(given)):
        row = json.loads(line)
        if len(row) == 2 and all(isinstance(text, str) for text in row):
            yield Pair(*row)


def _write(pairs: Iterable[Pair], paths: list[Path], progress: Progress) -> dict[str, Any]:
    """Write both sides, normalised, without the pairs of which one is blank; counts and checksums."""
    digests = [hashlib.sha256() for _ in paths]
    kept = number = 0
    with paths[0].open("wb") as source, paths[1].open("wb") as target:
        for number, pair in enumerate(pairs, 1):
            texts = normalize(pair.source), normalize(pair.target)
            if all(texts):
                kept += 1
                for text, file, digest in zip(texts, (source, target), digests, strict=True):
                    line = f"{text}\n".encode()
                    file.write(line)
                    digest.update(line)
            if number % _TELL_EVERY == 0:
                progress("reading it", "pairs", number, 0)
    files = {
        path.name: {"bytes": path.stat().st_size, "sha256": digest.hexdigest()}
        for path, digest in zip(paths, digests, strict=True)
    }
    return {"pairs": kept, "without text on both sides": number - kept, "files": files}


def _hold_to_the_first(before: dict[str, Any], files: dict[str, Any], folder: Path) -> None:
    if before and before["files"] != files:
        what = f"the corpus is no longer the text that was fetched on {before['fetched']} (SHA-256 {', '.join(each['sha256'][:12] + '...' for each in before['files'].values())})"
        raise DataError(what, "put that copy back, or remove the folder to take the new text", path=folder)
