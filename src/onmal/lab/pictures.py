"""Pictures of results: one sheet, a few panels, every seed a dot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onmal.errors import MissingExtraError
from onmal.writing import write_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["COLOURS", "dots", "grid", "panels", "sheet"]

COLOURS = ("#0b5394", "#b45f06", "#38761d", "#741b47", "#666666", "#bf9000", "#45818e")
"""Apart from each other also for those who do not see all of them."""


@contextmanager
def sheet(path: Path, title: str) -> Iterator[Figure]:
    """A figure that is written as SVG, whole, when it has been drawn on; the same numbers give the same bytes."""
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError("matplotlib", "plots", "a picture") from None
    settings: dict[Any, Any] = {"svg.hashsalt": "onmal", "svg.fonttype": "none", "font.size": 9}
    with rc_context({**settings, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(9, 3.4), layout="constrained")
        figure.suptitle(title, fontsize=10)
        yield figure
        drawn = BytesIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
    write_whole(path, drawn.getvalue())


def panels(figure: Figure, titles: Sequence[str]) -> list[Axes]:
    """One panel for each title, side by side."""
    found = figure.subplots(1, len(titles), squeeze=False)[0]
    for axes, title in zip(found, titles, strict=True):
        axes.set_title(title, fontsize=9)
    return list(found)


def dots(axes: Axes, groups: Mapping[str, Sequence[float]], label: str, *, line: float | None = None) -> None:
    """Each group's seeds as dots over its name, and their mean as a bar; `line` is what guessing gives."""
    for at, (colour, (_, values)) in enumerate(zip(_colours(), groups.items(), strict=False)):
        axes.plot([at] * len(values), values, "o", color=colour, alpha=0.7, markersize=5)
        mean = sum(values) / max(1, len(values))
        axes.plot([at - 0.25, at + 0.25], [mean, mean], color=colour, linewidth=2)
    if line is not None:
        axes.axhline(line, color="#999999", linestyle=":")
    axes.set_xticks(range(len(groups)), list(groups), rotation=20, ha="right")
    axes.set_ylabel(label)


def grid(axes: Axes, table: Sequence[Sequence[float]], rows: str, columns: str) -> Any:
    """A table of numbers as shades; what is exactly 0 stays white."""
    import numpy as np
    from matplotlib.colors import ListedColormap

    values = np.asarray(table, dtype=float)
    shown = np.ma.masked_equal(values, 0.0)
    drawn = axes.imshow(shown, cmap="viridis", aspect="auto", vmin=0)
    axes.imshow(np.where(values == 0, 1.0, np.nan), cmap=ListedColormap(["white"]), aspect="auto")
    axes.set_ylabel(rows)
    axes.set_xlabel(columns)
    return drawn


def _colours() -> Iterator[str]:
    while True:
        yield from COLOURS
