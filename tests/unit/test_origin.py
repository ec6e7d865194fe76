"""What a run begins with: a trained model keeps its tokenizer, its languages and its sizes, or is refused in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_model import save_tiny_model, sentence_pairs

from onmal.config import DataConfig, RunConfig
from onmal.data.prepare import learn_tokenizer
from onmal.errors import ConfigError, LanguageError, ModelFolderError, OnmalError
from onmal.models import build
from onmal.origin import Origin, TrainedModel, origin_of
from onmal.saved_model import SavedModel, load_model, save_model

LANGUAGES = {"source_language": "ko", "target_language": "en"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_model(tmp_path_factory.mktemp("models") / "ko-en")


def settings(
    folder: Path, *, model: dict[str, Any] | None = None, data: dict[str, Any] | None = None, **train: Any
) -> RunConfig:
    own = json.loads((folder / "config.json").read_text("utf-8"))["model"]
    return RunConfig.from_dict(
        {
            "model": {**own, **(model or {})},
            "data": {**LANGUAGES, "max_length": 48, **(data or {})},
            "train": {"max_updates": 1, "start": str(folder), **train},
        }
    )


def test_a_run_from_nothing_has_no_tokenizer_yet() -> None:
    config = RunConfig.from_dict(
        {"data": {**LANGUAGES, "both_directions": True}, "train": {"max_updates": 1}}
    )
    origin = origin_of(config)
    assert type(origin) is Origin
    assert (origin.tokenizer, origin.tags) == (None, ("<2ko>", "<2en>"))
    assert origin.directions == (("ko", "en"), ("en", "ko"))


@pytest.mark.parametrize("lora", [0, 4])
def test_a_network_begins_with_the_weights_of_its_model(lora: int, folder: Path) -> None:
    saved = load_model(folder)
    origin = origin_of(settings(folder, lora=lora))
    assert origin.tokenizer is not None
    assert origin.tokenizer.source.serialized == saved.tokenizer.source.serialized
    model = origin.network(origin.tokenizer.vocabulary)
    source, target = torch.tensor([[7, 8, 2]]), torch.tensor([[1, 9, 6]])
    assert torch.equal(model.eval()(source, target), saved.model(source, target))
    told = origin.facts(model)
    assert told["goes on from"] == str(folder)
    assert 0 < told["trained parameters"] <= sum(weight.numel() for weight in saved.model.parameters())
    whole = dict(origin.whole(model).named_parameters())
    assert whole.keys() == dict(saved.model.named_parameters()).keys()


@pytest.mark.parametrize(("depth", "kept"), [(1, [0]), (2, [0, 3]), (3, [0, 2, 3]), (4, [0, 1, 2, 3])])
def test_a_network_with_fewer_layers_has_the_first_the_last_and_those_between(
    depth: int, kept: list[int], tmp_path: Path
) -> None:
    deep = save_tiny_model(tmp_path / "deep", encoder_layers=4, decoder_layers=4)
    origin = origin_of(settings(deep, model={"decoder_layers": depth}))
    weights = origin.network(load_model(deep).model.vocabulary).state_dict()
    before = load_model(deep).model.state_dict()
    places = {f"decoder.layers.{new}.": f"decoder.layers.{old}." for new, old in enumerate(kept)}
    for name, weight in weights.items():
        place = next((place for place in places if name.startswith(place)), "")
        assert torch.equal(weight, before[places.get(place, "") + name.removeprefix(place)])
    assert {name for name in before if "decoder.layers" not in name} <= weights.keys()
    assert {name.split(".")[2] for name in weights if "decoder.layers" in name} == {*map(str, range(depth))}


def test_a_network_with_fewer_layers_knows_the_direction_that_it_is_taught(tmp_path: Path) -> None:
    deep = save_tiny_model(tmp_path / "deep", both_directions=True, decoder_layers=2)
    assert origin_of(settings(deep)).directions == (("ko", "en"), ("en", "ko"))
    assert origin_of(settings(deep, model={"decoder_layers": 1})).directions == (("ko", "en"),)


OTHER_WAY = {"source_language": "en", "target_language": "ko"}


def test_a_model_of_the_other_direction_is_a_beginning(folder: Path) -> None:
    """Its words and weights, and what it has seen on the other side; it will know the direction that it is taught."""
    origin = origin_of(settings(folder, data=OTHER_WAY))
    assert isinstance(origin, TrainedModel)
    assert origin.directions == (("en", "ko"),)
    assert origin.tags == ()
    model = origin.network(origin.saved.tokenizer.vocabulary)
    weights = origin.saved.model.state_dict()
    assert all(torch.equal(weight, weights[name]) for name, weight in model.state_dict().items())
    origin.saved.card["trained_lengths"] = {"source": 20, "target": 8}
    card = origin.card({"trained_lengths": {"source": 12, "target": 10}})
    assert card["trained_lengths"] == {"source": 12, "target": 20}


@pytest.mark.parametrize("apart", ["tables", "tokenizers"])
def test_what_is_not_shared_has_no_other_direction(apart: str, tmp_path: Path) -> None:
    folder = save_tiny_model(tmp_path / "apart", tie="output" if apart == "tables" else "all")
    if apart == "tokenizers":  # of one table, as Marian's are
        for side in ("source", "target"):
            (folder / f"{side}.model").write_bytes((folder / "tokenizer.model").read_bytes())
    with pytest.raises(LanguageError, match="does not translate from en to ko"):
        origin_of(settings(folder, data=OTHER_WAY))


def test_dropout_may_be_another(folder: Path) -> None:
    origin = origin_of(settings(folder, model={"dropout": 0.3, "attention_dropout": 0.1}))
    model = origin.network(load_model(folder).model.vocabulary)
    assert model.get_submodule("source.dropout").p == 0.3


def test_directions_are_all_that_the_model_had(tmp_path: Path) -> None:
    both = save_tiny_model(tmp_path / "both", both_directions=True)
    origin = origin_of(settings(both))
    assert origin.directions == (("ko", "en"), ("en", "ko"))
    assert origin.tags == ("<2ko>", "<2en>")


def test_the_longest_sentences_are_those_of_old_and_new_text(folder: Path) -> None:
    origin = origin_of(settings(folder))
    assert isinstance(origin, TrainedModel)
    origin.saved.card["trained_lengths"] = {"source": 20, "target": 8}
    card = origin.card({"trained_lengths": {"source": 12, "target": 30}, "updates": 3})
    assert card["trained_lengths"] == {"source": 20, "target": 30}
    assert card["updates"] == 3
    assert card["started_from"]["folder"] == str(folder)
    assert len(card["started_from"]["weights_sha256"]) == 64


@pytest.mark.parametrize(
    ("changes", "kind", "line"),
    [
        ({"model": {"norm_order": "post"}}, ConfigError, "model.norm_order = 'post', but .* has 'pre'; leave it away"),
        ({"model": {"decoder_layers": 3}}, ConfigError, "model.decoder_layers = 3, but .* has 1; leave it away"),
        ({"model": {"d_model": 32}}, ConfigError, "model.d_model = 32, but .* has 16; leave it away"),
        ({"data": {"target_language": "de"}}, LanguageError, "does not translate from ko to de; its directions are ko-en"),
        ({"data": {"both_directions": True}}, LanguageError, "does not translate from en to ko"),
        ({"data": OTHER_WAY, "distillation": 0.5}, ConfigError, "translates the other way round; set train.distillation = 0"),
        ({"data": {"mix": [{"train": ["a.ko", "a.en"], "tag": "back"}]}}, ConfigError, "has no tag 'back', which data.mix gives"),
        ({"start": "nowhere"}, ModelFolderError, "nowhere: there is no such model folder"),
    ],
    ids=["order", "deeper", "size", "language", "direction", "distillation", "tag", "folder"],
)  # fmt: skip
def test_what_does_not_fit_the_model_is_refused(
    changes: dict[str, Any], kind: type[OnmalError], line: str, folder: Path
) -> None:
    with pytest.raises(kind, match=line) as caught:
        origin_of(settings(folder, **changes))
    assert "\n" not in str(caught.value)


def test_merges_of_an_imported_tokenizer_are_not_sampled(folder: Path, tmp_path: Path) -> None:
    saved = load_model(folder)
    data = DataConfig(**LANGUAGES, tokenizer="bpe", vocabulary_size=400)
    subwords = learn_tokenizer(sentence_pairs(), data)
    model = build(saved.config, subwords.vocabulary)
    for card, sampled in (({}, True), ({"imported": {"from": "elsewhere"}}, False)):
        save_model(tmp_path / "bpe", SavedModel(model, subwords, saved.config, saved.directions, card))
        config = settings(tmp_path / "bpe", data={"subword_sampling": 0.1})
        if sampled:
            origin_of(config)
        else:
            with pytest.raises(ConfigError, match=r"set data\.subword_sampling = 0"):
                origin_of(config)


def test_distillation_needs_the_model_that_a_run_goes_on_from(folder: Path) -> None:
    """A student's recipe can be read without one; a run by it cannot begin."""
    config = settings(folder)
    config = config.replace(train=config.train.replace(distillation=0.5))
    assert origin_of(config).teacher() is not None
    with pytest.raises(
        ConfigError, match=r"give --teacher MODEL --from-teacher, or name its folder as train\.start"
    ):
        origin_of(config.replace(train=config.train.replace(start="")))
