"""Marian's own decoder, by way of pymarian, with weights that Marian has trained on the same pieces.

    python marian_decoder.py MODEL TRAINED

MODEL is a model folder, of which only the tokenizer and the length penalty are used; TRAINED is where marian.py has trained. The same weights
cannot be given to Marian: it begins a translation with a vector of zeros instead of the embedding of a start symbol, its wavelengths of
positions are others, and what it keeps of earlier words in a pre-norm network is not normalised.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
from functools import cache
from pathlib import Path

import sentencepiece
from pymarian import Translator
from turns import serve

BATCH = 64


def main() -> None:
    """Serve."""
    folder, trained = map(Path, sys.argv[1:])
    subwords = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
    vocabulary = trained / "vocabulary.yml"
    known = json.loads(vocabulary.read_text("utf-8"))
    if set(known) != {subwords.id_to_piece(token) for token in range(len(subwords))}:
        raise ValueError(f"{trained} was trained on other pieces than {folder}")
    card = json.loads((folder / "card.json").read_text("utf-8"))
    penalty = card.get("run", {}).get("search", {}).get("length_penalty", 1.0)

    @cache
    def decoder(beam: int) -> Translator:
        return Translator(
            models=[str(trained / "model.npz")], vocabs=[str(vocabulary)] * 2, beam_size=beam, normalize=penalty,
            cpu_threads=len(os.sched_getaffinity(0)), mini_batch=BATCH, maxi_batch=1000, max_length=250,
            quiet=True, quiet_translation=True,
        )  # fmt: skip

    def translate(sentences: list[str], beam: int) -> list[str]:
        cut = [" ".join(row) for row in subwords.encode(sentences, out_type=str)]
        return [subwords.decode(line.split()) for line in decoder(beam).translate(cut)]

    serve(translate, {"pymarian": importlib.metadata.version("pymarian")})


if __name__ == "__main__":
    main()
