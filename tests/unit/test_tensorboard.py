"""TensorBoard's events: what a run wrote is what TensorBoard reads, and without the package one line says so."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from onmal.errors import MissingExtraError, TrainingError
from onmal.run_report.events import Progress, Sample, Update, Validation
from onmal.run_report.tensorboard import TensorBoardReport

FOUND = Validation(
    2.125, 31.5, {"ko-en": {"BLEU": 31.5}}, [Sample("**원문** <b>", "reference", "translation")]
)  # fmt: skip


def update(number: int, loss: float = 3.25) -> Update:
    return Update(
        update=number, epoch=0, share_done=0.25, seconds=float(number), target_tokens=1000 * number, loss=loss,
        negative_log_likelihood=2.5, gradient_norm=0.75, learning_rate=0.002, skipped=0,
    )  # fmt: skip


def read(folder: Path) -> Any:
    """What TensorBoard finds in a folder."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    return EventAccumulator(str(folder)).Reload()


def scalars(folder: Path, name: str) -> list[tuple[int, float]]:
    return [(event.step, event.value) for event in read(folder).Scalars(name)]


def text(folder: Path, name: str) -> str:
    (event,) = read(folder).Tensors(f"{name}/text_summary")
    return event.tensor_proto.string_val[0].decode()


def test_without_the_package_one_line_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    monkeypatch.delitem(sys.modules, "torch.utils.tensorboard", raising=False)
    with pytest.raises(MissingExtraError, match=r'pip install "onmal\[track\]"'):
        TensorBoardReport(tmp_path / "events")
    assert not (tmp_path / "events").exists()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pytest.importorskip("tensorboard", reason="the extra track is not installed")
    return tmp_path / "events"


def test_before_a_run_has_begun_nothing_is_written(folder: Path) -> None:
    with TensorBoardReport(folder) as report:
        report.note("reading ...")
    assert not folder.exists()


def test_a_run_is_read_back(folder: Path) -> None:
    with TensorBoardReport(folder) as report:
        report.begun({"languages": "ko -> en"})
        report.updated(update(10))
        report.updated(update(20, loss=2.0))
        report.validated(FOUND, Progress(update=20))
        report.ended({"weights": "update 20"})
    assert scalars(folder, "loss/training, label-smoothed") == [(10, 3.25), (20, 2.0)]
    assert scalars(folder, "loss/training") == [(10, 2.5), (20, 2.5)]
    assert scalars(folder, "loss/validation") == [(20, 2.125)]
    assert scalars(folder, "BLEU/ko-en") == [(20, 31.5)]
    assert scalars(folder, "training/gradient norm") == [(10, 0.75), (20, 0.75)]
    assert scalars(folder, "training/target tokens per second") == [(10, 1000), (20, 1000)]
    assert scalars(folder, "training/learning rate")[0][1] == pytest.approx(0.002)
    assert text(folder, "run") == "    languages ko -> en"


def test_text_is_shown_as_it_stands(folder: Path) -> None:
    with TensorBoardReport(folder) as report:
        report.begun({})
        report.validated(FOUND, Progress(update=5))
    lines = text(folder, "sample 1").splitlines()
    assert lines == ["    source **원문** <b>", "    onmal translation", "    reference reference"]


def test_a_resumed_run_replaces_what_it_does_again(folder: Path) -> None:
    with TensorBoardReport(folder) as report:
        report.begun({})
        for number in (10, 20, 30):
            report.updated(update(number))
    with TensorBoardReport(folder) as report:
        report.begun({"resumed at update": 15})
        report.updated(update(25, loss=1.0))
    assert scalars(folder, "loss/training, label-smoothed") == [(10, 3.25), (25, 1.0)]


def test_a_run_that_goes_back_replaces_what_it_does_again(folder: Path) -> None:
    with TensorBoardReport(folder) as report:
        report.begun({})
        for number, loss in ((10, 3.0), (20, 50.0), (30, 60.0), (18, 2.5), (28, 2.0)):
            report.updated(update(number, loss=loss))
    assert scalars(folder, "loss/training, label-smoothed") == [(10, 3.0), (18, 2.5), (28, 2.0)]


def test_a_place_that_cannot_be_written_is_one_line(folder: Path) -> None:
    folder.write_text("a file", "utf-8")
    with (
        TensorBoardReport(folder / "below") as report,
        pytest.raises(TrainingError, match="cannot be written"),
    ):
        report.begun({})
