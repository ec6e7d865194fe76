"""The load generator of serve_load.py: clients that send one request after the other, and what they find."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from onmal.errors import DataError

SCRIPT = Path(__file__).with_name("serve_load.lua")
PATIENCE = "10s"  # with one answer, before wrk calls it lost

Figures = dict[str, float]
"""per_second and, where there are clients, p50_ms and p99_ms."""


def wrk(url: str, clients: int, seconds: int, place: Path) -> subprocess.Popen[str]:
    """So many clients that send what is in the file `bodies`, for so long; in one thread, which is enough."""
    command = ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--timeout", PATIENCE, "-s", SCRIPT, url]
    return subprocess.Popen(
        [*map(str, command), "--", str(place / "bodies")],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ended(clients: subprocess.Popen[str], *, now: bool = False) -> Figures:
    """What they have found when their time is over, or `now`."""
    if now:
        clients.send_signal(signal.SIGINT)
    return read_wrk(clients.communicate()[0])


def read_wrk(output: str) -> Figures:
    """The figures that the script prints at the end. Raises DataError where requests failed: the others would look quick."""
    last = output.strip().rpartition("\n")[2]
    if not last.startswith("{"):
        raise DataError(f"wrk measured nothing: {last!r}", "see that nothing else stops it, and try again")
    told = json.loads(last)
    if told["failed"] or told["refused"] or not told["requests"]:
        raise DataError(
            f"of {told['requests']:,} requests {told['refused']:,} were refused and {told['failed']:,} failed",
            "see that a client may have as many at once (--set at_once=N), and try fewer --clients",
        )
    return {
        "per_second": told["requests"] / told["seconds"],
        "p50_ms": told["p50_ms"],
        "p99_ms": told["p99_ms"],
    }


def wrk_version() -> str:
    """As it calls itself, such as 4.1.0."""
    said = subprocess.run(["wrk", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"\d+(\.\d+)+", said)
    return found[0] if found else said[:20]


def as_wrk_counts(calls: Sequence[float], seconds: float, clients: int) -> Figures:
    """The figures of calls [s] as wrk would have them.

    It adds what a client would have found that does not wait for an answer, but asks again at the mean interval: for each call that
    took twice that and more, one that began an interval later, and so on.
    """
    interval = seconds / max(1, len(calls) // clients)
    counted = list(calls)
    for call in calls:
        missed = call - interval
        while call >= 2 * interval and missed > interval:
            counted.append(missed)
            missed -= interval
    counted.sort()
    return {
        "per_second": len(calls) / seconds,
        "p50_ms": 1000 * counted[len(counted) // 2],
        "p99_ms": 1000 * counted[int(0.99 * (len(counted) - 1))],
    }
