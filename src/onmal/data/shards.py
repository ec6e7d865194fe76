"""Prepared training text as a folder of memory-mapped files: opened at once at any size, read without being held in memory.

manifest.json         what the folder holds and came from; written last
tokenizer.model       or source.model and target.model
valid.tsv             the pairs held out for validation, where the settings name none
SIDE.words, .offsets  for source and target: the word numbers of all sentences, and where each sentence begins
SIDE.vocabulary       the distinct words in the order of their numbers, one a line
SIDE.pieces, .starts, .first, .shares    how each distinct word may be segmented (text/subword_sampling.py)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onmal.config import DataConfig
from onmal.data.batching import Lengths, TrainingText
from onmal.data.corpus import read_pairs
from onmal.data.pair import Pair
from onmal.data.prepare import mix_of, source_tags, tags_of
from onmal.errors import ConfigError, DataError
from onmal.text.subword_sampling import EncodedSide, WordTable
from onmal.text.tokenizer import Tokenizer
from onmal.writing import MANIFEST

__all__ = ["LATER", "Shards", "column", "open_shards", "stored_text", "tokenizer_sha256"]

FORMAT = 1
STATE = "progress.json"
HELD_OUT = "valid.tsv"
SIDES = ("source", "target")
TABLE = {"pieces": "<i4", "starts": "<i8", "first": "<i8", "shares": "<f8"}
TYPES = {**TABLE, "words": "<i4", "offsets": "<i8", "digests": "<u8"}
PLACES = {"corpus", "train", "valid", "tests", "valid_size", "shards"}
"""Settings that say where text is; all others decide what it becomes ..."""
LATER: dict[str, Any] = {"temperature": True, "mix": {"__all__": {"weight", "share"}}}
"""... but those that training may choose."""
ANEW = "copy the folder again, or make it with: onmal prepare CONFIG.toml --out FOLDER"


@dataclass(frozen=True)
class Shards:
    """What training needs of a prepared folder."""

    tokenizer: Tokenizer
    text: TrainingText
    held_out: Sequence[Pair]
    """Pairs that are not in the text, to validate on; none where the settings named validation text."""
    manifest: Mapping[str, Any]
    """Among other facts: "pairs" in the text, "removed" by filter, "sha256" of the text."""


def open_shards(folder: str | Path, data: DataConfig) -> Shards:
    """Open a folder that was prepared with the settings `data`; nothing but the tokenizer and held-out text is read.

    DataError for a folder that is missing, unfinished, damaged or something else; ConfigError for other settings.
    """
    folder = Path(folder)
    try:
        manifest = _read_manifest(folder)
        _check_settings(folder, manifest["data"], data)
        _check_files(folder, manifest["files"])
        tokenizer = Tokenizer.load(folder, tags_of(data))
        if tokenizer_sha256(tokenizer) != manifest["tokenizer_sha256"]:
            raise DataError("its tokenizer is not the one that it was prepared with", ANEW, path=folder)
        text = stored_text(folder, data, tokenizer, manifest, Lengths(**manifest["lengths"]))
    except (AttributeError, KeyError, TypeError, ValueError):
        raise DataError("is damaged", ANEW, path=folder / MANIFEST) from None
    held_out: list[Pair] = []
    if manifest["held_out"]:
        languages = {"source_language": data.source_language, "target_language": data.target_language}
        held_out += read_pairs([folder / HELD_OUT], **languages, empty="keep")
    return Shards(tokenizer, text, held_out, manifest)


def stored_text(
    folder: Path, data: DataConfig, tokenizer: Tokenizer, facts: dict[str, Any], lengths: Lengths | None
) -> TrainingText:
    """The text of a folder, all its large arrays mapped; `facts` as the manifest has them."""
    source, target = (
        EncodedSide(
            WordTable(*(column(folder, side, name) for name in TABLE)),
            column(folder, side, "words"),
            column(folder, side, "offsets"),
        )
        for side in SIDES
    )
    tags, sampled = source_tags(tokenizer, data), data.subword_sampling > 0
    held_out, mix = np.array(facts["held_out"], np.int64), mix_of(tokenizer, data, facts.get("rows", ()))
    return TrainingText(source, target, tags, sampled, data.max_length, held_out, lengths, mix)


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if (folder / STATE).exists() and not path.exists():
        remedy = "give the same onmal prepare command again: it goes on"
        raise DataError("is not finished", remedy, path=folder)
    try:
        manifest = json.loads(path.read_text("utf-8"))
        found = manifest.get("format", "none")
    except OSError:
        raise DataError("holds no prepared text", ANEW, path=folder) from None
    if found != FORMAT:
        raise DataError(f"its format is {found}, and this onmal reads {FORMAT}", ANEW, path=path)
    return dict(manifest)


def _check_settings(folder: Path, before: Mapping[str, Any], data: DataConfig) -> None:
    for key, value in data.model_dump(exclude=LATER).items():
        found = before.get(key, DataConfig.model_fields[key].default)
        if key not in PLACES and found != value:
            what = f"the text was prepared with data.{key} = {found!r}, not {value!r}"
            raise ConfigError(what, "use the same setting, or prepare it anew", path=folder)


def _check_files(folder: Path, sizes: Mapping[str, int]) -> None:
    for name, size in sizes.items():
        path = folder / name
        if not path.is_file():
            raise DataError("is missing", ANEW, path=path)
        if (found := path.stat().st_size) != size:
            raise DataError(f"has {found:,} bytes and should have {size:,}", ANEW, path=path)


def tokenizer_sha256(tokenizer: Tokenizer) -> str:
    """A fingerprint of the subword models."""
    return hashlib.sha256(tokenizer.source.serialized + tokenizer.target.serialized).hexdigest()


def column(folder: Path, side: str, name: str) -> NDArray[Any]:
    """One array of a side, mapped."""
    path, kind = folder / f"{side}.{name}", np.dtype(TYPES[name])
    if not path.stat().st_size:
        return np.empty(0, kind)  # which cannot be mapped
    return np.memmap(path, kind, "r").view(np.ndarray)
