"""Keeps links into the code on the right line.

A link such as [`DecoderLayer`](../src/onmal/models/decoder.py#L20) must lead to the line on which that class, function or
method (`Transformer.encode`) is defined.

    python docs/links.py            put every link on its line
    python docs/links.py --check    exit with 1 if one is not; change nothing
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]

_LINK = re.compile(r"\[`(?P<name>[\w.]+)`\]\((?P<path>[^)#\s]+\.py)#L(?P<line>\d+)\)")


def pages() -> list[Path]:
    """Every page that may have such links."""
    return sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")])


@cache
def definitions(path: Path) -> dict[str, int]:
    """Name -> line of each class and function of a file, and Class.method -> line."""
    return dict(_definitions(ast.parse(path.read_text("utf-8")).body))


def _definitions(body: Sequence[ast.stmt], before: str = "") -> Iterator[tuple[str, int]]:
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield before + node.name, node.lineno
        if isinstance(node, ast.ClassDef):
            yield from _definitions(node.body, f"{node.name}.")


def corrected(page: str, folder: Path) -> str:
    """The text of a page in `folder` with the right line in each link; a name or file that is not there is a KeyError
    or an OSError."""

    def right(link: re.Match[str]) -> str:
        name, path = link["name"], link["path"]
        return f"[`{name}`]({path}#L{definitions((folder / path).resolve())[name]})"

    return _LINK.sub(right, page)


def main(arguments: Sequence[str]) -> int:
    """Correct or check all pages."""
    wrong = 0
    for path in pages():
        page = path.read_text("utf-8")
        for link in _LINK.finditer(page):
            if corrected(link[0], path.parent) != link[0]:
                print(f"{path.relative_to(REPOSITORY)}: {corrected(link[0], path.parent)} is {link[0]}")
                wrong += 1
        if not arguments:
            path.write_text(corrected(page, path.parent), "utf-8", newline="\n")
    return 1 if arguments and wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
