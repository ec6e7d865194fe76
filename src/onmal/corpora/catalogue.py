"""The corpora that onmal knows by name, one entry each; all others go by their id in the index of the package mtdata."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from types import MappingProxyType

from onmal.errors import ConfigError, LanguageError
from onmal.text.language import canonical

__all__ = ["CORPORA", "PHRASEBOOK_SIZES", "Corpus", "corpus_named", "language_of"]

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """A named corpus: languages, the files of each split, terms, and for a public one addresses and checksums."""

    name: str
    source_language: str
    target_language: str
    splits: Mapping[str, tuple[str, ...]]
    """Split -> two aligned files or one TSV; no files where the pairs are generated."""
    about: str
    """What the text is, in a few words."""
    licence: str
    """Under which terms it may be used, as far as its makers say."""
    label: str = ""
    """What the third column of a TSV says; "" if there is none."""
    address: str = ""
    """Where the compressed originals are; "" if there is no public download."""
    originals: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    """File -> name of its original below `address`."""
    sha256: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    """File -> SHA-256 of the finished file, in hexadecimal."""


PHRASEBOOK_SIZES: Mapping[str, int] = MappingProxyType(
    {"train": 60_000, "valid": 500, "test": 1_000, "long": 500, "roles": 500, "homonyms": 300}
)
"""Pairs of each split of the phrasebook, which could generate any number."""


def _read_catalogue() -> dict[str, Corpus]:
    entries = tomllib.loads(files("onmal.corpora").joinpath("catalogue.toml").read_text(encoding="utf-8"))
    return {
        name: Corpus(name=name, **{**entry, "splits": {s: tuple(f) for s, f in entry["splits"].items()}})
        for name, entry in entries.items()
    }


CORPORA: Mapping[str, Corpus] = MappingProxyType(_read_catalogue())
"""What catalogue.toml says of each."""

_CODE = r"-([a-z]{3}(?:_[A-Z][a-z]{3})?(?:_[A-Z]{2})?)"
_ID = re.compile(rf"\w[\w.]*-\w[\w.]*-\w[\w.]*{_CODE}{_CODE}")


def corpus_named(name: str) -> Corpus:
    """What is known of a corpus; of mtdata's what its id says, GROUP-NAME-VERSION-LANGUAGE-LANGUAGE.

    Raises ConfigError with the nearest name.
    """
    if name in CORPORA:
        return CORPORA[name]
    if len(name) <= 200 and (found := _ID.fullmatch(name)):
        source, target = map(language_of, found.groups())
        return Corpus(
            name=name,
            source_language=source,
            target_language=target,
            splits={"train": (f"train.{source}", f"train.{target}")},
            about="a public corpus of mtdata's index",
            licence="ask where it comes from",
        )
    near = difflib.get_close_matches(name, CORPORA, 1)
    remedy = f"did you mean {near[0]}?" if near else f"known are {', '.join(CORPORA)}"
    raise ConfigError(
        f"there is no corpus called {name!r}", f"{remedy}; `onmal corpus --search ko-en` finds more"
    )


def language_of(code: str) -> str:
    """The BCP 47 code of a language as mtdata writes it: "ko" of "kor", "pt-BR" of "por_BR", "x-lld" of "lld", which has none.

    Raises LanguageError for anything but a code of three letters that onmal does not know.
    """
    try:
        return canonical(code)
    except LanguageError:
        if not re.fullmatch("[a-z]{3}(_[A-Za-z]+)*", code):
            raise
        return f"x-{code.replace('_', '-').lower()}"
