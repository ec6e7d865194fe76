"""preparing.text: a folder of cleaned text is whole or not there, and what is in it stays aligned."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from onmal.cleaning.clean import default_filters
from onmal.data.corpus import read_pairs
from onmal.data.pair import Pair
from onmal.errors import DataError
from onmal.preparing.text import prepare_text
from onmal.writing import MANIFEST

LANGUAGES = ("ko", "en")
PAIRS = [
    Pair("학교에 가요.", "I am going to school.", "", 1),
    Pair("", "Nothing.", "", 2),
    Pair("시장에\r\n가요.", "I am going\n\nto the market.", "", 3),
    Pair("학교에 가요.", "I am going to school.", "", 4),
    Pair("I am here.", "여기 있어요.", "", 5),
]


def test_prepared_text_is_aligned_counted_and_checksummed(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "clean"
    report = prepare_text(PAIRS, default_filters(*LANGUAGES), folder, LANGUAGES)
    assert (report.read, report.kept) == (5, 2)
    found = list(
        read_pairs([folder / "text.ko", folder / "text.en"], source_language="ko", target_language="en")
    )
    assert [pair[:2] for pair in found] == [
        ("학교에 가요.", "I am going to school."),
        ("시장에 가요.", "I am going to the market."),
    ]
    manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    assert manifest["languages"] == ["ko", "en"]
    assert (manifest["read"], manifest["kept"]) == (5, 2)
    counts = {name: fault["count"] for name, fault in manifest["removed"].items() if fault["count"]}
    assert counts == {"empty": 1, "duplicate": 1, "swapped_sides": 1}
    for file in manifest["files"]:
        content = (folder / file["name"]).read_bytes()
        assert file["lines"] == content.count(b"\n") == 2
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
    assert list(folder.parent.iterdir()) == [folder]


def test_an_empty_folder_is_filled_and_a_full_one_refused(tmp_path: Path) -> None:
    folder = tmp_path / "clean"
    folder.mkdir()
    prepare_text(PAIRS, [], folder, LANGUAGES)
    with pytest.raises(DataError, match="exists already"):
        prepare_text(PAIRS, [], folder, LANGUAGES)


def test_damaged_input_leaves_nothing(tmp_path: Path) -> None:
    for name, lines in (("a.ko", "하나\n둘\n"), ("a.en", "one\n")):
        (tmp_path / name).write_text(lines, "utf-8")
    before = sorted(tmp_path.iterdir())
    pairs = read_pairs([tmp_path / "a.ko", tmp_path / "a.en"], source_language="ko", target_language="en")
    with pytest.raises(DataError, match="has 2 lines"):
        prepare_text(pairs, [], tmp_path / "clean", LANGUAGES)
    assert sorted(tmp_path.iterdir()) == before
