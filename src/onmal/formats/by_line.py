"""The line-based formats of parallel text: aligned files, TSV, JSON Lines and gettext PO. (TMX is in tmx.py.)

Every reader takes lines, knows what its records look like, and yields pairs; blank sides are passed on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from typing import TypeVar

from onmal.data.pair import Pair
from onmal.errors import DataError
from onmal.formats.po import po_entries

__all__ = ["primary_subtag", "read_aligned", "read_jsonl", "read_po", "read_tsv", "value_for"]

Value = TypeVar("Value")


def primary_subtag(language: str) -> str:
    """The language without region and script: "en" of "en-US" and "EN_GB"; a private code ("x-jje") stays whole."""
    tag = _plain_tag(language)
    return tag if tag.startswith("x-") else tag.split("-")[0]


def value_for(language: str, values: Mapping[str, Value]) -> Value | None:
    """The value whose key is the language: exactly, or else the first with the same primary subtag."""
    for plain in (_plain_tag, primary_subtag):
        for key, value in values.items():
            if plain(key) == plain(language):
                return value
    return None


def _plain_tag(language: str) -> str:
    return language.strip().lower().replace("_", "-")


def read_aligned(sources: Iterator[str], targets: Iterator[str], names: tuple[str, str]) -> Iterator[Pair]:
    """Line n of one text with line n of the other. Raises DataError with both counts if they differ."""
    for number in count(1):
        source, target = next(sources, None), next(targets, None)
        if source is None and target is None:
            return
        if source is None or target is None:
            break
        yield Pair(source, target, "", number)
    longer = number + sum(1 for _ in (targets if source is None else sources))
    lengths = (number - 1, longer) if source is None else (longer, number - 1)
    what = f"has {lengths[0]:,} line{'s' * (lengths[0] != 1)}, but {names[1]} has {lengths[1]:,}"
    remedy = "line n of each must be the translation of line n of the other: find the lost or broken line"
    raise DataError(what, remedy, path=names[0])


def read_tsv(lines: Iterable[str], name: str) -> Iterator[Pair]:
    """Source, target and, if there is a third column, label, between tabs. Raises DataError on a line without a tab."""
    for number, line in enumerate(lines, 1):
        source, tab, rest = line.partition("\t")
        if not tab and line.strip():
            remedy = "write source, one tab character, target on each line"
            raise DataError("the line has no tab", remedy, path=name, line=number)
        target, _, more = rest.partition("\t")
        yield Pair(source, target, more.partition("\t")[0], number)


_SURROGATE = re.compile("[\ud800-\udfff]")


def read_jsonl(lines: Iterable[str], name: str, source_language: str, target_language: str) -> Iterator[Pair]:
    """One JSON object per line: {"ko": .., "en": ..}, {"source": .., "target": ..} or {"translation": {..}}.

    A "label", "kind" or "domain" beside the texts is the label. Blank lines are skipped. Half a surrogate pair,
    which JSON can say and UTF-8 cannot, becomes U+FFFD. Raises DataError.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            reason = (
                f"{error.msg}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else error
            )
            what = f"the line is not JSON ({reason})"
            raise DataError(what, "write one JSON object per line", path=name, line=number) from None
        if not isinstance(record, dict):
            what = "the line is JSON, but not an object"
            remedy = f'write {{"{source_language}": "...", "{target_language}": "..."}}'
            raise DataError(what, remedy, path=name, line=number)
        inner = record.get("translation")
        texts = inner if isinstance(inner, dict) else record
        source, target = (
            _text_of(texts, language, role, name, number)
            for language, role in ((source_language, "source"), (target_language, "target"))
        )
        labels = (record.get(key) for key in ("label", "kind", "domain"))
        label = next((label for label in labels if isinstance(label, str)), "")
        yield Pair(source, target, _SURROGATE.sub("\ufffd", label), number)


def _text_of(texts: Mapping[str, object], language: str, role: str, name: str, number: int) -> str:
    text = value_for(language, texts)
    if text is None:
        text = texts.get(role)
    if isinstance(text, str):
        return _SURROGATE.sub("\ufffd", text)
    keys = ", ".join(texts) or "none"
    what = f'the object has no text under "{language}" or "{role}" (its keys: {keys[:80]})'
    raise DataError(what, "rename the keys, or check the languages asked for", path=name, line=number)


def read_po(lines: Iterable[str], name: str, source_language: str, target_language: str) -> Iterator[Pair]:
    """Messages and their translations from a gettext catalogue; the header, fuzzy, obsolete and untranslated
    entries are left out. Of plural forms the first goes with msgid, the last with msgid_plural.

    A catalogue whose header says that it translates into the source language is read the other way round.
    Raises DataError.
    """
    own, other = primary_subtag(source_language), primary_subtag(target_language)
    swap = False
    for entry in po_entries(lines, name):
        message, first = entry.texts.get("msgid", ""), entry.translation(0)
        if not message:
            swap = swap or (own != other and _po_language(first) == own)
            continue
        pairs = [(message, first)]
        if "msgid_plural" in entry.texts:
            pairs.append((entry.texts["msgid_plural"], entry.translation(-1)))
        for source, target in pairs:
            if target.strip() and not entry.fuzzy:
                pair = Pair(source, target, "", entry.line)
                yield pair.swapped() if swap else pair


def _po_language(header: str) -> str:
    found = re.search(r"^Language:[ \t]*(\S+)", header, re.MULTILINE)
    return primary_subtag(found[1]) if found else ""
