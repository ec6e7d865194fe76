"""A finished answer for a page to open with, before any model is loaded.

    python -m onmal.inspection.example MODEL "나는 어제 친구를 만났다" > example.json

It is what `look_inside` gives with all that can be included, and under `close_up` what a page would ask for one by one:

    rows        {"cross.1.0": [row of token 0, row of token 1, ...], ...} for every head
    vectors     {"1": [of token 0, of token 1, ...], "2": ..., "5": ..., "6": ...}
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from onmal.errors import OnmalError
from onmal.inspection.close_up import row, vectors
from onmal.inspection.inside import look_inside
from onmal.inspection.question import Question
from onmal.translating.translator import Translator, load

__all__ = ["example", "main"]


def example(translator: Translator, text: str, to: str = "") -> dict[str, Any]:
    """The answer about a sentence and all close-ups, without times: the same model gives the same example."""
    question = Question(text=text, to=to, include=["topk", "beam", "effect", "heads"])
    answer = {**look_inside(translator, question), "time_ms": {}}
    source, target = len(answer["src"]["ids"]), len(answer["tgt"]["ids"])
    rows = {
        f"{kind}.{head['l']}.{head['h']}": [
            row(translator, answer, kind=kind, layer=head["l"], head=head["h"], t=t)
            for t in range(source if kind == "enc" else target)
        ]
        for kind, heads in answer["heads"].items()
        for head in heads
    }
    vectors_of = {
        str(part): [vectors(translator, answer, part=part, token=token) for token in range(count)]
        for part, count in ((1, source), (2, source), (5, target), (6, target))
    }
    return {**answer, "close_up": _rounded({"rows": rows, "vectors": vectors_of})}


def _rounded(values: Any) -> Any:
    """The same with five digits behind the point, which halves the file."""
    if isinstance(values, float):
        return round(values, 5)
    if isinstance(values, dict):
        return {name: _rounded(value) for name, value in values.items()}
    return [_rounded(value) for value in values] if isinstance(values, list) else values


def main(arguments: Sequence[str]) -> None:
    """Write the example about a sentence, in Korean or whatever the model reads, to standard output."""
    if len(arguments) not in (2, 3):
        raise SystemExit('usage: python -m onmal.inspection.example MODEL "TEXT" [TARGET LANGUAGE]')
    model, *sentence = arguments
    try:
        found = example(load(model, engine="torch"), *sentence)
    except OnmalError as error:
        raise SystemExit(f"error: {error}") from None
    json.dump(found, sys.stdout, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    print()


if __name__ == "__main__":
    main(sys.argv[1:])
