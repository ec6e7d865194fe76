"""Fine-tuning: it begins with exactly what the model was, learns the new text, and tells what that has given and cost."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tiny_model import save_tiny_model, sentence_pairs
from typer.testing import CliRunner, Result

import onmal
from onmal.adapting.comparison import old_domain
from onmal.adapting.finetune import finetune, settings_for, with_old_text
from onmal.cli import app
from onmal.config import RunConfig
from onmal.data.corpus import read_pairs
from onmal.errors import ConfigError, DataError
from onmal.run_report import write_report
from onmal.run_report.events import Reporters
from onmal.saved_model import SavedModel, load_model, save_model
from onmal.training.run import Validator, train
from onmal.training.sources import training_pairs

SHORT: dict[str, Any] = {
    "max_updates": 12, "validate_every": 4, "learning_rate": 0.01, "warmup": 0, "batch_tokens": 256, "threads": 1,
    "processes": 1, "precision": "float32", "average": 2, "patience": 0,
}  # fmt: skip
BOTH = [("ko", "en"), ("en", "ko")]


def plan(
    model: Path, text: Path, *, lora: int = 0, data: dict[str, Any] | None = None, **train: Any
) -> RunConfig:
    named = {"train": [str(text / "new.ko"), str(text / "new.en")], "valid": [str(text / "valid.ko-en.tsv")]}
    values = settings_for(model, {**named, **(data or {})}, ("ko", "en"), lora=lora)
    values["train"] |= {**SHORT, **train}
    return RunConfig.from_dict(values)


def tuned(config: RunConfig, folder: Path, **options: Any) -> SavedModel:
    saved = finetune(config, folder, reporter=Reporters(), **options)
    assert saved is not None
    return saved


def validations(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "training" / "log.jsonl").read_text("utf-8").splitlines()
    return [event for event in map(json.loads, lines) if event["event"] == "validation"]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "weights.safetensors")


def same_weights(one: Path, other: Path) -> bool:
    ours, theirs = weights(one), weights(other)
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.fixture(scope="module")
def finished(both_ways: Path, text: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose weights have all gone on."""
    folder = tmp_path_factory.mktemp("runs") / "tuned"
    tuned(plan(both_ways, text), folder)
    return folder


def test_update_0_is_the_old_model_and_then_the_loss_falls(
    both_ways: Path, text: Path, finished: Path
) -> None:
    old, config = load_model(both_ways), plan(both_ways, text)
    pairs = list(read_pairs([text / "valid.ko-en.tsv"], source_language="ko", target_language="en"))
    expected = Validator(old.tokenizer, pairs, config.data)(old.model)
    first, *_, last = validations(finished)
    assert first["progress"]["update"] == 0
    assert first["negative_log_likelihood"] == expected.negative_log_likelihood
    assert first["scores"] == expected.scores
    assert last["negative_log_likelihood"] < first["negative_log_likelihood"] - 1


def test_tokenizer_languages_and_the_old_folder_stay(both_ways: Path, finished: Path) -> None:
    for name in ("tokenizer.model", "config.json"):
        assert (finished / name).read_bytes() == (both_ways / name).read_bytes()
    assert load_model(finished).directions == tuple(BOTH)
    assert load_model(both_ways).card == {"training_pairs": 200}
    assert onmal.load(finished).translate("오늘 학교에 간다.", to="en").tokens


def test_the_card_tells_what_it_went_on_from_and_what_that_brought(both_ways: Path, finished: Path) -> None:
    card = load_model(finished).card
    assert card["started_from"]["folder"] == str(both_ways)
    assert card["run"]["train"]["start"] == str(both_ways)
    assert card["trained_lengths"] == {"source": 48, "target": 48}  # the old card says nothing shorter
    found = card["compared"]
    assert found == json.loads((finished / "training" / "comparison.json").read_text("utf-8"))
    assert found.keys() == {"new"}  # the old card names no text
    assert found["new"]["sentences"] == 12
    assert found["new"]["scores"].keys() == {"ko-en", "en-ko"}
    for metrics in found["new"]["scores"].values():
        assert metrics.keys() == {"BLEU", "chrF"}
        for each in metrics.values():
            assert each["difference"] == pytest.approx(each["after"] - each["before"])
            assert 0 < each["p_value"] <= 1
            assert "bs:1000" in each["signature"]
            assert "version:" in each["signature"]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("Before and after", "new domain", "goes on from")),
        ("ko", ("이어받기 전과 후", "새 분야", "이어받은 모델")),
    ],
)
def test_the_report_has_a_table_of_it(
    language: str, words: tuple[str, ...], finished: Path, tmp_path: Path
) -> None:
    page = write_report(finished, tmp_path / "report.html", language=language).read_text("utf-8")
    assert all(word in page for word in (*words, "bs:1000"))


def test_low_rank_updates_end_as_an_ordinary_folder(both_ways: Path, text: Path, tmp_path: Path) -> None:
    tuned(plan(both_ways, text, lora=2), tmp_path / "tuned")
    before, after = weights(both_ways), weights(tmp_path / "tuned")
    assert after.keys() == before.keys()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    for name in changed:
        assert name.endswith(".weight")
        assert "words" not in name
        assert "norm" not in name
        assert torch.linalg.matrix_rank(after[name] - before[name], rtol=1e-4) <= 2
    first, *_, last = validations(tmp_path / "tuned")
    assert last["negative_log_likelihood"] < first["negative_log_likelihood"]
    again = plan(tmp_path / "tuned", text, max_updates=1)
    assert load_model(
        Path(tuned(again, tmp_path / "again").card["started_from"]["folder"])
    ).directions == tuple(BOTH)


def test_nothing_worse_is_saved(both_ways: Path, text: Path, tmp_path: Path) -> None:
    """What the model was competes with what became of it, here by steps that are far too large."""
    config = plan(both_ways, text, learning_rate=1.0, average=1, max_updates=4, spike=0.0)
    card = tuned(config, tmp_path / "tuned").card
    scores = {event["progress"]["update"]: event["score"] for event in validations(tmp_path / "tuned")}
    assert scores.keys() == {0, 4}
    chosen = [next(iter(metrics.values())) for metrics in card["validation"]["greedy"].values()]
    assert sum(chosen) / len(chosen) == max(scores.values())
    assert card["weights"] == f"update {max(scores, key=lambda update: scores[update])}"
    assert same_weights(both_ways, tmp_path / "tuned") == (card["weights"] == "update 0")


class Interrupts(Reporters):
    """Sends a Ctrl-C at a validation."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at

    def validated(self, validation: Any, progress: Any) -> None:
        if progress.update == self.at:
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize(("lora", "at"), [(0, 4), (2, 0)])
def test_what_is_stopped_goes_on_to_the_bit(
    lora: int, at: int, both_ways: Path, text: Path, tmp_path: Path
) -> None:
    config = plan(both_ways, text, lora=lora, max_updates=6)
    assert finetune(config, tmp_path / "halves", reporter=Interrupts(at)) is None
    assert not (tmp_path / "halves" / "weights.safetensors").exists()
    halves = tuned(config, tmp_path / "halves", resume=True)
    whole = tuned(config, tmp_path / "whole")
    assert same_weights(tmp_path / "halves", tmp_path / "whole")
    assert halves.card["compared"] == whole.card["compared"]
    assert [event["progress"]["update"] for event in validations(tmp_path / "halves")] == [0, 4, 6]


def test_a_run_is_gone_on_with_from_its_own_model_and_rank(
    both_ways: Path, text: Path, finished: Path, tmp_path: Path
) -> None:
    other = save_tiny_model(tmp_path / "other", both_directions=True, seed=1)
    for config, option in ((plan(other, text), "train.start"), (plan(both_ways, text, lora=4), "train.lora")):
        with pytest.raises(ConfigError, match=rf"begun with {option} = "):
            train(config, finished, resume=True, reporter=Reporters())


def test_old_text_has_its_share_and_a_part_of_it_is_held_out(
    both_ways: Path, text: Path, tmp_path: Path
) -> None:
    config = plan(both_ways, text)
    old = {"train": [str(text / "old.ko"), str(text / "old.en")], "valid": []}
    mixed = with_old_text(config, old, 0.25, tmp_path / "tuned")
    new, kept = mixed.data.mix
    assert (new.train, new.share, kept.share) == (config.data.train, 0.0, 0.25)
    read = {"source_language": "ko", "target_language": "en"}
    made = tmp_path / "tuned" / "training" / "made"
    held_out = {pair.source for pair in read_pairs([made / "old-valid.jsonl"], **read)}
    assert len(held_out) == 2
    assert held_out.isdisjoint(pair.source for pair in read_pairs(kept.train, **read))
    found = training_pairs(mixed.data, {}, 1)
    drawn = mixed.data.drawn(found.sizes)
    assert sum(drawn) == sum(found.sizes)
    assert abs(drawn[1] - 0.25 * sum(drawn)) <= 1
    compared = tuned(mixed, tmp_path / "tuned").card["compared"]
    assert compared["old"]["sentences"] == 2
    assert compared["old"]["text"] == "the part of --old-data that was held out"
    assert with_old_text(config, old, 0.25, tmp_path / "tuned", resume=True) == mixed


def test_the_old_domain_is_what_the_model_was_validated_on(
    both_ways: Path, text: Path, finished: Path, tmp_path: Path
) -> None:
    """If that is still there: held-out text only where it is still the same."""
    base = tmp_path / "base"
    data = {"train": [str(tmp_path / "own.tsv")], "valid": []}
    (tmp_path / "own.tsv").write_bytes((text / "old.ko-en.tsv").read_bytes())
    saved = train(plan(both_ways, text, data=data, max_updates=2), base, reporter=Reporters())
    assert saved is not None
    config = plan(base, text, max_updates=1)
    old = tuned(config, tmp_path / "tuned").card["compared"]["old"]
    assert (old["text"], old["sentences"]) == ("the validation text of the model before", 2)
    other = {"train": [str(text / "new.ko-en.tsv")], "valid": []}
    mixed = with_old_text(config, other, 0.5, tmp_path / "other")
    assert mixed.data.mix[1].train == other["train"]  # nothing has to be held out of it
    mixed = with_old_text(
        config, {"train": [str(text / "old.ko-en.tsv")], "valid": []}, 0.5, tmp_path / "mixed"
    )
    learned = {pair[:2] for pair in training_pairs(mixed.data, {}, 1).train}
    scored = {pair[:2] for pair in old_domain(load_model(base), {}).pairs}
    assert len(scored) == 2
    assert learned.isdisjoint(scored)
    assert len(learned) > 20
    (tmp_path / "own.tsv").write_bytes((text / "new.ko-en.tsv").read_bytes())
    assert tuned(config, tmp_path / "again").card["compared"].keys() == {"new"}


def test_text_that_is_given_to_be_scored_is_scored(both_ways: Path, text: Path, tmp_path: Path) -> None:
    found = tuned(
        plan(both_ways, text, data={"tests": [str(text / "old.ko-en.tsv")]}, max_updates=1),
        tmp_path / "tuned",
    )
    assert (found.card["compared"]["new"]["sentences"], found.card["compared"]["new"]["text"]) == (
        28,
        str(text / "old.ko-en.tsv"),
    )
    result = CliRunner().invoke(app, ["evaluate", str(tmp_path / "tuned"), "--beam-size", "1"])
    assert result.exit_code == 0, result.output
    assert "old.ko-en.tsv: 28 sentences, ko-en, beam 1" in result.stdout


def test_a_mistake_in_the_test_text_is_told_before_the_training(
    both_ways: Path, text: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty.ko-en.tsv").touch()
    for name in ("empty", "missing"):
        config = plan(both_ways, text, data={"tests": [str(tmp_path / f"{name}.ko-en.tsv")]}, max_updates=1)
        with pytest.raises(DataError, match=name):
            finetune(config, tmp_path / "tuned", reporter=Reporters())
    assert not (tmp_path / "tuned").exists()


def test_settings_are_those_of_the_model_and_of_the_text(both_ways: Path, tmp_path: Path) -> None:
    saved = load_model(both_ways)
    run = {
        "data": {"max_length": 20}, "train": {"batch_tokens": 77, "label_smoothing": 0.0, "learning_rate": 1.0},
        "search": {"beam_size": 7},
    }  # fmt: skip
    save_model(
        tmp_path / "model",
        SavedModel(saved.model, saved.tokenizer, saved.config, saved.directions, {"run": run}),
    )
    text = {
        "corpus": "koen",
        "tokenizer": "bpe",
        "vocabulary_size": 9,
        "subword_sampling": 0.1,
        "both_directions": False,
    }
    values = settings_for(tmp_path / "model", text, ("en", "ko"))
    values["train"]["minutes"] = 1
    config = RunConfig.from_dict(values)
    assert (config.name, config.model) == ("model-tuned", saved.config)
    assert (config.data.corpus, config.data.subword_sampling, config.data.max_length) == ("koen", 0.1, 20)
    assert (config.data.source_language, config.data.target_language) == ("en", "ko")
    assert (config.data.both_directions, config.data.vocabulary_size) == (False, 0)
    assert (config.train.batch_tokens, config.train.label_smoothing, config.train.learning_rate) == (
        77,
        0.0,
        0.0005,
    )
    assert config.search.beam_size == 7
    assert settings_for(tmp_path / "model", {}, ("ko", "en"))["data"]["both_directions"]
    assert settings_for(tmp_path / "model", {}, ("ko", "en"), lora=8)["train"]["learning_rate"] == 0.002


# The command


def run(*arguments: object) -> Result:
    short = [f"--set=train.{key}={value}" for key, value in SHORT.items() if key != "precision"]
    return CliRunner().invoke(app, ["finetune", *map(str, arguments), *short], prog_name="onmal")


def test_the_command_shows_before_and_after(both_ways: Path, text: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tuned"
    result = run(both_ways, text / "new.ko", text / "new.en", "--lora", "2", "--out", folder)
    assert result.exit_code == 0, result.output
    assert f"goes on from: {both_ways}" in result.stderr
    assert "validation at update 0," in result.stderr
    assert "the old domain is not scored: the model's card names no text" in result.stderr
    assert result.stdout.startswith(f"{folder}, which went on from {both_ways}\n")
    for word in ("before", "after", "difference", "ko-en", "en-ko", "BLEU: nrefs:1", "chrF: nrefs:1"):
        assert word in result.stdout
    assert f"onmal evaluate {folder} TEXT --baseline {both_ways}" in result.stdout
    resumed = CliRunner().invoke(
        app, ["train", "--out", str(folder), "--resume", "--set", "train.max_updates=13"]
    )
    assert resumed.exit_code == 0, resumed.output
    assert "which went on from" in resumed.stdout


def test_text_may_be_a_recipe_a_corpus_or_one_file(
    both_ways: Path, text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[RunConfig] = []
    monkeypatch.setattr("onmal.adapting.finetune.finetune", lambda config, *_, **__: begun.append(config))
    (tmp_path / "recipe.toml").write_text(
        'size = "base"\n[model]\nnum_heads = 8\n[data]\nsource_language = "en"\ntarget_language = "ko"\ncorpus = "koen"\nvalid = ["dev"]\n'
    )
    for data in (
        [tmp_path / "recipe.toml"],
        ["koen"],
        [text / "new.ko-en.tsv"],
        [text / "new.en", text / "new.ko"],
    ):
        assert run(both_ways, *data).exit_code == 130
    recipe, corpus, table, files = (config.data for config in begun)
    assert (recipe.corpus, recipe.train, recipe.valid) == ("koen", ["train"], ["dev"])
    assert (corpus.corpus, corpus.train, corpus.valid) == ("koen", ["train"], ["dev"])
    assert (table.corpus, table.train, table.valid) == ("", [str(text / "new.ko-en.tsv")], [])
    assert [data.source_language for data in (recipe, corpus, table, files)] == ["en", "ko", "ko", "en"]
    assert all(data.both_directions for data in (recipe, corpus, table, files))
    assert all(config.model == load_model(both_ways).config for config in begun)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("nowhere TEXT/new.ko TEXT/new.en", "nowhere: there is no such model folder"),
        (
            "MODEL TEXT/new.ko TEXT/new.en --from ja",
            "does not translate from ja to en; its directions are ko-en, en-ko",
        ),
        ("MODEL TEXT/new.ko TEXT/new.en --from xx", "'xx' is not a language code that onmal knows"),
        ("MODEL TEXT/gone.ko TEXT/gone.en", "gone.ko: there is no such file"),
        ("MODEL TEXT/empty.ko-en.tsv", "0 sentence pairs to train on and 0 to validate on are too few"),
        ("MODEL law", "there is no corpus called 'law'"),
        ("MODEL gone.toml", "gone.toml: cannot be read"),
        (
            "MODEL koen --valid a.tsv",
            "--valid and --test name files, and the text is a corpus; name its splits",
        ),
        (
            "MODEL TEXT/new.ko TEXT/new.en --old-share 1",
            "--old-share 1 is no share; give more than 0 and less than 1",
        ),
        ("MODEL TEXT/new.ko TEXT/new.en --old-data TEXT/empty.ko-en.tsv", "0 sentence pairs to train on"),
        ("MODEL TEXT/new.ko TEXT/new.en --lora 16", "train.lora = 16 is no low rank"),
        ("MODEL TEXT/new.ko TEXT/new.en --set model.d_model=32", "model.d_model = 32, but"),
        ("MODEL TEXT/new.ko TEXT/new.en --set data.shards=s", "data.shards have a tokenizer of their own"),
        ("MODEL TEXT/new.ko TEXT/new.en --out MODEL", "exists already; go on with --resume"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    arguments: str, line: str, both_ways: Path, text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (text / "empty.ko-en.tsv").write_text("")
    words = [word.replace("MODEL", str(both_ways)).replace("TEXT", str(text)) for word in arguments.split()]
    result = run(*words)
    assert result.exit_code in (1, 2), result.output
    errors = [each for each in result.stderr.splitlines() if each.startswith("error: ")]
    assert errors == result.stderr.splitlines()[-1:]
    assert line in errors[0]
    assert not (tmp_path / "runs" / "general-tuned").exists()


@pytest.mark.slow
def test_several_processes_train_low_rank_updates_together(
    both_ways: Path, text: Path, tmp_path: Path
) -> None:
    config = plan(both_ways, text, lora=2, processes=2, max_updates=4)
    tuned(config, tmp_path / "tuned")
    first, *_, last = validations(tmp_path / "tuned")
    assert last["negative_log_likelihood"] < first["negative_log_likelihood"]


def test_a_folder_of_too_few_old_pairs_is_told(both_ways: Path, text: Path, tmp_path: Path) -> None:
    lines = [f"{pair.source}\t{pair.target}\n" for pair in sentence_pairs(3)]
    (tmp_path / "few.tsv").write_text("".join(lines), "utf-8")
    with pytest.raises(DataError, match="3 sentence pairs to train on and 0 to validate on are too few"):
        with_old_text(
            plan(both_ways, text), {"train": [str(tmp_path / "few.tsv")], "valid": []}, 0.2, tmp_path / "run"
        )
    assert not (tmp_path / "run").exists()
