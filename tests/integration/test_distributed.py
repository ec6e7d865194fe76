"""Several processes train as one: the same losses, the same end after any stop, and a clean end when one is lost."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from onmal import phrasebook
from onmal.config import RunConfig
from onmal.training.checkpoint import all_progress, latest_checkpoint

UPDATES = 20
unix = pytest.mark.skipif(sys.platform == "win32", reason="signals are those of Unix")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200 pairs to train on, 12 for validation."""
    folder = tmp_path_factory.mktemp("corpus")
    for split, count in (("train", 200), ("valid", 12)):
        lines = [f"{phrase.korean}\t{phrase.english}\n" for phrase in phrasebook.phrases(split, count)]
        (folder / f"{split}.tsv").write_text("".join(lines), "utf-8")
    return folder


def recipe(corpus: Path, processes: int, *, dropout: float = 0.1, **settings: object) -> RunConfig:
    return RunConfig.from_dict(
        {
            "name": "test",
            "model": {
                "d_model": 16, "num_heads": 2, "feed_forward": 16, "encoder_layers": 1, "decoder_layers": 1,
                "dropout": dropout, "max_source_length": 64, "max_target_length": 64,
            },
            "data": {
                "source_language": "ko", "target_language": "en", "subword_sampling": 0.2, "max_length": 64,
                "train": [str(corpus / "train.tsv")], "valid": [str(corpus / "valid.tsv")],
            },
            "train": {
                "batch_tokens": 200, "accumulate": 2, "warmup": 0, "learning_rate": 0.01, "validate_every": 10,
                "save_every": 1, "threads": 1, "processes": processes, "precision": "float32",
                "max_updates": UPDATES, **settings,
            },
        }
    )  # fmt: skip


def start(config: RunConfig, folder: Path, *options: str) -> subprocess.Popen[str]:
    written = folder.with_suffix(".toml")
    written.write_text(config.to_toml(), "utf-8")
    return subprocess.Popen(
        [sys.executable, "-m", "onmal", "train", str(written), "--out", str(folder), *options],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1"},
    )  # fmt: skip


def train(config: RunConfig, folder: Path, *options: str) -> str:
    """A whole run; returns what was said."""
    with start(config, folder, *options) as process:
        _, said = process.communicate(timeout=120)
    assert (folder / "weights.safetensors").exists(), said
    return said


@pytest.fixture(scope="module")
def together(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two processes, uninterrupted."""
    folder = tmp_path_factory.mktemp("runs") / "together"
    said = train(recipe(corpus, 2), folder)
    assert "processes: 2" in said
    assert "Warning" not in said
    return folder


def checkpoint(folder: Path) -> dict[str, torch.Tensor]:
    newest = latest_checkpoint(folder / "training")
    assert newest is not None
    return load_file(newest)


def same(one: Path, other: Path) -> bool:
    """Weights and optimizer of the newest checkpoints, to the bit."""
    first, second = checkpoint(one), checkpoint(other)
    return first.keys() == second.keys() and all(torch.equal(t, second[name]) for name, t in first.items())


def validation_losses(folder: Path) -> list[float]:
    lines = (folder / "training" / "log.jsonl").read_text("utf-8").splitlines()
    events = [json.loads(line) for line in lines]
    return [e["negative_log_likelihood"] for e in events if e["event"] == "validation"]


@pytest.fixture(scope="module")
def alone(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one process without dropout, uninterrupted."""
    folder = tmp_path_factory.mktemp("runs") / "alone"
    train(recipe(corpus, 1, dropout=0.0), folder)
    return folder


def assert_close(one: Path, other: Path) -> None:
    """Weights and optimizer of the newest checkpoints, but for the order in which numbers were added."""
    first, second = checkpoint(one), checkpoint(other)
    assert {name: t.shape for name, t in first.items()} == {name: t.shape for name, t in second.items()}
    for name, tensor in first.items():
        # A key's bias adds the same to all scores: softmax does not see it, and its gradient is rounding alone.
        if name.startswith("model.") and not name.endswith("key.bias"):
            assert torch.allclose(tensor, second[name], atol=2e-3), name


@pytest.mark.parametrize("optimizer", ["adam", "muon"])
def test_two_give_the_losses_of_one(optimizer: str, alone: Path, corpus: Path, tmp_path: Path) -> None:
    if optimizer != "adam":
        alone = tmp_path / "alone"
        train(recipe(corpus, 1, dropout=0.0, optimizer=optimizer), alone)
    train(recipe(corpus, 2, dropout=0.0, optimizer=optimizer), tmp_path / "two")
    one, two = validation_losses(alone), validation_losses(tmp_path / "two")
    assert len(one) == 2
    assert one == pytest.approx(two, rel=1e-4)
    assert one[1] < one[0]
    assert_close(alone, tmp_path / "two")


@unix
def test_regularised_two_go_on_with_a_mix_as_if_nothing_had_been(corpus: Path, tmp_path: Path) -> None:
    settings = {"optimizer": "muon", "r_drop": 5.0, "word_dropout": 0.1, "ema": 0.9, "validate_every": 5}
    text, folder = [str(corpus / "train.tsv")], tmp_path / "run"
    mix = [{"train": text, "weight": 2.0}, {"train": text, "tag": "again"}]

    def mixed(updates: int) -> RunConfig:
        config = recipe(corpus, 2, max_updates=updates, **settings)
        return config.replace(data=config.data.replace(train=[], mix=mix))

    endless = mixed(1_000_000)
    stop(start(endless, folder), folder, lambda process: process.send_signal(signal.SIGINT))
    end = all_progress(folder / "training")[-1].update + 5
    train(mixed(end), folder, "--resume")
    train(mixed(end), tmp_path / "uninterrupted")
    assert same(folder, tmp_path / "uninterrupted")
    assert {name.split(".")[-1] for name in checkpoint(folder)} >= {"average", "exp_avg"}


def test_each_process_draws_its_own_dropout(corpus: Path, together: Path, tmp_path: Path) -> None:
    train(recipe(corpus, 1), tmp_path / "alone")
    assert validation_losses(tmp_path / "alone") != pytest.approx(validation_losses(together), rel=1e-5)


def test_the_same_again_gives_the_same_weights(corpus: Path, together: Path, tmp_path: Path) -> None:
    train(recipe(corpus, 2), tmp_path / "again")
    assert same(together, tmp_path / "again")


def stop(process: subprocess.Popen[str], folder: Path, kill: Callable[[subprocess.Popen[str]], None]) -> str:
    """Stop a run as soon as a checkpoint is there; returns what it said after."""
    with process:
        assert process.stderr is not None
        for _ in process.stderr:
            if list((folder / "training").glob("checkpoint-*.safetensors")):
                kill(process)
                break
        return process.stderr.read()


@unix
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGKILL], ids=lambda kind: kind.name)
def test_two_that_are_stopped_go_on_as_if_nothing_had_been(
    kind: signal.Signals, corpus: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    endless = recipe(corpus, 2, max_updates=1_000_000, validate_every=5)
    said = stop(start(endless, folder), folder, lambda process: process.send_signal(kind))
    assert "Traceback" not in said
    end = all_progress(folder / "training")[-1].update + 7
    config = recipe(corpus, 2, max_updates=end, validate_every=5)
    train(config, folder, "--resume")
    train(config, tmp_path / "uninterrupted")
    assert same(folder, tmp_path / "uninterrupted")


def children(pid: int) -> list[int]:
    """Processes that a process started, as /proc tells."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        if int(fields[1]) == pid:
            found.append(int(status.parent.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_lost_process_ends_the_run_in_one_line_and_another_number_goes_on(
    corpus: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    process = start(recipe(corpus, 2, max_updates=1_000_000, validate_every=5), folder)

    def lose(process: subprocess.Popen[str]) -> None:
        (companion,) = children(process.pid)
        os.kill(companion, signal.SIGKILL)

    said = stop(process, folder, lose)
    assert process.returncode == 1
    assert "error: another process of this run was lost (" in said
    assert "Traceback" not in said
    where = all_progress(folder / "training")[-1].update
    said = train(recipe(corpus, 1, max_updates=where + 3), folder, "--resume")
    assert "begun with processes 2, going on with 1: not to the bit" in said
    assert all_progress(folder / "training")[-1].update == where + 3


def test_shares_of_the_weights_learn_what_whole_ones_do_and_go_on_anywhere(
    corpus: Path, alone: Path, tmp_path: Path
) -> None:
    """FSDP2, stopped half-way and gone on with by two processes or one: as one process in one go."""
    half, whole = (
        recipe(corpus, 2, dropout=0.0, sharded=True, max_updates=updates)
        for updates in (UPDATES // 2, UPDATES)
    )
    train(half, tmp_path / "two")
    shutil.copytree(tmp_path / "two", tmp_path / "one")
    for name, config in (("two", whole), ("one", recipe(corpus, 1, dropout=0.0))):
        said = train(config, tmp_path / name, "--resume")
        assert f"resumed at update: {UPDATES // 2}" in said
        assert all_progress(tmp_path / name / "training")[-1].update == UPDATES
        assert validation_losses(tmp_path / name) == pytest.approx(validation_losses(alone), rel=1e-4)
        assert_close(tmp_path / name, alone)


def test_torchrun_starts_the_same_run(corpus: Path, together: Path, tmp_path: Path) -> None:
    written = tmp_path / "run.toml"
    written.write_text(recipe(corpus, 2).to_toml(), "utf-8")
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
        "-m", "onmal", "train", str(written), "--out", str(tmp_path / "run"),
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", timeout=120,
        env={**os.environ, "PYTHONUTF8": "1", "OMP_NUM_THREADS": "1"}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert same(together, tmp_path / "run")
