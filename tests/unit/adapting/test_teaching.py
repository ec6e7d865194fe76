"""Text that models make: line by line what they say, gone on with where it was cut off, and never made twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_model import save_tiny_model
from typer.testing import CliRunner

import onmal
from onmal.adapting.made_text import made_text
from onmal.adapting.teaching import taught, with_back_translations
from onmal.cli import app
from onmal.config import RunConfig
from onmal.data.corpus import read_pairs
from onmal.data.pair import Pair
from onmal.errors import ConfigError, DataError, LanguageError, OnmalError, TrainingError
from onmal.origin import origin_of
from onmal.run_report.events import Reporters
from onmal.saved_model import load_model
from onmal.training.run import train
from onmal.training.sources import training_pairs

MODEL = {
    "d_model": 16, "num_heads": 2, "feed_forward": 16, "encoder_layers": 1, "decoder_layers": 1, "dropout": 0.0,
    "max_source_length": 64, "max_target_length": 64,
}  # fmt: skip


def plan(text: Path, **data: Any) -> RunConfig:
    named = {"train": [str(text / "new.ko"), str(text / "new.en")], "valid": [str(text / "valid.ko-en.tsv")]}
    return RunConfig.from_dict(
        {
            "name": "student",
            "model": MODEL,
            "data": {"source_language": "ko", "target_language": "en", "max_length": 64, **named, **data},
            "train": {
                "max_updates": 2,
                "batch_tokens": 128,
                "threads": 1,
                "processes": 1,
                "validate_every": 2,
            },
        }
    )


def pairs(path: str | Path) -> list[Pair]:
    return list(read_pairs([path], source_language="ko", target_language="en"))


class Stops:
    """A Ctrl-C after so many sentences."""

    def __init__(self, after: int) -> None:
        self.after = after

    @contextmanager
    def __call__(self, total: int, doing: str) -> Iterator[Callable[[int], None]]:
        def told(done: int) -> None:
            if done == self.after:
                raise KeyboardInterrupt

        yield told


def untouched(total: int, doing: str) -> AbstractContextManager[Callable[[int], None]]:
    raise AssertionError("something is made again")


def said(model: Path, texts: list[str], to: str) -> list[str]:
    return [found.text for found in onmal.load(model).translate(texts, to=to)]


def test_a_student_learns_from_what_its_teacher_says_line_by_line(
    both_ways: Path, text: Path, tmp_path: Path
) -> None:
    config = plan(text)
    with made_text(tmp_path / "run", config) as made:
        run = taught(config, both_ways, made)
    (mixed,) = run.data.mix
    assert (run.data.train, run.data.valid, mixed.tag) == ([], config.data.valid, "")
    found = pairs(mixed.train[0])
    sources = [pair.source for pair in training_pairs(config.data, {}, 1).train]
    assert [pair.source for pair in found] == sources
    assert [pair.target for pair in found] == said(both_ways, sources, "en")
    told = json.loads((tmp_path / "run" / "training" / "made" / "manifest.json").read_text("utf-8"))
    assert told["teacher-1"]["lines"] == len(sources)
    assert told["teacher-1"]["direction"] == ["ko", "en"]
    assert {"model", "weights_sha256", "search", "texts_sha256", "lines_with_warnings"} <= told[
        "teacher-1"
    ].keys()


def test_what_is_cut_off_is_gone_on_with_and_comes_out_the_same(
    both_ways: Path, text: Path, tmp_path: Path
) -> None:
    config, notes = plan(text), list[str]()
    with (
        pytest.raises(KeyboardInterrupt),
        made_text(tmp_path / "run", config, note=notes.append, watch=Stops(7)) as made,
    ):
        taught(config, both_ways, made)
    assert notes[-1] == "what is translated is kept; the same command goes on with it"
    (part,) = (tmp_path / "run" / "training" / "made").glob(".*.part")
    assert len(part.read_text("utf-8").splitlines()) == 7
    with part.open("a", encoding="utf-8") as file:
        file.write('{"source": "half a li')
    with made_text(tmp_path / "run", config, note=notes.append) as made:
        taught(config, both_ways, made)
    assert "going on after sentence 7" in notes
    with made_text(tmp_path / "other", config) as made:
        taught(config, both_ways, made)
    texts = [
        (tmp_path / run / "training" / "made" / "teacher-1.jsonl").read_text("utf-8")
        for run in ("run", "other")
    ]
    assert texts[0] == texts[1]


def test_what_is_there_is_not_made_again_unless_it_is_of_another_model(
    both_ways: Path, text: Path, tmp_path: Path
) -> None:
    config = plan(text)
    with made_text(tmp_path / "run", config) as made:
        first = taught(config, both_ways, made)
    with made_text(tmp_path / "run", config, watch=untouched) as made:
        assert taught(config, both_ways, made) == first
    other = save_tiny_model(tmp_path / "another", seed=1)
    before = pairs(first.data.mix[0].train[0])
    with made_text(tmp_path / "run", config) as made:
        taught(config, other, made)
    assert pairs(first.data.mix[0].train[0]) != before


def test_what_is_held_out_is_held_out_from_the_teacher_too(
    both_ways: Path, text: Path, tmp_path: Path
) -> None:
    config = plan(text, valid=[], valid_size=5)
    with made_text(tmp_path / "run", config) as made:
        run = taught(config, both_ways, made, with_original=True)
    distilled, original = (pairs(each.train[0]) for each in run.data.mix)
    valid = pairs(run.data.valid[0])
    expected = training_pairs(config.data, {}, 1)
    assert [pair[:2] for pair in valid] == [pair[:2] for pair in expected.valid]
    assert [pair[:2] for pair in original] == [pair[:2] for pair in expected.train]
    assert [pair.source for pair in distilled] == [pair.source for pair in original]
    assert {pair.source for pair in valid}.isdisjoint(pair.source for pair in distilled)
    assert len(training_pairs(run.data, {}, 1).valid) == 5


def test_each_text_of_a_mix_keeps_its_weight_and_tag(both_ways: Path, text: Path, tmp_path: Path) -> None:
    mix = [
        {"train": [str(text / "new.ko-en.tsv")]},
        {"train": [str(text / "old.ko-en.tsv")], "weight": 0.5, "tag": "old"},
    ]
    config = plan(text, train=[], mix=mix)
    with made_text(tmp_path / "run", config) as made:
        run = taught(config, both_ways, made)
    assert [(each.weight, each.tag) for each in run.data.mix] == [(1.0, ""), (0.5, "old")]
    assert [len(pairs(each.train[0])) for each in run.data.mix] == [60, 28]


def test_text_is_translated_back_line_by_line(both_ways: Path, text: Path, tmp_path: Path) -> None:
    config = plan(text)
    with made_text(tmp_path / "run", config) as made:
        run = with_back_translations(config, both_ways, text / "news.en", made)
    written, back = run.data.mix
    assert (written.train, written.tag) == (config.data.train, "")
    assert back.tag == "back"
    found = pairs(back.train[0])
    lines = [line for line in (text / "news.en").read_text("utf-8").split("\n") if line]
    assert [pair.target for pair in found] == lines
    assert [pair.source for pair in found] == said(both_ways, lines, "ko")


def test_a_run_on_made_text_is_trained_and_gone_on_with_as_any_other(
    both_ways: Path, text: Path, tmp_path: Path
) -> None:
    """And once it has begun, its text is not made again, or for another model."""
    folder = tmp_path / "run"
    command = [
        "train", "--source", text / "new.ko", "--target", text / "new.en", "--out", folder, "--size", "tiny",
        "--teacher", both_ways, "--backtranslate", both_ways, text / "news.en", "--set", "data.clean=false",
        "--set", "train.processes=1", "--set", "train.threads=1", "--set", "train.batch_tokens=256",
    ]  # fmt: skip

    def run(*options: object) -> Any:
        return CliRunner().invoke(app, [str(each) for each in (*command, *options)], prog_name="onmal")

    begun = run("--set", "train.max_updates=2")
    assert begun.exit_code == 0, begun.output
    assert "translates 54 sentences from ko to en ..." in begun.stderr
    assert "translates 12 sentences from en to ko ..." in begun.stderr
    assert onmal.load(folder).saved.tokenizer.tags == ("<back>",)
    resumed = run("--set", "train.max_updates=3", "--resume")
    assert resumed.exit_code == 0, resumed.output
    assert "sentences from" not in resumed.stderr
    assert "resumed at update: 2" in resumed.stderr
    command[command.index("--teacher") + 1] = save_tiny_model(tmp_path / "another", seed=1)
    refused = run("--set", "train.max_updates=4", "--resume")
    assert refused.exit_code == 2
    assert "the run was begun with text that another model made" in refused.stderr
    plain = ["train", "--out", str(folder), "--resume", "--set", "train.max_updates=4"]
    assert CliRunner().invoke(app, plain).exit_code == 0


@pytest.mark.parametrize("distillation", [0.0, 0.5])
def test_a_student_may_begin_with_some_of_its_teachers_layers(
    distillation: float, text: Path, tmp_path: Path
) -> None:
    """And is compared with its teacher; as a person calls it, of own text, gone on with as any other run."""
    teacher = save_tiny_model(tmp_path / "teacher", both_directions=True, decoder_layers=3)
    command = [
        "train", "--file", text / "new.ko-en.tsv", "--out", tmp_path / "student", "--teacher", teacher, "--from-teacher",
        "--set", "model.decoder_layers=2", "--set", "data.clean=false", "--set", "train.max_updates=1",
        "--set", "train.processes=1", "--set", "train.threads=1", "--set", "train.batch_tokens=256",
        "--set", "train.learning_rate=0.000001", "--set", f"train.distillation={distillation}",
    ]  # fmt: skip

    def run(*options: object) -> Any:
        return CliRunner().invoke(app, [str(each) for each in (*command, *options)], prog_name="onmal")

    begun = run()
    assert begun.exit_code == 0, begun.output
    assert "goes on from" in begun.stderr
    saved, before = onmal.load(tmp_path / "student").saved, onmal.load(teacher).saved
    assert saved.directions == (("ko", "en"),)
    assert saved.tokenizer.source.serialized == before.tokenizer.source.serialized
    assert saved.card["started_from"]["folder"] == str(teacher)
    assert saved.card["compared"]
    assert saved.card["run"]["size"] is None
    weights, old = saved.model.state_dict(), before.model.state_dict()
    name = "cross_attention.query.weight"
    assert torch.allclose(weights[f"decoder.layers.1.{name}"], old[f"decoder.layers.2.{name}"], atol=1e-4)
    assert not any("layers.2" in each for each in weights if each.startswith("decoder"))
    assert run("--set", "train.max_updates=2", "--resume").exit_code == 0


def test_a_run_may_begin_with_a_model_of_the_other_direction(text: Path, tmp_path: Path) -> None:
    """As a person calls it: the network is that of the model, and nothing is compared that cannot be."""
    before = save_tiny_model(tmp_path / "ko-en")
    command = [
        "train", "--file", text / "new.ko-en.tsv", "--from", "en", "--to", "ko", "--begin-with", before,
        "--out", tmp_path / "en-ko", "--set", "data.clean=false", "--set", "train.max_updates=1", "--set", "train.processes=1",
        "--set", "train.threads=1", "--set", "train.batch_tokens=256", "--set", "train.learning_rate=0.000001",
    ]  # fmt: skip
    begun = CliRunner().invoke(app, [str(each) for each in command], prog_name="onmal")
    assert begun.exit_code == 0, begun.output
    assert "goes on from" in begun.stderr
    saved, old = onmal.load(tmp_path / "en-ko").saved, onmal.load(before).saved
    assert saved.directions == (("en", "ko"),)
    assert saved.tokenizer.source.serialized == old.tokenizer.source.serialized
    assert saved.card["started_from"]["folder"] == str(before)
    assert "compared" not in saved.card
    weights = old.model.state_dict()
    for name, weight in saved.model.state_dict().items():
        assert torch.allclose(weight, weights[name], atol=1e-4)


@pytest.mark.parametrize(
    ("options", "code", "line"),
    [
        (["--begin-with", "T", "--from-teacher", "--teacher", "T"], 2, "a run begins with one model; give --begin-with or"),
        (["--begin-with", "T", "--size", "tiny"], 2, "general; leave --size away"),
        (["--set", "train.distillation=1", "--set", "train.processes=2"], 2, "train.distillation learns from the model that"),
        (
            ["--begin-with", "T", "--teacher", "T", "--set", "train.distillation=1"], 2,
            "train.distillation learns what the model expects that a run begins with, which is not the teacher",
        ),
        (["--begin-with", "T", "--backtranslate", "T", "news.en"], 2, "have no <back>, by which text that was translated back"),
        (["--begin-with", "gone"], 1, "gone: there is no such model folder"),
        (["--from-teacher"], 2, "--from-teacher goes with --teacher; name the teacher"),
        (["--from-teacher", "--teacher", "T", "--size", "tiny"], 2, "general; leave --size away"),
        (["--from-teacher", "--teacher", "T", "--network", "gru"], 2, "general; leave --network away"),
        (["--from-teacher", "--teacher", "T", "--set", "model.decoder_layers=9"], 2, "model.decoder_layers = 9, but"),
        (["--from-teacher", "--teacher", "T", "--set", "size=base"], 2, "model.d_model = 512, but"),
        (["--from-teacher", "--teacher", "gone"], 1, "gone: there is no such model folder"),
    ],
    ids=["two", "size of a beginning", "no model to learn from", "another teacher", "no tag", "no beginning", "none", "size", "network", "deeper", "other size", "gone"],
)  # fmt: skip
def test_what_cannot_begin_with_its_teacher_is_told(
    options: list[str], code: int, line: str, both_ways: Path, text: Path, tmp_path: Path
) -> None:
    given = [str(both_ways) if each == "T" else each for each in options]
    command = ["train", "--file", str(text / "new.ko-en.tsv"), "--out", str(tmp_path / "student"), *given]
    refused = CliRunner().invoke(app, [*command, "--set", "train.max_updates=1"], prog_name="onmal")
    assert refused.exit_code == code
    assert line in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "student").exists()


def test_a_teacher_of_words_is_whole_and_learns_nothing(tmp_path: Path) -> None:
    """Of the network that is trained some layers are left out; of its teacher none, however often it is asked for."""
    folder = save_tiny_model(tmp_path / "teacher", both_directions=True, decoder_layers=3)
    saved = load_model(folder)
    config = RunConfig.from_dict(
        {
            "name": "student",
            "model": {**saved.config.model_dump(), "decoder_layers": 1},
            "data": {"source_language": "ko", "target_language": "en", "train": ["a.tsv"], "max_length": 32},
            "train": {"max_updates": 1, "start": str(folder), "distillation": 0.5},
        }
    )
    origin = origin_of(config)
    student, teacher = origin.network(saved.tokenizer.vocabulary), origin.teacher()
    assert teacher is not None
    assert not any(weight.requires_grad for weight in teacher.parameters())
    assert not teacher.training
    expected, found = saved.model.state_dict(), teacher.state_dict()
    assert expected.keys() == found.keys() > student.state_dict().keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert origin_of(config.replace(train=config.train.replace(distillation=0.0))).teacher() is None


def test_a_student_is_trained_on_a_mix_of_one_text(both_ways: Path, text: Path, tmp_path: Path) -> None:
    config = plan(text)
    with made_text(tmp_path / "run", config) as made:
        run = taught(config, both_ways, made)
    saved = train(run, tmp_path / "run", reporter=Reporters())
    assert saved is not None
    assert saved.directions == (("ko", "en"),)
    with pytest.raises(TrainingError, match="exists already"), made_text(tmp_path / "run", config):
        pytest.fail("the run has begun")


@pytest.mark.parametrize(
    ("data", "kind", "line"),
    [
        ({"both_directions": True}, ConfigError, "one direction, and data.both_directions wants two; train a student for each"),
        ({"shards": "shards"}, ConfigError, "--teacher makes text, and data.shards holds text that is made already"),
        ({"target_language": "de"}, LanguageError, "general does not translate from ko to de; its directions are ko-en, en-ko"),
        ({"train": ["gone.tsv"]}, DataError, "gone.tsv: there is no such file"),
    ],
    ids=["both", "shards", "language", "file"],
)  # fmt: skip
def test_a_teacher_that_cannot_teach_is_told_and_leaves_nothing_behind(
    data: dict[str, Any], kind: type[OnmalError], line: str, both_ways: Path, text: Path, tmp_path: Path
) -> None:
    config = plan(text, clean=False, **data)
    with pytest.raises(kind) as caught, made_text(tmp_path / "run", config) as made:
        taught(config, both_ways, made)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_text_without_a_line_is_not_translated_back(both_ways: Path, text: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.en").write_text("\n\n")
    with (
        pytest.raises(DataError, match=r"empty\.en: there is no text to translate back"),
        made_text(tmp_path / "run", plan(text)) as made,
    ):
        with_back_translations(plan(text), both_ways, tmp_path / "empty.en", made)


def test_several_processes_do_not_make_text(
    both_ways: Path, text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.setenv(name, "1")
    with (
        pytest.raises(ConfigError, match="begin the run without torchrun"),
        made_text(tmp_path / "run", plan(text)),
    ):
        pytest.fail("it has begun")


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--with-original", "--source", "a.ko", "--target", "a.en"], "--with-original goes with --teacher"),
        (["--teacher", "m", "--resume", "--out", "run"], "leave --teacher and --backtranslate away"),
        (
            ["--teacher", "nowhere", "--source", "new.ko", "--target", "new.en"],
            "nowhere: there is no such model folder",
        ),
    ],
    ids=["original", "resume", "folder"],
)
def test_options_that_do_not_fit_together_are_told(
    options: list[str], line: str, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(text)
    result = CliRunner().invoke(app, ["train", *options])
    assert result.exit_code in (1, 2)
    assert line in result.stderr.splitlines()[-1]
