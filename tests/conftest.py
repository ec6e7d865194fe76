"""What every test shares: one torch thread, the same random numbers in every test, and real text where it is present."""

from __future__ import annotations

import os
import random
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported; processes that tests start inherit it

import numpy
import pytest
import torch
from hypothesis import HealthCheck, settings

REPOSITORY = Path(__file__).resolve().parent.parent

settings.register_profile(
    "onmal",
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],  # it asks the clock, so a busy machine would fail it
)
settings.load_profile("onmal")


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Sums in the same order on every machine, and no threads that fight over two cores."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What tests fetch and convert does not fill a person's cache; processes that tests start inherit it."""
    os.environ["ONMAL_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(autouse=True)
def same_seed() -> None:
    """A test's random numbers do not depend on which tests ran before it."""
    random.seed(0)
    numpy.random.seed(0)
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real corpora: ONMAL_TEST_DATA, or shared/data beside the repository; the test is skipped without it."""
    folder = Path(os.environ.get("ONMAL_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}; set ONMAL_TEST_DATA to its folder")
    return folder
