"""Attention maps as pictures, PNG or SVG, in which every script is drawn right or not at all.

A PNG holds drawn glyphs, so each character of its words must be in an installed font. An SVG holds text, which the viewer
draws with fonts of its own. Everything is placed in inches on one sheet, by widths that do not depend on the fonts.
"""

from __future__ import annotations

import io
import unicodedata
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from onmal.errors import ConfigError, MissingExtraError
from onmal.inspection.attention import NOTE, AttentionMap, Inspection, Part
from onmal.inspection.plain_text import shorten

__all__ = ["best_picture_suffix", "draw", "draw_all_heads"]

TITLE, LABEL, SMALL = 12.5, 10.5, 8.5  # points
MARGIN = 0.3  # inches, as every length below
WIDEST = 10.0  # of a sheet, where the words allow it
DPI = 160
INK, DIMMED = "#1f2933", "#6b7785"
SHADES = ("#f3f7fc", "#a9c8ea", "#4a8fd3", "#1660ae", "#0a3a75")  # one hue, from 0 to 100 %
GAMMA = 0.85  # lifts small weights; the same shade means the same weight in every picture
HANGUL_FONTS = (
    "Noto Sans CJK KR",
    "NanumBarunGothic",
    "NanumGothic",
    "Malgun Gothic",
    "Apple SD Gothic Neo",
    "AppleGothic",
    "UnDotum",
    "Baekmuk Dotum",
)


def draw(maps: Sequence[AttentionMap], path: str | Path) -> None:
    """Write maps as one picture of heat maps, PNG or SVG by the path's suffix.

    Numbers in the cells are percent of their row. Raises MissingExtraError without matplotlib and ConfigError for another
    suffix, for a place that cannot be written, and for a PNG with characters that no installed font has.
    """
    maps = [_with_short_labels(attention) for attention in maps]
    panels = [_Panel.of(attention) for attention in maps]
    places = list(_arrange(panels))
    width = max(MARGIN + x + panel.width for panel, (x, _) in zip(panels, places, strict=True))
    bottom = max(y + panel.height for panel, (_, y) in zip(panels, places, strict=True))
    words = [word for attention in maps for word in (*attention.rows, *attention.columns)]
    sheet = _Sheet(width, bottom, Path(path), words, maps[0].title)
    for panel, (x, y) in zip(panels, places, strict=True):
        panel.draw(sheet, x, y)
    sheet.write()


def draw_all_heads(inspection: Inspection, part: Part, path: str | Path, *, words: bool = True) -> None:
    """Write every head of every layer of a part as small heat maps in one picture; errors as `draw`."""
    layers, heads = inspection.size(part)
    maps = [[inspection.attention(part, n, m, words=words) for m in range(heads)] for n in range(layers)]
    first = _with_short_labels(maps[0][0])
    cell_width, cell_height = (
        float(np.clip(1.8 / len(labels), 0.06, 0.26)) for labels in (first.columns, first.rows)
    )
    points = min(9.0, 72 * 0.85 * min(cell_width, cell_height))
    readable = points >= 5
    left = 0.3 + (_widest(first.rows, points) + 0.1 if readable else 0)
    top = 0.75 + (_widest(first.columns, points) + 0.1 if readable else 0)
    grid_width, grid_height, gap = cell_width * len(first.columns), cell_height * len(first.rows), 0.16
    sheet = _Sheet(
        2 * MARGIN + left + heads * (grid_width + gap) - gap,
        MARGIN + top + layers * (grid_height + gap) - gap,
        Path(path),
        [*first.rows, *first.columns],
        f"{first.title.split(', ')[0]}, every layer and head",
    )
    sheet.text(MARGIN, MARGIN, sheet.title, TITLE, va="top")
    for layer, row in enumerate(maps):
        y = MARGIN + top + layer * (grid_height + gap)
        middle = y + grid_height / 2
        sheet.text(MARGIN, middle, f"layer {layer + 1}", SMALL, angle=90, va="center", ha="center")
        if readable:
            sheet.row_labels(first, MARGIN + left, y, cell_height, points)
        for head, attention in enumerate(row):
            x = MARGIN + left + head * (grid_width + gap)
            sheet.cells(attention.weights, x, y, cell_width, cell_height, numbers=False)
            if layer == 0:
                sheet.text(x + grid_width / 2, MARGIN + 0.5, f"head {head + 1}", SMALL, ha="center")
                if readable:
                    sheet.column_labels(first, x, y, cell_width, points, angle=90)
    sheet.write()


def _with_short_labels(attention: AttentionMap) -> AttentionMap:
    rows, columns = (
        tuple(shorten(label, 24) for label in side) for side in (attention.rows, attention.columns)
    )
    return replace(attention, rows=rows, columns=columns)


def best_picture_suffix(text: str) -> str:
    """How a picture of `text` should end: ".png" if the installed fonts have its characters, else ".svg"."""
    _require_matplotlib()
    return ".svg" if _fonts([text])[1] else ".png"


@dataclass(frozen=True)
class _Panel:
    """One map with its words around it, and how large its parts are."""

    attention: AttentionMap
    cell_width: float
    cell_height: float
    left: float
    """Where the cells begin, right of the row labels."""
    top: float
    """Where the cells begin, below title and column labels."""
    points: float
    """Size of the column labels."""
    angle: float
    """Of the column labels [degrees]: level where they fit."""
    overhang: float
    """How far the last, slanted column label reaches past its cell."""

    @classmethod
    def of(cls, attention: AttentionMap) -> _Panel:
        """Level labels and wide cells where they fit, else slanted labels and narrower cells."""
        count, widest = len(attention.columns), _widest(attention.columns, LABEL)
        left = max(_widest(attention.rows, LABEL), _widest([attention.row_name], SMALL)) + 0.12
        room = WIDEST - 2 * MARGIN - left
        height = float(np.clip(7.0 / len(attention.rows), 0.2, 0.34))
        if count * (widest + 0.16) <= room:
            return cls(attention, max(widest + 0.16, 0.6), height, left, 0.9, LABEL, 0, 0)
        width = float(np.clip(room / count, 0.2, 0.5))
        points = min(LABEL, 42 * width)  # slanted lines stand closer than their cells
        reach = 0.71 * _widest(attention.columns, points)
        return cls(attention, width, height, left, 0.7 + reach, points, 45, max(0.0, reach - width / 2))

    @property
    def width(self) -> float:
        cells = self.left + self.cell_width * len(self.attention.columns) + self.overhang
        return max(cells, _widest([self.attention.title], TITLE))

    @property
    def height(self) -> float:
        return self.top + self.cell_height * len(self.attention.rows)

    def draw(self, sheet: _Sheet, x: float, y: float) -> None:
        """Title, names of the axes, labels and cells, from the panel's top left corner."""
        attention, cells_x, cells_y = self.attention, x + self.left, y + self.top
        sheet.text(x, y, attention.title, TITLE, va="top")
        sheet.text(cells_x, y + 0.42, attention.column_name, SMALL, va="center", color=DIMMED)
        sheet.text(cells_x - 0.1, cells_y - 0.1, attention.row_name, SMALL, ha="right", color=DIMMED)
        sheet.column_labels(attention, cells_x, cells_y, self.cell_width, self.points, angle=self.angle)
        sheet.row_labels(attention, cells_x, cells_y, self.cell_height, LABEL)
        numbers = self.cell_width >= 0.3
        sheet.cells(attention.weights, cells_x, cells_y, self.cell_width, self.cell_height, numbers=numbers)


def _arrange(panels: Iterable[_Panel]) -> Iterator[tuple[float, float]]:
    """Where each panel's top left corner stands: side by side while the sheet is wide enough, then below."""
    x = y = next_y = MARGIN
    for panel in panels:
        if x > MARGIN and x + panel.width + MARGIN > WIDEST:
            x, y = MARGIN, next_y
        yield x, y
        x += panel.width + 2 * MARGIN
        next_y = max(next_y, y + panel.height + 2 * MARGIN)


class _Sheet:
    """A white sheet, measured in inches from its top left corner, with the honest label at its foot."""

    def __init__(self, width: float, bottom: float, path: Path, words: Iterable[str], title: str) -> None:
        _require_matplotlib()
        from matplotlib.figure import Figure

        if path.suffix.lower() not in (".png", ".svg"):
            raise ConfigError(
                f"a picture cannot be written as {path.suffix or 'a file without a suffix'}",
                "end its name in .png or .svg",
                path=path,
            )
        self.families, missing = _fonts(words)
        self.path, self.title = path, title
        if missing and path.suffix.lower() == ".png":
            hangul = any(unicodedata.name(c, "").startswith("HANGUL") for c in missing)
            raise ConfigError(
                f"no installed font has {' '.join(missing[:5])}{' and more' if len(missing) > 5 else ''}",
                f"write it as .svg, or install a font{' such as Nanum Gothic or Noto Sans CJK KR' if hangul else ''}",
                path=path,
            )
        foot = f"Percent of each row: {NOTE}."
        width = max(width, _widest([foot], SMALL) + 2 * MARGIN)
        height = bottom + MARGIN + 0.35
        self.figure = Figure((width, height), dpi=DPI, facecolor="white")
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set(xlim=(0, width), ylim=(height, 0))
        self.axes.set_axis_off()
        self.text(MARGIN, height - MARGIN, foot, SMALL, color=DIMMED)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        points: float,
        *,
        color: str = INK,
        ha: str = "left",
        va: str = "baseline",
        angle: float = 0,
    ) -> None:
        """Words as they are; a dollar sign begins no formula."""
        self.axes.text(
            x, y, text, size=points, color=color, ha=ha, va=va, rotation=angle, rotation_mode="anchor",
            family=self.families, parse_math=False,
        )  # fmt: skip

    def row_labels(self, attention: AttentionMap, x: float, y: float, cell: float, points: float) -> None:
        """The words of the rows, left of x."""
        for n, label in enumerate(attention.rows):
            color = DIMMED if n in attention.special_rows else INK
            self.text(x - 0.1, y + (n + 0.5) * cell, label, points, color=color, ha="right", va="center")

    def column_labels(
        self, attention: AttentionMap, x: float, y: float, cell: float, points: float, *, angle: float
    ) -> None:
        """The words of the columns, above y."""
        for n, label in enumerate(attention.columns):
            color = DIMMED if n in attention.special_columns else INK
            if angle:
                self.text(
                    x + (n + 0.5) * cell, y - 0.07, label, points, color=color, va="center", angle=angle
                )
            else:
                self.text(x + (n + 0.5) * cell, y - 0.1, label, points, color=color, ha="center")

    def cells(
        self, weights: NDArray[np.float32], x: float, y: float, width: float, height: float, *, numbers: bool
    ) -> None:
        """The heat map, its cells width x height; what is exactly 0, because it may not be seen, stays white."""
        from matplotlib.colors import LinearSegmentedColormap

        rows, columns = weights.shape
        shades = np.ma.masked_equal(weights, 0) ** GAMMA
        self.axes.pcolormesh(
            x + width * np.arange(columns + 1), y + height * np.arange(rows + 1), shades,
            cmap=LinearSegmentedColormap.from_list("attention", SHADES), vmin=0, vmax=1,
            edgecolors="white", linewidth=min(1.2, 5 * min(width, height)),
            rasterized=not numbers,  # thousands of small cells would make a huge SVG
        )  # fmt: skip
        if not numbers:
            return
        for (t, s), weight in np.ndenumerate(weights):
            if weight >= 0.005:
                color = "white" if shades[t, s] > 0.55 else INK
                middle = (x + (s + 0.5) * width, y + (t + 0.5) * height)
                self.text(*middle, f"{100 * weight:.0f}", SMALL, color=color, ha="center", va="center")

    def write(self) -> None:
        """Write the picture whole or not at all."""
        import matplotlib

        drawn = io.BytesIO()
        # Text stays text, and the same map gives the same file.
        as_text = matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "onmal"})
        with as_text, warnings.catch_warnings():
            # Only an SVG can come here with characters that are in no font of this machine.
            warnings.filterwarnings("ignore", "Glyph .* missing from font")
            if self.path.suffix.lower() == ".svg":
                self.figure.savefig(drawn, format="svg", metadata={"Date": None, "Title": self.title})
            else:
                self.figure.savefig(drawn, format="png", metadata={"Title": self.title, "Description": NOTE})
        try:
            self.path.write_bytes(drawn.getvalue())
        except OSError as error:
            raise ConfigError(
                f"cannot be written ({error.strerror})", "choose another place", path=self.path
            ) from None


def _widest(labels: Iterable[str], points: float) -> float:
    """Inches that the longest of some labels takes, about: a Hangul syllable is as wide as it is high."""
    ems = (sum(1.0 if unicodedata.east_asian_width(c) in "WF" else 0.6 for c in label) for label in labels)
    return max(ems) * points / 72


def _require_matplotlib() -> None:
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError:
        raise MissingExtraError("matplotlib", "plots", "drawing a picture") from None


def _fonts(words: Iterable[str]) -> tuple[list[str], list[str]]:
    """Font families that together have the characters of some words, and the characters that none has."""
    families = ["sans-serif"]
    wanted = {c for word in words for c in word if not c.isspace() and unicodedata.category(c) != "Cf"}
    missing = wanted - _characters("sans-serif")
    for family in _installed() if missing else ():
        if found := missing & _characters(family):
            families.insert(-1, family)
            missing -= found
        if not missing:
            break
    return families, sorted(missing)


def _installed() -> Iterator[str]:
    """Font families, those with Hangul first; those installed since matplotlib last looked are made known to it."""
    from matplotlib.font_manager import findSystemFonts, fontManager

    known = _families()
    yield from (name for name in HANGUL_FONTS if name in known)
    for path in set(findSystemFonts()) - {font.fname for font in fontManager.ttflist}:
        with suppress(OSError, RuntimeError, ValueError):  # a damaged font, or one of bitmaps
            fontManager.addfont(path)
    names = _families()
    yield from (name for name in HANGUL_FONTS if name in names - known)
    yield from sorted(names)


def _families() -> set[str]:
    """The families that matplotlib knows in upright, regular letters."""
    from matplotlib.font_manager import fontManager

    return {
        font.name
        for font in fontManager.ttflist
        if font.style == "normal"
        and font.weight in (400, "normal", "regular", "book")
        # The font of last resort has a box for every character.
        and "lastresort" not in font.name.lower().replace(" ", "")
    }


def _characters(family: str) -> set[str]:
    """What the font of a family that text is drawn with can draw."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    try:
        return {chr(code) for code in get_font(findfont(FontProperties(family=[family]))).get_charmap()}
    except (OSError, RuntimeError, ValueError):
        return set()
