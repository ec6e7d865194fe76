"""The same weights in Hugging Face transformers: a pre-norm Transformer is what it calls Pegasus; `generate` searches.

    python generate.py MODEL

Knows nothing of onmal but the files of a model folder. Learned positions are put in the place of Pegasus' own table.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
from pathlib import Path

import sentencepiece
import torch
from safetensors.torch import load_file
from torch.nn.utils.rnn import pad_sequence
from transformers import GenerationConfig, PegasusConfig, PegasusForConditionalGeneration
from turns import serve

PAD, START, END = 0, 1, 2
BATCH = 64
ATTENTION = {"query": "q_proj", "key": "k_proj", "value": "v_proj", "output": "out_proj"}
PARTS = {
    "self_attention.": "self_attn.", "cross_attention.": "encoder_attn.", "feed_forward.expand": "fc1",
    "feed_forward.contract": "fc2", "self_attention_residual.norm": "self_attn_layer_norm",
    "cross_attention_residual.norm": "encoder_attn_layer_norm", "feed_forward_residual.norm": "final_layer_norm",
}  # fmt: skip


def model_of(folder: Path) -> PegasusForConditionalGeneration:
    """The network with the folder's weights; ValueError where Pegasus is not the same network."""
    described = json.loads((folder / "config.json").read_text("utf-8"))
    ours, sizes = described["model"], described["vocabulary"]
    same = {
        "norm": "layer", "norm_order": "pre", "tie": "all", "source_positions": "learned",
        "target_positions": "learned", "output_bias": False,
    }  # fmt: skip
    for option, value in same.items():
        if ours[option] != value:
            raise ValueError(f"{option} = {ours[option]!r}")
    config = PegasusConfig(
        vocab_size=sizes["source_size"], d_model=ours["d_model"], scale_embedding=True,
        encoder_layers=ours["encoder_layers"], decoder_layers=ours["decoder_layers"],
        encoder_attention_heads=ours["num_heads"], decoder_attention_heads=ours["num_heads"],
        encoder_ffn_dim=ours["feed_forward"], decoder_ffn_dim=ours["feed_forward"],
        activation_function=ours["activation"], max_position_embeddings=ours["max_source_length"],
        pad_token_id=PAD, eos_token_id=END, decoder_start_token_id=START, forced_eos_token_id=None,
    )  # fmt: skip
    network = PegasusForConditionalGeneration(config).eval()
    named = network.state_dict()
    weights = load_file(folder / "weights.safetensors")
    for name, tensor in renamed(weights).items():
        named[name].copy_(tensor)
    return network


def renamed(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """onmal's names as Pegasus'."""
    found = {}
    for name, tensor in weights.items():
        if name == "source.words.weight":
            for place in (
                "model.shared",
                "model.encoder.embed_tokens",
                "model.decoder.embed_tokens",
                "lm_head",
            ):
                found[f"{place}.weight"] = tensor
            continue
        for side, part in (("source", "encoder"), ("target", "decoder")):
            name = name.replace(f"{side}.positions.table", f"model.{part}.embed_positions.weight")
            name = name.replace(f"{part}.norm", f"model.{part}.layer_norm").replace(
                f"{part}.layers", f"model.{part}.layers"
            )
        for ours, theirs in PARTS.items():
            name = name.replace(ours, theirs)
        for ours, theirs in ATTENTION.items():
            name = name.replace(f"attn.{ours}", f"attn.{theirs}")
        found[name] = tensor
    return found


def main() -> None:
    """Serve."""
    folder = Path(sys.argv[1])
    network = model_of(folder)
    subwords = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
    card = json.loads((folder / "card.json").read_text("utf-8"))
    penalty = card.get("run", {}).get("search", {}).get("length_penalty", 1.0)

    @torch.inference_mode()
    def translate(sentences: list[str], beam: int) -> list[str]:
        rows = [[*row, END] for row in subwords.encode(sentences)]
        order = sorted(range(len(rows)), key=lambda index: -len(rows[index]))
        found = [""] * len(rows)
        for first in range(0, len(order), BATCH):
            chosen = order[first : first + BATCH]
            source = pad_sequence([torch.tensor(rows[index]) for index in chosen], True, PAD)
            how = GenerationConfig(
                num_beams=beam, length_penalty=penalty if beam > 1 else None, max_new_tokens=250,
                pad_token_id=PAD, eos_token_id=END, decoder_start_token_id=START,
            )  # fmt: skip
            written = network.generate(
                input_ids=source, attention_mask=(source != PAD).long(), generation_config=how
            )
            for index, row in zip(chosen, written.tolist(), strict=True):
                found[index] = subwords.decode([token for token in row if token > END])
        return found

    serve(translate, {name: importlib.metadata.version(name) for name in ("transformers", "torch")})


if __name__ == "__main__":
    main()
