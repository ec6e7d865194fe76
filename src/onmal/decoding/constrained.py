"""Beam search for a translation that says given phrases, wherever they fit best (Post & Vilar 2018).

Beside the likeliest next words each hypothesis tries the next word of a phrase. The beam is shared out evenly among those that
have said none, one, two ... words of the phrases, so that those which have begun with a phrase are not pushed out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

import torch
from torch import Tensor

from onmal.config import SearchConfig
from onmal.decoding.rules import Rule
from onmal.decoding.scoring import LengthPenalty
from onmal.decoding.search import Hypothesis, length_limits, usual_rules
from onmal.models.contract import Seq2Seq

__all__ = ["constrained_search"]

Phrases = tuple[tuple[int, ...], ...]


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
    words: tuple[int, ...]
    progress: _Progress


@torch.inference_mode()
def constrained_search(
    model: Seq2Seq, source: Tensor, config: SearchConfig, phrases: Phrases, rules: Sequence[Rule] = ()
) -> list[Hypothesis]:
    """The best translations of one source [1,S] that say all phrases; where none does, the one that says most of them."""
    beams = max(config.beam_size, 2 * sum(map(len, phrases)) + 2)
    penalty, end = LengthPenalty(config.length_penalty), model.vocabulary.end
    rules = [*usual_rules(model, source, config), *rules]
    limit = int(length_limits(model, source, config)) + sum(map(len, phrases))
    state = model.start(model.encode(source), beams=beams)
    finished: list[Hypothesis] = []
    going = [_Beginning(0.0, 0, (), _Progress(phrases))]
    for length in range(1, min(limit, model.longest_target) + 1):
        last = [each.words[-1] if each.words else model.vocabulary.start for each in going]
        token = torch.tensor([*last, *[end] * (beams - len(going))], device=source.device)  # [K]
        states, state = model.step(token, state)  # [K,D]
        log_probabilities = model.project(states).float().log_softmax(-1)[: len(going)]  # [K',V]
        words = torch.tensor([each.words for each in going], dtype=torch.long, device=source.device)
        for rule in rules:
            rule(log_probabilities[None], words[None], torch.zeros(1, dtype=torch.long, device=source.device))
        found = [
            _Beginning(total, row, (*going[row].words, word), going[row].progress.after(word))
            for total, row, word in _likely(log_probabilities, going, beams)
            if word != end or going[row].progress.complete
        ]
        chosen = _shared_out(found, beams)
        if not chosen:  # the rules leave no word
            break
        going = [each for each in chosen if each.words[-1] != end]
        for each in chosen:
            if each.words[-1] == end:
                done = Hypothesis(each.words[:-1], each.total, penalty(each.total, length), ended=True)
                finished.append(done)
        if len(finished) >= config.beam_size or not going:
            break
        rows = [each.row for each in going] + [0] * (beams - len(going))
        state = state.reorder(torch.tensor([rows], device=source.device))
    if not finished:
        best = max(going, key=lambda each: (each.progress.count, each.total))
        score = penalty(best.total, max(1, len(best.words)))
        return [Hypothesis(best.words, best.total, score, ended=False)]
    return sorted(finished, key=lambda h: -h.score)[: config.n_best]


def _likely(
    log_probabilities: Tensor, going: Sequence[_Beginning], count: int
) -> list[tuple[float, int, int]]:
    """(Log-probability so far, row, next word): the best of all, the best of each row, and what its phrases want."""
    before = torch.tensor([each.total for each in going], device=log_probabilities.device)
    totals = log_probabilities + before[:, None]  # [K,V]
    size = totals.shape[1]
    tried = set(totals.flatten().topk(min(count, totals.numel())).indices.tolist())
    tried |= {row * size + word for row, word in enumerate(totals.argmax(1).tolist())}
    tried |= {row * size + word for row, each in enumerate(going) for word in each.progress.wanted()}
    values = totals.flatten()[sorted(tried)].tolist()
    found = [(value, at // size, at % size) for value, at in zip(values, sorted(tried), strict=True)]
    return sorted((each for each in found if each[0] > -torch.inf), reverse=True)


def _shared_out(found: Sequence[_Beginning], count: int) -> list[_Beginning]:
    """The best that have said most words of the phrases, the best that have said one less, ...; then each one's second best."""
    banks: dict[int, list[_Beginning]] = {}
    for each in sorted(found, key=lambda beginning: (-beginning.progress.count, -beginning.total)):
        banks.setdefault(each.progress.count, []).append(each)
    in_turn = chain.from_iterable(zip_longest(*banks.values()))
    return [each for each in in_turn if each is not None][:count]
