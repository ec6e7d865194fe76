"""Source words that a translation leaves out, found by contrastive conditioning (Vamvas & Sennrich 2022).

If a translation becomes likelier when a word is taken out of its source, it does not say that word. Attention does not tell: what is
left out is looked at too.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from onmal.decoding.search import Hypothesis
from onmal.saved_model import SavedModel
from onmal.translating.torch_engine import TorchEngine

__all__ = ["left_out"]

MARGIN = 0.3  # how much likelier it must become [nats]


def left_out(
    saved: SavedModel, source: Sequence[int], first: int, hypothesis: Hypothesis, *, spaces: bool = True
) -> list[str]:
    """The words of a source, from its `first` token on, that a hypothesis for it does not say; its pieces without spaces."""
    model, subwords = saved.model, saved.tokenizer.source
    pieces, end = subwords.pieces(source), len(source) - 1

    def begins(n: int) -> bool:
        spelled = subwords.unwritten.issuperset(source[n - 1 : n + 1])  # in bytes
        return not spelled and pieces[n - 1] != "▁" and any(map(str.isalnum, pieces[n]))

    starts = [n for n in range(first + 1, end) if pieces[n].startswith("▁") or (not spaces and begins(n))]
    words = list(pairwise([first, *starts, end]))
    if len(words) < 2 or not hypothesis.tokens:
        return []
    shortened = [list(source), *([*source[:start], *source[stop:]] for start, stop in words)]
    said = [*hypothesis.tokens, model.vocabulary.end][: len(hypothesis.tokens) + hypothesis.ended]
    totals = TorchEngine(model).log_probabilities(shortened, [said] * len(shortened))
    return [
        subwords.decode(source[start:stop]).strip()
        for (start, stop), total in zip(words, totals[1:], strict=True)
        if total - totals[0] > MARGIN
    ]
