"""What a run costs on more processes and machines: a model that counts, and measurements to hold it to.

Measured, with two processes of one thread on this machine's CPU that exchange gradients as in training (Team, gloo): the
seconds of an update in one process, in two, and of the exchange alone; what two should take by the cost model
(cost_model.py); and how fast batches are made. Not measured: GPUs, and machines that are joined by a network.

    python benchmarks/scaling.py --measure    measure, and record benchmarks/results/scaling.json
    python benchmarks/scaling.py --tables     rewrite the tables of docs/scaling.md and docs/scaling.ko.md
    python benchmarks/scaling.py --check      exit with 1 if a table is not what --tables writes; change nothing
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import cost_model
import recording
import scaling_tables
import torch
from torch import distributed

from onmal import phrasebook
from onmal.allocator import keep_freed_memory
from onmal.config import SIZES, DataConfig, ModelConfig, TrainConfig, Vocabulary
from onmal.data.batching import Batch
from onmal.data.pair import Pair
from onmal.data.prepare import encode_pairs, learn_tokenizer
from onmal.models import build
from onmal.products import linear
from onmal.training.device import choose_precision
from onmal.training.distributed import Team, join_team
from onmal.training.loss import TranslationLoss
from onmal.training.optimizer import build_optimizer

PROCESSES = 2
LENGTH = 32  # tokens of every sentence
LARGE = 1 << 24  # float32 numbers whose exchange tells the bandwidth
TRAIN = TrainConfig(max_updates=1)
CPU = torch.device("cpu")


class Learner:
    """A network in training, alone or in a team."""

    def __init__(self, model: ModelConfig, words: Vocabulary, team: Team) -> None:
        torch.manual_seed(1)
        self.model, self.team = build(model, words).train(), team
        self.loss = team.wrap(TranslationLoss(self.model, TRAIN.label_smoothing))
        self.optimizer = build_optimizer(self.model, TRAIN)
        self.precision = choose_precision(TRAIN.precision, CPU)

    def update(self, batch: Batch, *, exchanges: bool = True) -> None:
        """What the trainer does with a batch, validation and checkpoints aside."""
        mixed = torch.autocast("cpu", self.precision, enabled=self.precision != torch.float32)
        with nullcontext() if exchanges else self.team.without_exchange(self.loss):
            own = self.team.share(batch)
            with mixed:
                found = self.loss(own.source, own.target, own.lengths)
            (found.loss * (self.team.size / batch.target_tokens)).backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), TRAIN.clip_norm)
        self.optimizer.step()
        self.optimizer.zero_grad()


def random_batch(tokens: int, words: Vocabulary) -> Batch:
    """Sentences of LENGTH tokens, `tokens` in all."""
    rows = tokens // LENGTH
    torch.manual_seed(2)
    ids = torch.randint(3, words.target_size, (2, rows, LENGTH + 1))
    return Batch(ids[0, :, 1:], ids[1], torch.full((rows,), LENGTH), torch.arange(rows).numpy())


def seconds(team: Team, work: Callable[[], object] | None) -> float:
    """From when all are ready until the last of them has done its work."""
    team.wait()
    begun = time.perf_counter()
    if work is not None:
        work()
    team.wait()
    return time.perf_counter() - begun


def by_turns(team: Team, works: dict[str, Callable[[], object] | None], rounds: int) -> dict[str, float]:
    """The median seconds of each work; a round before the first one warms up."""
    found: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds + 1):
        for name, work in works.items():
            found[name].append(seconds(team, work))
    return {name: median(taken[1:]) for name, taken in found.items()}


def machine_facts(team: Team, rounds: int) -> dict[str, float]:
    """Peak of one process's products alone and beside the other's [FLOP/s]; a ring's hop [s] and bandwidth [bytes/s]."""
    factors = torch.ones(2, 1024, 1024, dtype=choose_precision(TRAIN.precision, CPU))

    def products() -> None:
        with torch.no_grad():
            for _ in range(8):
                linear(factors[0], factors[1])

    flops = 8 * 2 * 1024**3
    large, small = torch.zeros(LARGE), torch.zeros(1)
    found = by_turns(
        team,
        {
            "alone": products if team.leads else None,
            "beside": products,
            "large": lambda: distributed.all_reduce(large),
            "small": lambda: [distributed.all_reduce(small) for _ in range(100)],
        },
        rounds,
    )
    hop = found["small"] / 100 / (2 * (PROCESSES - 1))
    sent = 2 * (PROCESSES - 1) / PROCESSES * LARGE * cost_model.FLOAT32
    return {
        "peak_alone": flops / found["alone"],
        "peak_beside": flops / found["beside"],
        "hop": hop,
        "bandwidth": sent / (found["large"] - 2 * (PROCESSES - 1) * hop),
    }


def case(
    team: Team, size: str, tokens: int, words: Vocabulary, rounds: int, facts: dict[str, float]
) -> dict[str, Any]:
    """One size of network with one size of batch: measured, and as the model has it."""
    config = ModelConfig(**SIZES[size])
    alone, together = Learner(config, words, Team()), Learner(config, words, team)
    batch = random_batch(tokens, words)
    gradient = torch.zeros(cost_model.parameters(config, words))
    measured = by_turns(
        team,
        {
            "alone": (lambda: alone.update(batch)) if team.leads else None,
            "beside": lambda: together.update(batch, exchanges=False),
            "together": lambda: together.update(batch),
            "exchange": lambda: distributed.all_reduce(gradient),
        },
        rounds,
    )
    exchange = cost_model.all_reduce_seconds(
        cost_model.FLOAT32 * len(gradient), PROCESSES, facts["bandwidth"], facts["hop"]
    )
    flops = cost_model.flops_per_pair(config, words, LENGTH, LENGTH) * len(batch.lengths)
    return {
        "size": size,
        "tokens": tokens,
        "parameters": len(gradient),
        "seconds": measured,
        "share_of_peak": flops / measured["alone"] / facts["peak_alone"],
        "predicted_exchange": exchange,
        # Work that two processes do beside each other is slower than half of it alone: they share memory and caches.
        "predicted_ratio": measured["alone"] / (measured["beside"] + exchange),
        "measured_ratio": measured["alone"] / measured["together"],
    }


def take_part(rank: int, folder: str, options: Namespace) -> dict[str, Any]:
    """All measurements of a team, seen from one of its processes; the first one's count."""
    keep_freed_memory()
    torch.set_num_threads(1)
    words = Vocabulary(source_size=options.vocabulary, target_size=options.vocabulary)
    with join_team(rank, PROCESSES, folder) as team:
        team.memory = None  # as it is between machines
        facts, cases = machine_facts(team, options.rounds), []
        for size in options.sizes:
            for tokens in options.tokens:
                cases.append(case(team, size, tokens, words, options.rounds, facts))
                if team.leads:
                    print(json.dumps(cases[-1]), flush=True)
    return {**facts, "cases": cases}


def batching_rate(count: int) -> float:
    """Target tokens/s that one process makes into batches, of `count` pairs of about 30 tokens, pools and padding included."""
    phrases = phrasebook.phrases("train", 3 * count)
    pairs = [
        Pair(" ".join(phrase.korean for phrase in three), " ".join(phrase.english for phrase in three))
        for three in zip(phrases[::3], phrases[1::3], phrases[2::3], strict=True)
    ]
    data = DataConfig(source_language="ko", target_language="en", vocabulary_size=2000)
    tokenizer = learn_tokenizer(pairs[:2000], data)
    text = encode_pairs(tokenizer, pairs, data)
    begun = time.perf_counter()
    pool = text.pool(1, 0, 0, 25_000, start=1, end=2, pad=0)
    tokens = sum(batch.target_tokens for batch in pool)
    return tokens / (time.perf_counter() - begun)


def measure(options: Namespace) -> None:
    """Measure, print, record."""
    begun = time.monotonic()
    settings = {
        "sizes": options.sizes, "tokens": options.tokens, "vocabulary": options.vocabulary, "length": LENGTH,
        "rounds": options.rounds, "processes": PROCESSES, "threads": 1,
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        companion = get_context("spawn").Process(target=take_part, args=(1, folder, options))
        companion.start()
        try:
            found = take_part(0, folder, options)
            companion.join()
        finally:
            companion.kill()
    result = {
        **settings,
        **found,
        "batching": batching_rate(options.pairs),
        "precision": str(choose_precision(TRAIN.precision, CPU)).removeprefix("torch."),
        "torch": torch.__version__,
        "machine": recording.this_machine(),
        "minutes": round((time.monotonic() - begun) / 60, 1),
        "config_hash": hashlib.sha256(json.dumps(settings).encode()).hexdigest(),
    }
    recording.record("scaling", result, options.results)


def read_options(arguments: Sequence[str] | None = None) -> Namespace:
    """The command line."""
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--measure", action="store_true", help="measure, and record the result")
    what.add_argument("--tables", action="store_true", help="rewrite the tables of the pages")
    what.add_argument("--check", action="store_true", help="say whether they are up to date")
    parser.add_argument("--sizes", nargs="+", choices=list(SIZES), default=["tiny", "small"])
    parser.add_argument("--tokens", nargs="+", type=int, default=[1024, 4096], help="of an update")
    parser.add_argument("--vocabulary", type=int, default=8000, metavar="WORDS")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pairs", type=int, default=10_000, help="to make batches of")
    parser.add_argument("--results", type=Path, default=recording.RESULTS, metavar="FOLDER")
    return parser.parse_args(arguments)


def main() -> None:
    """Measure, or write or check the tables."""
    options = read_options()
    if options.measure:
        measure(options)
        return
    stale = scaling_tables.rewrite_pages(options.results / "scaling.json", write=options.tables)
    if options.check and stale:
        print(
            f"{' and '.join(stale)}: out of date; run: python benchmarks/scaling.py --tables", file=sys.stderr
        )
        sys.exit(1)
    print(f"tables {'rewritten in ' + ' and '.join(stale) if stale else 'up to date'}")


if __name__ == "__main__":
    recording.main(main)
