"""Text of the old domain that is scored and not learned from: what an imported model, whose card names no text, needs."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_finetuning import plan, run, tuned

from onmal.adapting.finetune import keep_old_test, with_old_text
from onmal.errors import ConfigError, DataError
from onmal.run_report.words import TERMS


def test_the_old_domain_is_scored_and_not_learned_from(both_ways: Path, text: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tuned"
    old = text / "old.ko", text / "old.en"
    named = [word for file in old for word in ("--old-test", file)]
    new = text / "new.ko", text / "new.en"
    result = run(both_ways, *new, *named, "--out", folder)
    assert result.exit_code == 0, result.output
    assert "is not scored" not in result.stderr
    assert "old domain: 28 sentences, the text of --old-test" in result.stdout
    assert "old.ko" not in (folder / "training" / "run.toml").read_text("utf-8")


def test_it_is_scored_rather_than_what_is_held_out(both_ways: Path, text: Path, tmp_path: Path) -> None:
    old = str(text / "old.ko-en.tsv")
    mixed = with_old_text(plan(both_ways, text, max_updates=1), {"train": [old], "valid": []}, 0.25, tmp_path)
    keep_old_test(mixed, [old], tmp_path)
    found = tuned(mixed, tmp_path).card["compared"]["old"]
    assert (found["text"], found["sentences"]) == ("the text of --old-test", 28)
    assert found["text"] in TERMS
    keep_old_test(mixed, ["gone.tsv"], tmp_path, resume=True)  # what was kept is there


def test_text_that_cannot_be_scored_is_told_before_anything_is_made(
    both_ways: Path, text: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty.tsv").write_text("")
    with pytest.raises(DataError, match="there is no sentence pair to score; give other text as --old-test"):
        keep_old_test(plan(both_ways, text), [str(tmp_path / "empty.tsv")], tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_run_that_goes_on_takes_no_other_text(both_ways: Path, text: Path, tmp_path: Path) -> None:
    config = plan(both_ways, text, max_updates=1)
    tuned(config, tmp_path)
    with pytest.raises(ConfigError, match="the run was begun without --old-test; leave it away"):
        keep_old_test(config, [str(text / "old.ko-en.tsv")], tmp_path, resume=True)
