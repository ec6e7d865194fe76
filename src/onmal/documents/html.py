"""HTML: the text of each block is a passage, whatever inline elements are in it; some attributes are passages, too."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from html import escape, unescape
from typing import Literal

from onmal.documents.html_tokens import Token, tokens
from onmal.documents.message import Mark, Piece, Text, texts, trimmed
from onmal.documents.passages import Passage
from onmal.text.language import canonical

__all__ = ["in_language", "passages"]


def _names(names: str) -> frozenset[str]:
    return frozenset(names.split())


# What a sentence does not go beyond. All other elements, also those that HTML does not know, are within sentences.
_BLOCKS = _names(
    "html head title meta link base body address article aside blockquote button canvas caption center col colgroup"
    " datalist dd details dialog dir div dl dt embed fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6"
    " header hgroup hr iframe legend li main menu nav noframes noscript object ol optgroup option p pre search section"
    " select source summary table tbody td template textarea tfoot th thead tr track ul xmp"
)
_WORDS_KEPT = _names("code kbd samp tt var")
_KEPT = _names("audio canvas iframe math noembed noframes object pre script style svg textarea video xmp")
_EMPTY = _names("area base br col embed frame hr img input link meta param source track wbr")
_SAID = _names("alt title placeholder aria-label")
_DESCRIPTIONS = _names("description og:title og:description og:image:alt twitter:title twitter:description")
_SPACE = re.compile(r"[ \t\r\n\f]+")
_ENDS_SENTENCE = re.compile(r"""[.!?…:。！？：][)\]"'”’»」』]*\s*\Z""")


def passages(text: str, ignored: Collection[str] = ()) -> Iterator[Passage]:
    """What a page says, in the order of its end; nothing within elements of the names that are `ignored`."""
    page = list(tokens(text))
    ends = _ends(page)
    run: list[Piece] = []
    after = 0
    for at, token in enumerate(page):
        if at < after:
            continue
        if token.kind == "text":
            run += texts(text, token.start, token.end, _read)
            continue
        if token.name in _BLOCKS or (token.name == "br" and _line_ends(run)):
            yield from _passage(run)
            run = []
        if at in ends and (token.name in ignored or _is_kept(text, token)):
            after = ends[at]
            said = any(each.kind == "text" and text[each.start : each.end].strip() for each in page[at:after])
            kind: Literal["word", "alone"] = "word" if said and token.name not in _KEPT else "alone"
            run += [Mark(kind, "", token.start, page[after - 1].end)] * (token.name not in _BLOCKS)
            continue
        yield from _attributes(text, token)
        if token.name not in _BLOCKS:
            run.append(_mark(text, token))
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


def _mark(text: str, token: Token) -> Mark:
    kind: Literal["open", "close", "alone", "break"] = "break" if token.name == "br" else "alone"
    if token.name not in _EMPTY and not text.endswith("/>", token.start, token.end):
        kind = "open" if token.kind == "start" else "close" if token.kind == "end" else kind
    return Mark(kind, token.name, token.start, token.end)


def _is_kept(text: str, token: Token) -> bool:
    """Whether an element comes through as it is."""
    return token.name in _WORDS_KEPT | _KEPT or any(
        (name == "translate" and text[start:end].lower() == "no")
        or (name == "class" and "notranslate" in text[start:end].split())
        for name, start, end, _ in token.attributes
    )


def _ends(page: Sequence[Token]) -> dict[int, int]:
    """Of each tag that opens an element, the token after it; not of those that are never closed."""
    opened: dict[str, list[int]] = {}
    ends: dict[int, int] = {}
    for at, token in enumerate(page):
        if token.kind == "start":
            if token.name in _BLOCKS and opened.get("p"):
                ends[opened["p"].pop()] = at  # a paragraph ends where no paragraph can be
            if token.name in _EMPTY:
                ends[at] = at + 1
            else:
                opened.setdefault(token.name, []).append(at)
        elif token.kind == "end" and opened.get(token.name):
            ends[opened[token.name].pop()] = at + 1
    return ends


def _attributes(text: str, token: Token) -> Iterator[Passage]:
    """The attributes of a tag that people read."""
    if token.kind != "start":
        return
    values = {each.name: text[each.start : each.end].lower() for each in token.attributes}
    said = set(_SAID)
    if token.name == "meta" and _DESCRIPTIONS & {values.get("name"), values.get("property")}:
        said.add("content")
    if token.name == "input" and values.get("type") in ("submit", "button", "reset"):
        said.add("value")
    for name, start, end, quote in token.attributes:
        value = _read(text[start:end]).strip()
        if name in said and value:
            yield Passage(start, end, [Text(value, start, end)], partial(_write_value, quote))


def _line_ends(run: Sequence[Piece]) -> bool:
    """Whether a line break after these is between two sentences rather than within one."""
    for piece in reversed(run):
        if isinstance(piece, Mark) and piece.name == "br":
            return True
        if isinstance(piece, Text) and piece.said.strip():
            return bool(_ENDS_SENTENCE.search(piece.said))
    return True


def _write_value(quote: str, pieces: Sequence[Piece], source_of: Callable[[Mark], str]) -> str:
    said = escape("".join(piece.said for piece in pieces if isinstance(piece, Text)), quote=False)
    return said.replace(quote, f"&#{ord(quote)};") if quote else '"' + said.replace('"', "&#34;") + '"'


def _write(pieces: Sequence[Piece], source_of: Callable[[Mark], str]) -> str:
    return "".join(
        escape(piece.said, quote=False) if isinstance(piece, Text) else source_of(piece) for piece in pieces
    )
