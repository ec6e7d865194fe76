"""Networks of every kind that have learned nothing, with a tokenizer: what engines do with them can be compared."""

from __future__ import annotations

import random
from typing import Any

import torch

from onmal.config import DataConfig, ModelConfig
from onmal.data.pair import Pair
from onmal.data.prepare import learn_tokenizer
from onmal.models import build
from onmal.saved_model import SavedModel
from onmal.text.tokenizer import Tokenizer


def tokenizer(joint: bool) -> Tokenizer:
    chance = random.Random(0)
    words = ["".join(chance.choices("abcdefghij", k=4)) for _ in range(200)]
    pairs = [
        Pair(" ".join(chance.choices(words, k=6)), " ".join(chance.choices(words, k=6))) for _ in range(200)
    ]
    data = DataConfig(source_language="ko", target_language="en", vocabulary_size=360, joint=joint)
    return learn_tokenizer(pairs, data)


def random_model(subwords: Tokenizer, *, seed: int = 0, **kind: Any) -> SavedModel:
    """A network that has learned nothing but that padding and the start are no words."""
    torch.manual_seed(seed)
    sizes = {"d_model": 16, "encoder_layers": 2, "decoder_layers": 2}
    heads = {} if "network" in kind else {"num_heads": 2, "feed_forward": 24}
    config = ModelConfig(**{**sizes, **heads, "output_bias": True, **kind})
    network = build(config, subwords.vocabulary).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            noise = (
                0.05 if kind.get("network") == "convolution" else 0.2
            )  # whose windows add up more products
            parameter.add_(torch.randn_like(parameter) * noise)
        network.output.bias[[subwords.vocabulary.pad, subwords.vocabulary.start]] = -50.0
        network.output.bias[subwords.vocabulary.end] += 5
    return SavedModel(network, subwords, config, (("ko", "en"),))


def sources(saved: SavedModel, count: int) -> list[list[int]]:
    chance, size = random.Random(1), len(saved.tokenizer.source)
    return [[*chance.choices(range(4, size), k=chance.randint(1, 20)), 2] for _ in range(count)]
