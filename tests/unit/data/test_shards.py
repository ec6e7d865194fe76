"""shards: prepared text trains as text in memory does, is finished whatever cut it off, and is told when it is damaged."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from onmal.cleaning.clean import CleaningReport, clean, default_filters
from onmal.config import DataConfig
from onmal.data import batching
from onmal.data.batching import TrainingText
from onmal.data.pair import Pair
from onmal.data.prepare import encode_pairs, learn_tokenizer
from onmal.data.shards import HELD_OUT, STATE, open_shards
from onmal.data.shuffle import Mix
from onmal.errors import ConfigError, DataError, OnmalError
from onmal.phrasebook import phrases
from onmal.preparing import shards as preparing
from onmal.preparing.chunks import Seen, numbered
from onmal.preparing.shards import prepare_shards
from onmal.preparing.text import prepare_text
from onmal.text.normalize import normalize
from onmal.writing import MANIFEST

LANGUAGES = ("ko", "en")
FAULTY = [
    Pair("", "Nothing."),
    Pair("I am here.", "여기 있어요."),
    Pair("  공백이 \u200b  많은\t문장 ", "a\u00a0▁ mark\u200b"),
    Pair("이름은 A①입니다.", "e\u0301 \ufeff ﬁ"),
    Pair("학교에\n가요.", "I go\r\nto school."),
]
PHRASES = list(dict.fromkeys(Pair(phrase.korean, phrase.english) for phrase in phrases("train", 430)))[:420]
PAIRS = [*PHRASES[:200], *FAULTY, *PHRASES[:30], *PHRASES[200:]]
KEPT = list(clean(PAIRS, default_filters(*LANGUAGES)))


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many chunks, blocks and commits, and several pools, of little text."""
    monkeypatch.setattr(preparing, "CHUNK", 37)
    monkeypatch.setattr(preparing, "BLOCK", 50)
    monkeypatch.setattr(preparing, "COMMIT_EVERY", 2)
    monkeypatch.setattr(batching, "POOL", 150)


def config(**values: Any) -> DataConfig:
    plain = {"source_language": "ko", "target_language": "en", "train": []}
    return DataConfig(**{**plain, **values})


def prepared(folder: Path, data: DataConfig, *texts: Iterable[Pair], **options: Any) -> dict[str, Any]:
    return prepare_shards(texts or [PAIRS], data, folder, **{"processes": 1, **options})


def in_memory(data: DataConfig, pairs: list[Pair] = KEPT) -> TrainingText:
    return encode_pairs(learn_tokenizer(pairs, data), pairs, data)


def batches(text: TrainingText, epochs: int = 2) -> Iterator[batching.Batch]:
    for epoch in range(epochs):
        for number in range(text.pools):
            yield from text.pool(3, epoch, number, 200, start=1, end=2, pad=0)


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"subword_sampling": 0.2, "both_directions": True},
        {"subword_sampling": 0.1, "tokenizer": "bpe", "joint": False, "max_length": 16},
    ],
    ids=["plain", "sampled in both directions", "two vocabularies, short"],
)
def test_shards_train_as_text_in_memory_does(tmp_path: Path, values: dict[str, Any]) -> None:
    data = config(**values)
    prepared(tmp_path / "shards", data)
    found, expected = open_shards(tmp_path / "shards", data), in_memory(data)
    assert found.tokenizer.source.serialized == learn_tokenizer(KEPT, data).source.serialized
    assert len(found.text) == len(expected) == len(KEPT) * (1 + data.both_directions)
    assert found.text.pools == expected.pools > 1
    assert found.text.lengths == expected.lengths
    assert found.held_out == []
    for left, right in zip(batches(found.text), batches(expected), strict=True):
        for one, other in (
            (left.source, right.source),
            (left.target, right.target),
            (left.lengths, right.lengths),
        ):
            assert torch.equal(one, other)
        assert left.pairs.tolist() == right.pairs.tolist()


MIX = [
    {"train": ["a.tsv"], "weight": 2.0},
    {"train": ["b.tsv"], "weight": 0.5, "tag": "back"},
    {"train": ["c.tsv"]},
]
TEXTS = (PAIRS[:150], PAIRS[100:400], PAIRS[350:])  # a pair may be in two texts
MIXED = {"train": [], "mix": MIX, "temperature": 2.0}


def texts_in_memory(data: DataConfig) -> TrainingText:
    kept = [list(clean(text, default_filters(*LANGUAGES))) for text in TEXTS]
    pairs = [pair for text in kept for pair in text]
    return encode_pairs(learn_tokenizer(pairs, data), pairs, data, list(map(len, kept)))


def same_batches(one: TrainingText, other: TrainingText) -> bool:
    return all(
        torch.equal(left.source, right.source)
        and torch.equal(left.target, right.target)
        and left.pairs.tolist() == right.pairs.tolist()
        for left, right in zip(batches(one), batches(other), strict=True)
    )


@pytest.mark.parametrize(
    "values",
    [{}, {"subword_sampling": 0.2, "both_directions": True}],
    ids=["plain", "sampled in both directions"],
)
def test_shards_of_several_texts_train_as_those_in_memory_do(tmp_path: Path, values: dict[str, Any]) -> None:
    data = config(**MIXED, **values)
    manifest = prepared(tmp_path / "shards", data, *TEXTS)
    found, expected = open_shards(tmp_path / "shards", data), texts_in_memory(data)
    assert manifest["rows"] == found.text.mix.sizes == expected.mix.sizes
    assert found.text.mix == expected.mix != Mix()
    assert found.tokenizer.tags[-1] == "<back>"
    assert found.text.lengths == expected.lengths
    assert same_batches(found.text, expected)


def test_weights_and_temperature_may_change_and_texts_and_tags_may_not(tmp_path: Path) -> None:
    prepared(tmp_path / "shards", config(**MIXED), *TEXTS)
    other = config(train=[], mix=[{**text, "weight": 3.0} for text in MIX], temperature=5.0)
    assert same_batches(open_shards(tmp_path / "shards", other).text, texts_in_memory(other))
    refused: list[dict[str, Any]] = [
        {"mix": [{**MIX[0], "tag": "other"}, *MIX[1:]]},
        {"mix": [MIX[1], MIX[0], MIX[2]]},
        {"mix": MIX[:2]},
        {"train": ["a.tsv"]},
    ]
    for values in refused:
        with pytest.raises(ConfigError, match=r"the text was prepared with data\.mix = .*a\.tsv.*, not \["):
            open_shards(
                tmp_path / "shards", config(**values) if "train" in values else config(train=[], **values)
            )


def test_one_text_is_not_taken_for_several(tmp_path: Path) -> None:
    prepared(tmp_path / "shards", config())
    manifest = json.loads((tmp_path / "shards" / MANIFEST).read_text("utf-8"))
    del manifest["data"]["mix"]  # as an earlier onmal wrote it
    (tmp_path / "shards" / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(ConfigError, match=r"was prepared with data\.mix = \[\], not"):
        open_shards(tmp_path / "shards", config(**MIXED))
    assert open_shards(tmp_path / "shards", config()).text.mix == Mix()


def test_the_first_text_of_a_mix_is_held_out_from(tmp_path: Path) -> None:
    data = config(**MIXED, valid=[], valid_size=10)
    whole = prepared(tmp_path / "open", config(**MIXED), *TEXTS)
    manifest = prepared(tmp_path / "shards", data, *TEXTS)
    assert max(manifest["held_out"]) < whole["rows"][0]
    assert manifest["rows"] == [whole["rows"][0] - 10, *whole["rows"][1:]]
    shards = open_shards(tmp_path / "shards", data)
    first = {(normalize(pair.source), normalize(pair.target)) for pair in TEXTS[0]}
    assert len(shards.held_out) == 10
    assert {pair[:2] for pair in shards.held_out} <= first
    assert len(shards.text) == sum(manifest["rows"])


def test_a_text_of_which_nothing_is_left_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no sentence pair of b\.tsv is left; .*onmal doctor"):
        prepared(tmp_path / "shards", config(**MIXED), PHRASES, FAULTY[:1], PHRASES)


def test_a_limit_is_one_of_each_text(tmp_path: Path) -> None:
    manifest = prepared(tmp_path / "shards", config(**MIXED, clean=False, max_pairs=120), *TEXTS)
    assert manifest["rows"] == [120, 120, len(TEXTS[2])]


def test_going_on_in_a_later_text_ends_where_an_uninterrupted_run_does(tmp_path: Path) -> None:
    data = config(**MIXED)
    prepared(tmp_path / "whole", data, *TEXTS)
    for stop in (0, 80, 200):
        with pytest.raises(Stopped):
            prepared(tmp_path / "parts", data, TEXTS[0], until(TEXTS[1], stop), TEXTS[2])
    with pytest.raises(Stopped):
        prepared(tmp_path / "parts", data, *TEXTS[:2], until(TEXTS[2], 40))
    prepared(tmp_path / "parts", data, *TEXTS)
    assert files_of(tmp_path / "parts") == files_of(tmp_path / "whole")


def test_the_manifest_tells_what_cleaning_did(tmp_path: Path) -> None:
    manifest = prepared(tmp_path / "shards", config())
    report = CleaningReport()
    list(clean(PAIRS, default_filters(*LANGUAGES), report))
    assert manifest["removed"] == {name: fault.count for name, fault in report.removed.items()}
    assert manifest["removed"]["duplicate"] >= 30
    assert (manifest["read"], manifest["pairs"]) == (len(PAIRS), len(KEPT)) == (report.read, report.kept)
    assert manifest == json.loads((tmp_path / "shards" / MANIFEST).read_text("utf-8"))
    assert not (tmp_path / "shards" / STATE).exists()


def test_uncleaned_text_is_taken_as_it_is_and_a_limit_is_kept(tmp_path: Path) -> None:
    manifest = prepared(tmp_path / "shards", config(clean=False, max_pairs=230))
    assert (manifest["read"], manifest["pairs"], manifest["removed"]) == (230, 230, {})


@pytest.mark.parametrize("both", [False, True])
def test_what_is_held_out_is_not_trained_on(tmp_path: Path, both: bool) -> None:
    data = config(valid=[], valid_size=25, both_directions=both)
    prepared(tmp_path / "shards", data)
    shards = open_shards(tmp_path / "shards", data)
    held_out = [pair[:2] for pair in shards.held_out]
    assert len(set(held_out)) == 25
    assert len(shards.text) == (len(KEPT) - 25) * (1 + both)
    decode = shards.tokenizer.source.decode
    trained = [
        (decode(source), decode(target))
        for batch in batches(shards.text, epochs=1)
        for source, target in zip(batch.source.tolist(), batch.target.tolist(), strict=True)
    ]
    normal = [(normalize(pair.source), normalize(pair.target)) for pair in KEPT]
    rest = [pair for pair in normal if pair not in held_out]
    assert sorted(trained) == sorted([*rest, *(pair[::-1] for pair in rest if both)])
    assert sorted([*rest, *held_out]) == sorted(normal)


@given(
    st.lists(
        st.text(
            st.characters(codec=None)
            | st.sampled_from(" \t\u200b\u0301\u1100\u1161\u11a8가각\ud800\x1c\u2028")
        )
    )
)
def test_words_are_those_of_the_normalised_text(texts: list[str]) -> None:
    words, numbers, counts = numbered(texts)
    rows = np.split(numbers, np.cumsum(counts)[:-1]) if texts else []
    assert [" ".join(words[n] for n in row) for row in rows] == list(map(normalize, texts))
    assert len(set(words)) == len(words)
    assert sorted(set(numbers.tolist())) == list(range(len(words)))


@given(st.lists(st.lists(st.integers(0, 60) | st.integers(0, 2**64 - 1))))
def test_what_came_before_is_remembered(chunks: list[list[int]]) -> None:
    seen, known = Seen(), set()
    for chunk in chunks:
        fresh = []
        for digest in chunk:
            fresh.append(digest not in known)
            known.add(digest)
        assert seen.add(np.array(chunk, np.uint64)).tolist() == fresh
    assert sum(map(len, seen.runs)) == len(known)
    assert all(len(longer) >= 2 * len(run) for longer, run in zip(seen.runs, seen.runs[1:], strict=False))


# Cut off and gone on with

SAMPLED = {"subword_sampling": 0.1, "valid": [], "valid_size": 20}


class Stopped(Exception):
    """What an interruption raises here."""


def until(pairs: Iterable[Pair], stop: int) -> Iterator[Pair]:
    for number, pair in enumerate(pairs):
        if number == stop:
            raise Stopped
        yield pair


def stop_at(word: str) -> Callable[[str], None]:
    def note(text: str) -> None:
        if word in text:
            raise Stopped

    return note


def test_going_on_ends_where_an_uninterrupted_run_does(tmp_path: Path) -> None:
    prepared(tmp_path / "whole", config(**SAMPLED))
    cut: list[tuple[Iterable[Pair], dict[str, Any]]] = [
        *((until(PAIRS, stop), {}) for stop in (0, 36, 75, 200, 401)),
        *((PAIRS, {"note": stop_at(word)}) for word in ("learning", "source", "target")),
    ]
    for pairs, options in cut:
        with pytest.raises(Stopped):
            prepared(tmp_path / "parts", config(**SAMPLED), pairs, **options)
        for path in (tmp_path / "parts").glob("*.*"):
            if path.name.partition(".")[0] in ("source", "target", "pairs") and path.suffix != ".model":
                with path.open("ab") as file:
                    file.write(b"half of something")  # what a killed process may leave behind
    prepared(tmp_path / "parts", config(**SAMPLED))
    assert files_of(tmp_path / "parts") == files_of(tmp_path / "whole")


KILLED = """
import json, os, sys
from pathlib import Path
from onmal.config import DataConfig
from onmal.preparing import shards
from onmal.data.corpus import read_pairs

folder, data, text, moment = sys.argv[1:]
shards.CHUNK, shards.BLOCK, shards.COMMIT_EVERY = 37, 50, 2

def pairs():
    for pair in read_pairs([text], source_language="ko", target_language="en", empty="keep"):
        if str(pair.line) == moment:
            os._exit(9)  # writes no buffer out and cleans nothing up
        yield pair

def note(text):
    if moment in text:
        os._exit(9)

shards.prepare_shards([pairs()], DataConfig(**json.loads(data)), folder, processes=1, note=note)
"""


@pytest.mark.parametrize("moment", ["333", "target"])
def test_a_killed_process_is_gone_on_from(tmp_path: Path, moment: str) -> None:
    text, data = tmp_path / "pairs.jsonl", config(**SAMPLED)
    text.write_text(
        "".join(json.dumps({"ko": pair.source, "en": pair.target}) + "\n" for pair in PAIRS), "utf-8"
    )
    prepared(tmp_path / "whole", data)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    arguments = [str(tmp_path / "parts"), data.model_dump_json(), str(text), moment]
    run = subprocess.run([sys.executable, "-c", KILLED, *arguments], env=environment)
    assert run.returncode == 9
    with pytest.raises(DataError, match="is not finished; give the same onmal prepare command again"):
        open_shards(tmp_path / "parts", data)
    prepared(tmp_path / "parts", data)
    assert files_of(tmp_path / "parts") == files_of(tmp_path / "whole")


def test_several_processes_write_what_one_does(tmp_path: Path) -> None:
    data = config(**SAMPLED)
    assert prepared(tmp_path / "two", data, processes=2) == prepared(tmp_path / "one", data)
    assert files_of(tmp_path / "two") == files_of(tmp_path / "one")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")
def test_a_folder_at_which_another_is_at_work_is_refused_and_left_alone(tmp_path: Path) -> None:
    data = config(**SAMPLED)
    prepared(tmp_path / "alone", data)

    def meanwhile() -> Iterator[Pair]:
        for number, pair in enumerate(PAIRS):
            if number in (1, 200):
                with pytest.raises(DataError, match=r"another onmal prepare is at work.*another --out"):
                    prepared(tmp_path / "shards", data)
            yield pair

    prepared(tmp_path / "shards", data, meanwhile())
    assert files_of(tmp_path / "shards") == files_of(tmp_path / "alone")


def test_a_folder_begun_with_other_settings_is_not_gone_on_with(tmp_path: Path) -> None:
    text = tmp_path / "pairs.tsv"
    text.write_text("a\tb\n")
    begun = config(train=[str(text)])
    with pytest.raises(Stopped):
        prepared(tmp_path / "shards", begun, until(PAIRS, 100))
    with pytest.raises(ConfigError, match="was begun with other settings"):
        prepared(tmp_path / "shards", config(train=[str(text)], max_length=50))
    text.write_text("more\ttext\n")
    with pytest.raises(ConfigError, match="was begun with other text"):
        prepared(tmp_path / "shards", begun)


def test_standard_input_is_read_again_from_its_beginning(tmp_path: Path) -> None:
    data = config(train=["-"], **SAMPLED)
    prepared(tmp_path / "whole", data)
    for stop in (36, 200, 333):
        with pytest.raises(Stopped):
            prepared(tmp_path / "parts", data, until(PAIRS, stop))
    for other in (PAIRS[1:], PAIRS[:100], [*PAIRS[:60], Pair("다른 것", "another"), *PAIRS[61:]]):
        with pytest.raises(
            ConfigError, match="was begun with other text; give the same text from its beginning"
        ):
            prepared(tmp_path / "parts", data, other)
    prepared(tmp_path / "parts", data)
    assert files_of(tmp_path / "parts") == files_of(tmp_path / "whole")


def test_a_file_cut_off_behind_our_back_is_told(tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        prepared(tmp_path / "shards", config(), until(PAIRS, 200))
    with (tmp_path / "shards" / "source.words").open("r+b") as file:
        file.truncate(8)
    for _ in ("short", "gone"):
        with pytest.raises(DataError, match=r"source\.words: has been cut off; remove the folder"):
            prepared(tmp_path / "shards", config())
        (tmp_path / "shards" / "source.words").unlink(missing_ok=True)


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("text")
    with pytest.raises(DataError, match="exists already"):
        prepared(tmp_path, config())
    prepared(tmp_path / "shards", config())
    with pytest.raises(DataError, match="exists already"):
        prepared(tmp_path / "shards", config())


def test_too_little_text_is_told(tmp_path: Path) -> None:
    faulty = [Pair("같은 문장", "the same")] * 3
    for folder, data in (("held out", config(valid=[])), ("none", config(max_pairs=0))):
        with pytest.raises(DataError, match=r"pairs are too few.*onmal doctor"):
            prepared(tmp_path / folder, data, faulty if folder == "held out" else [])


# Opened


def test_what_is_no_sound_folder_of_shards_is_told_in_one_line(tmp_path: Path) -> None:
    sound = tmp_path / "sound"
    data = config(valid=[], valid_size=20)
    prepared(sound, data)
    open_shards(sound, data)
    prepare_text(PAIRS, [], tmp_path / "clean text", LANGUAGES)
    (tmp_path / "empty").mkdir()

    def damaged(name: str, change: Callable[[Path], object]) -> Path:
        folder = shutil.copytree(sound, tmp_path / name)
        change(folder)
        return folder

    def manifest(**values: Any) -> Callable[[Path], object]:
        found = {**json.loads((sound / MANIFEST).read_text("utf-8")), **values}
        return lambda folder: (folder / MANIFEST).write_text(json.dumps(found))

    expected = {
        tmp_path / "nowhere": "nowhere: holds no prepared text",
        tmp_path / "empty": "empty: holds no prepared text",
        tmp_path / "clean text": "clean text/manifest.json: its format is none",
        damaged("cut", lambda f: os.truncate(f / "target.words", 100)): r"target\.words: has 100 bytes and should have",
        damaged("lost", lambda f: (f / "source.first").unlink()): r"source\.first: is missing",
        damaged("unheld", lambda f: (f / HELD_OUT).unlink()): r"valid\.tsv: is missing",
        damaged("json", lambda f: (f / MANIFEST).write_text('{"format"')): r"json/manifest\.json: is damaged",
        damaged("newer", manifest(format=2)): r"newer/manifest\.json: its format is 2, and this onmal reads 1",
        damaged("fields", manifest(files=None)): r"manifest\.json: is damaged",
        damaged("lengths", manifest(lengths={})): r"manifest\.json: is damaged",
        damaged("other", manifest(tokenizer_sha256="0")): "other: its tokenizer is not the one",
    }  # fmt: skip
    for folder, message in expected.items():
        with pytest.raises(OnmalError, match=message) as found:
            open_shards(folder, data)
        assert "\n" not in str(found.value)
        assert found.value.remedy


def test_settings_that_would_make_other_text_are_told(tmp_path: Path) -> None:
    prepared(tmp_path / "shards", config())
    open_shards(tmp_path / "shards", config(train=["elsewhere.tsv"], shards="shards", valid_size=7))
    changes = {"max_length": 64, "subword_sampling": 0.1, "both_directions": True, "target_language": "de"}
    for key, value in changes.items():
        with pytest.raises(ConfigError, match=rf"was prepared with data\.{key} = .*, not {value!r}"):
            open_shards(tmp_path / "shards", config(**{key: value}))


def arrays(thing: Any) -> Iterator[np.ndarray]:
    for each in fields(thing):
        value = getattr(thing, each.name)
        if is_dataclass(value):
            yield from arrays(value)
        elif isinstance(value, np.ndarray):
            yield value


def test_memory_does_not_grow_with_the_text(tmp_path: Path) -> None:
    peaks = []
    for size in (600, 4800):
        pairs = [
            Pair(f"{a} {b}", f"{b} {a}")
            for a, b in np.random.default_rng(0).integers(0, 90, (size, 2)).tolist()
        ]
        data = config(clean=False, tokenizer="bpe")
        prepared(tmp_path / str(size), data, pairs)
        text = open_shards(tmp_path / str(size), data).text
        large = [array for array in arrays(text) if len(array)]
        assert len(large) == 12
        assert all(isinstance(array.base, np.memmap) for array in large)
        tracemalloc.start()
        text = open_shards(tmp_path / str(size), data).text
        for number in range(3):
            text.pool(1, 0, number, 200, start=1, end=2, pad=0)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0]


def test_the_command_prepares_standard_input(tmp_path: Path) -> None:
    from onmal.cli import app

    (tmp_path / "run.toml").write_text(
        "size = 'tiny'\n[data]\nsource_language = 'ko'\ntarget_language = 'en'\ntrain = ['files.tsv']\nvalid = []\n"
    )
    folder = str(tmp_path / "shards")
    command = ["prepare", str(tmp_path / "run.toml"), "--set", 'data.train=["-"]', "--out", folder]
    text = "".join(f"{pair.source}\t{pair.target}\n" for pair in PHRASES)
    run = CliRunner().invoke(app, command, input=text.encode())
    assert run.exit_code == 0, run.output
    assert "reading standard input" in run.output
    assert f"of {len(PHRASES)} pairs are in" in run.output
    data = DataConfig(source_language="ko", target_language="en", valid=[], shards=folder)
    assert len(open_shards(folder, data).held_out) == len(PHRASES) // 10


def test_the_command_prepares_by_a_configuration_and_says_how_to_train(tmp_path: Path) -> None:
    from onmal.cli import app

    text, shards = tmp_path / "pairs.tsv", tmp_path / "my shards"
    text.write_text("".join(f"{pair.source}\t{pair.target}\n" for pair in PHRASES), "utf-8")
    (tmp_path / "run.toml").write_text(
        f"size = 'tiny'\n[data]\nsource_language = 'ko'\ntarget_language = 'en'\ntrain = ['{text.as_posix()}']\n"
        "valid = []\nvalid_size = 20\n"
    )
    changes = ["--set", "data.max_pairs=400", "--set", "data.vocabulary_size=800"]
    run = CliRunner().invoke(app, ["prepare", str(tmp_path / "run.toml"), "--out", str(shards), *changes])
    assert run.exit_code == 0, run.output
    assert "of 400 pairs are in" in run.output
    data = DataConfig(
        source_language="ko",
        target_language="en",
        valid=[],
        max_pairs=400,
        vocabulary_size=800,
        shards=str(shards),
    )
    assert len(open_shards(shards, data).held_out) == 20
    line = next(line for line in run.output.splitlines() if line.startswith("train on them:  onmal "))
    train = shlex.split(line.removeprefix("train on them:  onmal "))
    small = ["--set", "train.max_updates=1", "--set", "model.d_model=16", "--out", str(tmp_path / "model")]
    trained = CliRunner().invoke(app, [*train, *small])
    assert trained.exit_code == 0, trained.output


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ("dat.max_length=32", "dat"),
        ("train.nonsense=1", "train.nonsense"),
        ("data.max_length=600", "data.max_length = 600 is more than model.max_source_length"),
    ],
)
def test_settings_that_training_would_refuse_are_refused_before(
    change: str, line: str, tmp_path: Path
) -> None:
    from onmal.cli import app

    (tmp_path / "run.toml").write_text(
        "size = 'tiny'\n[data]\nsource_language = 'ko'\ntarget_language = 'en'\ntrain = ['no.tsv']\nvalid = []\n"
    )
    command = ["prepare", str(tmp_path / "run.toml"), "--set", change, "--out", str(tmp_path / "shards")]
    run = CliRunner().invoke(app, command)
    assert run.exit_code == 2
    assert line in run.output
    assert not (tmp_path / "shards").exists()
