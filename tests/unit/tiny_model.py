"""A network too small to translate anything, in a real model folder: what surrounds it can be tested in no time."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Literal

import torch

from onmal.config import DataConfig, ModelConfig
from onmal.data.pair import Pair
from onmal.data.prepare import learn_tokenizer
from onmal.models import build
from onmal.saved_model import SavedModel, save_model

PEOPLE = ("친구는", "동생은", "언니는", "선생님은"), ("My friend", "My brother", "My sister", "The teacher")
WHEN = ("오늘", "매일", "가끔", "자주", "혼자"), ("today", "every day", "sometimes", "often", "alone")
PLACES = (
    ("학교", "시장", "공원", "은행", "병원"),
    ("school", "the market", "the park", "the bank", "the hospital"),
)


def sentence_pairs(count: int = 200) -> list[Pair]:
    """Korean and English sentences, no two pairs the same while 100 of them last."""
    chosen = random.Random(0).sample(range(100), 100)
    pairs = []
    for line, number in enumerate((chosen * (count // 100 + 1))[:count], 1):
        place, rest = number % 5, number // 5
        when, person = rest % 5, rest // 5
        korean = f"{PEOPLE[0][person]} {WHEN[0][when]} {PLACES[0][place]}에 간다."
        english = f"{PEOPLE[1][person]} goes to {PLACES[1][place]} {WHEN[1][when]}."
        pairs.append(Pair(korean, english, "place" if place else "school", line))
    return pairs


def save_tiny_model(
    folder: Path,
    *,
    both_directions: bool = False,
    seed: int = 0,
    longest: int = 48,
    encoder_layers: int = 2,
    decoder_layers: int = 1,
    tie: Literal["all", "output", "none"] = "all",
) -> Path:
    """Saves a model with random weights and a tokenizer learned from 200 pairs; returns its folder."""
    data = DataConfig(
        source_language="ko", target_language="en", both_directions=both_directions, vocabulary_size=400
    )
    tokenizer = learn_tokenizer(sentence_pairs(), data)
    config = ModelConfig(
        d_model=16, num_heads=2, feed_forward=16, encoder_layers=encoder_layers,
        decoder_layers=decoder_layers, max_source_length=longest, max_target_length=longest, tie=tie,
    )  # fmt: skip
    torch.manual_seed(seed)
    model = build(config, tokenizer.vocabulary).eval()
    directions = (("ko", "en"), ("en", "ko")) if both_directions else (("ko", "en"),)
    save_model(folder, SavedModel(model, tokenizer, config, directions, {"training_pairs": 200}))
    return folder
