"""Measures `onmal prepare` and the training that reads its shards, on 1, 3 and 10 million pairs of the phrasebook.

Pairs are generated (about 25,000 a second and core, in one go for the largest size), prepared with every filter, tokenizer and
subword sampling, and trained on for some updates of the size tiny. Recorded for each size: pairs prepared a second, from the
start of the command to its end; anonymous memory (RssAnon, sampled ten times a second) of preparing, all processes
together, and of training; and the seconds from the start of `onmal train` to its first update.

    python benchmarks/prepare.py
    python benchmarks/prepare.py --millions 0.2 1 --updates 50

The result goes to benchmarks/results/prepare.json. Linux only, for it reads /proc.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Callable
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import recording

from onmal import phrasebook
from onmal.errors import DataError

CONFIG = """
size = "tiny"

[data]
source_language = "ko"
target_language = "en"
train = ["{text}"]
valid = []
subword_sampling = 0.1

[train]
batch_tokens = 1024
processes = 1
validate_every = 1000000
"""
MEBIBYTE = 1 << 20


def main() -> None:
    """Generate, prepare, train, record."""
    options, begun = arguments(), time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="onmal-prepare-", dir=options.folder))
    try:
        sizes = [round(1e6 * millions) for millions in sorted(options.millions)]
        text, config = folder / "pairs.ko-en.tsv", folder / "run.toml"
        generated = write_pairs(text, sizes[-1])
        config.write_text(CONFIG.format(text=text), "utf-8")
        found = [measure(folder, config, size, options.updates) for size in sizes]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    show(found)
    first, last = found[0], found[-1]
    result = {
        "machine": recording.this_machine(),
        "onmal": version("onmal"),
        "config_hash": hashlib.sha256(CONFIG.encode()).hexdigest(),
        "minutes": round((time.monotonic() - begun) / 60, 1),
        "generated_per_second": generated,
        "updates": options.updates,
        "sizes": found,
        "training_memory_growth_mib": round(
            last["training_anonymous_mib"] - first["training_anonymous_mib"], 1
        ),
    }
    recording.record("prepare", result, options.results)


def arguments() -> Any:
    """What the command line says."""
    parser = ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--millions", type=float, nargs="+", default=[1, 3, 10], help="pairs [%(default)s]")
    parser.add_argument("--updates", type=int, default=200, help="updates of each training [%(default)s]")
    parser.add_argument("--folder", type=Path, help="where to put the text for a while [the system's place]")
    parser.add_argument(
        "--results",
        type=Path,
        default=recording.RESULTS,
        metavar="FOLDER",
        help="where the result goes [%(default)s]",
    )
    return parser.parse_args()


def write_pairs(path: Path, count: int) -> int:
    """Phrasebook pairs, one a line; returns how many were made a second.

    A phrase that came before is followed by another one, until the two together are new: every pair is kept.
    """
    stream = phrasebook.generate("train", seed=1)
    begun, seen = time.monotonic(), set()
    with path.open("w", encoding="utf-8") as file:
        for phrase in islice(stream, count):
            korean, english = phrase.korean, phrase.english
            while (key := hash((korean, english))) in seen:
                more = next(stream)
                korean, english = f"{korean} {more.korean}", f"{english} {more.english}"
            seen.add(key)
            file.write(f"{korean}\t{english}\n")
    return round(count / (time.monotonic() - begun))


def measure(folder: Path, config: Path, size: int, updates: int) -> dict[str, Any]:
    """Prepare the first `size` pairs and train on them."""
    shards, run = folder / "shards", folder / "run"
    settings = ["--set", f"data.max_pairs={size}"]
    seconds, prepare_memory, _ = watched(["prepare", str(config), "--out", str(shards), *settings])
    manifest = json.loads((shards / "manifest.json").read_text("utf-8"))
    settings += ["--set", f"data.shards={shards}", "--set", f"train.max_updates={updates}"]
    log = run / "training" / "log.jsonl"
    _, train_memory, first = watched(
        ["train", str(config), "--out", str(run), *settings], lambda: first_update(log)
    )
    found = {
        "pairs": size,
        "kept": manifest["pairs"],
        "distinct_words": [
            len((shards / f"{side}.vocabulary").read_bytes().split()) for side in ("source", "target")
        ],
        "bytes": sum(manifest["files"].values()),
        "prepare_seconds": round(seconds, 1),
        "pairs_per_second": round(size / seconds),
        "prepare_anonymous_mib": round(prepare_memory / MEBIBYTE, 1),
        "first_update_seconds": None if first is None else round(first, 2),
        "training_anonymous_mib": round(train_memory / MEBIBYTE, 1),
    }
    for done in (shards, run):
        shutil.rmtree(done)
    return found


def watched(
    command: list[str], event: Callable[[], float | None] = lambda: None
) -> tuple[float, int, float | None]:
    """Run an onmal command; its seconds, its most anonymous memory, and how far after its start `event` says it happened."""
    begun, most, happened = time.monotonic(), 0, None
    process = subprocess.Popen([sys.executable, "-m", "onmal", *command], stdout=subprocess.DEVNULL)
    while process.poll() is None:
        most = max(most, sum(map(anonymous_memory, family(process.pid))))
        if happened is None and (ago := event()) is not None:
            happened = time.monotonic() - begun - ago
        time.sleep(0.1)
    if process.returncode:
        raise DataError(f"onmal {command[0]} ended with status {process.returncode}", "see its message above")
    return time.monotonic() - begun, most, happened


def family(process: int) -> list[int]:
    """A process and all that it started."""
    children: list[int] = []
    for tasks in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            children += map(int, tasks.read_text().split())
        except OSError:  # it ended meanwhile
            continue
    return [process, *(member for child in children for member in family(child))]


def anonymous_memory(process: int) -> int:
    """Bytes of RssAnon."""
    try:
        found = re.search(r"RssAnon:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    except OSError:
        return 0
    return 1024 * int(found[1]) if found else 0


def first_update(log: Path) -> float | None:
    """How many seconds ago the first update was done, by the first line of the log that tells of updates."""
    if not log.exists():
        return None
    for line in log.read_text("utf-8").splitlines():
        event = json.loads(line) if line.endswith("}") else {}
        if event.get("event") == "update":
            return float(event["seconds"] * (1 - 1 / event["update"]))
    return None


def show(found: list[dict[str, Any]]) -> None:
    """Print a table."""
    columns = {
        "pairs": "pairs", "pairs_per_second": "pairs/s", "prepare_anonymous_mib": "MiB preparing",
        "first_update_seconds": "s to first update", "training_anonymous_mib": "MiB training",
    }  # fmt: skip
    recording.show(list(columns.values()), [[str(size[key]) for key in columns] for size in found])


if __name__ == "__main__":
    recording.main(main)
