"""Makes a frozen model folder: python tests/golden/make.py NAME

Run once for each format that is released; what it made is never made again, for later versions must read it as it is.
The model learns a few sentences of the phrasebook by heart, so that rounding decides no word.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

from onmal.config import DataConfig, ModelConfig
from onmal.data.pair import Pair
from onmal.data.prepare import encode_pairs, learn_tokenizer
from onmal.models import build
from onmal.phrasebook import phrases
from onmal.saved_model import SavedModel, save_model
from onmal.training.loss import TranslationLoss
from onmal.translating.translator import load

HERE = Path(__file__).parent
UPDATES = 2000


def make(folder: Path) -> list[Pair]:
    """Learns 32 short sentences in both directions and saves the model; returns the sentences."""
    short = [p for p in phrases("train", 400, seed=2) if len(p.korean) <= 14 and p.korean.endswith("요.")]
    pairs = [Pair(phrase.korean, phrase.english) for phrase in short[:32]]
    data = DataConfig(
        source_language="ko", target_language="en", both_directions=True, vocabulary_size=460, max_length=40
    )
    tokenizer = learn_tokenizer(pairs, data)
    text = encode_pairs(tokenizer, pairs, data)
    config = ModelConfig(
        d_model=16, num_heads=2, feed_forward=32, encoder_layers=1, decoder_layers=1,
        max_source_length=40, max_target_length=40, dropout=0.0,
    )  # fmt: skip
    torch.set_num_threads(1)
    torch.manual_seed(1)
    model = build(config, tokenizer.vocabulary)
    loss = TranslationLoss(model)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.01, UPDATES)
    special = tokenizer.vocabulary
    epoch = text.pool(1, 0, 0, 10_000, start=special.start, end=special.end, pad=special.pad)
    for _ in range(UPDATES):
        for batch in epoch:
            found = loss(batch.source, batch.target, batch.lengths)
            (found.loss / found.tokens).backward()
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
    card = {"name": folder.name, "training_pairs": len(pairs), "trained_lengths": text.longest()}
    save_model(folder, SavedModel(model.eval(), tokenizer, config, (("ko", "en"), ("en", "ko")), card))
    return pairs


def main(name: str) -> None:
    """Writes NAME/ and NAME.json, what it translates some sentences to."""
    folder = HERE / name
    if folder.exists():
        raise SystemExit(f"{folder} is frozen; choose another name")
    pairs = make(folder)
    translator = load(folder)
    known = [
        pair
        for pair in pairs
        if translator.translate(pair.source).text == pair.target
        and translator.translate(pair.target).text == pair.source
    ]
    print(f"{len(known)} of {len(pairs)} sentences are right in both directions")
    sources = [*(pair.source for pair in known[:3]), *(pair.target for pair in known[3:5])]
    shown = [{"source": source, "text": translator.translate(source).text} for source in sources]
    (HERE / f"{name}.json").write_text(json.dumps(shown, ensure_ascii=False, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
