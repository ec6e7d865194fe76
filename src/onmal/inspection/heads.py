"""The heads of a network while it translates one sentence: what each does in a few numbers, and their tables."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onmal.inspection.packing import pack_weights
from onmal.inspection.switches import PARTS, Kind
from onmal.inspection.words import Unit, joined
from onmal.models.contract import Place

__all__ = ["AT_ONCE", "BY_LAYER", "agreement", "default_head", "facts", "tables"]

AT_ONCE, BY_LAYER = 24, 64
"""Tokens of the longer side up to which all tables come at once, and up to which those of a layer do."""
MOST_BYTES = 42_000
"""Of tables that come at once, compressed: with all else that is less than 60 kB."""

Weights = Mapping[Place, NDArray[np.float32]]


def facts(
    weights: Weights,
    effect: NDArray[np.float32] | None,
    deltas: Mapping[tuple[Place, int], float] | None,
    rows: Sequence[Unit],
    columns: Sequence[Unit],
) -> dict[Kind, list[dict[str, Any]]]:
    """What each head [T,S] does, by kind of attention; `rows` and `columns` are the words of target and source."""
    found: dict[Kind, list[dict[str, Any]]] = {}
    for kind, place, layer in _by_kind(weights):
        for head, table in enumerate(layer):
            logs = np.log(table, where=table > 0, out=np.zeros_like(table))
            about: dict[str, Any] = {
                "l": place.layer,
                "h": head,
                "entropy": round(float(-(table * logs).sum(1).mean()), 4),
                "max_mean": round(float(table.max(1).mean()), 4),
                "eos_mass": round(float(table[:, 0 if kind == "dec" else -1].mean()), 4),
            }
            if kind == "cross":
                about["agreement"] = None if effect is None else agreement(table, effect, rows, columns)
            about["delta"] = None if deltas is None else round(deltas[place, head], 4)
            found.setdefault(kind, []).append(about)
    return found


def agreement(
    weights: NDArray[np.float32],
    effect: NDArray[np.float32],
    rows: Sequence[Unit],
    columns: Sequence[Unit],
) -> float | None:
    """How much of its looking a head [T,S] gives to the source word that matters most for the word being made.

    From 0 to 1, the mean over target words weighted by how much it matters; None where no source word matters.
    """
    looked = joined(weights, rows, columns)
    words = [n for n, unit in enumerate(rows) if not unit.special]
    matters = effect[words].max(1, initial=0.0)
    if not matters.sum() > 0:
        return None
    at = looked[words, effect[words].argmax(1)]
    return round(float((at * matters).sum() / matters.sum()), 4)


def default_head(heads: Mapping[Kind, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """What to show first: the head that agrees best with the effect, else the mean of the last layer of cross-attention.

    A network without cross-attention shows the first attention that it has.
    """
    best = max(heads.get("cross", ()), key=lambda each: each["agreement"] or 0.0, default=None)
    if best is not None and best["agreement"]:
        return {"kind": "cross", "layer": best["l"], "head": best["h"]}
    kind = "cross" if "cross" in heads else next(iter(heads), None)
    return {"kind": kind, "layer": heads[kind][-1]["l"] if kind else None, "head": None}


def tables(
    weights: Weights, asked: Sequence[Place], default: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The packed tables that come at once, and what a sentence of this length does not get so.

    First come the layers asked for, then the one shown first, then cross-attention and the others, last layers first.
    """
    size = max((max(each.shape) for each in weights.values()), default=0)
    layers = list(_by_kind(weights))
    summary: dict[Kind, Any] = {}
    if size <= BY_LAYER:
        for kind in dict.fromkeys(kind for kind, _, _ in layers):
            summary[kind] = pack_weights(np.stack([table.mean(0) for own, _, table in layers if own == kind]))
    free = MOST_BYTES - sum(map(_compressed, summary.values()))

    named = {f"{kind}.{place.layer}": place for kind, place, _ in reversed(layers)}
    shown_first = f"{default['kind']}.{default['layer']}"
    chosen: dict[str, Any] = {}
    left_out: list[str] = []
    for name in sorted(named, key=lambda name: (named[name] not in asked, name != shown_first)):
        is_asked = named[name] in asked
        if size > BY_LAYER or (size > AT_ONCE and not is_asked):
            left_out.append(name)
            continue
        packed = pack_weights(weights[named[name]])
        free -= _compressed(packed)
        if free < 0 and not is_asked:
            left_out.append(name)
        else:
            chosen[name] = packed
    truncated = {"tokens": size, "left_out": left_out} if left_out else None
    return {"summary": summary, "tensors": chosen}, truncated


def _compressed(packed: Mapping[str, Any]) -> int:
    """Bytes of a packed table when compressed."""
    return len(zlib.compress(packed["b64"].encode()))


def _by_kind(weights: Weights) -> Iterator[tuple[Kind, Place, NDArray[np.float32]]]:
    """The layers of the encoder, of the decoder, and across, each from the first."""
    for kind, part in PARTS.items():
        for place in sorted(place for place in weights if place.part == part):
            yield kind, place, weights[place]
