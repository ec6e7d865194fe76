"""The report as one HTML page, which needs no network, no script and no other file."""

from __future__ import annotations

import importlib.metadata
import json
import math
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onmal.config import SECTIONS, SIZES
from onmal.run_report.before_after import before_and_after
from onmal.run_report.charts import curves, number, score_names, series
from onmal.run_report.elements import Html, element, table, together
from onmal.run_report.events import Sample, clock, shown, time_left
from onmal.run_report.history import History, Validated
from onmal.run_report.words import Speaker

__all__ = ["Run", "page"]

SHOWN_VALIDATIONS = 6  # of each sample
SHOWN_NOTES = 50
# Nothing is fetched, even if a text of the run should find a way to ask for it.
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


@dataclass(frozen=True)
class Run:
    """What the page is about."""

    name: str
    history: History
    settings: Mapping[str, Any]
    """Of run.toml."""
    card: Mapping[str, Any]
    """Of the saved model; empty before the run has ended."""
    heard: float
    """When the log was written to last [seconds since 1970]."""


def page(run: Run, say: Speaker) -> str:
    """The page in the language of `say`."""
    title = say("Training report: {name}", name=run.name)
    sections = [
        (say("Curves"), curves(run.history, say)),
        (say("Scores"), _scores(run, say)),
        (say("Before and after"), before_and_after(run.card, say)),
        (say("Samples"), _samples(run.history, say)),
        (say("Settings"), _settings(run.settings, say)),
        (say("Environment"), _environment(run, say)),
        (say("What the run said"), _notes(run.history, say)),
    ]
    style = Path(__file__).with_name("page.css").read_text("utf-8")
    head = element(
        "head",
        Html(f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}">'),
        Html('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        element("title", title),
        element("style", Html(style)),
    )
    body = element(
        "body",
        _header(run, say, title),
        element(
            "main", (element("section", element("h2", name), inside) for name, inside in sections if inside)
        ),
        element("footer", f"onmal {importlib.metadata.version('onmal')}, {_date(time.time())}"),
    )
    return f"<!doctype html>\n{element('html', head, body, lang=say.language)}\n"


def _date(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def _header(run: Run, say: Speaker, title: str) -> Html:
    history = run.history
    size = run.settings.get("size")
    if history.ended is not None:
        state = [say("complete")]
    else:
        share = history.updates[-1].share_done if history.updates else 0.0
        state = [
            say("{share} done at the time of this report", share=f"{share:.0%}"),
            say("last heard of at {time}", time=_date(run.heard)),
        ]
    about = [
        str(history.starts[-1].facts.get("languages", "")),
        say("size {size}", size=size) if size else "",
    ]
    return element(
        "header",
        element("h1", title),
        element("p", " · ".join(filter(None, [*about, *state])), class_="faint"),
        element(
            "dl",
            (
                element("div", element("dt", name), element("dd", value, class_="value"), element("dd", more))
                for name, value, more in _tiles(history, say)
            ),
            class_="tiles",
        ),
    )


def _tiles(history: History, say: Speaker) -> Iterator[tuple[str, str, str]]:
    """The figures that one looks for first: name, value and what else there is to say."""
    if best := history.best:
        at = say("{metric}, update {update}", metric=_chosen_by(best, say), update=f"{best.update:,}")
        yield say("best score"), f"{best.found.score:.1f}", at
        losses = [(at.found.negative_log_likelihood, at.update) for at in history.validations]
        lowest, update = min(losses, key=lambda pair: (math.isnan(pair[0]), pair))
        yield (
            say("lowest validation loss"),
            number(lowest, ".3f"),
            say("update {update}", update=f"{update:,}"),
        )
    last = history.updates[-1] if history.updates else None
    if place := history.place:
        more = [say("epoch {epoch}", epoch=last.epoch + 1)] if last else []
        if last and last.skipped:
            more.append(say("{count} skipped", count=last.skipped))
        yield say("updates"), f"{place.update:,}", ", ".join(more)
        speed = f"{place.target_tokens / place.seconds:,.0f}" if place.seconds else "–"
        yield say("target tokens"), f"{place.target_tokens:,}", say("{speed} a second", speed=speed)
        left = say("validations included")
        if last and history.ended is None:
            left = say("about {time} left", time=clock(time_left(last)))
        yield say("training time"), clock(place.seconds), left
    if parameters := history.starts[-1].facts.get("parameters"):
        yield say("parameters"), shown(parameters), ""


def _chosen_by(at: Validated, say: Speaker) -> str:
    """What the score of a validation is: a metric, or a mean of several directions' first metrics."""
    first = [(way, next(iter(of))) for way, of in at.found.scores.items() if of]
    if len(first) == 1:
        return first[0][1]
    return say("mean of {metrics}", metrics=", ".join(f"{way} {metric}" for way, metric in first))


def _scores(run: Run, say: Speaker) -> Html:
    """Each score of the best validation, the last one and the saved model, with its signature."""
    history, best = run.history, run.history.best
    if best is None:
        return element("p", say("There has been no validation yet."))
    last = history.validations[-1]
    saved = run.card.get("validation", {})
    columns = [
        say("metric"),
        say("best, update {update}", update=f"{best.update:,}"),
        say("last, update {update}", update=f"{last.update:,}"),
        say("saved model"),
        say("signature"),
    ]
    rows = []
    for name, (way, metric) in zip(score_names(history), series(history), strict=True):
        found = [best.found.scores, last.found.scores, saved.get("greedy", {})]
        values = [of.get(way, {}).get(metric) for of in found]
        signature = best.found.signatures.get(way, {}).get(metric)
        rows.append(
            [
                name,
                *("–" if value is None else f"{value:.2f}" for value in values),
                element("code", signature) if signature else say("not recorded"),
            ]
        )
    about = [
        say("On the validation text, by greedy search."),
        say("The best is chosen by {metrics}.", metrics=_chosen_by(best, say)),
    ]
    if weights := run.card.get("weights"):
        about.append(say("The saved model is: {weights}.", weights=say.term(str(weights))))
    return together(element("p", " ".join(about), class_="faint"), table(columns, rows))


def _samples(history: History, say: Speaker) -> Html:
    """Each sample sentence, and what the model made of it at some validations from the first to the last."""
    found: dict[tuple[str, str], list[tuple[Validated, Sample]]] = {}
    for at in history.validations:
        for sample in at.found.samples:
            found.setdefault((sample.source, sample.reference), []).append((at, sample))
    if not found:
        return Html()
    articles = []
    for (source, reference), made in found.items():
        languages = _languages(*made[-1])
        rows = [[say("source"), element("span", source, lang=languages[0])]]
        for at, sample in _spread(made, history.best):
            name = say("update {update}", update=f"{at.update:,}")
            name += f" ★ {say('best')}" if at is history.best else ""
            rows.append([name, element("span", _marked(sample.translation, reference), lang=languages[1])])
        rows.append([say("reference"), element("span", reference, lang=languages[1])])
        articles.append(element("article", table(("", ""), rows), class_="sample"))
    note = say("Words that also stand in the reference are marked.")
    return together(element("p", note, class_="faint"), *articles)


def _languages(at: Validated, sample: Sample) -> tuple[str, str]:
    """Of a sample and its translation, where they are known: each direction has as many samples."""
    ways, samples = list(at.found.scores), at.found.samples
    if not ways or len(samples) % len(ways):
        return "", ""
    way = ways[samples.index(sample) // (len(samples) // len(ways))]
    source, _, target = way.partition("-")
    return (source, target) if "-" not in target else ("", "")


def _spread(
    made: Sequence[tuple[Validated, Sample]], best: Validated | None
) -> list[tuple[Validated, Sample]]:
    """The first, the last, the best and some between."""
    count, last = min(SHOWN_VALIDATIONS, len(made)), len(made) - 1
    chosen = {round(last * n / max(count - 1, 1)) for n in range(count)}
    chosen |= {n for n, (at, _) in enumerate(made) if at is best}
    return [made[n] for n in sorted(chosen)]


def _marked(translation: str, reference: str) -> Html:
    """A translation in which the words of the reference are marked, each as often as the reference has it."""
    words = re.compile(r"(\w+)")
    left = Counter(word.lower() for word in words.findall(reference))
    parts: list[str] = []
    for part in words.split(translation):
        kept = left[part.lower()] > 0
        left[part.lower()] -= kept
        parts.append(element("mark", part) if kept else part)
    return element("span", parts)


def _settings(settings: Mapping[str, Any], say: Speaker) -> Html:
    """Every setting beside its default, section by section."""
    size = str(settings.get("size") or "")
    tables = []
    for section, kind in SECTIONS.items():
        defaults = {
            name: item.get_default(call_default_factory=True) for name, item in kind.model_fields.items()
        }
        if section == "model":
            defaults |= SIZES.get(size, {})
        if isinstance(values := settings.get(section), Mapping):
            tables.append(
                element("div", element("h3", f"[{section}]"), _settings_table(values, defaults, say))
            )
    if not tables:
        return Html()
    about = [say("Marked with ● and bold: what differs from the default.")]
    if size:
        about.append(say("The defaults of [model] are those of size {size}.", size=size))
    note = element("p", " ".join(about), class_="faint")
    return together(note, element("div", tables, class_="halves settings"))


def _settings_table(values: Mapping[str, Any], defaults: Mapping[str, Any], say: Speaker) -> Html:
    dot = element("span", "●", element("span", say("changed"), class_="hidden"), class_="dot")
    changed, rows = [], []
    for row, (name, value) in enumerate(values.items()):
        label = element("code", name)
        if defaults.get(name) != value:
            label = together(dot, label)
            changed.append(row)
        default = _toml(defaults[name]) if name in defaults else "–"
        rows.append([label, element("code", _toml(value)), element("code", default)])
    return table((say("setting"), say("value"), say("default")), rows, changed=changed)


def _toml(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _environment(run: Run, say: Speaker) -> Html:
    """What the run said of data, network and machine each time that it was started, and what the saved model says."""
    starts = run.history.starts
    rows = []
    for name in dict.fromkeys(name for start in starts for name in start.facts):
        told = [(start.update, say.term(shown(start.facts[name]))) for start in starts if name in start.facts]
        changes = [pair for n, pair in enumerate(told) if n == 0 or pair[1] != told[n - 1][1]]
        values = [
            say("{value} (from update {update})", value=value, update=f"{update:,}") if update else value
            for update, value in changes
        ]
        rows.append([say.term(name), "; ".join(values)])
    card = [
        [say.term(name.replace("_", " ")), say.term(shown(value))]
        for name, value in run.card.items()
        if name not in ("run", "validation", "compared")
    ]
    parts = [(say("The run"), rows), (say("The saved model"), card)]
    return element(
        "div",
        (element("div", element("h3", name), table(("", ""), facts)) for name, facts in parts if facts),
        class_="halves",
    )


def _notes(history: History, say: Speaker) -> Html:
    """The last notes of the log, with the update after which each came."""
    notes = history.notes
    if not notes:
        return Html()
    last = notes[-SHOWN_NOTES:]
    rows = [[f"{note.update:,}", element("span", note.text, lang="en")] for note in last]
    about = Html()
    if len(last) < len(notes):
        text = say("The last {shown} of {count}.", shown=len(last), count=f"{len(notes):,}")
        about = element("p", text, class_="faint")
    return together(about, table((say("update"), ""), rows))
