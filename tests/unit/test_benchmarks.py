"""What the side-by-side benchmarks count, from logs that are written down here: no rival is needed, and no clock."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from onmal.config import RunConfig
from onmal.errors import DataError

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))  # where a program of that folder finds what it imports

import bulk  # noqa: E402
import recording  # noqa: E402
import serve_load  # noqa: E402
import time_to_quality  # noqa: E402
import wrk  # noqa: E402
from rivals import contest, products, turns  # noqa: E402
from rivals.progress import Progress, Spec  # noqa: E402

NETWORK = {"d_model": 8, "num_heads": 2, "feed_forward": 16, "encoder_layers": 1, "decoder_layers": 1}


def contestant(folder: Path) -> contest.Contestant:
    """One whose processes are not there; only its logs are read."""
    return contest.Contestant("nobody", [], folder, {})


def written(path: Path, events: list[dict[str, Any]], rest: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(event) + "\n" for event in events) + rest, "utf-8")


@pytest.fixture(scope="module")
def task() -> contest.Task:
    values = {
        "size": "tiny",
        "data": {
            "corpus": "phrasebook", "source_language": "ko", "target_language": "en",
            "max_pairs": 300, "valid": [], "valid_size": 20, "vocabulary_size": 1000,
        },
        "train": {"max_updates": 1},
    }  # fmt: skip
    return contest.Task.prepare(RunConfig.from_dict(values), {})


def spec(folder: Path) -> Spec:
    return Spec(str(folder), str(folder), {}, 1, 1, 0.0, 1, 0.0, 1, 0, {})


def test_drivers_read_the_text_that_the_task_writes(task: contest.Task, tmp_path: Path) -> None:
    task.write(tmp_path / "text")
    told = spec(tmp_path / "text")
    ids = {piece: number for number, piece in enumerate(told.vocabulary())}
    assert len(ids) == task.words
    for name, sentences in task.sentences.items():
        assert [[ids[piece] for piece in pieces] for pieces in told.pieces(name)] == sentences
    references = [" ".join(pieces) for pieces in told.pieces("valid.target")]
    assert time_to_quality.bleu(task, references) == pytest.approx(100.0)


def test_batches_hold_every_token_and_keep_to_the_budget(task: contest.Task) -> None:
    shapes = task.shapes(256)
    source, target = task.lengths
    assert sum(shape.rows for shape in shapes) == len(source)
    assert sum(shape.tokens for shape in shapes) == target.sum()
    assert all(shape.rows * max(shape.source, shape.target) <= 256 for shape in shapes)
    assert 0 <= task.padding(256) < task.padding(100_000) < 1


def test_products_are_three_times_those_of_the_forward_pass() -> None:
    d, f, words, rows, s, t = 8, 16, 32, 3, 5, 7
    encoder = rows * s * (4 * d * d + 2 * d * f) + 2 * rows * s * s * d
    decoder = rows * t * (6 * d * d + 2 * d * f) + rows * s * 2 * d * d + 2 * rows * (t * t + t * s) * d
    found = products.products(NETWORK, words, products.Shape(rows, s, t, rows * t))
    assert sum(product.flops for product in found) == 3 * 2 * (encoder + decoder + rows * t * d * words)


def test_both_kinds_of_log_say_how_far_a_contestant_is(tmp_path: Path) -> None:
    updates = [
        {"event": "update", "seconds": 2.0, "target_tokens": 100},
        {"event": "update", "seconds": 4.0, "target_tokens": 300},
    ]
    written(tmp_path / "onmal" / "run" / "training" / "log.jsonl", updates, '{"event": "upd')
    assert contestant(tmp_path / "onmal").points() == [[(2.0, 100), (4.0, 300)]]
    rival = [
        {"event": "update", "time": time, "tokens": 100, "real": 180, "cells": 200} for time in (5.0, 6.0)
    ]
    for rank in range(2):
        written(tmp_path / "rival" / f"progress-{rank}.jsonl", rival)
    assert contestant(tmp_path / "rival").points() == [[(5.0, 100), (6.0, 200)]] * 2
    assert contestant(tmp_path / "rival").padding() == pytest.approx(0.1)
    assert contestant(tmp_path / "onmal").padding() is None


def test_a_driver_s_account_is_what_is_read_from_it(tmp_path: Path, task: contest.Task) -> None:
    progress = Progress(spec(tmp_path), "torch")
    progress.updated(10, 18, 20)
    progress.validated(7, ["▁a"] * len(task.valid), progress.begun)
    rival = contestant(tmp_path)
    assert [point.tokens for point in rival.points()[0]] == [10]
    assert rival.versions().keys() == {"torch"}
    ((minutes, bleu),) = time_to_quality.rival_curve(rival, task, {})
    assert minutes >= 0
    assert bleu < 100


def test_validation_is_taken_out_of_onmal_s_minutes() -> None:
    def validation(update: int, seconds: float, bleu: float) -> dict[str, Any]:
        progress = {"update": update, "seconds": seconds}
        return {"event": "validation", "scores": {"en-de": {"BLEU": bleu}}, "progress": progress}

    log = [
        {"event": "begun"},
        {"event": "update", "update": 50, "seconds": 60.0},
        validation(100, 600.0, 20.0),  # 120 s of training, and 480 s of validation
        {"event": "update", "update": 110, "seconds": 606.0},
        validation(200, 700.0, 36.0),
    ]
    curve = time_to_quality.onmal_curve(log)
    assert curve == [(2.0, 20.0), (3.0, 36.0)]
    assert time_to_quality.reached(curve, 35.0) == 3.0
    assert time_to_quality.reached(curve, 37.0) is None


def test_ratios_are_of_slices_of_the_same_round() -> None:
    assert recording.ratio([100.0, 50.0], [50.0, 10.0]) == {"median": 3.5, "least": 2.0, "most": 5.0}


def test_an_allocator_that_is_not_there_is_not_set() -> None:
    assert contest.allocator_environment("no-such-allocator") is None


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ("abcabcab", (8, 0)),
        ("abcabab", (7, 2)),  # one is lost
        ("abcaabcab", (9, 5)),  # one is there twice
        ("ab", (2, 0)),
        ("", (0, 0)),
    ],
)
def test_a_lost_or_doubled_line_shows_in_all_that_follow(
    lines: str, found: tuple[int, int], tmp_path: Path
) -> None:
    (tmp_path / "out").write_text("".join(f"{line}\n" for line in lines), "utf-8")
    assert bulk.compare(tmp_path / "out", 3) == found


def test_the_lines_of_a_growing_file_are_counted(tmp_path: Path) -> None:
    path, counts = tmp_path / "part", bulk.count_lines(tmp_path / "part")
    assert next(counts) == 0
    for text, lines in (("a\nb", 1), ("a\nb\n", 2), ("a\n", 1), ("a\nc\nd\n", 3)):
        path.write_text(text, "utf-8")
        assert next(counts) == lines


def told_by_wrk(**changes: float) -> str:
    """What wrk prints, and its script at the end."""
    figures = {"requests": 300, "seconds": 2.0, "p50_ms": 3.5, "p99_ms": 9.0, "failed": 0, "refused": 0}
    return f"Running 2s test @ http://127.0.0.1:1\nRequests/sec: 150.00\n{json.dumps(figures | changes)}\n"


def test_figures_of_wrk_are_those_of_its_script() -> None:
    assert wrk.read_wrk(told_by_wrk()) == {"per_second": 150.0, "p50_ms": 3.5, "p99_ms": 9.0}


@pytest.mark.parametrize(
    ("output", "complaint"),
    [
        ("unable to connect to 127.0.0.1:1 Connection refused\n", "unable to connect"),
        ("", "measured nothing"),
        (told_by_wrk(refused=2), "2 were refused"),
        (told_by_wrk(failed=1), "1 failed"),
        (told_by_wrk(requests=0), "of 0 requests"),
    ],
)
def test_requests_that_fail_are_no_speed(output: str, complaint: str) -> None:
    with pytest.raises(DataError, match=complaint):
        wrk.read_wrk(output)


def test_the_script_prints_what_the_program_reads() -> None:
    script = wrk.SCRIPT.read_text("utf-8")
    printed = re.search(r"'(\{\"requests.*\})'", script)
    assert printed
    assert (
        json.loads(re.sub(r"%[\d.]*[df]", "1", printed[1])).keys()
        == json.loads(told_by_wrk().splitlines()[-1]).keys()
    )
    assert 'wrk.method = "POST"' in script


def test_each_request_is_a_line_of_its_own() -> None:
    lines = serve_load.bodies(['"a"\u2028b', "c\\"], ("ko", "en")).removesuffix("\n").split("\n")
    assert [json.loads(line) for line in lines] == [
        {"text": text, "source": "ko", "target": "en"} for text in ('"a"\u2028b', "c\\")
    ]


def test_calls_are_counted_as_wrk_counts_them() -> None:
    even = wrk.as_wrk_counts([0.01] * 200, 1.0, 2)
    assert even == {"per_second": 200.0, "p50_ms": 10.0, "p99_ms": 10.0}
    # One call of a single client took as long as ten: who asks at the mean interval (20 ms) misses four that wait 20 to 80 ms.
    late = wrk.as_wrk_counts([0.01] * 9 + [0.1, 0.01], 0.22, 1)
    assert late["per_second"] == 50.0
    assert late["p99_ms"] == pytest.approx(80.0)
    assert late["p50_ms"] == 10.0


def test_clients_in_a_process_share_the_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    clock = SimpleNamespace(perf_counter=lambda: len(asked) / 1000)  # each sentence takes a millisecond
    monkeypatch.setattr(turns, "time", clock)

    def translate(sentences: list[str], beam: int) -> list[str]:
        asked.extend(sentences)
        return sentences

    told = turns.clients(translate, ["a", "b", "c"], {"count": 2, "seconds": 0.01, "beam": 1})
    assert len(told["calls"]) == len(asked) >= 10
    assert max(asked.count(each) for each in "abc") - min(asked.count(each) for each in "abc") <= 1
    assert told["seconds"] >= 0.01


def test_what_a_server_should_keep_to_is_judged_where_it_was_measured() -> None:
    times = {"median": 0.65, "least": 0.6, "most": 0.8}
    found = {
        "1": {"onmal serve": {"p50_ms": 5.5}, "onmal, one by one": {"p50_ms": 2.25}},
        "64": {"onmal, in batch beside echo": {"serve_is_times": times}},
    }
    memory = {"requests": [2000, 20_003], "growth_mib": 20.0}
    share, more, growth = serve_load.expected(found, memory).values()
    assert (share["measured"], share["met"]) == (0.65, False)
    assert (more["measured"], more["met"]) == (3.25, True)
    assert (growth["measured"], growth["met"]) == (20.0, False)  # less is asked for
    assert len(serve_load.expected({"8": {}}, memory)) == 1
