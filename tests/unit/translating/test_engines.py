"""The engines: the fastest that can do what is asked is taken, and said; all of them keep order and say what they lack."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
import torch

import onmal.interop.ctranslate2_engine as fast
from onmal.config import SearchConfig
from onmal.decoding.search import Hypothesis
from onmal.errors import ConfigError, MissingExtraError
from onmal.interop.ctranslate2_engine import CTranslate2Engine
from onmal.translating.engine import NONE, Auto, Constraints, Engine
from onmal.translating.torch_engine import TorchEngine
from onmal.translating.translator import Translator, choose_engine

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from random_model import random_model, sources, tokenizer

pytest.importorskip("ctranslate2")
SAVED = random_model(tokenizer(joint=True))


class Only:
    """Says its name; refuses what it is told to refuse."""

    def at_once(self, *_: object) -> int:
        return 1

    def __init__(self, name: str, refused: str = "") -> None:
        self.name, self.refused = name, refused

    def describe(self, config: SearchConfig, constraints: Constraints = NONE) -> str:
        return self.name

    def refuses(self, config: SearchConfig, constraints: Constraints = NONE) -> str:
        return self.refused

    def translate(
        self, sources: Sequence[Sequence[int]], config: SearchConfig, constraints: Constraints = NONE
    ) -> list[list[Hypothesis]]:
        return [[Hypothesis((ord(self.name),), 0.0, 0.0, True)] for _ in sources]

    def align(self, source: Sequence[int], target: Sequence[int]) -> list[list[float]]:
        return [[1.0]]


@pytest.mark.parametrize(
    ("engines", "taken", "said"),
    [
        ([Only("a"), Only("b")], "a", "a"),
        ([Only("a", "sampling"), Only("b")], "b", "b; a faster engine has no sampling"),
        (
            [Only("a", "x"), Only("b", "y"), Only("c")],
            "c",
            "c; a faster engine has no x; a faster engine has no y",
        ),
        ([Only("a")], "a", "a"),
    ],
)
def test_the_first_that_can_is_taken_and_why_is_said(engines: list[Engine], taken: str, said: str) -> None:
    auto, search = Auto(engines), SearchConfig()
    assert auto.translate([[2]], search)[0][0].tokens == (ord(taken),)
    assert auto.describe(search) == said
    assert auto.refuses(search) == ""


def test_auto_is_given_as_many_portions_as_the_chosen_engine_likes() -> None:
    auto = choose_engine(SAVED)
    assert auto.at_once(SearchConfig()) == CTranslate2Engine(SAVED).at_once(SearchConfig()) > 1
    assert auto.at_once(SearchConfig(sample=True)) == 1
    assert auto.at_once(SearchConfig(), Constraints(never=[((5,),)])) == 1


def test_auto_takes_ctranslate2_and_without_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_engine(SAVED).describe(SearchConfig()).startswith("ctranslate2, float32")
    monkeypatch.setitem(sys.modules, "ctranslate2", None)
    engine = choose_engine(SAVED)
    assert engine.describe(SearchConfig()).startswith("torch, float32")
    assert "pip install 'onmal[fast]'" in engine.describe(SearchConfig())
    with pytest.raises(MissingExtraError, match=r"not installed.*onmal\[fast\]"):
        choose_engine(SAVED, "ctranslate2")


@pytest.mark.parametrize(
    ("options", "constraints"),
    [
        ({"sample": True}, {}),
        ({"min_length_ratio": 0.5}, {}),
        ({"coverage_penalty": 0.1}, {}),
        ({"diversity": 1.0}, {}),
        ({}, {"prefixes": [(5,), ()]}),
        ({}, {"must": [((5,),), ()]}),
        ({}, {"never": [((5,),), ()]}),
    ],
    ids=str,
)
def test_what_ctranslate2_cannot_do_goes_to_torch_and_nothing_is_dropped(
    options: dict[str, Any], constraints: dict[str, Any]
) -> None:
    search, told, auto = (
        SearchConfig(beam_size=2, **options),
        Constraints(**constraints),
        choose_engine(SAVED),
    )
    assert isinstance(auto, Auto)
    engine, [why] = auto.choose(search, told)
    assert isinstance(engine, TorchEngine)
    assert why.startswith("a faster engine has no ")
    assert auto.translate(sources(SAVED, 2), search, told) == engine.translate(
        sources(SAVED, 2), search, told
    )
    with pytest.raises(ConfigError, match=r"CTranslate2 has no .*; translate with the engine auto or torch$"):
        CTranslate2Engine(SAVED).translate(sources(SAVED, 2), search, told)
    with pytest.raises(ConfigError, match=r"with the engine auto or torch and the precision float32$"):
        choose_engine(SAVED, precision="int8").translate(sources(SAVED, 2), search, told)


@pytest.mark.parametrize("beam_size", [1, 3])
@pytest.mark.parametrize("extra", [16, 1000])
@pytest.mark.parametrize("joint", [True, False])
def test_ctranslate2_repeats_nothing_and_scores_as_the_network_does(
    beam_size: int, extra: int, joint: bool
) -> None:
    """As far as the network can say anything, too, where CTranslate2 has no place for the end that it adds."""
    saved = SAVED if joint else random_model(tokenizer(joint=False))
    search = SearchConfig(
        beam_size=beam_size, n_best=beam_size, no_repeat_ngram=1 if extra < 20 else 20, max_length_extra=extra
    )
    told, end = sources(saved, 12), saved.model.vocabulary.end
    found = CTranslate2Engine(saved).translate(told, search)
    assert any(len(set(each[0].tokens)) > 2 for each in found)
    for source, hypotheses in zip(told, found, strict=True):
        assert [each.score for each in hypotheses] == sorted((h.score for h in hypotheses), reverse=True)
        for each in hypotheses:
            assert len(set(each.tokens)) == len(each.tokens) or extra > 20
            said = [*each.tokens, *[end] * each.ended]
            [total] = TorchEngine(saved.model).log_probabilities([source], [said])
            assert each.log_probability == pytest.approx(total, abs=1e-4)
            assert each.score == pytest.approx(total / len(said), abs=1e-4)


def test_what_a_search_finds_is_as_likely_as_it_says() -> None:
    told, end, engine = sources(SAVED, 20), SAVED.model.vocabulary.end, TorchEngine(SAVED.model)
    found = [best for [best] in engine.translate(told, SearchConfig(beam_size=2))]
    totals = engine.log_probabilities(told, [[*each.tokens, *[end] * each.ended] for each in found])
    assert totals == pytest.approx([each.log_probability for each in found], abs=1e-4)
    assert engine.log_probabilities(told[:1], [[]]) == [0.0]
    assert engine.log_probabilities([], []) == []


def test_names_that_nobody_knows() -> None:
    with pytest.raises(ConfigError, match="no engine 'mariana'; choose auto, torch, exact or ctranslate2"):
        choose_engine(SAVED, "mariana")
    with pytest.raises(ConfigError, match="no precision 'int4'; choose one of: float32, bfloat16, int8"):
        choose_engine(SAVED, precision="int4")
    with pytest.raises(ConfigError, match="the torch engine has no int8"):
        choose_engine(SAVED, "torch", "int8")


@pytest.mark.parametrize(
    ("engine", "precision"),
    [("torch", "bfloat16"), ("ctranslate2", "int8"), ("auto", "int8"), ("auto", "float32")],
)
def test_every_precision_translates(engine: str, precision: str) -> None:
    search = SearchConfig(beam_size=2)
    exact = TorchEngine(SAVED.model).translate(sources(SAVED, 20), search)
    found = choose_engine(SAVED, engine, precision).translate(sources(SAVED, 20), search)
    assert [len(each) for each in found] == [1] * 20
    # Rounded weights change what a network that knows nothing says, but not from the first word on.
    first = [(one[0].tokens[:1], other[0].tokens[:1]) for one, other in zip(exact, found, strict=True)]
    assert sum(one == other for one, other in first) > 10


def test_ctranslate2_restores_order_and_cuts_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, rows = CTranslate2Engine(SAVED, threads=2), sources(SAVED, 40)
    search = SearchConfig(beam_size=3, n_best=2)
    alone = [engine.translate([row], search)[0] for row in rows]
    for tokens in (40, 100_000):
        monkeypatch.setitem(fast.BATCH_TOKENS, "float32", tokens)
        together = engine.translate(rows, search)
        assert [[h.tokens for h in each] for each in together] == [[h.tokens for h in each] for each in alone]
    short = SearchConfig(beam_size=2, max_length_ratio=0.01, max_length_extra=3)
    cut = [best for [best] in engine.translate(rows, short) if not best.ended]
    assert cut
    assert {len(each.tokens) for each in cut} == {3}
    assert engine.translate([], search) == []


def test_how_many_workers_are_fastest_is_found_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONMAL_CACHE", str(tmp_path))
    monkeypatch.setattr(fast, "ENOUGH", 30)
    monkeypatch.setattr(fast, "TRIED", 8)
    search, tried = SearchConfig(beam_size=1), []
    start = CTranslate2Engine._start

    def start_and_note(engine: CTranslate2Engine, folder: Path) -> object:
        tried.append(engine.workers)
        return start(engine, folder)

    monkeypatch.setattr(CTranslate2Engine, "_start", start_and_note)
    engine = CTranslate2Engine(SAVED, threads=4)
    engine.translate(sources(SAVED, 29), search)
    assert tried == [4]  # too few to find out
    engine.translate(sources(SAVED, 30), search)
    assert tried[1:] == [4, 2, 1]  # the usual way first
    [kept] = tmp_path.rglob("workers-float32-4.json")
    assert json.loads(kept.read_text())["workers"] == engine.workers
    later = CTranslate2Engine(SAVED, threads=4)
    later.translate(sources(SAVED, 30), search)
    assert tried[4:] == [later.workers] == [engine.workers]
    kept.write_text("not JSON")
    CTranslate2Engine(SAVED, threads=4).translate(sources(SAVED, 1), search)
    assert tried[5:] == [4]


def test_several_threads_load_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    starts, together = [], Barrier(4)
    start = CTranslate2Engine._start

    def start_and_note(engine: CTranslate2Engine, folder: Path) -> object:
        starts.append(folder)
        return start(engine, folder)

    monkeypatch.setattr(CTranslate2Engine, "_start", start_and_note)
    engine = CTranslate2Engine(SAVED, threads=2)

    def translate(_: int) -> int:
        together.wait(60)
        return len(engine.translate(sources(SAVED, 3), SearchConfig(beam_size=1)))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(translate, range(4))) == [3] * 4
    assert len(starts) == 1


def test_alignment_is_that_of_torch() -> None:
    row = sources(SAVED, 2)[1]
    assert CTranslate2Engine(SAVED).align(row, [5, 6, 2]) == TorchEngine(SAVED.model).align(row, [5, 6, 2])


def test_on_a_gpu_torch_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        TorchEngine, "__init__", lambda self, *_, **__: setattr(self, "device", torch.device("cuda"))
    )
    assert isinstance(choose_engine(SAVED), TorchEngine)


def test_many_threads_and_an_event_loop_get_what_one_gets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        fast, "ENOUGH", 4
    )  # so that all of them want to find out how many workers are fastest
    translator = Translator(SAVED, CTranslate2Engine(SAVED, threads=2), guards=())
    texts = [f"{first} {second}" for first in ("abc", "ade", "hij") for second in ("fgh", "cab", "iii")]
    expected = [found.text for found in translator.translate(texts)]
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(lambda _: translator.translate(texts), range(16)):
            assert [each.text for each in found] == expected

    async def all_at_once() -> list[str]:
        return [each.text for each in await asyncio.gather(*map(translator.translate_async, texts))]

    assert asyncio.run(all_at_once()) == expected
