"""The curves of a run and the tables under them."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from onmal.run_report.curves import Chart, Curve, axis_number, draw, round_numbers
from onmal.run_report.elements import Html, element, table, together
from onmal.run_report.events import clock
from onmal.run_report.history import History, Points, Validated
from onmal.run_report.words import Speaker

__all__ = ["curves", "number", "score_names", "series"]

ROWS = 15
"""Of the table of updates."""


def curves(history: History, say: Speaker) -> Html:
    """Loss, scores, learning rate, gradient norm and speed over the updates, drawn and as numbers."""
    figures = [figure for figure in _figures(history, say) if figure]
    if not figures:
        return element(
            "p", say("There is nothing to draw yet: the run has told of no update and no validation.")
        )
    band = "Where many updates share a place, the line is their mean and the band reaches from the lowest to the highest."
    notes = [say(band)]
    if history.seams:
        places = ", ".join(f"{update:,}" for update in history.seams)
        notes.append(say("Dotted lines: resumed, or done again, after update {updates}.", updates=places))
    return together(
        element("div", figures, class_="charts"),
        element("p", " ".join(notes), class_="faint"),
        _validation_table(history, say),
        _update_table(history, say),
    )


def series(history: History) -> list[tuple[str, str]]:
    """Direction and metric of each score that validations have."""
    found = (
        (way, metric) for at in history.validations for way, of in at.found.scores.items() for metric in of
    )
    return list(dict.fromkeys(found))


def score_names(history: History) -> list[str]:
    """What to call each of `series`: by its metric alone, where there is one direction."""
    several = len({way for way, _ in series(history)}) > 1
    return [f"{way} {metric}" if several else metric for way, metric in series(history)]


def number(value: float, form: str) -> str:
    """A number, or a dash where there is none."""
    return format(value, form) if math.isfinite(value) else "–"


def _score(at: Validated, way: str, metric: str) -> float:
    return at.found.scores.get(way, {}).get(metric, math.nan)


def _figures(history: History, say: Speaker) -> Iterator[Html]:
    updates, validations, best = history.updates, history.validations, history.best
    training = [(u.update, u.negative_log_likelihood) for u in updates]
    validation = [(at.update, at.found.negative_log_likelihood) for at in validations]
    scores = [
        Curve(name, [(at.update, _score(at, way, metric)) for at in validations], dotted=True)
        for name, (way, metric) in zip(score_names(history), series(history), strict=True)
    ]
    yield _figure(
        history, say, "loss", say("Loss"),
        [Curve(say("training"), training), Curve(say("validation"), validation, dotted=True)],
        about=say("Negative log-likelihood per target token, in nats, without label smoothing. Training has dropout to cope with, and where it is set subword sampling; validation has neither."),
    )  # fmt: skip
    yield _figure(
        history, say, "scores", say("Scores"), scores, from_zero=True,
        about=say("Of greedy translations of the validation text; the dashed line marks the best."),
        best=(best.update, say("best: {value}", value=f"{best.found.score:.1f}")) if best else None,
    )  # fmt: skip
    rates = [(u.update, u.learning_rate) for u in updates]
    yield _figure(history, say, "rate", say("Learning rate"), [Curve("", rates)], from_zero=True, small=True)
    norms = [(u.update, u.gradient_norm) for u in updates]
    yield _figure(
        history, say, "norm", say("Gradient norm"), [Curve("", norms)], logarithmic=True, small=True,
        about=say("Before clipping, on a logarithmic scale."),
    )  # fmt: skip
    yield _figure(
        history, say, "speed", say("Speed"), [Curve("", history.speeds())], from_zero=True, small=True,
        about=say("Target tokens a second, without the time of validations."),
    )  # fmt: skip


def _figure(
    history: History, say: Speaker, name: str, title: str, lines: Sequence[Curve], *,
    about: str = "", from_zero: bool = False, logarithmic: bool = False,
    best: tuple[float, str] | None = None, small: bool = False,
) -> Html:  # fmt: skip
    """A chart with its title, or nothing where there is no point yet."""
    chart = Chart(
        title, " ".join(_described(lines, say)), lines, say("updates"),
        end=history.place.update if history.place else 0,
        x_marks=() if small else _token_marks(history), x_marks_name=say("target tokens"),
        seams=history.seams, best=best, from_zero=from_zero, logarithmic=logarithmic,
        width=380 if small else 560, height=230 if small else 320,
    )  # fmt: skip
    drawn = draw(chart, name)
    if not drawn:
        return Html()
    caption = element("figcaption", element("h3", title), element("p", about))
    return element("figure", caption, Html(drawn), class_="small" if small else "")


def _described(lines: Sequence[Curve], say: Speaker) -> Iterator[str]:
    """Where each curve begins and ends, for those who do not see it."""
    for line in lines:
        points = [(x, y) for x, y in line.points if math.isfinite(y)]
        if points:
            values = [y for _, y in points]
            yield say(
                "{name}: {first} at update {begin}, {last} at update {end}; lowest {low}, highest {high}.",
                name=line.name or say("value"),
                first=f"{values[0]:,.4g}", begin=f"{points[0][0]:,.0f}",
                last=f"{values[-1]:,.4g}", end=f"{points[-1][0]:,.0f}",
                low=f"{min(values):,.4g}", high=f"{max(values):,.4g}",
            )  # fmt: skip


def _token_marks(history: History) -> list[tuple[float, str]]:
    """Updates at which round numbers of target tokens were reached."""
    places: Points = sorted({(0, 0), *((at.target_tokens, at.update) for at in history.updates)})
    places += [(at.target_tokens, at.update) for at in history.validations[-1:]]
    marks = []
    for tokens in round_numbers(0, places[-1][0], 5)[1:]:
        if tokens > places[-1][0]:
            break
        after = bisect_left(places, (tokens, 0))
        (low, begin), (high, end) = places[after - 1], places[after]
        marks.append((begin + (end - begin) * (tokens - low) / (high - low), axis_number(tokens)))
    return marks


def _validation_table(history: History, say: Speaker) -> Html:
    if not history.validations:
        return Html()
    keys = series(history)
    columns = [
        say("update"), say("target tokens"), say("time"), say("training loss"), say("validation loss"),
        say("perplexity"), *score_names(history),
    ]  # fmt: skip
    rows = []
    after = 0
    for at in history.validations:
        loss = at.found.negative_log_likelihood
        mark = f"★ {say('best')} " if at is history.best else ""
        rows.append(
            [
                f"{mark}{at.update:,}", f"{at.target_tokens:,}", clock(at.seconds),
                number(history.training_loss(after, at.update), ".3f"),
                number(loss, ".3f"), number(math.exp(min(loss, 700)), ",.2f"),
                *(number(_score(at, *key), ".1f") for key in keys),
            ]
        )  # fmt: skip
        after = at.update
    best = [n for n, at in enumerate(history.validations) if at is history.best]
    return _folded(
        say("The numbers: validations"),
        table(columns, rows, numbers=len(columns), changed=best),
        element("p", say("The training loss is the mean since the validation before."), class_="faint"),
    )


def _update_table(history: History, say: Speaker) -> Html:
    updates = history.updates
    if not updates:
        return Html()
    stops = sorted({round(len(updates) * n / ROWS) for n in range(1, ROWS + 1)} - {0})
    speeds = history.speeds()
    rows = []
    for first, stop in pairwise([0, *stops]):
        part = updates[first:stop]
        last = part[-1]
        paces = [speed for update, speed in speeds if part[0].update <= update <= last.update]
        rows.append(
            [
                f"{last.update:,}", f"{last.target_tokens:,}", clock(last.seconds),
                number(_mean(u.negative_log_likelihood for u in part), ".3f"),
                number(_mean(u.loss for u in part), ".3f"),
                number(last.learning_rate, ".2e"),
                number(_mean(u.gradient_norm for u in part), ".3f"), number(_mean(paces), ",.0f"),
            ]
        )  # fmt: skip
    columns = [
        say("update"), say("target tokens"), say("time"), say("training loss"), say("smoothed loss"),
        say("learning rate"), say("gradient norm"), say("tokens/s"),
    ]  # fmt: skip
    note = say("Losses, norms and speeds are means since the row before.")
    return _folded(
        say("The numbers: updates"),
        table(columns, rows, numbers=len(columns)),
        element("p", note, class_="faint"),
    )


def _folded(summary: str, *inside: Html) -> Html:
    return element("details", element("summary", summary), *inside)


def _mean(values: Iterable[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    return sum(finite) / len(finite) if finite else math.nan
