"""Whole runs: from files to a model folder that translates, and on from wherever a run was stopped."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

import onmal
from onmal import phrasebook
from onmal.cli import app
from onmal.config import RunConfig
from onmal.corpora.located import open_pairs
from onmal.data.pair import Pair
from onmal.errors import ConfigError, DataError, OnmalError, TrainingError
from onmal.origin import Origin
from onmal.preparing.shards import prepare_shards
from onmal.saved_model import SavedModel, load_model
from onmal.training.checkpoint import all_progress, latest_checkpoint
from onmal.training.run import Validator, train

UPDATES = 30
MODEL = {
    "d_model": 16, "num_heads": 2, "feed_forward": 16, "encoder_layers": 1, "decoder_layers": 1, "dropout": 0.1,
    "max_source_length": 64, "max_target_length": 64,
}  # fmt: skip
TRAIN = {
    "batch_tokens": 256, "warmup": 0, "learning_rate": 0.01, "validate_every": 10, "average": 2, "threads": 1, "processes": 1,
    "max_updates": UPDATES,
}  # fmt: skip


class Notes:
    """A reporter that remembers what it is told."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Any]] = []

    def begun(self, facts: dict[str, Any]) -> None:
        self.events.append(("begun", facts))

    def updated(self, update: object) -> None:
        self.events.append(("updated", update))

    def validated(self, validation: object, progress: object) -> None:
        self.events.append(("validated", validation))

    def note(self, text: str) -> None:
        self.events.append(("note", text))

    def ended(self, facts: dict[str, Any]) -> None:
        self.events.append(("ended", facts))

    def of(self, kind: str) -> list[Any]:
        return [value for event, value in self.events if event == kind]


class InterruptsOnce(Notes):
    """Sends a Ctrl-C at the first validation."""

    def validated(self, validation: object, progress: object) -> None:
        if not self.of("validated"):
            os.kill(os.getpid(), signal.SIGINT)
        super().validated(validation, progress)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 pairs as two files and as a table, and 24 for validation."""
    folder = tmp_path_factory.mktemp("corpus")
    for name, split, count in (("train", "train", 300), ("valid", "valid", 24)):
        said = phrasebook.phrases(
            split, count + 10
        )  # a short sentence may come twice, and cleaning takes it once
        found = list({(phrase.korean, phrase.english): phrase for phrase in said}.values())[:count]
        for suffix, lines in (
            ("ko", [phrase.korean for phrase in found]),
            ("en", [phrase.english for phrase in found]),
            ("ko-en.tsv", [f"{phrase.korean}\t{phrase.english}" for phrase in found]),
        ):
            (folder / f"{name}.{suffix}").write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return folder


def plan(
    corpus: Path, *, data: dict[str, Any] | None = None, model: dict[str, Any] | None = None, **settings: Any
) -> RunConfig:
    """Two files, both directions; `data` and `model` change that."""
    files = {name: [str(corpus / f"{name}.ko"), str(corpus / f"{name}.en")] for name in ("train", "valid")}
    text = {
        "source_language": "ko", "target_language": "en", "both_directions": True,
        "valid_size": 12, "subword_sampling": 0.2, "max_length": 64, **files,
    }  # fmt: skip
    return RunConfig.from_dict(
        {
            "name": "test",
            "model": {**MODEL, **(model or {})},
            "data": {**text, **(data or {})},
            "train": {**TRAIN, **settings},
        }
    )


def run(config: RunConfig, folder: Path, **options: Any) -> tuple[SavedModel, Notes]:
    notes = Notes()
    saved = train(config, folder, reporter=notes, **options)
    assert saved is not None
    return saved, notes


@pytest.fixture(scope="module")
def finished(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Notes]:
    """The folder of a run from two files in both directions, and what was told of it."""
    folder = tmp_path_factory.mktemp("runs") / "ko-en"
    return folder, run(plan(corpus), folder)[1]


def same_weights(one: Path, other: Path) -> bool:
    weights = [load_file(folder / "weights.safetensors") for folder in (one, other)]
    return weights[0].keys() == weights[1].keys() and all(
        torch.equal(weight, weights[1][name]) for name, weight in weights[0].items()
    )


def same_state(one: Path, other: Path) -> bool:
    """Newest checkpoints, to the bit: weights, optimizer and random state."""
    tensors = []
    for folder in (one, other):
        newest = latest_checkpoint(folder / "training")
        assert newest is not None
        tensors.append(load_file(newest))
    return tensors[0].keys() == tensors[1].keys() and all(
        torch.equal(tensor, tensors[1][name]) for name, tensor in tensors[0].items()
    )


# From files to a translator


def test_the_folder_is_complete(finished: tuple[Path, Notes]) -> None:
    folder, _ = finished
    assert {path.name for path in folder.iterdir()} == {
        "config.json", "card.json", "tokenizer.model", "weights.safetensors", "training",
    }  # fmt: skip
    left = {path.name for path in (folder / "training").iterdir()}
    assert {"run.toml", "log.jsonl", "tokenizer.model", "checkpoint-000000030.safetensors"} <= left
    assert not [name for name in left if name.endswith(".part")]
    for line in (folder / "training" / "log.jsonl").read_text("utf-8").splitlines():
        assert json.loads(line)["event"] in ("begun", "update", "validation", "note", "ended")


def test_it_loads_and_translates_both_ways(finished: tuple[Path, Notes]) -> None:
    translator = onmal.load(finished[0])
    for language, sentence in (("en", "저는 학생이에요."), ("ko", "I am a student.")):
        found = translator.translate([sentence, "", sentence], to=language)
        assert [each.source for each in found] == [sentence, "", sentence]
        assert found[0].tokens  # what they say, no network knows after so few updates
        assert found[0].text == found[2].text
        assert found[1].text == ""


def test_the_card_tells_where_the_model_comes_from(finished: tuple[Path, Notes], corpus: Path) -> None:
    folder, _ = finished
    card = json.loads((folder / "card.json").read_text("utf-8"))
    assert card["training_pairs"] == 300
    assert card["data_sha256"] == hashlib.sha256((corpus / "train.ko-en.tsv").read_bytes()).hexdigest()
    assert 4 < card["trained_lengths"]["source"] <= 64
    assert 4 < card["trained_lengths"]["target"] <= 64
    assert (card["updates"], card["name"]) == (UPDATES, "test")
    assert card["target_tokens"] > 1000
    validation = card["validation"]
    assert validation["pairs"] == 12
    assert 1 < validation["negative_log_likelihood"] < 10
    assert validation["greedy"].keys() == validation["signatures"].keys() == {"ko-en", "en-ko"}
    for direction, scores in validation["greedy"].items():
        assert set(scores) == {"BLEU", "chrF"}
        for metric, score in scores.items():
            assert 0 <= score <= 100
            assert "version:" in validation["signatures"][direction][metric]
    assert "tok:13a" in validation["signatures"]["ko-en"]["BLEU"]
    settled = plan(corpus, precision=card["precision"])  # it was "auto"
    assert RunConfig.from_dict(card["run"]) == settled
    assert card["config_sha256"] == hashlib.sha256(settled.to_toml().encode()).hexdigest()


def test_info_prints_scores_and_signatures(finished: tuple[Path, Notes]) -> None:
    shown = CliRunner().invoke(app, ["info", str(finished[0])]).stdout
    assert "validation greedy ko-en BLEU" in shown
    assert "validation signatures ko-en BLEU" in shown
    assert "version:" in shown


def test_a_person_hears_what_is_done(finished: tuple[Path, Notes]) -> None:
    _, notes = finished
    said = notes.of("note")
    assert [text.split()[0] for text in said] == ["reading", "learning", "encoding", "choosing"]
    assert said[1] == "learning the tokenizer from 300 pairs ..."
    (facts,) = notes.of("begun")
    assert facts["languages"] == "ko <-> en"
    assert facts["longer than 64 tokens"] == 0
    assert "resumed at update" not in facts
    assert len(notes.of("validated")) == 3
    assert notes.of("ended")[0]["saved"] == str(finished[0])


def test_a_table_in_one_direction_with_validation_held_out(corpus: Path, tmp_path: Path) -> None:
    data = {
        "train": [str(corpus / "train.ko-en.tsv")],
        "valid": [],
        "both_directions": False,
        "valid_size": 500,
    }
    saved, notes = run(plan(corpus, data=data, max_updates=4), tmp_path / "run")
    (facts,) = notes.of("begun")
    total = facts["training pairs"] + facts["validation pairs"]
    assert facts["validation pairs"] == total // 10
    assert saved.directions == (("ko", "en"),)
    assert saved.tokenizer.tags == ()
    assert load_model(tmp_path / "run").card["validation"]["pairs"] == total // 10
    assert onmal.load(tmp_path / "run").translate("저는 학생이에요.").text is not None


def test_the_same_run_again_gives_the_same_weights(
    finished: tuple[Path, Notes], corpus: Path, tmp_path: Path
) -> None:
    run(plan(corpus), tmp_path / "again")
    assert same_weights(finished[0], tmp_path / "again")
    assert same_state(finished[0], tmp_path / "again")


@pytest.mark.parametrize("average", [1, 2])
def test_where_there_is_a_moving_average_it_is_saved(average: int, corpus: Path, tmp_path: Path) -> None:
    saved, notes = run(
        plan(corpus, ema=0.9, average=average, max_updates=8, validate_every=4), tmp_path / "run"
    )
    single = f"update {all_progress(tmp_path / 'run' / 'training')[-1].best_update} (moving average)"
    names = [single] if average == 1 else ["mean of the last 2 validations (moving average)", single]
    assert list(notes.of("ended")[0]["validation scores"]) == names
    assert saved.card["weights"] in names
    newest = latest_checkpoint(tmp_path / "run" / "training")
    assert newest is not None
    last = load_file(newest)
    written = load_file(tmp_path / "run" / "weights.safetensors")
    assert not any(torch.equal(weight, last[f"model.{name}"]) for name, weight in written.items())


def test_sentences_that_are_too_long_are_left_out_and_counted(corpus: Path, tmp_path: Path) -> None:
    saved, notes = run(plan(corpus, data={"max_length": 14}, max_updates=4), tmp_path / "run")
    (facts,) = notes.of("begun")
    assert 20 < facts["longer than 14 tokens"] < 2 * facts["training pairs"] - 20
    assert saved.trained_lengths == (14, 14)


def test_a_validation_sentence_longer_than_the_network_reads_keeps_its_direction(
    finished: tuple[Path, Notes], corpus: Path
) -> None:
    """The tag that asks for a language stands first: what is cut off comes after it."""
    saved = load_model(finished[0])
    validator = Validator(saved.tokenizer, [Pair("학교에 가요. " * 40, "I go. " * 40)], plan(corpus).data)
    read: list[list[int]] = []
    saved.model.source.register_forward_pre_hook(lambda _, ids: read.extend(ids[0].tolist()))
    validator(saved.model)
    assert [row[0] for row in read] == [saved.tokenizer.tag_id(code) for code in ("en", "ko")]
    assert [len(row) for row in read] == [64, 64]
    assert all(row[-1] == saved.tokenizer.vocabulary.end for row in read)


def test_validation_reads_sentences_as_training_and_translation_do(
    finished: tuple[Path, Notes], corpus: Path
) -> None:
    saved = load_model(finished[0])
    validator = Validator(saved.tokenizer, [Pair("학교에 가요.", "I go to school.")], plan(corpus).data)
    read: list[list[int]] = []
    pad = saved.model.vocabulary.pad
    saved.model.source.register_forward_pre_hook(
        lambda _, ids: read.extend([token for token in row if token != pad] for row in ids[0].tolist())
    )
    validator(saved.model)
    expected = [("학교에 가요.", "en"), ("I go to school.", "ko")]
    assert read[:2] == [saved.tokenizer.encode_source(text, language) for text, language in expected]


def test_prepared_shards_teach_what_the_text_itself_does(
    finished: tuple[Path, Notes], corpus: Path, tmp_path: Path
) -> None:
    """To the bit; and in two halves, too."""
    (tmp_path / "test.toml").write_text(plan(corpus).to_toml(), "utf-8")
    result = CliRunner().invoke(
        app, ["prepare", str(tmp_path / "test.toml"), "--out", str(tmp_path / "shards")]
    )
    assert result.exit_code == 0, result.output
    shards = {"shards": str(tmp_path / "shards")}
    _, notes = run(plan(corpus, data=shards), tmp_path / "run")
    assert same_weights(finished[0], tmp_path / "run")
    before, facts = finished[1].of("begun")[0], notes.of("begun")[0]
    assert {key: facts[key] for key in before} == before
    run(plan(corpus, data=shards, max_updates=UPDATES // 2), tmp_path / "halves")
    run(plan(corpus, data=shards), tmp_path / "halves", resume=True)
    assert all_progress(tmp_path / "halves" / "training")[-1].update == UPDATES


# Refusals


@contextmanager
def left_as_it_was(folder: Path) -> Iterator[None]:
    """Nothing below a folder is added, removed or changed."""

    def state() -> dict[Path, bytes | None]:
        return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}

    before = state()
    yield
    assert state() == before


def refusal(kind: type[OnmalError], config: RunConfig, folder: Path, **options: Any) -> str:
    """The one line that a refused run ends with."""
    with left_as_it_was(folder.parent), pytest.raises(kind) as caught:
        train(config, folder, reporter=Notes(), **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_folder_with_something_in_it_is_left_alone(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("all of it")
    assert "exists already; go on with --resume" in refusal(TrainingError, plan(corpus), tmp_path / "run")
    (tmp_path / "file").write_text("")
    assert "exists already" in refusal(TrainingError, plan(corpus), tmp_path / "file")
    assert "cannot be made" in refusal(TrainingError, plan(corpus), tmp_path / "file" / "run")
    assert "no run to resume" in refusal(TrainingError, plan(corpus), tmp_path / "run", resume=True)
    assert "no run to resume" in refusal(TrainingError, plan(corpus), tmp_path / "none", resume=True)


@pytest.mark.parametrize(
    ("changes", "option"),
    [
        ({"model": {"dropout": 0.2}}, "model.dropout = 0.1, not 0.2"),
        ({"model": {"d_model": 32}}, "model.d_model = 16, not 32"),
        ({"data": {"max_length": 60}}, "data.max_length = 64, not 60"),
        ({"data": {"both_directions": False}}, "data.both_directions = True, not False"),
        ({"seed": 2}, "train.seed = 1, not 2"),
        ({"batch_tokens": 128}, "train.batch_tokens = 256, not 128"),
    ],
    ids=str,
)
def test_other_settings_are_not_resumed(
    changes: dict[str, Any], option: str, finished: tuple[Path, Notes], corpus: Path
) -> None:
    line = refusal(ConfigError, plan(corpus, **changes), finished[0], resume=True)
    assert f"run.toml: the run was begun with {option}; resume with its own settings" in line


def test_another_text_is_not_resumed(finished: tuple[Path, Notes], corpus: Path, tmp_path: Path) -> None:
    place = shutil.copytree(corpus, tmp_path / "corpus")
    run(plan(place, max_updates=2), tmp_path / "run")
    with (place / "train.ko").open("a", encoding="utf-8") as source, (place / "train.en").open("a") as target:
        source.write("새 문장이에요.\n")
        target.write("It is a new sentence.\n")
    line = refusal(TrainingError, plan(place, max_updates=4), tmp_path / "run", resume=True)
    assert "the training text is not the one that this run was begun with" in line


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (
            ("--valid-source", "v.ko", "--valid-target", "v.en"),
            "has its validation text already; leave --valid",
        ),
        (("--size", "big"), "the run was begun with size = None, not 'big'"),
    ],
)
def test_options_that_a_resumed_run_would_not_follow_are_refused(
    options: tuple[str, ...], line: str, finished: tuple[Path, Notes]
) -> None:
    result = CliRunner().invoke(app, ["train", "--out", str(finished[0]), "--resume", *options])
    assert result.exit_code == 2
    assert line in result.output


def test_other_validation_text_is_not_resumed(corpus: Path, tmp_path: Path) -> None:
    place = shutil.copytree(corpus, tmp_path / "corpus")
    run(plan(place, max_updates=2), tmp_path / "run")
    (place / "valid.en").write_text((place / "valid.en").read_text("utf-8").upper(), "utf-8")
    line = refusal(TrainingError, plan(place, max_updates=4), tmp_path / "run", resume=True)
    assert "the tokenizer or the validation text is not the one that this run was begun with" in line


def test_shards_made_anew_with_other_pairs_held_out_are_not_resumed(corpus: Path, tmp_path: Path) -> None:
    shards = tmp_path / "shards"
    data = {"valid": [], "shards": str(shards)}
    text = plan(corpus, data={"valid": [], "valid_size": 20}).data
    pairs = list(open_pairs(text, text.train, {}))
    prepare_shards([pairs], text, shards)
    run(plan(corpus, data=data, max_updates=2), tmp_path / "run")
    shutil.rmtree(shards)
    prepare_shards([pairs], text.replace(valid_size=6), shards)
    line = refusal(TrainingError, plan(corpus, data=data, max_updates=4), tmp_path / "run", resume=True)
    assert "not the one that this run was begun with" in line


@pytest.mark.parametrize(
    ("data", "kind", "line"),
    [
        ({"train": ["nope.ko", "nope.en"]}, DataError, "nope.ko: there is no such file"),
        ({"valid": ["nope.tsv"]}, DataError, "nope.tsv: there is no such file"),
        ({"corpus": "multi30k", "train": ["train"], "valid": ["val"], "source_language": "en", "target_language": "de"},
         DataError, "multi30k"),
        ({"corpus": "nothing"}, ConfigError, "nothing"),
        ({"max_pairs": 5, "valid": []}, DataError, "5 sentence pairs to train on and 0 to validate on are too few"),
        ({"vocabulary_size": 100}, ConfigError, "data.vocabulary_size = 100"),
        ({"joint": False}, ConfigError, "joint"),
    ],
    ids=["no file", "no validation", "no folder", "no corpus", "too little", "vocabulary", "separate"],
)  # fmt: skip
def test_a_run_that_cannot_begin_leaves_nothing_behind(
    data: dict[str, Any], kind: type[OnmalError], line: str, corpus: Path, tmp_path: Path
) -> None:
    """So that the same command works once the mistake is mended."""
    corpora = {"multi30k": tmp_path / "nowhere"}
    assert line in refusal(kind, plan(corpus, data=data), tmp_path / "run", corpora=corpora)
    assert not (tmp_path / "run").exists()


def test_a_blank_line_in_the_validation_text_is_an_error_that_names_it(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "valid.tsv").write_text("하나\tone\n둘\t\n", "utf-8")
    line = refusal(DataError, plan(corpus, data={"valid": [str(tmp_path / "valid.tsv")]}), tmp_path / "run")
    assert "valid.tsv:2: the target side is empty" in line


@pytest.mark.parametrize(
    "step", ["sources.training_pairs", "sources.learn_tokenizer", "sources.encode_pairs", "run.origin_of"]
)
def test_an_interrupt_before_the_first_update_leaves_nothing_behind(
    step: str, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"onmal.training.{step}", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train(plan(corpus), tmp_path / "run", reporter=Notes())
    assert list(tmp_path.iterdir()) == []


def test_torch_has_as_many_threads_after_a_run_as_before(corpus: Path, tmp_path: Path) -> None:
    def fail(config: RunConfig) -> Origin:
        seen.append(torch.get_num_threads())
        raise TrainingError("nothing to begin with", "none")

    seen: list[int] = []
    config = plan(corpus, max_updates=1, threads=2)
    run(config, tmp_path / "whole")
    assert torch.get_num_threads() == 1
    with pytest.raises(TrainingError):
        train(config, tmp_path / "failed", reporter=Notes(), origin=fail)
    assert seen == [2]
    assert torch.get_num_threads() == 1


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """The system refuses to write more than so many bytes to a file, as it does on a full disk."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


@pytest.mark.parametrize(
    ("size", "what"),
    [(500, "run.toml"), (6_000, "training"), (60_000, "checkpoint-000000000"), (250_000, "checkpoint-")],
    ids=["settings", "tokenizer", "first checkpoint", "checkpoint"],
)
def test_a_full_disk_is_one_line_and_the_run_can_go_on(
    size: int, what: str, corpus: Path, tmp_path: Path
) -> None:
    config = plan(corpus, max_updates=4)
    with largest_file(size), pytest.raises(OnmalError) as caught:
        train(config, tmp_path / "run", reporter=Notes())
    assert what in str(caught.value)
    assert "cannot be written" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.rglob("*.part")) == []
    run(config, tmp_path / "run", resume=(tmp_path / "run" / "training" / "run.toml").exists())
    assert all_progress(tmp_path / "run" / "training")[-1].update == 4


# Going on


def test_a_run_that_never_got_to_a_checkpoint_begins_anew(
    finished: tuple[Path, Notes], corpus: Path, tmp_path: Path
) -> None:
    """All that is there are the settings, half a tokenizer and half a line of the log."""
    place = tmp_path / "run" / "training"
    place.mkdir(parents=True)
    shutil.copy(finished[0] / "training" / "run.toml", place)
    (place / "tokenizer.model").write_bytes(b"half a tok")
    (place / "log.jsonl").write_text('{"event": "beg')
    _, notes = run(plan(corpus), tmp_path / "run", resume=True)
    assert "resumed at update" not in notes.of("begun")[0]
    assert same_weights(finished[0], tmp_path / "run")
    events = [json.loads(line)["event"] for line in (place / "log.jsonl").read_text("utf-8").splitlines()]
    assert next(event for event in events if event != "note") == "begun"


def test_empty_folders_left_by_a_kill_are_no_hindrance(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "run" / "training").mkdir(parents=True)
    run(plan(corpus, max_updates=2), tmp_path / "run")


def test_a_damaged_checkpoint_is_said_and_the_one_before_taken(
    finished: tuple[Path, Notes], corpus: Path, tmp_path: Path
) -> None:
    run(plan(corpus, max_updates=10), tmp_path / "run")
    run(plan(corpus, max_updates=20), tmp_path / "run", resume=True)
    newest = tmp_path / "run" / "training" / "checkpoint-000000020.safetensors"
    newest.write_bytes(newest.read_bytes()[:-1])
    _, notes = run(plan(corpus), tmp_path / "run", resume=True)
    assert f"{newest} cannot be read; going on from the checkpoint before" in notes.of("note")
    assert notes.of("begun")[0]["resumed at update"] == 10
    assert same_weights(finished[0], tmp_path / "run")


unix = pytest.mark.skipif(sys.platform == "win32", reason="signals are those of Unix")


def command(config: RunConfig, folder: Path) -> list[str]:
    """The same run as a person would type it, but without an end."""
    (folder.parent / "test.toml").write_text(config.to_toml(), "utf-8")
    endless = ("--set", "train.max_updates=1000000")
    return [
        sys.executable,
        "-m",
        "onmal",
        "train",
        str(folder.parent / "test.toml"),
        "--out",
        str(folder),
        *endless,
    ]


def start(config: RunConfig, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(config, folder), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, encoding="utf-8", env={**os.environ, "PYTHONUTF8": "1"},
    )  # fmt: skip


@unix
@pytest.mark.parametrize("kind", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_stops_saves_and_says_how_to_go_on(kind: str, corpus: Path, tmp_path: Path) -> None:
    folder = tmp_path / "my runs" / "ko-en"
    folder.parent.mkdir()
    config = plan(corpus, validate_every=5)
    with start(config, folder) as process:
        assert process.stderr is not None
        seen = next(line for line in process.stderr if line.startswith("validation at update 5,"))
        process.send_signal(signal.Signals[kind])
        rest = process.stderr.read()
    assert seen
    assert process.returncode == 130
    assert "stopping after this update, and saving ..." in rest
    assert "Traceback" not in rest
    advice = rest.strip().splitlines()[-1]
    said, _, typed = advice.partition("go on with: ")
    assert said == "stopped and saved; "
    assert not (folder / "weights.safetensors").exists()
    *_, where = all_progress(folder / "training")
    assert where.update >= 5

    end = where.update + 7
    words = shlex.split(typed)
    assert words[0] == "onmal"
    result = CliRunner().invoke(app, [*words[1:], "--set", f"train.max_updates={end}"])
    assert result.exit_code == 0, result.output
    assert f"resumed at update: {where.update}" in result.stderr
    run(plan(corpus, validate_every=5, max_updates=end), tmp_path / "uninterrupted")
    assert same_state(folder, tmp_path / "uninterrupted")
    assert same_weights(folder, tmp_path / "uninterrupted")


def test_a_run_that_is_stopped_while_updates_are_skipped_says_so(corpus: Path, tmp_path: Path) -> None:
    class Interrupts(Notes):
        def note(self, text: str) -> None:
            if "update skipped" in text and not any("update skipped" in before for before in self.of("note")):
                os.kill(os.getpid(), signal.SIGINT)
            super().note(text)

    notes, wild = Interrupts(), plan(corpus, learning_rate=1e30)
    assert train(wild, tmp_path / "run", reporter=notes) is None
    said, _, typed = notes.of("note")[-1].partition("; go on with: ")
    assert said == "stopped while updates are skipped; the checkpoint before them stays"
    assert typed == f"onmal train --out {tmp_path / 'run'} --resume"
    assert [progress.update for progress in all_progress(tmp_path / "run" / "training")] == [0]


@unix
def test_a_killed_run_goes_on_from_its_last_checkpoint(corpus: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with start(plan(corpus, validate_every=5, save_every=1), folder) as process:
        assert process.stderr is not None
        for _ in process.stderr:
            if list((folder / "training").glob("checkpoint-*.safetensors")):
                process.kill()
                break
        process.stderr.read()
    assert process.returncode == -signal.SIGKILL
    end = all_progress(folder / "training")[-1].update + 7
    config = plan(corpus, validate_every=5, save_every=1, max_updates=end)
    run(config, folder, resume=True)
    run(config, tmp_path / "uninterrupted")
    assert same_state(folder, tmp_path / "uninterrupted")
    assert same_weights(folder, tmp_path / "uninterrupted")


@unix
def test_a_mix_is_trained_on_in_one_go_or_two_from_text_or_shards(corpus: Path, tmp_path: Path) -> None:
    """With the same weights to the bit; its tag is in the model, and is not asked for in translation."""
    files = [str(corpus / "train.ko"), str(corpus / "train.en")]
    mix = [
        {"train": [str(corpus / "train.ko-en.tsv")], "weight": 2.0},
        {"train": files, "weight": 0.5, "tag": "back"},
    ]
    data = {"train": [], "mix": mix}
    saved, notes = run(plan(corpus, data=data), tmp_path / "run")
    (facts,) = notes.of("begun")
    assert f"reading {files[0].removesuffix('ko')}ko-en.tsv + {' '.join(files)} ..." in notes.of("note")
    assert saved.tokenizer.tags == ("<2ko>", "<2en>", "<back>")
    assert facts["training pairs"] % 2 == 0  # a pair may be in two texts
    assert train(plan(corpus, data=data), tmp_path / "halves", reporter=InterruptsOnce()) is None
    assert all_progress(tmp_path / "halves" / "training")[-1].update < UPDATES
    run(plan(corpus, data=data), tmp_path / "halves", resume=True)
    assert same_weights(tmp_path / "run", tmp_path / "halves")
    (tmp_path / "test.toml").write_text(plan(corpus, data=data).to_toml(), "utf-8")
    result = CliRunner().invoke(
        app, ["prepare", str(tmp_path / "test.toml"), "--out", str(tmp_path / "shards")]
    )
    assert result.exit_code == 0, result.output
    run(plan(corpus, data={**data, "shards": str(tmp_path / "shards")}), tmp_path / "shards run")
    assert same_weights(tmp_path / "run", tmp_path / "shards run")
    plain, tagged = (onmal.load(tmp_path / "run", tag=tag).translate("학교에 가요.") for tag in ("", "back"))
    assert plain.score != tagged.score


def test_a_text_of_a_mix_of_which_nothing_is_left_is_told(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "faulty.tsv").write_text("\tNothing.\n")
    mix = [{"train": [str(corpus / "train.ko-en.tsv")]}, {"train": [str(tmp_path / "faulty.tsv")]}]
    message = refusal(DataError, plan(corpus, data={"train": [], "mix": mix}), tmp_path / "run")
    assert re.match(r"\d+ \+ 0 sentence pairs to train on and 12 to validate on are too few", message)


def test_a_run_goes_on_in_the_precision_it_was_begun_with_or_says_so(corpus: Path, tmp_path: Path) -> None:
    first = plan(corpus, max_updates=2, precision="float32")
    run(first, tmp_path / "run")
    longer = plan(corpus, max_updates=3, precision="auto")
    _, notes = run(longer, tmp_path / "run", resume=True)
    assert notes.of("begun")[0]["precision"] == "float32"
    assert not any("to the bit" in note for note in notes.of("note"))
    other = plan(corpus, max_updates=4, precision="bfloat16", threads=2)
    _, notes = run(other, tmp_path / "run", resume=True)
    said = [note for note in notes.of("note") if "not to the bit as it would have been" in note]
    assert [note.partition(",")[0] for note in said] == [
        "begun with threads 1",
        "begun with precision float32",
    ]
