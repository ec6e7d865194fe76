"""Cleaning keeps what is sound and counts the rest; the doctor reports without changing anything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onmal.cleaning.clean import CleaningReport, Lengths, clean, default_filters, examine
from onmal.cleaning.filters import Duplicate, Empty
from onmal.data.corpus import Pair, read_pairs

SOUND = Pair("물을 마셔요.", "I drink water.", "", 1)
FAULTY = {
    "empty": Pair("불", "", "", 2),
    "broken_encoding": Pair("불이\ufffd 났어요.", "There is a fire.", "", 3),
    "identical": Pair("Kubernetes", "Kubernetes", "", 4),
    "swapped_sides": Pair("There is a fire.", "불이 났어요.", "", 5),
    "wrong_script": Pair("불이 났어요.", "불이 났어요!", "", 6),
    "too_long": Pair("가" * 2000, "a" * 4000, "", 7),
    "length_ratio": Pair("불", "There is a fire in the kitchen of the old restaurant by the sea.", "", 8),
    "unrelated_numbers": Pair("100명", "250 people", "", 9),
    "duplicate": SOUND._replace(line=10),
}
DOUBTFUL = Pair("1999년에 만났어요.", "We met that year.", "", 11)


def test_each_fault_is_counted_under_its_filter_with_line_and_example() -> None:
    report = CleaningReport()
    kept = list(clean([SOUND, *FAULTY.values(), DOUBTFUL], default_filters("ko", "en"), report))
    assert kept == [SOUND, DOUBTFUL]
    assert {name: fault.lines for name, fault in report.removed.items()} == {
        name: [pair.line] for name, pair in FAULTY.items()
    }
    assert all(fault.example == FAULTY[name] and fault.reason for name, fault in report.removed.items())
    assert (report.read, report.kept) == (11, 2)


def test_the_report_is_json_and_lists_filters_that_removed_nothing() -> None:
    report = CleaningReport()
    list(clean([SOUND, FAULTY["empty"], FAULTY["too_long"]], default_filters("ko", "en"), report))
    found = json.loads(json.dumps(report.as_dict()))
    assert (found["read"], found["kept"]) == (3, 1)
    assert list(found["removed"]) == list(FAULTY)
    assert found["removed"]["duplicate"] == {"count": 0, "lines": []}
    assert found["removed"]["empty"]["lines"] == [2]
    assert found["removed"]["empty"]["example"]["reason"] == "the target is empty"
    assert len(found["removed"]["too_long"]["example"]["source"]) == 200


def test_a_text_that_utf8_cannot_write_can_still_be_reported() -> None:
    report = examine([Pair("가\ud800", "a")], "ko", "en")
    json.dumps(report.as_dict(), ensure_ascii=False).encode()


@given(st.lists(st.tuples(st.sampled_from(["가", "나", "", "x"]), st.sampled_from(["a", "b", ""]))))
def test_pairs_in_are_pairs_kept_and_removed(rows: list[tuple[str, str]]) -> None:
    report = CleaningReport()
    kept = list(clean([Pair(*row) for row in rows], [Empty(), Duplicate()], report))
    assert len(kept) == report.kept
    assert report.read == len(rows)
    assert kept == list(dict.fromkeys(Pair(*row) for row in rows if all(row)))


@given(st.lists(st.sampled_from([SOUND, *FAULTY.values()])))
def test_cleaning_clean_text_changes_nothing(pairs: list[Pair]) -> None:
    once = list(clean(pairs, default_filters("ko", "en")))
    assert list(clean(once, default_filters("ko", "en"))) == once


def test_pairs_pass_one_by_one() -> None:
    def endless() -> Iterator[Pair]:
        number = 0
        while True:
            number += 1
            yield Pair(f"가 {number}", f"a {number}")

    report = CleaningReport()
    assert len(list(islice(clean(endless(), default_filters("ko", "en"), report), 5))) == 5
    assert report.kept == 5


def test_a_filter_of_ones_own_is_a_small_object() -> None:
    @dataclass(frozen=True)
    class Shouting:
        name = "shouting"

        def __call__(self, pair: Pair) -> str | None:
            return "it shouts" if pair.target.isupper() else None

    report = CleaningReport()
    assert list(clean([Pair("물", "WATER"), Pair("물", "water")], [Shouting()], report)) == [
        Pair("물", "water")
    ]
    assert report.removed["shouting"].lines == [1]


def test_the_doctor_finds_every_fault_and_what_is_only_doubtful() -> None:
    report = examine([SOUND, *FAULTY.values(), DOUBTFUL], "ko", "en")
    assert (report.pairs, report.sound, report.removable) == (11, 1, 9)
    for name, pair in FAULTY.items():
        assert pair.line in report.faults[name].lines
    assert report.doubts["numbers_differ"].lines == [11]
    assert report.as_dict()["doubts"]["numbers_differ"]["count"] == 1


@given(st.lists(st.sampled_from([SOUND, DOUBTFUL, *FAULTY.values()])))
def test_what_the_doctor_calls_removable_cleaning_removes(pairs: list[Pair]) -> None:
    cleaning = CleaningReport()
    list(clean(pairs, default_filters("ko", "en"), cleaning))
    doctor = examine(pairs, "ko", "en")
    assert (doctor.pairs, doctor.removable) == (cleaning.read, cleaning.read - cleaning.kept)
    for name, fault in cleaning.removed.items():
        assert doctor.faults[name].count >= fault.count


def test_only_the_first_lines_are_kept() -> None:
    report = examine([Pair("가", "", "", line) for line in range(1, 1001)], "ko", "en")
    assert report.faults["empty"].count == 1000
    assert report.faults["empty"].lines == list(range(1, 11))


@given(st.lists(st.integers(0, 50), min_size=1))
def test_lengths_summarise_as_the_sorted_list_does(lengths: list[int]) -> None:
    summary = Lengths()
    summary.counts.update(lengths)
    ordered = sorted(lengths)
    assert summary.at(1) == summary.as_dict()["max"] == ordered[-1]
    assert summary.at(0.5) == ordered[(len(ordered) + 1) // 2 - 1]
    assert summary.as_dict()["mean"] == pytest.approx(sum(lengths) / len(lengths), abs=0.051)


def test_the_lengths_of_an_empty_corpus_are_zero() -> None:
    report = examine([], "ko", "en")
    assert report.as_dict()["lengths"]["source_words"] == {
        "mean": 0,
        "median": 0,
        "p95": 0,
        "p99": 0,
        "max": 0,
    }


def test_words_and_characters_are_counted_for_both_sides() -> None:
    lengths = examine([SOUND], "ko", "en").lengths
    assert {name: side.at(1) for name, side in lengths.items()} == {
        "source_characters": 7,
        "source_words": 2,
        "target_characters": 14,
        "target_words": 3,
    }


def test_clean_real_text_raises_no_false_alarm(shared_data: Path) -> None:
    """Text that was cleaned by other means: no fault in it, and a doubt in under one pair in a hundred."""
    for name, languages in (("koen/dev.tsv", ("ko", "en")), ("koen/train.tsv.xz", ("ko", "en"))):
        pairs = read_pairs([shared_data / name], source_language="ko", target_language="en", empty="keep")
        report = examine(islice(pairs, 3000), *languages)
        assert report.removable == 0, report.as_dict()
        assert report.doubts["numbers_differ"].count < report.pairs / 100


def test_the_known_faults_of_multi30k_are_found(shared_data: Path) -> None:
    paths = [shared_data / "multi30k" / "train.en", shared_data / "multi30k" / "train.de"]
    pairs = read_pairs(paths, source_language="en", target_language="de")
    report = examine(islice(pairs, 16_000, 20_500), "en", "de")
    assert report.faults["length_ratio"].lines == [16510, 16664]  # "@@"
    assert report.removable == 2
