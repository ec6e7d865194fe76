"""A model folder of any version keeps working: it loads, and translates what it did when it was made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import onmal

HERE = Path(__file__).parent
FOLDERS = sorted(path.parent for path in HERE.glob("*/config.json"))


def test_there_are_frozen_models() -> None:
    assert FOLDERS


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_frozen_model_translates_as_ever(folder: Path) -> None:
    expected = json.loads((HERE / f"{folder.name}.json").read_text("utf-8"))
    assert len(expected) == 5
    translator = onmal.load(folder)
    found = translator.translate(each["source"] for each in expected)
    assert [each.text for each in found] == [each["text"] for each in expected]
    assert all(each.warnings == () for each in found)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_frozen_model_is_small(folder: Path) -> None:
    assert sum(path.stat().st_size for path in folder.iterdir()) < 200_000
