"""Cuts HTML or XML, or what passes for it, into tags and text, without losing a character and in linear time.

The cuts are where a browser makes them (WHATWG HTML, section 13.2.5). `html.parser` does not tell where the value of an
attribute stands, and takes quadratic time for some broken pages; lxml writes a page anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from onmal.documents.dialects import HTML, Dialect

__all__ = ["Attribute", "Token", "tokens"]


class Attribute(NamedTuple):
    """An attribute of a tag, and where its value stands, without the quotes around it."""

    name: str
    start: int
    end: int
    quote: str


class Token(NamedTuple):
    """Characters [start, end) of a page; "other" is what is neither tag nor text: comments, scripts, declarations."""

    kind: Literal["text", "start", "end", "other"]
    start: int
    end: int
    name: str = ""
    attributes: tuple[Attribute, ...] = ()


_NAME = re.compile(r"[^\s/>]+", re.ASCII)
_ATTRIBUTE = re.compile(
    r"""[\s/]*+(?P<name>[^\s/>][^\s/>=]*+)"""
    r"""(?:\s*+=\s*+(?:"(?P<double>[^"]*+)"?|'(?P<single>[^']*+)'?|(?P<bare>[^\s>"'][^\s>]*+)))?""",
    re.ASCII,
)
_TAG_ENDS = re.compile(r"[\s/]*+>", re.ASCII)
_NO_COMMENT, _COMMENT_ENDS = re.compile("<!---?>"), re.compile("--!?>")


def tokens(text: str, dialect: Dialect = HTML) -> Iterator[Token]:
    """The tokens of a page in their order; joined they are the page. What does not end, ends with the page."""
    markup_begins = re.compile(f"<(?=[!?/]|{dialect.begins_name.pattern})")
    last_section = text.rfind("]]>")
    at = done = 0
    while markup := markup_begins.search(text, at):
        start = markup.start()
        closes = text[start + 1] == "/"
        if text[start + 1] in "!?" or (closes and not dialect.begins_name.match(text, start + 2)):
            token = Token("other", start, _end_of_declaration(text, start, last_section))
        else:
            token = _tag(text, start, closes, dialect)
        if start > done:
            yield Token("text", done, start)
        yield token
        at = done = token.end
        if token.kind == "start" and token.name in dialect.raw:
            closing = re.compile(rf"</{token.name}(?=[\s/>])", re.IGNORECASE | re.ASCII).search(text, at)
            at = closing.start() if closing else len(text)
            if at > done:
                yield Token("other", done, at)
                done = at
    if done < len(text):
        yield Token("text", done, len(text))


def _tag(text: str, start: int, closes: bool, dialect: Dialect) -> Token:
    name = _NAME.match(text, start + 1 + closes)
    assert name
    at, attributes = name.end(), list[Attribute]()
    while found := _ATTRIBUTE.match(text, at):
        at = found.end()
        for group, quote in (("double", '"'), ("single", "'"), ("bare", "")):
            if found[group] is not None:
                attributes.append(Attribute(dialect.called(found["name"]), *found.span(group), quote))
    end = _TAG_ENDS.match(text, at)
    if not end:
        return Token("other", start, len(text))
    kind: Literal["start", "end"] = "end" if closes else "start"
    return Token(kind, start, end.end(), dialect.called(name[0]), tuple(attributes))


def _end_of_declaration(text: str, start: int, last_section: int) -> int:
    if text.startswith("<!--", start):
        closing = _NO_COMMENT.match(text, start) or _COMMENT_ENDS.search(text, start + 4)
        return closing.end() if closing else len(text)
    if text.startswith("<![CDATA[", start) and start < last_section:
        return text.index("]]>", start) + 3
    end = text.find(">", start)
    return end + 1 if end >= 0 else len(text)
