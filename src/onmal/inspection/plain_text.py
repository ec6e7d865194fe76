"""An attention map in the terminal: shades, numbers and words, no colours needed."""

from __future__ import annotations

import unicodedata

import numpy as np
from numpy.typing import NDArray

from onmal.inspection.attention import NOTE, AttentionMap

__all__ = ["shorten", "terminal"]

_SHADES = "·░▒▓█"
_GAMMA = 0.7  # lifts small weights, of which a mean over heads has many


def terminal(attention: AttentionMap, width: int = 80) -> str:
    """The map as plain text of at most `width` columns: a table in shades, then what each row looked at most.

    Percent of each row. A map too wide for a table has the second half only.
    """
    table = _table(attention, width)
    heading = [attention.title, f"{attention.row_name} ↓  {attention.column_name} →", ""]
    lines = [*heading, *([*table, ""] if table else []), *_ranked(attention, width), "", f"(percent: {NOTE})"]
    return "\n".join(lines)


def _table(attention: AttentionMap, width: int) -> list[str]:
    """The shaded table, or nothing if it is wider than `width`."""
    rows, columns = ([shorten(label) for label in labels] for labels in (attention.rows, attention.columns))
    left = max(map(_display_width, rows))
    widths = [max(6, _display_width(label)) for label in columns]
    gap = next((gap for gap in (2, 1) if left + sum(widths) + gap * len(widths) <= width), 0)
    if not gap:
        return []
    lines = []
    for label, cells in zip(["", *rows], [columns, *map(_cells, attention.weights)], strict=True):
        aligned = (" " * gap + _space(cell, size) + cell for cell, size in zip(cells, widths, strict=True))
        lines.append(f"{label}{_space(label, left)}{''.join(aligned)}".rstrip())
    return lines


def _cells(weights: NDArray[np.float32]) -> list[str]:
    """A row's shades and percent; what is exactly 0, because it may not be seen, stays blank."""
    levels = np.minimum(weights**_GAMMA * len(_SHADES), len(_SHADES) - 1).astype(int)
    return [
        f"{_SHADES[level] * 2}{100 * weight:4.0f}" if weight else ""
        for level, weight in zip(levels, weights, strict=True)
    ]


def _ranked(attention: AttentionMap, width: int) -> list[str]:
    """One line per row: the columns with the largest weights, up to three of at least 5 %."""
    left = max(_display_width(shorten(label)) for label in attention.rows)
    lines = []
    for label, weights in zip(attention.rows, attention.weights, strict=True):
        line = f"{shorten(label)}{_space(shorten(label), left)}  ←"
        for rank, column in enumerate(np.argsort(-weights, kind="stable")[:3]):
            entry = (
                f"{',' if rank else ''} {shorten(attention.columns[column])} {100 * weights[column]:.0f} %"
            )
            if rank and (weights[column] < 0.05 or _display_width(line + entry) > width):
                break
            line += entry
        lines.append(line)
    return lines


def _display_width(text: str) -> int:
    """Columns that a terminal gives to a text: two for Hangul and its like, none for marks that join a letter."""
    return sum(
        0 if unicodedata.category(c) in ("Mn", "Me", "Cf") else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in text
    )


def _space(text: str, width: int) -> str:
    """What fills a text up to a width."""
    return " " * (width - _display_width(text))


def shorten(label: str, width: int = 16) -> str:
    """The label, cut to at most `width` columns of a terminal."""
    if _display_width(label) <= width:
        return label
    label = label[:width]
    while _display_width(label) >= width:
        label = label[:-1]
    return label + "…"
