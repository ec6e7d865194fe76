"""An onmal Transformer as a CTranslate2 model: the same numbers under CTranslate2's names.

CTranslate2 (https://opennmt.net/CTranslate2) runs Transformers in C++ on plain CPUs and on GPUs. The description is filled in
directly: its converter for Marian's models would drop the vector of the start token and begin with zeros.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn

from onmal.cache import cache_folder
from onmal.config import ModelConfig
from onmal.errors import ConfigError, MissingExtraError
from onmal.models.attention import MultiHeadAttention
from onmal.models.decoder import DecoderLayer
from onmal.models.embedding import Embedding
from onmal.models.encoder import EncoderLayer
from onmal.models.sublayer import FeedForward, Residual
from onmal.models.transformer import Transformer
from onmal.saved_model import SavedModel

__all__ = ["Quantization", "converted", "inexpressible", "write_ctranslate2"]

Quantization = Literal[
    "float32", "float16", "bfloat16", "int8", "int8_float32", "int8_float16", "int8_bfloat16"
]
NORM_EPSILON = {"layer": 1e-5, "rms": 1e-6}
KEPT = 16  # conversions in the cache
NEVER = -1e4  # a logit that 16 bits can hold


def inexpressible(saved: SavedModel) -> str:
    """What a model is that CTranslate2 has no words for; empty where it can say all."""
    return (
        "" if isinstance(saved.model, Transformer) else f"networks of the kind {type(saved.model).__name__}"
    )


def write_ctranslate2(saved: SavedModel, folder: Path, quantization: Quantization = "float32") -> None:
    """Write a folder that `ctranslate2.Translator` reads; ConfigError for a network that it cannot express, MissingExtraError without it.

    Its sources are the pieces of `saved.tokenizer`, tags first and the end last, as `encode_source` gives their ids.
    """
    if what := inexpressible(saved):
        raise ConfigError(f"CTranslate2 does not know {what}", "translate with --engine torch")
    if not find_spec("ctranslate2"):
        raise MissingExtraError("ctranslate2", "fast", "an export to CTranslate2")
    spec = _describe(cast(Transformer, saved.model), saved.config)
    for subwords, register in (
        (saved.tokenizer.source, spec.register_source_vocabulary),
        (saved.tokenizer.target, spec.register_target_vocabulary),
    ):
        register(subwords.pieces(range(len(subwords))))
    target, special = saved.tokenizer.target, saved.model.vocabulary
    unknown, start, end = target.pieces([target.processor.unk_id(), special.start, special.end])
    spec.config.unk_token, spec.config.eos_token = unknown, end
    spec.config.bos_token = spec.config.decoder_start_token = start
    spec.config.layer_norm_epsilon = NORM_EPSILON[saved.config.norm]
    spec.validate()
    spec.optimize(quantization=quantization)
    folder.mkdir(parents=True, exist_ok=True)
    spec.save(str(folder))
    if saved.shortlist:
        pieces = [each.pieces(range(len(each))) for each in (saved.tokenizer.source, saved.tokenizer.target)]
        lines = "".join(f"{line}\n" for line in saved.shortlist.lines(*pieces))
        (folder / "vmap.txt").write_text(lines, "utf-8")


@contextmanager
def converted(saved: SavedModel) -> Iterator[Path]:
    """The folder that `write_ctranslate2` makes of a model: kept in the cache, or made for now where that cannot be written."""
    import ctranslate2

    key = hashlib.sha256(f"{ctranslate2.__version__} {saved.config.model_dump_json()}".encode())
    key.update(Path(__file__).read_bytes())  # how it is converted
    key.update(saved.tokenizer.source.serialized + saved.tokenizer.target.serialized)
    listed = saved.shortlist
    for weights in (
        *saved.model.parameters(),
        *((listed.common, listed.words, listed.starts) if listed else ()),
    ):
        key.update(_numbers(weights).numpy().data)
    folder = cache_folder() / "ctranslate2" / key.hexdigest()[:24]
    with tempfile.TemporaryDirectory(prefix="onmal-") as made:
        if not (folder / "model.bin").exists() and not _keep(saved, folder):
            folder = Path(made)
            write_ctranslate2(saved, folder)
        yield folder


def _keep(saved: SavedModel, folder: Path) -> bool:
    """Convert into the cache, whole or not at all; the conversions that were made first leave it."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=".", dir=folder.parent))
    except OSError:
        return False
    try:
        write_ctranslate2(saved, part)
        with suppress(OSError):  # another process was as fast
            part.rename(folder)
        made = sorted(folder.parent.glob("[!.]*"), key=lambda each: each.stat().st_mtime)
        for old in made[:-KEPT]:
            shutil.rmtree(old, ignore_errors=True)
    except OSError:
        return folder.exists()
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return True


def _describe(model: Transformer, config: ModelConfig) -> Any:
    from ctranslate2.specs import Activation, TransformerDecoderSpec, TransformerEncoderSpec, TransformerSpec

    activations = {"relu": Activation.RELU, "gelu": Activation.GELU}
    shape: dict[str, Any] = {
        "num_heads": config.num_heads,
        "pre_norm": config.norm_order == "pre",
        "activation": activations.get(config.activation, Activation.SWISH),
        "ffn_glu": config.activation == "swiglu",
        "rms_norm": config.norm == "rms",
    }

    def rotary(kind: str) -> dict[str, Any]:
        return {"rotary_dim": 0, "rotary_interleave": True} if kind == "rotary" else {}

    encoder = TransformerEncoderSpec(config.encoder_layers, **shape, **rotary(config.source_positions))
    decoder = TransformerDecoderSpec(config.decoder_layers, **shape, **rotary(config.target_positions))
    encoder.embeddings[0].weight = _numbers(model.source.words.weight)
    decoder.embeddings.weight = _numbers(model.target.words.weight)
    for described, embedding in ((encoder, model.source), (decoder, model.target)):
        if hasattr(described, "position_encodings"):
            described.position_encodings.encodings = _positions(embedding)
    for described, network in ((encoder, model.encoder), (decoder, model.decoder)):
        if config.norm_order == "pre":
            _norm(described.layer_norm, network.norm)
    for described, layer in zip(encoder.layer, model.encoder.layers, strict=True):
        assert isinstance(layer, EncoderLayer)
        _attention(described.self_attention, layer.self_attention, layer.self_attention_residual)
        _feed_forward(described.ffn, layer.feed_forward, layer.feed_forward_residual)
    for described, layer in zip(decoder.layer, model.decoder.layers, strict=True):
        assert isinstance(layer, DecoderLayer)
        _attention(described.self_attention, layer.self_attention, layer.self_attention_residual)
        _attention(described.attention, layer.cross_attention, layer.cross_attention_residual, cross=True)
        _feed_forward(described.ffn, layer.feed_forward, layer.feed_forward_residual)
    decoder.projection.weight = _numbers(model.output.weight)
    bias, special = model.output.bias, model.vocabulary
    decoder.projection.bias = _numbers(torch.zeros(special.target_size) if bias is None else bias)
    decoder.projection.bias[sorted({special.pad, special.start} - {special.end})] = (
        NEVER  # as our search does
    )
    return TransformerSpec(encoder, decoder)


def _positions(embedding: Embedding) -> Tensor:
    """What is added at each position [T,D]; without positions that is zeros, or CTranslate2 would add sinusoids."""
    vectors = embedding.positions.vectors(torch.arange(embedding.max_length))
    return _numbers(
        torch.zeros(embedding.max_length, embedding.words.embedding_dim) if vectors is None else vectors
    )


def _attention(
    described: Any, attention: MultiHeadAttention, residual: Residual, *, cross: bool = False
) -> None:
    """Query, key and value as one matrix; across, where the memory has the keys and values, the latter two."""
    query, key, value = attention.query, attention.key, attention.value
    joined = [[query], [key, value]] if cross else [[query, key, value]]
    for linear, parts in zip(described.linear, [*joined, [attention.output]], strict=True):
        linear.weight = _numbers(torch.cat([part.weight for part in parts]))
        linear.bias = _numbers(torch.cat([part.bias for part in parts]))
    _norm(described.layer_norm, residual.norm)


def _feed_forward(described: Any, network: FeedForward, residual: Residual) -> None:
    linears = [(described.linear_0, network.expand), (described.linear_1, network.contract)]
    if network.gate is not None:  # what is called linear_0 goes through the activation
        linears = [(described.linear_0, network.gate), (described.linear_0_noact, network.expand), linears[1]]
    for linear, part in linears:
        linear.weight, linear.bias = _numbers(part.weight), _numbers(part.bias)
    _norm(described.layer_norm, residual.norm)


def _norm(described: Any, norm: nn.Module) -> None:
    described.gamma = _numbers(norm.weight)
    if isinstance(norm, nn.LayerNorm):
        described.beta = _numbers(norm.bias)


def _numbers(weights: Any) -> Tensor:
    return weights.detach().float().cpu().clone()
