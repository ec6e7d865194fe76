"""The networks before the Transformer: a GRU reads the source word by word, another writes the target word by word.

    source words -> ENCODER: a GRU from the left, another from the right -> a state for each word
    target word  -> DECODER: a GRU that remembers what it has written, and is given of the source
                      without attention   the last states alone, the same at every word (Cho 2014, Sutskever 2014)
                      with attention      a mean of all states, weighted anew for every word (Bahdanau 2015, Luong 2015)

Here nothing runs over all positions at once: each word's state needs the one before. Attention looks after the decoder's step,
as Luong's does, and compares as Bahdanau's (additive) or by a product.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from onmal.config import ModelConfig, Vocabulary
from onmal.models.attention import mix
from onmal.models.contract import DecoderState, Memory, Place, Probe, Seq2Seq
from onmal.models.embedding import Embedding, OutputProjection, Positions, draw, tables
from onmal.models.sublayer import Dropout
from onmal.products import Linear

__all__ = ["GRU"]

PLACE = Place("decoder.cross", 0)


class GRU(Seq2Seq):
    """Two recurrent networks: the order of words is that in which they are read, so there are no positions."""

    def __init__(self, config: ModelConfig, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        self.longest_source, self.longest_target = config.max_source_length, config.max_target_length
        source_words, target_words, output_weight = tables(config, vocabulary)
        self.source = Embedding("source", source_words, Positions(), self.longest_source, config.dropout)
        self.encoder = RecurrentEncoder(config)
        self.target = Embedding("target", target_words, Positions(), self.longest_target, config.dropout)
        self.decoder = RecurrentDecoder(config)
        self.output = OutputProjection(output_weight, bias=config.output_bias)
        draw(self, source_words.weight, target_words.weight, output_weight)

    def encode(self, source: Tensor, *, probe: Probe | None = None) -> Memory:
        mask = source != self.vocabulary.pad  # [B,S]
        return Memory(self.encoder(self.source(source, probe=probe)[0], mask), mask)

    def hidden(self, source: Tensor, target: Tensor, *, probe: Probe | None = None) -> Tensor:
        memory = self.encode(source, probe=probe)
        return self.decoder(self.target(target, probe=probe)[0], self.start(memory), probe)

    def start(self, memory: Memory, *, beams: int = 1) -> DecoderState:
        sources, rows = self.decoder.start(memory, beams)
        return DecoderState(beams, position=0, source_mask=memory.mask, sources=sources, rows=rows)

    def step(
        self, token: Tensor, state: DecoderState, *, probe: Probe | None = None
    ) -> tuple[Tensor, DecoderState]:
        word, _ = self.target(token[:, None], first=state.position, probe=probe)  # [R,1,D]
        states = self.decoder.read(word, state, probe)
        state.position += 1
        return states[:, 0], state


class RecurrentEncoder(nn.Module):
    """Reads the source from the left and, if bidirectional, from the right: C = G or 2G components a word."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.recurrence = recurrence(
            config.d_model, config, config.encoder_layers, bidirectional=config.bidirectional
        )

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """[B,S,D] -> [B,S,C]; where the mask [B,S] is False there is no word to read, and the state is zero."""
        order = (~mask).to(torch.uint8).argsort(dim=1, stable=True)  # [B,S] the words first, as they come
        words = x.take_along_dim(order[:, :, None], 1)
        lengths = mask.sum(1).clamp(min=1).cpu()  # a row without words reads its padding
        packed = pack_padded_sequence(words, lengths, batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(
            exactly(self.recurrence, packed)[0], batch_first=True, total_length=x.shape[1]
        )
        return states.take_along_dim(order.argsort(1)[:, :, None], 1) * mask[:, :, None]


class RecurrentDecoder(nn.Module):
    """Writes the target: what it remembers begins as the source's summary, and moves on with every word."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.layers, self.directions = config.decoder_layers, 1 + config.bidirectional
        self.feeding = config.network == "gru-attention" and config.input_feeding
        context = config.width * self.directions  # C
        self.begin = Linear(context, self.layers * config.width)
        self.look: Look | None = None
        beside = context  # what is read beside each word: the summary, nothing, or what was made of the word before
        if config.network == "gru-attention":
            self.look = Look(config.width, context, additive=config.attention == "additive")
            beside = config.d_model if self.feeding else 0
        self.recurrence = recurrence(config.d_model + beside, config, self.layers)
        self.readout = Linear(config.width + context, config.d_model)
        self.dropout = Dropout(config.dropout)

    def start(self, memory: Memory, beams: int) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """What is kept of each source, and what each hypothesis begins with."""
        summary = self.summary(memory)  # [B,C]
        begin = torch.tanh(self.begin(summary)).unflatten(1, (self.layers, -1))  # [B,layers,G]
        rows = {"remembered": begin.repeat_interleave(beams, 0)}  # [R,layers,G]
        if self.feeding:
            rows["made"] = begin.new_zeros(len(begin) * beams, 1, self.readout.out_features)  # [R,1,D]
        if self.look is None:
            return {"summary": summary}, rows
        return {"keys": self.look.key(memory.states), "values": memory.states}, rows  # [B,S,E], [B,S,C]

    def summary(self, memory: Memory) -> Tensor:
        """The state at the last word from the left, and at the first one from the right: [B,C]."""
        mask = memory.mask.to(torch.uint8)
        ends = [mask.shape[1] - 1 - mask.flip(1).argmax(1), mask.argmax(1)]  # [B] each
        directions = memory.states.unflatten(2, (self.directions, -1)).unbind(2)  # [B,S,G] each
        rows = torch.arange(len(mask), device=mask.device)
        return torch.cat([states[rows, end] for states, end in zip(directions, ends, strict=False)], 1)

    def forward(self, words: Tensor, state: DecoderState, probe: Probe | None) -> Tensor:
        """States [B,T,D] of all words [B,T,D], which are known beforehand; the state is used up."""
        if not self.feeding:
            return self.read(words, state, probe)
        if probe is None:
            return self.in_turn(words, state, None)
        # The Probe is asked once, about all words together. If it changes weights, the words are read again with those.
        seen = Weights()
        states = self.in_turn(words, state.copy(), seen)
        scores, mask, weights, values = seen.together()
        changed = probe.attention(PLACE, scores, mask, weights, values)
        return states if changed is weights else self.in_turn(words, state, Weights(changed))

    def in_turn(self, words: Tensor, state: DecoderState, probe: Probe | None) -> Tensor:
        """One word after the other, because each is read together with what was made of the one before."""
        return torch.cat([self.read(word, state, probe) for word in words.split(1, 1)], 1)

    def read(self, words: Tensor, state: DecoderState, probe: Probe | None) -> Tensor:
        """States [R,T,D] of the next words [R,T,D]; the state remembers them."""
        sources, rows, mask = state.sources, state.rows, state.source_mask
        if self.look is None:
            summary = sources["summary"].repeat_interleave(state.beams, 0)  # [R,C]
            context = summary[:, None].expand(-1, words.shape[1], -1)  # [R,T,C]
            words = torch.cat((words, context), 2)
        elif self.feeding:
            words = torch.cat((words, rows["made"]), 2)
        remembered = rows["remembered"].transpose(0, 1).contiguous()  # [layers,R,G]
        told, remembered = exactly(self.recurrence, words, remembered)  # [R,T,G]
        rows["remembered"] = remembered.transpose(0, 1).contiguous()
        if self.look is not None:
            # [B,T,G], or [B,K,G]: hypotheses share their source.
            queries = told.reshape(len(mask), -1, told.shape[2])
            context = self.look(queries, sources["keys"], sources["values"], mask, probe)
            context = context.reshape(*told.shape[:2], -1)  # [R,T,C]
        made = torch.tanh(self.readout(torch.cat((told, context), 2)))  # Luong 2015, equation 5
        if self.feeding:
            rows["made"] = made.clone()  # what is returned is the caller's, and must not move with the rows
        return self.dropout(made)


class Look(nn.Module):
    """Attention over the source: how well does each of its states fit what the decoder is about to say?"""

    def __init__(self, width: int, context: int, *, additive: bool) -> None:
        super().__init__()
        size = width if additive else context  # E of a product is that of the values, as everywhere
        self.query = Linear(width, size)
        self.key = Linear(context, size, bias=False)
        self.score = Linear(size, 1, bias=False) if additive else None

    def forward(self, x: Tensor, keys: Tensor, values: Tensor, mask: Tensor, probe: Probe | None) -> Tensor:
        """x [B,T,G] over keys [B,S,E] and values [B,S,C] -> [B,T,C]; mask [B,S]."""
        query = self.query(x)
        if self.score is None:
            scores = query @ keys.transpose(1, 2) / math.sqrt(query.shape[2])  # [B,T,S]
        else:
            scores = self.score(torch.tanh(query[:, :, None] + keys[:, None])).squeeze(3)
        # One head: scores [B,1,T,S], values [B,1,S,C], mask [B,1,1,S].
        mixed = mix(scores[:, None], values[:, None], mask[:, None, None], probe=probe, place=PLACE)
        return mixed.squeeze(1)


class Weights(Probe):
    """Writes down the attention of words that are read in turn, or has them read with the weights given."""

    def __init__(self, given: Tensor | None = None) -> None:
        self.given = None if given is None else iter(given.split(1, 2))
        self.seen: list[tuple[Tensor, Tensor | None, Tensor, Tensor]] = []

    def attention(
        self, place: Place, scores: Tensor, mask: Tensor | None, weights: Tensor, values: Tensor
    ) -> Tensor:
        self.seen.append((scores, mask, weights, values))
        return weights if self.given is None else next(self.given)

    def together(self) -> tuple[Tensor, Tensor | None, Tensor, Tensor]:
        """Scores [B,1,T,S], mask, weights [B,1,T,S] and values of all words."""
        scores, masks, weights, values = zip(*self.seen, strict=True)
        return torch.cat(scores, 2), masks[0], torch.cat(weights, 2), values[0]


def recurrence(size: int, config: ModelConfig, layers: int, *, bidirectional: bool = False) -> nn.GRU:
    """Layers of GRU: what comes in is drawn as projections are, what is remembered orthogonally (Saxe 2014)."""
    gru = nn.GRU(
        size, config.width, layers, batch_first=True, dropout=config.dropout if layers > 1 else 0.0,
        bidirectional=bidirectional,
    )  # fmt: skip
    with torch.no_grad():
        for name, weights in gru.named_parameters():
            for gate in weights.chunk(3):
                if "bias" in name:
                    nn.init.zeros_(gate)
                else:
                    (nn.init.orthogonal_ if "weight_hh" in name else nn.init.xavier_uniform_)(gate)
    return gru


def exactly(gru: nn.GRU, words: Any, remembered: Tensor | None = None) -> Any:
    """What a GRU makes of words, in its own precision: over many words, half of it would lose what is remembered."""
    own = next(gru.parameters())
    with torch.autocast(own.device.type, enabled=False):
        return gru(words.to(own.dtype), None if remembered is None else remembered.to(own.dtype))
