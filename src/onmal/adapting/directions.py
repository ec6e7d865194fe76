"""Which directions of a model lie between two languages, where some of them are variants of one language."""

from __future__ import annotations

from collections.abc import Iterable

from onmal.text.language import canonical, primary

__all__ = ["between"]


def between(directions: Iterable[tuple[str, str]], languages: tuple[str, str]) -> list[tuple[str, str]]:
    """The directions from the first language to the second, whatever their scripts and regions; "" is any language.

    A side on which some say exactly what is asked for keeps those alone: zh-Hant is not zh. Raises LanguageError for a code
    that nobody knows.
    """
    asked = [canonical(code) if code else "" for code in languages]
    found = [
        direction
        for direction in directions
        if all(not code or primary(code) == primary(own) for code, own in zip(asked, direction, strict=True))
    ]
    for side, code in enumerate(asked):
        found = [direction for direction in found if direction[side] == code] or found
    return found
