"""Several networks that translate together: the probability of a word is the mean of what each gives it.

An ensemble keeps the contract, so that every search works with it. Its tensors are those of its members, one beside the other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from onmal.decoding.scoring import next_words
from onmal.models.contract import DecoderState, Memory, Probe, Seq2Seq

__all__ = ["Ensemble"]


class Ensemble(Seq2Seq):
    """Networks of one vocabulary as one; it reads and writes no longer than the shortest of them can."""

    def __init__(self, members: Sequence[Seq2Seq]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.vocabulary = members[0].vocabulary
        self.longest_source = min(member.longest_source for member in members)
        self.longest_target = min(member.longest_target for member in members)
        self.widths = [member.output.weight.shape[1] for member in members]  # D of each

    def __iter__(self) -> Iterator[Seq2Seq]:
        for member in self.members:
            assert isinstance(member, Seq2Seq)
            yield member

    def encode(self, source: Tensor, *, probe: Probe | None = None) -> Memory:
        memories = [member.encode(source, probe=probe) for member in self]
        self.memory_widths = [memory.states.shape[-1] for memory in memories]
        return Memory(torch.cat([memory.states for memory in memories], -1), memories[0].mask)

    def hidden(self, source: Tensor, target: Tensor, *, probe: Probe | None = None) -> Tensor:
        states = [member.hidden(source, target, probe=probe) for member in self]
        return torch.cat(states, -1)  # [B,T,sum of D]

    def project(self, states: Tensor) -> Tensor:
        """The logarithm of the mean probability [...,V] of states [...,sum of D]."""
        votes = [
            next_words(member, part) for member, part in zip(self, states.split(self.widths, -1), strict=True)
        ]
        return torch.stack(votes).logsumexp(0) - math.log(len(votes))

    def start(self, memory: Memory, *, beams: int = 1) -> DecoderState:
        parts = memory.states.split(self.memory_widths, -1)
        states = [
            member.start(Memory(part, memory.mask), beams=beams)
            for member, part in zip(self, parts, strict=True)
        ]
        return DecoderState(
            beams=beams,
            position=0,
            source_mask=memory.mask,
            sources=_joined([state.sources for state in states]),
            rows=_joined([state.rows for state in states]),
        )

    def step(
        self, token: Tensor, state: DecoderState, *, probe: Probe | None = None
    ) -> tuple[Tensor, DecoderState]:
        found, rows = [], []
        for number, member in enumerate(self):
            own = DecoderState(
                state.beams,
                state.position,
                state.source_mask,
                _of(number, state.sources),
                _of(number, state.rows),
            )
            states, own = member.step(token, own, probe=probe)
            found.append(states)
            rows.append(own.rows)
        state.rows, state.position = _joined(rows), state.position + 1
        return torch.cat(found, -1), state  # [R,sum of D]


def _joined(each: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    return {f"{number}.{name}": tensor for number, named in enumerate(each) for name, tensor in named.items()}


def _of(number: int, named: dict[str, Tensor]) -> dict[str, Tensor]:
    start = f"{number}."
    return {name.removeprefix(start): tensor for name, tensor in named.items() if name.startswith(start)}
