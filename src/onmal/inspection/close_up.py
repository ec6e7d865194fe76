"""A closer look at what an answer of `look_inside` told: the sum of one row, one layer's table, the vector of one token.

Each call takes the answer, which holds all that is needed, and costs one pass of the network at most: also `tensors`, `rows` and
`every_vector`, which tell of all at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from onmal.errors import ConfigError, LengthError
from onmal.inspection.attention import Recorder
from onmal.inspection.heads import BY_LAYER
from onmal.inspection.packing import pack_signed, pack_weights
from onmal.inspection.question import Question
from onmal.inspection.switches import PARTS, Kind, find_place, under
from onmal.inspection.words import Unit, label, opens_word, special_pieces
from onmal.models.contract import Place, Probe, Side
from onmal.models.embedding import Embedding
from onmal.text.tokenizer import SubwordModel
from onmal.translating.translator import Translator

__all__ = ["Answer", "every_vector", "row", "rows", "tensor", "tensors", "vectors"]

NEIGHBOURS = 5
PARTS_WITH_VECTORS = (1, 2, 5, 6)

Answer = dict[str, Any]


@torch.inference_mode()
def tensor(translator: Translator, answer: Answer, *, kind: str, layer: int) -> dict[str, Any]:
    """The packed weights [heads, rows, columns] of one layer; LengthError for more than 64 tokens."""
    size = _size(answer)
    if size > BY_LAYER:
        raise LengthError(
            f"a layer's table is shown for at most {BY_LAYER} tokens, and there are {size}",
            "ask for single rows",
        )
    again = _Again(translator, answer)
    place = find_place(kind, layer, again.anatomy)
    recorder = Recorder()
    again.read(recorder)
    return {"kind": kind, "layer": layer, **pack_weights(recorder.weights[place].numpy())}


@torch.inference_mode()
def tensors(translator: Translator, answer: Answer) -> dict[str, Any]:
    """The packed weights of all layers under their names, such as "cross.2"; none for more than 64 tokens."""
    if _size(answer) > BY_LAYER:
        return {}
    recorder = Recorder()
    _Again(translator, answer).read(recorder)
    return {
        f"{kind}.{place.layer}": pack_weights(weights.numpy())
        for kind, part in PARTS.items()
        for place, weights in recorder.weights.items()
        if place.part == part
    }


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
    again = _Again(translator, answer)
    place = find_place(kind, layer, again.anatomy)
    queries, keys = {"enc": ("src", "src"), "dec": ("tgt", "read"), "cross": ("tgt", "src")}[kind]
    sides = {"src": answer["src"], "tgt": answer["tgt"], "read": answer["tgt"]["read"]}
    names = {name: [_token_label(sides[name], n) for n in range(len(sides[name]["ids"]))] for name in sides}
    _refuse_outside("head", head, again.anatomy[place])
    _refuse_outside("row", t, len(names[queries]))
    observer = _Observer(place)
    again.read(observer)
    look = observer.looks[place]
    products = translator.saved.config.compares_by_products
    return {
        "kind": kind,
        "layer": layer,
        "head": head,
        "t": t,
        "query": names[queries][t],
        "keys": names[keys],
        "scores_raw": (look.scores[head, t] * math.sqrt(look.size)).tolist() if products else None,
        "scale": 1 / math.sqrt(look.size) if products else None,
        **look.arithmetic(head, t),
    }


def rows(
    translator: Translator, answer: Answer, heads: Sequence[tuple[Kind, int, int]]
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Of each of these heads (kind, layer, head) its name, such as "cross.1.0", and what `row` tells of every token.

    Without what is told elsewhere or follows from it: of all that `row` has, `scores` and what stands below it.
    """
    again, observer = _Again(translator, answer), _Observer()
    with torch.inference_mode():
        again.read(observer)
    for kind, layer, head in heads:
        look = observer.looks[find_place(kind, layer, again.anatomy)]
        yield f"{kind}.{layer}.{head}", [look.arithmetic(head, t) for t in range(look.scores.shape[1])]


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
    if part not in PARTS_WITH_VECTORS:
        raise ConfigError(f"part {part} has no vectors", "choose 1, 2, 5 or 6")
    ids = _ids(answer, part)
    _refuse_outside("token", token, len(ids))
    embedding = _embedding(translator, part)
    if embedding is None:
        raise ConfigError(f"this network has no part {part}", "choose another part")
    (told,) = _vectors(translator, embedding, part, ids, [token])
    return told


def every_vector(translator: Translator, answer: Answer) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Of each part that the network has its number, and what `vectors` tells of every token.

    Of positions only the first has the similarity, which is that of all.
    """
    for part in PARTS_WITH_VECTORS:
        ids, embedding = _ids(answer, part), _embedding(translator, part)
        if embedding is not None:
            with torch.inference_mode():
                told = _vectors(translator, embedding, part, ids, range(len(ids)))
            for each in told[1:]:
                each.pop("similarity", None)
            yield str(part), told


def _ids(answer: Answer, part: int) -> list[int]:
    """The tokens of a part's side, as the network reads them."""
    side = answer["src"] if part < 5 else answer["tgt"]["read"]
    ids: list[int] = side["ids"]
    return ids


def _embedding(translator: Translator, part: int) -> Embedding | None:
    side: Side = "source" if part < 5 else "target"
    modules = translator.saved.model.modules()
    return next((each for each in modules if isinstance(each, Embedding) and each.side == side), None)


def _vectors(
    translator: Translator, embedding: Embedding, part: int, ids: Sequence[int], tokens: Sequence[int]
) -> list[dict[str, Any]]:
    if part in (2, 6):
        each = _positions(embedding, tokens, len(ids))
    else:
        subwords = getattr(translator.saved.tokenizer, embedding.side)
        each = _words(embedding, subwords, [ids[token] for token in tokens], translator)
    return [{"part": part, "token": token, **told} for token, told in zip(tokens, each, strict=True)]


def _words(
    embedding: Embedding, subwords: SubwordModel, ids: Sequence[int], translator: Translator
) -> list[dict[str, Any]]:
    table, special = embedding.words.weight.float(), special_pieces(translator.saved.tokenizer)
    asked = torch.tensor(ids, device=table.device)
    others = torch.tensor(list(subwords.written.values()), device=table.device)
    cosines = F.normalize(table[asked], dim=1) @ F.normalize(table[others], dim=1).T  # [T, written pieces]
    cosines.masked_fill_(asked[:, None] == others, -torch.inf)  # none is its own neighbour
    found = cosines.topk(min(NEIGHBOURS, len(others) - 1))
    vectors = table[asked] * math.sqrt(embedding.words.embedding_dim)
    return [
        {
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
        for token, vector, best, at in zip(ids, vectors, found.values, found.indices, strict=True)
    ]


def _positions(embedding: Embedding, positions: Sequence[int], count: int) -> list[dict[str, Any]]:
    ids = torch.arange(count, device=embedding.words.weight.device)
    added, rotation = embedding.positions.vectors(ids), embedding.positions.rotation(ids)
    similarity = None
    if added is not None:
        unit = F.normalize(added.float(), dim=1)
        similarity = unit @ unit.T
    elif rotation is not None:
        similarity = (rotation[:, None] * rotation[None].conj()).real.mean(-1)
    packed = None if similarity is None else pack_signed(similarity.cpu().numpy())
    return [
        {"vector": None if added is None else _rounded(added[position]), "similarity": packed}
        for position in positions
    ]


class _Again:
    """The sentence of an answer and its translation, ready to be read once more under the same switches."""

    def __init__(self, translator: Translator, answer: Answer) -> None:
        model, switches = translator.saved.model, Question(**answer["question"]).ablate
        source = torch.tensor([answer["src"]["ids"]], device=next(model.parameters()).device)
        self.words = torch.tensor([answer["tgt"]["read"]["ids"]], device=source.device)
        self.anatomy = {
            Place(PARTS[own], head["l"]): head["h"] + 1
            for own, heads in answer["heads"].items()
            for head in heads  # the last of a layer counts
        }
        units = [
            Unit(word["text"], word["tokens"][0], word["tokens"][1], bool(word["special"]))
            for word in answer["src"]["words"]
        ]
        self.network, self.source = under(switches, model, source, units, self.anatomy)

    def read(self, probe: Probe) -> None:
        """With a Probe that looks."""
        self.network.hidden(self.source, self.words, probe=probe)


@dataclass(frozen=True, eq=False)
class _Look:
    """What happens at one place, for all heads."""

    scores: Tensor
    """[H,T,S], queries times keys, scaled."""
    masked: Tensor
    """[H,T,S], where a row may not look."""
    weights: Tensor
    """[H,T,S]."""
    value_norm: Tensor
    """[H,S]."""
    size: int
    """E, of a head."""

    def arithmetic(self, head: int, t: int) -> dict[str, Any]:
        """How the weights of one row come about."""
        scores, masked, weights = (each[head, t] for each in (self.scores, self.masked, self.weights))
        visible = scores.masked_fill(masked, -torch.inf)
        exp = (visible - visible.max()).exp().nan_to_num(0.0)  # where nothing may be seen, all are 0
        return {
            "scores": scores.tolist(),
            "masked": masked.tolist(),
            "exp": exp.tolist(),
            "exp_sum": float(exp.sum()),
            "weights": weights.tolist(),
            "sum": float(weights.sum()),
            "value_norm": self.value_norm[head].tolist(),
        }


class _Observer(Probe):
    """Writes down all of one place, or of every place."""

    def __init__(self, place: Place | None = None) -> None:
        self.place = place
        self.looks: dict[Place, _Look] = {}

    def attention(
        self, place: Place, scores: Tensor, mask: Tensor | None, weights: Tensor, values: Tensor
    ) -> Tensor:
        if self.place in (None, place):
            visible = torch.ones_like(scores, dtype=torch.bool) if mask is None else mask.expand_as(scores)
            self.looks[place] = _Look(
                scores=scores[0].float().cpu(),
                masked=~visible[0].cpu(),
                weights=weights[0].float().cpu(),
                value_norm=values[0].float().norm(dim=-1).cpu(),
                size=values.shape[-1],
            )
        return weights


def _size(answer: Answer) -> int:
    """Tokens of the longer side."""
    return max(len(answer["src"]["ids"]), len(answer["tgt"]["ids"]))


def _token_label(side: dict[str, Any], token: int) -> str:
    """The subword that a token is, or is a part of."""
    return next(unit["text"] for unit in side["subwords"] if unit["tokens"][0] <= token < unit["tokens"][1])


def _rounded(vector: Tensor) -> list[float]:
    return [round(value, 5) for value in vector.float().tolist()]


def _refuse_outside(what: str, number: int, count: int) -> None:
    if not 0 <= number < count:
        raise ConfigError(f"there is no {what} {number}", f"choose 0 to {count - 1}")
