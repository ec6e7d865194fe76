"""The main job: what it needs, what it leaves alone, and, slowly, that it runs to its end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from onmal import demo as main_job
from onmal import phrasebook
from onmal.errors import TrainingError


def test_its_settings_ask_for_the_phrasebook_in_both_directions() -> None:
    config = main_job.demo_config(minutes=1.5)
    assert (config.data.corpus, config.data.both_directions, config.train.minutes) == (
        "phrasebook",
        True,
        1.5,
    )
    assert set(config.data.tests) <= set(phrasebook.SPLITS)


def test_a_folder_that_is_not_the_demos_is_left_alone(tmp_path: Path) -> None:
    kept = tmp_path / "letters.txt"
    kept.write_text("mine")
    with pytest.raises(TrainingError, match="exists already"):
        main_job.demo(tmp_path, minutes=0.01, say=lambda line: None)
    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]
    assert kept.read_text() == "mine"


def test_what_it_shows_are_not_sentences_to_be_learned_by_heart() -> None:
    known = {phrase.korean for phrase in phrasebook.phrases("train", 2000)}
    assert sum(sentence in known for sentence in main_job.SENTENCES) < len(main_job.SENTENCES) / 2


@pytest.mark.slow
def test_it_runs_to_its_end_and_a_second_time(tmp_path: Path) -> None:
    folder = tmp_path / "phrasebook"
    for _ in range(2):
        said: list[str] = []
        scores = main_job.demo(folder, minutes=0.1, say=said.append)
        assert json.loads((folder / "scores.json").read_text("utf-8")) == scores
        assert set(scores["splits"]) == set(main_job.TESTS)
        assert scores["nearest_neighbour"]["ko-en"]["BLEU"]["value"] < 60
        assert (folder / "weights.safetensors").exists()
        assert sum("->" in line for line in said) >= len(main_job.SENTENCES)
        assert any("nrefs:1" in line for line in said)  # no score without its signature
