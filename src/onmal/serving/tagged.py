"""Text with tags of which some hold what is not to be translated, and some divide what is."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from itertools import pairwise

from onmal.text.fragments import find_fragments

__all__ = ["cut_at", "keep_elements", "put_elements_back"]

_TAG = re.compile(r"<(?P<closing>/?)(?P<name>[A-Za-z][\w:.-]*)(?:\s[^<>]*?)?(?P<empty>/?)>")


def keep_elements(text: str, names: Collection[str]) -> tuple[str, dict[str, str]]:
    """The text with one empty tag for each element of these names, and what each such tag stands for.

    An element that is never closed has no end, so its tag stays as it is and its content is translated.
    """
    mark = "keep"
    while f"<{mark}-" in text:
        mark += "s"
    kept: dict[str, str] = {}
    pieces, done = [], 0
    for start, end in _elements(text, names):
        stand_in = f"<{mark}-{len(kept)}/>"
        kept[stand_in] = text[start:end]
        pieces += [text[done:start], stand_in]
        done = end
    return "".join([*pieces, text[done:]]), kept


def put_elements_back(text: str, kept: dict[str, str]) -> str:
    """A translation with the elements in the places of their tags."""
    if not kept:
        return text
    return re.sub("|".join(map(re.escape, kept)), lambda found: kept[found[0]], text)


def cut_at(text: str, names: Collection[str]) -> list[str]:
    """The text cut before and after each tag of these names; joined again it is the same."""
    cuts = {edge for start, end, tag in _tags(text) if tag["name"] in names for edge in (start, end)}
    edges = sorted(cuts | {0, len(text)})
    return [text[start:end] for start, end in pairwise(edges)]


def _elements(text: str, names: Collection[str]) -> Iterator[tuple[int, int]]:
    """From where to where the outermost elements of these names go."""
    opened: dict[str, list[int]] = {name: [] for name in names}
    found: list[tuple[int, int]] = []
    for start, end, tag in _tags(text):
        if tag["name"] not in opened:
            continue
        if tag["empty"]:
            found.append((start, end))
        elif not tag["closing"]:
            opened[tag["name"]].append(start)
        elif opened[tag["name"]]:
            found.append((opened[tag["name"]].pop(), end))
    reached = 0
    for start, end in sorted(found, key=lambda each: (each[0], -each[1])):
        if start >= reached:
            yield start, end
            reached = end


def _tags(text: str) -> Iterator[tuple[int, int, re.Match[str]]]:
    for kind, start, end in find_fragments(text):
        if kind == "markup" and (tag := _TAG.fullmatch(text, start, end)):
            yield start, end, tag
