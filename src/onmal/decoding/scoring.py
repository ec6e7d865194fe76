"""How likely words are, and how finished hypotheses of different lengths are compared: small pieces, so that the search stays a loop."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from onmal.models.contract import Place, Probe, Seq2Seq

__all__ = ["Coverage", "LengthPenalty", "next_words"]


def next_words(model: Seq2Seq, states: Tensor) -> Tensor:
    """Log-probabilities [...,V] of the words that may come after states [...,D]: -inf for padding and start, which never do.

    They take no part in the sum, for a network need not have learned that: in Marian's the padding has a logit of 0.
    """
    logits = model.project(states).float()  # [...,V]
    special = model.vocabulary
    for word in {special.pad, special.start} - {special.end}:
        logits[..., word] = -torch.inf
    return logits.log_softmax(-1)


@dataclass(frozen=True)
class LengthPenalty:
    """Divide the log-probability [nats] by length ** alpha: 0 favours short translations, 1 is the mean per token."""

    alpha: float

    def __call__(self, log_probability: float, length: int) -> float:
        """Score of a hypothesis of `length` tokens, its end token included."""
        return log_probability / float(length) ** self.alpha


class Coverage(Probe):
    """How much each source word was looked at so far, and how much that lowers a score (Wu 2016, equation 14).

    Cross-attention is averaged over layers and heads. Words of padding count as looked at.
    """

    def __init__(self, beta: float, mask: Tensor, beams: int) -> None:
        self.beta = beta
        self.looks = (~mask).float()[:, None].repeat(1, beams, 1)  # [B,K,S]
        self.layers: list[Tensor] = []

    def attention(
        self, place: Place, scores: Tensor, mask: Tensor | None, weights: Tensor, values: Tensor
    ) -> Tensor:
        if place.part == "decoder.cross":
            self.layers.append(weights.mean(1))  # [B,H,K,S] -> [B,K,S]
        return weights

    def lack(self, source: int, row: int) -> float:
        """What to take from the score of a hypothesis that ends with this step [nats]."""
        self._add()
        return -self.beta * float(self.looks[source, row].clamp(1e-9, 1.0).log().sum())

    def reorder(self, rows: Tensor) -> None:
        """Hypothesis k of source b continues hypothesis rows[b,k], [B,K]."""
        self._add()
        self.looks = self.looks.take_along_dim(rows[:, :, None], 1)

    def keep(self, sources: Tensor) -> None:
        """Only these sources are still searched."""
        self.looks = self.looks[sources]

    def _add(self) -> None:
        if self.layers:
            self.looks = self.looks + torch.stack(self.layers).mean(0)
            self.layers.clear()
