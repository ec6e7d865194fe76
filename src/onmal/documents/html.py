"""HTML and XML: the text of each block is a passage, whatever inline elements are in it; of HTML some attributes are, too."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from html import escape, unescape
from typing import Literal

from onmal.documents.dialects import HTML, Dialect
from onmal.documents.html_tokens import Token, tokens
from onmal.documents.message import Mark, Piece, Text, ends_sentence, texts, trimmed
from onmal.documents.passages import Passage
from onmal.text.language import canonical

__all__ = ["in_language", "passages"]


_DESCRIPTIONS = frozenset(
    ("description", "og:title", "og:description", "og:image:alt", "twitter:title", "twitter:description")
)
_SPACE = re.compile(r"[ \t\r\n\f]+")


def passages(text: str, ignored: Collection[str] = (), dialect: Dialect = HTML) -> Iterator[Passage]:
    """What a page says; nothing within elements of the names that are `ignored`."""
    page = list(tokens(text, dialect))
    ends = _ends(text, page, dialect)
    kept = dialect.kept | dialect.words_kept | {dialect.called(name) for name in ignored}
    run: list[Piece] = []
    after = 0
    for at, token in enumerate(page):
        if at < after:
            continue
        if token.kind == "text":
            run += texts(text, token.start, token.end, _read)
            continue
        mark = _mark(text, token, dialect)
        if token.name in dialect.blocks or (mark.kind == "break" and ends_sentence(run)):
            yield from _passage(run)
            run = []
        if at in ends and (token.name in kept or _says_no(text, token)):
            after = ends[at]
            said = any(each.kind == "text" and text[each.start : each.end].strip() for each in page[at:after])
            kind: Literal["word", "alone"] = "word" if said and token.name not in dialect.kept else "alone"
            mark = Mark(kind, "", token.start, page[after - 1].end)
        else:
            yield from _attributes(text, token, dialect)
        if token.name not in dialect.blocks:
            run.append(mark)
    yield from _passage(run)


def in_language(text: str, language: str) -> str:
    """A page that says it is in this language, if it said one. Raises LanguageError."""
    root = next((token for token in tokens(text) if token.kind == "start"), None)
    if root and root.name == "html":
        for attribute in reversed(root.attributes):
            if attribute.name in ("lang", "xml:lang"):
                text = text[: attribute.start] + canonical(language) + text[attribute.end :]
    return text


def _passage(run: Sequence[Piece]) -> Iterator[Passage]:
    pieces = trimmed(run)
    if pieces:
        yield Passage(pieces[0].start, pieces[-1].end, pieces, _write)


def _read(said: str) -> str:
    return _SPACE.sub(" ", unescape(said))


def _mark(text: str, token: Token, dialect: Dialect) -> Mark:
    kind: Literal["open", "close", "alone", "break"] = "alone"
    if token.name not in dialect.empty and not text.endswith("/>", token.start, token.end):
        kind = "open" if token.kind == "start" else "close" if token.kind == "end" else kind
    elif token.name == "br":
        kind = "break"
    return Mark(kind, token.name, token.start, token.end)


def _says_no(text: str, token: Token) -> bool:
    """Whether an element says itself that it is not to be translated."""
    return any(
        (name == "translate" and text[start:end].lower() == "no")
        or (name == "class" and "notranslate" in text[start:end].split())
        for name, start, end, _ in token.attributes
    )


def _ends(text: str, page: Sequence[Token], dialect: Dialect) -> dict[int, int]:
    """Of each tag that opens an element, the token after it; not of those that are never closed."""
    opened: dict[str, list[int]] = {}
    ends: dict[int, int] = {}
    for at, token in enumerate(page):
        if token.kind == "start":
            if token.name in dialect.ends_paragraph and opened.get("p"):
                ends[opened["p"].pop()] = at  # a paragraph ends where no paragraph can be
            closed = dialect.closed_by_slash and text.endswith("/>", token.start, token.end)
            if closed or token.name in dialect.empty:
                ends[at] = at + 1
            else:
                opened.setdefault(token.name, []).append(at)
        elif token.kind == "end" and opened.get(token.name):
            ends[opened[token.name].pop()] = at + 1
    return ends | {at: len(page) for name in dialect.never_closed for at in opened.get(name, ())}


def _attributes(text: str, token: Token, dialect: Dialect) -> Iterator[Passage]:
    """The attributes of a tag that people read."""
    if token.kind != "start" or not dialect.said:
        return
    values = {each.name: text[each.start : each.end].lower() for each in token.attributes}
    said = set(dialect.said)
    if token.name == "meta" and _DESCRIPTIONS & {values.get("name"), values.get("property")}:
        said.add("content")
    if token.name == "input" and values.get("type") in ("submit", "button", "reset"):
        said.add("value")
    for name, start, end, quote in token.attributes:
        value = _read(text[start:end]).strip()
        if name in said and value:
            yield Passage(start, end, [Text(value, start, end)], partial(_write_value, quote))


def _write_value(quote: str, pieces: Sequence[Piece], source_of: Callable[[Mark], str]) -> str:
    said = escape("".join(piece.said for piece in pieces if isinstance(piece, Text)), quote=False)
    return said.replace(quote, f"&#{ord(quote)};") if quote else '"' + said.replace('"', "&#34;") + '"'


def _write(pieces: Sequence[Piece], source_of: Callable[[Mark], str]) -> str:
    return "".join(
        escape(piece.said, quote=False) if isinstance(piece, Text) else source_of(piece) for piece in pieces
    )
