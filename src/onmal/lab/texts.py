"""The phrasebook's sentences as the experiments need them: of some lengths, in pairs that change roles, with gold alignments."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path

from onmal.phrasebook import Phrase, generate, phrases
from onmal.writing import write_whole

__all__ = ["PAIRS", "SHORT", "Text", "english_words", "short", "training_text"]

SHORT = 8
"""English words of the longest sentence that the experiments train on; the phrasebook's tests have up to 13, `long` more."""

PAIRS = 20_000
VALIDATION = 200


def english_words(phrase: Phrase) -> int:
    """Length of a phrase."""
    return phrase.english.count(" ") + 1


def short(phrase: Phrase) -> bool:
    """Whether a phrase is of the lengths that are trained on."""
    return english_words(phrase) <= SHORT


@dataclass(frozen=True)
class Text:
    """Aligned files, a sentence a line: train.ko, train.en, valid.ko, valid.en."""

    files: dict[str, bytes]

    @property
    def sha256(self) -> str:
        """Of all files, one after the other."""
        return hashlib.sha256(b"".join(self.files.values())).hexdigest()

    def written(self, folder: Path) -> Path:
        """A folder that has the files, within `folder`; another text has another one."""
        place = folder / f"text-{self.sha256[:16]}"
        place.mkdir(parents=True, exist_ok=True)
        for name, content in self.files.items():
            if not (place / name).exists():
                write_whole(place / name, content)
        return place


@cache
def training_text(pairs: int) -> Text:
    """So many pairs of short sentences to train on and a few to validate, as the phrasebook makes them."""
    train = list(islice(filter(short, generate("train")), pairs))
    valid = list(filter(short, phrases("valid", 3 * VALIDATION)))[:VALIDATION]
    return Text({
        f"{name}.{language}": _lines(each.korean if language == "ko" else each.english for each in found)
        for name, found in (("train", train), ("valid", valid))
        for language in ("ko", "en")
    })  # fmt: skip


def _lines(texts: Iterable[str]) -> bytes:
    return "".join(f"{text}\n" for text in texts).encode()
