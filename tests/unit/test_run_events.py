"""Reports: plain lines that a person can follow, and a log that programs can."""

from __future__ import annotations

import io
import json
import math
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from onmal.errors import TrainingError
from onmal.run_report.events import (
    JsonLog,
    PlainReport,
    Progress,
    Reporters,
    Sample,
    Update,
    Validation,
    clock,
    shown,
    speed,
    time_left,
)


def update(number: int, seconds: float, *, tokens: int = 0, loss: float = 3.25, norm: float = 0.75) -> Update:
    return Update(
        update=number, epoch=2, share_done=0.25, seconds=seconds, target_tokens=tokens, loss=loss,
        negative_log_likelihood=2.5, gradient_norm=norm, learning_rate=0.002, skipped=0,
    )  # fmt: skip


FOUND = Validation(
    2.125,
    31.5,
    {"ko-en": {"BLEU": 31.5}},
    [Sample("원문", "reference", "translation")],
    {"ko-en": {"BLEU": "v:2"}},
)


def lines(stream: io.StringIO) -> list[str]:
    return stream.getvalue().splitlines()


def test_plain_lines_come_at_most_every_so_often_and_the_first_at_once() -> None:
    stream = io.StringIO()
    report = PlainReport(stream, every=30)
    for seconds in (2, 4, 31, 33, 60, 62, 64):
        report.updated(update(seconds, seconds, tokens=100 * seconds))
    assert [line.split("update ")[1].split()[0] for line in lines(stream)] == ["2", "33", "64"]


def test_the_first_line_already_has_a_speed() -> None:
    stream = io.StringIO()
    PlainReport(stream).updated(update(10, 2.0, tokens=3000))
    assert "1,500 tokens/s" in stream.getvalue()
    assert "loss 3.250" in stream.getvalue()
    assert "rate 2.00e-03  gradient norm 0.75  left 0:06" in stream.getvalue()


def test_skipped_updates_are_said() -> None:
    stream = io.StringIO()
    PlainReport(stream).updated(replace(update(10, 2.0), skipped=3))
    assert "3 skipped" in stream.getvalue()


def test_speed_is_that_of_this_process() -> None:
    """A run that was resumed on another machine does not remember the first one's speed."""
    first, last = update(100, 1000, tokens=50_000), update(110, 1010, tokens=60_000)
    assert speed(first, last) == 1000
    assert speed(first, first) == 50
    assert speed(update(0, 0), update(0, 0)) == 0


def test_a_plain_run() -> None:
    stream = io.StringIO()
    report = PlainReport(stream)
    report.begun(
        {"languages": "ko -> en", "training pairs": 1234, "removed": {"empty": 2, "duplicate": 1000}}
    )
    report.validated(FOUND, Progress(update=500, best_score=31.5, best_update=500, seconds=61))
    report.validated(FOUND, Progress(update=600, best_score=33.0, best_update=400, seconds=3661))
    report.note("a note")
    report.ended({"saved": "runs/ko-en", "validation scores": {}})
    assert lines(stream) == [
        "languages: ko -> en",
        "training pairs: 1,234",
        "removed: empty 2, duplicate 1,000",
        "validation at update 500, 1:01: loss 2.125  ko-en BLEU 31.5 (best)",
        "  source     원문",
        "  onmal      translation",
        "  reference  reference",
        "validation at update 600, 1:01:01: loss 2.125  ko-en BLEU 31.5 (best: 33.0 at update 400)",
        "  source     원문",
        "  onmal      translation",
        "  reference  reference",
        "a note",
        "saved: runs/ko-en",
        "validation scores: none",
    ]


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (59.9, "0:59"), (61, "1:01"), (3723, "1:02:03")])
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_time_left_is_told_by_the_pace_so_far() -> None:
    assert time_left(update(1, 10)) == pytest.approx(30)


@pytest.mark.parametrize(
    ("fact", "text"),
    [(12345, "12,345"), (0.5, "0.5"), ("a", "a"), ({}, "none"), ({"a": {"b": 1000}}, "a b 1,000")],
)
def test_facts(fact: object, text: str) -> None:
    assert shown(fact) == text


# The log


def events(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_every_event_is_one_line_for_every_reporter(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.jsonl", "b.jsonl")]
    report = Reporters(*map(JsonLog, paths))
    report.begun({"languages": "ko -> en"})
    report.updated(update(1, 1.5))
    report.validated(FOUND, Progress(update=1, best_score=31.5))
    report.note("한 줄")
    report.ended({"saved": "x"})
    assert paths[0].read_bytes() == paths[1].read_bytes()
    found = events(paths[0])
    assert [event["event"] for event in found] == ["begun", "update", "validation", "note", "ended"]
    assert found[1]["loss"] == 3.25
    assert found[2]["signatures"] == {"ko-en": {"BLEU": "v:2"}}
    assert found[2]["progress"]["best_score"] == 31.5
    assert "한 줄" in paths[0].read_text("utf-8")


def test_what_is_not_finite_is_null_as_json_wants_it(tmp_path: Path) -> None:
    log = JsonLog(tmp_path / "log.jsonl")
    log.updated(update(1, 1.0, loss=math.nan, norm=math.inf))
    log.validated(replace(FOUND, negative_log_likelihood=math.nan), Progress())
    found, validation = events(log.path)
    assert validation["negative_log_likelihood"] is None
    assert found["loss"] is None
    assert found["gradient_norm"] is None
    assert found["update"] == 1
    assert "NaN" not in log.path.read_text("utf-8")


def test_a_line_that_was_cut_off_is_taken_out(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    JsonLog(path).ended({"text": "whole"})
    with path.open("a", encoding="utf-8") as file:
        file.write('{"event": "upd')
    JsonLog(path).ended({"text": "later"})
    assert [event["text"] for event in events(path)] == ["whole", "later"]


def test_what_is_noted_before_the_run_begins_is_written_when_it_does(tmp_path: Path) -> None:
    log = JsonLog(tmp_path / "log.jsonl")
    log.note("reading ...")
    log.note("begun with threads 1, going on with 2")
    assert not log.path.exists()
    log.begun({})
    log.note("update skipped")
    assert [event["event"] for event in events(log.path)] == ["note", "note", "begun", "note"]
    assert [event.get("text", "") for event in events(log.path)][1] == "begun with threads 1, going on with 2"


@pytest.mark.skipif(sys.platform == "win32", reason="pipes break differently there")
def test_a_report_that_nobody_reads_any_more_is_silent() -> None:
    reads, writes = os.pipe()
    with os.fdopen(writes, "w", encoding="utf-8") as stream:
        report = PlainReport(stream)
        report.note("heard")
        assert os.read(reads, 100) == b"heard\n"
        os.close(reads)
        report.note("not heard")
        report.note("nor this")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_a_full_disk_is_one_line() -> None:
    with pytest.raises(TrainingError) as caught:
        JsonLog(Path("/dev/full")).begun({})
    expected = f"/dev/full: cannot be written ({os.strerror(28)}); free some space, and go on with --resume"
    assert str(caught.value) == expected


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="cannot be written"):
        JsonLog(tmp_path / "gone" / "log.jsonl").begun({})
