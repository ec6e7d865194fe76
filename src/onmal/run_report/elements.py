"""HTML elements of which every text is escaped, because only what an element returns counts as HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

__all__ = ["Html", "element", "table", "together"]


class Html(str):
    """Text that is HTML already."""


def element(name: str, *inside: str | Iterable[str], **attributes: str) -> Html:
    """An element around texts and elements; an attribute that Python has a word for ends in an underscore."""
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
        if value
    )
    parts = (part for item in inside for part in ([item] if isinstance(item, str) else item))
    content = "".join(part if isinstance(part, Html) else escape(part, quote=False) for part in parts)
    return Html(f"<{name}{said}>{content}</{name}>")


def together(*parts: Html) -> Html:
    """Elements one after the other."""
    return Html("".join(parts))


def table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: int = 0, changed: Iterable[int] = ()
) -> Html:
    """A table whose first column names the rows and whose last `numbers` columns are numbers.

    Rows whose number is in `changed` stand out.
    """
    first_number, standing_out = len(columns) - numbers, set(changed)

    def row(cells: Sequence[str], cell: str, style: str = "") -> Html:
        return element(
            "tr",
            (
                element(
                    "th" if place == 0 else cell,
                    text,
                    class_="number" if place >= first_number else "",
                    scope=("col" if cell == "th" else "row") if place == 0 or cell == "th" else "",
                )
                for place, text in enumerate(cells)
            ),
            class_=style,
        )

    head = element("thead", row(columns, "th")) if any(columns) else Html()
    body = element(
        "tbody", (row(cells, "td", "changed" if n in standing_out else "") for n, cells in enumerate(rows))
    )
    return element("div", element("table", head, body), class_="scroll")
