"""Curves as inline SVG: axes with round numbers, a line and its name in one colour, a band where points are too many to draw.

A chart takes its colours from the page's style sheet (c0, c1, ...), so that it is readable in the light and in the dark.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from html import escape

__all__ = ["Chart", "Curve", "axis_number", "draw", "round_numbers"]

Points = Sequence[tuple[float, float]]
COLOURS = 6  # of the style sheet
FEW = 60  # so many points are drawn as dots
BUCKETS = 160  # more points than this become means, with a band from the lowest to the highest
TINY, HUGE = 1e-100, 1e100  # nothing that one would draw lies beyond
LETTER = 7.2  # width of a letter in the style sheet's size
LINE = 16  # height of a line of text


@dataclass(frozen=True)
class Curve:
    """One line of a chart; values that are not finite, or not positive on a logarithmic scale, are gaps."""

    name: str
    points: Points
    dotted: bool = False
    """Draw each point as well, where they are few."""


@dataclass(frozen=True)
class Chart:
    """Curves over the same x, with what a reader who does not see them is told."""

    title: str
    description: str
    curves: Sequence[Curve]
    x_name: str
    end: float
    """Where x, which begins at 0, ends."""
    x_marks: Sequence[tuple[float, str]] = ()
    """Another scale for x, at the top: places and what stands there."""
    x_marks_name: str = ""
    seams: Sequence[float] = ()
    """Where a dotted line says that the curves were interrupted."""
    best: tuple[float, str] | None = None
    """Where a dashed line marks the best, and its name."""
    from_zero: bool = False
    logarithmic: bool = False
    width: float = 560
    height: float = 300


@dataclass(frozen=True)
class _Drawn:
    """A curve as it is drawn: few enough points, in runs without gaps, and the band around them."""

    curve: Curve
    runs: list[list[tuple[float, float]]]
    band: list[tuple[float, float, float]] = field(default_factory=list)


def draw(chart: Chart, name: str) -> str:
    """The chart as an SVG element whose ids begin with `name`, or nothing where there is no point to draw."""
    drawn = [_thinned(curve, chart.end, logarithmic=chart.logarithmic) for curve in chart.curves]
    values = [y for curve in drawn for run in curve.runs for _, y in run]
    if not values:
        return ""
    low, high, ticks = _scale(values, from_zero=chart.from_zero, logarithmic=chart.logarithmic)
    frame = _Frame.around(chart, [axis_number(tick) for tick in ticks], low, high)
    parts = [
        f"<svg viewBox='0 0 {chart.width:g} {chart.height:g}' role='img' aria-labelledby='{name}-t {name}-d'>",
        f"<title id='{name}-t'>{escape(chart.title)}</title>",
        f"<desc id='{name}-d'>{escape(chart.description)}</desc>",
        f"<clipPath id='{name}-c'><rect x='{frame.left:g}' y='{frame.top:g}' width='{frame.right - frame.left:g}'"
        f" height='{frame.bottom - frame.top:g}'/></clipPath>",
        *frame.axes(chart, ticks),
        f"<g clip-path='url(#{name}-c)'>",
        *(_band(curve, number, frame) for number, curve in enumerate(drawn)),
        "</g>",
        *(line for number, curve in enumerate(drawn) for line in _lines(curve, number, frame)),
        *_names(drawn, frame),
        "</svg>",
    ]
    return "\n".join(filter(None, parts))


def round_numbers(low: float, high: float, count: int) -> list[float]:
    """About `count` round numbers, evenly spaced, the first at or below `low` and the last at or above `high`."""
    size = max(abs(low), abs(high))
    span = high - low if high - low > 1e-9 * size else size or 1.0
    rough = max(span / max(count - 1, 1), TINY)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [number * step for number in range(first, max(last, first + 1) + 1)]


def _thinned(curve: Curve, end: float, *, logarithmic: bool) -> _Drawn:
    """At most BUCKETS points: the mean of each bucket of x, and from where to where its values reach."""
    least = TINY if logarithmic else -HUGE
    points = [(x, y if least < y < HUGE else math.nan) for x, y in curve.points]
    if len(points) <= BUCKETS or not end:
        return _Drawn(curve, _runs(points))
    buckets: list[list[tuple[float, float]]] = [[] for _ in range(BUCKETS)]
    for x, y in points:
        buckets[min(int(x / end * BUCKETS), BUCKETS - 1)].append((x, y))
    means, band = [], []
    for bucket in filter(None, buckets):
        values = [y for _, y in bucket if math.isfinite(y)]
        middle = sum(x for x, _ in bucket) / len(bucket)
        means.append((middle, sum(values) / len(values) if values else math.nan))
        if values:
            band.append((middle, min(values), max(values)))
    return _Drawn(curve, _runs(means), band)


def _runs(points: Points) -> list[list[tuple[float, float]]]:
    """The points between gaps."""
    runs: list[list[tuple[float, float]]] = [[]]
    for x, y in points:
        if math.isfinite(y):
            runs[-1].append((x, y))
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _scale(
    values: Sequence[float], *, from_zero: bool, logarithmic: bool
) -> tuple[float, float, list[float]]:
    """Where y begins and ends, and its round numbers."""
    low, high = min(values), max(values)
    if not logarithmic:
        ticks = round_numbers(min(low, 0.0) if from_zero else low, high, 5)
        return ticks[0], ticks[-1], ticks
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [step * 10.0**power for power in powers for step in (1, 2, 5)]
    first = max((n for n, tick in enumerate(ticks) if tick <= low), default=0)
    last = min((n for n, tick in enumerate(ticks) if tick >= high and n > first), default=len(ticks) - 1)
    shown = range(first, last + 1)
    if len(shown) > 6:  # then powers of ten alone, and not each of too many
        shown = range(first + -first % 3, last + 1, 3 * ((last - first) // 24 + 1))
    return ticks[first], ticks[last], [ticks[n] for n in shown]


def axis_number(value: float) -> str:
    """A round number as an axis says it."""
    if value and not 0.001 <= abs(value) < 1e12:
        return f"{value:.1e}".replace(".0e", "e").replace("e-0", "e-")
    return f"{value:,.6g}" if abs(value) < 1e6 else f"{value / 1e6:,.6g} M"


@dataclass(frozen=True)
class _Frame:
    """The rectangle that curves are drawn in, and where a value is in it."""

    left: float
    right: float
    top: float
    bottom: float
    x: Callable[[float], float]
    y: Callable[[float], float]

    @classmethod
    def around(cls, chart: Chart, labels: Iterable[str], low: float, high: float) -> _Frame:
        """As large as the labels leave it."""
        left = 10 + LETTER * max(map(len, labels))
        right = chart.width - 14 - 1.12 * LETTER * max(_width(curve.name) for curve in chart.curves)
        top, bottom = (40 if chart.x_marks or chart.best else 12), chart.height - 42
        start, end = (math.log(low), math.log(high)) if chart.logarithmic else (low, high)

        def x(value: float) -> float:
            return left + (right - left) * value / (chart.end or 1)

        def y(value: float) -> float:
            value = math.log(value) if chart.logarithmic else value
            share = (value - start) / (end - start)
            return bottom - (bottom - top) * min(max(share, -9.0), 9.0)  # no browser likes 1e30 pixels

        return cls(left, right, top, bottom, x, y)

    def axes(self, chart: Chart, ticks: Sequence[float]) -> Iterable[str]:
        """Grid lines, numbers, the names of x, and what is marked on it."""
        for tick in ticks:
            y = self.y(tick)
            yield f"<path class='grid' d='M{self.left:.1f} {y:.1f}H{self.right:.1f}'/>"
            yield _text(self.left - 6, y + 4, axis_number(tick), "end")
        room = int((self.right - self.left) / (LETTER * 11))
        for tick in round_numbers(0, chart.end or 1, max(2, min(6, room))):
            if tick <= (chart.end or 1):
                yield f"<path class='grid' d='M{self.x(tick):.1f} {self.bottom:.1f}v5'/>"
                yield _text(self.x(tick), self.bottom + 18, axis_number(tick), "middle")
        yield _text(self.right, self.bottom + 36, chart.x_name, "end")
        for place, label in chart.x_marks:
            yield f"<path class='grid' d='M{self.x(place):.1f} {self.top:.1f}v-5'/>"
            yield _text(self.x(place), self.top - 9, label, "middle")
        if chart.x_marks:
            yield _text(self.right, self.top - 25, chart.x_marks_name, "end")
        for seam in chart.seams:
            yield f"<path class='seam' d='M{self.x(seam):.1f} {self.top:.1f}V{self.bottom:.1f}'/>"
        if chart.best:
            x, right_half = self.x(chart.best[0]), chart.best[0] > chart.end / 2
            yield f"<path class='best' d='M{x:.1f} {self.top:.1f}V{self.bottom:.1f}'/>"
            shift, anchor = (-5, "end") if right_half else (5, "start")
            yield _text(x + shift, self.bottom - 8, chart.best[1], anchor, "strong")


def _band(drawn: _Drawn, number: int, frame: _Frame) -> str:
    if not drawn.band:
        return ""
    # A band may reach past the scale, which is made for the means: the frame clips it.
    edge = [(x, high) for x, _, high in drawn.band] + [(x, low) for x, low, _ in reversed(drawn.band)]
    places = " ".join(f"{frame.x(x):.1f},{frame.y(y):.1f}" for x, y in edge)
    return f"<polygon class='band c{number % COLOURS}' points='{places}'/>"


def _lines(drawn: _Drawn, number: int, frame: _Frame) -> Iterable[str]:
    for run in drawn.runs:
        places = [(frame.x(x), frame.y(y)) for x, y in run]
        if len(places) > 1:
            path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
            yield f"<path class='line c{number % COLOURS}' d='M{path}'/>"
        if (drawn.curve.dotted and len(places) <= FEW) or len(places) == 1:
            yield from (
                f"<circle class='c{number % COLOURS}' cx='{x:.1f}' cy='{y:.1f}' r='3'/>" for x, y in places
            )


def _names(drawn: Sequence[_Drawn], frame: _Frame) -> Iterable[str]:
    """Each curve's name at its end, pushed down where two would overlap, and up where that leaves the frame."""
    ends = sorted((frame.y(curve.runs[-1][-1][1]), n) for n, curve in enumerate(drawn) if curve.runs)
    places: list[float] = []
    for y, _ in ends:
        places.append(max(y, places[-1] + LINE) if places else y)
    below = frame.bottom
    for n in range(len(places) - 1, -1, -1):
        places[n] = min(places[n], below)
        below = places[n] - LINE
    for (_, number), y in zip(ends, places, strict=True):
        yield _text(frame.right + 7, y + 4, drawn[number].curve.name, "start", f"name c{number % COLOURS}")


def _text(x: float, y: float, text: str, anchor: str, style: str = "") -> str:
    kind = f" class='{style}'" if style else ""
    return f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}'{kind}>{escape(text)}</text>"


def _width(text: str) -> float:
    """Letters that a text is about as wide as; a Hangul syllable counts nearly two."""
    return sum(1.0 if letter < "\u1100" else 1.8 for letter in text)
