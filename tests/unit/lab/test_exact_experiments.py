"""The laboratory: an experiment is judged by the rule written before it, from its numbers alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from onmal.cli import app
from onmal.errors import ConfigError
from onmal.lab import EXPERIMENTS, Result, experiment_named, run
from onmal.lab.experiment import judged_again

QUIET = lambda _: None  # noqa: E731
EXACT = [name for name in EXPERIMENTS if experiment_named(name).exact]


@pytest.mark.parametrize("name", EXACT)
def test_an_exact_check_runs_in_seconds_and_its_file_says_all(name: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    experiment = experiment_named(name)
    result = run(experiment, tmp_path, QUIET)
    written = Result.read(tmp_path / f"{name}.json")
    assert written == result == judged_again(experiment, written)
    assert written.minutes < 1
    assert written.refuted_if == experiment.refuted_if
    assert {"onmal", "torch", "machine", "setup"} <= json.loads(
        (tmp_path / f"{name}.json").read_text()
    ).keys()
    assert result.verdict in ("holds", "holds partly")
    assert (tmp_path / f"{name}.svg").read_text().count("<path") > 5


def test_the_same_seeds_give_the_same_numbers_and_the_same_picture(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    experiment = experiment_named("mask")
    one, other = (run(experiment, tmp_path / folder, QUIET) for folder in "ab")
    assert one.numbers == other.numbers
    assert (tmp_path / "a" / "mask.svg").read_bytes() == (tmp_path / "b" / "mask.svg").read_bytes()


def test_numbers_that_refute_a_claim_are_published_as_such() -> None:
    mask = experiment_named("mask")
    leaking = {
        "with the mask": {"largest_change_at_an_earlier_place": 0.1, "each_seed": [0.1]},
        "without the mask": {"largest_change_at_an_earlier_place": 1.0, "each_seed": [1.0]},
    }
    assert mask.judge(leaking).verdict == "not seen at this size"
    reach = experiment_named("reach")
    layer = {"share_of_pairs_that_meet": 0.1, "seen_beyond": 0}
    numbers = {
        "convolution, 1 layer": layer,
        "convolution, 3 layers": layer,
        "self-attention, 1 layer": layer,
    }
    numbers["self-attention, 1 layer"] = {**layer, "share_of_pairs_that_meet": 1.0}
    assert reach.judge(numbers).verdict == "holds"
    numbers["convolution, 3 layers"] = {**layer, "share_of_pairs_that_meet": 0.6}
    assert reach.judge(numbers).verdict == "holds partly"
    numbers["convolution, 3 layers"] = {**layer, "seen_beyond": 1}
    assert reach.judge(numbers).verdict == "not seen at this size"


def test_every_experiment_says_what_would_refute_it() -> None:
    for name in EXPERIMENTS:
        experiment = experiment_named(name)
        assert experiment.name == name
        assert experiment.claim
        assert experiment.refuted_if
        assert experiment.setup
        assert 0 < experiment.minutes <= 15
        json.dumps(dict(experiment.setup))


def test_a_file_that_is_no_result_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(ConfigError, match="is no result of an experiment"):
        Result.read(tmp_path / "x.json")


def test_the_command_lists_and_runs(tmp_path: Path) -> None:
    listed = CliRunner().invoke(app, ["lab", "--out", str(tmp_path)]).output
    assert all(name in listed for name in EXPERIMENTS)
    told = CliRunner().invoke(app, ["lab", "order", "--out", str(tmp_path)])
    assert told.exit_code == 0
    assert "holds: without positions" in told.output
    assert "holds" in CliRunner().invoke(app, ["lab", "--out", str(tmp_path)]).output
    wrong = CliRunner().invoke(app, ["lab", "ordre"])
    assert wrong.exit_code
    assert "there is no experiment 'ordre'; choose one of: reach, senses, length" in wrong.output


def test_what_is_mistyped_is_told_before_anything_is_measured(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder", "utf-8")
    (tmp_path / "softmax.json").write_text("{", "utf-8")
    run = CliRunner()
    for arguments, told in (
        (["order", "--quick"], "error: --quick goes with all; say: onmal lab all --quick"),
        (
            ["softmax", "--out", str(tmp_path / "file")],
            "is no folder that results can go to: File exists; give another",
        ),
    ):
        wrong = run.invoke(app, ["lab", *arguments])
        assert wrong.exit_code == 2
        assert told in wrong.output
        assert "refuted if" not in wrong.output
    listed = run.invoke(app, ["lab", "--out", str(tmp_path)])
    assert listed.exit_code == 0
    assert "unreadable" in listed.output
