"""Corpora by name: finding their files and reading their splits.

A recipe says "multi30k", never a path, so that it runs on every machine. The files are looked for in the
folder given for the name, else in the cache, where `onmal corpus NAME` puts them (onmal/fetching).
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from onmal.cache import cache_folder
from onmal.config import DataConfig
from onmal.corpora.catalogue import CORPORA, PHRASEBOOK_SIZES, Corpus, corpus_named
from onmal.data.corpus import read_pairs
from onmal.data.pair import Pair
from onmal.errors import ConfigError, DataError, LanguageError
from onmal.formats.by_line import primary_subtag
from onmal.writing import MANIFEST

__all__ = [
    "CORPORA",
    "Corpus",
    "LocatedCorpus",
    "corpus_named",
    "damaged_file",
    "find",
    "open_pairs",
    "way_to",
]


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
            remedy = f"it has {', '.join(corpus.splits)}"
            if len(corpus.splits) == 1:
                remedy += ", of which data.valid = [] holds a part out"
            raise ConfigError(f"{corpus.name} has no split {split!r}", remedy)
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
        raise DataError(f"the corpus {self.corpus.name} lacks {name}", way_to(self.corpus), path=self.folder)


class _PublicCorpus(_StoredCorpus):
    """A corpus of mtdata's index, which is to be what was fetched first."""

    def _read(self, split: str) -> Iterator[Pair]:
        if damaged := damaged_file(self.corpus, self.folder):
            raise DataError("is not what was fetched", way_to(self.corpus), path=self.folder / damaged)
        return super()._read(split)


def damaged_file(corpus: Corpus, folder: Path) -> str:
    """The file of a public corpus that differs from the manifest beside it by its SHA-256; "" if none does."""
    try:
        files = json.loads((folder / MANIFEST).read_text("utf-8"))["files"]
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, KeyError, TypeError):
        return MANIFEST
    for name in corpus.splits["train"]:
        try:
            with (folder / name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            if found != files[name]["sha256"]:
                return name
        except (OSError, KeyError, TypeError):
            return name
    return ""


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
        return (_StoredCorpus if name in CORPORA else _PublicCorpus)(corpus, folder)
    if override is not None:
        what = f"--data {name}=... names a folder that does not exist"
        raise DataError(what, f"it should hold {_example_files(corpus)}", path=override)
    raise DataError(f"the corpus {name} is not on this machine", way_to(corpus))


def way_to(corpus: Corpus) -> str:
    """How a corpus comes to this machine."""
    if not any(corpus.splits.values()):
        return "it is generated whenever it is asked for"
    own = f"--data {corpus.name}=PATH points to a folder with {_example_files(corpus)}"
    if corpus.address or corpus.name not in CORPORA:
        return f"`onmal corpus {corpus.name}` fetches it, or {own}"
    return f"there is no public download: {own}"


def _example_files(corpus: Corpus) -> str:
    names = [name for names in corpus.splits.values() for name in names]
    return ", ".join(names[:3]) + (" and so on" if len(names) > 3 else "")


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
