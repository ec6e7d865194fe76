"""Parallel text from files: two aligned files, TSV, JSON Lines, TMX or gettext PO, each plain, .gz or .xz.

Reading never holds more than a line or a record. Input that cannot be right (a lost line, a wrong encoding,
a side without text) is a DataError that names file, line and remedy: a corpus that slips by one line would
train to the end and translate nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from onmal.data.pair import Pair
from onmal.errors import ConfigError, DataError
from onmal.formats.by_line import read_aligned, read_jsonl, read_po, read_tsv
from onmal.formats.lines import open_bytes, read_lines, shown_name
from onmal.formats.tmx import read_tmx

__all__ = ["Pair", "read_lines", "read_pairs"]

_FORMATS = (".tsv", ".jsonl", ".tmx", ".po")


def read_pairs(
    paths: Sequence[str | Path],
    *,
    source_language: str,
    target_language: str,
    empty: Literal["error", "keep"] = "error",
) -> Iterator[Pair]:
    """The pairs of two aligned files, or of one file whose suffix says its format; "-" reads TSV from standard input.

    A side without text is an error unless `empty` is "keep", which is for those who look for such lines.
    Texts are exact: white space and, in JSON Lines, TMX and PO, line breaks inside them stay. Raises
    ConfigError for a wrong number of files, DataError (while reading) for whatever is wrong with one.
    """
    names = [shown_name(path) for path in paths]
    match len(paths):
        case 1:
            pairs = _read_one(paths[0], names[0], source_language, target_language)
        case 2:
            if names[0] == names[1]:
                raise ConfigError(f"{names[0]} was given as both source and target", "name two aligned files")
            pairs = read_aligned(read_lines(paths[0]), read_lines(paths[1]), (names[0], names[1]))
        case number:
            remedy = f"give two aligned files, or one that ends in {', '.join(_FORMATS)}"
            raise ConfigError(f"parallel text cannot be read from {number} files", remedy)
    return pairs if empty == "keep" else _refuse_empty(pairs, names[0])


def _read_one(path: str | Path, name: str, source_language: str, target_language: str) -> Iterator[Pair]:
    suffixes = [suffix for suffix in Path(path).suffixes[-2:] if suffix.lower() not in (".gz", ".xz")]
    match ".tsv" if str(path) == "-" else suffixes[-1].lower() if suffixes else "":
        case ".tsv":
            return read_tsv(read_lines(path), name)
        case ".jsonl":
            return read_jsonl(read_lines(path), name, source_language, target_language)
        case ".po":
            return read_po(read_lines(path), name, source_language, target_language)
        case ".tmx":
            return _read_tmx(path, name, source_language, target_language)
    what = "its name does not say the format of the parallel text"
    raise DataError(what, f"end it in {', '.join(_FORMATS)}, or give two aligned files", path=name)


def _read_tmx(path: str | Path, name: str, source_language: str, target_language: str) -> Iterator[Pair]:
    with open_bytes(path) as stream:
        yield from read_tmx(stream, name, source_language, target_language)


def _refuse_empty(pairs: Iterator[Pair], name: str) -> Iterator[Pair]:
    for pair in pairs:
        for side, text in (("source", pair.source), ("target", pair.target)):
            if not text or text.isspace():
                remedy = "delete the pair, or write its missing half; onmal doctor lists all such lines"
                raise DataError(f"the {side} side is empty", remedy, path=name, line=pair.line)
        yield pair
