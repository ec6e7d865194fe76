"""How `onmal serve` does with 1, 8 and 64 clients at the same time: sentences a second, and how long one of them takes (median and 99th percentile).

The clients are wrk, which is compiled; each sends one sentence after the other to POST /v1/translate, always another one. By turns, within
one run, with as many clients:

- `onmal, one by one`: the same engine without a server and without merging, each client a thread that calls it for one sentence at a time.
- `CTranslate2, asynchronous`: the same weights in CTranslate2 called directly, each client's sentence an asynchronous call of its own; one
  worker with all threads or a worker for each core, whichever is faster with so many clients.
- `echo`: a route that always says the same, with uvicorn as `onmal serve` sets it up: what HTTP and wrk take for themselves.
- `onmal, in batch`: the same engine given the whole text at once. `beside echo`: the same while wrk and the echo route handle, on the same
  cores, as many requests a second as the server has just answered: what is left for translating where HTTP is for nothing.

Memory is that of a fresh server (VmRSS), read when so many requests are answered. Not measured: start-up, networks, several sentences in a request.

    python benchmarks/serve_load.py runs/phrasebook runs/multi30k-en-de --data multi30k=FOLDER
    python benchmarks/serve_load.py runs/phrasebook --seconds 3 --clients 1 64 --requests 200 1000

Several models are measured one after the other, each with the first test set of its own recipe. wrk is a package of Debian and of others.
The result goes to benchmarks/results/serve_load.json. Linux only, for it reads /proc.
"""

from __future__ import annotations

import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import recording
from bulk import count_lines
from translate_speed import RIVALS, Contestant, test_text
from wrk import Figures, as_wrk_counts, ended, wrk, wrk_version

from onmal.errors import ConfigError, DataError
from onmal.processor import cores
from onmal.saved_model import SavedModel, load_model

SERVE, ONE_BY_ONE, DIRECT = "onmal serve", "onmal, one by one", "CTranslate2, asynchronous"
ECHO, BATCH, BESIDE = "echo", "onmal, in batch", "onmal, in batch beside echo"
ENDLESS = 3600  # seconds: until it is told to stop
LEAST_SHARE, MOST_MILLISECONDS, MOST_MEBIBYTES = 0.7, 4.0, 20.0


def main() -> None:
    """Measure each model, record."""
    options = read_options()
    if not shutil.which("wrk"):
        raise ConfigError(
            "wrk is not installed, which sends the requests", "install it, such as with: apt install wrk"
        )
    begun = time.monotonic()
    models = {name_of(folder): folder for folder in options.model}
    if len(models) < len(options.model):
        raise ConfigError("two of the models have the same name", "measure one of them")
    found = {
        name: measure_model(Namespace(**{**vars(options), "model": folder}), name)
        for name, folder in models.items()
    }
    result = {
        "models": found,
        "precision": options.precision,
        "seconds": options.seconds,
        "rounds": options.rounds,
        "versions": {
            **{name: version(name) for name in ("onmal", "ctranslate2", "fastapi", "uvicorn")},
            "wrk": wrk_version(),
        },
        "machine": recording.this_machine(),
        "minutes": round((time.monotonic() - begun) / 60, 1),
    }
    for name, its in found.items():
        print(f"\n{name}")
        show(its["clients"], its["expected"])
    recording.record("serve_load", result, options.results)


def name_of(folder: Path) -> str:
    """What a model is called in the result."""
    return str(load_model(folder).card.get("name", folder.name))


def measure_model(options: Namespace, name: str) -> dict[str, Any]:
    """All contestants by turns, with as many clients as asked for, then memory: of the one model that `options` names."""
    saved = load_model(options.model)
    sources, _, _ = test_text(options, saved.card)
    print(f"{name}: {len(sources):,} sentences, {cores()} cores", flush=True)
    with tempfile.TemporaryDirectory(prefix="serve_load-") as scratch:
        place = Path(scratch)
        (place / "sources").write_text("".join(f"{sentence}\n" for sentence in sources), "utf-8")
        (place / "bodies").write_text(bodies(sources, saved.directions[0]), "utf-8")
        with Contestants(options, place, saved, len(sources)) as contestants:
            found = {str(clients): measure(options, contestants, clients) for clients in options.clients}
        memory = memory_of_requests(options, place)
    return {
        "config_hash": saved.card.get("config_sha256", ""),
        "beam_size": saved.search.beam_size,
        "sentences": len(sources),
        "clients": found,
        "memory": memory,
        "expected": expected(found, memory),
    }


def read_options() -> Namespace:
    """The command line."""
    parser = recording.arguments(__doc__, models="+")
    parser.add_argument("--data", action="append", metavar="NAME=FOLDER", help="where the model's corpus is")
    parser.add_argument("--sentences", type=int, default=1000, metavar="N")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 64], metavar="N")
    parser.add_argument("--seconds", type=int, default=60, help="for each with so many clients [%(default)s]")
    parser.add_argument("--rounds", type=int, default=3, help="in which the seconds are shared [%(default)s]")
    parser.add_argument("--precision", choices=("float32", "int8"), default="float32")
    parser.add_argument(
        "--requests", type=int, nargs=2, default=[2_000, 20_000], metavar=("FROM", "TO"),
        help="between which memory may hardly grow [2,000 20,000]",
    )  # fmt: skip
    return parser.parse_args()


def bodies(sources: Sequence[str], direction: tuple[str, str]) -> str:
    """A line of JSON for each sentence, as POST /v1/translate takes it."""
    source, target = direction
    asked = [{"text": sentence, "source": source, "target": target} for sentence in sources]
    return "".join(f"{json.dumps(each, ensure_ascii=False)}\n" for each in asked)


# ----------------------------------------------------------------------------------------------------------- contestants


@contextmanager
def serving(command: Sequence[str | Path], place: Path, name: str) -> Iterator[tuple[str, int]]:
    """A server's address and process number, while it runs; its standard output goes to a file of that name."""
    said = place / f"{name}.said"
    with (place / name).open("wb") as out, said.open("wb") as err:
        process = subprocess.Popen([sys.executable, *map(str, command)], stdout=out, stderr=err)
    try:
        while not (found := re.search(r"\bat (http://\S+)\s", said.read_text("utf-8"))):
            if process.poll() is not None:
                last = said.read_text("utf-8").strip().rpartition("\n")[2]
                raise DataError(f"{name} ended with status {process.returncode}", f"it said: {last}")
            time.sleep(0.05)
        yield found[1], process.pid
    finally:
        process.terminate()
        process.wait(30)


def serve_command(options: Namespace) -> list[str | Path]:
    """`onmal serve` as it comes, at a free port. Twice as many requests at once, for those of a turn that ended are still being dropped."""
    return [
        *("-m", "onmal", "serve", options.model, "--port", "0", "--load-all"),
        *("--precision", options.precision, "--set", f"at_once={2 * max(options.clients)}"),
    ]


class Contestants:
    """Who takes part, running and warm; whoever is not asked computes nothing."""

    def __init__(self, options: Namespace, place: Path, saved: SavedModel, count: int) -> None:
        self.options, self.place, self.beam, self.count = options, place, saved.search.beam_size, count
        self._ends = ExitStack()

    def __enter__(self) -> Contestants:
        """The engine comes first: it finds out its best number of workers, which all that start later take over."""
        with ExitStack() as ends:  # where one cannot start, the others end
            model, precision = self.options.model, self.options.precision
            self.engine = self._caller(ends, ONE_BY_ONE, ["onmal", model, "auto", precision])
            self.direct = {
                f"{workers} x {cores() // workers} threads": self._caller(
                    ends, DIRECT, ["ctranslate2", model, precision, workers, cores() // workers, 0]
                )
                for workers in sorted({1, cores()})
            }
            serve = serving(serve_command(self.options), self.place, "serve")
            self.url = ends.enter_context(serve)[0] + "/v1/translate"
            first = (self.place / "bodies").read_bytes().partition(b"\n")[0]
            request = Request(self.url, first, {"Content-Type": "application/json"})
            answer = urlopen(request).read().decode()
            echo = serving([RIVALS / "echo.py", answer], self.place, "echo")
            self.echo_url = ends.enter_context(echo)[0]
            self._ends = ends.pop_all()
        return self

    def __exit__(self, *failure: object) -> None:
        self._ends.close()

    def _caller(self, ends: ExitStack, name: str, arguments: Sequence[Any]) -> Contestant:
        command = [sys.executable, RIVALS / "engines.py", *map(str, arguments)]
        caller = Contestant(name, command, self.place / "sources", self.count)
        ends.callback(caller.end)
        caller.ask(do="show", beam=self.beam)
        return caller

    def fastest_direct(self, clients: int) -> str:
        """The way of calling CTranslate2 directly that is fastest with so many clients."""
        seconds = min(5.0, self.options.seconds / self.options.rounds)
        return max(self.direct, key=lambda way: self.called(self.direct[way], clients, seconds)["per_second"])

    def called(self, caller: Contestant, clients: int, seconds: float) -> Figures:
        """By so many clients within its own process."""
        told = caller.ask(do="clients", count=clients, seconds=seconds, beam=self.beam)
        return as_wrk_counts(told["calls"], told["seconds"], clients)

    def asked(self, url: str, clients: int, seconds: int) -> Figures:
        """Over HTTP."""
        return ended(wrk(url, clients, seconds, self.place))

    def in_batch(self, seconds: float) -> Figures:
        """The whole text, again and again."""
        return {"per_second": self.engine.ask(do="batch", seconds=seconds, beam=self.beam)["rate"]}

    def in_batch_beside_echo(self, clients: int, rate: float, seconds: float) -> Figures:
        """The same while so many requests a second are answered; and how many were."""
        beside = wrk(f"{self.echo_url}/?rate={rate:.3f}", clients, ENDLESS, self.place)
        try:
            found = self.in_batch(seconds)
        except BaseException:
            beside.kill()
            raise
        return {**found, "echoes_per_second": ended(beside, now=True)["per_second"]}


# --------------------------------------------------------------------------------------------------------------- measure


def measure(options: Namespace, contestants: Contestants, clients: int) -> dict[str, Any]:
    """All contestants with so many clients, in turns; and how many times as fast as each of them the server is."""
    slice_seconds, way = max(1, options.seconds // options.rounds), contestants.fastest_direct(clients)
    turns = {
        SERVE: lambda: contestants.asked(contestants.url, clients, slice_seconds),
        ONE_BY_ONE: lambda: contestants.called(contestants.engine, clients, slice_seconds),
        DIRECT: lambda: contestants.called(contestants.direct[way], clients, slice_seconds),
        ECHO: lambda: contestants.asked(contestants.echo_url, clients, slice_seconds),
        BATCH: lambda: contestants.in_batch(slice_seconds),
    }
    contestants.asked(contestants.url, clients, 1)  # so that the server is as warm as the others
    slices: dict[str, list[Figures]] = {name: [] for name in (*turns, BESIDE)}
    for number in range(options.rounds):
        order = list(turns)
        shift = number % len(order)  # so that nobody always follows the same one
        for name in [*order[shift:], *order[:shift]]:
            slices[name].append(turns[name]())
        rate = slices[SERVE][-1]["per_second"]  # which is known now
        slices[BESIDE].append(contestants.in_batch_beside_echo(clients, rate, slice_seconds))
        told = "  ".join(f"{name} {found[-1]['per_second']:,.0f}" for name, found in slices.items())
        print(f"{clients} clients, round {number + 1}: {told}", flush=True)
    found = {name: summed_up(each, slices[SERVE]) for name, each in slices.items()}
    found[DIRECT]["way"] = way
    return found


def summed_up(slices: Sequence[Figures], server: Sequence[Figures]) -> dict[str, Any]:
    """Each slice's rate, medians of all figures, and round by round how many times as fast the server is."""
    rates, served = ([each["per_second"] for each in some] for some in (slices, server))
    return {
        "slices": [round(rate, 1) for rate in rates],
        **{key: round(statistics.median(each[key] for each in slices), 2) for key in slices[0]},
        "serve_is_times": recording.ratio(served, rates),
    }


def memory_of_requests(options: Namespace, place: Path) -> dict[str, Any]:
    """Resident memory [MiB] of a fresh server after the first and the second number of requests, counted by its access log."""
    clients = max(options.clients)
    with serving(serve_command(options), place, "counted") as (url, process):
        sending = wrk(f"{url}/v1/translate", clients, ENDLESS, place)
        try:
            answered, marks = count_lines(place / "counted"), []
            for mark in options.requests:
                while (requests := next(answered)) < mark:
                    if sending.poll() is not None:
                        ended(sending)  # which says why
                    time.sleep(0.02)
                marks.append((requests, resident(process)))
            ended(sending, now=True)
        finally:
            sending.kill()
    return {
        "clients": clients,
        "requests": [requests for requests, _ in marks],
        "mib": [round(size / 2**20, 1) for _, size in marks],
        "growth_mib": round((marks[-1][1] - marks[0][1]) / 2**20, 1),
    }


def resident(process: int) -> int:
    """Bytes of VmRSS."""
    status = Path(f"/proc/{process}/status").read_text("utf-8")
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    return 1024 * int(found[1]) if found else 0


# ------------------------------------------------------------------------------------------------------------------ judge


def expected(found: Mapping[str, Any], memory: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What a server should keep to, and whether it did; only what was measured with 64 clients, and with one."""
    judged = {}

    def judge(what: str, measured: float, wanted: str, met: bool) -> None:
        judged[what] = {"measured": measured, "expected": wanted, "met": met}

    if "64" in found:
        share = found["64"][BESIDE]["serve_is_times"]["median"]
        wanted = f"at least {LEAST_SHARE:g}"
        judge("64 clients, of the rate in batch beside echo", share, wanted, share >= LEAST_SHARE)
    if "1" in found:
        more = round(found["1"][SERVE]["p50_ms"] - found["1"][ONE_BY_ONE]["p50_ms"], 2)
        wanted = f"at most {MOST_MILLISECONDS:g}"
        judge("1 client, median beyond the bare call's, ms", more, wanted, more <= MOST_MILLISECONDS)
    (low, high), growth = memory["requests"], memory["growth_mib"]
    what = f"memory grown between requests {low:,} and {high:,}, MiB"
    judge(what, growth, f"less than {MOST_MEBIBYTES:g}", growth < MOST_MEBIBYTES)
    return judged


def show(found: Mapping[str, Any], judged: Mapping[str, Mapping[str, Any]]) -> None:
    """Print both."""
    rows = [
        (
            clients, name, f"{its['per_second']:,.0f}",
            *(f"{its[key]:,.1f}" if key in its else "" for key in ("p50_ms", "p99_ms")),
            f"{its['serve_is_times']['median']:.2f}",
        )
        for clients, systems in found.items()
        for name, its in systems.items()
    ]  # fmt: skip
    recording.show(("clients", "", "sentences/s", "50 %, ms", "99 %, ms", "serve is times"), rows)
    rows = [
        (what, f"{its['measured']:g}", its["expected"], "met" if its["met"] else "not met")
        for what, its in judged.items()
    ]
    recording.show(("", "measured", "expected", ""), rows)


if __name__ == "__main__":
    recording.main(main)
