"""A run that is killed again and again, in the middle of an update or of a file, ends as if it never had been.

The processes kill themselves, so that the moments are exact: before a chosen update, in the middle of one (in forward,
backward, exchange or optimizer, after some number of torch's operations), in a chosen file of which half has reached the disk,
before a file takes its place and before an old one is removed; and of two processes sometimes the second one. Their clock
advances at each look at it, so that checkpoints come often and nothing waits.
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
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from onmal import phrasebook
from onmal.config import RunConfig
from onmal.processor import processor
from onmal.training.checkpoint import all_progress, latest_checkpoint

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is of Unix")
KILLED = -9
SOON = {"update": 20, "operation": 3000, "write": 5, "replace": 5, "unlink": 8, "companion": 20}
"""Ways to be killed, and how long that may take: updates, operations within them, or files."""
COMPANION = """
import os, signal

import onmal.training.trainer as trainer
from onmal.training.run import join

update = trainer.Trainer.update

def dying_update(self, batches):
    if self.progress.update == int(os.environ["DIE_AT"]):
        os.kill(os.getpid(), signal.SIGKILL)
    update(self, batches)

trainer.Trainer.update = dying_update
join()
"""
RUN = """
import itertools, os, runpy, signal, sys
from pathlib import Path
from types import SimpleNamespace

from torch.utils._python_dispatch import TorchDispatchMode

import onmal.training.distributed as distributed
import onmal.training.trainer as trainer

kind, number, *sys.argv[1:] = sys.argv[1:]
left = int(number)
if kind == "companion":  # the second process is told to die by its environment
    os.environ["DIE_AT"] = number
    distributed.JOIN = COMPANION
ticks = itertools.count()
trainer.time = SimpleNamespace(monotonic=lambda: next(ticks) / 20)
update, sync = trainer.Trainer.update, os.fsync

class Counting(TorchDispatchMode):
    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        global left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **(kwargs or {}))

def dying_update(self, batches):
    if kind == "update" and self.progress.update == left:
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "operation":
        with Counting():
            update(self, batches)
    else:
        update(self, batches)

def dying_sync(file):
    global left
    if kind == "write":
        left -= 1
        if not left:
            os.ftruncate(file, os.fstat(file).st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)
    sync(file)

def dying(which, name):
    do = getattr(which, name)

    def instead(self, *args, **options):
        global left
        if kind == name and "training" in self.parts:
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)
        return do(self, *args, **options)

    setattr(which, name, instead)

dying(Path, "replace")
dying(Path, "unlink")
trainer.Trainer.update, os.fsync = dying_update, dying_sync
runpy.run_module("onmal", run_name="__main__")
""".replace("COMPANION", repr(COMPANION))


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
                "average": 2, "threads": 1, "max_updates": 120,
            },
        }
    )  # fmt: skip
    (folder / "recipe.toml").write_text(config.to_toml(), "utf-8")
    return folder / "recipe.toml"


def run(
    recipe: Path, folder: Path, processes: int, updates: int, kill: tuple[str, int] = ("never", 0)
) -> bool:
    """Begin a run or go on with it; returns whether it ended, and was not killed."""
    begun = (folder / "training" / "run.toml").exists()
    command = [
        sys.executable, "-c", RUN, kill[0], str(kill[1]), "train", str(recipe), "--out", str(folder),
        "--set", f"train.processes={processes}", "--set", f"train.max_updates={updates}",
        *(["--resume"] if begun else []),
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", timeout=120,
        env={**os.environ, "PYTHONUTF8": "1"}, check=False,
    )  # fmt: skip
    if kill[0] == "companion" and done.returncode == 1:
        assert "another process of this run was lost" in done.stderr
        return False
    assert done.returncode in (0, KILLED), done.stderr
    return done.returncode == 0


def kill_and_compare(
    recipe: Path, folder: Path, processes: int, kinds: Sequence[str], seed: int, updates: int = 120
) -> None:
    """Kill one run in these ways, let it end, and hold it to another that was left alone."""
    chance = random.Random(seed)
    for kind in kinds:
        where = max((p.update for p in all_progress(folder / "killed" / "training")), default=0)
        first = where if kind in ("update", "companion") else 0
        kill = (kind, first + chance.randrange(1, SOON[kind]))
        ended = run(recipe, folder / "killed", processes, updates, kill)
        assert not ended, f"{kill} was not met from update {where} on"
    assert run(recipe, folder / "killed", processes, updates)
    assert run(recipe, folder / "whole", processes, updates)
    for name in ("killed", "whole"):
        assert all_progress(folder / name / "training")[-1].update == updates
    paths = [latest_checkpoint(folder / name / "training") for name in ("killed", "whole")]
    for one, other in (paths, [folder / name / "weights.safetensors" for name in ("killed", "whole")]):
        assert one is not None
        assert other is not None
        killed, whole = load_file(one), load_file(other)
        assert killed.keys() == whole.keys()
        assert [name for name in whole if not torch.equal(killed[name], whole[name])] == []
    assert list((folder / "killed").rglob("*.part")) == []


@pytest.mark.parametrize(
    ("processes", "kinds"), [(1, ["operation", "write", "unlink"]), (2, ["companion", "replace"])]
)
def test_five_kills_change_nothing(processes: int, kinds: list[str], recipe: Path, tmp_path: Path) -> None:
    kill_and_compare(recipe, tmp_path, processes, kinds, seed=processes)


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2])
def test_twenty_kills_change_nothing(processes: int, recipe: Path, tmp_path: Path) -> None:
    ways = [kind for kind in SOON if processes > 1 or kind != "companion"]
    kinds = random.Random(processes).choices(ways, k=20)
    begun = time.monotonic()
    kill_and_compare(recipe, tmp_path, processes, kinds, seed=10 + processes, updates=500)
    kept = os.environ.get("ONMAL_KEEP_RESULTS")
    if kept:  # `make test-full` keeps what it found, with its date
        found = {
            "what": f"20 SIGKILLs, {processes} process(es): the run ended bit for bit as the uninterrupted one",
            "kills": dict(Counter(kinds)),
            "date": date.today().isoformat(), "minutes": round((time.monotonic() - begun) / 60, 1),
            "machine": processor(), "python": platform.python_version(), "torch": torch.__version__,
            "config_hash": hashlib.sha256(recipe.read_bytes()).hexdigest(),
        }  # fmt: skip
        Path(kept, f"kills-{processes}.json").write_text(json.dumps(found, indent=2) + "\n", "utf-8")
