"""How fast onmal and other toolkits train the same network, measured in turns within one run.

All get the network of a recipe, its subwords, its text and as many tokens a batch. Each is a process of its own that
computes only in its slices, by turns, so that a noisy machine is noisy for all. Counted are target tokens that are not
padding. The time that onmal's matrix products take alone, and the machine's peak in such products, are measured in the
same turns. Not measured: validation, start-up, quality (time_to_quality.py).

    python benchmarks/train_speed.py --data multi30k=FOLDER --rivals FOLDER

--rivals holds a virtual environment for each toolkit (docs/benchmarks.md); one that is missing is left out, with a line
that says so. The result goes to benchmarks/results/train_speed.json. Linux, for its signals and /proc.
"""

from __future__ import annotations

import hashlib
import json
import signal
import statistics
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import recording
import torch
from rivals.contest import (
    RIVALS,
    Contestant,
    Task,
    allocator_environment,
    end_with_the_program,
    events,
    start_onmal,
    start_rival,
    write_spec,
)

from onmal.cache import cache_folder
from onmal.cli.options import corpus_folders
from onmal.config import RunConfig
from onmal.errors import TrainingError
from onmal.processor import cores
from onmal.products import linear
from onmal.settings import apply_overrides, read_toml

RECIPE = Path(__file__).resolve().parents[1] / "recipes" / "multi30k-en-de.toml"
PHRASEBOOK = (
    "data.corpus=phrasebook", "data.source_language=ko", "data.target_language=en", 'data.train=["train"]',
    'data.valid=["valid"]', "data.tests=[]", "data.vocabulary_size=4000",
)  # fmt: skip
UNBROKEN = {"train.minutes": 10_000, "train.validate_every": 10**9, "train.save_every": 10**9}
"""Nothing but updates."""
PLAIN = {"data.subword_sampling": 0.0, "train.reversed_share": 0.0, "train.r_drop": 0.0}
"""The text and the passes over it that all systems make."""
SIDE = 2048  # of the square matrices that measure the machine's peak
PEAK_SECONDS = 1.0


def main() -> None:
    """Measure with each budget, print, record."""
    options = read_options()
    end_with_the_program()
    begun = time.monotonic()
    torch.set_num_threads(cores())
    with tempfile.TemporaryDirectory(prefix="train_speed-") as scratch:
        config, corpora = recipe(options)
        result = {
            "recipe": config.name,
            "corpus": config.data.corpus,
            "config_hash": hashlib.sha256(config.to_toml().encode()).hexdigest(),
            "network": config.model.model_dump(),
            "slices": options.rounds,
            "slice_seconds": options.slice,
            "allocator": options.allocator,
            "budgets": {},
        }
        for budget in options.budgets:
            folder = Path(scratch, str(budget))
            settings = {**UNBROKEN, **PLAIN, "train.batch_tokens": budget}
            run = config.replace(train=config.train.replace(batch_tokens=budget))
            result["budgets"][str(budget)] = contest(options, run, corpora, settings, folder)
        result |= {
            "versions": {"torch": torch.__version__, **result["budgets"][str(budget)].pop("versions")},
            "machine": recording.this_machine(),
            "minutes": round((time.monotonic() - begun) / 60, 1),
        }
    recording.record("train_speed", result, options.results)


def read_options() -> Namespace:
    """The command line."""
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipe", type=Path, default=RECIPE, metavar="TOML")
    parser.add_argument("--data", action="append", metavar="NAME=FOLDER", help="where the corpus is")
    parser.add_argument("--rivals", type=Path, default=cache_folder().parent / "rivals", metavar="FOLDER")
    parser.add_argument("--systems", nargs="*", choices=list(RIVALS), default=list(RIVALS))
    parser.add_argument("--budgets", nargs="+", type=int, default=[1024, 4096], metavar="TOKENS")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--slice", type=float, default=20.0, metavar="SECONDS")
    parser.add_argument("--warm-up", type=float, default=20.0, metavar="SECONDS")
    parser.add_argument("--allocator", default="tcmalloc", help="of the tuned rivals [%(default)s]")
    parser.add_argument("--results", type=Path, default=recording.RESULTS, metavar="FOLDER")
    return parser.parse_args()


def recipe(options: Namespace) -> tuple[RunConfig, dict[str, Path]]:
    """What is trained; on the phrasebook where the recipe's corpus is neither named nor in the cache."""
    corpora = corpus_folders(options.data)
    values: dict[str, Any] = {"name": options.recipe.stem, **read_toml(options.recipe)}
    wanted = values["data"].get("corpus", "")
    if wanted and wanted not in corpora and not (cache_folder() / wanted).is_dir():
        print(f"{wanted} is not here (onmal corpus {wanted}, or --data); the phrasebook is taken instead")
        values = apply_overrides(values, PHRASEBOOK)
    # As a person without a recipe for this machine runs it: threads and processes by the number of cores. The work of
    # an update is the same for all with Adam and positions that all have.
    changes = ("train.threads=0", "train.processes=0", "train.optimizer=adam")
    changes += ("model.source_positions=learned", "model.target_positions=learned")
    values = apply_overrides(values, changes)
    return RunConfig.from_dict(values), corpora


def contest(
    options: Namespace,
    config: RunConfig,
    corpora: Mapping[str, Path],
    settings: Mapping[str, Any],
    folder: Path,
) -> dict[str, Any]:
    """All systems with one budget of tokens a batch."""
    budget = config.train.batch_tokens
    print(f"\n{budget:,} tokens a batch, {cores()} cores", flush=True)
    task, running = Task.prepare(config, corpora), []
    text, toml = folder / "text", folder / "run.toml"
    task.write(text)
    toml.write_text(config.to_toml(), "utf-8")
    try:
        facts = begin_onmal(options, running, task, (toml, corpora, settings), folder)
        for name in options.systems:
            spec = task.spec(text, folder / name, budget, options=dict(RIVALS[name].options))
            environment = allocator_environment(options.allocator) if RIVALS[name].tuned else {}
            if environment is None:
                print(f"{name}: left out, {options.allocator} is not installed")
                continue
            begin(
                options,
                running,
                lambda name=name, spec=spec, env=environment: start_rival(name, options.rivals, spec, env),
            )
        rates, used, peaks = by_turns(running, options.rounds, options.slice)
        found = summary(
            task, budget, running, rates, peaks, {name: str(of["precision"]) for name, of in facts.items()}
        )
        for name, system in found["systems"].items():
            system["cores_used"] = used[name]
    finally:
        for contestant in running:
            contestant.end()
    found["onmal"] = {key: facts["onmal"].get(key, 1) for key in ("precision", "threads", "processes")}
    show(found)
    return found


def begin_onmal(
    options: Namespace,
    running: list[Contestant],
    task: Task,
    run: tuple[Path, Mapping[str, Path], Mapping[str, Any]],
    folder: Path,
) -> dict[str, Mapping[str, Any]]:
    """onmal and its products, and the same in float32 where that is not its choice; what each run says of itself."""
    config, corpora, settings = run
    facts: dict[str, Mapping[str, Any]] = {}
    for suffix, wanted in (("", "auto"), ("-float32", "float32")):
        if facts and facts["onmal"]["precision"] == wanted:
            break
        name, own, place = (
            f"onmal{suffix}",
            {**settings, "train.precision": wanted},
            folder / f"onmal{suffix}",
        )
        started = begin(
            options,
            running,
            lambda name=name, own=own, place=place: start_onmal(config, corpora, place, own, name),
        )
        if started is None:
            raise TrainingError("onmal itself did not run", "see its line above")
        facts[name] = told = next(events(started, "begun"))
        name, place = f"products{suffix}", folder / f"products{suffix}"
        begin(
            options,
            running,
            lambda name=name, place=place, told=told: start_products(task, place, told, name),
        )
        facts[name] = told
    return facts


def begin(
    options: Namespace, running: list[Contestant], start: Callable[[], Contestant]
) -> Contestant | None:
    """Start a contestant, let it warm up, pause it; one that does not work is left out with a line."""
    contestant = None
    try:
        contestant = start()
        contestant.wait(options.warm_up)
    except RuntimeError as error:
        print(f"{contestant.name if contestant else 'a rival'}: left out, {error}", flush=True)
        if contestant:
            contestant.end()
        return None
    contestant.signal(signal.SIGSTOP)
    running.append(contestant)
    print(f"{contestant.name}: warm", flush=True)
    return contestant


def start_products(task: Task, out: Path, facts: Mapping[str, Any], name: str = "products") -> Contestant:
    """onmal's matrix products alone, in as many processes and threads and of the same precision as onmal's."""
    import sys

    from rivals import products

    processes = int(facts.get("processes", 1))
    out.mkdir(parents=True)
    budget = task.config.train.batch_tokens
    (out / "shapes.json").write_text(json.dumps(task.shapes(budget)), "utf-8")
    commands = []
    for rank in range(processes):
        options = {"rank": rank, "processes": processes, "precision": facts["precision"]}
        spec = task.spec(out.parent / "text", out, budget, threads=int(facts["threads"]), options=options)
        commands.append([sys.executable, products.__file__, write_spec(spec, rank)])
    return Contestant(name, commands, out, {})


def by_turns(
    running: Sequence[Contestant], rounds: int, seconds: float
) -> tuple[dict[str, list[float]], dict[str, list[float]], dict[str, list[float]]]:
    """Target tokens/s and cores used in each contestant's slices, and the peak of matrix products [flop/s] between."""
    rates: dict[str, list[float]] = {contestant.name: [] for contestant in running}
    used: dict[str, list[float]] = {contestant.name: [] for contestant in running}
    peaks: dict[str, list[float]] = {"float32": [], "bfloat16": []}
    for number in range(rounds):
        for precision, measured in peaks.items():
            measured.append(peak(getattr(torch, precision)))
        # Each round in another order, so that nobody always follows the same one.
        shift = number % len(running)
        for contestant in [*running[shift:], *running[:shift]]:
            found = contestant.slice(seconds)
            rates[contestant.name].append(found.tokens_per_second)
            used[contestant.name].append(round(found.cores, 2))
        print(f"round {number + 1}: " + "  ".join(f"{k} {v[-1]:,.0f}" for k, v in rates.items()), flush=True)
    return rates, used, peaks


@torch.inference_mode()
def peak(dtype: torch.dtype) -> float:
    """The machine's fastest product of large matrices, all cores [flop/s]."""
    a, b = (torch.full((SIDE, SIDE), 0.01, dtype=dtype) for _ in range(2))
    best, end = 0.0, time.monotonic() + PEAK_SECONDS
    linear(a, b)
    while time.monotonic() < end:
        begun = time.monotonic()
        linear(a, b)
        best = max(best, 2 * SIDE**3 / (time.monotonic() - begun))
    return best


def summary(
    task: Task,
    budget: int,
    running: Sequence[Contestant],
    rates: Mapping[str, Sequence[float]],
    peaks: Mapping[str, Sequence[float]],
    precisions: Mapping[str, str],
) -> dict[str, Any]:
    """Medians, ranges, shares of peak, and what onmal is to each of the others."""
    flops = task.flops_per_target_token()
    best = {name: statistics.median(found) for name, found in peaks.items()}
    systems, versions = {}, {}
    for contestant in running:
        name = contestant.name
        own = precisions.get(name, "bfloat16" if name.endswith("bf16") else "float32")
        padding = task.padding(budget) if name in precisions else contestant.padding()
        systems[name] = {
            "about": RIVALS[name].about if name in RIVALS else name,
            "tokens_per_second": [round(rate, 1) for rate in rates[name]],
            "median": round(statistics.median(rates[name]), 1),
            "precision": own,
            "share_of_peak": round(statistics.median(rates[name]) * flops / best[own], 3),
            "padding": None if padding is None else round(padding, 3),
            "memory_bytes": contestant.memory(),
            "onmal_is_times": recording.ratio(rates["onmal"], rates[name]),
        }
        versions |= contestant.versions()
    rivals = [name for name in systems if name in RIVALS]
    first = max(rivals, key=lambda name: systems[name]["median"], default=None)
    return {
        "systems": systems,
        "best_rival": first,
        "step_to_products": {
            precisions[name]: recording.ratio(rates[name.replace("onmal", "products")], rates[name])
            for name in rates
            if name.startswith("onmal") and name.replace("onmal", "products") in rates
        },
        "peak_flops": {name: round(value) for name, value in best.items()},
        "flops_per_target_token": round(flops),
        "versions": versions,
    }


def show(found: Mapping[str, Any]) -> None:
    """One budget as a table."""
    rows = []
    for name, system in found["systems"].items():
        times = system["onmal_is_times"]
        rows.append(
            (
                name,
                f"{system['median']:,.0f}",
                f"{min(system['tokens_per_second']):,.0f}-{max(system['tokens_per_second']):,.0f}",
                f"{system['share_of_peak']:.0%} of {system['precision']}",
                "-" if system["padding"] is None else f"{system['padding']:.0%}",
                f"{system['memory_bytes'] / 2**20:,.0f}",
                f"{statistics.median(system['cores_used']):.2f}",
                f"{times['median']:.2f} ({times['least']:.2f}-{times['most']:.2f})",
            )
        )
    header = ("system", "tokens/s", "range", "share of peak", "padding", "MiB", "cores", "onmal is times")
    recording.show(header, rows)
    peaks = ", ".join(f"{name} {value / 1e9:,.0f} GFLOP/s" for name, value in found["peak_flops"].items())
    print(
        f"peak of matrix products: {peaks}; {found['flops_per_target_token'] / 1e6:.1f} MFLOP a target token"
    )
    for precision, step in found["step_to_products"].items():
        times = f"{step['median']:.2f} ({step['least']:.2f}-{step['most']:.2f})"
        print(f"onmal's step in {precision} takes {times} times its own products")


if __name__ == "__main__":
    recording.main(main)
