"""Minutes of training to a level of BLEU on the validation text, for onmal and for other toolkits, one after the other.

Every system's greedy translations are detokenised by the same subwords and scored by the same call of sacreBLEU (cased,
13a). The clock stands still while validation text is translated, for all. onmal takes its recipe; a rival takes the
rate, warm-up and batch published for this network and corpus, and is stopped at three times onmal's minutes:
what it has not reached by then is written down as a lower bound.

    python benchmarks/time_to_quality.py --data multi30k=FOLDER --rivals FOLDER

The result goes to benchmarks/results/time_to_quality.json after each system, and one that is in it is not repeated: the same
command goes on where it was stopped, on the same machine. Linux.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import recording
from rivals.contest import (
    RIVALS,
    Contestant,
    Task,
    allocator_environment,
    end_with_the_program,
    events,
    start_onmal,
    start_rival,
)
from train_speed import RECIPE

from onmal.cache import cache_folder
from onmal.cli.options import corpus_folders
from onmal.config import RunConfig
from onmal.errors import ConfigError, TrainingError
from onmal.evaluation import score
from onmal.processor import cores
from onmal.settings import apply_overrides, read_toml

PATIENCE = 3  # times onmal's minutes
LOOK_EVERY = 2.0  # seconds

Curve = list[tuple[float, float]]
"""Training minutes, validation not counted -> BLEU."""


def main() -> None:
    """Train each in its turn, print, record."""
    options = read_options()
    end_with_the_program()
    corpora = corpus_folders(options.data)
    overrides = ("train.threads=0", "train.processes=0", *(options.set or ()))
    values = apply_overrides({"name": options.recipe.stem, **read_toml(options.recipe)}, overrides)
    config = RunConfig.from_dict(values)
    environment = allocator_environment(options.allocator)
    result = begun(options, config, values)
    systems: dict[str, Any] = result["systems"]
    with ExitStack() as stack:
        folder = options.keep or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="time_to_quality-"))
        )
        task = Task.prepare(config, corpora)
        task.write(folder / "text")
        toml = folder / "run.toml"
        toml.write_text(config.to_toml(), "utf-8")

        def measure(name: str, start: Callable[[], Contestant], curve: Callable[[Contestant], Curve]) -> None:
            since = time.monotonic()
            limit = PATIENCE * systems["onmal"]["minutes"] if systems else None
            contestant = start()
            systems[name] = watch(contestant, lambda: curve(contestant), options.level, limit)
            result["minutes"] = round(result["minutes"] + (time.monotonic() - since) / 60, 1)
            recording.record("time_to_quality", result, options.results)

        if "onmal" not in systems:
            measure(
                "onmal",
                lambda: start_onmal(toml, corpora, folder / "onmal", {}),
                lambda contestant: onmal_curve(events_of(contestant)),
            )
        if systems["onmal"]["minutes"] is None:
            raise TrainingError(
                f"onmal did not reach {options.level:g} BLEU",
                "give it longer: --set train.minutes=N; and remove the result, or give another --results",
            )
        for name in options.systems:
            if name in systems:
                continue
            spec = task.spec(
                folder / "text", folder / name, options.batch_tokens, options=dict(RIVALS[name].options),
                validate_every=max(1, options.validation_tokens // options.batch_tokens),
            )  # fmt: skip
            if RIVALS[name].tuned and environment is None:
                print(f"{name}: left out, {options.allocator} is not installed")
                continue
            around = (environment or {}) if RIVALS[name].tuned else {}
            scores: dict[str, float] = {}
            try:
                measure(
                    name,
                    partial(start_rival, name, options.rivals, spec, around),
                    partial(rival_curve, task=task, scores=scores),
                )
            except RuntimeError as error:
                print(f"{name}: left out, {error}", flush=True)
    show(systems, options.level)


def begun(options: Namespace, config: RunConfig, values: Mapping[str, Any]) -> dict[str, Any]:
    """What is measured already. Raises ConfigError where that was with other settings, or on another machine.

    The settings are told by what is given of them (`values`): a default that came later changes nothing measured.
    """
    signature = score(["a b c d"], ["a b c d"], target_language=config.data.target_language, bootstrap=0)[0]
    facts = {
        "recipe": config.name,
        "corpus": config.data.corpus,
        "config_hash": hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest(),
        "level": options.level,
        "signature": signature.signature,
        "rival_batch_tokens": options.batch_tokens,
        "allocator": options.allocator,
        "cores": cores(),
        "machine": recording.this_machine(),
    }
    path = options.results / "time_to_quality.json"
    earlier = (
        json.loads(path.read_text("utf-8")) if path.exists() else {**facts, "systems": {}, "minutes": 0.0}
    )
    for key, value in facts.items():
        if earlier.get(key) != value:
            raise ConfigError(
                f"{path}: {key} is {earlier.get(key)!r}, not {value!r}",
                "such times cannot be compared; move the file away, or give another --results",
            )
    return earlier


def read_options() -> Namespace:
    """The command line."""
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipe", type=Path, default=RECIPE, metavar="TOML")
    parser.add_argument("--set", action="append", metavar="SECTION.KEY=VALUE", help="changes onmal's recipe")
    parser.add_argument("--data", action="append", metavar="NAME=FOLDER", help="where the corpus is")
    parser.add_argument("--rivals", type=Path, default=cache_folder().parent / "rivals", metavar="FOLDER")
    default = ["hf-tuned", "marian", "joey-tuned"]
    parser.add_argument("--systems", nargs="*", choices=list(RIVALS), default=default)
    parser.add_argument("--level", type=float, default=35.0, metavar="BLEU")
    parser.add_argument("--batch-tokens", type=int, default=4096, help="of the rivals [%(default)s]")
    parser.add_argument(
        "--validation-tokens", type=int, default=400_000, metavar="TOKENS", help="between two of the rivals'"
    )
    parser.add_argument("--allocator", default="tcmalloc", help="of the tuned rivals [%(default)s]")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="for what the toolkits write [not kept]")
    parser.add_argument("--results", type=Path, default=recording.RESULTS, metavar="FOLDER")
    return parser.parse_args()


def watch(
    contestant: Contestant, curve: Callable[[], Curve], level: float, limit: float | None
) -> dict[str, Any]:
    """Wait until a system reaches the level, has trained for `limit` minutes, or ends by itself; then end it."""
    seen, found = 0, []
    try:
        contestant.wait(0)
        while True:
            ended = any(process.poll() is not None for process in contestant.processes)
            found = curve()
            for minutes, bleu in found[seen:]:
                print(f"{contestant.name}: {minutes:.1f} minutes, BLEU {bleu:.2f}", flush=True)
            seen = len(found)
            trained = found[-1][0] if found else 0.0
            if ended or reached(found, level) is not None or (limit is not None and trained >= limit):
                break
            time.sleep(LOOK_EVERY)
    finally:
        contestant.end()
    if not found:
        raise RuntimeError(contestant.last_words())
    minutes = reached(found, level)
    within = minutes is not None and (limit is None or minutes <= limit)
    return {
        "minutes": round(minutes, 2) if minutes is not None and within else None,
        "more_than_minutes": None if within else round(min(found[-1][0], limit or found[-1][0]), 2),
        "best": round(max(bleu for _, bleu in found), 2),
        "curve": [(round(at, 2), round(bleu, 2)) for at, bleu in found],
        "versions": contestant.versions(),
    }


def reached(curve: Curve, level: float) -> float | None:
    """The minutes of the first validation at the level."""
    return next((minutes for minutes, bleu in curve if bleu >= level), None)


def events_of(contestant: Contestant) -> Iterable[dict[str, Any]]:
    """The whole log of a system with a single log."""
    return (event for log in contestant.logs()[:1] for event in log)


def onmal_curve(log: Iterable[Mapping[str, Any]]) -> Curve:
    """From onmal's log: its clock runs on in validation, so each stretch between two is counted by its pace."""
    curve: Curve = []
    spent = pace = 0.0
    update, seconds = 0, 0.0  # where the run stood when the stretch began
    for event in log:
        if event["event"] == "update" and event["update"] > update:
            pace = (event["seconds"] - seconds) / (event["update"] - update)
        elif event["event"] == "validation":
            progress, (scores,) = event["progress"], event["scores"].values()
            spent += pace * (progress["update"] - update)
            update, seconds = progress["update"], progress["seconds"]
            curve.append((spent / 60, scores["BLEU"]))
    return curve


def rival_curve(rival: Contestant, task: Task, scores: dict[str, float]) -> Curve:
    """From a driver's log and its translations; `scores` keeps what has been scored already."""
    curve = []
    for event in events(rival, "validation"):
        name = event["file"]
        if name not in scores:
            scores[name] = bleu(task, (rival.out / name).read_text("utf-8").split("\n")[:-1])
        curve.append((event["seconds"] / 60, scores[name]))
    return curve


def bleu(task: Task, translations: list[str]) -> float:
    """Score translations in pieces."""
    subwords = task.tokenizer.target
    ids = [[subwords.processor.piece_to_id(piece) for piece in line.split()] for line in translations]
    texts = [subwords.decode(sentence) for sentence in ids]
    references = [pair.target for pair in task.valid]
    language = task.config.data.target_language
    return score(texts, references, target_language=language, metrics=["BLEU"], bootstrap=0)[0].value


def show(systems: Mapping[str, Any], level: float) -> None:
    """All systems as a table."""
    own = systems["onmal"]["minutes"]
    rows = []
    for name, system in systems.items():
        bound = system["minutes"] is None
        minutes = system["more_than_minutes"] if bound else system["minutes"]
        sign = "> " if bound else ""
        rows.append((name, f"{sign}{minutes:.1f}", f"{system['best']:.2f}", f"{sign}{minutes / own:.2f}"))
    recording.show(("system", f"minutes to {level:g} BLEU", "best BLEU", "times onmal's"), rows)


if __name__ == "__main__":
    recording.main(main)
