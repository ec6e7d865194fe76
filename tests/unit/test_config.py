"""config: each mistake is one line with option, value and remedy; what is written as TOML reads back the same."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, get_args

import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onmal.config import (
    OPTIONS,
    SECTIONS,
    SIZES,
    DataConfig,
    ModelConfig,
    RunConfig,
    SearchConfig,
    Size,
    TrainConfig,
    Vocabulary,
)
from onmal.errors import ConfigError
from onmal.settings import Settings, apply_overrides, read_toml

RECIPES = sorted((Path(__file__).resolve().parents[2] / "recipes").glob("*.toml"))
ENDS: dict[str, Any] = {"train": {"minutes": 1}}
PYDANTIC = re.compile(
    r"pydantic|Input should|valid (integer|number|string|list)|Value error|type=|validation", re.I
)


def message(values: dict[str, Any]) -> str:
    """What a person reads when a run is described so."""
    with pytest.raises(ConfigError) as caught:
        RunConfig.from_dict({**ENDS, **values})
    text = str(caught.value)
    assert "\n" not in text
    assert not PYDANTIC.search(text), text
    assert caught.value.remedy
    return text


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_can_be_read(path: Path) -> None:
    run = RunConfig.from_toml(path)
    assert run.name == path.stem
    assert run.data.source_language
    assert run.data.target_language
    assert RunConfig.from_dict(read_toml(path)) == run


def test_there_are_recipes() -> None:
    assert RECIPES


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"model": {"d_modle": 8}}, "unknown setting 'model.d_modle'; did you mean 'd_model'?"),
        ({"data": {"tokeniser": "bpe"}}, "unknown setting 'data.tokeniser'; did you mean 'tokenizer'?"),
        ({"train": {"warm_up": 9}}, "unknown setting 'train.warm_up'; did you mean 'warmup'?"),
        ({"search": {"beam": 9}}, "unknown setting 'search.beam'; did you mean 'beam_size'?"),
        ({"serach": {}}, "unknown setting 'serach'; did you mean 'search'?"),
        ({"sizes": "tiny"}, "unknown setting 'sizes'; did you mean 'size'?"),
        (
            {"search": {"self": 1}},
            "unknown setting 'search.self'; known: beam_size, patience, length_penalty, ",
        ),
        ({"zzz": 1}, "unknown setting 'zzz'; known: name, size, model, data, train, search"),
    ],
)
def test_an_unknown_setting_is_told_with_its_nearest_name(values: dict[str, Any], expected: str) -> None:
    assert message(values).startswith(expected)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"model": {"d_model": "wide"}}, "setting 'model.d_model' cannot be 'wide'; give a whole number"),
        ({"model": {"d_model": "64"}}, "setting 'model.d_model' cannot be '64'; give a whole number"),
        ({"model": {"d_model": True}}, "setting 'model.d_model' cannot be True; give a whole number"),
        ({"model": {"d_model": 6.4}}, "setting 'model.d_model' cannot be 6.4; give a whole number"),
        ({"model": {"d_model": 0}}, "setting 'model.d_model' cannot be 0; give more than 0"),
        ({"model": {"dropout": 1}}, "setting 'model.dropout' cannot be 1; give less than 1.0"),
        ({"model": {"dropout": "a\nb"}}, "setting 'model.dropout' cannot be 'a\\nb'; give a number"),
        ({"model": {"output_bias": "yes"}}, "setting 'model.output_bias' cannot be 'yes'; give true or false"),
        ({"model": {"norm": "batch"}}, "setting 'model.norm' cannot be 'batch'; choose 'layer' or 'rms'"),
        ({"data": {"train": "a.ko"}}, "setting 'data.train' cannot be 'a.ko'; give a list, such as"),
        ({"data": {"train": ["a.ko", 3]}}, "setting 'data.train' cannot be 3; give text, in quotes"),
        ({"data": {"max_length": 1}}, "setting 'data.max_length' cannot be 1; give more than 1"),
        ({"search": {"beam_size": 999}}, "setting 'search.beam_size' cannot be 999; give at most 256"),
        ({"search": {"length_penalty": float("inf")}}, "setting 'search.length_penalty' cannot be inf; give a finite"),
        ({"train": {"minutes": 1, "seed": -1}}, "setting 'train.seed' cannot be -1; give at least 0"),
        ({"train": {"minutes": 1, "seed": 2**64}}, "setting 'train.seed' cannot be 18446744073709551616; give less"),
        ({"data": {"temperature": 0.5}}, "setting 'data.temperature' cannot be 0.5; give at least 1"),
        ({"data": {"mix": [{"train": ["a"], "weight": 0.0}]}}, "setting 'data.mix.weight' cannot be 0.0; give more than 0"),
        ({"data": {"mix": [{"train": ["a"], "wieght": 1.0}]}}, "unknown setting 'data.mix.wieght'; did you mean 'weight'?"),
        ({"data": {"mix": [{"weight": 1.0}]}}, "setting 'data.mix.train' is missing; give it"),
        ({"data": {"mix": ["a.tsv"]}}, "setting 'data.mix' cannot be 'a.tsv'; give a section"),
        ({"name": 5}, "setting 'name' cannot be 5; give text, in quotes"),
        ({"size": "huge"}, "size cannot be 'huge'; choose one of tiny, small, base, big"),
        ({"size": ["tiny"]}, "size cannot be ['tiny']; choose one of"),
        ({"model": 3}, "'model' should be a section, not 3; write [model] and its settings below"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_told_with_its_setting_and_a_remedy(values: dict[str, Any], expected: str) -> None:
    assert message(values).startswith(expected)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"model": {"d_model": 6}}, "[model]: d_model = 6 cannot be split evenly into num_heads = 4; make d_model a "),
        ({"model": {"d_model": 9, "num_heads": 3}}, "[model]: d_model = 9 is odd; make it even"),
        (
            {"model": {"network": "convolution", "target_positions": "rotary"}},
            "[model]: rotary positions turn queries and keys, which convolution does not have; choose others",
        ),
        (
            {"model": {"network": "convolution", "kernel_size": 4}},
            "[model]: kernel_size = 4 has no word in its middle; make it odd",
        ),
        (
            {"model": {"d_model": 12, "num_heads": 4, "source_positions": "rotary"}},
            "[model]: rotary positions turn pairs of components; make d_model / num_heads even",
        ),
        (
            {"train": {"max_epochs": 1, "optimizer": "muon", "sharded": True}},
            '[train]: muon needs whole matrices, and sharded shares them out; set optimizer = "adam"',
        ),
        ({"train": {}}, "[train]: the run would never end; give max_updates, max_epochs or minutes"),
        ({"search": {"n_best": 5}}, "[search]: n_best = 5 is more than beam_size = 4; raise beam_size"),
        (
            {"data": {"max_length": 300}, "model": {"max_target_length": 200}},
            "data.max_length = 300 is more than model.max_target_length = 200; make model.max_target_length as large",
        ),
        (
            {"data": {"train": ["a.tsv"], "mix": [{"train": ["b.tsv"]}]}},
            "[data]: train and mix both say what to train on; leave one of them away",
        ),
        (
            {"data": {"mix": [{"train": ["b.tsv"], "tag": "2ko"}]}},
            "[data.mix]: tag = '2ko' cannot be told from the tokenizer's own symbols; take a word",
        ),
        ({"data": {"mix": [{"train": ["-"]}]}}, "a text of data.mix cannot be standard input; make shards: onmal prepare"),
        ({"data": {"mix": [{"train": ["b.tsv"], "tag": "pad"}]}}, "[data.mix]: tag = 'pad' cannot be told"),
        (
            {"data": {"mix": [{"train": ["a"], "share": 0.5}, {"train": ["b"], "share": 0.5}]}},
            "[data]: the shares of mix leave nothing to a text without one; lower one, or leave it away",
        ),
        (
            {"train": {"max_updates": 1, "lora": 4}},
            "[train]: lora changes a model that is trained already; name its folder as train.start",
        ),
        (
            {"train": {"max_updates": 1, "lora": 4, "start": "a", "sharded": True}},
            "[train]: the updates of lora are small enough for each process; set sharded = false",
        ),
        (
            {"data": {"shards": "s"}, "train": {"max_updates": 1, "start": "a"}},
            "data.shards have a tokenizer of their own, and train.start has another; name the text as data.train",
        ),
        ({"data": {"mix": [{"train": ["b.tsv"], "tag": "<back>"}]}}, "[data.mix]: tag = '<back>' cannot be told"),
        (
            {"data": {"joint": False}, "train": {"max_updates": 1, "reversed_share": 0.3}},
            "train.reversed_share needs one vocabulary for both languages; set data.joint = true",
        ),
        (
            {"data": {"both_directions": True}, "train": {"max_updates": 1, "reversed_share": 0.3}},
            "data.both_directions has each pair the other way round already; leave train.reversed_share away",
        ),
        ({"data": {"train": ["\udce9.ko"]}}, "[data]: '\\udce9.ko' is not UTF-8 text; rename it"),
    ],
)  # fmt: skip
def test_settings_that_contradict_each_other_are_told(values: dict[str, Any], expected: str) -> None:
    assert message(values).startswith(expected)


WRONG = ["x", 1.5, -1, True, None, [1], {}, float("nan"), float("inf"), 10**30, "\ud800", b"x"]


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_no_word_of_pydantic_reaches_a_person(section: str, value: Any) -> None:
    errors: dict[str, ConfigError] = {}
    for name in SECTIONS[section].model_fields:
        try:
            SECTIONS[section](**{**ENDS.get(section, {}), name: value})
        except ConfigError as error:
            errors[name] = error
    assert errors
    for name, error in errors.items():
        assert name in str(error) or f"[{section}]" in str(error)
        assert not PYDANTIC.search(str(error)), error
        assert error.remedy


def test_vocabulary_names_its_settings_too() -> None:
    with pytest.raises(ConfigError, match=r"setting 'vocabulary.target_size' is missing; give it"):
        Vocabulary(source_size=3)


def test_a_network_refuses_the_options_of_others_with_their_names() -> None:
    for network, option, value, owners in (
        ("gru", "num_heads", 2, "transformer"),
        ("gru", "input_feeding", True, "gru-attention"),
        ("gru-attention", "source_positions", "learned", "transformer or convolution"),
        ("convolution", "attention", "dot", "gru-attention"),
        ("transformer", "hidden_size", 64, "gru or gru-attention or convolution"),
    ):
        told = message({"model": {"network": network, option: value}})
        assert told == (
            f"[model]: {option} is no option of network = {network!r}; leave it away, or take {owners}"
        )


def test_a_network_is_written_down_with_its_own_options_and_read_again() -> None:
    for network, own in OPTIONS.items():
        config = ModelConfig(network=network)
        assert own <= config.model_dump().keys()
        others = set().union(*OPTIONS.values()) - own
        assert others.isdisjoint(config.model_dump())
        run = RunConfig.from_dict({**ENDS, "size": "tiny", "model": {"network": network}})
        assert RunConfig.from_dict(tomllib.loads(run.to_toml())) == run
        assert run.model.d_model == SIZES["tiny"]["d_model"]


def test_a_network_is_written_as_it_was_before_there_were_others() -> None:
    """A conversion is kept under the hash of what is written, and so is an answer of the inspection."""
    assert list(ModelConfig().model_dump()) == [
        "network", "d_model", "num_heads", "feed_forward", "encoder_layers", "decoder_layers", "source_positions",
        "target_positions", "max_source_length", "max_target_length", "norm", "norm_order", "activation", "dropout",
        "attention_dropout", "feed_forward_dropout", "tie", "output_bias",
    ]  # fmt: skip


@pytest.mark.parametrize("size", get_args(Size))
def test_a_size_fills_in_what_the_model_leaves_open(size: str) -> None:
    run = RunConfig.from_dict({**ENDS, "size": size, "model": {"feed_forward": 48, "dropout": 0.3}})
    assert run.size == size
    assert run.model == ModelConfig(**{**SIZES[size], "feed_forward": 48, "dropout": 0.3})


def test_sizes_grow() -> None:
    assert list(SIZES) == list(get_args(Size))
    widths = [ModelConfig(**fields).d_model for fields in SIZES.values()]
    assert widths == sorted(set(widths))


def test_without_a_size_the_model_has_its_own_defaults() -> None:
    run = RunConfig.from_dict(ENDS)
    assert run.size is None
    assert (run.model, run.data, run.search) == (ModelConfig(), DataConfig(), SearchConfig())


TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
SHARE = st.floats(0, 1, exclude_max=True)
RUNS = st.fixed_dictionaries(
    {"train": st.fixed_dictionaries({"minutes": st.floats(0.001, 1e9), "seed": st.integers(0, 2**63 - 1)})},
    optional={
        "name": TEXT,
        "size": st.sampled_from(list(SIZES)),
        "model": st.fixed_dictionaries({}, optional={"dropout": SHARE, "output_bias": st.booleans()}),
        "data": st.fixed_dictionaries(
            {},
            optional={
                "source_language": TEXT,
                "train": st.lists(TEXT, max_size=3),
                "tokenizer": st.sampled_from(["unigram", "bpe"]),
                "subword_sampling": SHARE,
                "max_length": st.integers(2, 256),
            },
        ),
        "search": st.fixed_dictionaries({}, optional={"length_penalty": st.floats(0, 1e300)}),
    },
)


@given(RUNS)
def test_toml_reads_back_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any]
) -> None:
    run = RunConfig.from_dict(values)
    path = tmp_path_factory.mktemp("run") / "run.toml"
    path.write_text(run.to_toml(), "utf-8")
    assert RunConfig.from_toml(path) == run


def test_a_mix_reads_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text(
        "[train]\nminutes = 1\n[data]\ncorpus = 'koen'\ntemperature = 5.0\n[[data.mix]]\ncorpus = 'koen'\n"
        "train = ['train']\n[[data.mix]]\ntrain = ['a \"b\".ko', 'c.en']\nweight = 0.5\ntag = 'back'\n"
    )
    run = RunConfig.from_toml(path)
    assert run.data.train == []
    assert run.data.names == 'koen train + a "b".ko c.en'
    assert [(text.corpus, text.train) for text in run.data.texts] == [
        ("koen", ["train"]),
        ("", ['a "b".ko', "c.en"]),
    ]
    path.write_text(run.to_toml(), "utf-8")
    assert RunConfig.from_toml(path) == run == RunConfig.from_dict(run.model_dump())
    assert run.data.replace(temperature=1.0).mix == run.data.mix


def test_one_text_is_all_texts() -> None:
    data = DataConfig(train=["a.ko", "a.en"])
    assert (data.texts, data.names) == ([data], "a.ko a.en")


def shares(sizes: list[int], weights: list[float], temperature: float) -> list[int]:
    mix = [{"train": ["a.tsv"], "weight": weight} for weight in weights]
    return DataConfig(mix=mix, temperature=temperature).drawn(sizes)


TEXT_SIZES = st.lists(st.integers(1, 10**7), min_size=1, max_size=6)
WEIGHTS = st.floats(1e-3, 1e3)


@given(st.data(), TEXT_SIZES, st.floats(1, 100))
def test_shares_are_as_weight_size_and_temperature_say(
    data: st.DataObject, sizes: list[int], temperature: float
) -> None:
    weights = data.draw(st.lists(WEIGHTS, min_size=len(sizes), max_size=len(sizes)))
    counts = shares(sizes, weights, temperature)
    wanted = [(weight * size) ** (1 / temperature) for weight, size in zip(weights, sizes, strict=True)]
    assert sum(counts) == sum(sizes)
    for count, share in zip(counts, wanted, strict=True):
        assert abs(count - sum(sizes) * share / sum(wanted)) < 1.001


@given(TEXT_SIZES, WEIGHTS)
def test_equal_weights_leave_sizes_as_they_are(sizes: list[int], weight: float) -> None:
    assert shares(sizes, [weight] * len(sizes), 1.0) == sizes


def test_shares_by_hand() -> None:
    assert shares([300, 300], [1.0, 0.5], 1.0) == [400, 200]
    assert shares([100, 400], [1.0, 1.0], 2.0) == [167, 333]
    assert shares([10, 990], [1.0, 1.0], 1e300) == [500, 500]
    assert shares([10, 990], [1e300, 1e-300], 1.0) == [1000, 0]


def test_a_share_is_kept_whatever_the_sizes_are() -> None:
    mix = [{"train": ["a"]}, {"train": ["b"], "share": 0.2}, {"train": ["c"], "weight": 3.0}]
    assert DataConfig(mix=mix).drawn([100, 800, 100]) == [200, 200, 600]
    assert DataConfig(mix=mix, temperature=100.0).drawn([1, 998, 1]) == [398, 200, 402]
    assert DataConfig(mix=mix[:2]).drawn([990, 10]) == [800, 200]


def test_toml_spells_out_every_field() -> None:
    written = RunConfig.from_dict(ENDS).to_toml()
    for section, settings_ in SECTIONS.items():
        _, _, rest = written.partition(f"\n[{section}]\n")
        fields = [line.partition(" = ")[0] for line in rest.split("\n\n")[0].splitlines()]
        known = [f for f in settings_.model_fields if settings_ is not ModelConfig or ModelConfig().knows(f)]
        assert fields == known


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_bytes(b'\xef\xbb\xbfname = "\xeb\xa7\x90"\r\n[train]\r\nminutes = 2\r\n')
    run = RunConfig.from_toml(path)
    assert (run.name, run.train.minutes) == ("말", 2)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "cannot be read (No such file or directory); check the path"),
        (b"[model\nd_model = 8", "not valid TOML: "),
        (b"d_model = 8\nd_model = 9", "not valid TOML: "),
        ("name = '말'".encode("utf-16"), "not UTF-8 text; save it as UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None, expected: str) -> None:
    path = tmp_path / "run.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        RunConfig.from_toml(path)
    assert str(caught.value).startswith(f"{path}: {expected}")
    assert "\n" not in str(caught.value)


def test_overrides_are_read_as_toml_and_else_as_text(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text('name = "a"\n[train]\nminutes = 2\nwarmup = 7\n', "utf-8")
    overrides = [
        "size=tiny",
        "model.dropout = 0.25",
        "data.tokenizer=bpe",
        'data.source_language="ko"',
        'data.train=["a.ko", "a.en"]',
        "data.joint=false",
        "train.minutes=3",
        "train.minutes=4",
    ]
    run = RunConfig.from_toml(path, overrides)
    assert (run.size, run.model.d_model, run.model.dropout) == ("tiny", 128, 0.25)
    assert (run.data.tokenizer, run.data.source_language, run.data.joint) == ("bpe", "ko", False)
    assert run.data.train == ["a.ko", "a.en"]
    assert (run.train.minutes, run.train.warmup) == (4, 7)


def test_overrides_leave_what_they_are_given_alone() -> None:
    values = {"model": {"d_model": 64}}
    assert apply_overrides(values, ["model.d_model=32", "data.corpus=x"]) == {
        "model": {"d_model": 32},
        "data": {"corpus": "x"},
    }
    assert values == {"model": {"d_model": 64}}


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("model.d_model", "--set 'model.d_model' is not of the form section.key=value"),
        (".d_model=3", "--set '.d_model=3' is not of the form section.key=value"),
        ("=3", "--set '=3' is not of the form section.key=value"),
        ("model.d_model.x=3", "--set 'model.d_model.x=3': 'd_model' is not a section"),
        ("name.x=3", "--set 'name.x=3': 'name' is not a section"),
    ],
)
def test_an_override_that_is_none_is_told(override: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        apply_overrides({"name": "a", "model": {"d_model": 64}}, [override])
    assert str(caught.value).startswith(expected)
    assert caught.value.remedy


ALL: list[Settings] = [
    Vocabulary(source_size=3, target_size=3),
    ModelConfig(),
    DataConfig(),
    TrainConfig(minutes=1),
    SearchConfig(),
    RunConfig.from_dict(ENDS),
]


@pytest.mark.parametrize("config", ALL, ids=lambda config: type(config).__name__)
def test_frozen(config: Settings) -> None:
    for name in type(config).model_fields:
        with pytest.raises(pydantic.ValidationError, match="frozen"):
            setattr(config, name, getattr(config, name))


@pytest.mark.parametrize("config", ALL, ids=lambda config: type(config).__name__)
def test_every_setting_has_a_help_text_and_a_default_that_is_allowed(config: Settings) -> None:
    assert config.replace() == config
    if isinstance(config, tuple(SECTIONS.values())):
        assert all(field.description for field in type(config).model_fields.values())


def test_a_copy_is_checked_like_a_new_one() -> None:
    run = RunConfig.from_dict(ENDS)
    assert run.replace(model=run.model.replace(d_model=64)).model.d_model == 64
    assert run.model.d_model == 256
    with pytest.raises(ConfigError, match="cannot be split evenly"):
        run.model.replace(num_heads=3)
    with pytest.raises(ConfigError, match="did you mean 'num_heads'"):
        run.model.replace(num_haeds=2)


KEYS = st.sampled_from(
    [
        "name",
        "size",
        "model",
        *(f"{section}.{name}" for section in SECTIONS for name in SECTIONS[section].model_fields),
    ]
)


@settings(max_examples=300)
@given(st.lists(st.builds("{}={}".format, KEYS, st.text(max_size=12)), max_size=3))
def test_any_override_applies_or_is_one_line(overrides: list[str]) -> None:
    told = ""
    try:
        RunConfig.from_dict(apply_overrides(ENDS, overrides)).to_toml().encode()
    except ConfigError as error:
        told = str(error)
    assert "\n" not in told


@pytest.mark.parametrize(
    ("usual", "changes", "line"),
    [
        ({}, {"top_k": 3}, "top_k says how words are drawn, and none are; ask for sample = true, too"),
        ({}, {"seed": 1}, "seed says how words are drawn, and none are; ask for sample = true, too"),
        ({"sample": True}, {"sample": False, "temperature": 0.5}, "temperature says how words are drawn"),
        (
            {},
            {"sample": True, "diversity": 1.0},
            "what is drawn differs anyway; leave sample or diversity away",
        ),
    ],
)
def test_what_is_asked_for_without_effect_is_refused(
    usual: dict[str, Any], changes: dict[str, Any], line: str
) -> None:
    with pytest.raises(ConfigError, match=line):
        SearchConfig(**usual).asked(**changes)


def test_what_the_recipe_says_is_no_reason_to_refuse() -> None:
    drawn = SearchConfig(sample=True, temperature=0.5, seed=3)
    assert drawn.asked(sample=False, temperature=1.0) == drawn.replace(sample=False, temperature=1.0)
    assert drawn.asked(sample=False).sample is False
    assert SearchConfig(diversity=1.0).asked(sample=True).diversity == 0.0
    assert SearchConfig().asked(beam_size=2, seed=0) == SearchConfig(beam_size=2)
