"""What a model that went on from another one has gained and lost, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onmal.run_report.elements import Html, element, table, together
from onmal.run_report.words import Speaker

__all__ = ["before_and_after"]


def before_and_after(card: Mapping[str, Any], say: Speaker) -> Html:
    """Each score of the model before and after, with its significance and signature; nothing where there was no model before."""
    found = card.get("compared")
    if not isinstance(found, Mapping):
        return Html()
    about, rows = [], []
    for name, domain in found.items():
        told = say.term(f"{name} domain"), f"{domain['sentences']:,}", say.term(str(domain["text"]))
        about.append(say("{domain}: {count} sentences, {text}.", domain=told[0], count=told[1], text=told[2]))
        for way, metrics in domain["scores"].items():
            for metric, each in metrics.items():
                values = [f"{each['before']:.2f}", f"{each['after']:.2f}", f"{each['difference']:+.2f}"]
                signature = element("code", each["signature"])
                rows.append([told[0], way, metric, *values, f"{each['p_value']:.3f}", signature])
    about.append(say("p: how likely chance alone makes a difference as large (paired bootstrap)."))
    columns = [
        say("domain"), say("direction"), say("metric"), say("before"), say("after"), say("difference"), "p",
        say("signature"),
    ]  # fmt: skip
    return together(element("p", " ".join(about), class_="faint"), table(columns, rows))
