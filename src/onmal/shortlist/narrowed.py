"""A search among the words of a shortlist: the network has a smaller vocabulary for it, and the search knows nothing of that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from onmal.config import SearchConfig
from onmal.decoding.rules import Rule
from onmal.decoding.search import Hypothesis, beam_search
from onmal.models.contract import DecoderState, Memory, Probe, Seq2Seq
from onmal.models.embedding import OutputProjection
from onmal.products import unchanging
from onmal.shortlist.table import Shortlist

__all__ = ["Narrowed", "narrowed_search"]

PADDING = -1
"""In sources, where all ids of the whole vocabulary are taken; among the N words it is the last one."""


class Narrowed(Seq2Seq):
    """A network that says N words only: theirs are the ids 0 to N-1 of its targets, in the order of `words` [N]; padding is the last."""

    def __init__(self, model: Seq2Seq, words: Tensor) -> None:
        super().__init__()
        whole = model.vocabulary
        self.whole, self.words = model, torch.cat((words[words != whole.pad], words.new_tensor([whole.pad])))
        place = {word: number for number, word in enumerate(self.words.tolist())} | {whole.pad: PADDING}
        self.vocabulary = whole.replace(
            target_size=len(self.words), pad=PADDING, start=place[whole.start], end=place[whole.end]
        )
        self.longest_source, self.longest_target = model.longest_source, model.longest_target
        weight, bias = model.output.weight, model.output.bias
        self.output = OutputProjection(nn.Parameter(weight[self.words], requires_grad=False), bias=False)
        self.output.bias = None if bias is None else nn.Parameter(bias[self.words], requires_grad=False)

    def encode(self, source: Tensor, *, probe: Probe | None = None) -> Memory:
        pad = self.whole.vocabulary.pad
        return self.whole.encode(source.masked_fill(source == PADDING, pad), probe=probe)

    def hidden(self, source: Tensor, target: Tensor, *, probe: Probe | None = None) -> Tensor:
        pad = self.whole.vocabulary.pad
        source = source.masked_fill(source == PADDING, pad)
        return self.whole.hidden(source, self.words[target], probe=probe)

    def start(self, memory: Memory, *, beams: int = 1) -> DecoderState:
        return self.whole.start(memory, beams=beams)

    def step(
        self, token: Tensor, state: DecoderState, *, probe: Probe | None = None
    ) -> tuple[Tensor, DecoderState]:
        return self.whole.step(self.words[token], state, probe=probe)


@torch.inference_mode()
def narrowed_search(
    model: Seq2Seq, source: Tensor, config: SearchConfig, shortlist: Shortlist, rules: Sequence[Rule] = ()
) -> list[list[Hypothesis]]:
    """`beam_search` among the words that the shortlist allows each source [B,S], whatever it is searched with.

    `rules` must not name words.
    """
    allowed = shortlist.allowed(source.cpu(), model.vocabulary)  # [B,V]
    narrowed = Narrowed(model, allowed.any(0).nonzero().flatten().to(source.device))
    own = allowed.to(source.device)[:, narrowed.words]  # [B,N]

    def not_of_others(log_probabilities: Tensor, words: Tensor, sources: Tensor) -> None:
        log_probabilities.masked_fill_(~own[sources][:, None], -torch.inf)
        log_probabilities -= log_probabilities.logsumexp(-1, keepdim=True)  # shared out among its own words

    padded = source.masked_fill(source == model.vocabulary.pad, PADDING)
    alone = [] if len(source) == 1 else [not_of_others]
    with unchanging({}):  # a network of this batch alone: other batches have no use for its weights
        found = beam_search(narrowed, padded, config, [*alone, *rules])
    words = narrowed.words.tolist()
    return [
        [replace(each, tokens=tuple(words[token] for token in each.tokens)) for each in some]
        for some in found
    ]
