"""omissions: a word is left out if the translation is likelier without it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from torch import Tensor

from onmal.decoding.ensemble import Ensemble
from onmal.decoding.search import Hypothesis
from onmal.models.contract import Probe
from onmal.saved_model import SavedModel, load_model
from onmal.translating.omissions import left_out
from onmal.translating.translator import Translator

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tiny_model import save_tiny_model


class Copies:
    """A network that says the tokens of its source, each as likely as the next, and nothing else."""

    def __init__(self, vocabulary: Any) -> None:
        self.vocabulary = vocabulary

    def parameters(self) -> Iterator[Tensor]:
        return iter([torch.zeros(1)])

    def hidden(self, source: Tensor, target: Tensor, *, probe: Probe | None = None) -> Tensor:
        there = torch.zeros(len(source), self.vocabulary.target_size).scatter_(1, source, 1.0)  # [B,V]
        there[:, self.vocabulary.pad] = 0
        return there.clamp(min=1e-6).log()[:, None].expand(-1, target.shape[1], -1)

    def project(self, states: Tensor) -> Tensor:
        return states.clone()


@pytest.fixture
def saved(tmp_path: Path) -> SavedModel:
    saved = load_model(save_tiny_model(tmp_path / "model"))
    copies = Copies(saved.model.vocabulary)
    return cast(SavedModel, SimpleNamespace(model=copies, tokenizer=saved.tokenizer))


@pytest.mark.parametrize(
    ("source", "said", "missing"),
    [
        ("the market and the school", "the market and the school", []),
        ("the market and my school", "the market and school", ["my"]),
        ("the market and my school", "the market", ["and", "my", "school"]),
        ("school", "", []),
    ],
)
def test_what_is_not_said_is_named(saved: SavedModel, source: str, said: str, missing: list[str]) -> None:
    ids = saved.tokenizer.source.encode(source)
    hypothesis = Hypothesis(tuple(saved.tokenizer.target.encode(said)), 0.0, 0.0, ended=True)
    assert left_out(saved, [*ids, 2], 0, hypothesis) == missing


def test_where_there_are_no_spaces_pieces_are_words(saved: SavedModel) -> None:
    subwords = saved.tokenizer.source
    first, last = [piece for piece in subwords.written if piece.isalnum() and len(piece) > 1][:2]
    words = [subwords.written[first], *subwords.encode_within("東."), subwords.written[last]]
    for left, name in ((words[:1], first), (words[1:-1], "東."), (words[-1:], last)):
        said = tuple(word for word in words if word not in left)
        hypothesis = Hypothesis(said, 0.0, 0.0, ended=True)
        assert left_out(saved, [*words, 2], 0, hypothesis, spaces=False) == [name]
        assert left_out(saved, [*words, 2], 0, hypothesis) == []


def test_what_asks_for_a_language_is_no_word(saved: SavedModel) -> None:
    ids = saved.tokenizer.source.encode("my the school")
    hypothesis = Hypothesis(tuple(saved.tokenizer.target.encode("the school")), 0.0, 0.0, ended=True)
    assert left_out(saved, [*ids, 2], 0, hypothesis) == ["my"]
    after_it = len(ids) - len(saved.tokenizer.source.encode("the school"))
    assert left_out(saved, [*ids, 2], after_it, hypothesis) == []


def test_models_together_and_a_hypothesis_without_an_end(tmp_path: Path) -> None:
    saved = load_model(save_tiny_model(tmp_path / "model"))
    ids = saved.tokenizer.encode_source("오늘 시장에 간다.", "en")
    first = len(saved.tokenizer.prefix("en"))
    together = replace(saved, model=Ensemble([saved.model, saved.model]).eval())
    for ended in (True, False):
        hypothesis = Hypothesis(tuple(saved.tokenizer.target.encode("the market")), 0.0, 0.0, ended)
        assert left_out(together, ids, first, hypothesis) == left_out(saved, ids, first, hypothesis)
    assert left_out(saved, ids, first, Hypothesis((), 0.0, 0.0, ended=True)) == []


def test_a_translation_says_so_where_it_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    translator = Translator(load_model(save_tiny_model(tmp_path / "model")))
    heard: list[list[int]] = []

    def all_left_out(
        saved: SavedModel, source: list[int], first: int, hypothesis: Hypothesis, *, spaces: bool
    ) -> list[str]:
        assert spaces
        heard.append(source[first:])
        return ["each"]

    monkeypatch.setattr("onmal.translating.translator.left_out", all_left_out)
    texts = ["시장.\n학교.", "  "]
    assert not any("omitted" in w for each in translator.translate(texts) for w in each.warnings)
    found = translator.translate(texts, omissions=True)
    assert "omitted: each, each" in found[0].warnings
    assert found[1].warnings == ()
    assert len(heard) == 2
