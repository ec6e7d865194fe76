"""ctranslate2: the network that CTranslate2 reads says the same as ours, whatever it is made of."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier, get_ident
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from onmal.cli import app
from onmal.config import SearchConfig
from onmal.decoding.ensemble import Ensemble
from onmal.errors import ConfigError, MissingExtraError
from onmal.interop import ctranslate2 as interop
from onmal.interop.ctranslate2 import converted, write_ctranslate2
from onmal.interop.ctranslate2_engine import CTranslate2Engine
from onmal.saved_model import save_model
from onmal.translating.torch_engine import TorchEngine

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from random_model import random_model, sources, tokenizer

pytest.importorskip("ctranslate2")
KINDS: list[dict[str, Any]] = [
    {},
    {
        "source_positions": "sinusoidal",
        "target_positions": "sinusoidal",
        "norm_order": "post",
        "activation": "gelu",
    },
    {"source_positions": "sinusoidal-halves", "norm": "rms", "activation": "swiglu", "tie": "none"},
    {"source_positions": "rotary", "target_positions": "rotary", "norm": "rms", "norm_order": "post"},
    {"source_positions": "none", "target_positions": "rotary", "tie": "output"},
    {"source_positions": "rotary", "target_positions": "none", "activation": "swiglu"},
    {"norm": "rms", "activation": "swish"},
]


@pytest.mark.parametrize("beams", [1, 4])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: "-".join(map(str, kind.values())) or "learned")
def test_every_network_says_the_same_in_both_engines(kind: dict[str, Any], beams: int) -> None:
    saved = random_model(tokenizer(joint=kind.get("tie", "all") == "all"), **kind)
    search = SearchConfig(beam_size=beams, n_best=min(2, beams), length_penalty=0.7, patience=2)
    rows = sources(saved, 30)
    ours, theirs = (
        TorchEngine(saved.model).translate(rows, search),
        CTranslate2Engine(saved).translate(rows, search),
    )
    for one, other in zip(ours, theirs, strict=True):
        assert [(h.tokens, h.ended) for h in one] == [(h.tokens, h.ended) for h in other]
        for hypothesis, same in zip(one, other, strict=True):
            assert hypothesis.score == pytest.approx(same.score, abs=1e-5)
            assert hypothesis.log_probability == pytest.approx(same.log_probability, abs=1e-4)
    assert len({round(best.score, 3) for best, *_ in ours}) > 10  # or a wrong order would not be seen


def test_without_the_extra_an_export_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ctranslate2", None)
    with pytest.raises(MissingExtraError, match=r"onmal\[fast\]"):
        write_ctranslate2(random_model(tokenizer(joint=True)), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_network_that_cannot_be_expressed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = random_model(tokenizer(joint=True))
    ensemble = replace(saved, model=Ensemble([saved.model]))
    with pytest.raises(ConfigError, match=r"does not know networks of the kind Ensemble.*--engine torch"):
        write_ctranslate2(ensemble, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("quantization", ["float32", "int8", "int8_float32", "float16"])
def test_what_is_exported_is_read_without_onmal(tmp_path: Path, quantization: str) -> None:
    import ctranslate2

    saved = random_model(tokenizer(joint=True))
    save_model(tmp_path / "model", saved)
    command = ["export", "ctranslate2", str(tmp_path / "model"), str(tmp_path / "out")]
    run = CliRunner().invoke(app, [*command, "--quantization", quantization])
    assert run.exit_code == 0, run.output
    names = ["config.json", "model.bin", "shared_vocabulary.json", "tokenizer.model"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names
    [result] = ctranslate2.Translator(str(tmp_path / "out")).translate_batch([["▁a", "</s>"]])
    assert set(result.hypotheses[0]) <= set(saved.tokenizer.target.pieces(range(len(saved.tokenizer.target))))


def test_a_quantization_that_is_none_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    run = CliRunner().invoke(
        app, ["export", "ctranslate2", "model", str(tmp_path / "out"), "--quantization", "int4"]
    )
    assert run.exit_code == 2
    assert run.output.startswith("error: --quantization cannot be 'int4'; choose one of float32, float16")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("beams", [1, 4])
def test_padding_and_start_are_never_said_and_take_no_part_of_the_probability(beams: int) -> None:
    """Marian's networks find the padding likely: they have a logit of 0 for it, and negative ones for most words."""
    saved = random_model(tokenizer(joint=True))
    with torch.no_grad():
        saved.model.output.bias[[saved.model.vocabulary.pad, saved.model.vocabulary.start]] = 9.0
    rows = sources(saved, 20)
    search = SearchConfig(beam_size=beams, length_penalty=0.7, patience=2)
    ours = [best for best, *_ in TorchEngine(saved.model).translate(rows, search)]
    theirs = [best for best, *_ in CTranslate2Engine(saved).translate(rows, search)]
    assert [best.tokens for best in theirs] == [best.tokens for best in ours]
    likely = pytest.approx([best.log_probability for best in ours], abs=1e-4)
    assert [best.log_probability for best in theirs] == likely
    said = [[*best.tokens, *[saved.model.vocabulary.end] * best.ended] for best in ours]
    assert TorchEngine(saved.model).log_probabilities(rows, said) == likely


def test_a_conversion_is_kept_and_another_network_gets_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONMAL_CACHE", str(tmp_path))
    subwords = tokenizer(joint=True)
    saved, other = random_model(subwords), random_model(subwords, seed=1)
    with converted(saved) as first:
        made = (first / "model.bin").stat().st_mtime_ns
    with converted(saved) as again, converted(other) as different:
        assert again == first != different
        assert (again / "model.bin").stat().st_mtime_ns == made
    assert sorted(path.name for path in (tmp_path / "ctranslate2").iterdir()) == sorted(
        (first.name, different.name)
    )


def test_the_cache_keeps_the_newest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONMAL_CACHE", str(tmp_path))
    monkeypatch.setattr(interop, "KEPT", 2)
    subwords = tokenizer(joint=True)
    folders = []
    for seed in range(4):
        with converted(random_model(subwords, seed=seed)) as folder:
            folders.append(folder)
    assert folders[-1].exists()
    assert sum(folder.exists() for folder in folders) == 2


def test_without_a_place_for_the_cache_it_works_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("ONMAL_CACHE", str(tmp_path / "file"))
    saved = random_model(tokenizer(joint=True))
    with converted(saved) as folder:
        assert (folder / "model.bin").exists()
    assert not folder.exists()
    rows = sources(saved, 3)
    assert len(CTranslate2Engine(saved).translate(rows, SearchConfig())) == 3


@pytest.mark.parametrize(
    ("seconds", "chosen", "rounds"),
    [
        ([1.0, 2.0], 2, 1),  # one worker for each thread wins, as usual
        ([9.0, 2.0, 1.0, 2.0], 2, 2),  # something else was going on at first
        ([3.0, 2.0, 3.0, 2.0, 3.0, 2.0], 1, 3),  # here one worker is faster every time
    ],
)
def test_a_moment_in_which_the_machine_was_busy_does_not_choose_for_ever(
    seconds: list[float], chosen: int, rounds: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONMAL_CACHE", str(tmp_path))
    saved = random_model(tokenizer(joint=True))
    engine = CTranslate2Engine(saved, threads=2)
    ticks, now = iter(seconds), [0.0]
    asked: list[int] = []

    def clock() -> float:
        """Even calls begin a measurement, odd ones end it."""
        if len(asked) % 2:
            now[0] += next(ticks)
        asked.append(engine.workers)
        return now[0]

    monkeypatch.setattr("onmal.interop.ctranslate2_engine.time.perf_counter", clock)
    found = engine.translate(sources(saved, 100), SearchConfig(beam_size=1))
    assert engine.workers == chosen
    assert asked[::2] == [2, 1] * rounds
    assert len(found) == 100
    again = CTranslate2Engine(saved, threads=2)
    assert again.translate(sources(saved, 2), SearchConfig(beam_size=1))
    assert again.workers == chosen


@pytest.mark.parametrize(("calls", "cut"), [(1, [2]), (2, [1])])
def test_calls_beside_each_other_share_the_workers(
    calls: int, cut: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lone call is cut into a batch for each; the later one of two is left whole."""
    monkeypatch.setenv("ONMAL_CACHE", str(tmp_path))
    saved = random_model(tokenizer(joint=True))
    engine, rows, search = CTranslate2Engine(saved, threads=2), sources(saved, 8), SearchConfig(beam_size=2)
    begun, all_begun, find = dict[int, int](), Barrier(calls), CTranslate2Engine._search

    def held(self: CTranslate2Engine, sources: Any, batches: Any, config: Any) -> Any:
        if get_ident() not in begun:
            begun[get_ident()] = len(batches)
            all_begun.wait(30)
        return find(self, sources, batches, config)

    monkeypatch.setattr(CTranslate2Engine, "_search", held)
    with ThreadPoolExecutor(calls) as pool:
        found = list(pool.map(lambda _: engine.translate(rows, search), range(calls)))
    assert [*begun.values()][-1:] == cut
    assert [[h.tokens for h in some] for some in found[0]] == [[h.tokens for h in some] for some in found[-1]]
