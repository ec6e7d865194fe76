"""Documents of Word, as small as they can be, from the XML of their paragraphs."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

MAIN = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml."
_TYPES = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>'
)
_PART = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n'
    '<w:{root} xmlns:w="{main}" xmlns:r="http://r" xmlns:m="http://m" xmlns:mc="http://mc">{content}</w:{root}>\n'
)
_ROOTS = {"document": "document", "header1": "hdr", "footnotes": "footnotes", "comments": "comments"}
_KINDS = {"document": "document.main", "header1": "header"}


def part(content: str, root: str = "document") -> bytes:
    """A part of a document; `content` is what is in its root."""
    return _PART.format(root=root, main=MAIN, content=content).encode()


def package(parts: Mapping[str, bytes]) -> bytes:
    """A package of parts as they are."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return written.getvalue()


def document(body: str, **others: str) -> bytes:
    """A document whose body is this XML; others are its header1, footnotes and comments."""
    contents = {"document": f"<w:body>{body}<w:sectPr/></w:body>", **others}
    overrides = "".join(
        f'<Override PartName="/word/{name}.xml" ContentType="{_TYPE}{_KINDS.get(name, name)}+xml"/>'
        for name in contents
    )
    return package(
        {
            "[Content_Types].xml": _TYPES.format(overrides=overrides).encode(),
            "_rels/.rels": b"<Relationships/>",
            **{f"word/{name}.xml": part(content, _ROOTS[name]) for name, content in contents.items()},
            "word/media/image1.png": bytes(range(256)),
        }
    )


def read(content: bytes, name: str = "document") -> str:
    """What is in the root of a part, and for the document in its body."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        text = archive.read(f"word/{name}.xml").decode()
    inner = text[text.index(">", text.index("<w:")) + 1 : text.rindex("</w:")]
    return inner.removeprefix("<w:body>").removesuffix("<w:sectPr/></w:body>")
