"""LiveReport: what a person sees of a run, printed to a recorded console instead of a terminal."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from onmal.run_report.events import Progress, Sample, Update, Validation
from onmal.run_report.live import LiveReport


def update(number: int, *, skipped: int = 0) -> Update:
    return Update(
        update=number,
        epoch=2,
        share_done=0.25,
        seconds=30.0 + number,
        target_tokens=1000 * number,
        loss=3.25,
        negative_log_likelihood=2.5,
        gradient_norm=0.75,
        learning_rate=0.002,
        skipped=skipped,
    )


def validation(samples: int = 2) -> Validation:
    scores = {"ko-en": {"BLEU": 31.5, "chrF": 52.25}, "en-ko": {"chrF": 40.5}}
    found = [Sample(f"원문 {n}", f"reference {n}", f"translation {n}") for n in range(samples)]
    return Validation(2.125, 31.5, scores, found)


@pytest.fixture
def report() -> LiveReport:
    return LiveReport(Console(file=io.StringIO(), width=100, color_system=None))


def picture(report: LiveReport) -> str:
    """What the report would draw now."""
    with report.console.capture() as capture:
        report.console.print(report)
    return capture.get()


def printed(report: LiveReport) -> str:
    assert isinstance(report.console.file, io.StringIO)
    return report.console.file.getvalue()


def test_before_the_first_update_there_is_nothing_to_draw(report: LiveReport) -> None:
    assert picture(report).strip() == ""


def test_an_update_shows_share_time_left_loss_rate_speed_and_gradient(report: LiveReport) -> None:
    report.updated(update(10))
    report.updated(update(20))
    seen = picture(report)
    for part in (
        "25%",
        "0:50 done",
        "2:30 left",
        "update 20",
        "epoch 3",
        "loss 3.250",
        "1,000 tokens/s",
        "rate 2.0e-03",
    ):
        assert part in seen
    assert "gradient norm 0.75" in seen
    assert "skipped" not in seen


def test_no_value_is_torn_from_its_name_in_eighty_columns(report: LiveReport) -> None:
    report.console.width = 80
    report.updated(
        replace(update(10_000_000, skipped=1000), learning_rate=1e-10, loss=1e4, gradient_norm=1e9)
    )
    seen = picture(report)
    for part in (
        "update 10,000,000",
        "epoch 3",
        "1000 skipped",
        "loss 10000.000",
        "gradient norm 1000000000.00",
    ):
        assert part in seen


def test_skipped_updates_are_said(report: LiveReport) -> None:
    report.updated(update(10, skipped=3))
    assert "3 skipped" in picture(report)


def test_a_validation_shows_scores_best_and_two_samples(report: LiveReport) -> None:
    report.validated(validation(), Progress(update=500, best_score=33.0, best_update=400))
    seen = picture(report)
    assert "validation at update 500:  loss 2.125  best score 33.0 at update 400" in seen
    assert "ko-en  BLEU 31.5  chrF 52.2" in seen
    assert "en-ko  chrF 40.5" in seen
    for n in (0, 1):
        for text in (f"원문 {n}", f"reference {n}", f"translation {n}"):
            assert text in seen


def test_samples_come_from_both_directions(report: LiveReport) -> None:
    report.validated(validation(samples=4), Progress())
    seen = picture(report)
    assert [n for n in range(4) if f"원문 {n}" in seen] == [0, 2]


def test_the_last_validation_stays_what_it_was_while_training_goes_on(report: LiveReport) -> None:
    progress = Progress(update=500)
    report.validated(validation(), progress)
    progress.update = 501
    assert "validation at update 500" in picture(report)


def test_text_is_never_taken_for_markup(report: LiveReport) -> None:
    report.validated(Validation(1.0, 1.0, {}, [Sample("[bold]", "[/]", "[red]x")]), Progress())
    seen = picture(report)
    assert "[bold]" in seen
    assert "[/]" in seen
    assert "[red]x" in seen


def test_a_whole_run(report: LiveReport) -> None:
    with report:
        report.begun({"languages": "ko -> en", "parameters": 1234567, "removed": {}})
        report.updated(update(10))
        report.validated(validation(), Progress(update=10))
        report.note("gradient not finite, update skipped")
        report.ended({"saved": "runs/ko-en", "validation scores": {"mean": "31.50"}})
    seen = printed(report)
    parts = ("ko -> en", "1,234,567", "none", "update skipped", "loss 3.250", "runs/ko-en", "mean 31.50")
    assert [part for part in parts if part not in seen] == []
    assert not report.live.is_started


def test_an_error_leaves_the_terminal_in_order(report: LiveReport) -> None:
    report.begun({})
    with pytest.raises(ZeroDivisionError), report:
        1 / 0  # noqa: B018
    assert not report.live.is_started
