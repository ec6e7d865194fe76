"""Translate with a model that `onmal export onnx` wrote: needs onnxruntime, numpy and sentencepiece, nothing of onmal.

    python examples/onnx_translate.py FOLDER "A sentence." ["Another."] [--to LANGUAGE]

The search is greedy. For a beam give the decoder K tokens for each source and move its keys and values with the hypotheses.
"""

from __future__ import annotations

import argparse
import json
import unicodedata
from pathlib import Path

import numpy as np
from onnxruntime import InferenceSession
from sentencepiece import SentencePieceProcessor


class Translator:
    """The three graphs and the tokenizer of a folder."""

    def __init__(self, folder: Path) -> None:
        self.about = json.loads((folder / "model.json").read_text("utf-8"))
        self.encoder, self.cross, self.decoder = (
            InferenceSession(folder / f"{part}.onnx") for part in ("encoder", "cross", "decoder")
        )
        shared = (folder / "tokenizer.model").exists()
        source, target = ("tokenizer.model",) * 2 if shared else ("source.model", "target.model")
        self.source = SentencePieceProcessor(model_file=str(folder / source))
        self.target = SentencePieceProcessor(model_file=str(folder / target))

    def translate(self, sentence: str, to: str = "") -> str:
        """The translation of one sentence; `to` asks a model of several languages for one of them."""
        special, longest = self.about["vocabulary"], self.about["longest"]["source"]
        languages = [tag[2:-1] for tag in self.about["tags"] if tag.startswith("<2")]
        if languages and to not in languages:
            raise SystemExit(f"error: --to has to be one of {', '.join(languages)}")
        tag = [self.source.piece_to_id(f"<2{to}>")] if languages else []
        text = " ".join(unicodedata.normalize("NFC", sentence).split())
        words = [*tag, *self.source.encode(text), special["end"]]
        if len(words) > longest:
            raise SystemExit(
                f"error: a sentence of {len(words)} tokens is too long; cut it, {longest} are read"
            )
        return self.target.decode(self.search(words))

    def search(self, source: list[int]) -> list[int]:
        """The likeliest next word again and again, until the end."""
        special, longest = self.about["vocabulary"], self.about["longest"]["target"]
        words = np.array([source])  # [B,S] = [1,S]
        (states,) = self.encoder.run(None, {"source": words})  # [1,S,D]
        cross = self.cross.run(None, {"states": states})  # each [1,H,S,E]
        inputs = self.decoder.get_inputs()
        caches = inputs[2 + len(cross) :]
        past = [np.zeros((1, 1, each.shape[2], 0, each.shape[4]), np.float32) for each in caches]
        said = [special["start"]]
        while len(said) <= min(2 * len(source) + 16, longest):
            values = [np.array([said[-1:]]), words, *cross, *past]
            names = [each.name for each in inputs]
            logits, *past = self.decoder.run(None, dict(zip(names, values, strict=True)))  # [1,1,V]
            never = {special["pad"], special["start"]} - {special["end"]}
            logits[..., list(never)] = -np.inf
            said.append(int(logits[0, 0].argmax()))
            if said[-1] == special["end"]:
                return said[1:-1]
        return said[1:]


def main() -> None:
    """Print the translation of each sentence."""
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("sentences", nargs="+")
    arguments.add_argument("--to", default="")
    given = arguments.parse_args()
    translator = Translator(given.folder)
    for sentence in given.sentences:
        print(translator.translate(sentence, given.to))


if __name__ == "__main__":
    main()
