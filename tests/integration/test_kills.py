"""A run that is killed again and again, in the middle of an update or of a file, ends as if it never had been.

The processes kill themselves, so that the moments are exact: at a chosen update, or in a chosen file of which half has
reached the disk. Their clock advances at each look at it, so that checkpoints come often and nothing waits.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import random
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from onmal import phrasebook
from onmal.config import RunConfig
from onmal.training.checkpoint import all_progress, latest_checkpoint
from onmal.training.device import processor

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is of Unix")
UPDATES = 120
KILLED = -9
RUN = """
import itertools, os, runpy, signal, sys
from types import SimpleNamespace

import onmal.training.trainer as trainer

kind, number, *sys.argv[1:] = sys.argv[1:]
left = int(number)
ticks = itertools.count()
trainer.time = SimpleNamespace(monotonic=lambda: next(ticks) / 20)
update, sync = trainer.Trainer.update, os.fsync

def dying_update(self, batches):
    if kind == "update" and self.progress.update == left:
        os.kill(os.getpid(), signal.SIGKILL)
    update(self, batches)

def dying_sync(file):
    global left
    if kind == "write":
        left -= 1
        if not left:
            os.ftruncate(file, os.fstat(file).st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)
    sync(file)

trainer.Trainer.update, os.fsync = dying_update, dying_sync
runpy.run_module("onmal", run_name="__main__")
"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small run with everything in it that is drawn by chance."""
    folder = tmp_path_factory.mktemp("corpus")
    for split, count in (("train", 200), ("valid", 6)):
        lines = [f"{phrase.korean}\t{phrase.english}\n" for phrase in phrasebook.phrases(split, count)]
        (folder / f"{split}.tsv").write_text("".join(lines), "utf-8")
    config = RunConfig.from_dict(
        {
            "name": "killed",
            "model": {
                "d_model": 16, "num_heads": 2, "feed_forward": 16, "encoder_layers": 1, "decoder_layers": 1,
                "dropout": 0.1, "max_source_length": 64, "max_target_length": 64,
            },
            "data": {
                "source_language": "ko", "target_language": "en", "subword_sampling": 0.2, "max_length": 64,
                "train": [str(folder / "train.tsv")], "valid": [str(folder / "valid.tsv")],
            },
            "train": {
                "batch_tokens": 128, "warmup": 10, "learning_rate": 0.01, "validate_every": 25, "save_every": 1,
                "average": 2, "threads": 1, "max_updates": UPDATES,
            },
        }
    )  # fmt: skip
    (folder / "recipe.toml").write_text(config.to_toml(), "utf-8")
    return folder / "recipe.toml"


def run(recipe: Path, folder: Path, processes: int, kill: tuple[str, int] = ("never", 0)) -> int:
    """Begin a run or go on with it; returns how it ended."""
    begun = (folder / "training" / "run.toml").exists()
    command = [
        sys.executable, "-c", RUN, kill[0], str(kill[1]), "train", str(recipe), "--out", str(folder),
        "--set", f"train.processes={processes}", *(["--resume"] if begun else []),
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", timeout=120,
        env={**os.environ, "PYTHONUTF8": "1"}, check=False,
    )  # fmt: skip
    assert done.returncode in (0, KILLED), done.stderr
    return done.returncode


def kill_and_compare(recipe: Path, folder: Path, processes: int, kills: int, seed: int) -> None:
    """Kill one run `kills` times, let it end, and hold it to another that was left alone."""
    chance = random.Random(seed)
    done = 0
    while done < kills:
        where = max((p.update for p in all_progress(folder / "killed" / "training")), default=0)
        # In the middle of an update of the next stretch, or of one of the files that are written in it.
        kill = chance.choice((("update", where + chance.randrange(1, 20)), ("write", chance.randrange(1, 5))))
        ended = run(recipe, folder / "killed", processes, kill)
        assert ended == KILLED, f"{kill} was not met from update {where} on"
        done += 1
    assert run(recipe, folder / "killed", processes) == 0
    assert run(recipe, folder / "whole", processes) == 0
    for name in ("killed", "whole"):
        assert all_progress(folder / name / "training")[-1].update == UPDATES
    paths = [latest_checkpoint(folder / name / "training") for name in ("killed", "whole")]
    for one, other in (paths, [folder / name / "weights.safetensors" for name in ("killed", "whole")]):
        assert one is not None
        assert other is not None
        killed, whole = load_file(one), load_file(other)
        assert killed.keys() == whole.keys()
        assert [name for name in whole if not torch.equal(killed[name], whole[name])] == []
    assert list((folder / "killed").rglob("*.part")) == []


@pytest.mark.parametrize(("processes", "kills", "seed"), [(1, 3, 1), (2, 2, 2)])
def test_five_kills_change_nothing(
    processes: int, kills: int, seed: int, recipe: Path, tmp_path: Path
) -> None:
    kill_and_compare(recipe, tmp_path, processes, kills, seed)


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2])
def test_twenty_kills_change_nothing(processes: int, recipe: Path, tmp_path: Path) -> None:
    begun = time.monotonic()
    kill_and_compare(recipe, tmp_path, processes, kills=20, seed=10 + processes)
    kept = os.environ.get("ONMAL_KEEP_RESULTS")
    if kept:  # `make test-full` keeps what it found, with its date
        found = {
            "what": f"20 SIGKILLs, {processes} process(es): the run ended bit for bit as the uninterrupted one",
            "date": date.today().isoformat(), "minutes": round((time.monotonic() - begun) / 60, 1),
            "machine": processor(), "python": platform.python_version(), "torch": torch.__version__,
            "config_hash": hashlib.sha256(recipe.read_bytes()).hexdigest(),
        }  # fmt: skip
        Path(kept, f"kills-{processes}.json").write_text(json.dumps(found, indent=2) + "\n", "utf-8")
