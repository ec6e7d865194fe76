"""Small networks that have learned nothing, and random sentences: what an exact check looks at."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from onmal.config import OPTIONS, ModelConfig, Network, Vocabulary
from onmal.models import Seq2Seq, build

__all__ = ["VOCABULARY", "random_sentences", "small_network"]

VOCABULARY = Vocabulary(source_size=100, target_size=100)
SIZES: dict[str, Any] = {"d_model": 64, "encoder_layers": 2, "decoder_layers": 2, "dropout": 0.0}
OWN: dict[str, Any] = {"num_heads": 4, "feed_forward": 128}


def small_network(network: Network = "transformer", *, seed: int, **options: Any) -> Seq2Seq:
    """A network as it begins, before it has learned anything; the same for the same seed."""
    torch.manual_seed(seed)
    own = {option: value for option, value in OWN.items() if option in OPTIONS[network]}
    config = ModelConfig(network=network, **{**SIZES, **own, **options})
    return build(config, VOCABULARY).eval()


def random_sentences(count: int, length: int, *, seed: int) -> Tensor:
    """Ids [count,length] of words drawn by chance, none of them a special one, no word twice in a sentence."""
    chance = torch.Generator().manual_seed(seed)
    words = VOCABULARY.source_size - 3
    return torch.stack([torch.randperm(words, generator=chance)[:length] + 3 for _ in range(count)])
