"""Snapshots: the mean of weights, and which files stay."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from onmal.errors import TrainingError
from onmal.training.checkpoint import named_weights
from onmal.training.snapshots import Snapshots


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(5, 3)
        self.output = nn.Linear(3, 5)
        self.output.weight = self.table.weight


def take(snapshots: Snapshots, updates: range) -> tuple[list[int], dict[int, dict[str, torch.Tensor]]]:
    """Snapshots of random weights after each update; which are to be averaged, and all weights."""
    kept: list[int] = []
    weights = {}
    for update in updates:
        model = Tied()
        kept = snapshots.add(named_weights(model), update, kept)
        weights[update] = {name: p.detach().clone() for name, p in model.named_parameters()}
    return kept, weights


def names(folder: Path) -> list[int]:
    return sorted(int(path.stem.removeprefix("snapshot-")) for path in folder.iterdir())


def test_the_mean_is_the_mean_of_the_last(tmp_path: Path) -> None:
    snapshots = Snapshots(tmp_path, 3)
    kept, weights = take(snapshots, range(10, 60, 10))
    assert kept == [30, 40, 50]
    mean = snapshots.mean(kept)
    assert mean.keys() == weights[10].keys() == {"table.weight", "output.bias"}
    for name, found in mean.items():
        assert found.dtype == torch.float32
        expected = torch.stack([weights[update][name].double() for update in kept]).mean(0)
        torch.testing.assert_close(found, expected.float(), rtol=0, atol=0)


def test_the_mean_of_one_is_that_one_to_the_bit(tmp_path: Path) -> None:
    snapshots = Snapshots(tmp_path, 1)
    kept, weights = take(snapshots, range(1, 4))
    assert kept == [3]
    assert all(torch.equal(found, weights[3][name]) for name, found in snapshots.mean(kept).items())


def test_put_sets_every_weight(tmp_path: Path) -> None:
    snapshots = Snapshots(tmp_path, 2)
    kept, _ = take(snapshots, range(1, 3))
    mean, model = snapshots.mean(kept), Tied()
    snapshots.put(model, mean)
    assert all(torch.equal(p, mean[name]) for name, p in model.named_parameters())
    assert model.output.weight is model.table.weight


def test_the_same_update_counts_once(tmp_path: Path) -> None:
    snapshots = Snapshots(tmp_path, 3)
    kept, _ = take(snapshots, range(1, 4))
    assert snapshots.add(named_weights(Tied()), 3, kept) == [1, 2, 3]


def test_those_that_are_needed_stay_and_all_others_go(tmp_path: Path) -> None:
    snapshots = Snapshots(tmp_path, 2)
    take(snapshots, range(1, 7))
    assert names(tmp_path) == [1, 2, 3, 4, 5, 6]
    (tmp_path / "snapshot-000000007.safetensors.part").write_bytes(b"left by a killed process")
    (tmp_path / "other").write_text("not ours")
    snapshots.keep_only({2, 5, 6, 99})
    (tmp_path / "other").unlink()
    assert names(tmp_path) == [2, 5, 6]


def test_a_missing_or_damaged_one_is_one_line(tmp_path: Path) -> None:
    snapshots = Snapshots(tmp_path, 3)
    kept, _ = take(snapshots, range(1, 4))
    snapshots.path(2).write_bytes(b"damaged")
    with pytest.raises(TrainingError, match=r"snapshot-000000002\.safetensors: cannot be read"):
        snapshots.mean(kept)
    snapshots.path(2).unlink()
    with pytest.raises(TrainingError, match="missing or damaged") as caught:
        snapshots.mean(kept)
    assert "\n" not in str(caught.value)
