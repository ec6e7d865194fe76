"""How fast the same weights translate in onmal's engines, and as it comes (`auto`), in CTranslate2 called directly, and in transformers' generate.

Text in, text out, measured in turns within one run: each contestant is a process of its own that waits while another is at work. For each
beam size: sentences a second over the whole text in batch, and milliseconds for one sentence at a time (median and 99th percentile).
BLEU of every contestant's translations, and how many of them are letter by letter those of onmal's torch engine, so that a fast wrong answer
shows. Threads, workers and batch sizes of CTranslate2 called directly are tried first, and the best of them takes part.
Not measured: start-up, conversion, other hardware.

    python benchmarks/translate_speed.py runs/multi30k-en-de --data multi30k=FOLDER --rivals FOLDER [--marian FOLDER]

--rivals holds the virtual environments `huggingface` and `marian` (docs/benchmarks.md); who has none is left out, with a line that says so.
--marian is where Marian has trained (`time_to_quality.py --keep`): it cannot have the same weights, so it takes part with its own.
The result goes to benchmarks/results/translate_speed.json.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import recording

from onmal.cache import cache_folder
from onmal.cli.options import corpus_folders
from onmal.corpora.located import find
from onmal.errors import ConfigError
from onmal.evaluation import score
from onmal.processor import cores
from onmal.saved_model import load_model

RIVALS = Path(__file__).parent / "rivals"
BATCHES = (16, 32, 64, 128)
FIRST = "onmal, torch"
Way = tuple[int, int, int]
"""Workers, threads and batch size of CTranslate2 called directly."""
OWN = ("onmal, auto", "onmal, ctranslate2", "onmal, ctranslate2, int8")


def main() -> None:
    """Start all, sweep, measure by turns, compare, record."""
    options = read_options()
    begun = time.monotonic()
    card = load_model(options.model).card
    sources, references, language = test_text(options, card)
    print(f"{len(sources):,} sentences, {cores()} cores", flush=True)
    with tempfile.TemporaryDirectory(prefix="translate_speed-") as scratch:
        text = Path(scratch, "sources")
        text.write_text("".join(f"{sentence}\n" for sentence in sources), "utf-8")
        swept = {
            precision: sweep(options, precision, text, len(sources)) for precision in ("float32", "int8")
        }
        running = start_all(options, text, len(sources), swept)
        found = measure_all(options, running, references, language)
    result = {
        "model": card.get("name", options.model.name),
        "config_hash": card.get("config_sha256", ""),
        "sentences": len(sources),
        "rounds": options.rounds,
        "slice_seconds": options.slice,
        "beams": found,
        "swept": {
            precision: {
                "{} x {} threads, batches of {}".format(*way): round(rate, 1) for way, rate in rates.items()
            }
            for precision, rates in swept.items()
        },
        "signature": score([""], [""], target_language=language, metrics=("BLEU",))[0].signature,
        "versions": {name: version for each in running for name, version in each.facts.items()},
        "machine": recording.this_machine(),
        "minutes": round((time.monotonic() - begun) / 60, 1),
    }
    recording.record("translate_speed", result, options.results)


def read_options() -> Namespace:
    """The command line."""
    parser = recording.arguments(__doc__)
    parser.add_argument("--data", action="append", metavar="NAME=FOLDER", help="where the model's corpus is")
    parser.add_argument("--rivals", type=Path, default=cache_folder().parent / "rivals", metavar="FOLDER")
    parser.add_argument("--marian", type=Path, metavar="FOLDER", help="where Marian has trained")
    parser.add_argument("--sentences", type=int, default=1000, metavar="N")
    parser.add_argument("--beams", type=int, nargs="+", default=[5, 1], metavar="K")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--slice", type=float, default=20.0, metavar="SECONDS")
    parser.add_argument(
        "--single", type=int, default=200, metavar="N", help="sentences one at a time [%(default)s]"
    )
    parser.add_argument(
        "--sweep", type=float, default=5.0, metavar="SECONDS", help="for each way to call CTranslate2"
    )
    return parser.parse_args()


def test_text(options: Namespace, card: Mapping[str, Any]) -> tuple[list[str], list[str], str]:
    """The first test set of the model's recipe."""
    data = card.get("run", {}).get("data", {})
    if not data.get("tests"):
        raise ConfigError(f"{options.model} names no test set", "give a model that a recipe made")
    source, target = data["source_language"], data["target_language"]
    corpus = find(data["corpus"], corpus_folders(options.data).get(data["corpus"]))
    pairs = list(corpus.pairs(data["tests"][0], source, target))[: options.sentences]
    return [pair.source for pair in pairs], [pair.target for pair in pairs], target


class Contestant:
    """A process that translates when it is told to."""

    def __init__(self, name: str, command: Sequence[str | Path], text: Path, count: int) -> None:
        self.name = name
        self.process = subprocess.Popen(
            list(map(str, command)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.facts: dict[str, str] = self.ask(do="read", path=str(text), count=count)

    def ask(self, **order: Any) -> dict[str, Any]:
        """Give an order and wait for the answer; RuntimeError where there is none."""
        with suppress(BrokenPipeError):  # then there is no answer
            print(json.dumps(order), file=self.process.stdin, flush=True)
        answer = next(iter(self.process.stdout or ()), "")
        if not answer:
            said = "".join(self.process.stderr or ()).strip().splitlines()
            raise RuntimeError(f"{self.name}: {said[-1] if said else 'it ended'}")
        return json.loads(answer)

    def end(self) -> None:
        """No more orders."""
        if self.process.stdin:
            self.process.stdin.close()
        self.process.wait(30)


def start_all(
    options: Namespace, text: Path, count: int, swept: Mapping[str, Mapping[Way, float]]
) -> list[Contestant]:
    """onmal's engines, CTranslate2 in its best way, transformers where it is installed."""
    engines, model = RIVALS / "engines.py", options.model
    commands: dict[str, list[str | Path]] = {
        FIRST: [sys.executable, engines, "onmal", model, "torch", "float32"],
        OWN[0]: [sys.executable, engines, "onmal", model, "auto", "float32"],
        OWN[1]: [sys.executable, engines, "onmal", model, "ctranslate2", "float32"],
        OWN[2]: [sys.executable, engines, "onmal", model, "ctranslate2", "int8"],
        "transformers": [options.rivals / "huggingface" / "bin" / "python", RIVALS / "generate.py", model],
    }
    if options.marian:
        commands["Marian, weights of its own"] = [
            options.rivals / "marian" / "bin" / "python", RIVALS / "marian_decoder.py", model, options.marian,
        ]  # fmt: skip
    for precision, rates in swept.items():
        best = max(rates, key=rates.__getitem__)
        commands[f"CTranslate2, {precision}, {best[0]} x {best[1]} threads, batches of {best[2]}"] = [
            sys.executable, engines, "ctranslate2", model, precision, *map(str, best),
        ]  # fmt: skip
    running = []
    for name, command in commands.items():
        try:
            running.append(Contestant(name, command, text, count))
        except (OSError, RuntimeError) as error:
            print(f"{name}: left out, {error}", flush=True)
    return running


def sweep(options: Namespace, precision: str, text: Path, count: int) -> dict[Way, float]:
    """How many sentences a second CTranslate2 called directly translates in each way, with the first beam size."""
    tried: dict[Way, float] = {}
    for workers in sorted({1, cores()}):
        for threads in sorted({1, cores() // workers}):
            for batch in BATCHES:
                way = (workers, threads, batch)
                command = [
                    sys.executable,
                    RIVALS / "engines.py",
                    "ctranslate2",
                    options.model,
                    precision,
                    *map(str, way),
                ]
                contestant = Contestant("CTranslate2", command, text, count)
                contestant.ask(do="single", count=20, beam=options.beams[0])
                tried[way] = contestant.ask(do="batch", seconds=options.sweep, beam=options.beams[0])["rate"]
                contestant.end()
    print(
        f"CTranslate2, {precision}: {', '.join(f'{way} {rate:,.0f}' for way, rate in tried.items())}",
        flush=True,
    )
    return tried


def measure_all(
    options: Namespace, running: Sequence[Contestant], references: Sequence[str], language: str
) -> dict[str, dict[str, Any]]:
    """All contestants with each beam size; then they end."""
    try:
        return {str(beam): measure(options, running, beam, references, language) for beam in options.beams}
    finally:
        for contestant in running:
            contestant.end()


def measure(
    options: Namespace, running: Sequence[Contestant], beam: int, references: Sequence[str], language: str
) -> dict[str, Any]:
    """All contestants with one beam size, in batch and one by one."""
    shown = {
        each.name: each.ask(do="show", beam=beam)["translations"] for each in running
    }  # and they are warm
    rates: dict[str, list[float]] = {each.name: [] for each in running}
    seconds: dict[str, list[float]] = {each.name: [] for each in running}
    for number in range(options.rounds):
        shift = number % len(running)  # so that nobody always follows the same one
        for each in [*running[shift:], *running[:shift]]:
            rates[each.name].append(each.ask(do="batch", seconds=options.slice, beam=beam)["rate"])
            seconds[each.name] += each.ask(do="single", count=options.single, beam=beam)["seconds"]
        print(
            f"beam {beam}, round {number + 1}: {'  '.join(f'{n} {r[-1]:,.0f}' for n, r in rates.items())}",
            flush=True,
        )
    found = {}
    for name in rates:
        [bleu] = score(shown[name], references, target_language=language, metrics=("BLEU",))
        milliseconds = sorted(1000 * each for each in seconds[name])
        found[name] = {
            "sentences_per_second": [round(rate, 1) for rate in rates[name]],
            "median": round(statistics.median(rates[name]), 1),
            "onmal_is_times": {
                own: recording.ratio(rates[own], rates[name]) for own in (FIRST, *OWN) if own in rates
            },
            "one_ms_median": round(statistics.median(milliseconds), 2),
            "one_ms_p99": round(milliseconds[int(0.99 * (len(milliseconds) - 1))], 2),
            "bleu": round(bleu.value, 2),
            "same": sum(one == other for one, other in zip(shown[name], shown[FIRST], strict=True))
            / len(references),
        }
    header = ("", "sentences/s", "one, ms", "99 %", "BLEU", "same")
    recording.show(
        header,
        [
            (
                name, f"{its['median']:,.0f}", f"{its['one_ms_median']:.1f}", f"{its['one_ms_p99']:.1f}",
                f"{its['bleu']:.2f}", f"{its['same']:.1%}",
            )
            for name, its in found.items()
        ],
    )  # fmt: skip
    return found


if __name__ == "__main__":
    recording.main(main)
