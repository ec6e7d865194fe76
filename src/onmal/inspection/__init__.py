"""Looking inside: which words the network looked at while it translated a sentence.

    inspection = inspect(translator, "커피를 마셔요.")
    print(terminal(inspection.attention("cross", layer=1)))
    draw([inspection.attention()], "attention.png")
    draw_all_heads(inspection, "cross", "heads.svg")

Layers and heads are counted from 0 in Python, as in Place, and from 1 in everything that a person reads: titles and
messages. Pictures need matplotlib (the extra `plots`).
"""

from __future__ import annotations

from onmal.inspection.attention import NOTE, AttentionMap, Inspection, Part, Recorder, Tokens, Unit, inspect
from onmal.inspection.pictures import best_picture_suffix, draw, draw_all_heads
from onmal.inspection.plain_text import terminal

__all__ = [
    "NOTE",
    "AttentionMap",
    "Inspection",
    "Part",
    "Recorder",
    "Tokens",
    "Unit",
    "best_picture_suffix",
    "draw",
    "draw_all_heads",
    "inspect",
    "terminal",
]
