"""Beam search for a translation that says given phrases, wherever they fit best (Post & Vilar 2018).

Beside the likeliest next words each hypothesis tries the next word of a phrase. The beam is shared out evenly among those that
have said none, one, two ... words of the phrases, so that those which have begun with a phrase are not pushed out. All sources
of a batch are searched together, each with as many hypotheses as its own phrases need.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

import torch
from torch import Tensor

from onmal.config import SearchConfig
from onmal.decoding.rules import Rule
from onmal.decoding.scoring import LengthPenalty, next_words
from onmal.decoding.search import Hypothesis, best_words, closed_up, length_limits, usual_rules
from onmal.models.contract import Seq2Seq

__all__ = ["Phrases", "constrained_search"]

Phrases = tuple[tuple[int, ...], ...]
"""What one translation has to say."""

MOST_BEAMS = 32  # unless the search itself has more: more did no better, however much had to be said


@dataclass(frozen=True)
class _Progress:
    """Which phrases were said, and how much of one that was begun."""

    phrases: Phrases
    said: frozenset[int] = frozenset()
    current: int = -1
    words: int = 0

    @property
    def count(self) -> int:
        """Words of the phrases that were said so far."""
        return self.words + sum(len(self.phrases[n]) for n in self.said)

    @property
    def complete(self) -> bool:
        return len(self.said) == len(self.phrases)

    def wanted(self) -> set[int]:
        """The words that would bring it further."""
        if self.current >= 0:
            return {self.phrases[self.current][self.words]}
        return {phrase[0] for n, phrase in enumerate(self.phrases) if n not in self.said}

    def after(self, word: int) -> _Progress:
        current, words = self.current, self.words
        if current < 0 or word != self.phrases[current][words]:  # a phrase that is broken off was not said
            begun = (n for n, each in enumerate(self.phrases) if n not in self.said and each[0] == word)
            current, words = next(begun, -1), 0
        if current >= 0 and words + 1 == len(self.phrases[current]):
            return _Progress(self.phrases, self.said | {current})
        return _Progress(self.phrases, self.said, current, words + (current >= 0))


@dataclass(frozen=True)
class _Beginning:
    """A hypothesis that goes on."""

    total: float
    row: int
    """Of the hypothesis that it continues, within its source."""
    words: tuple[int, ...]
    progress: _Progress


class _Source:
    """One source of the batch: what its search has found so far."""

    def __init__(self, phrases: Phrases, config: SearchConfig, limit: int) -> None:
        wanted = sum(map(len, phrases))
        self.config, self.penalty = config, LengthPenalty(config.length_penalty)
        self.beams = max(config.beam_size, min(2 * wanted + 2, MOST_BEAMS))
        self.limit = limit + min(wanted, limit)
        self.going = [_Beginning(0.0, 0, (), _Progress(phrases))]  # K' of them, `beams` at most
        self.finished: list[Hypothesis] = []
        self.done = False

    def words(self, count: int, fill: int) -> list[list[int]]:
        """What each hypothesis has said, and rows of `fill` up to `count`."""
        said = [list(each.words) for each in self.going]
        return said + [[fill] * len(said[0])] * (count - len(said))

    def totals(self, count: int) -> list[float]:
        """Log-probability of each hypothesis; -inf for those that are not there."""
        return [*(each.total for each in self.going), *[-math.inf] * (count - len(self.going))]

    def rows(self, count: int) -> list[int]:
        """The row that each hypothesis continues; those that are not there stay in theirs."""
        return [*(each.row for each in self.going), *range(len(self.going), count)]

    def go_on(self, likely: Mapping[tuple[int, int], float], end: int) -> None:
        """Go on by the likeliest of these, (row, next word) -> log-probability so far."""
        found = [
            _Beginning(total, row, (*self.going[row].words, word), self.going[row].progress.after(word))
            for (row, word), total in likely.items()
            if total > -math.inf and (word != end or self.going[row].progress.complete)
        ]
        chosen = _shared_out(found, self.beams)
        if not chosen:  # the rules leave no word
            self.done = True
            return
        self.going = [each for each in chosen if each.words[-1] != end]
        for each in chosen:
            if each.words[-1] == end:
                score = self.penalty(each.total, len(each.words))
                self.finished.append(Hypothesis(each.words[:-1], each.total, score, ended=True))
        most = self.config.beam_size * self.config.patience
        self.done = not self.going or len(self.finished) >= most or len(chosen[0].words) >= self.limit

    def best(self) -> list[Hypothesis]:
        """What was found, best first; if nothing has ended, the one that says most of the phrases."""
        if self.finished:
            return sorted(self.finished, key=lambda h: -h.score)[: self.config.n_best]
        best = max(self.going, key=lambda each: (each.progress.count, each.total))
        score = self.penalty(best.total, max(1, len(best.words)))
        return [Hypothesis(best.words, best.total, score, ended=False)]


@torch.inference_mode()
def constrained_search(
    model: Seq2Seq,
    source: Tensor,
    config: SearchConfig,
    phrases: Sequence[Phrases],
    rules: Sequence[Rule] = (),
) -> list[list[Hypothesis]]:
    """The best translations of each source [B,S] that say all of its phrases; where none does, the one that says most of them."""
    end, device = model.vocabulary.end, source.device
    limits = length_limits(model, source, config).tolist()  # [B]
    sources = [_Source(each, config, limit) for each, limit in zip(phrases, limits, strict=True)]
    beams = max(each.beams for each in sources)  # K
    rules = [*usual_rules(model, source, config), *rules]
    state = model.start(model.encode(source), beams=beams)
    searched = torch.arange(len(sources), device=device)  # [B]
    for length in range(model.longest_target):
        going = [sources[b] for b in searched.tolist()]
        said = [each.words(beams, end) for each in going]
        words = torch.tensor(said, dtype=torch.long, device=device)  # [B,K,t]
        totals = torch.tensor([each.totals(beams) for each in going], device=device)  # [B,K]
        token = (
            words[:, :, -1] if length else torch.full_like(totals, model.vocabulary.start, dtype=torch.long)
        )
        states, state = model.step(token.flatten(), state)  # [R,D]
        log_probabilities = next_words(model, states).view(*totals.shape, -1)  # [B,K,V]
        for rule in rules:
            rule(log_probabilities, words, searched)
        for each, likely in zip(going, _likely(log_probabilities, totals, going), strict=True):
            each.go_on(likely, end)
        state = state.reorder(torch.tensor([each.rows(beams) for each in going], device=device))
        if any(each.done for each in going):
            keep = closed_up(torch.tensor([not each.done for each in going], device=device))  # [B']
            state, searched = state.keep(keep), searched[keep]
        if not len(searched):
            break
    return [each.best() for each in sources]


def _likely(
    log_probabilities: Tensor, totals: Tensor, sources: Sequence[_Source]
) -> list[dict[tuple[int, int], float]]:
    """For each source, (row, next word) -> log-probability so far: the best of all, the best of each row, what phrases want."""
    best = (part.tolist() for part in best_words(log_probabilities, totals, totals.shape[1]))  # each [B,K]
    found = [
        dict(list(zip(zip(rows, words, strict=True), values, strict=True))[: source.beams])
        for source, values, rows, words in zip(sources, *best, strict=True)
    ]
    top = log_probabilities.argmax(2).tolist()  # [B,K]
    tried = [
        (b, row, word)
        for b, source in enumerate(sources)
        for row, each in enumerate(source.going)
        for word in sorted({top[b][row], *each.progress.wanted()})
    ]
    source, row, word = torch.tensor(tried, device=totals.device).T
    for (b, *cell), value in zip(
        tried, (log_probabilities[source, row, word] + totals[source, row]).tolist(), strict=True
    ):
        found[b][cell[0], cell[1]] = value
    return found


def _shared_out(found: Sequence[_Beginning], count: int) -> list[_Beginning]:
    """The best that have said most words of the phrases, the best that have said one less, ...; then each one's second best."""
    banks: dict[int, list[_Beginning]] = {}
    for each in sorted(found, key=lambda beginning: (-beginning.progress.count, -beginning.total)):
        banks.setdefault(each.progress.count, []).append(each)
    in_turn = chain.from_iterable(zip_longest(*banks.values()))
    return [each for each in in_turn if each is not None][:count]
