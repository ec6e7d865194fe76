"""Folders as Hugging Face keeps MarianMT models in them, made on the spot: small, and with random weights."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sentencepiece
import torch

LETTERS = {"source": "abcdefgh", "target": "stuvwxyz"}


def sentences(side: str, count: int = 200) -> list[str]:
    chance = random.Random(side)
    words = ["".join(chance.choices(LETTERS[side], k=chance.randint(1, 5))) for _ in range(120)]
    return [" ".join(chance.choices(words, k=chance.randint(1, 9))).capitalize() + "." for _ in range(count)]


def spm(side: str, size: int, kind: str) -> bytes:
    """A SentencePiece model as OPUS-MT has them: no padding, NFKC, unknown characters."""
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences(side)),
        model_writer=written,
        vocab_size=size,
        model_type=kind,
        minloglevel=2,
    )
    return written.getvalue()


def numbered(*models: bytes, tags: Sequence[str], pad: int) -> dict[str, int]:
    """A vocabulary in Marian's manner: the end first, then <unk>, the rest in an order of its own; <pad> last, or where asked for."""
    processors = [sentencepiece.SentencePieceProcessor(model_proto=model) for model in models]
    pieces = {p.id_to_piece(i) for p in processors for i in range(len(p))} - {"<unk>", "<s>", "</s>"}
    rest = sorted(pieces)
    random.Random(0).shuffle(rest)
    order = ["</s>", "<unk>", *tags, *rest]
    order.insert(pad if pad > 0 else len(order), "<pad>")
    return {piece: number for number, piece in enumerate(order)}


def _spread(name: str) -> float:
    """Of a weight's random values: attention looks at few words, so that what is said depends on them."""
    spreads = {"bias": 0.1, "norm": 0.1, "q_proj": 1.5, "k_proj": 1.5, "_proj": 0.5, "fc": 0.2}
    return next((spread for part, spread in spreads.items() if part in name), 0.6)


def save_marian(
    folder: Path,
    *,
    separate: bool = False,
    tags: Sequence[str] = (),
    kind: str = "unigram",
    positions: bool = False,
    half: bool = False,
    without: Sequence[str] = (),
    ending: float = 3.0,
    **config: Any,
) -> Path:
    """Saves a MarianMT model with its tokenizer; `separate` gives each side a vocabulary of its own.

    With `positions` its positions are its own, with `half` its weights have 16 bits, and its vocabulary lacks pieces `without`.
    The higher `ending`, the sooner a translation ends.
    """
    from transformers import MarianConfig, MarianMTModel

    folder.mkdir(parents=True)
    source, target = spm("source", 90, kind), spm("target", 100, kind)
    (folder / "source.spm").write_bytes(source)
    (folder / "target.spm").write_bytes(target)
    if separate:
        vocabularies = {"vocab.json": (source,), "target_vocab.json": (target,)}
    else:
        vocabularies = {"vocab.json": (source, target)}
    sizes, pad = [], 60 if separate else 0
    for name, models in vocabularies.items():
        numbers = numbered(*models, tags=tags, pad=pad)
        sizes.append(len(numbers))
        kept = {piece: number for piece, number in numbers.items() if piece not in without}
        (folder / name).write_text(json.dumps(kept), "utf-8")
    pad = pad or sizes[0] - 1
    said = {"source_lang": "eng", "target_lang": "deu", "separate_vocabs": separate}
    said["tokenizer_class"] = "MarianTokenizer"
    (folder / "tokenizer_config.json").write_text(json.dumps(said), "utf-8")
    settings: dict[str, Any] = {"d_model": 16, "encoder_layers": 2, "decoder_layers": 2}
    settings |= dict.fromkeys(("encoder_attention_heads", "decoder_attention_heads"), 2)
    settings |= dict.fromkeys(("encoder_ffn_dim", "decoder_ffn_dim"), 24)
    settings |= dict.fromkeys(("pad_token_id", "decoder_start_token_id"), pad)
    settings |= dict.fromkeys(("eos_token_id", "forced_eos_token_id"), 0)
    settings |= {"vocab_size": sizes[0], "decoder_vocab_size": sizes[-1], "scale_embedding": True}
    settings |= {"activation_function": "swish", "max_position_embeddings": 64}
    settings |= {"share_encoder_decoder_embeddings": not separate, **config}
    torch.manual_seed(0)
    model = MarianMTModel(MarianConfig(**settings)).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter) * _spread(name))
        model.final_logits_bias.copy_(torch.randn_like(model.final_logits_bias) * 0.3)
        model.final_logits_bias[0, 0] += ending
        model.final_logits_bias[0, pad] = 0.0  # padding is a row of zeros, which Marian itself does not have
        for table in {
            model.get_input_embeddings().weight,
            model.lm_head.weight,
            model.model.decoder.embed_tokens.weight,
        }:
            table[pad] = 0.0
        for part in (model.model.encoder, model.model.decoder):
            part.embed_positions.weight.add_(torch.randn_like(part.embed_positions.weight) * 0.1 * positions)
    model.generation_config.bad_words_ids = [[pad]]
    (model.half() if half else model).save_pretrained(folder)
    if positions:  # which transformers leaves out, and reads
        from safetensors.torch import load_file, save_file

        weights = load_file(folder / "model.safetensors")
        for part in ("encoder", "decoder"):
            table = getattr(model.model, part).embed_positions.weight.detach()
            weights[f"model.{part}.embed_positions.weight"] = table
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder
