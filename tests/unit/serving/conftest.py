"""The model that the tests of the server share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tiny_model import save_tiny_model


@pytest.fixture(scope="session")
def both_ways(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder of both directions between Korean and English."""
    return save_tiny_model(tmp_path_factory.mktemp("served") / "ko-en", both_directions=True)
