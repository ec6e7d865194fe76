"""What may come next: rules that a search asks at every step, each a small object that forbids some words.

A rule changes the log-probabilities [B,K,V] of the words after words [B,K,t] in place: -inf where a word may not come. `sources` [B]
are the numbers of the sources that are still searched.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

__all__ = ["MinimumLength", "Never", "NoRepeat", "Prefix", "Rule"]


class Rule(Protocol):
    """Forbids words."""

    def __call__(self, log_probabilities: Tensor, words: Tensor, sources: Tensor) -> None: ...


class MinimumLength:
    """No end before so many words of each source's translation, [B] of all sources."""

    def __init__(self, least: Tensor, end: int) -> None:
        self.least, self.end = least, end

    def __call__(self, log_probabilities: Tensor, words: Tensor, sources: Tensor) -> None:
        log_probabilities[self.least[sources] > words.shape[2], :, self.end] = -torch.inf


class NoRepeat:
    """No n words in a row come twice (Paulus 2018)."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __call__(self, log_probabilities: Tensor, words: Tensor, sources: Tensor) -> None:
        said = words.shape[2]
        if said < self.n:
            return
        windows = words.unfold(2, self.n, 1)  # [B,K,t-n+1,n]
        last = words[:, :, None, said - self.n + 1 :]  # [B,K,1,n-1]
        source, beam, window = (windows[..., :-1] == last).all(-1).nonzero(as_tuple=True)
        log_probabilities[source, beam, windows[source, beam, window, -1]] = -torch.inf


class Prefix:
    """Each translation begins with given words."""

    def __init__(self, prefixes: Sequence[Sequence[int]], device: torch.device) -> None:
        longest = max(map(len, prefixes))
        padded = [[*prefix, *[-1] * (longest - len(prefix))] for prefix in prefixes]
        self.words = torch.tensor(padded, dtype=torch.long, device=device)  # [B,P]; -1 where all are free

    def __call__(self, log_probabilities: Tensor, words: Tensor, sources: Tensor) -> None:
        said = words.shape[2]
        if said >= self.words.shape[1]:
            return
        forced = self.words[sources, said]  # [B]
        bound = (forced >= 0).nonzero().flatten()
        kept = log_probabilities[bound, :, forced[bound]]
        log_probabilities[bound] = -torch.inf
        log_probabilities[bound, :, forced[bound]] = kept


class Never:
    """Given words, each spelled by one or more tokens, do not come, in translations of these sources (of all if none is named)."""

    def __init__(self, phrases: Sequence[Sequence[int]], only: Sequence[int] = ()) -> None:
        self.words = [phrase[0] for phrase in phrases if len(phrase) == 1]
        self.phrases = [phrase for phrase in phrases if len(phrase) > 1]
        self.only = only

    def __call__(self, log_probabilities: Tensor, words: Tensor, sources: Tensor) -> None:
        meant = torch.ones_like(sources, dtype=torch.bool)  # [B]
        if self.only:
            meant = torch.isin(sources, sources.new_tensor(self.only))
        log_probabilities[meant.nonzero(), :, self.words] = -torch.inf
        for *before, last in self.phrases:
            at = words.shape[2] - len(before)
            if at >= 0:
                begun = (words[:, :, at:] == words.new_tensor(before)).all(-1)  # [B,K]
                log_probabilities[..., last].masked_fill_(begun & meant[:, None], -torch.inf)
