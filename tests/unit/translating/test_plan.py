"""The planner: what of a text is read as one, and that all of the text is there."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from onmal.saved_model import load_model
from onmal.translating.plan import BETWEEN, Planner, Unit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tiny_model import save_tiny_model


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("시장에 간다.\n공원에 간다.", ["시장에 간다.", "공원에 간다."]),
        ("시장에 간다.\\n공원에 간다.", ["시장에 간다.", "공원에 간다."]),
        ("market\\r\\nPark\\tSchool\\\\nMarket", ["market", "Park", "School", "Market"]),
        ("market.\\nschool", ["market.", "school"]),
        ("C:\\new\\tab", ["C:\\new\\tab"]),
        ("시장에 간다 ㅋㅋㅋㅋㅋ 😀", ["시장에 간다 ㅋㅋㅋ"]),
    ],
)
def test_what_is_read(tmp_path: Path, text: str, read: list[str]) -> None:
    planner = Planner(load_model(save_tiny_model(tmp_path / "model")), "", None)
    units: list[Unit] = []
    plan = planner.plan(text, "en", units)
    assert [unit.read for unit in units] == read
    assert "".join(part if isinstance(part, str) else units[part].text for part in plan.parts) == text
    assert plan.warnings == []


@pytest.mark.parametrize("part", [" ", "\t", " \t", "\\", "\\n", "a.\\n", ".\\"])
def test_a_long_line_is_no_problem(part: str) -> None:
    """It takes linear time: a test that took quadratic time would not end."""
    text = f"a{part * (300_000 // len(part))}b"
    assert "".join(BETWEEN.split(text)) == text
