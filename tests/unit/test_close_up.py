"""Closer looks: true numbers of one row, a layer's table, a token's vector; and the example that a page opens with."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from random_model import random_model, tokenizer
from torch.nn import functional as F

from onmal.config import SearchConfig
from onmal.errors import ConfigError, LengthError
from onmal.inspection import Question, Switches, look_inside, row, tensor, vectors
from onmal.inspection.example import main
from onmal.inspection.packing import unpack
from onmal.inspection.whole import whole
from onmal.models import Transformer
from onmal.translating.torch_engine import TorchEngine
from onmal.translating.translator import Translator, load

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "format-1"
KOREAN = "기자를 속일 거예요."
KINDS = ("enc", "dec", "cross")


@pytest.fixture(scope="module")
def golden() -> Translator:
    return load(GOLDEN, engine="torch")


@pytest.fixture(scope="module", params=["whole", "switched"])
def answer(golden: Translator, request: pytest.FixtureRequest) -> dict[str, Any]:
    """Once with all parts on, once with some off; as JSON, for a server may have kept it."""
    off = (
        Switches(src_pos=True, words=[2], heads=["cross.0.0"]) if request.param == "switched" else Switches()
    )
    question = Question(text=KOREAN, ablate=off, include=[f"attn:{kind}:0" for kind in KINDS])
    answer = look_inside(golden, question)
    return json.loads(json.dumps(answer))


def untrained(**kind: Any) -> Translator:
    """A network that has learned nothing; its translations are about as long as their sources."""
    saved = random_model(tokenizer(joint=True), **kind)
    search = SearchConfig(max_length_ratio=1.0, max_length_extra=1, min_length_ratio=0.5)
    saved = replace(saved, card={"run": {"search": search.model_dump()}})
    return Translator(saved, TorchEngine(saved.model))


@pytest.mark.parametrize("kind", KINDS)
def test_a_layers_table_is_that_of_the_answer(golden: Translator, answer: dict[str, Any], kind: str) -> None:
    told = tensor(golden, answer, kind=kind, layer=0)
    assert told == {"kind": kind, "layer": 0, **answer["attn"]["tensors"][f"{kind}.0"]}


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_is_the_arithmetic_of_its_weights(
    golden: Translator, answer: dict[str, Any], kind: str
) -> None:
    table = unpack(answer["attn"]["tensors"][f"{kind}.0"])
    queries, keys = {"enc": ("src", "src"), "dec": ("tgt", "read"), "cross": ("tgt", "src")}[kind]
    sides = {**answer, "read": answer["tgt"]["read"]}
    for head in range(table.shape[0]):
        for t in range(table.shape[1]):
            told = json.loads(
                json.dumps(row(golden, answer, kind=kind, layer=0, head=head, t=t), allow_nan=False)
            )
            is_off = not table[head].any()
            assert told["query"] in [unit["text"] for unit in sides[queries]["subwords"]]
            assert len(told["keys"]) == len(sides[keys]["ids"]) == len(told["value_norm"])
            np.testing.assert_allclose(
                np.array(told["scores_raw"]) * told["scale"], told["scores"], rtol=1e-5
            )
            assert told["scale"] == pytest.approx(1 / math.sqrt(16 / 2))
            np.testing.assert_allclose(table[head, t], told["weights"], atol=0.5 / 255 + 1e-6)
            assert told["sum"] == pytest.approx(0 if is_off else 1, abs=1e-5)
            visible = ~np.array(told["masked"])
            exp = np.where(
                visible, np.exp(np.array(told["scores"]) - np.array(told["scores"])[visible].max()), 0
            )
            np.testing.assert_allclose(told["exp"], exp, rtol=1e-4)
            assert told["exp_sum"] == pytest.approx(exp.sum(), rel=1e-4)
            if not is_off:
                np.testing.assert_allclose(told["weights"], exp / exp.sum(), atol=1e-6)
            assert all(weight == 0 for weight, sees in zip(told["weights"], visible, strict=True) if not sees)
            if kind == "dec":
                assert visible.tolist() == [n <= t for n in range(table.shape[2])]


def test_a_words_vector_is_what_the_network_adds_and_its_neighbours_are_the_nearest(
    golden: Translator, answer: dict[str, Any]
) -> None:
    model, subwords = golden.saved.model, golden.saved.tokenizer.source
    assert isinstance(model, Transformer)
    table = model.source.words.weight.detach()
    for part, ids in ((1, answer["src"]["ids"]), (5, answer["tgt"]["read"]["ids"])):
        for number, token in enumerate(ids):
            told = vectors(golden, answer, part=part, token=number)
            assert told["id"] == token
            np.testing.assert_allclose(told["vector"], table[token] * 4, atol=1e-4)  # sqrt(16)
            cosines = F.cosine_similarity(table, table[token][None])
            written = torch.zeros(len(table), dtype=torch.bool)
            written[list(subwords.written.values())] = True
            written[token] = False
            best = cosines.masked_fill(~written, -2).topk(5)
            assert [near["token"] for near in told["neighbours"]] == best.indices.tolist()
            assert [near["cosine"] for near in told["neighbours"]] == pytest.approx(
                best.values.tolist(), abs=1e-3
            )


@pytest.mark.parametrize("kind", ["learned", "sinusoidal", "rotary", "none"])
def test_positions_are_compared_in_every_network(kind: str) -> None:
    translator = untrained(source_positions=kind, target_positions=kind)
    answer = look_inside(translator, Question(text="abc def hij", include=[]))
    for part, count in ((2, len(answer["src"]["ids"])), (6, len(answer["tgt"]["read"]["ids"]))):
        told = vectors(translator, answer, part=part, token=count - 1)
        if kind == "none":
            assert (told["vector"], told["similarity"]) == (None, None)
            continue
        similarity = unpack(told["similarity"])
        assert similarity.shape == (count, count)
        np.testing.assert_allclose(np.diag(similarity), 1, atol=0.01)
        np.testing.assert_allclose(similarity, similarity.T, atol=0.01)
        assert (told["vector"] is None) == (kind == "rotary")
        if kind != "learned":  # their similarity depends on the distance alone
            assert np.allclose(np.diag(similarity, 1), similarity[0, 1], atol=0.01)


@pytest.mark.parametrize(
    ("call", "wanted", "message"),
    [
        (row, {"kind": "cross", "layer": 1, "head": 0, "t": 0}, "no layer cross.1; layers are 0 to 0"),
        (row, {"kind": "all", "layer": 0, "head": 0, "t": 0}, "choose one of: enc, dec, cross"),
        (row, {"kind": "enc", "layer": 0, "head": 2, "t": 0}, "no head 2; choose 0 to 1"),
        (row, {"kind": "enc", "layer": 0, "head": 0, "t": -1}, "no row -1; choose 0 to"),
        (tensor, {"kind": "enc", "layer": -1}, "no layer enc.-1"),
        (vectors, {"part": 3, "token": 0}, "part 3 has no vectors; choose 1, 2, 5 or 6"),
        (vectors, {"part": 1, "token": 999}, "no token 999; choose 0 to"),
    ],
)
def test_what_is_not_there_is_named(
    golden: Translator, answer: dict[str, Any], call: Any, wanted: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        call(golden, answer, **wanted)
    assert message in str(caught.value)


def test_of_a_long_sentence_rows_are_shown_and_no_tables() -> None:
    translator = untrained()
    answer = look_inside(translator, Question(text=" ".join("abcdefghij" * 7), include=[], beam=1))
    assert len(answer["src"]["ids"]) == 71
    assert row(translator, answer, kind="enc", layer=1, head=1, t=70)["sum"] == pytest.approx(1)
    with pytest.raises(LengthError, match="at most 64 tokens, and there are 7"):
        tensor(translator, answer, kind="enc", layer=0)


def test_the_example_holds_every_close_up_and_is_the_same_each_time(
    golden: Translator, capsys: pytest.CaptureFixture[str]
) -> None:
    main([str(GOLDEN), KOREAN])
    written = capsys.readouterr().out
    main([str(GOLDEN), KOREAN, "en"])
    again = json.loads(capsys.readouterr().out)
    example = json.loads(written)
    assert example["close_up"] == again["close_up"]
    assert example["tgt"]["text"] == "I will trick a reporter."
    source, target = len(example["src"]["ids"]), len(example["tgt"]["ids"])
    rows = example["close_up"]["rows"]
    lengths = {"enc": source, "dec": target, "cross": target}
    assert {name: len(told) for name, told in rows.items()} == {
        f"{kind}.0.{head}": lengths[kind] for kind in KINDS for head in (0, 1)
    }
    told = row(golden, example, kind="cross", layer=0, head=1, t=2)
    assert rows["cross.0.1"][2]["weights"] == pytest.approx(told["weights"], abs=1e-5)
    assert {part: len(each) for part, each in example["close_up"]["vectors"].items()} == {
        "1": source, "2": source, "5": target, "6": target,
    }  # fmt: skip


def test_all_closer_looks_at_once_are_those_that_are_told_one_by_one(
    golden: Translator, answer: dict[str, Any]
) -> None:
    told = whole(golden, answer)
    assert told["attn"]["tensors"].keys() == {f"{kind}.0" for kind in KINDS}
    for name, table in told["attn"]["tensors"].items():
        kind, layer = name.split(".")
        assert {"kind": kind, "layer": int(layer), **table} == tensor(
            golden, answer, kind=kind, layer=int(layer)
        )
    for name, each in told["close_up"]["rows"].items():
        kind, layer, head = name.split(".")
        for t, found in enumerate(each):
            alone = row(golden, answer, kind=kind, layer=int(layer), head=int(head), t=t)
            assert alone.keys() - found.keys() == {
                "kind", "layer", "head", "t", "query", "keys", "scores_raw", "scale",
            }  # fmt: skip
            for part, values in found.items():
                assert values == pytest.approx(alone[part], abs=1e-5)
    for part, each in told["close_up"]["vectors"].items():
        for token, found in enumerate(each):
            alone = vectors(golden, answer, part=int(part), token=token)
            if token and part in "26":
                del alone["similarity"]  # the same for all
            assert found.keys() == alone.keys()
            assert found["vector"] == alone["vector"]
            for near, same in zip(found.get("neighbours", ()), alone.get("neighbours", ()), strict=True):
                assert near == {**same, "cosine": pytest.approx(same["cosine"], abs=2e-4)}
    assert {**told, "attn": 0, "close_up": 0} == {**answer, "attn": 0, "close_up": 0}


def test_all_closer_looks_cost_two_passes(
    golden: Translator, answer: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    passes: list[object] = []
    hidden = Transformer.hidden

    def counted(self: Transformer, *given: Any, **named: Any) -> torch.Tensor:
        passes.append(self)
        return hidden(self, *given, **named)

    monkeypatch.setattr(Transformer, "hidden", counted)
    whole(golden, answer)
    assert len(passes) == 2


def written(value: Any) -> int:
    """Characters of a value in a file."""
    return len(json.dumps(value, separators=(",", ":")))


def test_closer_looks_take_no_more_room_than_there_is(golden: Translator, answer: dict[str, Any]) -> None:
    default = {"kind": "cross", "layer": 0, "head": 1}
    everything = whole(golden, {**answer, "default": default})["close_up"]
    assert list(everything["rows"]) == [
        "cross.0.1", "enc.0.0", "dec.0.0", "cross.0.0", "enc.0.1", "dec.0.1",
    ]  # fmt: skip
    sizes = {name: written(rows) for name, rows in everything["rows"].items()}
    vectors_alone = sum(map(written, everything["vectors"].values()))
    room = vectors_alone + sizes["cross.0.1"] + sizes["enc.0.0"]
    for given, names in ((room, ["cross.0.1", "enc.0.0"]), (room - 1, ["cross.0.1"]), (0, [])):
        kept = whole(golden, {**answer, "default": default}, given)["close_up"]
        assert list(kept["rows"]) == names
    assert kept["vectors"] == {}


def test_a_long_sentence_has_all_its_tables_and_a_longer_one_none() -> None:
    translator = untrained()
    for letters, count in ((4, 6), (7, 0)):
        text = " ".join("abcdefghij" * letters)
        answer = look_inside(translator, Question(text=text, include=[], beam=1))
        assert answer["truncated"]
        told = whole(translator, answer)
        assert len(told["attn"]["tensors"]) == count
        assert told["truncated"] == (None if count else answer["truncated"])


def test_the_program_says_how_it_is_called_and_what_is_wrong(tmp_path: Path) -> None:
    for arguments, message in (([], "usage: python -m"), ([str(tmp_path), "가"], "error: ")):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert str(caught.value).startswith(message)
