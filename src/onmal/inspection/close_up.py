"""A closer look at what an answer of `look_inside` told: the sum of one row, one layer's table, the vector of one token.

Each call takes the answer, which holds all that is needed, and costs one pass of the network at most.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from onmal.errors import ConfigError, LengthError
from onmal.inspection.attention import Recorder
from onmal.inspection.heads import BY_LAYER
from onmal.inspection.packing import pack_signed, pack_weights
from onmal.inspection.question import Question
from onmal.inspection.switches import PARTS, find_place, under
from onmal.inspection.words import Unit, label, opens_word, special_pieces
from onmal.models.contract import Place, Probe, Side
from onmal.models.embedding import Embedding
from onmal.text.tokenizer import SubwordModel
from onmal.translating.translator import Translator

__all__ = ["row", "tensor", "vectors"]

NEIGHBOURS = 5

Answer = dict[str, Any]


@torch.inference_mode()
def tensor(translator: Translator, answer: Answer, *, kind: str, layer: int) -> dict[str, Any]:
    """The packed weights [heads, rows, columns] of one layer; LengthError for more than 64 tokens."""
    size = max(len(answer["src"]["ids"]), len(answer["tgt"]["ids"]))
    if size > BY_LAYER:
        raise LengthError(
            f"a layer's table is shown for at most {BY_LAYER} tokens, and there are {size}",
            "ask for single rows",
        )
    again = _Again(translator, answer, kind, layer)
    recorder = Recorder()
    again.read(recorder)
    return {"kind": kind, "layer": layer, **pack_weights(recorder.weights[again.place].numpy())}


@torch.inference_mode()
def row(
    translator: Translator, answer: Answer, *, kind: str, layer: int, head: int, t: int
) -> dict[str, Any]:
    """How the weights of token t's row in one head come about, in true numbers.

        query, keys     the token that looks, and those that it can look at
        scores_raw      query times key; null where a small network compares them (additive attention)
        scale           by which they are multiplied: 1 / sqrt(E); null likewise
        scores          the product, or what that network says
        masked          true where the row may not look: its score counts as minus infinity
        exp, exp_sum    e to the power of the score less the largest one, and their sum
        weights, sum    exp / exp_sum, and what they sum up to: 1, or 0 for a head that is off
        value_norm      how long the value of each key is: what is looked at adds weight times value

    ConfigError for a row that there is not.
    """
    again = _Again(translator, answer, kind, layer)
    queries, keys = {"enc": ("src", "src"), "dec": ("tgt", "read"), "cross": ("tgt", "src")}[kind]
    sides = {"src": answer["src"], "tgt": answer["tgt"], "read": answer["tgt"]["read"]}
    names = {name: [_token_label(sides[name], n) for n in range(len(sides[name]["ids"]))] for name in sides}
    _refuse_outside("head", head, again.heads)
    _refuse_outside("row", t, len(names[queries]))
    seen = _OneRow(again.place, head, t)
    again.read(seen)
    visible = seen.scores.masked_fill(seen.masked, -torch.inf)
    products, size = translator.saved.config.compares_by_products, seen.size
    exp = (visible - visible.max()).exp().nan_to_num(0.0)  # where nothing may be seen, all are 0
    return {
        "kind": kind,
        "layer": layer,
        "head": head,
        "t": t,
        "query": names[queries][t],
        "keys": names[keys],
        "scores_raw": (seen.scores * math.sqrt(size)).tolist() if products else None,
        "scale": 1 / math.sqrt(size) if products else None,
        "scores": seen.scores.tolist(),
        "masked": seen.masked.tolist(),
        "exp": exp.tolist(),
        "exp_sum": float(exp.sum()),
        "weights": seen.weights.tolist(),
        "sum": float(seen.weights.sum()),
        "value_norm": seen.value_norm.tolist(),
    }


@torch.inference_mode()
def vectors(translator: Translator, answer: Answer, *, part: int, token: int) -> dict[str, Any]:
    """What a token is to the network before it has looked at any other.

    Parts 1 and 5, the words of source and target (`token` counts in `src.ids` and `tgt.read.ids`):

        id, text        of the token
        vector          [D], as it is added to that of its position
        neighbours      the five pieces whose vectors point in the most similar direction: {token, text, opens, cosine}

    Parts 2 and 6, their positions:

        vector          [D], what is added at this position; null where positions add nothing
        similarity      packed [T,T], cosine of any two positions of the sentence (of rotary ones: the mean cosine of their
                        angles); null where there are no positions

    ConfigError for another part, and for a token that there is not.
    """
    if part not in (1, 2, 5, 6):
        raise ConfigError(f"part {part} has no vectors", "choose 1, 2, 5 or 6")
    side: Side = "source" if part < 3 else "target"
    ids = answer["src"]["ids"] if side == "source" else answer["tgt"]["read"]["ids"]
    _refuse_outside("token", token, len(ids))
    model = translator.saved.model
    embedding = next(
        (each for each in model.modules() if isinstance(each, Embedding) and each.side == side), None
    )
    if embedding is None:
        raise ConfigError(f"this network has no part {part}", "choose another part")
    if part in (2, 6):
        return {"part": part, "token": token, **_position(embedding, token, len(ids))}
    subwords = getattr(translator.saved.tokenizer, side)
    return {"part": part, "token": token, **_word(embedding, subwords, ids[token], translator)}


def _word(embedding: Embedding, subwords: SubwordModel, token: int, translator: Translator) -> dict[str, Any]:
    table, special = embedding.words.weight.float(), special_pieces(translator.saved.tokenizer)
    others = torch.tensor([each for each in subwords.written.values() if each != token], device=table.device)
    cosines = F.normalize(table[others], dim=1) @ F.normalize(table[token], dim=0)
    best, at = cosines.topk(min(NEIGHBOURS, len(others)))
    vector = table[token] * math.sqrt(embedding.words.embedding_dim)
    return {
        "id": token,
        "text": label(subwords, token, special),
        "vector": _rounded(vector),
        "neighbours": [
            {
                "token": each,
                "text": label(subwords, each, special),
                "opens": opens_word(subwords, each),
                "cosine": round(cosine, 4),
            }
            for each, cosine in zip(others[at].tolist(), best.tolist(), strict=True)
        ],
    }


def _position(embedding: Embedding, position: int, count: int) -> dict[str, Any]:
    ids = torch.arange(count, device=embedding.words.weight.device)
    added, rotation = embedding.positions.vectors(ids), embedding.positions.rotation(ids)
    similarity = None
    if added is not None:
        unit = F.normalize(added.float(), dim=1)
        similarity = unit @ unit.T
    elif rotation is not None:
        similarity = (rotation[:, None] * rotation[None].conj()).real.mean(-1)
    return {
        "vector": None if added is None else _rounded(added[position]),
        "similarity": None if similarity is None else pack_signed(similarity.cpu().numpy()),
    }


class _Again:
    """The sentence of an answer and its translation, ready to be read once more under the same switches."""

    def __init__(self, translator: Translator, answer: Answer, kind: str, layer: int) -> None:
        model, switches = translator.saved.model, Question(**answer["question"]).ablate
        source = torch.tensor([answer["src"]["ids"]], device=next(model.parameters()).device)
        self.words = torch.tensor([answer["tgt"]["read"]["ids"]], device=source.device)
        anatomy = {
            Place(PARTS[own], head["l"]): head["h"] + 1
            for own, heads in answer["heads"].items()
            for head in heads  # the last of a layer counts
        }
        self.place = find_place(kind, layer, anatomy)
        self.heads = anatomy[self.place]
        units = [
            Unit(word["text"], word["tokens"][0], word["tokens"][1], bool(word["special"]))
            for word in answer["src"]["words"]
        ]
        self.network, self.source = under(switches, model, source, units, anatomy)

    def read(self, probe: Probe) -> None:
        """With a Probe that looks."""
        self.network.hidden(self.source, self.words, probe=probe)


class _OneRow(Probe):
    """Writes down one row of one head."""

    def __init__(self, place: Place, head: int, t: int) -> None:
        self.place, self.head, self.t = place, head, t

    def attention(
        self, place: Place, scores: Tensor, mask: Tensor | None, weights: Tensor, values: Tensor
    ) -> Tensor:
        if place == self.place:
            visible = torch.ones_like(scores, dtype=torch.bool) if mask is None else mask.expand_as(scores)
            self.scores, self.weights = (
                each[0, self.head, self.t].float().cpu() for each in (scores, weights)
            )
            self.masked = ~visible[0, self.head, self.t].cpu()
            self.size = values.shape[-1]
            self.value_norm = values[0, self.head].float().norm(dim=1).cpu()
        return weights


def _token_label(side: dict[str, Any], token: int) -> str:
    """The subword that a token is, or is a part of."""
    return next(unit["text"] for unit in side["subwords"] if unit["tokens"][0] <= token < unit["tokens"][1])


def _rounded(vector: Tensor) -> list[float]:
    return [round(value, 5) for value in vector.float().tolist()]


def _refuse_outside(what: str, number: int, count: int) -> None:
    if not 0 <= number < count:
        raise ConfigError(f"there is no {what} {number}", f"choose 0 to {count - 1}")
