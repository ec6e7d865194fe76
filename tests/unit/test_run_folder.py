"""The folder of a run: what in it is in the way, what a killed run left, and that two runs do not share it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from onmal.config import RunConfig
from onmal.errors import TrainingError
from onmal.run_folder import MADE, STANDARD_INPUT, check_folder, open_folder

DATA = {"source_language": "ko", "target_language": "en"}
CONFIG = RunConfig.from_dict({"name": "a", "data": DATA, "train": {"max_updates": 1}})
HOLD = """
import sys
from pathlib import Path
from onmal.run_folder import open_folder

with open_folder(Path(sys.argv[1]), alone=True):
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
    with open_folder(tmp_path, alone=True) as place:
        assert [path.name for path in place.iterdir()] == ["checkpoint-000000005.safetensors"]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no lock that ends with its process")
def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path / "run")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with (
            pytest.raises(TrainingError, match="another run is at work in this folder; wait"),
            open_folder(tmp_path / "run", alone=True),
        ):
            pytest.fail("both have it")
        other.kill()
        other.wait()
        with open_folder(
            tmp_path / "run", alone=True
        ) as place:  # a lock goes with the process, however it ended
            assert place.is_dir()
