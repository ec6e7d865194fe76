"""Beam search: keep the K best beginnings of a translation, and lengthen each by its best next words.

Knows a network only by its contract. All sources of a batch are searched together; each leaves the batch when it is done.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from onmal.config import SearchConfig
from onmal.decoding.scoring import LengthPenalty
from onmal.models.contract import Seq2Seq

__all__ = ["Hypothesis", "beam_search", "length_limits"]


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
def beam_search(model: Seq2Seq, source: Tensor, config: SearchConfig) -> list[list[Hypothesis]]:
    """The `n_best` best translations of each source [B,S], best first.

    At each step the 2K best continuations of a source are looked at. Those of the first K that end are finished; the K
    best that go on go on. A source is done with K finished hypotheses or at its length limit; if none has finished by
    then, the unfinished ones are returned.
    """
    beams, end, device = config.beam_size, model.vocabulary.end, source.device
    penalty = LengthPenalty(config.length_penalty)
    finished: list[list[Hypothesis]] = [[] for _ in range(source.shape[0])]
    limits = length_limits(model, source, config)  # [B]
    state = model.start(model.encode(source), beams=beams)
    alive = torch.arange(source.shape[0], device=device)  # [B] which sources are still searched
    totals = torch.full((len(alive), beams), -torch.inf, device=device)  # [B,K] log-probabilities
    totals[:, 0] = 0.0  # all rows begin the same: only one counts
    token = torch.full((len(alive) * beams,), model.vocabulary.start, device=device)  # [R]
    words = torch.empty(len(alive), beams, 0, dtype=torch.long, device=device)  # [B,K,t]

    while len(alive):
        states, state = model.step(token, state)  # [R,D]
        length = words.shape[2] + 1
        totals, rows, tokens = continuations(model, states, totals, 2 * beams)  # [B,2K] each
        ends = tokens == end
        for b, k in ends[:, :beams].nonzero().tolist():
            total = totals[b, k].item()
            if total == -torch.inf:
                continue
            chosen = tuple(words[b, rows[b, k]].tolist())
            finished[alive[b]].append(Hypothesis(chosen, total, penalty(total, length), ended=True))

        # The K best that go on: ending ones sort last, the order among the others stays.
        going = ends.to(torch.uint8).argsort(dim=1, stable=True)[:, :beams]  # [B,K]
        totals, rows, tokens = totals.gather(1, going), rows.gather(1, going), tokens.gather(1, going)
        words = torch.cat((words.take_along_dim(rows[:, :, None], 1), tokens[:, :, None]), 2)  # [B,K,t+1]

        counts = torch.tensor([len(finished[source_id]) for source_id in alive.tolist()], device=device)
        stopped = limits <= length
        for b in (stopped & (counts == 0)).nonzero().flatten().tolist():
            for chosen, total in zip(words[b].tolist(), totals[b].tolist(), strict=True):
                if total > -torch.inf:
                    cut = Hypothesis(tuple(chosen), total, penalty(total, length), ended=False)
                    finished[alive[b]].append(cut)
        keep = (~stopped & (counts < beams)).nonzero().flatten()  # [B']
        state = state.reorder(rows)
        if len(keep) < len(alive):
            state = state.keep(keep)
            alive, limits, totals, words = alive[keep], limits[keep], totals[keep], words[keep]
            tokens = tokens[keep]
        token = tokens.flatten()

    return [sorted(found, key=lambda h: -h.score)[: config.n_best] for found in finished]


def continuations(
    model: Seq2Seq, states: Tensor, totals: Tensor, count: int
) -> tuple[Tensor, Tensor, Tensor]:
    """The `count` best continuations of each source: their log-probabilities, rows within the source, tokens [B,count].

    states [R,D] are those of hypotheses with log-probabilities totals [B,K]. Pad and start are never produced.
    """
    logits = model.project(states).float()  # [R,V]
    normaliser = logits.logsumexp(-1, keepdim=True)  # [R,1]
    banned = sorted({model.vocabulary.pad, model.vocabulary.start} - {model.vocabulary.end})
    logits = logits.index_fill(1, torch.tensor(banned, device=logits.device), -torch.inf)
    best, tokens = logits.topk(min(count, logits.shape[1]))  # [R,N]
    best = (best - normaliser).view(*totals.shape, -1) + totals[:, :, None]  # [B,K,N]
    per_row = best.shape[2]
    best, index = best.flatten(1).topk(min(count, best.shape[1] * per_row))  # [B,count]
    tokens = tokens.view(totals.shape[0], -1).gather(1, index)
    return best, index // per_row, tokens
