"""Translates a file of ten million lines as a person would, and kills it on the way: speed, memory, and whether a line is lost.

The file has the same lines again and again, so that each translation can be compared with that of the same line in the first round:
a line that is lost, doubled, cut or out of its order shows in all that follow. The command is `onmal translate FILE -o OUT --resume`;
it is killed (SIGKILL) at random lines and begun anew. Anonymous memory (RssAnon) is that of the process, the most
in each twentieth of the file.

    python benchmarks/bulk.py MODEL --text FILE
    python benchmarks/bulk.py MODEL --text FILE --lines 1000000 --kills 2
    python benchmarks/bulk.py MODEL --text FILE --spread 50

A million sentences take minutes, ten million hours. With --spread most lines are blank, so that ten million lines are read, kept in order,
written and gone on from in minutes, too. The result goes to benchmarks/results/bulk.json, or bulk-spread.json. Linux only, for it reads /proc.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from itertools import cycle, islice
from pathlib import Path

import recording
from prepare import MEBIBYTE, anonymous_memory

from onmal.errors import DataError
from onmal.formats.lines import read_lines
from onmal.saved_model import load_model

PARTS = 20
LOOK_EVERY = 0.2  # seconds


def main() -> None:
    """Write the text, translate it, compare, record."""
    options = read_options()
    card = load_model(options.model).card
    sentences = list(read_lines(options.text))
    if not sentences:
        raise DataError("has no lines", "give a text to repeat", path=options.text)
    lines = [line for sentence in sentences for line in (sentence, *[""] * (options.spread - 1))]
    with tempfile.TemporaryDirectory(prefix="onmal-bulk-", dir=options.folder) as scratch:
        text, out = Path(scratch, "text"), Path(scratch, "translated")
        with text.open("w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in islice(cycle(lines), options.lines))
        chance = random.Random(options.lines)
        kills = sorted(chance.sample(range(1, options.lines), options.kills))
        begun = time.monotonic()
        memory, starts = translate(options, text, out, [*kills, None])
        seconds = time.monotonic() - begun
        written, different = compare(out, len(lines))
    result = {
        "model": card.get("name", options.model.name),
        "config_hash": card.get("config_sha256", ""),
        "lines": options.lines,
        "spread": options.spread,
        "distinct_lines": len(set(lines)),
        "beam_size": options.beam_size,
        "kills": options.kills,
        "lines_at_start": starts,
        "lines_written": written,
        "lines_unlike_their_first": different,
        "lines_per_second": round(options.lines / seconds, 1),
        "anonymous_mib": memory,
        "onmal": version("onmal"),
        "machine": recording.this_machine(),
        "minutes": round(seconds / 60, 1),
    }
    mebibytes = list(memory.values())
    recording.show(
        ("lines", "lines/s", "MiB at first", "MiB at last", "lost or doubled", "unlike their first"),
        [
            (
                f"{written:,}", f"{result['lines_per_second']:,.0f}", f"{mebibytes[0]:.0f}", f"{mebibytes[-1]:.0f}",
                str(options.lines - written), str(different),
            )
        ],
    )  # fmt: skip
    recording.record("bulk" if options.spread == 1 else "bulk-spread", result, options.results)


def read_options() -> Namespace:
    """The command line."""
    parser = recording.arguments(__doc__)
    parser.add_argument(
        "--text", type=Path, required=True, metavar="FILE", help="lines in the model's source language"
    )
    parser.add_argument("--lines", type=int, default=10_000_000, help="to translate [%(default)s]")
    parser.add_argument(
        "--spread", type=int, default=1, metavar="N", help="a sentence in each Nth line, blank ones between"
    )
    parser.add_argument("--kills", type=int, default=5, help="on the way [%(default)s]")
    parser.add_argument("--beam-size", type=int, default=1, help="of the search [%(default)s]")
    parser.add_argument("--folder", type=Path, help="where to put the text for a while [the system's place]")
    return parser.parse_args()


def translate(
    options: Namespace, text: Path, out: Path, ends: Sequence[int | None]
) -> tuple[dict[str, float], list[int]]:
    """Translate until each of the ends, a line at which it is killed or None; most memory [MiB] in each twentieth, lines at each start."""
    part = out.with_name(f".{out.name}.part")
    command = [
        *(sys.executable, "-m", "onmal", "translate", options.model, text, "-o", out),
        *("--resume", "--beam-size", options.beam_size),
    ]
    memory: dict[str, float] = {}
    starts: list[int] = []
    done = count_lines(part)
    for end in ends:
        starts.append(next(done))
        said = out.with_name("said")
        with said.open("wb") as file:
            process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=file)
        try:
            while process.poll() is None:
                lines = next(done)
                if end is not None and lines >= end:
                    process.kill()
                share = f"{100 * (min(lines, options.lines - 1) * PARTS // options.lines + 1) // PARTS} %"
                used = anonymous_memory(process.pid) / MEBIBYTE
                memory[share] = round(max(memory.get(share, 0.0), used), 1)
                time.sleep(LOOK_EVERY)
        finally:
            process.kill()
            process.wait()
        if process.returncode == 0:  # before it could be killed, perhaps
            break
        if end is None:
            last = said.read_text("utf-8")[-300:].strip()
            raise DataError(f"onmal translate ended with status {process.returncode}", f"it said: {last}")
    return memory, starts


def count_lines(path: Path) -> Iterator[int]:
    """How many lines a growing file has, each time that it is asked; only what is new is read."""
    lines = offset = 0
    while True:
        if path.exists():
            size = path.stat().st_size
            if size < offset:  # half a line was cut off
                lines = offset = 0
            with path.open("rb") as file:
                file.seek(offset)
                while block := file.read(1 << 20):
                    lines, offset = lines + block.count(b"\n"), offset + len(block)
        yield lines


def compare(out: Path, period: int) -> tuple[int, int]:
    """Lines of a translation, and how many of them are not what the same line of the first round is."""
    first: list[str] = []
    number = different = 0
    for number, line in enumerate(read_lines(out), 1):
        if number <= period:
            first.append(line)
        else:
            different += line != first[(number - 1) % period]
    return number, different


if __name__ == "__main__":
    recording.main(main)
