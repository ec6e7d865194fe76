"""Beam search: keep the K best beginnings of a translation, and lengthen each by its best next words.

Knows a network only by its contract. All sources of a batch are searched together; each leaves the batch when it is done.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from onmal.config import SearchConfig
from onmal.decoding.rules import MinimumLength, NoRepeat, Rule
from onmal.decoding.sampling import Draws
from onmal.decoding.scoring import Coverage, LengthPenalty, next_words
from onmal.errors import ConfigError
from onmal.models.contract import Seq2Seq

__all__ = ["Hypothesis", "beam_search", "length_limits", "usual_rules", "word_by_word"]


BLOCK = 64  # words of the vocabulary that are compared by their best one first
ROWS = 128  # hypotheses that a CPU compares together: the probabilities of all words stay in its cache


@dataclass(frozen=True)
class Hypothesis:
    """One translation, as ids without start and end token."""

    tokens: tuple[int, ...]
    log_probability: float
    """Of the whole sequence, end token included [nats]."""
    score: float
    """Log-probability after the length penalty; higher is better."""
    ended: bool
    """False if the length limit cut it off before the network ended it."""


def length_limits(model: Seq2Seq, source: Tensor, config: SearchConfig) -> Tensor:
    """Most tokens [B], end included, that a translation of each source [B,S] may have."""
    words = (source != model.vocabulary.pad).sum(1).tolist()
    limits = [int(count * config.max_length_ratio) + config.max_length_extra for count in words]
    return torch.tensor(limits, device=source.device).clamp(max=model.longest_target)


@torch.inference_mode()
def beam_search(
    model: Seq2Seq, source: Tensor, config: SearchConfig, rules: Sequence[Rule] = ()
) -> list[list[Hypothesis]]:
    """The `n_best` best translations of each source [B,S], best first, with no word that a rule forbids.

    At each step the 2K best continuations of a source are looked at. Those of the first K that end are finished; the K
    best that go on go on. A source is done with K finished hypotheses, times the patience (greedily with the first),
    or at its length limit; if none has finished by then, the unfinished ones are returned. With `config.sample` each of K hypotheses goes on by a word drawn for it.
    """
    beams, end, device = config.beam_size, model.vocabulary.end, source.device
    finished: list[list[Hypothesis]] = [[] for _ in range(source.shape[0])]
    limits = length_limits(model, source, config)  # [B]
    rules = [*usual_rules(model, source, config), *rules]
    draws = Draws(source, model.vocabulary.pad, int(limits.max()), config) if config.sample else None
    memory = model.encode(source)
    width = beams if draws else 1  # K, after the first word `beams`: until then all hypotheses are the same
    coverage = Coverage(config.coverage_penalty, memory.mask, width) if config.coverage_penalty else None
    penalty = LengthPenalty(config.length_penalty)
    enough = beams * config.patience if beams > 1 else 1
    state = model.start(memory, beams=width)
    alive = torch.arange(source.shape[0], device=device)  # [B] which sources are still searched
    totals = torch.zeros(len(alive), width, device=device)  # [B,K] log-probabilities
    token = torch.full((len(alive) * width,), model.vocabulary.start, device=device)  # [R]
    words = torch.empty(len(alive), width, 0, dtype=torch.long, device=device)  # [B,K,t]

    def finish(b: int, total: float, chosen: Sequence[int], row: int, *, ended: bool) -> None:
        score = penalty(total, len(chosen) + ended) - (coverage.lack(b, row) if coverage else 0.0)
        finished[alive[b]].append(Hypothesis(tuple(chosen), total, score, ended))

    while len(alive):
        states, state = model.step(token, state, probe=coverage)  # [R,D]
        if coverage and not coverage.layers:
            raise ConfigError("this network does not look back at its source", "leave away coverage_penalty")
        length = words.shape[2] + 1
        states, found = states.view(*totals.shape, -1), []  # [B,K,D]
        for some in slices(len(alive), totals.shape[1], device):
            log_probabilities = next_words(model, states[some])  # [b,K,V]
            for rule in rules:
                rule(log_probabilities, words[some], alive[some])
            if draws:
                found.append(drawn(draws, log_probabilities, totals[some], alive[some], length - 1))
            else:
                found.append(continuations(log_probabilities, totals[some], 2 * beams, config.diversity))
        totals, rows, tokens = map(torch.cat, zip(*found, strict=True))  # [B,2K]
        ends = tokens == end  # [B,2K]
        which, rank = (ends[:, :beams] & (totals[:, :beams] > -torch.inf)).nonzero(as_tuple=True)
        row = rows[which, rank]
        done = (which, totals[which, rank], words[which, row], row)
        for b, total, chosen, k in zip(*(values.tolist() for values in done), strict=True):
            finish(b, total, chosen, k, ended=True)

        # The K best that go on: ending ones sort last, the order among the others stays.
        going = ends.to(torch.uint8).argsort(dim=1, stable=True)[:, :beams]  # [B,K]
        going = going.gather(1, in_place(rows.gather(1, going)))
        totals = totals.masked_fill(ends, -torch.inf)  # should there be too few that go on
        totals, rows, tokens = totals.gather(1, going), rows.gather(1, going), tokens.gather(1, going)
        words = torch.cat((words.take_along_dim(rows[:, :, None], 1), tokens[:, :, None]), 2)  # [B,K,t+1]
        state = state.reorder(rows)
        if coverage:
            coverage.reorder(rows)

        counts = torch.tensor([len(finished[source_id]) for source_id in alive.tolist()], device=device)
        stopped = (limits <= length) | (totals == -torch.inf).all(1)
        unfinished = stopped if draws else stopped & (counts == 0)
        for b in unfinished.nonzero().flatten().tolist():
            for k, total in enumerate(totals[b].tolist()):
                if total > -torch.inf:
                    finish(b, total, words[b, k].tolist(), k, ended=False)
        going_on = ~stopped & (counts < enough)  # [B]
        if not going_on.all():
            keep = closed_up(going_on)  # [B']
            state = state.keep(keep)
            alive, limits, totals, words = alive[keep], limits[keep], totals[keep], words[keep]
            tokens = tokens[keep]
            if coverage:
                coverage.keep(keep)
        token = tokens.flatten()

    nothing = Hypothesis((), -torch.inf, -torch.inf, ended=False)  # where the rules leave no word
    return [sorted(found, key=lambda h: -h.score)[: config.n_best] or [nothing] for found in finished]


@torch.inference_mode()
def word_by_word(
    model: Seq2Seq, source: Tensor, config: SearchConfig, rules: Sequence[Rule] = ()
) -> Iterator[int]:
    """The words of one source's [1,S] translation as they are found, greedily or by chance, and the end token if it ends."""
    rules = [*usual_rules(model, source, config), *rules]
    limit = int(length_limits(model, source, config))
    draws = Draws(source, model.vocabulary.pad, limit, config.replace(beam_size=1)) if config.sample else None
    state = model.start(model.encode(source))
    alive = torch.zeros(1, dtype=torch.long, device=source.device)  # [B]
    token = torch.full((1,), model.vocabulary.start, device=source.device)  # [R]
    words = token.new_empty(1, 1, 0)  # [B,K,t]
    for step in range(limit):
        states, state = model.step(token, state)
        log_probabilities = next_words(model, states)[None]  # [B,K,V]
        for rule in rules:
            rule(log_probabilities, words, alive)
        token = draws(log_probabilities, alive, step)[0] if draws else log_probabilities.argmax(-1)[0]
        words = torch.cat((words, token[None, :, None]), 2)
        yield int(token)
        if int(token) == model.vocabulary.end:
            return


def usual_rules(model: Seq2Seq, source: Tensor, config: SearchConfig) -> Iterator[Rule]:
    """What the options of a search forbid."""
    special = model.vocabulary
    if config.min_length_ratio:
        yield MinimumLength(((source != special.pad).sum(1) - 1) * config.min_length_ratio, special.end)
    if config.no_repeat_ngram:
        yield NoRepeat(config.no_repeat_ngram)


def continuations(
    log_probabilities: Tensor, totals: Tensor, count: int, diversity: float = 0.0
) -> tuple[Tensor, Tensor, Tensor]:
    """The `count` best continuations of each source: their log-probabilities, rows within the source, tokens [B,count].

    The next words' log_probabilities [B,K,V] follow hypotheses with log-probabilities totals [B,K]. With diversity, the
    n-th best continuation of a hypothesis is ranked n times as much lower (Li 2016).
    """
    if not diversity:
        return best_words(log_probabilities, totals, count)
    best, tokens = log_probabilities.topk(min(count, log_probabilities.shape[2]))  # [B,K,N]
    best = best + totals[:, :, None]
    per_row = best.shape[2]
    ranks = best - diversity * torch.arange(per_row, device=best.device)
    index = ranks.flatten(1).topk(min(count, best.shape[1] * per_row)).indices  # [B,count]
    return best.flatten(1).gather(1, index), index // per_row, tokens.flatten(1).gather(1, index)


def best_words(log_probabilities: Tensor, totals: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """The same [B,count] without diversity, looking only into the `count` blocks of words that have the highest maxima."""
    size = log_probabilities.shape[2]
    blocked = size - size % BLOCK
    blocks = log_probabilities[:, :, :blocked].unflatten(2, (-1, BLOCK))  # [B,K,N,BLOCK]
    maxima = (blocks.amax(3) + totals[:, :, None]).flatten(1)  # [B,K*N]
    chosen = maxima.topk(min(count, maxima.shape[1])).indices  # [B,n]
    rows, block = chosen // blocks.shape[2], chosen % blocks.shape[2]
    source = torch.arange(len(rows), device=rows.device)[:, None]
    found = blocks[source, rows, block] + totals.gather(1, rows)[:, :, None]  # [B,n,BLOCK]
    last = log_probabilities[:, :, blocked:] + totals[:, :, None]  # [B,K,V-N*BLOCK] words of no block
    best, index = torch.cat((found.flatten(1), last.flatten(1)), 1).topk(min(count, totals.shape[1] * size))
    first = (rows * size + block * BLOCK)[:, :, None] + torch.arange(BLOCK, device=rows.device)  # [B,n,BLOCK]
    beams = torch.arange(totals.shape[1], device=rows.device)
    others = torch.arange(blocked, size, device=rows.device)
    flat = (beams[:, None] * size + others).flatten().expand(len(rows), -1)
    cells = torch.cat((first.flatten(1), flat), 1).gather(1, index)  # [B,count]
    return best, cells // size, cells % size


def slices(sources: int, beams: int, device: torch.device) -> Iterator[slice]:
    """The sources of a batch, so many at a time that the probabilities of the words after K beams each stay at hand."""
    at_once = max(1, ROWS // beams) if device.type == "cpu" else sources
    return (slice(first, first + at_once) for first in range(0, sources, at_once))


def in_place(rows: Tensor) -> Tensor:
    """An order [B,K] of the hypotheses that continue rows [B,K] in which each row's first one has that row's number.

    So only what continues a row in a second way has to be moved, to the place of one that does not go on.
    """
    same = rows[:, :, None] == rows[:, None, :]  # [B,K,K]
    again = same.tril(-1).any(-1)  # [B,K] not the first of its row
    free = torch.ones_like(again).scatter(1, rows, False)
    places = free.to(torch.uint8).argsort(dim=1, descending=True, stable=True)  # [B,K] the free ones first
    nth = again.cumsum(1).sub(1).clamp(min=0)
    return torch.where(again, places.gather(1, nth), rows).argsort(dim=1)


def closed_up(going_on: Tensor) -> Tensor:
    """The sources that go on [B'], True in [B]: each in its place, and the last ones in the places of those that are done."""
    count = int(going_on.sum())
    order = torch.arange(count, device=going_on.device)
    order[~going_on[:count]] = going_on[count:].nonzero().flatten() + count
    return order


def drawn(
    draws: Draws, log_probabilities: Tensor, totals: Tensor, sources: Tensor, step: int
) -> tuple[Tensor, Tensor, Tensor]:
    """The same [B,2K] for hypotheses that each go on by the word [B,K] drawn for it; the second K do not live."""
    tokens = draws(log_probabilities, sources, step)  # [B,K]
    totals = totals + log_probabilities.gather(2, tokens[:, :, None]).squeeze(2)
    rows = torch.arange(totals.shape[1], device=totals.device).expand_as(totals)
    return torch.cat((totals, totals - torch.inf), 1), rows.repeat(1, 2), tokens.repeat(1, 2)
