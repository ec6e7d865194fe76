"""What fine-tuning has given and what it has cost, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onmal.cli.evaluating import verdict
from onmal.cli.terminal import show, table

__all__ = ["show_comparison"]


def show_comparison(found: Mapping[str, Any], after: str, before: str) -> None:
    """Prints what `onmal.adapting.comparison.compared` has found, and the signature of every score in it."""
    signatures: dict[str, None] = {}
    show(f"{after}, which went on from {before}")
    for name, domain in found.items():
        scores = table("direction", "metric", "before", "after", "difference", "p", "", numbers=5)
        for direction, metrics in domain["scores"].items():
            for metric, each in metrics.items():
                values = [f"{each['before']:.2f}", f"{each['after']:.2f}", f"{each['difference']:+.2f}"]
                judged = verdict(each["difference"], each["p_value"])
                scores.add_row(direction, metric, *values, f"{each['p_value']:.3f}", judged)
                signatures[f"{metric}: {each['signature']}"] = None
        show(f"{name} domain: {domain['sentences']:,} sentences, {domain['text']}", "", scores)
    show(*signatures, "", f"on other text:  onmal evaluate {after} TEXT --baseline {before}")
