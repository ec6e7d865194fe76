"""Sampling: each next word is drawn by the network's own probabilities, or by those of the likeliest words."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor

from onmal.config import SearchConfig

__all__ = ["Draws"]


class Draws:
    """Draws a word for each hypothesis; what a source gets depends on it and the seed, not on its batch mates."""

    def __init__(self, source: Tensor, pad: int, steps: int, config: SearchConfig) -> None:
        self.config = config
        numbers = [self._numbers([word for word in row if word != pad], steps) for row in source.tolist()]
        self.numbers = torch.stack(numbers).to(source.device)  # [B,T,K], each between 0 and 1

    def _numbers(self, source: list[int], steps: int) -> Tensor:
        digest = hashlib.sha256(repr((self.config.seed, source)).encode()).digest()
        chance = torch.Generator().manual_seed(int.from_bytes(digest[:8], "little") >> 1)
        return torch.rand(steps, self.config.beam_size, generator=chance)

    def __call__(self, log_probabilities: Tensor, sources: Tensor, step: int) -> Tensor:
        """The drawn words [B,K] among those with log-probabilities [B,K,V], -inf where a word is forbidden."""
        ordered, words = log_probabilities.div(self.config.temperature).sort(descending=True)
        probabilities = ordered.softmax(-1)  # [B,K,V]
        if self.config.top_k:
            probabilities[..., self.config.top_k :] = 0
        before = probabilities.cumsum(-1) - probabilities  # of the likelier words
        probabilities = probabilities.masked_fill(before >= self.config.top_p, 0)
        totals = probabilities.cumsum(-1)
        wanted = self.numbers[sources, step].unsqueeze(-1) * totals[..., -1:]  # [B,K,1]
        last = probabilities.count_nonzero(-1).sub(1).clamp(min=0)  # [B,K]
        drawn = (totals <= wanted).sum(-1).minimum(last)
        return words.gather(-1, drawn.unsqueeze(-1)).squeeze(-1)
