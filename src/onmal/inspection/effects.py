"""What really changes a translation's probability: a word of the source left out, a head switched off.

Many changed sentences, or networks, are read side by side in one batch.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from onmal.decoding.scoring import next_words
from onmal.inspection.switches import Anatomy, without
from onmal.inspection.words import Unit
from onmal.models.contract import Place, Probe, Seq2Seq

__all__ = ["effect_of_heads", "effect_of_words", "log_probabilities"]

MOST_CELLS = 8_000_000  # logits in a batch: 32 MB


def log_probabilities(
    model: Seq2Seq, sources: Tensor, target: Sequence[int], probe: Probe | None = None
) -> Tensor:
    """Log-probability [B,T] of each word of one target after each of some sources [B,S]."""
    said = torch.tensor([target], device=sources.device)  # [1,T]
    start = said.new_full((1, 1), model.vocabulary.start)
    read = torch.cat((start, said[:, :-1]), 1).expand(len(sources), -1)
    likely = next_words(model, model.hidden(sources, read, probe=probe))  # [B,T,V]
    return likely.gather(2, said.expand(len(sources), -1)[:, :, None]).squeeze(2)


def effect_of_words(
    model: Seq2Seq, source: Tensor, target: Sequence[int], rows: Sequence[Unit], columns: Sequence[Unit]
) -> NDArray[np.float32]:
    """How much less likely each target word is without each source word [rows,columns], in nats.

    Negative where it becomes likelier; 0 for what is no word, which is never left out. Costs one pass for each column.
    """
    ids, pad = source[0].tolist(), model.vocabulary.pad
    left_out = [n for n, unit in enumerate(columns) if not unit.special]
    changed = torch.tensor(
        [ids, *(without(ids, [columns[n]], pad) for n in left_out)], device=source.device
    )  # [1+N,S]
    parts = [log_probabilities(model, few, target) for few in changed.split(_at_once(model, target))]
    found = torch.cat(parts).cpu().numpy()  # [1+N,T]
    effect = np.zeros((len(target), len(columns)), dtype=np.float32)
    effect[:, left_out] = (found[0] - found[1:]).T
    return np.add.reduceat(effect, [unit.first for unit in rows], axis=0)


class _OneOffEach(Probe):
    """In each row of a batch another head adds nothing."""

    def __init__(self, heads: Sequence[tuple[Place, int]]) -> None:
        self.heads = heads

    def attention(
        self, place: Place, scores: Tensor, mask: Tensor | None, weights: Tensor, values: Tensor
    ) -> Tensor:
        off = [(row, head) for row, (where, head) in enumerate(self.heads) if where == place]
        if off:
            weights = weights.clone()
            rows, heads = zip(*off, strict=True)
            weights[list(rows), list(heads)] = 0.0
        return weights


def effect_of_heads(
    model: Seq2Seq, source: Tensor, target: Sequence[int], anatomy: Anatomy
) -> dict[tuple[Place, int], float]:
    """By how much the translation's log-probability [nats] changes when each head alone is off; one pass for each."""
    heads = [(place, head) for place, count in anatomy.items() for head in range(count)]
    at_once = _at_once(model, target)
    totals = [log_probabilities(model, source, target).sum(1)]
    for first in range(0, len(heads), at_once):
        few = heads[first : first + at_once]
        rows = source.expand(len(few), -1)
        totals.append(log_probabilities(model, rows, target, _OneOffEach(few)).sum(1))
    usual, *changed = torch.cat(totals).tolist()
    return {head: total - usual for head, total in zip(heads, changed, strict=True)}


def _at_once(model: Seq2Seq, target: Sequence[int]) -> int:
    """Rows in a batch."""
    return max(1, MOST_CELLS // (len(target) * model.vocabulary.target_size))
