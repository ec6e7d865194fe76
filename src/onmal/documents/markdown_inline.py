"""What a line of Markdown says and how it is marked up, with the place of each piece in it, as markdown-it-py reads it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING

from onmal.documents.markdown_formulas import BLOCK, INLINE, formula, formula_block
from onmal.documents.message import Mark, Piece, Text, partners, texts
from onmal.errors import MissingExtraError

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

__all__ = ["inline_pieces", "parser"]

_HTML = re.compile(r"<(?P<close>/?)(?P<name>[A-Za-z][\w-]*)[^>]*?(?P<alone>/?)>")
# What is no Markdown everywhere, and no text anywhere: footnotes, boxes to tick, the names of alerts.
_EXTENSION = re.compile(r"\[\^[^\]\s]{1,80}\]:?|\A\[[ xX]\](?= )|\A\[![A-Z]+\]")
_NAMES = {"em": "em", "strong": "strong", "s": "s", "link": "a"}  # as in HTML, which may stand for them
_CODE = ("code", "kbd", "samp", "tt", "var")
_END = "end"  # of a token, where it ends in its line


@cache
def parser() -> MarkdownIt:
    """CommonMark with tables, ~~strikethrough~~ and formulas, whose tokens say where they end. Raises MissingExtraError."""
    try:
        from markdown_it import MarkdownIt, rules_inline
    except ImportError:
        raise MissingExtraError("markdown-it-py", "documents", "Markdown") from None

    markdown = MarkdownIt("commonmark").enable(["table", "strikethrough"]).disable("text_join")
    for name, rule in (
        ("newline", rules_inline.newline),
        ("escape", rules_inline.escape),
        ("backticks", rules_inline.backtick),
        ("link", rules_inline.link),
        ("image", rules_inline.image),
        ("autolink", rules_inline.autolink),
    ):
        markdown.inline.ruler.at(name, _telling_ends(rule))
    markdown.inline.ruler.before("escape", INLINE, _telling_ends(formula))
    markdown.block.ruler.before(
        "fence", BLOCK, formula_block, {"alt": ["paragraph", "reference", "blockquote", "list"]}
    )
    return markdown


def _telling_ends(rule: Callable[[StateInline, bool], bool]) -> Callable[[StateInline, bool], bool]:
    def with_end(state: StateInline, silent: bool) -> bool:
        before = len(state.tokens)
        found = rule(state, silent)
        if found and len(state.tokens) > before:
            state.tokens[-1].meta[_END] = state.pos
        return found

    return with_end


def inline_pieces(tokens: Iterable[Token], content: str) -> list[Piece] | None:
    """The pieces of a line, by their places in `content`; None where they cannot be found there.

    The end of a line is a text that says "\\n", or a mark named "br" if it is to stay one.
    """
    pieces: list[Piece] = []
    at, autolink = 0, -1
    for token in tokens:
        start, at = at, _end(token, at)
        if token.type == "text" and content[start:at] != token.content:
            return None
        if autolink >= 0:
            if token.type == "link_close":
                pieces.append(Mark("word", "", autolink, at))
                autolink = -1
        elif token.type == "link_open" and token.markup == "autolink":
            autolink = start
        elif token.type == "text":
            pieces += _texts(content, start, at)
        elif token.type == "text_special":
            pieces.append(Text(token.content, start, at))
        elif token.type == "softbreak":
            pieces.append(Text("\n", start, at))
        else:
            pieces.append(_mark(token, start, at))
    return _with_code_kept(pieces) if at == len(content) else None


def _with_code_kept(pieces: list[Piece]) -> list[Piece]:
    """The pieces with each element of HTML that is code as one mark, which stands for words."""
    ends = {
        first: last
        for first, last in partners(pieces).items()
        if isinstance(mark := pieces[first], Mark) and mark.name in _CODE
    }
    kept: list[Piece] = []
    after = 0
    for at, piece in enumerate(pieces):
        if at < after:
            continue
        last = ends.get(at, at)
        kept.append(Mark("word", "", piece.start, pieces[last].end) if last > at else piece)
        after = last + 1
    return kept


def _end(token: Token, start: int) -> int:
    """Where a token ends that begins at `start`."""
    if _END in token.meta:
        return int(token.meta[_END])
    if token.type == "link_open":
        return start + 1
    return start + len(token.content if token.type in ("text", "html_inline") else token.markup)


def _texts(content: str, start: int, end: int) -> Iterator[Piece]:
    at = start
    for found in _EXTENSION.finditer(content, start, end):
        yield from texts(content, at, found.start())
        yield Mark("alone", "", *found.span())
        at = found.end()
    yield from texts(content, at, end)


def _mark(token: Token, start: int, end: int) -> Mark:
    if token.type == "html_inline":
        return _html_mark(token.content, start, end)
    if token.nesting:
        name = _NAMES[token.type.rpartition("_")[0]]
        return Mark("open" if token.nesting > 0 else "close", name, start, end)
    if token.type in ("code_inline", INLINE):
        return Mark("word", "", start, end)
    if token.type == "hardbreak":
        return Mark("break", "br", start, end)
    return Mark("alone", "img" if token.type == "image" else "", start, end)


def _html_mark(tag: str, start: int, end: int) -> Mark:
    found = _HTML.fullmatch(tag)
    name = found["name"].lower() if found else ""
    if name == "br":
        return Mark("break", name, start, end)
    if not found or found["alone"] or name in ("img", "wbr", "hr", "input"):
        return Mark("alone", "", start, end)
    return Mark("close" if found["close"] else "open", name, start, end)
