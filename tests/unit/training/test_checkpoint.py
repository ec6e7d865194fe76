"""Checkpoints: exact to the bit, whole or not there, and never a pickle."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from onmal.errors import DataError, TrainingError
from onmal.run_report.events import Progress
from onmal.training.checkpoint import (
    all_progress,
    latest_checkpoint,
    load_checkpoint,
    named_weights,
    save_checkpoint,
    training_state,
)
from onmal.writing import write_whole

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Tied(nn.Module):
    """Two layers that share a table."""

    def __init__(self, width: int = 6) -> None:
        super().__init__()
        self.first = nn.Linear(width, width)
        self.second = nn.Linear(width, width)
        self.second.weight = self.first.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.second(torch.dropout(self.first(x).tanh(), 0.3, train=True))


def begin(seed: int = 0, width: int = 6) -> tuple[Tied, torch.optim.Optimizer]:
    torch.manual_seed(seed)
    model = Tied(width)
    return model, torch.optim.AdamW(model.parameters(), lr=0.01, fused=True)


def learn(model: nn.Module, optimizer: torch.optim.Optimizer, updates: int = 3) -> None:
    """Updates on random data with dropout: what comes out depends on the random state."""
    for _ in range(updates):
        optimizer.zero_grad()
        model(torch.randn(4, 6)).square().mean().backward()
        optimizer.step()


def save(folder: Path, update: int, **where: object) -> Path:
    model, optimizer = begin()
    learn(model, optimizer, 1)
    return save_checkpoint(folder, training_state(model, optimizer), Progress(update=update, **where))


def test_what_is_loaded_goes_on_bit_for_bit(tmp_path: Path) -> None:
    model, optimizer = begin()
    learn(model, optimizer)
    where = Progress(
        update=3, epoch=1, batch=2, seconds=1.25, target_tokens=99, skipped=1, skipped_in_a_row=1,
        best_score=0.1 + 0.2, best_update=2, validations_since_best=1, snapshots=[1, 2], data_sha256="a5",
    )  # fmt: skip
    path = save_checkpoint(tmp_path, training_state(model, optimizer), where)
    torch.manual_seed(7)
    learn(model, optimizer)

    other, others = begin(seed=5)
    learn(other, others, 1)
    assert load_checkpoint(path, other, others) == where
    torch.manual_seed(7)
    learn(other, others)
    for name, weight in named_weights(model).items():
        assert torch.equal(named_weights(other)[name], weight), name
    states = [each.state_dict()["state"] for each in (optimizer, others)]
    assert states[0].keys() == states[1].keys()
    for index, state in states[0].items():
        assert state.keys() == {"step", "exp_avg", "exp_avg_sq"}
        for key, value in state.items():
            assert torch.equal(states[1][index][key], value), (index, key)


def test_a_run_without_an_update_can_be_saved(tmp_path: Path) -> None:
    model, optimizer = begin()
    path = save_checkpoint(tmp_path, training_state(model, optimizer), Progress())
    other, others = begin(seed=1)
    assert load_checkpoint(path, other, others) == Progress()
    assert torch.equal(other.first.weight, model.first.weight)


def test_the_file_is_a_safetensors_file_to_its_last_byte(tmp_path: Path) -> None:
    content = save(tmp_path, 1).read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    assert json.loads(header.pop("__metadata__")["progress"])["update"] == 1
    assert len(content) == 8 + size + max(tensor["data_offsets"][1] for tensor in header.values())
    assert {name.split(".")[0] for name in header} == {"model", "optimizer"}
    assert "model.second.weight" not in header  # tied: stored once, under its first name


def test_two_stay(tmp_path: Path) -> None:
    for update in (1, 2, 30, 4000):
        save(tmp_path, update)
    assert [path.name for path in sorted(tmp_path.iterdir())] == [
        "checkpoint-000000030.safetensors",
        "checkpoint-000004000.safetensors",
    ]
    assert [progress.update for progress in all_progress(tmp_path)] == [30, 4000]


def test_a_run_that_went_back_leaves_nothing_of_what_came_later(tmp_path: Path) -> None:
    """Else the damaged file of a later update would count as one of the two that stay."""
    for update in (10, 20):
        save(tmp_path, update)
    (tmp_path / "checkpoint-000000020.safetensors").write_bytes(b"damaged")
    save(tmp_path, 15)
    assert [path.name for path in sorted(tmp_path.iterdir())] == [
        "checkpoint-000000010.safetensors",
        "checkpoint-000000015.safetensors",
    ]


def test_a_damaged_one_is_not_one_of_the_two_that_stay(tmp_path: Path) -> None:
    for update in (10, 20):
        save(tmp_path, update)
    (tmp_path / "checkpoint-000000020.safetensors").write_bytes(b"damaged")
    save(tmp_path, 30)
    assert [path.name for path in sorted(tmp_path.iterdir())] == [
        "checkpoint-000000010.safetensors",
        "checkpoint-000000030.safetensors",
    ]


def test_what_was_just_written_stays_though_nothing_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path, 100)

    def unreadable(*arguments: object, **options: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with monkeypatch.context() as patched:
        patched.setattr("onmal.training.checkpoint.safe_open", unreadable)
        path = save(tmp_path, 200)
    assert latest_checkpoint(tmp_path) == path


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_last_good_one(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = save(tmp_path, 1)
    before = good.read_bytes()

    def fail(*_: object) -> None:
        raise FULL

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        for update in (1, 2):
            with pytest.raises(
                DataError, match=rf"checkpoint-00000000{update}.*: cannot be written \(No space"
            ):
                save(tmp_path, update)
    assert list(tmp_path.iterdir()) == [good]
    assert good.read_bytes() == before
    assert latest_checkpoint(tmp_path) == good


def test_a_folder_that_is_gone_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be written") as caught:
        write_whole(tmp_path / "gone" / "file", b"content")
    assert "\n" not in str(caught.value)


def test_an_interrupted_write_leaves_no_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "file", b"content")
    assert list(tmp_path.iterdir()) == []


def test_without_any_there_is_none(tmp_path: Path) -> None:
    assert latest_checkpoint(tmp_path) is None
    assert latest_checkpoint(tmp_path / "gone") is None
    assert all_progress(tmp_path) == []


@pytest.mark.parametrize("share", [0.0, 0.001, 0.01, 0.3, 0.999])
def test_a_truncated_one_gives_way_to_the_one_before(share: float, tmp_path: Path) -> None:
    old, new = save(tmp_path, 1), save(tmp_path, 2)
    assert latest_checkpoint(tmp_path) == new
    content = new.read_bytes()
    new.write_bytes(content[: int(share * len(content))])
    assert latest_checkpoint(tmp_path) == old
    assert [progress.update for progress in all_progress(tmp_path)] == [1]


def test_a_file_of_something_else_gives_way_too(tmp_path: Path) -> None:
    old, new = save(tmp_path, 1), save(tmp_path, 2)
    save_file({"a": torch.zeros(1)}, new)
    assert latest_checkpoint(tmp_path) == old
    model, optimizer = begin()
    with pytest.raises(TrainingError, match="is no checkpoint"):
        load_checkpoint(new, model, optimizer)


def test_all_damaged_is_said(tmp_path: Path) -> None:
    for update in (1, 2):
        save(tmp_path, update).write_bytes(b"x" * 100)
    with pytest.raises(
        TrainingError, match="none of the checkpoints can be read; remove them and train again"
    ):
        latest_checkpoint(tmp_path)


@pytest.mark.parametrize("other", [Tied(7), nn.Linear(6, 6)], ids=["other sizes", "other names"])
def test_another_networks_is_refused_and_nothing_is_changed(other: nn.Module, tmp_path: Path) -> None:
    path = save(tmp_path, 1)
    optimizer = torch.optim.AdamW(other.parameters())
    before = {name: weight.clone() for name, weight in named_weights(other).items()}
    with pytest.raises(TrainingError, match="belongs to another network; resume with the settings"):
        load_checkpoint(path, other, optimizer)
    assert all(torch.equal(weight, before[name]) for name, weight in named_weights(other).items())


def test_older_and_newer_descriptions_of_a_run_are_read(tmp_path: Path) -> None:
    """A field that is not known is left out, one that is missing has its default."""
    path = save(tmp_path, 7, best_update=3)
    with safe_open(path, framework="pt") as file:
        values = json.loads(file.metadata()["progress"])
    del values["data_sha256"], values["skipped"]
    save_file(load_file(path), path, {"progress": json.dumps({**values, "of a later version": 1})})
    model, optimizer = begin()
    assert load_checkpoint(path, model, optimizer) == Progress(update=7, best_update=3)
