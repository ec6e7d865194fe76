"""Looking inside: which words the network looked at while it translated a sentence.

    inspection = inspect(translator, "커피를 마셔요.")
    print(terminal(inspection.attention("cross", layer=1)))
    draw([inspection.attention()], "attention.png")
    draw_all_heads(inspection, "cross", "heads.svg")

    answer = look_inside(translator, Question(text="커피를 마셔요."))     everything at once, as JSON for the page
    row(translator, answer, kind="cross", layer=1, head=0, t=2)

Layers and heads are counted from 0 in Python, as in Place, and from 1 in everything that a person reads: titles and
messages. Pictures need matplotlib (the extra `plots`).
"""

from __future__ import annotations

from onmal.inspection.attention import NOTE, AttentionMap, Inspection, Part, Recorder, inspect
from onmal.inspection.close_up import row, tensor, vectors
from onmal.inspection.inside import look_inside
from onmal.inspection.pictures import best_picture_suffix, draw, draw_all_heads
from onmal.inspection.plain_text import terminal
from onmal.inspection.question import Question, identity
from onmal.inspection.switches import Switches
from onmal.inspection.words import Tokens, Unit

__all__ = [
    "NOTE",
    "AttentionMap",
    "Inspection",
    "Part",
    "Question",
    "Recorder",
    "Switches",
    "Tokens",
    "Unit",
    "best_picture_suffix",
    "draw",
    "draw_all_heads",
    "identity",
    "inspect",
    "look_inside",
    "row",
    "tensor",
    "terminal",
    "vectors",
]
