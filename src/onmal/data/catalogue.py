"""The corpora that onmal knows by name, one entry each; all others go by their id in the index of the package mtdata."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
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

CORPORA: Mapping[str, Corpus] = MappingProxyType(
    {
        corpus.name: corpus
        for corpus in (
            Corpus(
                name="phrasebook",
                source_language="ko",
                target_language="en",
                splits=dict.fromkeys(PHRASEBOOK_SIZES, ()),
                about="Korean and English sentences from a grammar in this program, generated when asked for",
                licence="Apache-2.0, as the program",
                label="frame",
            ),
            Corpus(
                name="multi30k",
                source_language="en",
                target_language="de",
                splits={
                    split: (f"{split}.en", f"{split}.de")
                    for split in ("train", "val", "test_2016", "test_2017", "test_mscoco")
                },
                about="image captions in English and German (Elliott et al. 2016, 2017)",
                licence="no licence file; its README gives the images for non-commercial research and"
                " educational purposes: treat the captions the same way",
                address="https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw/",
                originals={
                    f"{split}.{language}": f"{original}.{language}.gz"
                    for split, original in (
                        ("train", "train"),
                        ("val", "val"),
                        ("test_2016", "test_2016_flickr"),
                        ("test_2017", "test_2017_flickr"),
                        ("test_mscoco", "test_2017_mscoco"),
                    )
                    for language in ("en", "de")
                },
                sha256={
                    "train.en": "f7cb7c7d411f6039a15de94de8c4d1709fada7b7474791598fd18451ec62427d",
                    "train.de": "b5dc18c393d1f61f278a59af3acca40335d606cbb60d5441609a97a12fa0979e",
                    "val.en": "1f2a23d992769b5b3d209b0a10dd0b77c08cceb1f20dfb97ed0aafa49d107227",
                    "val.de": "2ae538e9409a298126a6d4e43a855a5e6b63504c53780710c67b4698953e9d4c",
                    "test_2016.en": "399a4382932c1aadd3ceb9bef1008d388a64c76d4ae4e9d4728c6f4301cac182",
                    "test_2016.de": "4be6b5b3236b79c25475c6bb829800a7ce559e9ba7a1f6c2394fe4d40be46d16",
                    "test_2017.en": "89f1090381c6663a596cb69df930ed331b1f3869a0863774ab9471748ab29f45",
                    "test_2017.de": "b945db9d939511ca8791a4119dc54926701f05bffdd12765419b0b77ff1dc14e",
                    "test_mscoco.en": "61426c11a797dcf771149e10de1c311912182a96db3bcd1b9af0a34e8694df0f",
                    "test_mscoco.de": "6fa27772f7927065df845bac373d0d743fe91930f83f541ff320b7e6398d394c",
                },
            ),
            Corpus(
                name="koen",
                source_language="ko",
                target_language="en",
                splits={"train": ("train.tsv.xz",), "dev": ("dev.tsv",), "test": ("test.tsv",)},
                about="Korean and English from software, its documentation, games and everyday sentences",
                licence="that of the repository in each line's fourth column; some are copyleft",
                label="kind",
            ),
        )
    }
)


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
