"""The view inside as one HTML file that needs no server: the page's own files, and one sentence, as `whole` tells of it.

Style sheets and drawings stand where index.html links to them. A module cannot be linked to within a file, so an import map has the
text of each, as a data: URL under its path. Dictionaries and the sentence are JSON in elements with the ids by which `own` in
js/dom.js asks for them. A content security policy keeps the file from asking anybody for anything.
"""

from __future__ import annotations

import base64
import json
import posixpath
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["FOLDER", "saved_page"]

FOLDER = Path(__file__).parent / "page"
"""The page's files."""

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'unsafe-inline' data:",
        "style-src 'unsafe-inline'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    )
)
MARK = '<html lang="en" data-saved>'
"""The element by whose attribute style sheets and modules know where they are."""

STYLE = re.compile(r'<link rel="stylesheet" href="page/([\w/.-]+)">')
IMPORT = re.compile(r'(?<=\bfrom )"(\.[\w/.-]+)"')


def saved_page(answer: Mapping[str, Any]) -> str:
    """The file that shows an answer of `look_inside`, with as many closer looks as the answer has.

    Whatever needs more than that tells its reader so, or cannot be pressed.
    """
    icon = _data_url("image/svg+xml", _text("icon.svg"))
    page = _text("index.html")
    for old, new in (
        ('<html lang="en">', MARK),
        ("<head>", f'<head>\n    <meta http-equiv="Content-Security-Policy" content="{POLICY}">'),
        ('href="page/icon.svg"', f'href="{icon}"'),
        ('<script type="module" src="page/js/main.js"></script>', _scripts()),
    ):
        assert page.count(old) == 1, old
        page = page.replace(old, new)
    page = STYLE.sub(lambda found: f"<style>\n{_text(found[1])}</style>", page)
    page = _with_drawings_inside(page)
    head, end, rest = page.rpartition("</body>")
    return "".join((head, _drawings(), *_documents(answer), end, rest))


def _scripts() -> str:
    """All modules by their paths, and the one that starts the others."""
    modules = sorted((FOLDER / "js").rglob("*.js"))
    urls = {name: _data_url("text/javascript", _module(name)) for name in map(_name, modules)}
    imports = json.dumps({"imports": urls}, indent=0)
    return f'<script type="importmap">{imports}</script>\n    <script type="module">import "js/main.js";</script>'


def _module(name: str) -> str:
    """The text of a module, which imports others by their paths in the folder: a data: URL has none to start from."""

    def absolute(found: re.Match[str]) -> str:
        return f'"{posixpath.normpath(posixpath.join(posixpath.dirname(name), found[1]))}"'

    return _with_drawings_inside(IMPORT.sub(absolute, _text(name)))


def _with_drawings_inside(text: str) -> str:
    """The text with each drawing taken from its own file."""
    return text.replace("page/icons.svg#", "#icon-")


def _drawings() -> str:
    """The drawings, with ids that no other element has."""
    drawings = _text("icons.svg").replace('<symbol id="', '<symbol id="icon-')
    return drawings.replace("<svg ", "<svg hidden ", 1)


def _documents(answer: Mapping[str, Any]) -> list[str]:
    """The dictionaries, and the answer in place of the example."""
    words = [_name(path) for path in sorted((FOLDER / "words").glob("*.json"))]
    kept = {**answer, "state": _state(answer)}
    sentence = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
    return [*(_document(name, _text(name)) for name in words), _document("example.json", sentence)]


def _document(name: str, text: str) -> str:
    """JSON as an element. Its "<" are written in JSON's other way: no text can end the element, or open a comment in it."""
    safe = text.replace("<", r"\u003c")
    return f'<script type="application/json" id="{name}">{safe}</script>\n'


def _state(answer: Mapping[str, Any]) -> dict[str, str]:
    """What a link would restore of the question (js/state.js)."""
    question = answer["question"]
    switches = question["ablate"]
    off = [side for side in ("src_pos", "tgt_pos") if switches[side]]
    off += [f"word.{number}" for number in switches["words"]]
    off += switches["heads"]
    return {
        "text": question["text"],
        "to": answer["tgt"]["lang"],
        "off": ",".join(off),
        "prefix": ".".join(map(str, question["prefix"])),
    }


def _data_url(kind: str, text: str) -> str:
    return f"data:{kind};charset=utf-8;base64,{base64.b64encode(text.encode()).decode('ascii')}"


def _text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _name(path: Path) -> str:
    """A path as the page writes it: js/parts/sum.js."""
    return path.relative_to(FOLDER).as_posix()
