"""Word (.docx): the paragraphs of the text, of headers, footers, notes and comments are passages.

Only the parts of the package that say something are written anew, and of those only the runs of paragraphs that were
translated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from onmal.documents.packages import Package
from onmal.documents.passages import Passage, PlacedWarning, Translate, translate_passages
from onmal.documents.word_paragraphs import passages_of_paragraph, word_name
from onmal.documents.xml_nodes import Allowance, Node, read_xml
from onmal.errors import DataError

__all__ = ["translate_word"]

_TYPES = "[Content_Types].xml"
_SAYING = ("document.main", "header", "footer", "footnotes", "endnotes", "comments")


def translate_word(content: bytes, translate: Translate) -> tuple[bytes, list[PlacedWarning]]:
    """A document in another language, and warnings with their places. Raises DataError."""
    package = Package(content)
    left = Allowance()
    names = list(_saying_parts(package, left))
    read = [read_xml(package.read(name), name, left) for name in names]
    sources = [
        (source, _passages(source, root, name)) for (source, root), name in zip(read, names, strict=True)
    ]
    translated = translate_passages(sources, translate)
    changed = {
        name: text.encode()
        for name, (source, _), (text, _) in zip(names, sources, translated, strict=True)
        if text != source
    }
    return package.with_parts(changed), [warning for _, warnings in translated for warning in warnings]


def _saying_parts(package: Package, left: Allowance) -> Iterator[str]:
    """The names of the parts with text in them, the document itself first. Raises DataError."""
    if _TYPES not in package.names:
        raise DataError(
            "the file is no document of Word", "give one that ends in .docx because Word saved it so"
        )
    _, types = read_xml(package.read(_TYPES), _TYPES, left)
    kinds = {
        node.attributes.get("PartName", "").lstrip("/"): node.attributes.get("ContentType", "")
        for node in types.children
    }
    found = [
        (_SAYING.index(kind), name)
        for name, content_type in kinds.items()
        if name in package.names and (kind := _kind(content_type)) in _SAYING
    ]
    if not found or min(found)[0]:
        raise DataError("there is no text of Word in the file", "give a .docx: a template or macros are none")
    return (name for _, name in sorted(found))


def _kind(content_type: str) -> str:
    """What a part is: "header" of application/vnd.openxmlformats-officedocument.wordprocessingml.header+xml."""
    return content_type.rpartition("wordprocessingml.")[2].removesuffix("+xml")


def _passages(source: str, root: Node, name: str) -> Iterator[Passage]:
    """The passages of a part."""
    where = "" if name.endswith("document.xml") else f"{name.rpartition('/')[2]}, "
    paragraphs = (node for node in root.walk() if word_name(node) == "p")
    for number, paragraph in enumerate(paragraphs, 1):
        for passage in passages_of_paragraph(source, paragraph):
            yield replace(passage, place=f"{where}paragraph {number:,}")
