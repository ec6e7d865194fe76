"""MarianMT: what is imported says what transformers says, whatever its shape, and goes back as it came."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

from onmal.cli import app
from onmal.config import SearchConfig
from onmal.errors import ConfigError, LanguageError, ModelFolderError
from onmal.interop.marian import read_marian, write_marian
from onmal.interop.marian_tokenizer import tag_names
from onmal.interop.new_folder import new_folder
from onmal.models import build
from onmal.saved_model import SavedModel, load_model, save_model
from onmal.translating.torch_engine import TorchEngine
from onmal.translating.translator import load

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "benchmarks"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from marian_checkpoint import save_marian, sentences
from random_model import random_model, tokenizer
from tiny_model import save_tiny_model

transformers = pytest.importorskip("transformers", reason="needs transformers, from the extra interop")
pytest.importorskip("google.protobuf", reason="needs protobuf, from the extra interop")

SHAPES: dict[str, dict[str, Any]] = {
    "one-vocabulary": {},
    "two-vocabularies": {"separate": True},
    "one-vocabulary-two-tables": {"share_encoder_decoder_embeddings": False},
    "output-of-its-own": {"separate": True, "tie_word_embeddings": False},
    "6+6": {"encoder_layers": 6, "decoder_layers": 6, "activation_function": "relu"},
    "6+2": {"encoder_layers": 6, "decoder_layers": 2, "activation_function": "gelu"},
    "bpe": {"kind": "bpe"},
    "holes-in-the-vocabulary": {"without": ("z", "▁s", "y")},
    "positions-of-its-own": {"positions": True},
    "sixteen-bits": {"half": True},
}
TEXTS = [*sentences("source", 30), "A  b\tc ", "Ａｂｃ ½", "", "é 한국 a 한국", "AB. ab! (b)"]


@cache
def checkpoint(shape: str) -> Path:
    return save_marian(Path(mkdtemp(prefix="onmal-marian-")) / "opus-mt-en-de", **SHAPES[shape])


@pytest.fixture(scope="module", autouse=True)
def _leave_nothing() -> Any:
    yield
    for shape in SHAPES:
        shutil.rmtree(checkpoint(shape).parent, ignore_errors=True)
    checkpoint.cache_clear()


@cache
def theirs(folder: Path) -> tuple[Any, Any]:
    model = transformers.MarianMTModel.from_pretrained(folder, dtype=torch.float32).eval()
    return model, transformers.MarianTokenizer.from_pretrained(folder)


def generated(folder: Path, beams: int) -> list[list[int]]:
    """What transformers makes of the texts: tokens up to the end, without start."""
    model, subwords = theirs(folder)
    batch = subwords(TEXTS, return_tensors="pt", padding=True)
    with torch.inference_mode():
        rows = model.generate(**batch, num_beams=beams, max_length=60, forced_eos_token_id=None).tolist()
    return [row[1 : row.index(0, 1)] if 0 in row[1:] else row[1:] for row in rows]


def searched(saved: SavedModel, beams: int) -> list[tuple[int, ...]]:
    patience = 99  # transformers goes on until nothing can be better
    search = SearchConfig(beam_size=beams, patience=patience, max_length_ratio=0.001, max_length_extra=59)
    rows = [saved.tokenizer.encode_source(text) for text in TEXTS]
    return [best.tokens for best, *_ in TorchEngine(saved.model).translate(rows, search)]


def scores(folder: Path, found: list[Any]) -> list[float]:
    """The mean log-probability of each translation of the texts, its end included, as transformers' network has it."""
    model, subwords = theirs(folder)
    means = []
    for text, tokens in zip(TEXTS, found, strict=True):
        said = torch.tensor([[*tokens, 0]])
        with torch.inference_mode():
            logits = model(**subwords([text], return_tensors="pt"), labels=said).logits.log_softmax(-1)
        means.append(float(logits[0].gather(1, said.T).mean()))
    return means


@pytest.mark.parametrize("shape", SHAPES)
def test_the_network_says_the_same(shape: str) -> None:
    model, subwords = theirs(checkpoint(shape))
    saved = read_marian(checkpoint(shape))
    batch = subwords(TEXTS, return_tensors="pt", padding=True)
    target = torch.randint(2, 60, (len(TEXTS), 50), generator=torch.Generator().manual_seed(0))
    target[:, 0] = saved.model.vocabulary.start
    with torch.inference_mode():
        expected = model(**batch, decoder_input_ids=target).logits
        assert (saved.model(batch["input_ids"], target) - expected).abs().max() <= 1e-5
    assert saved.directions == (("en", "de"),)


@pytest.mark.parametrize("shape", SHAPES)
def test_greedy_translations_are_the_same(shape: str) -> None:
    expected, found = generated(checkpoint(shape), 1), searched(read_marian(checkpoint(shape)), 1)
    assert [list(tokens) for tokens in found] == expected
    assert len(set(map(tuple, expected))) > 5  # or a wrong order would not be seen


@pytest.mark.parametrize("shape", ["one-vocabulary", "two-vocabularies", "output-of-its-own", "bpe"])
def test_the_best_of_a_beam_is_as_good(shape: str) -> None:
    folder = checkpoint(shape)
    theirs = generated(folder, 5)
    ended = [len(tokens) < 59 for tokens in theirs]  # the others were cut off, and compared with what ended
    expected, found = scores(folder, theirs), scores(folder, searched(read_marian(folder), 5))
    compared = [found[i] - expected[i] for i, whole in enumerate(ended) if whole]
    assert all(more >= -1e-4 for more in compared)
    assert len(compared) > 5


@pytest.mark.parametrize("shape", SHAPES)
def test_text_is_cut_and_joined_as_there(shape: str) -> None:
    _, subwords = theirs(checkpoint(shape))
    saved = read_marian(checkpoint(shape))
    ids = [saved.tokenizer.encode_source(text) for text in TEXTS]
    assert ids == subwords(TEXTS)["input_ids"]
    said = sentences("target", 30)
    with_end = [saved.tokenizer.encode_target(text) for text in said]
    if shape != "holes-in-the-vocabulary":
        assert with_end == subwords(text_target=said)["input_ids"]
        assert [saved.tokenizer.target.decode(row) for row in with_end] == said
    joined = subwords.batch_decode(with_end, skip_special_tokens=True)
    assert [saved.tokenizer.target.decode(row) for row in with_end] == joined


def test_a_piece_without_a_number_is_written_with_smaller_ones() -> None:
    _, subwords = theirs(checkpoint("one-vocabulary"))
    saved = read_marian(checkpoint("holes-in-the-vocabulary"))
    said = sentences("target", 30)
    lost = [saved.tokenizer.target.unknown in saved.tokenizer.encode_target(text) for text in said]
    assert [("z" in text or "y" in text) >= was_lost for text, was_lost in zip(said, lost, strict=True)]
    assert any(text.startswith("S") for text in said)
    assert subwords.unk_token_id == saved.tokenizer.target.unknown


def test_what_the_model_cannot_read_is_told(tmp_path: Path) -> None:
    save_model(tmp_path / "model", read_marian(checkpoint("one-vocabulary")))
    translator = load(tmp_path / "model")
    text = "Abc 한국 cd 漢 한국 e."
    source = translator.saved.tokenizer.source
    assert source.unread(text, source.encode(text)) == ["한국", "漢"]
    assert "unknown: the model cannot read 한국, 漢" in translator.translate(text).warnings
    assert not any("unknown" in warning for warning in translator.translate("Abc cd.").warnings)


def test_it_becomes_an_ordinary_folder(tmp_path: Path) -> None:
    folder = checkpoint("one-vocabulary")
    run = CliRunner().invoke(app, ["import", "hf", str(folder), str(tmp_path / "model")])
    assert run.exit_code == 0, run.output
    assert "en-de, 2 + 2 layers, from opus-mt-en-de" in run.output
    assert [list(tokens) for tokens in searched(load_model(tmp_path / "model"), 1)] == generated(folder, 1)
    assert load(tmp_path / "model").translate(TEXTS[0]).text


def test_a_folder_that_is_there_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    run = CliRunner().invoke(app, ["import", "hf", str(checkpoint("one-vocabulary")), str(tmp_path)])
    assert run.exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_model_of_several_languages_is_asked_with_tags(tmp_path: Path) -> None:
    tags = (">>fra<<", ">>cmn<<", ">>cmn_Hant<<", ">>xx_unheard_of<<")
    saved = read_marian(save_marian(tmp_path / "opus-mt-en-mul", tags=tags), name="opus-mt-en-mul")
    subwords = transformers.MarianTokenizer.from_pretrained(tmp_path / "opus-mt-en-mul")
    targets = ["fr", "zh", "zh-Hant", "x-xxunhear"]
    assert sorted(saved.directions) == sorted(("en", target) for target in targets)
    for target, tag in zip(targets, tags, strict=True):
        expected = subwords(f"{tag} {TEXTS[0]}")["input_ids"]
        assert saved.tokenizer.encode_source(TEXTS[0], target) == expected
    (only,) = read_marian(tmp_path / "opus-mt-en-mul", target=["fr"]).directions
    assert only == ("en", "fr")
    with pytest.raises(LanguageError, match="cannot translate to 'ko'; it knows: zh, fr"):
        read_marian(tmp_path / "opus-mt-en-mul", target=["ko"])


def test_of_two_names_of_a_language_the_shorter_is_taken() -> None:
    assert tag_names(["a", ">>zho<<", ">>zh<<", ">>a_b<<", ">>a b<<"]) == {
        "<2zh>": ">>zh<<",
        "<2x-ab>": ">>a_b<<",
    }


def test_languages_come_from_what_is_given_then_the_files_then_the_name(tmp_path: Path) -> None:
    folder = tmp_path / "opus-mt-tc-big-ko-ROMANCE"
    shutil.copytree(checkpoint("one-vocabulary"), folder)
    assert read_marian(folder).directions == (("en", "de"),)
    (folder / "tokenizer_config.json").unlink()
    assert read_marian(folder, target=["fr", "es"]).directions == (("ko", "fr"), ("ko", "es"))
    with pytest.raises(ConfigError, match="does not say its target language; give --to"):
        read_marian(folder)
    with pytest.raises(ConfigError, match="the same language"):
        read_marian(folder, target=["ko"])


EXPRESSIBLE: list[dict[str, Any]] = [
    {"source_positions": "sinusoidal-halves", "target_positions": "sinusoidal-halves"},
    {"activation": "gelu", "tie": "output", "max_source_length": 40, "max_target_length": 40},
    {"source_positions": "sinusoidal", "target_positions": "none", "activation": "swish"},
    {"tie": "none", "target_positions": "sinusoidal-halves"},
]


@pytest.mark.parametrize("shape", SHAPES)
def test_what_was_imported_goes_back_as_it_came(shape: str, tmp_path: Path) -> None:
    folder = checkpoint(shape)
    save_model(tmp_path / "model", read_marian(folder))
    run = CliRunner().invoke(app, ["export", "hf", str(tmp_path / "model"), str(tmp_path / "out")])
    assert run.exit_code == 0, run.output
    before, after = (load_file(each / "model.safetensors") for each in (folder, tmp_path / "out"))
    assert before.keys() == after.keys()
    assert all(torch.equal(after[name], weights.float()) for name, weights in before.items())
    model, subwords = theirs(tmp_path / "out")
    _, original = theirs(folder)
    batch = original(TEXTS, return_tensors="pt", padding=True)
    assert torch.equal(subwords(TEXTS, return_tensors="pt", padding=True)["input_ids"], batch["input_ids"])
    rows = [[*range(2, 60), 0]]
    if shape != "two-vocabularies":
        assert subwords.batch_decode(rows) == original.batch_decode(rows)
    with torch.inference_mode():
        target = torch.full((len(TEXTS), 1), model.config.decoder_start_token_id)
        logits = model(**batch, decoder_input_ids=target).logits
        assert torch.equal(logits, theirs(folder)[0](**batch, decoder_input_ids=target).logits)
    again = read_marian(tmp_path / "out", source=["en"], target=["de"])
    assert again.config == read_marian(folder).config


@pytest.mark.parametrize("kind", EXPRESSIBLE, ids=lambda kind: "-".join(map(str, kind.values())))
def test_a_model_of_our_own_says_the_same_in_transformers(kind: dict[str, Any], tmp_path: Path) -> None:
    saved = random_model(tokenizer(joint=kind.get("tie", "all") == "all"), norm_order="post", **kind)
    with new_folder(tmp_path / "out") as made:
        write_marian(saved, made)
    assert read_marian(tmp_path / "out").directions == saved.directions  # without being told
    model, subwords = theirs(tmp_path / "out")
    rows = [saved.tokenizer.encode_source(text) for text in ["abc defg", "jihg", "한 é", "a b"]]
    batch = subwords(["abc defg", "jihg", "한 é", "a b"], return_tensors="pt", padding=True)
    assert [row[: len(own)] for row, own in zip(batch["input_ids"].tolist(), rows, strict=True)] == rows
    target = torch.randint(4, 90, (4, 9), generator=torch.Generator().manual_seed(0))
    target[:, 0] = saved.model.vocabulary.start
    with torch.inference_mode():
        logits = model(**batch, decoder_input_ids=target).logits
        assert (saved.model(batch["input_ids"], target) - logits).abs().max() <= 1e-5
    found = TorchEngine(saved.model).translate(rows, SearchConfig(beam_size=1, max_length_extra=30))
    said = subwords.batch_decode(
        model.generate(**batch, num_beams=1, max_length=30), skip_special_tokens=True
    )
    assert said == [saved.tokenizer.target.decode(best.tokens).strip() for best, *_ in found]


def test_languages_keep_their_names_on_the_way_back(tmp_path: Path) -> None:
    tags = (">>fra<<", ">>cmn_Hant<<")
    save_marian(tmp_path / "in", tags=tags)
    save_model(tmp_path / "model", read_marian(tmp_path / "in"))
    with new_folder(tmp_path / "out") as made:
        write_marian(load_model(tmp_path / "model"), made)
    assert json.loads((tmp_path / "out" / "vocab.json").read_text("utf-8")) == json.loads(
        (tmp_path / "in" / "vocab.json").read_text("utf-8")
    )


def test_a_tag_of_our_own_is_one_of_marians(tmp_path: Path) -> None:
    saved = load_model(save_tiny_model(tmp_path / "model", both_directions=True))
    saved = replace(saved, config=saved.config.replace(norm_order="post"))
    saved = replace(saved, model=build(saved.config, saved.tokenizer.vocabulary))
    with new_folder(tmp_path / "out") as made:
        write_marian(saved, made)
    subwords = transformers.MarianTokenizer.from_pretrained(tmp_path / "out")
    ours = saved.tokenizer.encode_source("오늘", "en")
    assert subwords(">>en<< 오늘")["input_ids"] == ours
    model = transformers.MarianMTModel.from_pretrained(tmp_path / "out")
    assert not model.final_logits_bias.any()


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ({"norm_order": "pre"}, "MarianMT has no model.norm_order = 'pre'"),
        ({"norm": "rms"}, "model.norm = 'rms'"),
        ({"activation": "swiglu"}, "model.activation = 'swiglu'"),
        ({"source_positions": "rotary"}, "model.source_positions = 'rotary'"),
        ({"max_target_length": 40}, "model.max_target_length = 40"),
    ],
)
def test_what_marian_does_not_have_is_named(kind: dict[str, Any], told: str, tmp_path: Path) -> None:
    save_model(tmp_path / "model", random_model(tokenizer(joint=True), **{"norm_order": "post", **kind}))
    run = CliRunner().invoke(app, ["export", "hf", str(tmp_path / "model"), str(tmp_path / "out")])
    assert run.exit_code == 2
    assert told in run.output
    assert run.output.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


DAMAGE: dict[str, tuple[dict[str, Any], str]] = {
    "another-network": ({"model_type": "bart"}, "a model of the kind 'bart'; onmal reads MarianMT"),
    "heads": ({"decoder_attention_heads": 4}, "encoder_attention_heads = 2, decoder_attention_heads = 4"),
    "unscaled": ({"scale_embedding": False}, "scale_embedding = false"),
    "activation": ({"activation_function": "tanh"}, "activation_function = 'tanh'; onmal has relu"),
    "tie": ({"tie_word_embeddings": False}, "tie_word_embeddings = false; onmal has no such network"),
    "padding": ({"pad_token_id": 9}, "and not <pad> as number 9, which is config.json's pad_token_id"),
    "number": ({"eos_token_id": None}, "eos_token_id = None, which is no number from 0 to"),
    "words": (
        {"vocab_size": 170, "pad_token_id": 3, "decoder_start_token_id": 3},
        "instead of [170, 16]",
    ),
    "layers": ({"encoder_layers": 3}, "model.encoder.layers.2.self_attn.q_proj.weight is missing"),
    "fewer-layers": ({"encoder_layers": 1}, "model.encoder.layers.1.fc1.bias is unknown"),
    "width": ({"encoder_ffn_dim": 23, "decoder_ffn_dim": 23}, "has shape [24, 16] instead of [23, 16]"),
    "odd": ({"d_model": 15, "encoder_attention_heads": 3, "decoder_attention_heads": 3}, "is odd"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_cannot_be_read_is_told_in_a_line_and_nothing_is_written(damage: str, tmp_path: Path) -> None:
    changes, told = DAMAGE[damage]
    shutil.copytree(checkpoint("one-vocabulary"), tmp_path / "in")
    config = tmp_path / "in" / "config.json"
    values = {**json.loads(config.read_text("utf-8")), **changes}
    config.write_text(json.dumps(values), "utf-8")
    run = CliRunner().invoke(app, ["import", "hf", str(tmp_path / "in"), str(tmp_path / "out")])
    assert run.exit_code in (1, 2)
    assert told in run.output
    assert run.output.startswith("error: ")
    assert run.output.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize(
    ("missing", "told"),
    [
        ("model.safetensors", "has no model.safetensors; if you trust it, convert it"),
        ("vocab.json", "vocab.json: cannot be read (No such file or directory)"),
        ("source.spm", "source.spm: cannot be read"),
        ("config.json", "config.json: cannot be read"),
    ],
)
def test_a_file_that_is_missing_is_named(missing: str, told: str, tmp_path: Path) -> None:
    shutil.copytree(checkpoint("one-vocabulary"), tmp_path / "in")
    (tmp_path / "in" / missing).unlink()
    with pytest.raises(ModelFolderError) as caught:
        read_marian(tmp_path / "in")
    assert told in str(caught.value)


def test_a_pickle_is_refused(tmp_path: Path) -> None:
    shutil.copytree(checkpoint("one-vocabulary"), tmp_path / "in")
    (tmp_path / "in" / "model.safetensors").rename(tmp_path / "in" / "pytorch_model.bin")
    with pytest.raises(ModelFolderError, match=r"but only a pickle.*save_pretrained\(OUT\)"):
        read_marian(tmp_path / "in")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[]", "is not a JSON object"),
        ("{", "is not valid JSON"),
        ('{"a": "b"}', "gives 'a' the number 'b'"),
        ('{"a": 3, "b": 3}', "gives 'a' and 'b' the same number 3"),
        ('{"a": -1}', "has 'a' as number -1"),
        ('{"a": 3}', "has no <unk>"),
    ],
)
def test_a_damaged_vocabulary_is_told_in_a_line(content: str, told: str, tmp_path: Path) -> None:
    shutil.copytree(checkpoint("one-vocabulary"), tmp_path / "in")
    (tmp_path / "in" / "vocab.json").write_text(content)
    with pytest.raises(ModelFolderError) as caught:
        read_marian(tmp_path / "in")
    assert told in str(caught.value)
