"""The same task for onmal and its rivals, and the processes that work on it: started, paused, let run, measured, ended."""

from __future__ import annotations

import ctypes.util
import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from onmal.config import RunConfig
from onmal.data.batching import budget_cuts
from onmal.data.pair import Pair
from onmal.data.prepare import learn_tokenizer
from onmal.processor import cores
from onmal.text.tokenizer import Tokenizer
from onmal.training.sources import training_pairs
from rivals.products import Shape, products
from rivals.progress import Spec

DRIVERS = Path(__file__).parent
PATIENCE = 300.0  # seconds until the first update of a contestant that works at all


def end_with_the_program() -> None:
    """Make SIGTERM an ordinary exit, so that contestants, who have sessions of their own, are ended on the way out."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))


# ---------------------------------------------------------------------------------------------------------------- task


@dataclass(frozen=True)
class Task:
    """What all train on: a network, a text in pieces, and how many tokens make a batch."""

    config: RunConfig
    tokenizer: Tokenizer
    valid: Sequence[Pair]
    sentences: Mapping[str, list[list[int]]]
    """"train.source" and so on -> ids, without end tokens; training pairs that are too long for onmal left out."""

    @classmethod
    def prepare(cls, config: RunConfig, corpora: Mapping[str, Path]) -> Task:
        """Read, clean and encode as `onmal train` does, with the best segmentation of every word."""
        sources = training_pairs(config.data, corpora, config.train.seed)
        tokenizer = learn_tokenizer(sources.train, config.data)
        sentences = {}
        for split, pairs in (("train", sources.train), ("valid", sources.valid)):
            source = [tokenizer.source.encode(pair.source) for pair in pairs]
            target = [tokenizer.target.encode(pair.target) for pair in pairs]
            if split == "train":
                short = [
                    max(map(len, both)) < config.data.max_length for both in zip(source, target, strict=True)
                ]
                source = [ids for ids, fits in zip(source, short, strict=True) if fits]
                target = [ids for ids, fits in zip(target, short, strict=True) if fits]
            sentences |= {f"{split}.source": source, f"{split}.target": target}
        return cls(config, tokenizer, sources.valid, sentences)

    def write(self, folder: Path) -> None:
        """The text for the rivals' drivers."""
        folder.mkdir(parents=True, exist_ok=True)
        subwords = self.tokenizer.target
        pieces = subwords.pieces(range(len(subwords)))
        (folder / "vocabulary.txt").write_text("".join(f"{piece}\n" for piece in pieces), "utf-8")
        for name, sentences in self.sentences.items():
            lines = (" ".join(pieces[i] for i in ids) for ids in sentences)
            (folder / name).write_text("".join(f"{line}\n" for line in lines), "utf-8")

    @cached_property
    def lengths(self) -> tuple[np.ndarray, np.ndarray]:
        """Tokens of each training pair's source and target, end tokens included, sorted as onmal sorts them."""
        source, target = (
            np.array([len(ids) + 1 for ids in self.sentences[f"train.{side}"]])
            for side in ("source", "target")
        )
        order = np.lexsort((source, target))
        return source[order], target[order]

    def shapes(self, batch_tokens: int) -> list[Shape]:
        """An epoch's batches in onmal: sentences of like length together."""
        source, target = self.lengths
        cuts = budget_cuts(source, target, batch_tokens)
        return [
            Shape(b - a, int(source[a:b].max()), int(target[a:b].max()), int(target[a:b].sum()))
            for a, b in pairwise(cuts)
        ]

    def padding(self, batch_tokens: int) -> float:
        """The share of padding in onmal's batches, both sides together."""
        cells = sum(rows * (source + target) for rows, source, target, _ in self.shapes(batch_tokens))
        return 1 - sum(int(side.sum()) for side in self.lengths) / cells

    def flops_per_target_token(self) -> float:
        """Floating-point operations that training cannot do without: matrix products, no padding, 3 x forward."""
        source, target = self.lengths
        pairs, times = np.unique(np.stack((source, target)), axis=1, return_counts=True)
        total = sum(
            count * sum(p.flops for p in products(self.network(), self.words, Shape(1, s, t, t)))
            for s, t, count in zip(*pairs.tolist(), times.tolist(), strict=True)
        )
        return float(total / target.sum())

    @property
    def words(self) -> int:
        """Size of the vocabulary."""
        return len(self.tokenizer.target)

    def network(self) -> dict[str, Any]:
        """The sizes that a driver builds its network by."""
        model = self.config.model
        names = ("d_model", "num_heads", "feed_forward", "encoder_layers", "decoder_layers", "dropout")
        return {**{name: getattr(model, name) for name in names}, "max_length": model.max_source_length}

    def spec(self, text: Path, out: Path, batch_tokens: int, **changes: Any) -> Spec:
        """A contestant's task; rate and warm-up are the ones published for this network and corpus (Wu 2021)."""
        sentences = max(1, round(len(self.lengths[0]) / len(self.shapes(batch_tokens))))
        standard: dict[str, Any] = {
            "network": self.network(), "batch_tokens": batch_tokens, "sentences": sentences,
            "label_smoothing": self.config.train.label_smoothing, "threads": cores(),
            "learning_rate": 0.005, "warmup": 2000, "validate_every": 0, "options": {},
        }  # fmt: skip
        return Spec(text=str(text), out=str(out), **{**standard, **changes})


# --------------------------------------------------------------------------------------------------------- contestants


@dataclass(frozen=True)
class Rival:
    """One way to run another toolkit."""

    about: str
    driver: str
    """A file of this folder, and the virtual environment under --rivals that it runs in."""
    tuned: bool = False
    """With another allocator than the system's default."""
    options: Mapping[str, Any] = field(default_factory=dict)

    def python(self, environments: Path) -> Path:
        """The interpreter that has the toolkit."""
        return environments / self.driver / "bin" / "python"


GROUPED = {"sampling": "group_by_length"}
RIVALS = {
    "hf": Rival("Hugging Face, as it comes", "huggingface"),
    "hf-grouped": Rival("Hugging Face, length-grouped", "huggingface", options=GROUPED),
    "hf-tuned": Rival("Hugging Face, length-grouped, tuned allocator", "huggingface", True, GROUPED),
    "hf-tuned-bf16": Rival(
        "Hugging Face, length-grouped, tuned allocator, bf16", "huggingface", True, {**GROUPED, "bf16": True}
    ),
    "joey": Rival("JoeyNMT, as it comes", "joey"),
    "joey-tuned": Rival("JoeyNMT, tuned allocator", "joey", True),
    "marian": Rival("Marian (pymarian)", "marian"),
}
ALLOCATORS = {
    "jemalloc": {"MALLOC_CONF": "oversize_threshold:0,dirty_decay_ms:-1,muzzy_decay_ms:-1,thp:always"},
    "tcmalloc": {"TCMALLOC_LARGE_ALLOC_REPORT_THRESHOLD": "1000000000000"},
    "tcmalloc_minimal": {"TCMALLOC_LARGE_ALLOC_REPORT_THRESHOLD": "1000000000000"},
    "glibc": {
        "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
        "MALLOC_TRIM_THRESHOLD_": str((1 << 31) - 1),
        "MALLOC_TOP_PAD_": str(64 << 20),
        "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    },
}
"""Allocator -> the environment that has it keep freed memory, in large pages where it can; a library is loaded before all others."""


def allocator_environment(name: str) -> dict[str, str] | None:
    """How a process gets an allocator, or None where it is not installed."""
    if name == "glibc":
        return ALLOCATORS[name] if platform.libc_ver()[0] == "glibc" else None
    library = ctypes.util.find_library(name)
    return {"LD_PRELOAD": library, **ALLOCATORS[name]} if library else None


class Slice(NamedTuple):
    """What a contestant did in its turn."""

    tokens_per_second: float
    cores: float
    """Processor time per second: fewer than it has threads say that something else was running."""


class Point(NamedTuple):
    """How far a process was, and when [s]."""

    time: float
    tokens: int


class Contestant:
    """One system at work: a process or several, of which only the running one gets any time."""

    def __init__(
        self, name: str, commands: Sequence[Sequence[str | Path]], out: Path, environment: Mapping[str, str]
    ) -> None:
        self.name, self.out = name, out
        out.mkdir(parents=True, exist_ok=True)
        self.output = out / "output.txt"
        threads = {"OMP_NUM_THREADS": str(cores()), "TOKENIZERS_PARALLELISM": "false", "PYTHONUTF8": "1"}
        with self.output.open("w") as file:
            self.processes = [
                subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True,
                    env={**os.environ, **threads, **environment},
                )
                for command in commands
            ]  # fmt: skip

    def logs(self) -> list[list[dict[str, Any]]]:
        """What each of its processes has written so far; a line that is not whole yet is left out."""
        paths = [self.out / "run" / "training" / "log.jsonl", *sorted(self.out.glob("progress-*.jsonl"))]
        return [
            [json.loads(line) for line in path.read_text("utf-8").splitlines(True) if line.endswith("\n")]
            for path in paths
            if path.exists()
        ]

    def points(self) -> list[list[Point]]:
        """For each log, the updates so far; onmal's log adds the tokens up by itself."""
        found = []
        for log in self.logs():
            points, total = [], 0
            for event in log:
                if event["event"] == "update":
                    total = event["target_tokens"] if "target_tokens" in event else total + event["tokens"]
                    points.append(Point(event.get("seconds", event.get("time")), total))
            found.append(points)
        return found

    def wait(self, seconds: float) -> None:
        """Let it run for so long after its first update. RuntimeError if it ends, or does not get there."""
        begun, first = time.monotonic(), 0.0
        while not first or time.monotonic() - first < seconds:
            if any(process.poll() is not None for process in self.processes):
                raise RuntimeError(self.last_words())
            if not first and time.monotonic() - begun > PATIENCE:
                raise RuntimeError(f"no update within {PATIENCE:g} seconds; {self.last_words()}")
            points = self.points()
            if not first and len(points) >= len(self.processes) and all(points):
                first = time.monotonic()
            time.sleep(0.2)

    def slice(self, seconds: float) -> Slice:
        """Run for so long, alone, then pause: target tokens a second, all processes together.

        Counted from the first line of each log in the slice to its last, so that neither a pause nor half an update is
        in it; where that leaves nothing, the slice goes on. RuntimeError if it ends, or makes no progress.
        """
        before = [len(points) for points in self.points()]
        self.signal(signal.SIGCONT)
        begun, used = time.monotonic(), self.processor_seconds()
        time.sleep(seconds)
        while True:
            new = [points[seen:] for points, seen in zip(self.points(), before, strict=True)]
            if all(len(points) > 1 for points in new):
                break
            if any(process.poll() is not None for process in self.processes):
                raise RuntimeError(self.last_words())
            if time.monotonic() - begun > seconds + PATIENCE:
                raise RuntimeError(f"no update within {PATIENCE:g} seconds; {self.last_words()}")
            time.sleep(0.2)
        self.signal(signal.SIGSTOP)
        busy = (self.processor_seconds() - used) / (time.monotonic() - begun)
        return Slice(sum((p[-1].tokens - p[0].tokens) / (p[-1].time - p[0].time) for p in new), busy)

    def padding(self) -> float | None:
        """The share of padding in its batches so far, both sides together; None where its log does not tell."""
        events = [event for log in self.logs() for event in log if event.get("cells")]
        cells = sum(event["cells"] for event in events)
        return 1 - sum(event["real"] for event in events) / cells if cells else None

    def versions(self) -> dict[str, str]:
        """Of its packages."""
        return next((log[0]["versions"] for log in self.logs() if "versions" in log[0]), {})

    def family(self) -> list[int]:
        """Its processes, with all that they have started."""
        parents = {
            int(path.parent.name): int(stat(int(path.parent.name))[1])
            for path in Path("/proc").glob("[0-9]*/stat")
        }
        found = [process.pid for process in self.processes]
        for parent in found:  # which grows while it is read
            found += [child for child, its in parents.items() if its == parent]
        return found

    def processor_seconds(self) -> float:
        """Processor time of its living processes, their own and the system's for them."""
        ticks = sum(sum(map(int, stat(pid)[11:13])) for pid in self.family())
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory(self) -> int:
        """The most that it has had in memory [bytes]: the sum of its processes' peaks (VmHWM)."""
        total = 0
        for pid in self.family():
            with suppress(OSError):
                for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                    if line.startswith("VmHWM:"):
                        total += 1024 * int(line.split()[1])
        return total

    def signal(self, number: int) -> None:
        """Send a signal to the whole family."""
        for pid in self.family():
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def last_words(self) -> str:
        """The last line that it printed."""
        lines = self.output.read_text("utf-8", "replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")

    def end(self) -> None:
        """Kill the family."""
        self.signal(signal.SIGKILL)
        for process in self.processes:
            process.wait()


def stat(pid: int) -> list[str]:
    """/proc/PID/stat after the command's name; zeros for a process that is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ["0"] * 50


def start_rival(name: str, environments: Path, spec: Spec, environment: Mapping[str, str]) -> Contestant:
    """A rival's driver in its own virtual environment."""
    rival, out = RIVALS[name], Path(spec.out)
    python = rival.python(environments)
    if not python.exists():
        raise RuntimeError(f"not installed: {python} is missing (docs/benchmarks.md says how)")
    return Contestant(name, [[python, DRIVERS / f"{rival.driver}.py", write_spec(spec)]], out, environment)


def start_onmal(
    config: Path, corpora: Mapping[str, Path], out: Path, settings: Mapping[str, Any], name: str = "onmal"
) -> Contestant:
    """`onmal train`, as a person runs it."""
    command = [sys.executable, "-m", "onmal", "train", config, "--out", out / "run"]
    for key, value in settings.items():
        command += ["--set", f"{key}={value if isinstance(value, int | float) else json.dumps(value)}"]
    for corpus, folder in corpora.items():
        command += ["--data", f"{corpus}={folder}"]
    return Contestant(name, [command], out, {})


def write_spec(spec: Spec, rank: int = 0) -> Path:
    """A task as a file, in the contestant's folder."""
    path = Path(spec.out, f"spec-{rank}.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(spec)), "utf-8")
    return path


def events(contestant: Contestant, kind: str) -> Iterator[dict[str, Any]]:
    """What a contestant of one log has told of one kind."""
    for log in contestant.logs():
        yield from (event for event in log if event["event"] == kind)
