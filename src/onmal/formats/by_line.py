"""The line-based formats of parallel text: aligned files, TSV, JSON Lines and gettext PO. (TMX is in tmx.py.)

Every reader takes lines, knows what its records look like, and yields pairs; blank sides are passed on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import TypeVar

from onmal.data.pair import Pair
from onmal.errors import DataError
from onmal.formats.lines import LONGEST_LINE

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
    for entry in _po_entries(lines, name):
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


@dataclass
class _Entry:
    line: int = 0
    fuzzy: bool = False
    keyword: str = ""
    """The latest one; text in quotes alone goes on with it."""
    texts: dict[str, str] = field(default_factory=dict)

    @property
    def has_translation(self) -> bool:
        return self.keyword.startswith("msgstr")

    def translation(self, index: int) -> str:
        forms = [text for keyword, text in self.texts.items() if keyword.startswith("msgstr")]
        return forms[index] if forms else ""

    def add(self, keyword: str, text: str, line: int) -> None:
        self.line = self.line or line
        self.keyword = keyword
        self.texts[keyword] = self.texts.get(keyword, "") + text


_PO_LINE = re.compile(r'(?:(msgctxt|msgid|msgid_plural|msgstr(?:\[\d+\])?)\s*)?"((?:[^"\\]|\\.)*)"')
_PO_ESCAPE = re.compile(r"\\([0-7]{1,3}|x[0-9a-fA-F]{2}|.)")
_PO_CHARACTERS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def _po_entries(lines: Iterable[str], name: str) -> Iterator[_Entry]:
    entry = _Entry()
    for number, line in enumerate(lines, 1):
        line = line.strip()
        found = _PO_LINE.fullmatch(line)
        if not found and line and not line.startswith("#"):
            remedy = 'a line is blank, a comment (#), or a keyword (msgid, msgstr) and a text in "quotes"'
            raise DataError("the line is not gettext PO", remedy, path=name, line=number)
        if entry.has_translation and (not found or found[1] in ("msgctxt", "msgid")):
            yield entry
            entry = _Entry()
        if found:
            keyword = found[1] or entry.keyword
            if not keyword or (found[1] == "msgid" and "msgid" in entry.texts):
                what = "the msgid before has no msgstr" if keyword else "the text has no msgid or msgstr"
                raise DataError(what, "repair the entry", path=name, line=number)
            entry.add(keyword, _PO_ESCAPE.sub(_po_character, found[2]), number)
            if len(entry.texts[keyword]) > LONGEST_LINE:
                what = f"the message is longer than {LONGEST_LINE:,} characters"
                raise DataError(what, "look for a missing msgstr or msgid", path=name, line=number)
        elif not entry.texts and (not line or line.startswith("#~")):
            entry = _Entry()  # the flags above were those of an obsolete entry
        elif line.startswith("#,"):
            entry.fuzzy = entry.fuzzy or "fuzzy" in line
    if entry.texts and not entry.has_translation:
        raise DataError("the last msgid has no msgstr", "the file was cut off: copy it again", path=name)
    if entry.texts:
        yield entry


def _po_character(escape: re.Match[str]) -> str:
    code = escape[1]
    if code[0] in "01234567":
        return chr(int(code, 8))
    if code[0] == "x" and len(code) == 3:
        return chr(int(code[1:], 16))
    return _PO_CHARACTERS.get(code, code)
