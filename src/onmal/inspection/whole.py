"""An answer with every closer look in it, for a page that has nobody to ask: the finished example, and a page that is saved.

Beside what `look_inside` gives, `attn.tensors` has all layers of a sentence of up to 64 tokens, and `close_up` has what a page would
ask for one by one:

    vectors     {"1": [of token 0, of token 1, ...], "2": ..., "5": ..., "6": ...}: the parts that the network has; of positions
                only the first has the similarity, which is that of all
    rows        {"cross.1.0": [of token 0, of token 1, ...], ...}: of as many heads as there is room for, and those first that
                are shown first; of all that `close_up.row` tells, `scores` and what stands below it
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from onmal.inspection.close_up import Answer, every_vector, rows, tensors
from onmal.inspection.switches import Kind
from onmal.translating.translator import Translator

__all__ = ["ROOM", "whole"]

ROOM = 6 << 20
"""Characters that vectors and rows may take: a sentence of 24 tokens in a network of 6 + 6 layers has all of them."""


def whole(translator: Translator, answer: Answer, room: int = ROOM) -> Answer:
    """The answer with all of that, for two passes of the network."""
    tables = {**answer["attn"]["tensors"], **tensors(translator, answer)}
    vectors, room = _as_many_as_fit(every_vector(translator, answer), room)
    sums, _ = _as_many_as_fit(rows(translator, answer, _as_they_are_shown(answer)), room)
    return {
        **answer,
        "attn": {**answer["attn"], "tensors": tables},
        "truncated": None if len(tables) == len(_layers(answer)) else answer["truncated"],
        "close_up": {"rows": sums, "vectors": vectors},
    }


def _layers(answer: Answer) -> set[tuple[Kind, int]]:
    return {(kind, head["l"]) for kind, heads in answer["heads"].items() for head in heads}


def _as_they_are_shown(answer: Answer) -> list[tuple[Kind, int, int]]:
    """All heads: the one that a page shows first, then the first of each layer, and so on."""
    first = answer["default"]
    heads = [(kind, head["l"], head["h"]) for kind, each in answer["heads"].items() for head in each]
    return sorted(heads, key=lambda head: (head != (first["kind"], first["layer"], first["head"]), head[2]))


def _as_many_as_fit(told: Iterable[tuple[str, Any]], room: int) -> tuple[dict[str, Any], int]:
    """What comes before the first that is too much, and the room that is left."""
    kept: dict[str, Any] = {}
    for name, value in told:
        rounded = _rounded(value)
        room -= len(json.dumps(rounded, separators=(",", ":")))
        if room < 0:
            break
        kept[name] = rounded
    return kept, max(room, 0)


def _rounded(values: Any) -> Any:
    """The same with five digits behind the point, which halves the text."""
    if isinstance(values, float):
        return round(values, 5)
    if isinstance(values, dict):
        return {name: _rounded(value) for name, value in values.items()}
    return [_rounded(value) for value in values] if isinstance(values, list) else values
