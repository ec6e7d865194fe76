"""The tables in the READMEs and the docs are what benchmarks/results says, and a number that was not measured is not there."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
LANGUAGES = ("en", "ko")


def program(path: Path) -> ModuleType:
    """A script as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tables = program(REPOSITORY / "benchmarks" / "tables.py")

TRAINED = {
    "name": "multi30k-en-de",
    "minutes": 85.0,
    "machine": "a machine",
    "config_hash": "0123456789abcdef",
    "updates": 1000,
    "tokens": 2000,
    "parameters": 3000,
    "precision": "float32",
    "beam_size": 5,
    "scored_on": "another machine",
}
MULTI30K = {
    **TRAINED,
    **{
        f"test_{number}": {
            "bleu": 31.25,
            "chrf": 55.5,
            "bleu_lc_tok": 38.75,
            "interval": {"bleu": [30.0, 32.5]},
            "signature": {"bleu": "case:mixed", "chrf": "nc:6", "bleu_lc_tok": "case:lc|tok:none"},
        }
        for number in ("2016", "2017", "mscoco")
    },
}
KIND = {
    "pairs": 1200,
    "chrf": 40.04,
    "chrf_interval": [39.0, 41.0],
    "bleu": 20.0,
    "bleu_interval": [19.0, 21.0],
}
KOEN = {**TRAINED, "kinds": {"docs": KIND}, "all": KIND, "signature": {"chrf": "nc:6", "bleu": "tok:13a"}}
SCORES = {
    "BLEU": {"value": 12.34, "signature": "tok:13a"},
    "chrF": {"value": 56.78, "signature": "nc:6"},
    "exact": {"value": 9.0},
}
PHRASEBOOK = {
    **TRAINED,
    "demo_minutes": 95.5,
    "splits": {"test": {"pairs": 300, "ko-en": SCORES, "en-ko": SCORES}},
    "nearest_neighbour": {"ko-en": SCORES | {"BLEU": {"value": 11.5}}},
}
RUN = {
    "bleu": 35.5, "chrf": 60.0, "loss": 1.5, "length_ratio": 0.975, "updates": 3000, "p_value": None,
    "signature": {"bleu": "tok:13a", "chrf": "nc:6"},
}  # fmt: skip
REGULARISERS = {
    "recipe": "multi30k-en-de", "corpus": "multi30k", "config_hash": "0123456789abcdef", "minutes": 15.0,
    "beam_size": 5, "machine": "a machine",
    "settings": {
        "recipe": {"1": RUN, "2": {**RUN, "bleu": 36.5}},
        "train.r_drop=5.0": {
            "1": {**RUN, "bleu": 36.0, "p_value": 0.031}, "2": {**RUN, "bleu": 38.0, "p_value": 0.001},
        },
        "train.ema=0.999": {"1": {**RUN, "bleu": 35.25, "p_value": 0.5}},
    },
}  # fmt: skip
SPEED = {
    "tokens_per_second": [900.0, 1100.0],
    "median": 1000.0,
    "share_of_peak": 0.5,
    "precision": "float32",
    "padding": None,
    "memory_bytes": 2**30,
    "onmal_is_times": {"median": 2.5, "least": 2.0, "most": 3.0},
}
TRAIN_SPEED = {
    "recipe": "multi30k-en-de",
    "machine": "a machine",
    "slices": 2,
    "slice_seconds": 20.0,
    "allocator": "an allocator",
    "versions": {"torch": "2.0"},
    "budgets": {
        "1024": {
            "systems": {"onmal": SPEED, "marian": SPEED},
            "step_to_products": {"bfloat16": {"median": 1.5, "least": 1.4, "most": 1.6}},
        }
    },
}
TIME_TO_QUALITY = {
    "machine": "a machine",
    "recipe": "multi30k-en-de",
    "level": 35.0,
    "signature": "tok:13a",
    "systems": {
        "onmal": {"minutes": 10.0, "more_than_minutes": None, "best": 35.2},
        "marian": {"minutes": None, "more_than_minutes": 30.0, "best": 20.0},
    },
}
PREPARE = {
    "machine": "a machine",
    "sizes": [
        {
            "pairs": 1_000_000, "pairs_per_second": 50_000, "bytes": 80_000_000, "prepare_anonymous_mib": 700.4,
            "first_update_seconds": 4.56, "training_anonymous_mib": 1100.2,
        }
    ],
}  # fmt: skip
ENGINE = {
    "sentences_per_second": [100.0, 200.0, 300.0],
    "median": 200.0,
    "one_ms_median": 10.04,
    "one_ms_p99": 20.0,
    "bleu": 40.0,
    "same": 0.995,
}
TRANSLATE_SPEED = {
    "machine": "a machine",
    "model": "multi30k-en-de",
    "config_hash": "0" * 64,
    "sentences": 1000,
    "rounds": 3,
    "slice_seconds": 20.0,
    "signature": "tok:13a",
    "versions": {"torch": "2.0"},
    "beams": {
        "5": {
            "onmal, torch": ENGINE,
            "CTranslate2, float32, 2 x 1 threads, batches of 32": ENGINE | {"median": 400.0},
        }
    },
}
CLIENTS = {
    "slices": [400.0, 600.0], "per_second": 500.0, "p50_ms": 2.04, "p99_ms": 9.06,
    "serve_is_times": {"median": 1.0, "least": 0.9, "most": 1.1},
}  # fmt: skip
BATCH = {
    "slices": [800.0, 1000.0],
    "per_second": 1000.0,
    "serve_is_times": {"median": 0.5, "least": 0.4, "most": 0.6},
}
SERVE_LOAD = {
    "machine": "a machine", "precision": "float32", "seconds": 60, "rounds": 2, "versions": {"wrk": "4.1.0"},
    "models": {
        name: {
            "sentences": 1000, "beam_size": beam_size, "config_hash": "0" * 64,
            "clients": {"64": {"onmal serve": CLIENTS, "onmal, in batch beside echo": BATCH}},
            "memory": {"requests": [2000, 20_010], "mib": [300.0, 310.4], "growth_mib": 10.4},
        }
        for name, beam_size in (("phrasebook", 4), ("multi30k-en-de", 5))
    },
}  # fmt: skip
FIDELITY = {
    "machine": "a machine",
    "model": "phrasebook",
    "config_hash": "0" * 64,
    "cases": 1000,
    "signature": "nc:6",
    "warned_on_clean": 0.5,
    "systems": {
        "onmal": {
            "placeholders": {"cases": 1000, "kept": 100.0, "beside": 95.0, "chrf_lost": 0.1, "copied": 0.0}
        },
        "network": {
            "placeholders": {"cases": 1000, "kept": 1.0, "beside": None, "chrf_lost": 9.0, "copied": 0.0}
        },
    },
}
SIGNED = {"bleu": "tok:13a", "chrf": "nc:6"}
STUDENT = {
    "split": "test_2016", "pairs": 1000, "rounds": 5, "slice_seconds": 20.0, "machine": "a machine",
    "teacher": TRAINED, "student": {**TRAINED, "minutes": 45.0},
    "systems": {
        name: {
            "bleu": 41.0, "bleu_difference": away, "p_value": 0.2, "chrf": 66.0, "signature": SIGNED,
            "sentences_per_second": {"auto": [speed, 2 * speed, 3 * speed]},
            "times_the_teacher": {"auto": {"median": speed / 100, "least": 1.0, "most": 9.0}},
        }
        for name, away, speed in (("teacher, beam 5", 0.0, 100), ("student, beam 1", -0.25, 400))
    },
}  # fmt: skip
BACK_TRANSLATION = {
    "pairs": 5000, "lines_alone": 24000, "minutes": 5.0, "beam_size": 5, "machine": "a machine",
    "systems": {
        name: {"bleu": 30.0, "p_value": p, "chrf": 50.0, "updates": 2000, "signature": SIGNED}
        for name, p in (("few", None), ("more", 0.001))
    },
}  # fmt: skip
RESULTS = {
    "shortlist": {**TRANSLATE_SPEED, "common_words": 500, "words_a_source_word": 40.5, "vocabulary": 8000},
    "student": STUDENT,
    "back_translation": BACK_TRANSLATION,
    "fidelity": FIDELITY,
    "fidelity-multi30k-en-de": FIDELITY,
    "translate_speed": TRANSLATE_SPEED,
    "serve_load": SERVE_LOAD,
    "multi30k-en-de": MULTI30K,
    "koen": KOEN,
    "phrasebook": PHRASEBOOK,
    "train_speed": TRAIN_SPEED,
    "time_to_quality": TIME_TO_QUALITY,
    "prepare": PREPARE,
    "regularisers": REGULARISERS,
}
SIGNATURES = {
    "multi30k": ("case:mixed", "nc:6", "case:lc|tok:none"),
    "train_speed": (),  # speeds, no scores
    "prepare": (),
    "serve_load": (),
    "time_to_quality": ("tok:13a",),
    "translate_speed": ("tok:13a",),
    "shortlist": ("tok:13a",),
    "fidelity": ("nc:6",),
    "fidelity_files": ("nc:6",),
}


def rows(lines: list[str]) -> list[list[str]]:
    """The cells of a Markdown table, header first, without the rule."""
    cells = [line.strip("|").split("|") for line in lines if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in cells if not set("".join(row)) <= set(" -:")]


def test_the_pages_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert tables.main(["--check"]) == 0, capsys.readouterr().err


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", tables.TABLES)
def test_what_was_not_measured_says_how_to_measure_it_and_has_no_score(name: str, language: str) -> None:
    words = tables.WORDS[language]
    text = "\n".join(tables.TABLES[name]({}, words))
    assert words["missing"] in text
    assert "`python benchmarks/" in text
    assert not re.search(r"\d+\.\d", text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_two_conventions_of_multi30k_keep_to_their_columns(language: str) -> None:
    words = tables.WORDS[language]
    header, *scores = rows(tables.multi30k(RESULTS, words))[:4]
    assert [row[header.index(words["cased"])] for row in scores] == ["31.25 (30.0 – 32.5)"] * 3
    assert [row[header.index(words["lower"])] for row in scores] == ["38.75"] * 3
    assert [row[header.index(words["paper"])] for row in scores] == ["41.02", "33.36", "29.88"]
    assert words["cased"].startswith("**A**")
    assert words["lower"].startswith("**B**")
    assert words["paper"].startswith("**B**")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", tables.TABLES)
def test_every_score_comes_with_its_signature(name: str, language: str) -> None:
    text = "\n".join(tables.TABLES[name](RESULTS, tables.WORDS[language]))
    for signature in SIGNATURES.get(name, ("tok:13a", "nc:6")):
        assert f"`{signature}`" in text
    assert "a machine" in text


def test_kinds_of_text_have_intervals() -> None:
    _, docs, total = rows(tables.koen(RESULTS, tables.WORDS["en"]))
    assert docs == ["docs", "1,200", "40.0", "39.0 – 41.0", "20.0", "19.0 – 21.0"]
    assert total[0] == "all"


def test_the_lookup_stands_beside_the_network() -> None:
    _, test, nearest = rows(tables.phrasebook(RESULTS, tables.WORDS["en"]))
    assert test[1:5] == ["300", "12.3", "56.8", "9.0 %"]
    assert nearest[1:3] == ["300", "11.5"]


def test_a_student_stands_beside_its_teacher() -> None:
    _, teacher, student = rows(tables.student(RESULTS, tables.WORDS["en"]))
    assert teacher == ["Teacher", "5", "41.00", "", "", "66.00", "200 (100 – 300)", ""]
    assert student == ["Student", "1", "41.00", "-0.25", "0.200", "66.00", "800 (400 – 1,200)", "4.00"]


def test_text_that_was_translated_back_is_told_apart() -> None:
    _, few, more = rows(tables.back_translation(RESULTS, tables.WORDS["en"]))
    assert few == ["5,000 pairs", "30.0", "", "50.0", "2,000"]
    assert more[:3] == ["5,000 pairs, and 24,000 lines of German, translated back", "30.0", "0.001"]


def test_speeds_come_with_their_range_and_no_padding_is_made_up() -> None:
    _, onmal, marian = rows(tables.train_speed(RESULTS, tables.WORDS["en"]))
    assert onmal[:2] == ["1,024", "**onmal**, out of the box"]
    assert marian[2:] == ["1,000 (900 – 1,100)", "50% float32", "", "1,024", "2.50 (2.00 – 3.00)"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_speeds_say_where_they_are_not_the_recipes(language: str) -> None:
    (note,) = [line for line in tables.train_speed(RESULTS, tables.WORDS[language]) if "Muon" in line]
    assert "Adam" in note
    assert "multi30k-en-de" in note


def test_a_rival_that_was_stopped_has_a_lower_bound() -> None:
    _, onmal, marian = rows(tables.time_to_quality(RESULTS, tables.WORDS["en"]))
    assert onmal[1:] == ["10.0", "1.0", "35.2"]
    assert marian[1:] == ["> 30.0", "> 3.0", "20.0"]


def test_sizes_of_text_are_shown_with_what_they_take() -> None:
    _, million = rows(tables.prepare(RESULTS, tables.WORDS["en"]))
    assert million == ["1,000,000", "50,000", "80", "700", "4.6", "1,100"]


def test_engines_stand_beside_torch() -> None:
    _, torch, direct = rows(tables.translate_speed(RESULTS, tables.WORDS["en"]))
    assert torch == ["5", "**onmal**, torch", "200 (100 – 300)", "1.00", "10.0 (20.0)", "40.00", "99.5%"]
    assert direct[1] == "CTranslate2 called directly, float32, 2 x 1 threads, batches of 32"
    assert direct[3] == "2.00"


def test_only_what_has_clients_has_latencies() -> None:
    _, serve, batch, *_ = rows(tables.serve_load(RESULTS, tables.WORDS["en"]))
    assert serve == ["phrasebook", "64", "**onmal serve**", "500 (400 – 600)", "2.0", "9.1", "1.00"]
    assert batch[3:] == ["1,000 (800 – 1,000)", "", "", "0.50"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_served_model_has_its_rows_and_says_what_it_is(language: str) -> None:
    lines = tables.serve_load(RESULTS, tables.WORDS[language])
    assert [row[0] for row in rows(lines)[1:]] == ["phrasebook"] * 2 + ["multi30k-en-de"] * 2
    told = [line for line in lines if re.match(r"- (phrasebook|multi30k-en-de) ?\(", line)]
    assert [(" 4" in line, "310 MiB" in line) for line in told] == [(True, True), (False, True)]


def test_the_network_alone_stands_beside_onmal() -> None:
    _, placeholders = rows(tables.fidelity(RESULTS, tables.WORDS["en"]))
    assert placeholders == ["placeholders", "1,000", "100.0 %", "1.0 %", "95.0 %", "0.1"]


def test_regularisers_stand_beside_the_recipe_with_their_chance() -> None:
    _, recipe, r_drop, average = rows(tables.regularisers(RESULTS, tables.WORDS["en"]))
    assert recipe == ["the recipe, as it is", "36.0", "", "", "60.0", "1.500", "0.975", "3,000", "2"]
    assert r_drop == [
        "`train.r_drop=5.0`",
        "37.0",
        "+1.0 (+0.5 – +1.5)",
        "0.031",
        "60.0",
        "1.500",
        "0.975",
        "3,000",
        "2",
    ]
    assert average[2] == "-0.2"
    rule = tables.regularisers(RESULTS, tables.WORDS["en"])[1]
    assert rule == "| --- |" + " --: |" * 8


def test_both_languages_say_the_same_things() -> None:
    english, korean = (tables.WORDS[language] for language in LANGUAGES)
    assert english.keys() == korean.keys()
    for key, text in english.items():
        assert sorted(re.findall(r"{\w+", text)) == sorted(re.findall(r"{\w+", korean[key])), key


def test_checking_changes_nothing_and_rewriting_once_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "docs").mkdir()
    for name in tables.PAGES:
        (tmp_path / name).write_text("before\n<!-- table: koen -->\nold\n<!-- /table -->\nafter\n", "utf-8")
    monkeypatch.setattr(tables, "REPOSITORY", tmp_path)
    assert tables.main(["--check"]) == 1
    assert "old" in (tmp_path / "README.md").read_text("utf-8")
    assert tables.main([]) == 0
    page = (tmp_path / "README.md").read_text("utf-8")
    assert "old" not in page
    assert page.startswith("before\n<!-- table: koen -->\n\n|")
    assert page.endswith("\n<!-- /table -->\nafter\n")
    assert tables.main(["--check"]) == 0


RESULT_FILES = sorted((REPOSITORY / "benchmarks" / "results").glob("*.json"))


@pytest.mark.parametrize("path", RESULT_FILES, ids=lambda path: path.name)
def test_each_result_says_where_it_comes_from(path: Path) -> None:
    text = path.read_text("utf-8")
    result = json.loads(text)
    assert {"machine", "minutes"} <= result.keys()
    assert all("config_hash" in its for its in result.get("models", {"": result}).values())
    assert "signature" in text or not re.search(r"\b(bleu|chrf)\b", text, re.IGNORECASE)
