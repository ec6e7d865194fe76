"""What there is to see of a classical network: its attention where it has some, and no more than that."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from random_model import random_model, tokenizer
from typer.testing import CliRunner

from onmal.cli import app
from onmal.errors import ConfigError
from onmal.inspection import Question, inspect, look_inside, row, terminal, vectors
from onmal.saved_model import save_model
from onmal.translating.torch_engine import TorchEngine
from onmal.translating.translator import Translator

SUBWORDS = tokenizer(joint=True)
TEXT = "abcd efgh ij"
CLASSICAL: dict[str, dict[str, Any]] = {
    "gru": {"network": "gru"},
    "gru-attention": {"network": "gru-attention"},
    "gru-dot": {"network": "gru-attention", "attention": "dot", "input_feeding": True},
    "convolution": {"network": "convolution"},
}
LAYERS = {"gru": 0, "gru-attention": 1, "gru-dot": 1, "convolution": 2}
WITH_ATTENTION = [name for name, layers in LAYERS.items() if layers]


def translator(name: str) -> Translator:
    saved = random_model(SUBWORDS, **CLASSICAL[name])
    return Translator(saved, TorchEngine(saved.model), guards=())


def asked(**more: Any) -> Question:
    return Question(text=TEXT, include=["topk", "beam", "effect", "heads"], **more)


@pytest.mark.parametrize("name", CLASSICAL)
def test_the_page_is_told_of_the_parts_that_there_are(name: str) -> None:
    answer = look_inside(translator(name), asked())
    model, layers = answer["model"], LAYERS[name]
    assert model["network"] == CLASSICAL[name]["network"]
    assert model["parts"] == ({"cross": {"layers": layers, "heads": 1}} if layers else {})
    ordered = "learned" if name == "convolution" else "none"
    assert model["positions"] == {"source": ordered, "target": ordered}
    assert set(answer["attn"]["tensors"]) == {f"cross.{layer}" for layer in range(layers)}
    assert answer["default"]["kind"] == ("cross" if layers else None)
    assert answer["effect"]["shape"] == [len(answer["tgt"]["words"]), len(answer["src"]["words"])]
    assert json.loads(json.dumps(answer)) == answer


@pytest.mark.parametrize("name", CLASSICAL)
def test_words_can_be_switched_off_in_every_network(name: str) -> None:
    answer = look_inside(translator(name), asked(ablate={"words": [1]}))
    assert answer["src"]["off"] == [1]
    assert answer["baseline"]["under_switches"] != answer["baseline"]["total"]


def test_switching_the_only_attention_off_changes_what_is_said_of_the_source() -> None:
    for name in WITH_ATTENTION:
        answer = look_inside(translator(name), asked(ablate={"heads": ["cross.0"]}))
        assert answer["baseline"]["under_switches"] != answer["baseline"]["total"]
    with pytest.raises(ConfigError, match=r"no layer cross.0; this network has no such attention"):
        look_inside(translator("gru"), asked(ablate={"heads": ["cross.0"]}))


@pytest.mark.parametrize("name", WITH_ATTENTION)
def test_a_row_is_told_as_it_comes_about(name: str) -> None:
    one = translator(name)
    found = row(one, look_inside(one, asked()), kind="cross", layer=0, head=0, t=0)
    assert found["sum"] == pytest.approx(1, abs=1e-5)
    if name == "gru-attention":
        assert found["scores_raw"] is found["scale"] is None
    else:
        products = [raw * found["scale"] for raw in found["scores_raw"]]
        assert products == pytest.approx(found["scores"], abs=1e-4)


@pytest.mark.parametrize("name", CLASSICAL)
def test_word_vectors_are_shown_and_recurrence_has_no_positions(name: str) -> None:
    one = translator(name)
    answer = look_inside(one, asked())
    assert len(vectors(one, answer, part=1, token=0)["vector"]) == 16
    assert (vectors(one, answer, part=2, token=0)["vector"] is None) == (name != "convolution")


@pytest.mark.parametrize("name", WITH_ATTENTION)
def test_the_map_of_the_only_attention_is_drawn(name: str) -> None:
    seen = inspect(translator(name), TEXT)
    found = seen.attention("cross")
    assert found.weights.sum(1) == pytest.approx(1, abs=1e-4)
    assert terminal(found)
    with pytest.raises(ConfigError, match="no encoder self-attention; it has cross"):
        seen.attention("encoder")


@pytest.mark.parametrize("name", CLASSICAL)
def test_the_commands_say_what_a_network_is_and_has(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    save_model(folder, random_model(SUBWORDS, **CLASSICAL[name]))
    told = CliRunner().invoke(app, ["info", str(folder)]).output
    assert f"{CLASSICAL[name]['network']}, 2 + 2 layers of width 16" in told
    assert "heads" not in told
    found = CliRunner().invoke(app, ["inspect", str(folder), TEXT])
    if name == "gru":
        assert found.exit_code
        assert "no cross-attention; it has no attention at all" in found.output
    else:
        assert "cross-attention" in found.output
