"""The folder of a run: what in it is in the way, what a killed run left, and that two runs do not share it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from onmal.config import RunConfig
from onmal.errors import ConfigError, TrainingError
from onmal.run_folder import MADE, STANDARD_INPUT, check_folder, open_folder, write_plan
from onmal.training.run import train

DATA = {"source_language": "ko", "target_language": "en"}
CONFIG = RunConfig.from_dict({"name": "a", "data": DATA, "train": {"max_updates": 1}})
HOLD = """
import sys
from pathlib import Path
from onmal.run_folder import open_folder

with open_folder(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_what_a_run_left_that_was_killed_before_it_began_is_not_in_the_way(tmp_path: Path) -> None:
    place = tmp_path / "run" / "training"
    place.mkdir(parents=True)
    for name in (STANDARD_INPUT, f".{STANDARD_INPUT}.77.part"):
        (place / name).write_text("a\tb\n")
    check_folder(tmp_path / "run", CONFIG, resume=False)
    (place / MADE).mkdir()
    (place / MADE / "teacher-1.jsonl").write_text("{}\n")
    check_folder(tmp_path / "run", CONFIG, resume=False)
    (place / "run.toml").write_text("")
    with pytest.raises(TrainingError, match="exists already"):
        check_folder(tmp_path / "run", CONFIG, resume=False)


def test_half_files_of_a_killed_run_go_when_it_goes_on(tmp_path: Path) -> None:
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / ".checkpoint-000000007.safetensors.77.part").write_bytes(b"half")
    (tmp_path / "training" / "checkpoint-000000005.safetensors").write_bytes(b"whole")
    with open_folder(tmp_path) as place:
        assert [path.name for path in place.iterdir()] == ["checkpoint-000000005.safetensors"]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no lock that ends with its process")
def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path / "run")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with (
            pytest.raises(TrainingError, match="another run is at work in this folder; wait"),
            open_folder(tmp_path / "run"),
        ):
            pytest.fail("both have it")
        kept = tmp_path / "run" / "training" / STANDARD_INPUT
        kept.write_text("개\tdog\n", "utf-8")
        data = CONFIG.data.replace(train=["-"], valid=[])
        piped = CONFIG.model_copy(update={"data": data})
        with pytest.raises(TrainingError, match="another run is at work in this folder"):
            train(piped, tmp_path / "run")
        assert kept.read_text("utf-8") == "개\tdog\n"  # the other one's
        kept.unlink()
        other.kill()
        other.wait()
        with open_folder(tmp_path / "run") as place:  # a lock goes with the process, however it ended
            assert place.is_dir()


@pytest.mark.skipif(sys.platform == "win32", reason="all names are Unicode there")
def test_a_name_that_is_not_utf_8_is_told_at_once(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"r\xff")
    with pytest.raises(TrainingError, match="has a name that is not UTF-8"), open_folder(folder):
        pytest.fail("weights could not be read there")
    assert not folder.exists()


def test_settings_that_a_resumed_run_was_not_begun_with_are_told(tmp_path: Path) -> None:
    place = tmp_path / "run" / "training"
    place.mkdir(parents=True)
    write_plan(place, CONFIG, None)
    assert check_folder(tmp_path / "run", CONFIG, resume=True) == []
    changed = RunConfig.from_dict({"name": "a", "data": DATA, "train": {"max_updates": 9, "threads": 3}})
    assert check_folder(tmp_path / "run", changed, resume=True) == [
        "begun with train.max_updates 1, going on with 9"
    ]
    larger = RunConfig.from_dict({"name": "a", "size": "big", "data": DATA, "train": {"max_updates": 1}})
    kept = larger.model_copy(update={"model": CONFIG.model})
    with pytest.raises(ConfigError, match="the run was begun with size = None, not 'big'"):
        check_folder(tmp_path / "run", kept, resume=True)
