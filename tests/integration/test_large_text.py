"""Text of 1 and of 10 million pairs trains in the same memory. (Small, in `make test`: tests/unit/data/test_shards.py.)"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
ALLOWED = 200  # MiB that training on ten times the text may take more


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_training_takes_no_more_memory_for_ten_million_pairs_than_for_one(tmp_path: Path) -> None:
    program = [sys.executable, str(REPOSITORY / "benchmarks" / "prepare.py")]
    options = ["--millions", "1", "3", "10", "--folder", str(tmp_path), "--results", str(tmp_path)]
    subprocess.run(program + options, check=True)
    found = json.loads((tmp_path / "prepare.json").read_text("utf-8"))
    assert [size["pairs"] for size in found["sizes"]] == [1_000_000, 3_000_000, 10_000_000]
    assert found["training_memory_growth_mib"] <= ALLOWED
    if kept := os.environ.get("ONMAL_KEEP_RESULTS"):  # with its date; the tables are of the benchmark itself
        dated = {"date": date.today().isoformat(), **found}
        Path(kept, "large-text.json").write_text(json.dumps(dated, indent=2) + "\n", "utf-8")
