"""How a machine's cores are shared out among processes that onmal starts, or torchrun."""

from __future__ import annotations

import pytest
import torch

from onmal.config import TrainConfig
from onmal.threads import so_many_threads
from onmal.training.device import choose_processes

TORCHRUN = {"RANK": "0", "WORLD_SIZE": "4", "MASTER_ADDR": "localhost", "MASTER_PORT": "29500"}


@pytest.mark.parametrize(
    ("environment", "settings", "expected"),
    [
        ({}, {}, (8, 1)),
        ({}, {"batch_tokens": 1024}, (2, 4)),
        ({}, {"processes": 4}, (4, 2)),
        ({**TORCHRUN, "LOCAL_WORLD_SIZE": "2"}, {}, (4, 4)),  # two machines
        ({**TORCHRUN, "LOCAL_WORLD_SIZE": "2"}, {"processes": 8}, (4, 4)),
        ({**TORCHRUN, "LOCAL_WORLD_SIZE": "2"}, {"threads": 3}, (4, 3)),
        ({**TORCHRUN, "LOCAL_WORLD_SIZE": "4", "OMP_NUM_THREADS": "8"}, {}, (4, 8)),  # for each process
        (TORCHRUN, {}, (4, 2)),
    ],
    ids=str,
)
def test_eight_cores_are_shared_out_among_the_processes_that_there_are(
    environment: dict[str, str],
    settings: dict[str, int],
    expected: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    train = TrainConfig(**{"max_updates": 1, "batch_tokens": 8192, **settings})
    with so_many_threads(8):
        assert choose_processes(train, torch.device("cpu")) == expected
