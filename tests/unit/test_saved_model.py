"""saved_model: a folder gives back what was put into it, is written whole or not at all, and says what is wrong with it."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_model import sentence_pairs

import onmal.saved_model
from onmal.config import DataConfig, ModelConfig, Vocabulary
from onmal.data.prepare import learn_tokenizer
from onmal.errors import ModelFolderError
from onmal.models import build
from onmal.saved_model import FORMAT, SavedModel, load_model, read_folder, save_model
from onmal.text.tokenizer import Tokenizer

Tie = Literal["all", "output", "none"]
DIRECTIONS = (("ko", "en"), ("en", "ko"))


def tokenizer_of(**values: Any) -> Tokenizer:
    data = DataConfig(**{"source_language": "ko", "target_language": "en", "vocabulary_size": 320, **values})
    return learn_tokenizer(sentence_pairs(), data)


@pytest.fixture(scope="module")
def joint() -> Tokenizer:
    return tokenizer_of(both_directions=True)


@pytest.fixture(scope="module")
def separate() -> Tokenizer:
    return tokenizer_of(joint=False, tokenizer="bpe")


def model_of(tokenizer: Tokenizer, seed: int = 0, **values: Any) -> SavedModel:
    """A random network; tags and both directions where the tokenizer has them."""
    config = ModelConfig(
        **{"d_model": 8, "num_heads": 2, "feed_forward": 12, "encoder_layers": 1, "decoder_layers": 1, "tie": "output",
           "max_source_length": 40, "max_target_length": 40, **values}
    )  # fmt: skip
    torch.manual_seed(seed)
    model = build(config, tokenizer.vocabulary).eval()
    card = {"이름": "시험", "seed": seed, "trained_lengths": {"source": 30, "target": 99}}
    return SavedModel(model, tokenizer, config, DIRECTIONS if tokenizer.tags else DIRECTIONS[:1], card)


def logits(saved: SavedModel) -> torch.Tensor:
    source = saved.tokenizer.encode_source("친구는 학교에 간다.", "en")
    target = [1, *saved.tokenizer.encode_target("My friend goes to school.")]
    with torch.inference_mode():
        return saved.model(torch.tensor([source]), torch.tensor([target]))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def folder(tmp_path: Path, joint: Tokenizer) -> Path:
    """A saved model, alone in its parent."""
    folder = tmp_path / "models" / "a"
    save_model(folder, model_of(joint))
    return folder


@pytest.mark.parametrize("output_bias", [False, True])
@pytest.mark.parametrize(
    ("kind", "tie"),
    [("joint", "all"), ("joint", "output"), ("joint", "none"), ("separate", "output"), ("separate", "none")],
)
def test_what_is_loaded_is_what_was_saved(
    tmp_path: Path, request: pytest.FixtureRequest, kind: str, tie: Tie, output_bias: bool
) -> None:
    tokenizer: Tokenizer = request.getfixturevalue(kind)
    saved = model_of(tokenizer, tie=tie, output_bias=output_bias)
    save_model(tmp_path / "model", saved)
    loaded = load_model(str(tmp_path / "model"))
    assert torch.equal(logits(loaded), logits(saved))
    assert not loaded.model.training
    assert (loaded.config, loaded.directions, loaded.card) == (saved.config, saved.directions, saved.card)
    assert loaded.model.vocabulary == saved.model.vocabulary
    assert (loaded.tokenizer.tags, loaded.tokenizer.joint) == (tokenizer.tags, tokenizer.joint)
    save_model(tmp_path / "again", loaded)
    assert contents(tmp_path / "again") == contents(tmp_path / "model")


@pytest.mark.parametrize(
    "values",
    [
        {"source_positions": "sinusoidal", "target_positions": "rotary"},
        {"source_positions": "none", "target_positions": "sinusoidal-halves", "norm": "rms"},
        {"norm_order": "post", "activation": "swiglu"},
    ],
    ids=str,
)
def test_any_network_can_be_saved(tmp_path: Path, joint: Tokenizer, values: dict[str, Any]) -> None:
    saved = model_of(joint, **values)
    save_model(tmp_path / "model", saved)
    assert torch.equal(logits(load_model(tmp_path / "model")), logits(saved))


def test_a_folder_holds_what_it_says_and_no_pickle(folder: Path) -> None:
    assert sorted(contents(folder)) == ["card.json", "config.json", "tokenizer.model", "weights.safetensors"]
    assert [path.name for path in folder.parent.iterdir()] == ["a"]
    description, card = read_folder(folder)
    assert description["format"] == FORMAT
    assert card["이름"] == "시험"
    assert "시험" in (folder / "card.json").read_text("utf-8")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_who_may_read_one_file_may_read_all(folder: Path) -> None:
    assert len({path.stat().st_mode for path in folder.iterdir()}) == 1
    assert folder.stat().st_mode & 0o755 == 0o755


def test_lengths_seen_in_training_are_within_the_networks_own(joint: Tokenizer) -> None:
    saved = model_of(joint)
    assert saved.trained_lengths == (30, 40)
    assert replace(saved, card={}).trained_lengths == (40, 40)
    assert replace(saved, card={"trained_lengths": {"source": 0, "target": 7}}).trained_lengths == (40, 7)


def test_saving_again_replaces_the_model_and_nothing_else(
    folder: Path, joint: Tokenizer, separate: Tokenizer
) -> None:
    (folder / "training").mkdir()
    (folder / "training" / "log.jsonl").write_text("{}\n")
    (folder / "scores.json").write_text("{}\n")
    for tokenizer, names in ((separate, {"source.model", "target.model"}), (joint, {"tokenizer.model"})):
        saved = model_of(tokenizer, seed=5)
        save_model(folder, saved)
        loaded = load_model(folder)
        assert torch.equal(logits(loaded), logits(saved))
        assert loaded.tokenizer.joint == tokenizer.joint
        others = {"config.json", "card.json", "weights.safetensors", "training/log.jsonl", "scores.json"}
        assert set(contents(folder)) == others | names
        assert [path.name for path in folder.parent.iterdir()] == ["a"]


def full_disk(*arguments: Any, **values: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("exists", [True, False])
def test_a_full_disk_leaves_what_was_there(
    folder: Path, joint: Tokenizer, monkeypatch: pytest.MonkeyPatch, exists: bool
) -> None:
    before = contents(folder.parent)
    monkeypatch.setattr(onmal.saved_model, "save_file", full_disk)
    place = folder if exists else folder.parent / "b"
    with pytest.raises(ModelFolderError) as caught:
        save_model(place, model_of(joint, seed=1))
    expected = (
        f"{place}: cannot be written (No space left on device); free some space or choose another place"
    )
    assert str(caught.value) == expected
    assert contents(folder.parent) == before
    assert [path.name for path in folder.parent.iterdir()] == ["a"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.EACCES, "Permission denied")], ids=repr)
@pytest.mark.parametrize("number", range(8))
def test_a_save_that_ends_anywhere_leaves_the_old_model(
    folder: Path, separate: Tokenizer, monkeypatch: pytest.MonkeyPatch, number: int, error: BaseException
) -> None:
    before = contents(folder.parent)
    real, calls = os.replace, []

    def replace_until(source: Path, goal: Path) -> None:
        calls.append(source)
        if len(calls) == number + 1:
            raise error
        real(source, goal)

    monkeypatch.setattr(os, "replace", replace_until)
    with pytest.raises((KeyboardInterrupt, ModelFolderError)):
        save_model(folder, model_of(separate, seed=1))
    assert contents(folder.parent) == before
    assert [path.name for path in folder.parent.iterdir()] == ["a"]
    load_model(folder)


def test_what_a_power_cut_leaves_is_never_a_mixture(
    folder: Path, separate: Tokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = load_model(folder), model_of(separate, seed=1)
    real, states = os.replace, []

    def replace_and_look(source: Path, goal: Path) -> None:
        real(source, goal)
        states.append(shutil.copytree(folder, tmp_path / f"after-{len(states)}"))

    monkeypatch.setattr(os, "replace", replace_and_look)
    save_model(folder, new)
    assert len(states) == 4 + 5
    for state in states[:-1]:
        with pytest.raises(ModelFolderError, match=r"it has no config\.json"):
            load_model(state)
    assert torch.equal(logits(load_model(states[-1])), logits(new))
    assert not torch.equal(logits(old), logits(new))


def test_an_interrupted_save_leaves_nothing(
    tmp_path: Path, joint: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*arguments: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(onmal.saved_model, "save_file", interrupt)
    with pytest.raises(KeyboardInterrupt):
        save_model(tmp_path / "model", model_of(joint))
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_is_told(tmp_path: Path, joint: Tokenizer) -> None:
    (tmp_path / "file").write_text("mine")
    for place in (tmp_path / "file", tmp_path / "file" / "model"):
        with pytest.raises(ModelFolderError) as caught:
            save_model(place, model_of(joint))
        assert str(caught.value).startswith(f"{place}: cannot be written (")
    assert contents(tmp_path) == {"file": b"mine"}


def edited(**changes: Any) -> Callable[[Path], None]:
    """Changes config.json; None takes a key away."""

    def edit(folder: Path) -> None:
        values = json.loads((folder / "config.json").read_text("utf-8"))
        for key, value in changes.items():
            *sections, last = key.split("__")
            place = values
            for section in sections:
                place = place[section]
            if value is None:
                del place[last]
            else:
                place[last] = value
        (folder / "config.json").write_text(json.dumps(values), "utf-8")

    return edit


def written(name: str, content: bytes) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return write


def cut(name: str, at: int) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:at])


def gone(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def weights(change: Callable[[dict[str, torch.Tensor]], object]) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        tensors = load_file(folder / "weights.safetensors")
        change(tensors)
        save_file(tensors, folder / "weights.safetensors")

    return edit


def foreign_tokenizer(folder: Path) -> None:
    tokenizer_of(both_directions=True, vocabulary_size=318).save(folder)


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "no folder": (shutil.rmtree, ": there is no such model folder; check the path"),
    "empty folder": (lambda f: [path.unlink() for path in f.iterdir()], ": is not an onmal model folder (it has no config"),
    "no config": (gone("config.json"), ": is not an onmal model folder (it has no config.json)"),
    "broken JSON": (written("config.json", b'{"format": 1,'), "/config.json: is not valid JSON ("),
    "deep JSON": (written("config.json", b"[" * 100_000), "/config.json: is not valid JSON ("),
    "no UTF-8": (written("config.json", b"\xff\xfe{\x00"), "/config.json: is not valid JSON ("),
    "empty config": (written("config.json", b""), "/config.json: is not valid JSON ("),
    "JSON of a list": (written("config.json", b"[]"), "/config.json: is not a JSON object"),
    "somebody else's": (written("config.json", b'{"model_type": "marian"}'), "/config.json: is not an onmal model desc"),
    "newer": (edited(format=FORMAT + 1), f": has format {FORMAT + 1}, newer than this onmal's {FORMAT}; upgrade"),
    "no network": (edited(model=None), "/config.json: is not an onmal model description"),
    "unknown setting": (edited(model__d_modle=8), "/config.json: is damaged: unknown setting 'model.d_modle'"),
    "wrong setting": (edited(model__d_model="x"), "/config.json: is damaged: setting 'model.d_model' cannot be 'x'"),
    "endless width": (edited(model__d_model=2**40), "/config.json: its network does not fit into memory ("),
    "endless layers": (edited(model__encoder_layers=10**9), "/config.json: is damaged: setting 'model.encoder_layers'"),
    "no settings": (edited(model=[]), "/config.json: is damaged: "),
    "no size": (edited(vocabulary__source_size=None), "/config.json: is damaged: setting 'vocabulary.source_size'"),
    "two sizes": (edited(vocabulary__source_size=9, model__tie="all"), "/config.json: is damaged: model.tie = 'all'"),
    "no direction": (edited(directions=[]), "/config.json: is damaged: it names no direction"),
    "half a direction": (edited(directions=[["ko"]]), "/config.json: is damaged: "),
    "no language": (edited(directions=[["ko", "qq"]]), "/config.json: is damaged: 'qq' is not a language code"),
    "numbers": (edited(directions=[[1, 2]]), "/config.json: is damaged: "),
    "tags": (edited(tags=7), "/config.json: is damaged: "),
    "unknown tag": (edited(tags=["<2de>"]), ": its tokenizer has no tag <2de>"),
    "card's search": (
        written("card.json", b'{"run": {"search": {"beam_size": 0}}}'),
        "/card.json: is damaged: setting 'search.beam_size' cannot be 0",
    ),
    "card's run": (written("card.json", b'{"run": 3}'), "/card.json: is damaged: "),
    "card's lengths": (written("card.json", b'{"trained_lengths": []}'), "/card.json: is damaged: "),
    "broken card": (written("card.json", b"{"), "/card.json: is not valid JSON ("),
    "no tokenizer": (gone("tokenizer.model"), "/tokenizer.model: cannot be read (No such file or directory)"),
    "cut tokenizer": (cut("tokenizer.model", 999), "/tokenizer.model: is not a SentencePiece model"),
    "empty tokenizer": (cut("tokenizer.model", 0), "/tokenizer.model: is not a SentencePiece model"),
    "foreign tokenizer": (foreign_tokenizer, ": its tokenizer has source_size=318 "),
    "no weights": (gone("weights.safetensors"), "/weights.safetensors: cannot be read, it is missing or damaged ("),
    "cut weights": (cut("weights.safetensors", -9), "/weights.safetensors: cannot be read, it is missing or damaged"),
    "no weights in it": (cut("weights.safetensors", 0), "/weights.safetensors: cannot be read, it is missing or"),
    "pickled weights": (written("weights.safetensors", b"\x80\x04K\x01."), "/weights.safetensors: cannot be read"),
    "missing tensor": (
        weights(lambda tensors: tensors.pop("source.words.weight")),
        "/weights.safetensors: does not fit config.json: source.words.weight is missing; copy both again",
    ),
    "unknown tensor": (
        weights(lambda tensors: tensors.update(surplus=torch.zeros(1))),
        "/weights.safetensors: does not fit config.json: surplus is unknown; copy both again",
    ),
    "wrong shape": (
        weights(lambda tensors: tensors.update({"source.words.weight": torch.zeros(320, 6)})),
        "/weights.safetensors: does not fit config.json: source.words.weight has shape [320, 6] instead of [320, 8]",
    ),
    "another network": (edited(model__encoder_layers=3), "/weights.safetensors: does not fit config.json: "),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_told_in_one_line(folder: Path, damage: str) -> None:
    harm, expected = DAMAGE[damage]
    harm(folder)
    with pytest.raises(ModelFolderError) as caught:
        load_model(folder)
    assert str(caught.value).startswith(f"{folder}{expected}")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < len(str(folder)) + 400
    assert caught.value.remedy


@pytest.mark.parametrize("name", ["file", "x" * 5000, "안녕하세요. " * 300])
def test_what_is_no_folder_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("text")
    with pytest.raises(ModelFolderError, match=r"is not an onmal model folder|there is no such model folder"):
        load_model(tmp_path / name)


def test_a_model_without_a_card_works(folder: Path) -> None:
    (folder / "card.json").unlink()
    loaded = load_model(folder)
    assert loaded.card == {}
    assert loaded.trained_lengths == (40, 40)


def test_languages_are_read_in_their_one_spelling(folder: Path) -> None:
    edited(directions=[["KOR", "eng"]])(folder)
    assert load_model(folder).directions == (("ko", "en"),)


def test_nothing_but_sizes_and_ids_of_the_vocabulary_is_written(folder: Path, joint: Tokenizer) -> None:
    assert Vocabulary(**read_folder(folder)[0]["vocabulary"]) == joint.vocabulary
