"""The public corpora of the catalogue: fetched whole, brought into one form, and verified.

What counts is the result: its SHA-256 must be the one in the catalogue, whatever came over the wire. A file appears under its
name when it is whole and verified; an interrupted fetch is simply repeated.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from collections.abc import Callable
from pathlib import Path

from onmal.cache import cache_folder
from onmal.corpora.catalogue import Corpus, corpus_named
from onmal.corpora.located import way_to
from onmal.errors import ConfigError, DataError
from onmal.fetching.download import download as download_to
from onmal.text.normalize import normalize
from onmal.writing import open_whole

__all__ = ["fetch", "fetch_corpus"]

_LARGEST = 64 << 20
"""Bytes of one file, compressed or not, beyond which it cannot be the one that was meant."""


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
        raise ConfigError(f"the corpus {name} cannot be fetched", way_to(corpus))
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
    content = io.BytesIO()
    download_to(address, content, largest=_LARGEST)
    return content.getvalue()


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
