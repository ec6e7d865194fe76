"""How a translating contestant is told what to do, and tells how long it took: a line of JSON each way.

Imported inside the rivals' own virtual environments, so it needs nothing but Python. Between two orders a contestant waits on its
standard input and computes nothing.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["Translate", "serve"]

Translate = Callable[[list[str], int], list[str]]
"""Sentences and beam size -> translations, in their order."""


def serve(translate: Translate, facts: dict[str, Any]) -> None:
    """Translate the lines of the file that the first order names, as each order says, until there are no more."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")  # whatever a toolkit prints goes to standard error
    os.dup2(2, 1)

    def say(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer, ensure_ascii=False) + "\n")
        answers.flush()

    sentences: list[str] = []
    for line in sys.stdin:
        order = json.loads(line)
        beam = order.get("beam", 1)
        match order["do"]:
            case "read":
                sentences = Path(order["path"]).read_text("utf-8").split("\n")[: order["count"]]
                say(facts)
            case "batch":  # whole passes, so that short and long sentences are as many for all
                done, begun = 0, time.perf_counter()
                while time.perf_counter() - begun < order["seconds"]:
                    translate(sentences, beam)
                    done += len(sentences)
                say({"rate": done / (time.perf_counter() - begun)})
            case "single":
                seconds = []
                for sentence in sentences[: order["count"]]:
                    begun = time.perf_counter()
                    translate([sentence], beam)
                    seconds.append(time.perf_counter() - begun)
                say({"seconds": seconds})
            case "clients":
                say(clients(translate, sentences, order))
            case "show":
                say({"translations": translate(sentences, beam)})


def clients(translate: Translate, sentences: list[str], order: dict[str, Any]) -> dict[str, Any]:
    """So many clients at the same time, each a thread that asks for one sentence after the other: what each call took."""
    numbers, seconds = itertools.count(), list[float]()
    begun = time.perf_counter()

    def client() -> None:
        while (start := time.perf_counter()) - begun < order["seconds"]:
            translate([sentences[next(numbers) % len(sentences)]], order["beam"])
            seconds.append(time.perf_counter() - start)

    threads = [threading.Thread(target=client) for _ in range(order["count"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"calls": seconds, "seconds": time.perf_counter() - begun}
