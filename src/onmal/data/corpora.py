"""Corpora by name: finding their files, reading their splits, and fetching a public one.

A recipe says "multi30k", never a path, so that it runs on every machine. The files are looked for in the
folder given for the name, else in the cache, where `fetch` puts them. What counts there is the result: its
SHA-256 must be the one in the catalogue, whatever came over the wire. A file appears under its name when it
is whole and verified; an interrupted fetch is simply repeated.
"""

from __future__ import annotations

import gzip
import hashlib
import http.client
import io
import os
import sys
import urllib.error
import urllib.request
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Literal

from onmal.config import DataConfig
from onmal.data.catalogue import CORPORA, PHRASEBOOK_SIZES, Corpus, corpus_named
from onmal.data.corpus import read_pairs
from onmal.data.formats import primary_subtag
from onmal.data.pair import Pair
from onmal.data.writing import open_whole
from onmal.errors import ConfigError, DataError, LanguageError
from onmal.text.normalize import normalize

__all__ = [
    "CORPORA",
    "Corpus",
    "LocatedCorpus",
    "cache_folder",
    "corpus_named",
    "fetch",
    "fetch_corpus",
    "find",
    "open_pairs",
]

_SECONDS = 30.0
_LARGEST = 64 << 20
"""Bytes of one file, compressed or not, beyond which it cannot be the one that was meant."""


class LocatedCorpus(ABC):
    """A corpus whose pairs can be read here and now."""

    def __init__(self, corpus: Corpus) -> None:
        self.corpus = corpus

    @property
    def splits(self) -> tuple[str, ...]:
        """The names of its parts: "train" and those to choose and to measure by."""
        return tuple(self.corpus.splits)

    def pairs(self, split: str, source_language: str, target_language: str) -> Iterator[Pair]:
        """The pairs of a split in the direction asked for.

        Raises ConfigError for a split and LanguageError for a direction that the corpus does not have, and
        DataError (while reading) for a missing or damaged file.
        """
        corpus = self.corpus
        if split not in corpus.splits:
            raise ConfigError(f"{corpus.name} has no split {split!r}", f"it has {', '.join(corpus.splits)}")
        asked = primary_subtag(source_language), primary_subtag(target_language)
        own = primary_subtag(corpus.source_language), primary_subtag(corpus.target_language)
        if asked == own:
            return self._read(split)
        if asked == own[::-1]:
            return (pair.swapped() for pair in self._read(split))
        what = f"{corpus.name} has no text from {source_language} to {target_language}"
        raise LanguageError(what, f"its languages are {own[0]} and {own[1]}, either way round")

    @abstractmethod
    def _read(self, split: str) -> Iterator[Pair]:
        """The pairs of a split in the corpus's own direction."""


class _StoredCorpus(LocatedCorpus):
    """A corpus in a folder; each file may also be there with .gz or .xz, or without."""

    def __init__(self, corpus: Corpus, folder: Path) -> None:
        super().__init__(corpus)
        self.folder = folder

    def _read(self, split: str) -> Iterator[Pair]:
        paths = [self._file(name) for name in self.corpus.splits[split]]
        return read_pairs(
            paths, source_language=self.corpus.source_language, target_language=self.corpus.target_language
        )

    def _file(self, name: str) -> Path:
        plain = name.removesuffix(".xz").removesuffix(".gz")
        for spelling in (name, plain, f"{plain}.xz", f"{plain}.gz"):
            if (self.folder / spelling).is_file():
                return self.folder / spelling
        raise DataError(f"the corpus {self.corpus.name} lacks {name}", _way_to(self.corpus), path=self.folder)


class _Phrasebook(LocatedCorpus):
    """The corpus that a grammar in this package generates: always there, the same every time."""

    def _read(self, split: str) -> Iterator[Pair]:
        from onmal import phrasebook

        for number, phrase in enumerate(phrasebook.phrases(split, PHRASEBOOK_SIZES[split], seed=0), 1):
            yield Pair(phrase.korean, phrase.english, phrase.frame, number)


def find(name: str, override: Path | None = None) -> LocatedCorpus:
    """The corpus of that name, in the folder `override` if given (`--data NAME=PATH`), else in the cache.

    Raises ConfigError for a name that nobody knows, DataError where there is no such folder.
    """
    corpus = corpus_named(name)
    if name == "phrasebook":
        if override is not None:
            raise ConfigError("the phrasebook is generated and has no folder", "leave out its --data")
        return _Phrasebook(corpus)
    folder = override if override is not None else cache_folder() / "corpora" / name
    if folder.is_dir():
        return _StoredCorpus(corpus, folder)
    if override is not None:
        what = f"--data {name}=... names a folder that does not exist"
        raise DataError(what, f"it should hold {_example_files(corpus)}", path=override)
    raise DataError(f"the corpus {name} is not on this machine", _way_to(corpus))


def _way_to(corpus: Corpus) -> str:
    if not any(corpus.splits.values()):
        return "it is generated whenever it is asked for"
    own = f"--data {corpus.name}=PATH points to a folder with {_example_files(corpus)}"
    if corpus.address:
        return f"`onmal corpus {corpus.name}` fetches it, or {own}"
    return f"there is no public download: {own}"


def _example_files(corpus: Corpus) -> str:
    names = [name for names in corpus.splits.values() for name in names]
    return ", ".join(names[:3]) + (" and so on" if len(names) > 3 else "")


def cache_folder() -> Path:
    """Where onmal keeps what it fetched: ONMAL_CACHE, else the platform's folder for caches."""
    if chosen := os.environ.get("ONMAL_CACHE"):
        return Path(chosen).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "onmal"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "onmal" / "cache"
    xdg = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    return (xdg if xdg.is_absolute() else Path.home() / ".cache") / "onmal"


def fetch(
    name: str,
    folder: Path | None = None,
    *,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[Path]:
    """Puts the files of a public corpus into a folder, by default the cache, where `find` looks; their paths.

    Before each file, `progress` gets its name, how many are done and how many there are. Raises ConfigError
    for a corpus without a download, DataError if a file cannot be had or is not the right one.
    """
    corpus = corpus_named(name)
    if not corpus.address:
        raise ConfigError(f"the corpus {name} cannot be fetched", _way_to(corpus))
    return fetch_corpus(corpus, folder or cache_folder() / "corpora" / name, progress=progress)


def fetch_corpus(
    corpus: Corpus,
    folder: Path,
    *,
    progress: Callable[[str, int, int], None] | None = None,
    download: Callable[[str], bytes] | None = None,
) -> list[Path]:
    """The same for a corpus that need not be in the catalogue; `download` turns an address into bytes.

    Files that are there and right are left alone.
    """
    download = _download if download is None else download
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = f"cannot be made ({error.strerror or error})"
        raise DataError(what, "choose another folder", path=folder) from None
    paths = []
    for done, (name, original) in enumerate(corpus.originals.items()):
        if progress is not None:
            progress(name, done, len(corpus.originals))
        path, address = folder / name, corpus.address + original
        if not (path.is_file() and _sha256(path.read_bytes()) == corpus.sha256[name]):
            text = _plain_text(_decompressed(download(address), address))
            _verify(text, corpus, name)
            with open_whole(path) as file:
                file.write(text)
        paths.append(path)
    return paths


def _download(address: str) -> bytes:
    """What is at an https address, also after redirects. Raises DataError."""
    remedy = "check the address and the connection to the network, and try again"
    if not address.startswith("https://"):
        raise DataError(f"{address} is no https address", remedy)
    try:
        with urllib.request.build_opener(_HttpsOnly).open(address, timeout=_SECONDS) as answer:
            content: bytes = answer.read(_LARGEST + 1)
    except (OSError, http.client.HTTPException) as error:
        raise DataError(f"{address} cannot be fetched ({error})", remedy) from None
    if len(content) > _LARGEST:
        raise DataError(f"{address} is larger than {_LARGEST:,} bytes", "that cannot be the right file")
    return content


class _HttpsOnly(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if not newurl.startswith("https://"):
            raise urllib.error.URLError(f"it leads to {newurl}, which is no https address")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _decompressed(content: bytes, address: str) -> str:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
            unpacked = stream.read(_LARGEST + 1)
        if len(unpacked) > _LARGEST:
            what = f"{address} unpacks to more than {_LARGEST:,} bytes"
            raise DataError(what, "that cannot be the right file")
        return unpacked.decode()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        what = f"{address} is not compressed UTF-8 text ({error})"
        raise DataError(what, "try again; something on the way may have answered in its place") from None


# Quotes and dots that no finished file has; the quote „ and the dash – were left as they are.
_TYPOGRAPHIC = str.maketrans(
    {"“": '"', "”": '"', "‟": '"', "‘": "'", "’": "'", "‚": "'", "‛": "'", "…": "..."}
)


def _plain_text(text: str) -> str:
    """The text in NFC, each run of white space one space, typographic quotes and ellipses plain."""
    lines = text.removesuffix("\n").split("\n")
    return "".join(f"{normalize(line.translate(_TYPOGRAPHIC))}\n" for line in lines)


def _verify(text: str, corpus: Corpus, name: str) -> None:
    found, right = _sha256(text.encode()), corpus.sha256[name]
    if found != right:
        what = f"{name} of {corpus.name} is not the right text (its SHA-256 is {found[:12]}..., not {right[:12]}...)"
        remedy = f"its original has changed, or was altered on the way: try again, or use a copy with --data {corpus.name}=PATH"
        raise DataError(what, remedy)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def open_pairs(
    data: DataConfig,
    names: Sequence[str],
    corpora: Mapping[str, Path],
    *,
    empty: Literal["keep", "error"] = "error",
) -> Iterable[Pair]:
    """The pairs of corpus splits, or of files, that `names` name; `empty` says what a file's blank side is."""
    source, target = data.source_language, data.target_language
    if not data.corpus:
        return read_pairs(names, source_language=source, target_language=target, empty=empty)
    corpus = find(data.corpus, corpora.get(data.corpus))
    return (pair for split in names for pair in corpus.pairs(split, source, target))
