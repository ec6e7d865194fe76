"""The benchmark of regularisers changes one thing at a time, goes on where it stopped, and compares like with like."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from onmal.config import RunConfig

REPOSITORY = Path(__file__).resolve().parents[2]
TEXT = "".join(f"a{number} b{number}\tc{number} d{number}\n" for number in range(40))
RUN = {"bleu": 30.0, "chrf": 50.0, "loss": 2.0, "length_ratio": 1.0, "updates": 10}


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(REPOSITORY / "benchmarks")
    return importlib.import_module("regularisers")


def run(
    benchmark: ModuleType, folder: Path, monkeypatch: pytest.MonkeyPatch, *options: str, stop_at: int = 100
) -> list[tuple[str, dict[str, Any]]]:
    """The whole program but for training and scoring; returns what it would have trained."""
    trained: list[tuple[str, dict[str, Any]]] = []

    def train(config: RunConfig, corpora: Mapping[str, Path], place: Path) -> None:
        if len(trained) == stop_at:
            raise KeyboardInterrupt
        trained.append((place.name, config.model_dump()))

    (folder / "train.tsv").write_text(TEXT)
    (folder / "recipe.toml").write_text(
        f"""name = "test"\n[data]\nsource_language = "en"\ntarget_language = "de"\ntrain = ['{folder / "train.tsv"}']
valid = []\n[train]\nminutes = 60\nvalidate_every = 1000\naverage = 5\nreversed_share = 0.33\n""",
        "utf-8",
    )
    monkeypatch.setattr(benchmark, "train", train)
    monkeypatch.setattr(benchmark, "scores", lambda *_: RUN)
    places = [
        f"--{name}={folder / place}" for name, place in (("recipe", "recipe.toml"), ("results", "results"))
    ]
    monkeypatch.setattr(sys, "argv", ["regularisers.py", *places, *options])
    benchmark.main()
    return trained


def differences(one: dict[str, Any], other: dict[str, Any]) -> set[str]:
    return {
        f"{section}.{key}"
        for section in ("model", "data", "train", "search")
        for key, value in one[section].items()
        if other[section][key] != value
    }


def test_each_setting_changes_one_thing_and_all_have_the_same_time(
    benchmark: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first, recipe), *others = run(benchmark, tmp_path, monkeypatch, "--minutes=15")
    assert first == "recipe-1"
    assert (recipe["train"]["minutes"], recipe["train"]["validate_every"]) == (15, 250)
    assert [differences(recipe, config) for _, config in others] == [
        {change.partition("=")[0] for change in name.split()} for name, _ in others
    ]
    left_out = set(benchmark.SETTINGS) - {name.removesuffix("-1") for name, _ in (("recipe-1", 0), *others)}
    assert left_out == {
        "train.optimizer=adam", "train.weight_decay=0.0", "data.subword_sampling=0.0", "model.dropout=0.1",
    }  # fmt: skip


def test_it_goes_on_where_it_was_stopped(
    benchmark: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = (
        "--seeds",
        "1",
        "2",
        "--settings",
        "recipe",
        "train.ema=0.9 model.dropout=0.3",
        "train.r_drop=5",
    )
    with pytest.raises(KeyboardInterrupt):
        run(benchmark, tmp_path, monkeypatch, *settings, stop_at=3)
    rest = run(benchmark, tmp_path, monkeypatch, *settings)
    assert [name for name, _ in rest] == [
        "train.ema=0.9 model.dropout=0.3-2", "train.r_drop=5-1", "train.r_drop=5-2",
    ]  # fmt: skip
    assert run(benchmark, tmp_path, monkeypatch, *settings) == []
    written = json.loads((tmp_path / "results" / "regularisers.json").read_text("utf-8"))
    assert list(written["settings"]) == ["recipe", "train.ema=0.9 model.dropout=0.3", "train.r_drop=5"]
    assert [list(runs) for runs in written["settings"].values()] == [["1", "2"]] * 3


def test_another_time_or_recipe_is_not_mixed_in(
    benchmark: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(benchmark, tmp_path, monkeypatch, "--settings", "recipe")
    with pytest.raises(
        benchmark.ConfigError, match=r"minutes is 15\.0, not 30\.0; such runs cannot be compared"
    ):
        run(benchmark, tmp_path, monkeypatch, "--settings", "recipe", "--minutes=30")


def test_a_setting_that_does_not_exist_is_told_before_anything_is_trained(
    benchmark: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(benchmark.ConfigError, match=r"train\.rdrop"):
        run(benchmark, tmp_path, monkeypatch, "--settings", "recipe", "train.rdrop=5")
    assert not (tmp_path / "results").exists()
