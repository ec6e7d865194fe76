"""MarianMT checkpoints of Hugging Face, such as the thousand of OPUS-MT: read as an onmal model, and written from one.

`names` is the one table of weights and `SETTINGS` the one table of settings, each read both ways. What the network does there is
what onmal's does with post-norm, sinusoids in two halves and a bias on the logits; its first target word is the padding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from onmal.config import ModelConfig, SearchConfig
from onmal.errors import ConfigError, ModelFolderError
from onmal.interop.marian_languages import directions_of
from onmal.interop.marian_tokenizer import read_tokenizer, write_tokenizer
from onmal.models import build
from onmal.models.embedding import SinusoidalPositions
from onmal.models.transformer import Transformer
from onmal.saved_model import SavedModel, read_json, write_json

__all__ = ["inexpressible", "names", "read_marian", "write_marian"]

SETTINGS = {
    "d_model": ("d_model",),
    "num_heads": ("encoder_attention_heads", "decoder_attention_heads"),
    "feed_forward": ("encoder_ffn_dim", "decoder_ffn_dim"),
    "encoder_layers": ("encoder_layers",),
    "decoder_layers": ("decoder_layers",),
    "dropout": ("dropout",),
    "attention_dropout": ("attention_dropout",),
    "feed_forward_dropout": ("activation_dropout",),
    "activation": ("activation_function",),
}
SEARCH = {  # name there -> name here, least and most
    "num_beams": ("beam_size", 1, 256),
    "length_penalty": ("length_penalty", 0, 100),
    "no_repeat_ngram_size": ("no_repeat_ngram", 0, 1000),
}
PATIENCE = 2.0
"""Of a search that does not stop early: transformers goes on until no hypothesis can become better, and so much finds what it finds."""
ACTIVATIONS = {"relu": "relu", "gelu": "gelu", "swish": "swish", "silu": "swish"}  # Marian's name -> onmal's
TIES = {(True, True): "all", (False, True): "output", (False, False): "none"}
SHARED = ("share_encoder_decoder_embeddings", "tie_word_embeddings")

PROJECTIONS = {"query": "q_proj", "key": "k_proj", "value": "v_proj", "output": "out_proj"}
LAYER = {
    **{f"self_attention.{ours}": f"self_attn.{theirs}" for ours, theirs in PROJECTIONS.items()},
    "self_attention_residual.norm": "self_attn_layer_norm",
    **{f"cross_attention.{ours}": f"encoder_attn.{theirs}" for ours, theirs in PROJECTIONS.items()},
    "cross_attention_residual.norm": "encoder_attn_layer_norm",
    "feed_forward.expand": "fc1",
    "feed_forward.contract": "fc2",
    "feed_forward_residual.norm": "final_layer_norm",
}
SOURCE, TARGET = "model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight"
OUTPUT, BIAS = "lm_head.weight", "final_logits_bias"
WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "all": {"source.words.weight": ("model.shared.weight", SOURCE, TARGET, OUTPUT)},
    "output": {"source.words.weight": (SOURCE,), "target.words.weight": (TARGET, OUTPUT)},
    "none": {"source.words.weight": (SOURCE,), "target.words.weight": (TARGET,), "output.weight": (OUTPUT,)},
}
POSITIONS = {
    "source": "model.encoder.embed_positions.weight",
    "target": "model.decoder.embed_positions.weight",
}


def names(config: ModelConfig) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each weight of a network, and what it is called there: a tied one has any of several names, and is written by the first."""
    yield from WORDS[config.tie].items()
    yield "output.bias", (BIAS,)
    for side, name in POSITIONS.items():
        yield f"{side}.positions.table", (name,)
    for part, layers in (("encoder", config.encoder_layers), ("decoder", config.decoder_layers)):
        for layer, (ours, theirs), kind in product(range(layers), LAYER.items(), ("weight", "bias")):
            if part == "decoder" or not ours.startswith("cross"):
                yield (
                    f"{part}.layers.{layer}.{ours}.{kind}",
                    (f"model.{part}.layers.{layer}.{theirs}.{kind}",),
                )


def read_marian(
    folder: Path, *, name: str = "", source: Sequence[str] = (), target: Sequence[str] = ()
) -> SavedModel:
    """The model in a folder of Hugging Face's; `name` is what it is called, where the folder is called otherwise.

    Its languages are those given, or else the ones that its files say. Raises ModelFolderError for a damaged folder,
    ConfigError for a network that is none of onmal's, LanguageError for languages that are not known.
    """
    values, weights = _read_config(folder), _read_weights(folder, name)
    kinds = {f"{side}_positions": _kind(key, weights, values, folder) for side, key in POSITIONS.items()}
    config = _model_config(values, folder / "config.json", kinds)
    _check_sizes(config, values, weights, folder / "model.safetensors")
    tokenizer, tags = read_tokenizer(folder, values)
    model = build(config, tokenizer.vocabulary).eval()
    _fill(model, config, weights, folder / "model.safetensors")
    name = name or folder.absolute().name
    directions = directions_of(name, folder, tags, source, target)
    card: dict[str, Any] = {"name": name, "imported": {"from": "MarianMT"}}
    if tags:
        card["imported"]["languages"] = " ".join(tags[tag] for tag in tokenizer.tags)
    said = {**values, **_optional(folder / "generation_config.json")}
    card["run"] = {"search": SearchConfig(**_search(said)).model_dump()}
    return SavedModel(model, tokenizer, config, directions, card)


def _search(said: dict[str, Any]) -> dict[str, Any]:
    """What a checkpoint says of the search, in onmal's words; both count a translation's length with its end.

    Values that onmal does not have, such as a length penalty below 0, are left out.
    """
    found: dict[str, Any] = {"patience": 1.0 if said.get("early_stopping") is True else PATIENCE}
    for theirs, (ours, low, high) in SEARCH.items():
        value = said.get(theirs)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high:
            found[ours] = value if ours == "length_penalty" else int(value)
    return found


def inexpressible(saved: SavedModel) -> str:
    """The setting of a model that Marian does not have, and its value; empty where it can say all."""
    config = saved.config
    if not isinstance(saved.model, Transformer):
        return f"networks of the kind {type(saved.model).__name__}"
    tables = not _both_halves(config)
    wrong = {
        "norm": config.norm != "layer",
        "norm_order": config.norm_order != "post",
        "activation": config.activation not in ACTIVATIONS.values(),
        "source_positions": config.source_positions == "rotary",
        "target_positions": config.target_positions == "rotary",
        "max_target_length": tables and config.max_source_length != config.max_target_length,
    }
    return next((f"model.{key} = {getattr(config, key)!r}" for key, found in wrong.items() if found), "")


def write_marian(saved: SavedModel, folder: Path) -> None:
    """Write the files that MarianMTModel and MarianTokenizer read into a folder; ConfigError for what Marian does not have."""
    if what := inexpressible(saved):
        elsewhere = (
            "export it to ctranslate2 or onnx"
            if isinstance(saved.model, Transformer)
            else "use it with onmal"
        )
        raise ConfigError(f"MarianMT has no {what}", f"{elsewhere}, or train without it")
    assert isinstance(saved.model, Transformer)
    config, special = saved.config, saved.model.vocabulary
    longest = max(config.max_source_length, config.max_target_length)
    settings = {theirs: getattr(config, ours) for ours, group in SETTINGS.items() for theirs in group}
    shared = next(key for key, tie in TIES.items() if tie == config.tie)
    ids = {"pad_token_id": special.pad, "eos_token_id": special.end, "forced_eos_token_id": special.end}
    ids["decoder_start_token_id"] = special.start
    write_json(
        folder / "config.json",
        {
            "model_type": "marian",
            "architectures": ["MarianMTModel"],
            **settings,
            **dict(zip(SHARED, shared, strict=True)),
            **ids,
            "bos_token_id": None,
            "vocab_size": special.source_size,
            "decoder_vocab_size": special.target_size,
            "max_position_embeddings": longest,
            "scale_embedding": True,
            "is_encoder_decoder": True,
            "dtype": "float32",
        },
    )
    search = saved.search
    forbidden = [[word] for word in sorted({special.pad, special.start} - {special.end})]
    choices = {"num_beams": search.beam_size, "length_penalty": search.length_penalty, "max_length": longest}
    choices |= {"no_repeat_ngram_size": search.no_repeat_ngram, "early_stopping": search.patience == 1}
    sayable = {"bad_words_ids": forbidden, "renormalize_logits": True}  # these take no part in the sum either
    write_json(folder / "generation_config.json", {**ids, **choices, **sayable})
    languages = str(saved.card.get("imported", {}).get("languages", "")).split()
    names_of_tags = dict(zip(saved.tokenizer.tags, languages, strict=False))
    write_tokenizer(saved.tokenizer, names_of_tags, saved.directions, folder)
    save_file(_weights(saved.model, config), folder / "model.safetensors", metadata={"format": "pt"})


def _both_halves(config: ModelConfig) -> bool:
    return config.source_positions == config.target_positions == "sinusoidal-halves"


def _weights(model: Transformer, config: ModelConfig) -> dict[str, Tensor]:
    """Every weight under its name there; positions too, where they are not the ones that Marian calculates."""
    ours: dict[str, Tensor] = dict(model.named_parameters())
    ours["output.bias"] = ours.get("output.bias", torch.zeros(model.vocabulary.target_size))[None]
    for side, embedding in (("source", model.source), ("target", model.target)):
        if not _both_halves(config):
            vectors = embedding.positions.vectors(torch.arange(embedding.max_length))
            none = torch.zeros(embedding.max_length, config.d_model)
            ours[f"{side}.positions.table"] = none if vectors is None else vectors
    return {
        theirs[0]: ours[mine].detach().float().cpu().contiguous()
        for mine, theirs in names(config)
        if mine in ours
    }


def _read_config(folder: Path) -> dict[str, Any]:
    """config.json with what Marian takes for granted; ConfigError for what onmal does not have."""
    path = folder / "config.json"
    if not folder.is_dir():
        raise ModelFolderError(
            "there is no such folder",
            "check the path, or give a name such as Helsinki-NLP/opus-mt-en-de",
            path=folder,
        )
    found = read_json(path)
    if found.get("model_type") != "marian":
        raise ConfigError(
            f"is a model of the kind {found.get('model_type')!r}", "onmal reads MarianMT", path=path
        )
    usual = {"dropout": 0.1, "attention_dropout": 0.0, "activation_dropout": 0.0, "eos_token_id": 0}
    usual |= dict.fromkeys(SHARED, True)
    values = {**usual, **_optional(folder / "generation_config.json"), **found}
    own = not values[SHARED[0]] and values.get("decoder_vocab_size")  # of shared tables it says nothing
    values["decoder_vocab_size"] = own or values.get("vocab_size")
    sizes = dict.fromkeys(("vocab_size", "decoder_vocab_size"), 1 << 24)
    sizes |= dict.fromkeys(("max_position_embeddings", "d_model"), 1 << 16)
    for key, most in sizes.items():
        _check_number(values, key, 1, most, path)
    words = min(values["vocab_size"], values["decoder_vocab_size"])
    for key in ("pad_token_id", "eos_token_id", "decoder_start_token_id"):
        _check_number(values, key, 0, words - 1, path)
    if not values.get("scale_embedding"):
        raise ConfigError(
            "says scale_embedding = false, and onmal's words are scaled", "take another model", path=path
        )
    return values


def _check_number(values: dict[str, Any], key: str, low: int, high: int, path: Path) -> None:
    value = values.get(key)
    if not isinstance(value, int) or not low <= value <= high:
        what = f"says {key} = {value!r}, which is no number from {low} to {high}"
        raise ModelFolderError(what, "copy the folder again", path=path)


def _optional(path: Path) -> dict[str, Any]:
    return read_json(path) if path.exists() else {}


def _kind(key: str, weights: dict[str, Tensor], values: dict[str, Any], folder: Path) -> str:
    """Of positions: those that a checkpoint has are learned ones, unless they are what Marian would calculate."""
    table = weights.get(key)
    if table is None:
        return "sinusoidal-halves"
    longest, d_model = values["max_position_embeddings"], values["d_model"]
    if table.shape != (longest, d_model):
        what = (
            f"does not fit config.json: {key} has shape {list(table.shape)} instead of {[longest, d_model]}"
        )
        raise ModelFolderError(what, "copy both again", path=folder / "model.safetensors")
    usual = SinusoidalPositions(longest, d_model, interleaved=False).table
    usual = usual.to(table.dtype).float()  # rounded as the table was when it was saved
    return "sinusoidal-halves" if torch.allclose(table.float(), usual, atol=1e-6) else "learned"


def _check_sizes(config: ModelConfig, values: dict[str, Any], weights: dict[str, Tensor], path: Path) -> None:
    """What decides how large the network is must fit the weights before memory is asked for."""
    expected = {
        "source.words.weight": [values["vocab_size"], config.d_model],
        "target.words.weight": [values["decoder_vocab_size"], config.d_model],
        "encoder.layers.0.feed_forward.expand.weight": [config.feed_forward, config.d_model],
    }
    for mine, theirs in names(config):
        if (shape := expected.get(mine)) is None:
            continue
        found = next((weights[name] for name in theirs if name in weights), None)
        if found is None or list(found.shape) != shape:
            wrong = "is missing" if found is None else f"has shape {list(found.shape)} instead of {shape}"
            raise ModelFolderError(
                f"does not fit config.json: {theirs[0]} {wrong}", "copy both again", path=path
            )


def _model_config(values: dict[str, Any], path: Path, positions: dict[str, str]) -> ModelConfig:
    settings: dict[str, Any] = {}
    for ours, theirs in SETTINGS.items():
        found = [values.get(key) for key in theirs]
        if found[0] is None or found.count(found[0]) < len(found):
            says = ", ".join(f"{key} = {value}" for key, value in zip(theirs, found, strict=True))
            raise ConfigError(
                f"says {says}",
                "onmal has one of these for encoder and decoder: take another model",
                path=path,
            )
        settings[ours] = found[0]
    if (activation := ACTIVATIONS.get(str(settings["activation"]))) is None:
        what = f"says activation_function = {settings['activation']!r}"
        raise ConfigError(what, f"onmal has {', '.join(ACTIVATIONS)}: take another model", path=path)
    if (tie := TIES.get((bool(values[SHARED[0]]), bool(values[SHARED[1]])))) is None:
        raise ConfigError(
            f"says {SHARED[0]} = true and {SHARED[1]} = false",
            "onmal has no such network: take another model",
            path=path,
        )
    settings |= {"activation": activation, "tie": tie, "norm_order": "post", "output_bias": True, **positions}
    settings |= dict.fromkeys(("max_source_length", "max_target_length"), values["max_position_embeddings"])
    try:
        return ModelConfig(**settings)
    except ConfigError as error:
        raise ModelFolderError(f"is damaged: {error}", "copy it again", path=path) from None


def _read_weights(folder: Path, name: str) -> dict[str, Tensor]:
    path = folder / "model.safetensors"
    if not path.exists():
        pickled = (
            " but only a pickle, which can run anything" if (folder / "pytorch_model.bin").exists() else ""
        )
        if "/" in name:  # a name on Hugging Face: its pickle was never fetched, so transformers must fetch it
            converted = CONVERT.replace("FOLDER", repr(name)) + ", and import OUT"
            remedy = f"give one that has it: --revision refs/pr/N, for the number of a pull request; or {converted}"
            raise ModelFolderError("has no model.safetensors", remedy, path=name)
        raise ModelFolderError(f"has no model.safetensors{pickled}", CONVERT, path=folder)
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelFolderError(f"cannot be read ({error})", "copy it again", path=path) from None


CONVERT = (
    "if you trust it, convert it once with transformers: "
    "MarianMTModel.from_pretrained(FOLDER).save_pretrained(OUT), MarianTokenizer.from_pretrained(FOLDER).save_pretrained(OUT)"
)


def _fill(model: torch.nn.Module, config: ModelConfig, weights: dict[str, Tensor], path: Path) -> None:
    """Copy the weights into the network; each must be there, in its shape, and none be left over."""
    ours = dict(model.named_parameters())
    wrong, left = [], set(weights) - set(POSITIONS.values())
    with torch.no_grad():
        for mine, theirs in names(config):
            if mine not in ours:  # positions that are calculated
                continue
            left -= set(theirs)
            found = next((weights[name] for name in theirs if name in weights), None)
            if found is None and mine == "output.bias":
                found = torch.zeros_like(ours[mine])
            if found is None:
                wrong.append(f"{theirs[0]} is missing")
            elif found.numel() != ours[mine].numel() or found.shape[-1] != ours[mine].shape[-1]:
                wrong.append(f"{theirs[0]} has shape {list(found.shape)} instead of {list(ours[mine].shape)}")
            else:
                ours[mine].copy_(found.view_as(ours[mine]))
    wrong += [f"{name} is unknown" for name in sorted(left)]
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise ModelFolderError(
            f"does not fit config.json: {', '.join(wrong[:3])}{more}", "copy both again", path=path
        )
