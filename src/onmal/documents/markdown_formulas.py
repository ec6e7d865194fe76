r"""Formulas in Markdown, which CommonMark knows nothing of: $x^2$, $$x^2$$ and \begin{align}...\end{align}.

As on GitHub and in pandoc "$5 and $10" is none. Neither is what is not surely one, such as "US$5/$6", or has a piece of code
in it: a formula is not translated.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline

__all__ = ["BLOCK", "INLINE", "formula", "formula_block"]

INLINE, BLOCK = "formula", "formula_block"

_ENVIRONMENT = (
    r"\\begin\{(?P<name>(?:equation|align|alignat|flalign|gather|multline|eqnarray|math|displaymath)\*?)\}"
)
_BEGINS_BLOCK = re.compile(rf"\$\$(?!\$)|{_ENVIRONMENT}")
# Each is looked through as far as what could be the beginning of the next, so that it takes linear time.
_FORMULA = re.compile(
    r"(?<!\$)\$\$(?!\$)(?:[^\\$]|\\.|\$(?!\$))++\$\$(?!\$)"
    r"|(?<![A-Za-z0-9$])\$(?![\s$])(?:[^\\$`]|\\.)++(?<!\s)\$(?![\d$])"
    r"|(?<!\$)\$`[^`]++`\$(?![\d$])"
    rf"|{_ENVIRONMENT}(?:(?!\\(?:begin|end)\{{(?P=name)\}}).)*+\\end\{{(?P=name)\}}",
    re.DOTALL,
)


def formula(state: StateInline, silent: bool) -> bool:
    """A rule of the parser for formulas within sentences."""
    found = _FORMULA.match(state.src, state.pos, state.posMax) if state.src[state.pos] in "$\\" else None
    if not found:
        return False
    if not silent:
        state.push(INLINE, "", 0)
    state.pos = found.end()
    return True


def formula_block(state: StateBlock, first: int, end: int, silent: bool) -> bool:
    """The same for those that have lines of their own, in which + begins no list and # no heading."""
    if state.is_code_block(first) or not (begins := _BEGINS_BLOCK.match(_line(state, first))):
        return False
    closing = rf"\end{{{begins['name']}}}" if begins["name"] else "$$"
    not_before: dict[str, int] = state.env.setdefault(BLOCK, {})  # of what closes one, lines without it
    if first < not_before.get(closing, 0):
        return False
    for number in range(first, end):
        line = _line(state, number)
        if not line or state.sCount[number] < state.blkIndent:
            break
        _, found, after = line[begins.end() if number == first else 0 :].partition(closing)
        if found and after:
            break
        if found:
            if not silent:
                state.line = number + 1
                state.push(BLOCK, "", 0).map = [first, state.line]
            return True
    not_before[closing] = number
    return False


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]].rstrip()
