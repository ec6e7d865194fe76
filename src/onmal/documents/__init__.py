"""Documents: a file in, the same file out in another language, its markup kept.

    translator = onmal.load("runs/phrasebook")
    translated = translate_document(Path("letter.docx").read_bytes(), "letter.docx", translator.translate)
    Path("letter.en.docx").write_bytes(translated.content)

Each format finds its passages (`passages.Passage`) by where they stand in the source. What is between them comes out as
it came in, and so does a passage that its translation does not change.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import PurePath

from onmal.documents.passages import Passage, PlacedWarning, Translate, Translated, translate_passages
from onmal.errors import DataError

__all__ = [
    "LARGEST",
    "LARGEST_TEXT",
    "SUFFIXES",
    "PlacedWarning",
    "Translate",
    "Translated",
    "TranslatedDocument",
    "suffixes_here",
    "translate_document",
    "translate_html",
    "translate_xml",
]

SUFFIXES = (".txt", ".srt", ".vtt", ".html", ".htm", ".md", ".markdown", ".po", ".docx")
"""What a document's name may end with."""

LARGEST = 64 << 20
"""The most bytes that a document may have, for its pictures."""

LARGEST_TEXT = 8 << 20
"""The same for one that is a text."""


@dataclass(frozen=True)
class TranslatedDocument:
    """A document in another language, and what could not be kept, with the place of each."""

    content: bytes
    warnings: tuple[PlacedWarning, ...] = ()


def suffixes_here() -> tuple[str, ...]:
    """Those of SUFFIXES whose packages are installed."""
    has_markdown = find_spec("markdown_it") is not None
    return tuple(suffix for suffix in SUFFIXES if has_markdown or suffix not in (".md", ".markdown"))


def translate_document(
    content: bytes, name: str, translate: Translate, *, to: str = ""
) -> TranslatedDocument:
    """A document's bytes in, the same document's bytes out in another language; of `name` only the suffix is read.

    `translate` is called with all its passages at once, and again with a few if it lost the markup of some. It may give
    strings, or `Translation`s, whose warnings are told with their places. `to` is the language (BCP 47) that a page then
    says that it is in.

    Raises DataError for a document that is too large, broken, encrypted, or of another format than its suffix says.
    """
    suffix = PurePath(name).suffix.lower() or name.lower()
    if suffix not in SUFFIXES:
        raise DataError(
            f"{(suffix or name)[:40]!r} is no document that onmal knows", f"give {', '.join(SUFFIXES)}"
        )
    most = LARGEST if suffix == ".docx" else LARGEST_TEXT
    if len(content) > most:
        raise DataError(f"the document has more than {most:,} bytes", "give it in several parts")
    if suffix == ".docx":
        from onmal.documents.word import translate_word

        written, warnings = translate_word(content, translate)
        return TranslatedDocument(written, tuple(warnings))
    from onmal.documents.encoding import decode

    page = suffix in (".html", ".htm")
    decoded = decode(content, page=page)
    text, passages = _read(decoded.text, suffix, to)
    [(text, warnings)] = translate_passages([(text, passages)], translate)
    return TranslatedDocument(decoded.encode(text), tuple(warnings))


def _read(text: str, suffix: str, to: str) -> tuple[str, Iterable[Passage]]:
    """A document's text, and its passages."""
    from onmal.documents import html, markdown, plain, po, subtitles

    match suffix:
        case ".html" | ".htm":
            text = html.in_language(text, to) if to else text
            return text, html.passages(text)
        case ".po":
            return text, po.passages(text)
        case ".md" | ".markdown":
            return text, markdown.passages(text)
        case ".srt" | ".vtt":
            return text, subtitles.passages(text, suffix)
    return text, plain.passages(text)


def translate_html(text: str, translate: Translate, *, to: str = "", ignored: Collection[str] = ()) -> str:
    """HTML in, a whole page or a piece of one; the same out in another language.

    What is within elements whose names are `ignored` stays as it is. `translate` and `to` are those of `translate_document`, to
    whose `translate` all warnings of translations come. Raises DataError for a text that is too large.
    """
    from onmal.documents import html

    _check_length(text)
    text = html.in_language(text, to) if to else text
    return _translated(text, html.passages(text, ignored), translate)


def translate_xml(text: str, translate: Translate, *, ignored: Collection[str] = ()) -> str:
    """XML in, a whole document or a piece of one; the same out in another language, attributes as they were.

    Capitals count in the names that are `ignored`. Otherwise as `translate_html`.
    """
    from onmal.documents import html
    from onmal.documents.dialects import XML

    _check_length(text)
    return _translated(text, html.passages(text, ignored, XML), translate)


def _check_length(text: str) -> None:
    if len(text) > LARGEST_TEXT:
        raise DataError(f"the text has more than {LARGEST_TEXT:,} characters", "give it in several parts")


def _translated(text: str, passages: Iterable[Passage], translate: Translate) -> str:
    [(translated, _)] = translate_passages([(text, passages)], translate)
    return translated
