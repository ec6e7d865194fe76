"""The tree that a beam search grew, drawn by a rule that forbids nothing: it only watches.

The search asks its rules at every step, and so tells this one which hypotheses it has kept and how likely each next word is. All
else follows: what a hypothesis continues, what was looked at beside it and dropped, and what has ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from onmal.config import SearchConfig
from onmal.decoding.scoring import LengthPenalty
from onmal.decoding.search import Hypothesis, continuations

__all__ = ["BeamTree", "Node"]


@dataclass
class Node:
    """One word that a hypothesis was lengthened by, or could have been."""

    parent: int | None
    """Number of the node before; None for a first word."""
    token: int
    log_probability: float
    """Of this word after those before it [nats]."""
    score: float
    """Of the hypothesis up to here, after the length penalty; what the search returned has the score that it gave."""
    kept: bool = False
    """Whether the search went on from here, or ended here with a translation."""
    finished: bool = False
    """Whether this is the end of a finished hypothesis."""


class BeamTree:
    """Watches the search of one source, as its last rule; not for searches that draw by chance."""

    def __init__(self, config: SearchConfig, end: int) -> None:
        self.config, self.end = config, end
        self.penalty = LengthPenalty(config.length_penalty)
        self.steps = 0
        """Words that were looked for one after the other."""
        self.nodes: list[Node] = []
        self.numbers: dict[tuple[int, ...], int] = {}
        """The node at which each sequence of tokens arrives."""
        self.totals: dict[tuple[int, ...], Tensor] = {}
        """Log-probability of each."""

    def __call__(self, log_probabilities: Tensor, words: Tensor, sources: Tensor) -> None:
        self.steps += 1
        beams = self.config.beam_size
        kept = [tuple(row) for row in words[0].tolist()]  # [K] of [t]
        totals = torch.full_like(log_probabilities[:, :, 0], -torch.inf)  # [1,K]
        for k, said in enumerate(kept):
            if said in kept[:k]:
                continue  # at the first step all are the same; later, such a row is one that has no word left
            if said in self.numbers:
                self.nodes[self.numbers[said]].kept = True
                totals[0, k] = self.totals[said]
            elif not said:
                totals[0, k] = 0.0
        best, rows, tokens = continuations(log_probabilities, totals, 2 * beams, self.config.diversity)
        found = zip(best[0], rows[0].tolist(), tokens[0].tolist(), strict=True)
        for rank, (total, row, token) in enumerate(found):
            if total > -torch.inf:
                said, finished = (*kept[row], token), token == self.end and rank < beams
                self.numbers[said], self.totals[said] = len(self.nodes), total
                self.nodes.append(
                    Node(
                        self.numbers.get(kept[row]),
                        token,
                        float(log_probabilities[0, row, token]),
                        self.penalty(float(total), len(said)),
                        finished,
                        finished,
                    )
                )

    def path(self, hypothesis: Hypothesis) -> list[int]:
        """The numbers of a hypothesis' nodes, from its first word to its last, or to its end."""
        said = (*hypothesis.tokens, *[self.end] * hypothesis.ended)
        return [self.numbers[said[:count]] for count in range(1, len(said) + 1)]

    def take(self, hypotheses: Sequence[Hypothesis]) -> None:
        """Note what the search returned: the scores that it gave, and what it cut off at the length limit."""
        for hypothesis in hypotheses:
            if path := self.path(hypothesis):
                last = self.nodes[path[-1]]
                last.kept, last.score = True, hypothesis.score
