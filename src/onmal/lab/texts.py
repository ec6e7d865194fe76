"""The phrasebook's sentences as the experiments need them: of some lengths, in pairs that change roles, with gold alignments."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

from onmal.data.writing import write_whole
from onmal.phrasebook import Phrase, generate, phrases

__all__ = ["SHORT", "english_words", "short", "training_text", "write_tsv"]

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


def training_text(folder: Path, keep: Callable[[Phrase], bool] = short) -> tuple[Path, Path]:
    """Files of 20,000 pairs to train on and of a few to validate, written once: Korean, tab, English."""
    train, valid = folder / "train.tsv", folder / "valid.tsv"
    if not train.exists():
        write_tsv(valid, list(filter(keep, phrases("valid", 3 * VALIDATION)))[:VALIDATION])
        write_tsv(train, islice(filter(keep, generate("train")), PAIRS))
    return train, valid


def write_tsv(path: Path, pairs: Iterable[Phrase]) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, "".join(f"{each.korean}\t{each.english}\n" for each in pairs).encode())
