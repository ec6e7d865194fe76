"""What every network promises to those who use it, and nothing about how it keeps the promise.

    memory = model.encode(source)                  read the source once
    states = model.hidden(source, target)          training: all target positions at once
    logits = model.project(states)
    state  = model.start(memory, beams=K)          translating: one target position after another
    states, state = model.step(token, state)

Search, ensembles, inspection, evaluation and export know only this file. The letters of the shapes are in
`onmal.models`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

import torch
from torch import Tensor, nn

from onmal.config import Vocabulary

if TYPE_CHECKING:
    from onmal.models.embedding import OutputProjection

__all__ = ["DecoderState", "Memory", "Place", "Probe", "Seq2Seq", "Side"]

Side = Literal["source", "target"]


class Place(NamedTuple):
    """Where an attention sits: which part of the network, and which of its layers (0 is the first)."""

    part: Literal["encoder.self", "decoder.self", "decoder.cross"]
    layer: int


class Probe:
    """Looks at, and may change, what happens inside a network; this base class changes nothing.

    Handing a Probe to `encode`, `hidden` or `step` switches attention to its explicit form. A step's tensors have one
    query per row: [R,H,1,T] in the decoder's own attention and, because rows share their source's memory, [B,H,K,S] in
    cross-attention.
    """

    def attention(
        self, place: Place, scores: Tensor, mask: Tensor | None, weights: Tensor, values: Tensor
    ) -> Tensor:
        """Called at every attention with scores and weights [B,H,T,S], mask (True = visible) and values [B,H,S,E].

        Returns the weights to go on with.
        """
        return weights

    def positions(self, side: Side, ids: Tensor) -> Tensor | None:
        """Asked once per embedding for the positions [T] to use; None switches positions off."""
        return ids


@dataclass(frozen=True)
class Memory:
    """The hand-over: what the encoder made of the source."""

    states: Tensor
    """Encoder states [B,S,D]."""
    mask: Tensor
    """True where there is a word [B,S]; False at padding."""


@dataclass
class DecoderState:
    """Everything a decoder remembers between two steps, as flat, named tensors.

    Row r belongs to source r // K. `step` consumes the state that it is given; `copy` is the only way to branch.
    """

    beams: int
    """K, hypotheses per source."""
    position: int
    """Target positions consumed so far."""
    source_mask: Tensor
    """[B,S]"""
    sources: dict[str, Tensor]
    """Per source [B,...]: cross keys and values; shared by a source's hypotheses, never reordered."""
    rows: dict[str, Tensor]
    """Per hypothesis [R,...]: caches that move with it."""

    def reorder(self, rows: Tensor) -> DecoderState:
        """Move hypotheses within their source: new hypothesis k of source b continues old hypothesis rows[b,k], [B,K].

        What stays where it is is not copied. Rows [B,K'] make K' hypotheses of each source's K.
        """
        if rows.shape[1] != self.beams:
            old = (
                torch.arange(len(rows), device=rows.device)[:, None] * self.beams + rows
            ).flatten()  # [B*K']
            self.rows = {name: tensor.index_select(0, old) for name, tensor in self.rows.items()}
            self.beams = rows.shape[1]
            return self
        source, k = (rows != torch.arange(self.beams, device=rows.device)).nonzero(as_tuple=True)
        if len(source):
            new, old = source * self.beams + k, source * self.beams + rows[source, k]
            for tensor in self.rows.values():
                tensor.index_copy_(0, new, tensor.index_select(0, old))
        return self

    def keep(self, sources: Tensor) -> DecoderState:
        """Keep only these sources [B'] and their hypotheses, in this order: the only time memory is gathered.

        Caches of hypotheses that stay where they are are not copied.
        """
        beams = torch.arange(self.beams, device=sources.device)
        old = (sources[:, None] * self.beams + beams).flatten()  # [B'*K]
        new = (old != torch.arange(len(old), device=old.device)).nonzero().flatten()
        self.source_mask = self.source_mask.index_select(0, sources)
        self.sources = {name: tensor.index_select(0, sources) for name, tensor in self.sources.items()}
        for name, tensor in self.rows.items():
            tensor.index_copy_(0, new, tensor.index_select(0, old[new]))
            self.rows[name] = tensor[: len(old)]
        return self

    def copy(self) -> DecoderState:
        """A second state that can be stepped on its own; what is per source stays shared."""
        return replace(self, sources=dict(self.sources), rows={n: t.clone() for n, t in self.rows.items()})


class Seq2Seq(nn.Module, ABC):
    """A network that reads a source sentence and writes a target sentence, as ids.

    Sources end in `vocabulary.end`; targets given to `hidden` begin with `vocabulary.start`.
    """

    vocabulary: Vocabulary
    longest_source: int
    """Longest source [tokens] the network can read."""
    longest_target: int
    """Longest target [tokens] the network can write."""
    output: OutputProjection
    """From states to words; its `weight` [V,D] and `bias` are what `project` uses."""

    @abstractmethod
    def encode(self, source: Tensor, *, probe: Probe | None = None) -> Memory:
        """Read source ids [B,S]; padding anywhere in a row is ignored."""

    @abstractmethod
    def hidden(self, source: Tensor, target: Tensor, *, probe: Probe | None = None) -> Tensor:
        """Decoder states [B,T,D] for source ids [B,S] and all target positions [B,T] at once (teacher forcing)."""

    def project(self, states: Tensor) -> Tensor:
        """Logits [...,V] of states [...,D]; a tensor of its own."""
        return self.output(states)

    @abstractmethod
    def start(self, memory: Memory, *, beams: int = 1) -> DecoderState:
        """A state before the first target word, with `beams` hypotheses per source."""

    @abstractmethod
    def step(
        self, token: Tensor, state: DecoderState, *, probe: Probe | None = None
    ) -> tuple[Tensor, DecoderState]:
        """Feed one token per row [R]; returns states [R,D] and the state, which is the one given, moved on."""

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Logits [B,T,V] for source ids [B,S] and target ids [B,T]."""
        return self.project(self.hidden(source, target))
