"""XML as elements that know where they stand in their source, so that it can be edited in place.

The parser is expat, which tells the place of all that it reads. A document type is refused before it says anything: there are
no entities, and nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from onmal.errors import DataError

__all__ = ["Allowance", "Node", "read_xml"]

_DEEPEST = 200  # elements, one within the other


@dataclass
class Allowance:
    """How much may still be read of one document, all its parts together: 250 pages of Word have less."""

    parts: int = 500
    size: int = 32 << 20
    """In bytes."""
    elements: int = 300_000
    """And attributes; each takes up to half a kilobyte of memory."""

    def take(self, name: str, *, parts: int = 0, size: int = 0, elements: int = 0) -> None:
        """Less is left for what comes after the part of that name. Raises DataError where it is too much."""
        self.parts -= parts
        self.size -= size
        self.elements -= elements
        if min(self.parts, self.size, self.elements) < 0:
            raise DataError(f"the document is too large, as far as {name}", "give it in several parts")


@dataclass(slots=True)
class Node:
    """An element: characters [start, end) of its source, of which its content is [inside, inner_end)."""

    name: str
    """With the name space before it and a space between them."""
    attributes: dict[str, str]
    start: int
    inside: int = 0
    inner_end: int = 0
    end: int = 0
    children: list[Node] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What it says itself, without its children."""
        return "".join(self.said)

    def walk(self) -> Iterator[Node]:
        """It and all below it, in their order."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += reversed(node.children)


def read_xml(content: bytes, name: str, left: Allowance) -> tuple[str, Node]:
    """The source of a part of a document, and its root. Raises DataError, which names the part."""
    left.take(name, parts=1, size=len(content))
    return _Reader(content, name, left).read()


class _Reader:
    def __init__(self, content: bytes, name: str, left: Allowance) -> None:
        self.content, self.name, self.left = content, name, left
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.XmlDeclHandler = self._declare
        self.parser.StartElementHandler = self._open
        self.parser.EndElementHandler = self._close
        self.parser.CharacterDataHandler = self._say
        self.parser.DefaultHandler = self._pass
        self.opened: list[Node] = []
        self.root: Node | None = None
        self.last_opened: Node | None = None  # where its content begins is known when the next thing is read
        self.last_closed: Node | None = None
        self.bytes_read = self.characters_read = 0

    def read(self) -> tuple[str, Node]:
        try:
            source = self.content.decode()
            self.parser.Parse(self.content, True)
        except UnicodeDecodeError:
            raise DataError(f"{self.name} in it is not UTF-8", "save the document again") from None
        except expat.ExpatError as error:
            raise DataError(f"{self.name} in it is broken XML ({error})", "save the document again") from None
        self._here(len(self.content))
        assert self.root
        return source, self.root

    def _here(self, at: int | None = None) -> int:
        """The character that the parser is at."""
        at = self.parser.CurrentByteIndex if at is None else at
        self.characters_read += len(self.content[self.bytes_read : at].decode())
        self.bytes_read = at
        if self.last_opened:
            self.last_opened.inside, self.last_opened = self.characters_read, None
        if self.last_closed:
            self.last_closed.end, self.last_closed = self.characters_read, None
        return self.characters_read

    def _open(self, name: str, attributes: dict[str, str]) -> None:
        node = Node(name, attributes, self._here())
        self.left.take(self.name, elements=1 + len(attributes))
        if len(self.opened) == _DEEPEST:
            raise DataError(f"{self.name} in it is nested too deeply", "save the document again")
        if self.opened:
            self.opened[-1].children.append(node)
        else:
            self.root = node
        self.opened.append(node)
        self.last_opened = node

    def _close(self, name: str) -> None:
        here = self._here()
        node = self.opened.pop()
        node.inner_end, self.last_closed = here, node

    def _say(self, said: str) -> None:
        self._here()
        self.opened[-1].said.append(said)

    def _pass(self, said: str) -> None:
        self._here()

    def _declare(self, version: str, encoding: str | None, standalone: int) -> None:
        self._here()
        if encoding and encoding.lower() != "utf-8":
            raise DataError(f"{self.name} in it is not UTF-8", "save the document again")

    def _refuse(self, *of_what: object) -> None:
        raise DataError(
            f"{self.name} in it has a document type", "a document of Word has none: save it again"
        )
