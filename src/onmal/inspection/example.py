"""A finished answer for a page to open with, before any model is loaded.

    python -m onmal.inspection.example MODEL "나는 어제 친구를 만났다" > example.json

It is what `look_inside` gives with all that can be included, and with every closer look, as `whole` says.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from onmal.errors import OnmalError
from onmal.inspection.inside import look_inside
from onmal.inspection.question import Question
from onmal.inspection.whole import whole
from onmal.translating.translator import Translator, load

__all__ = ["example", "main"]


def example(translator: Translator, text: str, to: str = "", beam: int = 0) -> dict[str, Any]:
    """The answer about a sentence and its closer looks, without times: the same model gives the same example."""
    question = Question(text=text, to=to, beam=beam, include=["topk", "beam", "effect", "heads"])
    return whole(translator, {**look_inside(translator, question), "time_ms": {}})


def main(arguments: Sequence[str]) -> None:
    """Write the example about a sentence, in Korean or whatever the model reads, to standard output."""
    if len(arguments) not in (2, 3):
        raise SystemExit('usage: python -m onmal.inspection.example MODEL "TEXT" [TARGET LANGUAGE]')
    model, text, to = (*arguments, "")[:3]
    try:
        found = example(load(model, engine="torch"), text, to)
    except OnmalError as error:
        raise SystemExit(f"error: {error}") from None
    json.dump(found, sys.stdout, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    print()


if __name__ == "__main__":
    main(sys.argv[1:])
