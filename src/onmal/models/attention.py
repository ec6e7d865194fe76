"""Attention: how important is each word to each other word?

A word's query is compared with the keys of the words it may look at; softmax turns the scores into weights that sum to
one; the weights mix the values (Vaswani 2017, 3.2). The explicit form is the one to read; the fused form computes the
same in one kernel and is what runs unless a Probe wants to look.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from onmal.models.contract import DecoderState, Place, Probe
from onmal.products import Linear

__all__ = ["KeyValueCache", "MultiHeadAttention", "explicit_attention", "fused_attention", "mix"]


def causal_mask(length: int, device: torch.device | None = None) -> Tensor:
    """[T,T], True where row t may look: at itself and at earlier positions."""
    return torch.ones(length, length, dtype=torch.bool, device=device).tril()


def explicit_attention(
    query: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None, *, probe: Probe | None, place: Place
) -> Tensor:
    """Scaled dot-product attention step by step; query [B,H,T,E], keys and values [B,H,S,E] -> [B,H,T,E]."""
    scores = query @ keys.transpose(-2, -1) / math.sqrt(query.shape[-1])  # [B,H,T,S]
    return mix(scores, values, mask, probe=probe, place=place)


def mix(scores: Tensor, values: Tensor, mask: Tensor | None, *, probe: Probe | None, place: Place) -> Tensor:
    """The values [B,H,S,E] weighted by the softmax of scores [B,H,T,S] -> [B,H,T,E].

    Masked cells (False, broadcast to [B,H,T,S]) get weight exactly 0; a row with nothing to see gets all zeros.
    """
    if mask is None:
        weights = scores.softmax(-1)
    else:
        weights = scores.masked_fill(~mask, torch.finfo(scores.dtype).min).softmax(-1)
        weights = weights.masked_fill(~mask, 0.0)
    if probe is not None:
        weights = probe.attention(place, scores, mask, weights, values)
    return weights @ values  # [B,H,T,E]


def fused_attention(
    query: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None, *, causal: bool, dropout: float
) -> Tensor:
    """The same in one kernel, without ever writing the [T,S] weights to memory."""
    if query.device.type == "cpu" and query.dtype != torch.float32:
        # On a CPU the kernel for half the precision takes ten times as long at the lengths of sentences.
        with torch.autocast("cpu", enabled=False):
            heads = (query.float(), keys.float(), values.float())
            mixed = F.scaled_dot_product_attention(*heads, mask, dropout_p=dropout, is_causal=causal)
        return mixed.to(query.dtype)
    return F.scaled_dot_product_attention(query, keys, values, mask, dropout_p=dropout, is_causal=causal)


def rotate(heads: Tensor, rotation: Tensor) -> Tensor:
    """Turn each pair of components of [B,H,T,E], read as one complex number, by its position's rotation [T,E/2]."""
    # There are no complex numbers of 16 bits.
    precise = heads.to(torch.promote_types(heads.dtype, torch.float32))
    pairs = torch.view_as_complex(precise.unflatten(-1, (-1, 2)))  # [B,H,T,E/2]
    return torch.view_as_real(pairs * rotation).flatten(-2).to(heads.dtype)  # [B,H,T,E]


class MultiHeadAttention(nn.Module):
    """H attentions side by side, each in its own E = D/H components of the word vectors."""

    def __init__(self, d_model: int, num_heads: int, dropout: float) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.dropout = dropout
        self.query = Linear(d_model, d_model)
        self.key = Linear(d_model, d_model)
        self.value = Linear(d_model, d_model)
        self.output = Linear(d_model, d_model)

    def forward(
        self,
        x: Tensor,
        place: Place,
        *,
        mask: Tensor | None = None,
        causal: bool = False,
        rotation: Tensor | None = None,
        probe: Probe | None = None,
    ) -> Tensor:
        """Self-attention of x [B,T,D] -> [B,T,D]; `causal` hides later words."""
        query, keys, values = map(self.split, (self.query(x), self.key(x), self.value(x)))  # [B,H,T,E]
        if rotation is not None:
            query, keys = rotate(query, rotation), rotate(keys, rotation)
        return self.attend(query, keys, values, place, mask=mask, causal=causal, probe=probe)

    def across(
        self,
        x: Tensor,
        keys: Tensor,
        values: Tensor,
        place: Place,
        *,
        mask: Tensor,
        probe: Probe | None = None,
    ) -> Tensor:
        """Cross-attention of x [B,T,D] over the memory's keys and values [B,H,S,E] -> [B,T,D]."""
        return self.attend(self.split(self.query(x)), keys, values, place, mask=mask, probe=probe)

    def keys_and_values(self, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Project memory [B,S,D] to keys and values [B,H,S,E], once for all steps."""
        return self.split(self.key(memory)), self.split(self.value(memory))

    def step(
        self, x: Tensor, cache: KeyValueCache, place: Place, *, rotation: Tensor | None, probe: Probe | None
    ) -> Tensor:
        """Self-attention of one new word per row x [R,1,D] over itself and the cached earlier words -> [R,1,D]."""
        query, key, value = map(self.split, (self.query(x), self.key(x), self.value(x)))  # [R,H,1,E]
        if rotation is not None:
            query, key = rotate(query, rotation), rotate(key, rotation)
        keys, values = cache.append(key, value)  # [R,H,t+1,E]
        return self.attend(query, keys, values, place, probe=probe)

    def attend(
        self,
        query: Tensor,
        keys: Tensor,
        values: Tensor,
        place: Place,
        *,
        mask: Tensor | None = None,
        causal: bool = False,
        probe: Probe | None = None,
    ) -> Tensor:
        """Attend with every head, then join the heads: query [B,H,T,E], keys and values [B,H,S,E] -> [B,T,D]."""
        if probe is None:
            dropout = self.dropout if self.training else 0.0
            mixed = fused_attention(query, keys, values, mask, causal=causal, dropout=dropout)
        else:
            if causal:
                mask = causal_mask(query.shape[-2], query.device)
            mixed = explicit_attention(query, keys, values, mask, probe=probe, place=place)
        return self.output(mixed.transpose(1, 2).flatten(2))  # [B,H,T,E] -> [B,T,D]

    def split(self, x: Tensor) -> Tensor:
        """Cut the components evenly into heads: [B,T,D] -> [B,H,T,E]."""
        return x.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)


class KeyValueCache:
    """The keys and values of one layer's earlier words, kept in the decoder's state under the layer's name.

    The buffers [R,H,C,E] hold C >= t words and double when full, so that a step writes one word and copies none.
    """

    def __init__(self, state: DecoderState, name: str) -> None:
        self.rows = state.rows
        self.position = state.position
        self.names = (f"{name}.keys", f"{name}.values")

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Add the new word's key and value [R,H,1,E]; returns those of all words so far [R,H,t+1,E]."""
        return self._append(self.names[0], key), self._append(self.names[1], value)

    def _append(self, name: str, new: Tensor) -> Tensor:
        if torch.onnx.is_in_onnx_export():  # a graph has no memory of its own
            self.rows[name] = torch.cat((self.rows[name], new), 2)
            return self.rows[name]
        t = self.position
        buffer = self.rows.get(name)
        if buffer is None:
            buffer = new.new_empty(*new.shape[:2], 16, new.shape[3])  # [R,H,C,E]
        elif t == buffer.shape[2]:
            buffer = torch.cat((buffer, torch.empty_like(buffer)), 2)
        buffer[:, :, t] = new[:, :, 0]
        self.rows[name] = buffer
        return buffer[:, :, : t + 1]
